"""How GGUF files call the tensors of each architecture, and in which order they keep the rows of a head.

llama.cpp's `llama` files keep each head's query and key rows in another order, in which rotary pairs are neighbours.
They are put back here, so that the same model has the same numbers from either kind of file.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from ..transformer.spec import Spec
from .families.family import Names, with_biases, with_blocks
from .tensors import Source, Transform


def _unpermuted(heads_of: Callable[[Spec], int]) -> Transform:
    """Turn llama.cpp's order of a head's rows, (0, d/2, 1, d/2 + 1, …), into ours, (0, 1, …)."""

    def read(stored: Tensor, spec: Spec) -> Tensor:
        # [head*d_head, ...] -> [head, d_head/2, 2, ...] -> [head, 2, d_head/2, ...] -> [head*d_head, ...]
        rows: Tensor = stored.unflatten(0, (heads_of(spec), spec.d_head // 2, 2)).transpose(1, 2).flatten(0, 2)
        return rows.t()

    def write(ours: Tensor, spec: Spec) -> Tensor:
        # the same, backwards
        rows: Tensor = ours.t().unflatten(0, (heads_of(spec), 2, spec.d_head // 2)).transpose(1, 2).flatten(0, 2)
        return rows

    return Transform(read, write)


_ATTENTION = {
    "ln1.w": "attn_norm.weight",
    "attn.W_O": "attn_output.weight",
    "ln2.w": "ffn_norm.weight",
    "mlp.W_in": "ffn_up.weight",
    "mlp.W_out": "ffn_down.weight",
}
_SEPARATE = _ATTENTION | {f"attn.W_{letter}": f"attn_{letter.lower()}.weight" for letter in "QKV"}
_FUSED = _ATTENTION | {"attn.W_QKV": "attn_qkv.weight"}
_PLAIN_BLOCK = {
    "mlp.W_gate": "ffn_gate.weight",
    "attn.q_norm.w": "attn_q_norm.weight",
    "attn.k_norm.w": "attn_k_norm.weight",
}
_OUTER: Mapping[str, str | Source] = {
    **with_biases({"ln_final.w": "output_norm.weight"}),
    "W_E": "token_embd.weight",
    "W_pos": "position_embd.weight",
    "W_U": "output.weight",
}
HALVES: Names = {**with_blocks("blocks.{i}", "blk.{i}", with_biases(_SEPARATE) | _PLAIN_BLOCK), **_OUTER}
_QUERY, _KEY = _unpermuted(lambda spec: spec.heads), _unpermuted(lambda spec: spec.kv_heads)
NEIGHBOURS: Names = dict(HALVES) | {
    f"blocks.{{i}}.attn.{ours}": Source(f"blk.{{i}}.attn_{letter}.{leaf}", transform)
    for letter, transform in (("q", _QUERY), ("k", _KEY))
    for ours, leaf in ((f"W_{letter.upper()}", "weight"), (f"b_{letter.upper()}", "bias"))
}
FUSED: Names = {**with_blocks("blocks.{i}", "blk.{i}", with_biases(_FUSED)), **_OUTER}
