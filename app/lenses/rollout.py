"""Attention rollout: patterns of all layers multiplied, with the residual connection mixed in."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from ..runs.run import Run
from .attention import square
from .drawing import Chart, heat_map, labels_of
from .lens import Lens, Place, View, nullable
from .parameters import Parameter
from .parts import attentions, axis_tokens, fullest, layer_parameter


def rollout(patterns: Sequence[torch.Tensor]) -> torch.Tensor:
    """Multiply attention through the blocks (Abnar & Zuidema 2020, section 3): `A = (W + I) / 2` of every
    layer, W the mean of its heads, multiplied from the first layer on; `[query_pos, key_pos]`, rows sum to one."""
    size = patterns[0].shape[-1]
    total = torch.eye(size)
    for pattern in patterns:
        mixed = (pattern.mean(0) + torch.eye(size)) / 2
        total = mixed @ total
    return total


def _parameters(run: Run) -> Sequence[Parameter]:
    parts = {part: modules for part, modules in attentions(run.loaded.graph).items() if part != "cross"}
    layers = layer_parameter(max(map(len, parts.values())))
    return [
        Parameter("part", "attention", "choice", fullest(run, list(parts)), choices=list(parts)),
        Parameter("layer", "up to block", "index", -1, of="layer", size=layers.size),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    modules = attentions(run.loaded.graph)[chosen["part"]][: chosen["layer"] + 1]
    names = [f"{module}.hook_pattern" for module in modules]
    # Layers read one after another may differ in what has come; all are cut to what the first had.
    count = square(run, names[0]).shape[1]
    matrix = rollout([square(run, name)[:, :count, :count] for name in names]).numpy()
    tokens = axis_tokens(run, names[0], "query_pos")[:count]
    numbers = {
        "lens": "rollout",
        "run": run.id,
        "part": chosen["part"],
        "layer": chosen["layer"],
        "axes": ["query_pos", "key_pos"],
        "tokens": [token.text for token in tokens],
        "matrix": matrix,
    }

    def figure() -> Chart:
        labels = labels_of(tokens)
        return heat_map(
            matrix, labels, labels, "probability", unit="share",
            title=f"rollout up to block {chosen['layer']}", across="key_pos", down="query_pos",
        )  # fmt: skip

    def rows() -> Iterator[tuple[Sequence[object], Place]]:
        values = nullable(matrix)
        for query, token in enumerate(tokens):
            for key, other in enumerate(tokens):
                yield [query, token.text, key, other.text, values[query][key]], (names[-1], (None, query, key))

    return View(numbers, ["query_pos", "query_token", "key_pos", "key_token", "rollout"], rows, figure)


LENS = Lens(
    "rollout",
    "Attention rollout",
    "Attention",
    _view,
    "How much of each token's first vector could have reached each position by the block chosen, if every head passed"
    " on whole vectors and the residual stream kept one half: heads averaged, half the identity added, layers"
    " multiplied (Abnar & Zuidema 2020). Rows are the positions reached, columns where it came from; rows sum to one.",
    (
        "It cannot mean influence: values, output matrices, norms and MLPs play no part in it, nor does the sign of"
        " what is passed on.",
        "The half for the residual stream is a convention; the stream's real share differs between layers and tokens.",
        "Averaging heads hides that two heads may pass on opposite things.",
        "In a causal model early tokens gain from every layer, so the first columns darken whatever the text.",
    ),
    _parameters,
)
LENSES = (LENS,)
