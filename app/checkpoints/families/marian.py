"""Marian (Junczys-Dowmunt et al. 2018): the translation models of Vaswani et al. 2017, norms after each sub-layer."""

import math
from collections.abc import Set
from typing import Any

from ...transformer.spec import Spec
from ..config import Config
from ..tensors import Source, Transform
from .family import Family, with_biases, with_blocks


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `marian` configuration; its two stacks must have the same widths and one vocabulary."""
    if {name.split(".")[0] for name in stored} & {"encoder", "decoder"} == {"decoder"}:
        raise config.wrong(
            "it is a decoder alone (MarianForCausalLM), half of a translation model",
            "Supported is the whole, with its encoder: MarianMTModel or MarianModel.",
        )
    heads, d_model = config.size("encoder_attention_heads"), config.size("d_model")
    vocabulary = config.size("vocab_size")
    for name, wanted in (
        ("decoder_attention_heads", heads),
        ("decoder_ffn_dim", config.size("encoder_ffn_dim")),
        ("decoder_vocab_size", vocabulary),
        ("share_encoder_decoder_embeddings", True),
        ("tie_word_embeddings", True),
        ("normalize_before", False),
        ("normalize_embedding", False),
        ("add_final_layer_norm", False),
    ):
        config.demand(name, wanted)
    return Spec(
        kind="encoder_decoder",
        encoder_layers=config.size("encoder_layers"),
        layers=config.size("decoder_layers"),
        heads=heads,
        d_model=d_model,
        d_head=config.divided("d_model", "encoder_attention_heads"),
        d_mlp=config.size("encoder_ffn_dim"),
        d_vocab=vocabulary,
        positions=config.size("max_position_embeddings"),
        activation=config.activation("activation_function", "gelu"),
        norm_place="post",
        final_norm=False,
        position_kind="sinusoidal",
        sinusoid_pairs="concatenated",
        embedding_scale=math.sqrt(d_model) if config.flag("scale_embedding", False) else 1.0,
        unembed_bias=True,
    )


def config_of(spec: Spec) -> dict[str, Any]:
    """Write the configuration of a spec."""
    return {
        "architectures": ["MarianMTModel"],
        "is_encoder_decoder": True,
        "encoder_layers": spec.encoder_layers,
        "decoder_layers": spec.layers,
        "encoder_attention_heads": spec.heads,
        "decoder_attention_heads": spec.heads,
        "encoder_ffn_dim": spec.d_mlp,
        "decoder_ffn_dim": spec.d_mlp,
        "d_model": spec.d_model,
        "vocab_size": spec.d_vocab,
        "decoder_vocab_size": spec.d_vocab,
        "max_position_embeddings": spec.positions,
        "activation_function": spec.activation,
        "scale_embedding": spec.embedding_scale != 1,
        "share_encoder_decoder_embeddings": True,
        "tie_word_embeddings": True,
    }


def _attention(ours: str, theirs: str) -> dict[str, str]:
    parts = {"W_Q": "q_proj", "W_K": "k_proj", "W_V": "v_proj", "W_O": "out_proj"}
    return {f"{ours}.{part}": f"{theirs}.{name}.weight" for part, name in parts.items()}


_OWN = _attention("attn", "self_attn") | {
    "ln1.w": "self_attn_layer_norm.weight",
    "mlp.W_in": "fc1.weight",
    "mlp.W_out": "fc2.weight",
}
_CROSS = _attention("cross_attn", "encoder_attn") | {"ln2.w": "encoder_attn_layer_norm.weight"}
_ENCODER = _OWN | {"ln2.w": "final_layer_norm.weight"}
_DECODER = _OWN | _CROSS | {"ln3.w": "final_layer_norm.weight"}
_ROW = Transform(lambda stored, spec: stored.squeeze(0), lambda ours, spec: ours.unsqueeze(0))

MARIAN = Family(
    "marian",
    spec_of,
    with_blocks("encoder.blocks.{i}", "encoder.layers.{i}", with_biases(_ENCODER))
    | with_blocks("decoder.blocks.{i}", "decoder.layers.{i}", with_biases(_DECODER))
    | {"W_E": "shared.weight", "b_U": Source("final_logits_bias", _ROW)},
    prefix="model.",
    # The sinusoids, which follow from their formula.
    ignored=(r"(encoder|decoder)\.embed_positions\.weight",),
    copies={name: "shared.weight" for name in ("lm_head.weight", "encoder.embed_tokens.weight",
                                               "decoder.embed_tokens.weight")},
    config_of=config_of,
)  # fmt: skip
