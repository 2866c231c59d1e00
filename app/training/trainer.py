"""The trainer: takes batches from a task, moves the weights, writes a log, and can be stopped and resumed.

A run is decided by its recipe and nothing else: batches depend on the step alone, the schedule counts tokens,
and a checkpoint holds everything that the next step needs, so that a resumed run equals an uninterrupted one.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from torch.optim import AdamW, Optimizer

from ..transformer.layers import Pass, no_tap
from ..transformer.model import Transformer, finish
from ..transformer.spec import Spec
from .muon import Muon

IGNORED = -100
_LOG_EVERY_STEPS = 20


class TrainingError(ValueError):
    """Training cannot go on; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Batch:
    """What one step reads, and what it is to predict.

    `tokens [batch, pos]` are read; `padding [batch, pos]` is true where they are no text. An encoder-decoder also
    reads a `source` with a padding of its own. `targets` has the token to predict at every place, `[batch, pos]`,
    IGNORED where none is scored; or, with `scored [count]`, only at those places of the flattened batch.
    """

    tokens: Tensor
    targets: Tensor
    padding: Tensor | None = None
    source: Tensor | None = None
    source_padding: Tensor | None = None
    scored: Tensor | None = None


# The batch of a step: the step alone decides.
Batches = Callable[[int], Batch]
Evaluate = Callable[[Transformer], dict[str, float]]


