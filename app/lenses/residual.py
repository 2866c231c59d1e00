"""The length of the residual stream at every position, through the layers."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from app.runs.run import Run
from app.transformer.graph import Graph

from .drawing import heat_map, labels_of
from .lens import Lens, Place, View, nullable, rows_of
from .parameters import Parameter
from .parts import axis_tokens, stream

_STACKS = {"": "self", "encoder.": "encoder", "decoder.": "decoder"}


def stacks(graph: Graph) -> dict[str, str]:
    """The stacks of a model by what they are called, each with what its names begin with."""
    there = {f"{tensor.stack}." if tensor.stack else "" for tensor in graph.tensors if tensor.kind == "hook_resid_post"}
    return {word: prefix for prefix, word in _STACKS.items() if prefix in there}


def stack_parameter(run: Run) -> Parameter:
    """Which stack to look at; the one that writes unless said otherwise."""
    choices = list(stacks(run.loaded.graph))
    return Parameter("part", "stack", "choice", choices[-1], choices=choices)


def _parameters(run: Run) -> Sequence[Parameter]:
    return [stack_parameter(run)]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    prefix = stacks(run.loaded.graph)[chosen["part"]]
    stops = stream(run.loaded.spec, run.loaded.graph, prefix)
    count = rows_of(run, stops[-1].name)
    norms = torch.stack([run.recorder.read(stop.name, 0, count).float().norm(dim=-1).cpu() for stop in stops])
    values = nullable(norms.numpy())  # [stop, pos]
    tokens = axis_tokens(run, stops[0].name, "pos")[:count]
    numbers = {
        "lens": "residual_norms",
        "run": run.id,
        "part": chosen["part"],
        "axes": ["stop", "pos"],
        "stops": [{"name": stop.name, "label": stop.label} for stop in stops],
        "tokens": [token.text for token in tokens],
        "norms": values,
    }

    def figure() -> Any:
        return heat_map(
            values, labels_of(tokens), [stop.label for stop in stops], "summary",
            title="length of the residual stream", across="pos", down="after",
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
        "The first position is often many times longer than the rest: it is where idle heads look. One scale for all"
        " then makes the others look alike; the table has the numbers.",
    ),
    _parameters,
)
LENSES = (LENS,)
