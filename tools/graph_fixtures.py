"""Writes the graphs that the front end's tests lay out and read: a decoder's, and one of every family.

Each is the API's answer for a model of two blocks. The tests stretch it to any size and depth, since blocks differ
by their number only; a Python test keeps the files equal to what `build_graph` makes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.transformer.blocks import build_graph
from app.transformer.spec import Relative, Rotary, Spec

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "fixtures"
SPEC = Spec(layers=2, heads=2, d_model=8, d_head=4, d_mlp=32, d_vocab=11, positions=6)
_SMALL: dict[str, Any] = {
    "layers": 2,
    "heads": 4,
    "d_model": 8,
    "d_head": 4,
    "d_mlp": 24,
    "d_vocab": 11,
    "positions": 8,
}
_LLAMA: dict[str, Any] = {
    **_SMALL,
    "kv_heads": 2,
    "norm": "rms",
    "position_kind": "rotary",
    "rotary": Rotary(dims=4),
    "qkv_bias": False,
    "attention_bias": False,
    "mlp_bias": False,
    "gated": True,
    "activation": "silu",
}
_NEOX: dict[str, Any] = {
    **_SMALL,
    "parallel": True,
    "position_kind": "rotary",
    "rotary": Rotary(dims=2),
    "activation": "gelu",
    "tied": False,
}
_PAIR: dict[str, Any] = {**_SMALL, "kind": "encoder_decoder", "encoder_layers": 2, "source_positions": 10}
# Between them they use every choice that a Spec offers and that changes which tensors there are.
FAMILIES: dict[str, Spec] = {
    "llama": Spec(**_LLAMA),
    "windowed": Spec(
        **{**_LLAMA, "rotary": Rotary(dims=2, pairs="interleaved")},
        window=3,
        windowed=(1,),
        norm_offset=1.0,
        embedding_scale=2.0,
    ),
    "qwen2": Spec(**{**_LLAMA, "qkv_bias": True, "kv_heads": 1}),
    "qwen3": Spec(**_LLAMA, query_key_norm=True),
    "neox": Spec(**_NEOX),
    "phi": Spec(**_NEOX, shared_norm=True, unembed_bias=True),
    "bert": Spec(
        **_SMALL,
        kind="encoder",
        norm_place="post",
        final_norm=False,
        embedding_norm=True,
        token_types=2,
        head_transform=True,
        unembed_bias=True,
        activation="gelu",
    ),
    "fill": Spec(**_SMALL, kind="encoder"),
    "t5": Spec(
        **_PAIR,
        norm="rms",
        position_kind="relative",
        relative=Relative(buckets=8, max_distance=16),
        qkv_bias=False,
        attention_bias=False,
        mlp_bias=False,
        gated=True,
        tied=False,
    ),
    "marian": Spec(
        **_PAIR,
        norm_place="post",
        final_norm=False,
        position_kind="sinusoidal",
        activation="silu",
        unembed_bias=True,
    ),
}


def _answer(spec: Spec) -> dict[str, Any]:
    """Write a graph in the form of `GET /api/v1/models/{id}/graph`."""
    graph = build_graph(spec)
    return {
        "tensors": [{**asdict(tensor), "shape": graph.shape(tensor)} for tensor in graph.tensors],
        "ops": [asdict(op) for op in graph.ops],
        "sizes": graph.sizes,
    }


def fixture_texts() -> dict[str, str]:
    """Return the text of each file by its name."""
    decoder = json.dumps(_answer(SPEC), separators=(",", ":")) + "\n"
    lines = [f'"{name}":{json.dumps(_answer(spec), separators=(",", ":"))}' for name, spec in FAMILIES.items()]
    return {"decoder_graph.json": decoder, "family_graphs.json": "{\n" + ",\n".join(lines) + "\n}\n"}


if __name__ == "__main__":
    for file, text in fixture_texts().items():
        (FOLDER / file).write_text(text)
