"""What the parity tests share: random models of `transformers` on disk, and comparing them with ours, number by number.

Every number of a reference is random, gains and biases of norms too, so that none can be forgotten.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.checkpoints.catalog import Catalog, LoadedModel
from app.transformer.decoding import Sampling, choose
from app.transformer.model import KeyValueCache, finish
from app.transformer.names import resolve_name, source_name

D_VOCAB, POSITIONS = 61, 24
LENGTHS = [1, 7, POSITIONS]
# What most configurations call the sizes of a small model.
SIZES: dict[str, Any] = {
    "vocab_size": D_VOCAB,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": POSITIONS,
}
HIDDEN: dict[str, Any] = {"output_hidden_states": True, "output_attentions": True}


def randomise(reference: Any, gains_from: float = 1.0, seed: int = 0) -> Any:
    """Set random numbers everywhere but in tables that follow from a formula; norms' gains around `gains_from`."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in _numbers(reference):
            gain = ("norm" in name.lower() or ".ln_" in name) and name.endswith("weight")
            tensor.normal_(gains_from if gain else 0.0, 0.3, generator=generator)
    return reference.eval()


def _numbers(reference: Any) -> Iterator[tuple[str, Tensor]]:
    yield from ((name, tensor) for name, tensor in reference.named_parameters() if "embed_positions" not in name)
    yield from ((name, tensor) for name, tensor in reference.named_buffers() if name == "final_logits_bias")


def saved(folder: Path, make: Callable[[], Any], gains_from: float = 1.0) -> tuple[Any, LoadedModel]:
    """Save a random model of `transformers`, and load ours of what it saved."""
    torch.manual_seed(0)
    reference = randomise(make(), gains_from)
    reference.set_attn_implementation("eager")
    reference.save_pretrained(folder, safe_serialization=True)
    return reference, load(folder)


def load(path: Path, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Load ours, of what lies at a path."""
    catalog = Catalog(path.parent / "none", [path], dtype=dtype)
    return catalog.load(catalog.entries()[0].id)


def close(ours: Tensor, reference: Tensor, what: str = "") -> None:
    """Check that they agree within 1e-4 of the reference's largest number."""
    assert ours.shape == reference.shape, what
    difference = float((ours - reference).detach().abs().max())
    assert difference <= 1e-4 * max(1.0, float(reference.abs().max())), f"{what} differs by {difference}"


def random_tokens(length: int, batch: int = 1, seed: int = 0) -> Tensor:
    """Choose token ids, none of them special in the configurations here."""
    return torch.randint(2, D_VOCAB - 1, (batch, length), generator=torch.Generator().manual_seed(seed))


def record(loaded: LoadedModel, tokens: Tensor, **given: Any) -> dict[str, Tensor]:
    """Record every tensor of one pass, with its batch axis, under the graph's names."""
    seen: dict[str, Tensor] = {}

    def tap(name: str, tensor: Tensor) -> Tensor:
        seen[name] = tensor.clone()
        return tensor

    finish(loaded.model.stages(tokens, tap, **given))
    declared = {tensor.name for tensor in loaded.graph.tensors if tensor.role != "weight"}
    assert seen.keys() <= declared
    return seen


def compare_series(loaded: LoadedModel, seen: dict[str, Tensor], expected: Any, name: str, kept: Any = None) -> None:
    """Compare one of the reference's series, such as `hidden_states`, with ours; `kept` picks rows."""
    for index, tensor in enumerate(getattr(expected, name)):
        ours = seen[source_name(resolve_name(f"{name}[{index}]", loaded.spec), loaded.graph)]
        ours, theirs = (ours, tensor) if kept is None else (kept(ours), kept(tensor))
        close(ours, theirs, f"{name}[{index}]")


def compare(loaded: LoadedModel, reference: Any, tokens: Tensor) -> None:
    """Compare every hidden state, attention and logit of a model of one stack; the fast path's logits too."""
    with torch.no_grad():
        expected = reference(tokens, **HIDDEN)
    seen = record(loaded, tokens)
    compare_series(loaded, seen, expected, "hidden_states")
    compare_series(loaded, seen, expected, "attentions")
    close(seen["logits"], expected.logits, "logits")
    close(loaded.model(tokens), expected.logits, "logits of the fast path")


def write_greedily(loaded: LoadedModel, prompt: Tensor, length: int, source: Tensor | None = None) -> list[int]:
    """Return the prompt and the likeliest tokens after it, `length` in all, read one at a time."""
    cache = KeyValueCache(loaded.spec, length)
    written, fed = prompt[0].tolist(), prompt
    while len(written) < length:
        logits = finish(loaded.model.stages(fed, cache=cache, source=source))
        written.append(choose(logits[0, -1], Sampling(), len(written) - 1).token)
        fed = torch.tensor([written[-1:]])
    return written
