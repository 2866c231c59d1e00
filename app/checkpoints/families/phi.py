"""Phi 1 and 2 (Gunasekar et al. 2023): attention and MLP read one norm, side by side, with biases everywhere."""

from collections.abc import Set

from ...transformer.spec import Spec
from ..config import Config
from .family import Family, usual_sizes, with_biases, with_blocks
from .rotary import rotary_of


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `phi` configuration."""
    config.demand("qk_layernorm", False)
    d_head = config.divided("hidden_size", "num_attention_heads")
    return Spec(
        **usual_sizes(config),
        kv_heads=config.size("num_key_value_heads", 0),
        d_head=d_head,
        activation=config.activation("hidden_act", "gelu_new"),
        norm_epsilon=config.number("layer_norm_eps", 1e-5),
        position_kind="rotary",
        rotary=rotary_of(config, d_head, share=0.5),
        parallel=True,
        shared_norm=True,
        tied=config.flag("tie_word_embeddings", False),
        unembed_bias=True,
    )


_BLOCK = {
    "ln1.w": "input_layernorm.weight",
    "attn.W_Q": "self_attn.q_proj.weight",
    "attn.W_K": "self_attn.k_proj.weight",
    "attn.W_V": "self_attn.v_proj.weight",
    "attn.W_O": "self_attn.dense.weight",
    "mlp.W_in": "mlp.fc1.weight",
    "mlp.W_out": "mlp.fc2.weight",
}

PHI = Family(
    "phi",
    spec_of,
    with_blocks("blocks.{i}", "layers.{i}", with_biases(_BLOCK))
    | with_biases({"ln_final.w": "final_layernorm.weight", "W_U": "lm_head.weight"})
    | {"W_E": "embed_tokens.weight"},
    prefix="model.",
    copies={"lm_head.weight": "embed_tokens.weight"},
)
