"""The board: every head of every layer as a small map, with the measures to sort them by."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ..runs.run import Run
from .attention import square
from .drawing import Chart, heat_map
from .lens import Lens, Place, View, nullable
from .looks import Looks
from .measures import in_text, mean_square_pool, table
from .parameters import Parameter, within
from .parts import attentions

_SIZE = 24
_ALL = "all"


def _parameters(run: Run) -> Sequence[Parameter]:
    parts = attentions(run.loaded.graph)
    names, layers = list(parts), max(map(len, parts.values()))
    return [
        Parameter("part", "attention", "choice", names[-1], choices=names),
        Parameter("layer", "block", "choice", _ALL, choices=(_ALL, *map(str, range(layers)))),
        Parameter("size", "cells of a small map", "count", _SIZE, least=4, most=32),
    ]


def middles(count: int, cells: int) -> list[float]:
    """Place the middles of `count` small maps of so many cells, with a gap of a cell after each."""
    return [(cells + 1) * at + (cells - 1) / 2 for at in range(count)]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    modules = attentions(run.loaded.graph)[chosen["part"]]
    first = 0 if chosen["layer"] == _ALL else within("layer", int(chosen["layer"]), len(modules))
    modules = modules if chosen["layer"] == _ALL else [modules[first]]
    maps, measured = [], list[dict[str, list[Any]]]()
    crossed = chosen["part"] == "cross"
    looks = Looks(run, modules[0], chosen["part"])
    for module in modules:
        pattern = square(run, f"{module}.hook_pattern")
        looks.add(pattern)
        maps.append(mean_square_pool(pattern, chosen["size"]))
        found = in_text(pattern)
        # Along two texts there is no distance, nor a token before.
        kept = ("entropy", "first") if crossed else tuple(found)
        measured.append({name: nullable(found[name].numpy()) for name in kept if name in found})
    drawn = np.round(torch.stack(maps).numpy(), 4)  # [layer, head, query, key]
    names = list(measured[0])
    numbers = {
        "lens": "attention_board",
        "run": run.id,
        "part": chosen["part"],
        "modules": modules,
        "layers": list(range(first, first + len(modules))),
        "axes": ["layer", "head", "query_pos", "key_pos"],
        "pooling": "root of the mean square",
        "size": list(drawn.shape[2:]),
        "measures": {name: [layer[name] for layer in measured] for name in names},
        # What each head's query looks at more than is usual: how the page finds a head that does something.
        "looks": looks.told(),
        "maps": drawn,
    }

    rows: list[list[object]] = []
    places = list[Place | None]()
    for layer, module in enumerate(modules):
        for head in range(run.loaded.spec.heads):
            rows.append([first + layer, head, *(measured[layer][name][head] for name in names)])
            places.append((f"{module}.hook_pattern", (head, None, None)))
    return View(
        numbers,
        table(names),
        lambda: zip(rows, places, strict=True),
        lambda: _figure(drawn, chosen["part"], numbers["layers"]),
    )


def _figure(drawn: np.ndarray, part: str, blocks: list[int]) -> Chart:
    """Draw small maps [layer, head, query, key] on one sheet, a gap of a cell between them."""
    layers, heads, high, wide = drawn.shape
    sheet = np.full((layers * (high + 1), heads * (wide + 1)), np.nan, np.float32)
    for layer in range(layers):
        for head in range(heads):
            top, left = layer * (high + 1), head * (wide + 1)
            sheet[top : top + high, left : left + wide] = drawn[layer, head]
    chart = heat_map(
        sheet, [""] * sheet.shape[1], [""] * sheet.shape[0], "probability", unit="share",
        title=f"{part} attention, every head", across="head", down="block", bounds=(0, 1),
        # A small map and the gap beside it are one row of the table.
        meta={"stride": [heads, 1], "block": [high + 1, wide + 1], "rows": None, "columns": None},
    )  # fmt: skip
    named = {"showgrid": False, "zeroline": False, "tickmode": "array"}
    layout = chart["layout"]
    layout["xaxis"] |= {**named, "tickvals": middles(heads, wide), "ticktext": [f"{head}" for head in range(heads)]}
    layout["yaxis"] |= {
        **named,
        "tickvals": middles(layers, high),
        "ticktext": [f"{at}" for at in blocks],
    }
    del chart["data"][0]["hovertemplate"]
    chart["data"][0]["hoverinfo"] = "skip"
    return chart


LENS = Lens(
    "attention_board",
    "Attention of every head",
    "Attention",
    _view,
    "Every head of every block as a small map: queries downward, keys to the right, as in one head's matrix. Where"
    " the text is longer than a small map has cells, cells are pooled by the root of their mean square, so that a"
    " thin diagonal stays to be seen. Sort by a measure to bring heads of a kind together.",
    (
        "Colours of pooled maps compare places within a map; a number to quote is in the head's own matrix.",
        "A measure describes this text. A head that looks at the token before it here may do something else elsewhere.",
    ),
    _parameters,
)
LENSES = (LENS,)
