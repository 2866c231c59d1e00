"""Qwen 2 (Yang et al. 2024): Llama with biases on queries, keys and values. Qwen 3 norms each head's instead."""

from collections.abc import Set
from typing import Any

from ...transformer.spec import Spec
from ..config import Config
from .family import Family
from .llama import NAMES, SHARED, llama_fields


def qwen2_spec(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `qwen2` configuration."""
    return Spec(**llama_fields(config) | _windows(config) | {"qkv_bias": True})


def qwen3_spec(config: Config, stored: Set[str]) -> Spec:
    """Read the spec of a `qwen3` configuration."""
    biased = config.flag("attention_bias", False)
    fields = llama_fields(config) | {"qkv_bias": biased, "attention_bias": biased, "query_key_norm": True}
    return Spec(**fields | _windows(config))


def _windows(config: Config) -> dict[str, Any]:
    """List the layers with a sliding window: those listed, or in older configurations those from a layer on."""
    layers, window = config.size("num_hidden_layers"), config.size("sliding_window", 0)
    if not config.flag("use_sliding_window", False) or not 0 < window < config.size("max_position_embeddings"):
        return {}
    kinds = config.get("layer_types")
    if kinds is None:
        first = config.size("max_window_layers", layers)
        kinds = ["sliding_attention" if layer >= first else "full_attention" for layer in range(min(layers, 1_000))]
    if not isinstance(kinds, list) or len(kinds) != layers or set(kinds) - {"sliding_attention", "full_attention"}:
        raise config.wrong("layer_types is no list of sliding_attention and full_attention, one for each layer")
    windowed = tuple(layer for layer, kind in enumerate(kinds) if kind == "sliding_attention")
    return {"window": window, "windowed": windowed} if windowed else {}


QWEN2 = Family("qwen2", qwen2_spec, NAMES, **SHARED)
QWEN3 = Family("qwen3", qwen3_spec, NAMES, **SHARED)
