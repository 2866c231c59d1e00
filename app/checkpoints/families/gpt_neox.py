"""GPT-NeoX (Black et al. 2022) and Pythia: attention and MLP side by side, each with a norm of its own.

The file keeps each head's query, key and value rows together; ours are all queries, then all keys, then all values.
"""

from collections.abc import Set

from torch import Tensor

from ...transformer.spec import Spec
from ..config import Config
from ..tensors import Source, Transform
from .family import Family, usual_sizes, with_biases, with_blocks
from .rotary import rotary_of


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `gpt_neox` configuration."""
    d_head = config.divided("hidden_size", "num_attention_heads")
    config.demand("head_dim", d_head)  # another width would change the rotary angles alone
    biased = config.flag("attention_bias", True)
    return Spec(
        **usual_sizes(config),
        d_head=d_head,
        activation=config.activation("hidden_act", "gelu"),
        norm_epsilon=config.number("layer_norm_eps", 1e-5),
        position_kind="rotary",
        rotary=rotary_of(config, d_head, share=0.25),
        parallel=config.flag("use_parallel_residual", True),
        qkv_bias=biased,
        attention_bias=biased,
        tied=config.flag("tie_word_embeddings", False),
    )


def _sorted(stored: Tensor, spec: Spec) -> Tensor:
    # [head*3*d_head, ...] -> [head, 3, d_head, ...] -> [3*head*d_head, ...] -> [..., 3*head*d_head]
    rows: Tensor = stored.unflatten(0, (spec.heads, 3, spec.d_head)).transpose(0, 1).flatten(0, 2)
    return rows.t() if rows.dim() == 2 else rows


def _mingled(ours: Tensor, spec: Spec) -> Tensor:
    rows = ours.t() if ours.dim() == 2 else ours
    # [3*head*d_head, ...] -> [3, head, d_head, ...] -> [head*3*d_head, ...]
    mingled: Tensor = rows.unflatten(0, (3, spec.heads, spec.d_head)).transpose(0, 1).flatten(0, 2)
    return mingled


_MINGLED = Transform(_sorted, _mingled)
_BLOCK = {
    "ln1.w": "input_layernorm.weight",
    "ln2.w": "post_attention_layernorm.weight",
    "attn.W_O": "attention.dense.weight",
    "mlp.W_in": "mlp.dense_h_to_4h.weight",
    "mlp.W_out": "mlp.dense_4h_to_h.weight",
}

GPT_NEOX = Family(
    "gpt_neox",
    spec_of,
    with_blocks("blocks.{i}", "layers.{i}", with_biases(_BLOCK))
    | {
        "blocks.{i}.attn.W_QKV": Source("layers.{i}.attention.query_key_value.weight", _MINGLED),
        "blocks.{i}.attn.b_QKV": Source("layers.{i}.attention.query_key_value.bias", _MINGLED),
        "W_E": "embed_in.weight",
        "W_U": "embed_out.weight",
    }
    | with_biases({"ln_final.w": "final_layer_norm.weight"}),
    prefix="gpt_neox.",
    # Old files keep the causal mask and the rotary frequencies.
    ignored=(r"layers\.\d+\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)",),
    # The head is `lm_head` within `transformers` 5, and so in a file of its bare state.
    copies={"lm_head.weight": "embed_out.weight", "embed_out.weight": "embed_in.weight"},
    fused=True,
)
