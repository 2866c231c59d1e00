"""Llama (Touvron et al. 2023), and what Mistral, Qwen and Gemma have in common with it."""

from collections.abc import Set
from typing import Any

from ...transformer.spec import Spec
from ..config import Config
from .family import Family, usual_sizes, with_biases, with_blocks
from .rotary import rope_parameters, rotary_of


def llama_fields(config: Config) -> dict[str, Any]:
    """Read the fields of a spec that every relative of Llama reads from a configuration in the same way."""
    heads = config.size("num_attention_heads")
    d_head = config.size("head_dim") if config.get("head_dim") else config.divided("hidden_size", "num_attention_heads")
    return {
        **usual_sizes(config),
        "kv_heads": config.size("num_key_value_heads", heads),
        "d_head": d_head,
        "activation": config.activation("hidden_act", "silu"),
        "gated": True,
        "norm": "rms",
        "norm_epsilon": config.number("rms_norm_eps", 1e-6),
        "position_kind": "rotary",
        "rotary": rotary_of(config, d_head),
        "qkv_bias": False,
        "attention_bias": False,
        "mlp_bias": False,
        "tied": config.flag("tie_word_embeddings", False),
    }  # fmt: skip


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `llama` configuration."""
    biased = config.flag("attention_bias", False)
    config.demand("mlp_bias", False)
    return Spec(**llama_fields(config) | {"qkv_bias": biased, "attention_bias": biased})


def config_of(spec: Spec) -> dict[str, Any]:
    """Write the configuration of a spec."""
    assert spec.rotary is not None
    return {
        "architectures": ["LlamaForCausalLM"],
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "num_key_value_heads": spec.kv_heads,
        "hidden_size": spec.d_model,
        "head_dim": spec.d_head,
        "intermediate_size": spec.d_mlp,
        "vocab_size": spec.d_vocab,
        "max_position_embeddings": spec.positions,
        "hidden_act": spec.activation,
        "rms_norm_eps": spec.norm_epsilon,
        "rope_parameters": rope_parameters(spec.rotary, spec.d_head),
        "attention_bias": spec.qkv_bias,
        "tie_word_embeddings": spec.tied,
    }


_ATTENTION = with_biases({
    "attn.W_Q": "self_attn.q_proj.weight",
    "attn.W_K": "self_attn.k_proj.weight",
    "attn.W_V": "self_attn.v_proj.weight",
    "attn.W_O": "self_attn.o_proj.weight",
})  # fmt: skip
_BLOCK = {
    "ln1.w": "input_layernorm.weight",
    "ln2.w": "post_attention_layernorm.weight",
    "mlp.W_gate": "mlp.gate_proj.weight",
    "mlp.W_in": "mlp.up_proj.weight",
    "mlp.W_out": "mlp.down_proj.weight",
    "attn.q_norm.w": "self_attn.q_norm.weight",
    "attn.k_norm.w": "self_attn.k_norm.weight",
}
NAMES = {
    **with_blocks("blocks.{i}", "layers.{i}", _ATTENTION | _BLOCK),
    "W_E": "embed_tokens.weight",
    "ln_final.w": "norm.weight",
    "W_U": "lm_head.weight",
}
# Old files keep the rotary frequencies, which follow from the configuration.
SHARED: dict[str, Any] = {
    "prefix": "model.",
    "other_prefixes": ("transformer.",),
    "ignored": (r"layers\.\d+\.self_attn\.rotary_emb\.inv_freq", r"rotary_emb\.inv_freq"),
    "copies": {"lm_head.weight": "embed_tokens.weight"},
}

LLAMA = Family("llama", spec_of, NAMES, config_of=config_of, **SHARED)
