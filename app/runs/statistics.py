"""What can be said of all numbers of a tensor in one line: extremes, mean, deviation, a percentile, what is not finite.

Exact, in two passes over the plates, in steps of a few milliseconds. The percentile comes from counting: the bits of a
positive float32 are in the order of the numbers, so the upper half of them is counted first, then the lower half of
those that the wanted rank falls among.
"""

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .plates import Box, Plate
from .scales import PERCENTILE

_PIECE_CELLS = 2**19
_HALF_BITS = 16
_BINS = 2**_HALF_BITS


@dataclass(frozen=True)
class Statistics:
    """Of the finite numbers, `percentile` of their absolute values; None where there is none. `zeros` is a share."""

    count: int
    min: float | None
    max: float | None
    mean: float | None
    deviation: float | None
    percentile: float | None
    zeros: float
    nan: int
    infinite: int


Cells = Callable[[Plate, Box], Generator[None, None, Tensor]]


def statistics(plates: Sequence[Plate], cells: Cells) -> Generator[None, None, Statistics]:
    """Compute the statistics of all plates of a tensor together, read by `cells`; pauses between pieces."""
    count = nan = infinite = zeros = 0
    lowest, highest, total, moment = math.inf, -math.inf, 0.0, 0.0
    shift: float | None = None
    bins = torch.zeros(_BINS, dtype=torch.int64)
    for plate, box in _pieces(plates):
        values = (yield from cells(plate, box)).float().cpu()
        finite = values[values.isfinite()]
        count += values.numel()
        not_numbers = int(values.isnan().sum())
        nan, infinite = nan + not_numbers, infinite + values.numel() - finite.numel() - not_numbers
        if finite.numel():
            zeros += finite.numel() - int(finite.count_nonzero())
            lowest, highest = min(lowest, float(finite.min())), max(highest, float(finite.max()))
            exact = finite.double()
            # Squares are taken about a number near the mean, so that a small spread far from zero is not lost.
            shift = float(exact.mean()) if shift is None else shift
            exact -= shift
            total, moment = total + float(exact.sum()), moment + float(exact.square().sum())
            bins += (_bits(finite) >> _HALF_BITS).bincount(minlength=_BINS)
        yield
    known = count - nan - infinite
    if not known or shift is None:
        return Statistics(count, None, None, None, None, None, 0.0, nan, infinite)
    offset = total / known
    percentile = yield from _percentile(plates, cells, bins, known)
    deviation = math.sqrt(max(0.0, moment / known - offset**2))
    return Statistics(count, lowest, highest, shift + offset, deviation, percentile, zeros / count, nan, infinite)


def _percentile(plates: Sequence[Plate], cells: Cells, bins: Tensor, known: int) -> Generator[None, None, float]:
    """Interpolate the percentile between its two ranks, in proportion, as NumPy's `percentile`."""
    place = PERCENTILE / 100 * (known - 1)
    ranks = (math.floor(place), math.ceil(place))
    ends = bins.cumsum(0)
    chosen = [int(torch.searchsorted(ends, rank, right=True)) for rank in ranks]
    lower = {bin: torch.zeros(_BINS, dtype=torch.int64) for bin in chosen}
    for plate, box in _pieces(plates):
        values = (yield from cells(plate, box)).float().cpu()
        bits = _bits(values[values.isfinite()])
        for bin, counts in lower.items():
            counts += (bits[bits >> _HALF_BITS == bin] & (_BINS - 1)).bincount(minlength=_BINS)
        yield
    found = []
    for rank, bin in zip(ranks, chosen, strict=True):
        within = rank - int(ends[bin] - bins[bin])
        low = int(torch.searchsorted(lower[bin].cumsum(0), within, right=True))
        found.append(float(torch.tensor(bin << _HALF_BITS | low, dtype=torch.int32).view(torch.float32)))
    return found[0] + (found[1] - found[0]) * (place - ranks[0])


def _bits(values: Tensor) -> Tensor:
    return values.abs().view(torch.int32)


def _pieces(plates: Sequence[Plate]) -> Iterator[tuple[Plate, Box]]:
    """Read all cells, some at a time."""
    for plate in plates:
        band = max(1, _PIECE_CELLS // max(1, plate.cols))
        for top in range(0, plate.rows, band):
            yield plate, (top, min(top + band, plate.rows), 0, plate.cols)
