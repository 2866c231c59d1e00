"""GPT-2 (Radford et al. 2019). Its matrices are [in, out] in the file already, queries, keys and values in one."""

from collections.abc import Set
from typing import Any

from ...transformer.spec import Spec
from ..config import Config
from ..tensors import Source
from .family import Family, with_biases, with_blocks


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `gpt2` configuration."""
    config.demand("add_cross_attention", False)
    # `reorder_and_upcast_attn` multiplies in another order and in float32: the same numbers in exact arithmetic.
    config.flag("reorder_and_upcast_attn", False)
    d_model = config.size("n_embd")
    return Spec(
        layers=config.size("n_layer"),
        heads=config.size("n_head"),
        d_model=d_model,
        d_head=config.divided("n_embd", "n_head"),
        d_mlp=config.size("n_inner", 4 * d_model),
        d_vocab=config.size("vocab_size"),
        positions=config.size("n_positions"),
        activation=config.activation("activation_function", "gelu_new"),
        norm_epsilon=config.number("layer_norm_epsilon", 1e-5),
        attention_scale=None if config.flag("scale_attn_weights", True) else 1.0,
        scale_by_layer=config.flag("scale_attn_by_inverse_layer_idx", False),
        tied=config.flag("tie_word_embeddings", True),
    )


def config_of(spec: Spec) -> dict[str, Any]:
    """Write the configuration of a spec."""
    return {
        "architectures": ["GPT2LMHeadModel"],
        "n_layer": spec.layers,
        "n_head": spec.heads,
        "n_embd": spec.d_model,
        "n_inner": spec.d_mlp,
        "n_positions": spec.positions,
        "vocab_size": spec.d_vocab,
        "activation_function": spec.activation,
        "layer_norm_epsilon": spec.norm_epsilon,
        "tie_word_embeddings": spec.tied,
        **({} if spec.attention_scale is None else {"scale_attn_weights": False}),
        **({"scale_attn_by_inverse_layer_idx": True} if spec.scale_by_layer else {}),
    }


_BLOCK = {
    "ln1.w": "ln_1.weight",
    "attn.W_QKV": "attn.c_attn.weight",
    "attn.W_O": "attn.c_proj.weight",
    "ln2.w": "ln_2.weight",
    "mlp.W_in": "mlp.c_fc.weight",
    "mlp.W_out": "mlp.c_proj.weight",
}
_TABLES = {"W_E": "wte.weight", "W_pos": "wpe.weight"} | with_biases({"ln_final.w": "ln_f.weight"})

GPT2 = Family(
    "gpt2",
    spec_of,
    {name: Source(stored) for name, stored in with_blocks("blocks.{i}", "h.{i}", with_biases(_BLOCK)).items()
     if isinstance(stored, str)} | _TABLES | {"W_U": "lm_head.weight"},
    prefix="transformer.",
    # Buffers of old files: the causal mask.
    ignored=(r"h\.\d+\.attn\.(bias|masked_bias)",),
    copies={"lm_head.weight": "wte.weight"},
    fused=True,
    config_of=config_of,
)  # fmt: skip
