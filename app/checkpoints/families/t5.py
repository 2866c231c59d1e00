"""T5 (Raffel et al. 2020): relative biases in place of positions, no biases elsewhere, scores not divided.

Version 1.1 gates its MLP and has an unembedding of its own; the first version reuses the embeddings, scaled down.
"""

from collections.abc import Set
from dataclasses import replace

from ...transformer.spec import Relative, Spec
from ..config import Config
from ..tensors import Source
from .family import Family, with_blocks

# Relative positions know no end, and `transformers` reads past the 512 that a T5 was trained on. The memory that the
# biases of all pairs of tokens take bounds it here.
_POSITIONS = 2_048


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `t5` configuration. Newer configurations no longer say whether the head is its own."""
    layers, d_model = config.size("num_layers"), config.size("d_model")
    projection = str(config.get("feed_forward_proj") or "relu")
    named = "gelu_new" if projection == "gated-gelu" else projection.removeprefix("gated-")
    # What a configuration says outright comes before what follows from another of its entries, as in `transformers`.
    gated = config.flag("is_gated_act", projection.startswith("gated-"))
    scaled = config.flag("scale_decoder_outputs", config.flag("tie_word_embeddings", True))
    spec = Spec(
        kind="encoder_decoder",
        encoder_layers=layers,
        layers=config.size("num_decoder_layers", layers),
        heads=config.size("num_heads"),
        d_model=d_model,
        d_head=config.size("d_kv"),
        d_mlp=config.size("d_ff"),
        d_vocab=config.size("vocab_size"),
        positions=max(config.size("n_positions", _POSITIONS), _POSITIONS),
        activation=config.activation("dense_act_fn", named),
        gated=gated,
        norm="rms",
        norm_epsilon=config.number("layer_norm_epsilon", 1e-6),
        position_kind="relative",
        relative=Relative(
            config.size("relative_attention_num_buckets", 32), config.size("relative_attention_max_distance", 128)
        ),
        attention_scale=1.0,
        qkv_bias=False,
        attention_bias=False,
        mlp_bias=False,
        tied=scaled or "lm_head.weight" not in stored,
        unembed_scale=d_model**-0.5 if scaled else 1.0,
    )
    if stored and not any(name.startswith("decoder.") for name in stored):  # a T5EncoderModel
        return replace(spec.body(), kind="encoder", layers=layers, encoder_layers=0, source_positions=0)
    return spec


def _attention(ours: str, theirs: str) -> dict[str, str]:
    return {f"{ours}.W_{letter}": f"{theirs}.{letter.lower()}.weight" for letter in "QKVO"}


def _mlp(place: int, gated: bool) -> dict[str, str]:
    """Name the MLP's weights: a file has one `wi`, or for a gated MLP `wi_0`, the gate, and `wi_1`."""
    layer = f"layer.{place}"
    straight = f"{layer}.DenseReluDense.wi_1.weight" if gated else f"{layer}.DenseReluDense.wi.weight"
    return {
        "mlp.W_gate": f"{layer}.DenseReluDense.wi_0.weight",
        "mlp.W_in": straight,
        "mlp.W_out": f"{layer}.DenseReluDense.wo.weight",
        f"ln{place + 1}.w": f"{layer}.layer_norm.weight",
    }


_OWN = _attention("attn", "layer.0.SelfAttention") | {"ln1.w": "layer.0.layer_norm.weight"}
_CROSS = _attention("cross_attn", "layer.1.EncDecAttention") | {"ln2.w": "layer.1.layer_norm.weight"}


def _names(spec: Spec) -> dict[str, str | Source]:
    names: dict[str, str | Source] = {"W_E": "shared.weight", "W_U": "lm_head.weight"}
    if spec.kind == "encoder":
        names |= with_blocks("blocks.{i}", "encoder.block.{i}", _OWN | _mlp(1, spec.gated))
        names["W_rel"] = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        return names | {"ln_final.w": "encoder.final_layer_norm.weight"}
    for stack, block in (("encoder", _OWN | _mlp(1, spec.gated)), ("decoder", _OWN | _CROSS | _mlp(2, spec.gated))):
        names |= with_blocks(f"{stack}.blocks.{{i}}", f"{stack}.block.{{i}}", block)
        names[f"{stack}.W_rel"] = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        names[f"{stack}.ln_final.w"] = f"{stack}.final_layer_norm.weight"
    return names


T5 = Family(
    "t5",
    spec_of,
    _names,
    other_prefixes=("transformer.",),
    # An old slip of its authors' files: a table for cross-attention, which nothing reads.
    ignored=(r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight",),
    copies={name: "shared.weight" for name in ("lm_head.weight", "encoder.embed_tokens.weight",
                                               "decoder.embed_tokens.weight")},
)  # fmt: skip
