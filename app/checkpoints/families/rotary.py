"""Rotary positions in configurations, in the old form (`rope_theta`, `rope_scaling`, `rotary_pct`) and the new.

The scaling kinds and their defaults are those of `transformers`, `modeling_rope_utils.py`.
"""

import math
from typing import Any

from ...transformer.spec import Rotary
from ..config import Config
from ..errors import shown

_KINDS = ("default", "linear", "dynamic", "llama3", "yarn")


def rotary_of(config: Config, d_head: int, share: float | None = None) -> Rotary:
    """Read the rotary positions of heads of width `d_head`.

    `share` is the part of a head's dimensions that turns where the configuration is silent; None for families whose
    heads turn whole: `transformers` 5.23 passes over `partial_rotary_factor` and `rotary_pct` in them.

    Raises:
        CheckpointError: a kind of scaling that is not supported, or a value that is missing.
    """
    name = "rope_scaling" if config.get("rope_scaling") else "rope_parameters"  # of two, `transformers` takes the old
    given = config.get(name) or {}
    if not isinstance(given, dict):
        raise config.wrong(f"{name} is {shown(given)}, which describes no rotary positions")
    if any(isinstance(value, dict) for value in given.values()):
        raise config.wrong("its rotary positions differ between layers", "One description for all layers is supported.")
    rope = Config(given, config.path)
    kind = given.get("rope_type", given.get("type", "default"))
    if kind not in _KINDS:
        raise config.wrong(f"rope_type is {shown(kind)}", f"Supported are {', '.join(_KINDS)}.")
    base = rope.number("rope_theta", config.number("rope_theta", config.number("rotary_emb_base", 10_000.0)))
    dims = d_head if share is None else int(d_head * _share(config, rope, share))
    if kind == "default":
        return Rotary(dims, base)
    if share is None:
        # Beside a stretching, `transformers` heeds it and then fails to turn heads of another width.
        for holder in (config, rope):
            holder.demand("partial_rotary_factor", 1)
    factor = rope.number("factor")
    if factor < 1:
        raise config.wrong(f"factor is {factor}; rotary positions can only be stretched")
    if kind == "linear":
        return Rotary(dims, base, scaling="linear", factor=factor)
    positions = config.size("max_position_embeddings")
    if kind == "dynamic":
        return Rotary(dims, base, scaling="dynamic", factor=factor, original=positions)
    length = "original_max_position_embeddings"
    original = config.size(length, rope.size(length, positions))
    if kind == "llama3":
        low, high = rope.number("low_freq_factor"), rope.number("high_freq_factor")
        return Rotary(
            dims, base, scaling="llama3", factor=factor, original=original, low_frequency=low, high_frequency=high
        )
    rope.demand("truncate", True)
    return Rotary(
        dims,
        base,
        scaling="yarn",
        factor=factor,
        original=original,
        beta_fast=rope.number("beta_fast", 32.0),
        beta_slow=rope.number("beta_slow", 1.0),
        attention_factor=rope.number("attention_factor", _yarn_attention(given, factor)),
    )


def _share(config: Config, rope: Config, share: float) -> float:
    for holder, name in ((config, "rotary_pct"), (config, "partial_rotary_factor"), (rope, "partial_rotary_factor")):
        share = holder.number(name, share)
    return share


def rope_parameters(rotary: Rotary, d_head: int) -> dict[str, Any]:
    """Write the same in a configuration's new form."""
    found: dict[str, Any] = {"rope_type": "default" if rotary.scaling == "none" else rotary.scaling}
    found["rope_theta"] = rotary.base
    if rotary.dims != d_head:
        found["partial_rotary_factor"] = rotary.dims / d_head
    if rotary.scaling != "none":
        found["factor"] = rotary.factor
    if rotary.scaling in ("llama3", "yarn"):
        found["original_max_position_embeddings"] = rotary.original
    if rotary.scaling == "llama3":
        found |= {"low_freq_factor": rotary.low_frequency, "high_freq_factor": rotary.high_frequency}
    if rotary.scaling == "yarn":
        found |= {"beta_fast": rotary.beta_fast, "beta_slow": rotary.beta_slow}
        found["attention_factor"] = rotary.attention_factor
    return found


def _yarn_attention(given: dict[str, Any], factor: float) -> float:
    """Compute attention's temperature as a factor on cosine and sine (Peng et al. 2023, eq. 22)."""

    def grown(share: float) -> float:
        return 0.1 * share * math.log(factor) + 1 if factor > 1 else 1.0

    scale, all_dims = given.get("mscale"), given.get("mscale_all_dim")
    return grown(scale) / grown(all_dims) if scale and all_dims else grown(1)
