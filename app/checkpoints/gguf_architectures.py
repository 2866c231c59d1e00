"""llama.cpp's architectures: what the metadata of a GGUF file say about the model, and what they may not say.

spec = ARCHITECTURES["llama"].spec_of(file)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..transformer.positions import rotary_frequencies
from ..transformer.spec import Kind, Rotary, Spec
from .config import Config
from .errors import CheckpointError, shown
from .families.family import Names
from .gguf_header import Header
from .gguf_names import FUSED, HALVES, NEIGHBOURS

# Llama 3's frequencies are stretched by a table in the file; these are the constants that every Llama 3 was made with.
_LLAMA3_CONTEXT, LLAMA3_TABLE = 8192, "rope_freqs.weight"
RANK = 4  # the pooling of models that rank


class Contents(Protocol):
    """A GGUF file, as far as its spec depends on it."""

    path: Path
    header: Header
    config: Config

    def has(self, name: str) -> bool:
        """Tell whether the file holds a tensor of this name."""

    def read(self, name: str) -> Tensor:
        """Read a tensor as floating point numbers."""


@dataclass(frozen=True)
class Architecture:
    """How one of llama.cpp's architectures becomes a spec, and its tensors' names."""

    spec_of: Callable[[Contents], Spec]
    names: Names
    fused: bool = False


def _sizes(file: Contents) -> dict[str, Any]:
    config, embedding = file.config, file.header.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise CheckpointError(f"{file.path} has no token_embd.weight", "A language model is needed.")
    if config.get("expert_count"):
        raise config.wrong("it has a mixture of experts", "Only dense models are supported.")
    _refuse_unknown(config)
    heads = config.size("attention.head_count")
    return {
        "layers": config.size("block_count"),
        "heads": heads,
        "kv_heads": config.size("attention.head_count_kv", heads),
        "d_model": config.size("embedding_length"),
        "d_head": config.size("attention.key_length", None)
        if config.get("attention.key_length")
        else config.divided("embedding_length", "attention.head_count"),
        "d_mlp": config.size("feed_forward_length"),
        "d_vocab": embedding.shape[0],
        "positions": config.size("context_length"),
        "tied": not file.has("output.weight"),
        "qkv_bias": file.has("blk.0.attn_q.bias"),
        "attention_bias": file.has("blk.0.attn_output.bias"),
    }


# Keys under `attention.` and `rope.` that are read, and those that llama.cpp's loaders of these architectures pass over
# (its YaRN takes their defaults).
_KNOWN = {
    "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
    "attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.causal",
    "rope.dimension_count", "rope.freq_base", "rope.scaling.type", "rope.scaling.factor", "rope.scale_linear",
    "rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.finetuned",
    "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow", "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier",
}  # fmt: skip
# Keys elsewhere that change the numbers of architectures that have them.
_CHANGING = {
    "logit_scale", "residual_scale", "embedding_scale", "attn_logit_softcapping", "final_logit_softcapping",
    "pooling_type", "nextn_predict_layers", "use_parallel_residual",
}  # fmt: skip


def _refuse_unknown(config: Config) -> None:
    """Refuse by name a key that changes what is computed and is not read here, unless its value says "none of it"."""
    for name, value in config.values.items():
        changes = name.startswith(("attention.", "rope.")) and name not in _KNOWN
        if not (changes or name in _CHANGING) or value in (0, False, "none", ""):
            continue
        if name.endswith("scale") and value == 1:
            continue
        if name == "pooling_type" and value in (1, 2, 3, RANK):
            continue  # what an embedding model does with its last hidden states, which are shown themselves
        if name == "attention.sliding_window" and isinstance(value, int) and value >= config.size("context_length"):
            continue
        raise config.wrong(f"{name} is {value!r}, which is not supported", "Supported are files without it.")
    width = config.get("attention.key_length")
    if width is not None and config.get("attention.value_length") not in (None, width):
        raise config.wrong("its values are not as wide as its keys", "Supported are equal widths.")


def _llama(file: Contents) -> Spec:
    sizes = _sizes(file)
    return Spec(
        **sizes,
        kind="decoder" if file.config.flag("attention.causal", True) else "encoder",
        activation="silu",
        gated=True,
        norm="rms",
        norm_epsilon=file.config.number("attention.layer_norm_rms_epsilon", 1e-6),
        position_kind="rotary",
        rotary=_rotary(file, sizes["d_head"]),
        mlp_bias=False,
        query_key_norm=file.has("blk.0.attn_q_norm.weight"),
    )


def _gpt2(file: Contents) -> Spec:
    sizes = _sizes(file) | {"qkv_bias": True, "attention_bias": True}
    kind: Kind = "decoder" if file.config.flag("attention.causal", True) else "encoder"
    return Spec(**sizes, kind=kind, norm_epsilon=file.config.number("attention.layer_norm_epsilon", 1e-5))


def _rotary(file: Contents, d_head: int) -> Rotary:
    config = file.config
    dims, base = config.size("rope.dimension_count", d_head), config.number("rope.freq_base", 10_000.0)
    if dims != d_head:
        raise config.wrong(f"{dims} of {d_head} dimensions turn", "Supported is that all of a head's do.")
    # As llama.cpp's loader reads them: the factor under its old name too, where 0 is none, and without a type it is
    # linear. `attn_factor` multiplies cosine and sine whatever the type is.
    factor = config.number("rope.scaling.factor", config.number("rope.scale_linear", 0.0)) or 1.0
    attention = config.number("rope.scaling.attn_factor", 1.0)
    kind = config.get("rope.scaling.type") or "linear"
    if kind not in ("none", "linear", "yarn"):
        raise config.wrong(
            f"rope.scaling.type is {shown(kind)}", "Supported are none, linear, yarn, and Llama 3's table."
        )
    if factor < 0:
        raise config.wrong(f"rope.scaling.factor is {factor}", "A positive factor is needed.")
    factor = 1.0 if kind == "none" else factor
    if file.has(LLAMA3_TABLE):
        if factor != 1:
            raise config.wrong(f"rope.scaling.factor is {factor} beside {LLAMA3_TABLE}", "Supported is one of the two.")
        return _llama3(file, Rotary(dims, base, attention_factor=attention))
    if factor == 1:
        return Rotary(dims, base, attention_factor=attention)
    if kind == "linear":
        return Rotary(dims, base, scaling="linear", factor=factor, attention_factor=attention)
    original = config.size("rope.scaling.original_context_length", config.size("context_length"))
    attention *= 0.1 * math.log(factor) + 1 if factor > 1 else 1.0
    return Rotary(dims, base, scaling="yarn", factor=factor, original=original, attention_factor=attention)


def _llama3(file: Contents, plain: Rotary) -> Rotary:
    """Find the constants behind Llama 3's table of factors; refuse another table."""
    table = file.read(LLAMA3_TABLE).double()
    found = replace(plain, scaling="llama3", factor=float(table.max()), original=_LLAMA3_CONTEXT)
    expected = rotary_frequencies(plain) / rotary_frequencies(found)
    if table.shape != expected.shape or not torch.allclose(table, expected, rtol=1e-3):
        raise file.config.wrong(f"{LLAMA3_TABLE} is not the table of Llama 3", "Other tables are not supported.")
    return found


ARCHITECTURES = {
    "llama": Architecture(_llama, NEIGHBOURS),
    "qwen2": Architecture(_llama, HALVES),
    "qwen3": Architecture(_llama, HALVES),
    "gpt2": Architecture(_gpt2, FUSED, fused=True),
}
