"""Pooling: many numbers shown as one, so that a plate seen from afar is neither grey nor a lie.

`mean` is the sign of the mean times the root mean square: the darkness of a patch stays what it was under the same
colour scale, and its hue says which sign outweighs. `max` is the number of largest absolute value, with its sign (of
x and -x, x). Cells that are not finite take no part unless there are no others: of masked scores alone remains minus
infinity, of infinities of both signs plus infinity. Not-a-number is never passed over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

Pool = Literal["mean", "max"]
POOLS: tuple[Pool, ...] = get_args(Pool)


@dataclass(frozen=True)
class Means:
    """What `mean` knows of each patch: sum and sum of squares of its finite cells, and how many they are.

    Where the patch shows none of them, for it has none or has not-a-number, the sum is what it shows instead.
    """

    total: Tensor
    square: Tensor
    count: Tensor

    @property
    def values(self) -> Tensor:
        """Return the number that each patch shows."""
        value = self.total.sign() * (self.square / self.count.clamp(min=1)).sqrt()
        shown = self.total.isfinite()
        return value if bool(shown.all()) else torch.where(shown, value, self.total)

    @property
    def nbytes(self) -> int:
        """Count the bytes of memory."""
        return self.total.nbytes + self.square.nbytes + self.count.nbytes


def pool_means(cells: Tensor, factor: int) -> Means:
    """Average patches of `factor` x `factor` cells of `[..., rows, cols]`; edge patches are smaller."""
    cells = cells.float()
    square = _reduce(cells * cells, factor, torch.sum)
    if not bool(square.isfinite().all()):
        # Rare: infinities, not-a-number, or squares beyond float32.
        cells = cells.double()
        return join_means(Means(cells, cells * cells, torch.ones_like(cells)), factor)
    rows, cols = (_covered(size, factor, cells.device) for size in cells.shape[-2:])
    count = (rows[:, None] * cols).expand(square.shape)  # [rows, 1] * [cols] -> [..., rows, cols]
    return Means(_reduce(cells, factor, torch.sum), square, count)


def join_means(patches: Means, factor: int) -> Means:
    """Average patches of patches."""
    finite = patches.total.isfinite()
    if bool(finite.all()):
        square = _reduce(patches.square, factor, torch.sum)
        if bool(square.isfinite().all()):
            total, count = (_reduce(part, factor, torch.sum) for part in (patches.total, patches.count))
            return Means(total, square, count)
    total, square, count = (
        _reduce(torch.where(finite, part.double(), 0.0), factor, torch.sum)
        for part in (patches.total, patches.square, patches.count)
    )
    others = _others(patches.total.double(), finite, factor)
    return Means(torch.where((count == 0) | others.isnan(), others, total), square, count)


def pool_extremes(cells: Tensor, factor: int) -> Tensor:
    """Take the number of largest absolute value of each patch; patches of patches are made in the same way."""
    cells = cells.float()
    highest, lowest = _reduce(cells, factor, torch.amax), _reduce(cells, factor, torch.amin)
    if bool((highest.isfinite() & lowest.isfinite()).all()):
        return torch.where(highest >= -lowest, highest, lowest)
    finite = cells.isfinite()
    inside = torch.where(finite, cells, 0.0)
    highest, lowest = _reduce(inside, factor, torch.amax), _reduce(inside, factor, torch.amin)
    value = torch.where(highest >= -lowest, highest, lowest)
    others = _others(cells, finite, factor)
    return torch.where(_reduce(finite, factor, torch.amax) & ~others.isnan(), value, others)


def _others(values: Tensor, finite: Tensor, factor: int) -> Tensor:
    """Show what is not finite in each patch: not-a-number before infinity before its opposite."""
    return _reduce(torch.where(finite, -torch.inf, values), factor, torch.amax)


def _covered(size: int, factor: int, device: torch.device) -> Tensor:
    """Count the cells that each patch along an axis of `size` cells has."""
    return (size - torch.arange(0, size, factor, device=device)).clamp(max=factor).float()


def _reduce(cells: Tensor, factor: int, by: Callable[..., Tensor]) -> Tensor:
    """Reduce rows, then columns, `factor` at a time: `[..., rows, cols]` to `[..., ceil(rows / factor), …]`."""
    for axis in (-2, -1):
        rest = cells.shape[axis] % factor
        whole = cells.shape[axis] - rest
        parts = []
        if whole:
            # [..., n * factor, ...] -> [..., n, factor, ...] -> [..., n, ...]
            parts.append(by(cells.narrow(axis, 0, whole).unflatten(axis, (-1, factor)), axis))
        if rest:
            parts.append(by(cells.narrow(axis, whole, rest), axis, keepdim=True))
        cells = parts[0] if len(parts) == 1 else torch.cat(parts, axis)
    return cells
