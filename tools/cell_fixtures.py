"""Writes `tests/fixtures/cells.json`: which cells some cells of every family read and feed, and why some are hidden.

The answers are `app/transformer/cells.py`'s, for the graphs in `tests/fixtures/family_graphs.json`. The page answers
the same questions in TypeScript (`frontend/src/graph/cells.ts`); its tests must come to the same. A Python test keeps
the file equal to what `cells.py` says.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

from app.transformer.blocks import build_graph
from app.transformer.cells import CellBox, Reading, cells_fed, cells_read
from app.transformer.graph import Graph, Op
from app.transformer.wording import why_masked
from tools.graph_fixtures import FAMILIES, FOLDER

FIXTURE = FOLDER / "cells.json"
TOKENS, SOURCE = [3, 1, 3, 0, 2, 3], [5, 5, 1, 4]
_CELLS_OF_EACH = 2


def fixture_text() -> str:
    """Return the file's text: a family a line."""
    lines = [f'"{name}":{json.dumps(_family(name), separators=(",", ":"))}' for name in FAMILIES]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _family(name: str) -> dict[str, Any]:
    graph, chance = build_graph(FAMILIES[name]), random.Random(name)
    source = SOURCE if FAMILIES[name].kind == "encoder_decoder" else []
    reading = Reading(len(TOKENS), len(source), {"tokens": TOKENS, "source_tokens": source})
    names = list(dict.fromkeys(name for op in _distinct(graph) for name in _named(graph, op)))
    cases = [_case(graph, name, reading, chance) for name in names for _ in range(_CELLS_OF_EACH)]
    return {"tokens": TOKENS, "source_tokens": source, "cells": cases}


def _distinct(graph: Graph) -> list[Op]:
    """Choose the last of every kind of operation that reads its cells in its own way."""
    found = {}
    for op in graph.ops:
        output = graph.tensor(op.output)
        found[(op.kind, output.axes, output.source_axes, str([(r.index, r.where) for r in op.reads]))] = op
    return list(found.values())


def _named(graph: Graph, op: Op) -> list[str]:
    """Name what an operation makes and reads, and the other names of that."""
    own = [op.output, *(read.tensor for read in op.reads)]
    return own + [tensor.name for tensor in graph.tensors if tensor.same_as in own]


def _case(graph: Graph, name: str, reading: Reading, chance: random.Random) -> dict[str, Any]:
    tensor = graph.tensor(name)
    index = [chance.randrange(size) for size in reading.shape(graph, tensor)]
    return {
        "tensor": name,
        "index": index,
        "reads": _boxes(cells_read(graph, name, index, reading)),
        "feeds": _boxes(cells_fed(graph, name, index, reading)),
        "hidden": why_masked(graph, name, dict(zip(tensor.axes, index, strict=True))) is not None,
    }


def _boxes(found: Sequence[CellBox]) -> list[list[Any]]:
    """Write each box as `[tensor, part, start, stop]`, in the order of these."""
    return sorted(
        [box.tensor, box.part, [part.start for part in box.box], [part.stop for part in box.box]] for box in found
    )


if __name__ == "__main__":
    FIXTURE.write_text(fixture_text())
