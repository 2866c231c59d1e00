"""BERT (Devlin et al. 2018), RoBERTa (Liu et al. 2019) and DistilBERT (Sanh et al. 2019), with their language heads.

All three norm after each sub-layer and after the embeddings. RoBERTa counts positions from two, so the first two
rows of its table are never used and are left out here.
"""

from collections.abc import Set
from dataclasses import replace
from typing import Any

from torch.nn import functional as F

from ...transformer.spec import Spec
from ..config import Config
from ..tensors import Source, Transform
from .family import Family, usual_sizes, with_biases, with_blocks

_UNUSED_ROWS = 2
# What the three have in common.
_ENCODER: dict[str, Any] = {
    "kind": "encoder",
    "norm_place": "post",
    "final_norm": False,
    "embedding_norm": True,
    "head_transform": True,
    "unembed_bias": True,
}


def bert_spec(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `bert` configuration."""
    return _spec(config, config.size("max_position_embeddings"))


def roberta_spec(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `roberta` configuration, whose head has the exact gelu whatever the blocks have."""
    config.demand("hidden_act", "gelu")
    config.demand("pad_token_id", _UNUSED_ROWS - 1)
    return _spec(config, config.size("max_position_embeddings") - _UNUSED_ROWS)


def _spec(config: Config, positions: int) -> Spec:
    for name, wanted in (
        ("is_decoder", False),
        ("add_cross_attention", False),
        ("position_embedding_type", "absolute"),
        ("tie_word_embeddings", True),
    ):
        config.demand(name, wanted)
    return Spec(
        **usual_sizes(config) | _ENCODER | {"positions": positions},
        d_head=config.divided("hidden_size", "num_attention_heads"),
        activation=config.activation("hidden_act", "gelu"),
        norm_epsilon=config.number("layer_norm_eps", 1e-12),
        token_types=config.size("type_vocab_size", 2),
    )


def distilbert_spec(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `distilbert` configuration; its file has the position table, learned or sinusoidal."""
    config.demand("tie_word_embeddings", True)
    return Spec(
        **_ENCODER,
        layers=config.size("n_layers"),
        heads=config.size("n_heads"),
        d_model=config.size("dim"),
        d_head=config.divided("dim", "n_heads"),
        d_mlp=config.size("hidden_dim"),
        d_vocab=config.size("vocab_size"),
        positions=config.size("max_position_embeddings"),
        activation=config.activation("activation", "gelu"),
        norm_epsilon=1e-12,
    )


def config_of(spec: Spec) -> dict[str, Any]:
    """Write the `bert` configuration of a spec."""
    return {
        "architectures": ["BertForMaskedLM"],
        "num_hidden_layers": spec.layers,
        "num_attention_heads": spec.heads,
        "hidden_size": spec.d_model,
        "intermediate_size": spec.d_mlp,
        "vocab_size": spec.d_vocab,
        "max_position_embeddings": spec.positions,
        "type_vocab_size": spec.token_types,
        "hidden_act": spec.activation,
        "layer_norm_eps": spec.norm_epsilon,
    }


_BLOCK = {
    "attn.W_Q": "attention.self.query.weight",
    "attn.W_K": "attention.self.key.weight",
    "attn.W_V": "attention.self.value.weight",
    "attn.W_O": "attention.output.dense.weight",
    "ln1.w": "attention.output.LayerNorm.weight",
    "mlp.W_in": "intermediate.dense.weight",
    "mlp.W_out": "output.dense.weight",
    "ln2.w": "output.LayerNorm.weight",
}
_BODY = {
    **with_blocks("blocks.{i}", "encoder.layer.{i}", with_biases(_BLOCK)),
    **with_biases({"ln_embed.w": "embeddings.LayerNorm.weight"}),
    "W_E": "embeddings.word_embeddings.weight",
    "W_pos": "embeddings.position_embeddings.weight",
    "W_token_type": "embeddings.token_type_embeddings.weight",
}
_BUFFERS = (r"embeddings\.(position_ids|token_type_ids)",)

BERT = Family(
    "bert",
    bert_spec,
    _BODY
    | with_biases({
        "mlm_head.W": "cls.predictions.transform.dense.weight",
        "mlm_head.ln.w": "cls.predictions.transform.LayerNorm.weight",
    })
    | {"b_U": "cls.predictions.bias"},
    prefix="bert.",
    ignored=_BUFFERS,
    copies={
        "cls.predictions.decoder.weight": "embeddings.word_embeddings.weight",
        "cls.predictions.decoder.bias": "cls.predictions.bias",
    },
    config_of=config_of,
)  # fmt: skip

_FROM_TWO = Transform(
    lambda stored, spec: stored[_UNUSED_ROWS:], lambda ours, spec: F.pad(ours, (0, 0, _UNUSED_ROWS, 0))
)
ROBERTA = Family(
    "roberta",
    roberta_spec,
    _BODY
    | with_biases({"mlm_head.W": "lm_head.dense.weight", "mlm_head.ln.w": "lm_head.layer_norm.weight"})
    | {
        "W_pos": Source("embeddings.position_embeddings.weight", _FROM_TWO),
        "b_U": "lm_head.bias",
    },
    prefix="roberta.",
    ignored=_BUFFERS,
    uncounted_id=_UNUSED_ROWS - 1,
    copies={"lm_head.decoder.weight": "embeddings.word_embeddings.weight", "lm_head.decoder.bias": "lm_head.bias"},
)

# The same tensors and code under other names, for other languages.
XLM_ROBERTA = replace(ROBERTA, model_type="xlm-roberta")
CAMEMBERT = replace(ROBERTA, model_type="camembert")

_DISTILLED_BLOCK = {
    "attn.W_Q": "attention.q_lin.weight",
    "attn.W_K": "attention.k_lin.weight",
    "attn.W_V": "attention.v_lin.weight",
    "attn.W_O": "attention.out_lin.weight",
    "ln1.w": "sa_layer_norm.weight",
    "mlp.W_in": "ffn.lin1.weight",
    "mlp.W_out": "ffn.lin2.weight",
    "ln2.w": "output_layer_norm.weight",
}
DISTILBERT = Family(
    "distilbert",
    distilbert_spec,
    with_blocks("blocks.{i}", "transformer.layer.{i}", with_biases(_DISTILLED_BLOCK))
    | with_biases({
        "ln_embed.w": "embeddings.LayerNorm.weight",
        "mlm_head.W": "vocab_transform.weight",
        "mlm_head.ln.w": "vocab_layer_norm.weight",
    })
    | {
        "W_E": "embeddings.word_embeddings.weight",
        "W_pos": "embeddings.position_embeddings.weight",
        "b_U": "vocab_projector.bias",
    },
    prefix="distilbert.",
    ignored=_BUFFERS,
    copies={"vocab_projector.weight": "embeddings.word_embeddings.weight"},
)  # fmt: skip