def padded(texts: list[list[int]], filler: int) -> Tensor:
    """Stack texts of many lengths into one array `[batch, pos]`, filled up at their ends."""
    rows = torch.full((len(texts), max(map(len, texts))), filler)
    for row, text in enumerate(texts):
        rows[row, : len(text)] = torch.tensor(text)
    return rows


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run beside its data. Lengths of time are in tokens read.

    The learning rates rise from zero over `warm_up`, stay until `decay` (a share of the whole) is left, then
    fall in a straight line to zero. `matrix_rate` is Muon's, for the matrices inside the blocks; at 0 they are
    trained with AdamW like all else.
    """

    tokens: int
    batch_tokens: int
    rate: float
    matrix_rate: float = 0.0
    weight_decay: float = 0.1
    warm_up: int = 0
    decay: float = 0.5
    clip: float = 1.0
    label_smoothing: float = 0.0
    seed: int = 0
    checkpoint_every: int = 500_000
    bfloat16: bool = False
    compiled: bool = False

    @property
    def steps(self) -> int:
        """Count the optimiser steps of the whole run."""
        return -(-self.tokens // self.batch_tokens)

    def rate_factor(self, step: int) -> float:
        """Return the share of the full learning rates used at a step."""
        tokens = (step + 1) * self.batch_tokens
        rising = min(1.0, tokens / self.warm_up) if self.warm_up else 1.0
        falling = (self.steps - step) / max(1.0, self.decay * self.steps)
        return min(rising, falling, 1.0)


class Trainer:
    """One run of training, in the folder `out`: `log.jsonl` and `checkpoint.safetensors`."""

    def __init__(self, spec: Spec, recipe: Recipe, batches: Batches, evaluate: Evaluate, out: Path) -> None:
        self.recipe, self.batches, self.evaluate, self.out = recipe, batches, evaluate, out
        self.log_path, self.checkpoint_path = out / "log.jsonl", out / "checkpoint.safetensors"
        self.model = Transformer(spec)
        self.model.initialise(recipe.seed)
        self.optimizers = _optimizers(self.model, recipe)
        self._full_rates = [optimizer.param_groups[0]["lr"] for optimizer in self.optimizers]
        self._loss = torch.compile(self._plain_loss, dynamic=False) if recipe.compiled else self._plain_loss
        self._seconds_before = 0.0

    def run(self, resume: bool = False, stop_after: int | None = None) -> Transformer:
        """Train to the end of the recipe, or to `stop_after` steps; the model, ready to be exported.

        Raises:
            TrainingError: nothing to resume from, or the checkpoint is another recipe's.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        first = self._load_checkpoint() if resume else self._start_log()
        last = self.recipe.steps if stop_after is None else min(stop_after, self.recipe.steps)
        self._started, running = time.perf_counter(), []
        with _progress_bar() as progress:
            bar = progress.add_task("training", total=self.recipe.steps, completed=first, loss=float("nan"))
            for step in range(first, last):
                running.append(self._step(step))
                if (step + 1) % _LOG_EVERY_STEPS == 0 or step + 1 == last:
                    loss = float(torch.stack(running).mean())
                    running.clear()
                    self._write_log(step + 1, {"loss": loss, "rate": self.recipe.rate_factor(step)})
                    progress.update(bar, completed=step + 1, loss=loss)
                if self._is_checkpoint_due(step) or step + 1 == last:
                    self._write_log(step + 1, {"held_out": self.evaluate(self.model)})
                    self._save_checkpoint(step + 1)
        return self.model

    def _step(self, step: int) -> Tensor:
        """Train on one batch: forward, backward, and one move of every weight; return its loss in nats per token."""
        factor = self.recipe.rate_factor(step)
        batch = self.batches(step)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            loss: Tensor = self._loss(**vars(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        for optimizer, full_rate in zip(self.optimizers, self._full_rates, strict=True):
            optimizer.param_groups[0]["lr"] = full_rate * factor
            optimizer.step()
            optimizer.zero_grad()
        return loss.detach()

    def _plain_loss(
        self,
        tokens: Tensor,
        targets: Tensor,
        padding: Tensor | None,
        source: Tensor | None,
        source_padding: Tensor | None,
        scored: Tensor | None,
    ) -> Tensor:
        if scored is None:
            logits = self.model(tokens, source=source, padding=padding, source_padding=source_padding)
        else:
            logits = self._scored_logits(tokens, padding, scored)
        # every place is one prediction: [batch, pos, d_vocab] -> [batch*pos, d_vocab]
        return F.cross_entropy(
            logits.float().flatten(0, 1),
            targets.flatten(),
            ignore_index=IGNORED,
            label_smoothing=self.recipe.label_smoothing,
        )

    def _scored_logits(self, tokens: Tensor, padding: Tensor | None, scored: Tensor) -> Tensor:
        """Compute logits at the scored places alone, `[1, count, d_vocab]`: the vocabulary is the dearest axis."""
        resid = self.model.embed(tokens, self.model.W_E, no_tap)
        resid = finish(self.model.layers(resid, Pass(no_tap, padding=padding)))
        # the places of all rows in one: [batch, pos, d_model] -> [1, count, d_model]
        return self.model.unembed(resid.flatten(0, 1).index_select(0, scored).unsqueeze(0))

    def _is_checkpoint_due(self, step: int) -> bool:
        done, every = self.recipe.batch_tokens, self.recipe.checkpoint_every
        return (step + 1) * done // every > step * done // every

    def _start_log(self) -> int:
        self.log_path.write_text(json.dumps({"recipe": asdict(self.recipe)}) + "\n", encoding="utf-8")
        return 0

    def _write_log(self, step: int, entry: dict[str, Any]) -> None:
        seconds = self._seconds_before + time.perf_counter() - self._started
        counted = {"step": step, "tokens": step * self.recipe.batch_tokens, "seconds": round(seconds, 1)}
        with self.log_path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(counted | entry) + "\n")

    def _save_checkpoint(self, step: int) -> None:
        """Save weights, optimiser state, and the step, in one file that replaces the last one whole."""
        tensors = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for key, state, part in self._optimizer_state():
            tensors[key] = state[part]
        seconds = self._seconds_before + time.perf_counter() - self._started
        metadata = {"recipe": json.dumps(asdict(self.recipe)), "step": str(step), "seconds": str(seconds)}
        partial = self.checkpoint_path.with_suffix(".partial")
        save_file(tensors, partial, metadata)
        os.replace(partial, self.checkpoint_path)

    def _load_checkpoint(self) -> int:
        """Put everything back as it was; the step to go on with. Later lines of the log are dropped."""
        if not self.checkpoint_path.is_file():
            raise TrainingError(f"nothing to resume: {self.checkpoint_path} does not exist; leave out --resume")
        with safe_open(self.checkpoint_path, "pt") as file:
            metadata = file.metadata()
            if json.loads(metadata["recipe"]) != asdict(self.recipe):
                raise TrainingError(
                    f"{self.checkpoint_path} was written with another recipe ({metadata['recipe']}); "
                    "resume with the same arguments, or start afresh without --resume"
                )
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        self.model.load_state_dict(
            {key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")}
        )
        for optimizer in self.optimizers:
            _make_state(optimizer)
        for key, state, part in self._optimizer_state():
            state[part] = tensors[key]
        step = int(metadata["step"])
        self._seconds_before = float(metadata["seconds"])
        lines = self.log_path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line).get("step", 0) <= step]
        self.log_path.write_text("".join(kept), encoding="utf-8")
        return step

    def _optimizer_state(self) -> list[tuple[str, dict[str, Tensor], str]]:
        """Map every tensor that an optimiser remembers by its key in the checkpoint."""
        names: dict[Tensor, str] = {parameter: name for name, parameter in self.model.named_parameters()}
        return [
            (f"optimizer.{names[parameter]}.{part}", state, part)
            for optimizer in self.optimizers
            for parameter, state in optimizer.state.items()
            for part in state
        ]


def _optimizers(model: Transformer, recipe: Recipe) -> list[Optimizer]:
    """Choose Muon for the matrices inside the blocks if the recipe wants it, AdamW for everything else."""
    named = dict(model.named_parameters())
    matrices = {
        name: parameter
        for name, parameter in named.items()
        if recipe.matrix_rate and ".blocks." in f".{name}" and parameter.dim() == 2
    }
    decayed = [p for name, p in named.items() if name not in matrices and p.dim() == 2]
    plain = [p for p in named.values() if p.dim() < 2]
    adam = [
        AdamW(group, lr=recipe.rate, betas=(0.9, 0.95), weight_decay=decay, fused=True)
        for group, decay in ((decayed, recipe.weight_decay), (plain, 0.0))
    ]
    if not matrices:
        return [*adam]
    return [*adam, Muon(matrices.items(), lr=recipe.matrix_rate, weight_decay=recipe.weight_decay)]


def _make_state(optimizer: Optimizer) -> None:
    """Have an optimiser create what it remembers, by a step that moves nothing."""
    group = optimizer.param_groups[0]
    rate, group["lr"] = group["lr"], 0.0
    for parameter in group["params"]:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    group["lr"] = rate


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
