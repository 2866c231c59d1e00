"""The length of the residual stream at every position, through the layers."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..runs.run import Run
from ..transformer.graph import Graph
from .drawing import Chart, heat_map, labels_of
from .lens import Lens, Place, View, nullable, rows_of
from .parameters import Parameter
from .parts import Stop, added, axis_tokens, fullest, stream

_STACKS = {"": "self", "encoder.": "encoder", "decoder.": "decoder"}


def stacks(graph: Graph) -> dict[str, str]:
    """Map the stacks of a model, by what they are called, to the prefix of their names."""
    there = {f"{tensor.stack}." if tensor.stack else "" for tensor in graph.tensors if tensor.kind == "hook_resid_post"}
    return {word: prefix for prefix, word in _STACKS.items() if prefix in there}


def stack_parameter(run: Run) -> Parameter:
    """Offer a stack; unasked the one that writes, as soon as it has written."""
    choices = list(stacks(run.loaded.graph))
    return Parameter("part", "stack", "choice", fullest(run, choices), choices=choices)


def _stops(run: Run, prefix: str, of: str) -> list[Stop]:
    """List the vectors that are measured: the stream itself, or what its sub-layers add to it."""
    if of == "what is added":
        return added(run.loaded.graph, prefix, "attention", "cross-attention", "MLP")
    return stream(run.loaded.spec, run.loaded.graph, prefix)


def _parameters(run: Run) -> Sequence[Parameter]:
    return [
        stack_parameter(run),
        Parameter("of", "length of", "choice", "the stream", choices=("the stream", "what is added")),
        Parameter("scale", "colour", "choice", "logarithm", choices=("logarithm", "length")),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    prefix = stacks(run.loaded.graph)[chosen["part"]]
    stops = _stops(run, prefix, chosen["of"])
    count = rows_of(run, stops[-1].name)
    norms = torch.stack([run.recorder.read(stop.name, 0, count).float().norm(dim=-1).cpu() for stop in stops])
    values = nullable(norms.numpy())  # [stop, pos]
    tokens = axis_tokens(run, stops[0].name, "pos")[:count]
    numbers = {
        "lens": "residual_norms",
        "run": run.id,
        "part": chosen["part"],
        "of": chosen["of"],
        "axes": ["stop", "pos"],
        "stops": [{"name": stop.name, "label": stop.label} for stop in stops],
        "tokens": [token.text for token in tokens],
        "norms": values,
    }

    def figure() -> Chart:
        logarithm = chosen["scale"] == "logarithm"
        return heat_map(
            norms.log2().numpy() if logarithm else norms.numpy(), labels_of(tokens), [stop.label for stop in stops],
            "summary", title=f"length of {chosen['of']}", across="pos", down="after",
            unit="log2 of the length" if logarithm else "length",
            notes=[[f"length {norm:.4g}" for norm in row] for row in norms.tolist()] if logarithm else None,
        )  # fmt: skip

    rows: list[list[object]] = []
    places = list[Place | None]()
    for down, stop in enumerate(stops):
        for pos, token in enumerate(tokens):
            rows.append([stop.name, pos, token.text, values[down][pos]])
            places.append((stop.name, (pos, None)))
    return View(numbers, ["after", "pos", "token", "norm"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "residual_norms",
    "Length of the stream",
    "Residual stream",
    _view,
    "The Euclidean length of each position's residual vector, from the embeddings down. Every sub-layer adds to it;"
    " since the next one reads through a norm, only a vector's direction and its length against what is added matter.",
    (
        "A long vector is not a sure one: norms divide the length away before anything reads it.",
        "The first position is often many times longer than the rest: it is where idle heads look. Coloured by the"
        " length itself the others then look alike; the logarithm tells them apart, a step of 1 being twice as long.",
        "What a sub-layer adds may be long and still change little, where it points along the stream or is undone"
        " by the next.",
    ),
    _parameters,
)
LENSES = (LENS,)
