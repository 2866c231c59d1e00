"""The `sort` model: reads six letters A to C and writes them in order.

The task and the size are minGPT's demo (Karpathy 2022). There are only 729 inputs, so whether it has learned to
sort is not a matter of opinion: a quarter of them is never shown in training, and all of them are tested.
"""

import itertools
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from ..transformer.model import Transformer
from ..transformer.spec import Spec
from .trainer import IGNORED, Batch, Recipe, Trainer

LETTERS = "ABC"
LENGTH = 6
SPEC = Spec(layers=3, heads=3, d_model=48, d_head=16, d_mlp=192, d_vocab=3, positions=2 * LENGTH - 1)
_BATCH = 64


def all_inputs() -> Tensor:
    """List every input there is, `[729, 6]`."""
    return torch.tensor(list(itertools.product(range(len(LETTERS)), repeat=LENGTH)))


def training_inputs(seed: int) -> Tensor:
    """List the three quarters of the inputs that training sees."""
    inputs = all_inputs()
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))
    return inputs[order[: len(inputs) * 3 // 4]]


@torch.no_grad()
def sort_letters(model: Transformer, inputs: Tensor) -> Tensor:
    """Write letters after each input, one after the other: `[batch, 6]` to `[batch, 6]`."""
    tokens = inputs
    for _ in range(LENGTH):
        tokens = torch.cat([tokens, model(tokens)[:, -1].argmax(-1, keepdim=True)], dim=1)
    return tokens[:, LENGTH:]


def exact_share(model: Transformer, inputs: Tensor) -> float:
    """Measure the share of inputs that come out sorted, every letter right."""
    return float((sort_letters(model, inputs) == inputs.sort(-1).values).all(-1).float().mean())


def recipe(steps: int, seed: int) -> Recipe:
    """Describe how the bundled model is trained. Smoothed labels keep its probabilities from saturating at 1."""
    batch_tokens = _BATCH * SPEC.positions
    return Recipe(
        tokens=steps * batch_tokens,
        batch_tokens=batch_tokens,
        rate=1e-3,
        warm_up=50 * batch_tokens,
        label_smoothing=0.02,
        checkpoint_every=100 * batch_tokens,
        seed=seed,
    )


def make_tokenizer() -> Tokenizer:
    """Make one token a letter."""
    tokenizer = Tokenizer(models.WordLevel({letter: index for index, letter in enumerate(LETTERS)}))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return tokenizer


def train_sort(out: Path, steps: int = 600, seed: int = 0, resume: bool = False) -> Transformer:
    """Train; `out` gets the log, the tokenizer and the checkpoint."""
    seen = training_inputs(seed)
    everything = all_inputs()

    def batch(step: int) -> Batch:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        inputs = seen[torch.randint(len(seen), (_BATCH,), generator=generator)]
        whole = torch.cat([inputs, inputs.sort(-1).values], dim=1)
        predicted = whole[:, 1:].clone()
        predicted[:, : LENGTH - 1] = IGNORED
        return Batch(whole[:, :-1], predicted)

    def evaluate(model: Transformer) -> dict[str, float]:
        return {"exact": exact_share(model, everything)}

    out.mkdir(parents=True, exist_ok=True)
    make_tokenizer().save(str(out / "tokenizer.json"))
    return Trainer(SPEC, recipe(steps, seed), batch, evaluate, out).run(resume)
