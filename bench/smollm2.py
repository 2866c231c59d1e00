"""The real SmolLM2, greedy: tokens a second beside `transformers`' `generate` on the same dense float32 numbers, and
what capturing a pass costs. It has to be pulled first: `transformer-atlas pull smollm2`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.checkpoints.catalog import Catalog, LoadedModel
from app.checkpoints.huggingface import export_config, export_state
from app.runs.recorder import Recorder
from app.settings import Settings
from app.transformer.model import KeyValueCache, Tap, finish, no_tap

from .measure import Timings, interleave

_TOKENS, _NEW_TOKENS, _ROUNDS, _PASSES = 64, 32, 7, 20


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows, or return one that says what is missing."""
    folder = Settings().data / "models" / "smollm2"
    if not folder.is_dir():
        return [("not measured", "SmolLM2 is not here: transformer-atlas pull smollm2")]
    loaded = Catalog(Path(folder, "none"), [folder]).load("smollm2")
    with torch.inference_mode():
        # Capture first: beside a second model in memory everything is slower, and what touches most memory most.
        return [*_capture(loaded), *_generation(loaded)]


def _prompt(loaded: LoadedModel) -> Tensor:
    """Make sixty-four tokens: the model's example, and itself again."""
    ids = [token.id for token in loaded.tokenizer.encode(loaded.entry.default_text)]
    return torch.tensor([(ids * _TOKENS)[:_TOKENS]])


def _generation(loaded: LoadedModel) -> list[tuple[str, str]]:
    prompt, reference = _prompt(loaded), _reference(loaded)
    longest = _TOKENS + _NEW_TOKENS

    def generate() -> Any:
        return reference.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_length=longest, min_length=longest,
            do_sample=False, pad_token_id=0,
        )  # fmt: skip

    written: dict[str, list[int]] = {}
    things: dict[str, Callable[[], object]] = {
        "plain": lambda: written.update(ours=_write(loaded, prompt, no_tap)),
        "captured": lambda: _write(loaded, prompt, Recorder(loaded.model, loaded.graph).tap),
        "transformers": lambda: written.update(theirs=generate()[0].tolist()),
    }
    timings = interleave(things, _ROUNDS, warm_up=1)
    same = sum(a == b for a, b in zip(written["ours"], written["theirs"], strict=True)) - _TOKENS
    return [
        ("tokens written as transformers writes them", f"{same} of {_NEW_TOKENS}"),
        *((f"tokens a second, prompt included, {name}", _speed(timings, name)) for name in things),
        ("our speed / transformers'", timings.ratio("transformers", "plain")),
        ("our speed capturing everything / transformers'", timings.ratio("transformers", "captured")),
    ]


def _speed(timings: Timings, name: str) -> str:
    return f"{_NEW_TOKENS / timings.median(name):.1f}"


def _write(loaded: LoadedModel, prompt: Tensor, tap: Tap) -> list[int]:
    """Return the prompt and the likeliest tokens after it, read one after the other."""
    cache = KeyValueCache(loaded.spec, _TOKENS + _NEW_TOKENS, like=loaded.model.W_E)
    written, fed = prompt[0].tolist(), prompt
    while len(written) < _TOKENS + _NEW_TOKENS:
        logits = finish(loaded.model.stages(fed, tap, cache, last_only=tap is no_tap))
        fed = logits[:, -1:].argmax(-1)
        written.append(int(fed))
    return written


def _reference(loaded: LoadedModel) -> Any:
    """Load the same numbers in `transformers`, with its fastest attention."""
    from transformers import LlamaConfig, LlamaForCausalLM

    maker: Any = LlamaForCausalLM
    model = maker(LlamaConfig(**export_config(loaded.spec, None))).eval()
    model.load_state_dict(export_state(loaded.model, torch.float32), strict=False)
    return model


def _capture(loaded: LoadedModel) -> list[tuple[str, str]]:
    prompt, model, graph = _prompt(loaded), loaded.model, loaded.graph
    timings = interleave(
        {
            "plain": lambda: finish(model.stages(prompt)),
            "captured": lambda: finish(model.stages(prompt, Recorder(model, graph).tap)),
        },
        _PASSES,
    )
    return [
        (f"forward pass, {_TOKENS} tokens", f"{timings.median('plain') * 1e3:.0f} ms"),
        ("everything captured / without", timings.ratio("captured", "plain")),
    ]
