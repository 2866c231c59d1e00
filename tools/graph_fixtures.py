"""Writes `tests/fixtures/decoder_graph.json`, the graph that the front end's tests lay out.

It is the API's answer for a decoder of two blocks. The tests stretch it to any size and depth, since blocks differ
by their number only; a Python test keeps the file equal to what `build_graph` makes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from app.transformer.blocks import build_graph
from app.transformer.spec import Spec

FIXTURE = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "decoder_graph.json"
SPEC = Spec(layers=2, heads=2, d_model=8, d_head=4, d_mlp=32, d_vocab=11, positions=6)


def fixture_text() -> str:
    """The file's text: a graph in the form of `GET /api/v1/models/{id}/graph`."""
    graph = build_graph(SPEC)
    answer = {
        "tensors": [{**asdict(tensor), "shape": graph.shape(tensor)} for tensor in graph.tensors],
        "ops": [asdict(op) for op in graph.ops],
        "sizes": graph.sizes,
    }
    return json.dumps(answer, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    FIXTURE.write_text(fixture_text())
