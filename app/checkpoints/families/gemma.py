"""Gemma (Gemma Team 2024): Llama with gains counted from one and embeddings scaled up."""

import math
from collections.abc import Set

from ...transformer.spec import Spec
from ..config import Config
from .family import Family
from .llama import NAMES, SHARED, llama_fields


def spec_of(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `gemma` configuration.

    Its first files say `hidden_act: gelu` and mean the tanh approximation.
    """
    config.demand("use_bidirectional_attention", False)
    biased = config.flag("attention_bias", False)
    fields = llama_fields(Config({"tie_word_embeddings": True, "hidden_act": "gelu_new"} | config.values, config.path))
    return Spec(
        **fields
        | {
            "activation": "gelu_new" if fields["activation"] == "gelu" else fields["activation"],
            "norm_offset": 1.0,
            "embedding_scale": math.sqrt(fields["d_model"]),
            "qkv_bias": biased,
            "attention_bias": biased,
        }
    )


GEMMA = Family("gemma", spec_of, NAMES, **SHARED)
