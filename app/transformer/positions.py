"""Where a token stands, as numbers: sinusoids, rotary angles, and T5's buckets of distance.

None of these are learned; each follows from a formula, which is why they are computed and never loaded.
"""

import math

import torch
from torch import Tensor

from .spec import Rotary, Spec


def sinusoids(positions: int, width: int, pairs: str) -> Tensor:
    """Compute the sinusoids of Vaswani et al. 2017, section 3.5: `[pos, d_model]`, frequencies from 1 to 1/10,000.

    `interleaved` puts sine and cosine of one frequency side by side, as the paper does; `concatenated` all sines
    before all cosines, as Tensor2Tensor and Marian do.
    """
    frequencies = 10_000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * frequencies  # [pos, d_model / 2]
    sines, cosines = angles.sin(), angles[:, : width // 2].cos()
    if pairs == "concatenated":
        return torch.cat([sines, cosines], -1).float()
    table = torch.empty(positions, width)
    table[:, 0::2], table[:, 1::2] = sines.float(), cosines.float()
    return table


def rotary_frequencies(rotary: Rotary) -> Tensor:
    """Compute the radians that each pair turns from one position to the next, `[dims / 2]`: Su et al. 2021, eq. 15."""
    frequencies: Tensor = rotary.base ** (-torch.arange(0, rotary.dims, 2, dtype=torch.float64) / rotary.dims)
    match rotary.scaling:
        case "linear":
            return frequencies / rotary.factor
        case "llama3":
            return _llama3(frequencies, rotary)
        case "yarn":
            return _yarn(frequencies, rotary)
        case _:
            return frequencies


def _llama3(frequencies: Tensor, rotary: Rotary) -> Tensor:
    """Slow down slow pairs by `factor`, leave fast ones, interpolate between (Llama 3.1's scaling)."""
    turns = rotary.original * frequencies / (2 * math.pi)  # in the original context
    kept = (turns - rotary.low_frequency) / (rotary.high_frequency - rotary.low_frequency)
    kept = kept.clamp(0, 1)
    return frequencies * (kept + (1 - kept) / rotary.factor)


def _yarn(frequencies: Tensor, rotary: Rotary) -> Tensor:
    """Ramp the scaling over the pairs between `beta_fast` and `beta_slow` turns (Peng et al. 2023, section 3.2)."""

    def pair_turning(turns: float) -> float:
        return rotary.dims * math.log(rotary.original / (turns * 2 * math.pi)) / (2 * math.log(rotary.base))

    first = max(math.floor(pair_turning(rotary.beta_fast)), 0)
    last = min(math.ceil(pair_turning(rotary.beta_slow)), rotary.dims - 1)
    ramp = (torch.arange(rotary.dims // 2, dtype=torch.float64) - first) / max(last - first, 0.001)
    slowed = ramp.clamp(0, 1)
    return frequencies * (1 - slowed + slowed / rotary.factor)


def rotary_tables(spec: Spec, positions: int, first: int = 0) -> tuple[Tensor, Tensor]:
    """Compute cosine and sine for positions from `first` on, each `[pos, d_head]`; 1 and 0 where nothing turns."""
    rotary = spec.rotary
    assert rotary is not None
    angles = torch.arange(first, first + positions, dtype=torch.float64)[:, None] * rotary_frequencies(rotary)
    # each frequency stands at both dimensions of its pair: [pos, dims / 2] -> [pos, dims]
    angles = torch.cat([angles, angles], -1) if rotary.pairs == "half" else angles.repeat_interleave(2, -1)
    cosines, sines = torch.ones(positions, spec.d_head), torch.zeros(positions, spec.d_head)
    cosines[:, : rotary.dims] = angles.cos() * rotary.attention_factor
    sines[:, : rotary.dims] = angles.sin() * rotary.attention_factor
    return cosines, sines


def rotate(vectors: Tensor, cosines: Tensor, sines: Tensor, rotary: Rotary) -> Tensor:
    """Turn each pair of `vectors [batch, pos, head, d_head]` by its position's angle (Su et al. 2021, eq. 34)."""
    turning, still = vectors[..., : rotary.dims], vectors[..., rotary.dims :]
    if rotary.pairs == "half":
        first, second = turning.chunk(2, -1)
        partners = torch.cat([-second, first], -1)
    else:
        # neighbours swap places, the first of them negated: [..., dims] -> [..., dims / 2, 2] -> [..., dims]
        first, second = turning.unflatten(-1, (-1, 2)).unbind(-1)
        partners = torch.stack([-second, first], -1).flatten(-2)
    cosines = cosines[:, None, : rotary.dims]  # [pos, 1, dims]
    sines = sines[:, None, : rotary.dims]
    turned = torch.addcmul(turning * cosines, partners, sines)
    return torch.cat([turned, still], -1) if still.shape[-1] else turned


def distance_buckets(distance: Tensor, buckets: int, max_distance: int, bidirectional: bool) -> Tensor:
    """Compute T5's bucket of each distance key - query (Raffel et al. 2020, section 2.1).

    Near distances have a bucket each, far ones share buckets that grow logarithmically up to `max_distance`.
    """
    if bidirectional:
        buckets //= 2
        offset = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        offset = torch.zeros_like(distance)
        distance = -distance.clamp(max=0)
    exact = buckets // 2
    logarithmic = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = exact + (logarithmic * (buckets - exact)).long()
    return offset + torch.where(distance < exact, distance, far.clamp(max=buckets - 1))
