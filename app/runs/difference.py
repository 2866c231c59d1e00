"""The difference of two runs of one model, number by number, in float32: this run's less another's.

Positions are paired by their tokens. Of two prompts as few tokens as possible are left over or replaced
(Levenshtein's distance): equal tokens are compared with each other, a token that was replaced with the one that
replaced it, and one that was put in has no partner. What was written after the prompts is paired in order, the first
written token with the first, so that pairs do not change while a text grows.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..transformer.graph import TOKEN_AXES, TensorInfo
from .plates import Box, Plate, activation_plate, plate_axes
from .run import Run
from .scales import Samples, percentile

NO_PARTNER = -1
# Rows of a tensor from which its scale is taken, and of one that has to be derived.
_ROWS, _DERIVED_ROWS = 16, 2


class DifferenceError(ValueError):
    """Two runs that cannot be compared; `hint` says which can."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


class Difference:
    """One run less another. The runs may grow; what they are paired by does not."""

    def __init__(self, run: Run, other: Run) -> None:
        """Compare two runs.

        Raises:
            DifferenceError: they are not of the same weights.
        """
        mine, theirs = run.loaded, other.loaded
        if (mine.entry.id, mine.fingerprint) != (theirs.entry.id, theirs.fingerprint):
            raise DifferenceError(
                f"run {other.id} is of {theirs.entry.id}, not of {mine.entry.id}",
                "Compare two runs of the same model.",
            )
        self.run, self.other = run, other

    @cached_property
    def partners(self) -> Tensor:
        """Map each position that the run may fill to the other's that it is compared with, or `NO_PARTNER`."""
        prompts = [tuple(token.id for token in one.prompt) for one in (self.run, self.other)]
        written = np.arange(self.run.capacity - len(prompts[0])) + len(prompts[1])
        written[written >= self.other.capacity] = NO_PARTNER
        return torch.from_numpy(np.concatenate([align(*prompts), written]))

    @cached_property
    def source_partners(self) -> Tensor:
        """Map the positions of an encoder-decoder's source in the same way."""
        first, second = (tuple(token.id for token in one.source) for one in (self.run, self.other))
        return torch.from_numpy(align(first, second).copy())

    def rows(self, name: str, start: int, end: int, lone: float) -> Tensor:
        """Subtract from rows `start` to `end` of an activation their partners; `lone` where there is none."""
        recorder = self.run.recorder
        info, axis = recorder.info(name), recorder.row_axis(name)
        mine = recorder.read(name, start, end).float()
        rows = self._places(info, axis, start, end, self.other.recorder.rows(name))
        paired = rows[rows >= 0]
        if not len(paired):
            return torch.full_like(mine, lone)
        first = int(paired.min())
        theirs = self.other.recorder.read(name, first, int(paired.max()) + 1).float()
        chosen = [(axis, torch.where(rows >= 0, rows - first, NO_PARTNER))]
        for other_axis, size in enumerate(mine.shape):
            if other_axis != axis and info.axes[other_axis] in TOKEN_AXES:
                places = self._places(info, other_axis, 0, size, theirs.shape[other_axis])
                chosen.append((other_axis, places))
        return subtract(mine, theirs, chosen, lone)

    def plate(self, name: str, index: Sequence[int]) -> Plate:
        """Subtract the other's plate of an activation from this one's; plus infinity where there is no partner.

        Raises:
            KeyError: there is no such activation.
            PlateError: it has no such plate.
        """
        plate, info = activation_plate(self.run, name, index), self.run.recorder.info(name)
        down, across = [None, *(axis for axis in range(len(info.axes)) if axis not in plate_axes(info.axes))][-2:]

        def read(top: int, bottom: int, left: int, right: int) -> Tensor:
            mine = plate.read(top, bottom, left, right).float()
            theirs = activation_plate(self.other, name, index) if self.other.recorder.rows(name) else None
            if theirs is None:
                return torch.full_like(mine, torch.inf)
            rows = self._places(info, down, top, bottom, theirs.rows)
            columns = self._places(info, across, left, right, theirs.cols)
            if not (rows >= 0).any() or not (columns >= 0).any():
                return torch.full_like(mine, torch.inf)
            box, chosen = _window(rows, columns)
            return subtract(mine, theirs.read(*box).float(), chosen, torch.inf)

        key = (self.run.id, "minus", self.other.id, self.other.recorder.rows(name), info.same_as or name, *index)
        return Plate(key, name, tuple(index), plate.rows, plate.cols, read)

    def scales(self, by_tensor: bool = False) -> dict[str, float]:
        """Return what the strongest colour stands for (`scales.py`), of the differences over the run's prompt."""
        groups: dict[str, list[Samples]] = {}
        with torch.inference_mode():
            for name in self.run.recorder.names:
                taken = self._sample(name)
                if taken is not None:
                    groups.setdefault(name if by_tensor else self.run.recorder.info(name).kind, []).append(taken)
        return {key: percentile(group) for key, group in groups.items()}

    def _places(self, info: TensorInfo, axis: int | None, start: int, end: int, known: int) -> Tensor:
        """Find the partners of `start` to `end` along an axis, as far as they have been computed."""
        if axis is None or info.axes[axis] not in TOKEN_AXES:
            return torch.arange(start, end)
        partners = self.source_partners if info.axes[axis] in info.source_axes else self.partners
        part = partners[start:end]
        return torch.where(part < known, part, NO_PARTNER)

    def _sample(self, name: str) -> Samples | None:
        """Sample |difference| in some rows of a tensor that have partners, evenly spaced from its last one."""
        recorder = self.run.recorder
        known, axis = recorder.rows(name), recorder.row_axis(name)
        rows = known if recorder.of_source(name) else min(known, len(self.run.prompt))
        places = self._places(recorder.info(name), axis, 0, rows, self.other.recorder.rows(name))
        paired = (places >= 0).nonzero().flatten()
        if not len(paired):
            return None
        count = min(len(paired), _DERIVED_ROWS if recorder.derived(name) else _ROWS)
        chosen = paired[torch.linspace(len(paired) - 1, 0, count).long()]
        found = [self.rows(name, int(row), int(row) + 1, torch.nan).flatten() for row in chosen]
        values: Samples = torch.cat(found).abs().cpu().numpy()
        finite: Samples = values[np.isfinite(values)]
        return finite


@lru_cache(64)
def align(tokens: tuple[int, ...], others: tuple[int, ...]) -> NDArray[np.int64]:
    """Find each token's partner among the others, so that the fewest are left over or replaced."""
    first = 0
    while first < min(len(tokens), len(others)) and tokens[first] == others[first]:
        first += 1
    last = 0
    while last < min(len(tokens), len(others)) - first and tokens[-1 - last] == others[-1 - last]:
        last += 1
    partners = np.full(len(tokens), NO_PARTNER, np.int64)
    partners[:first] = np.arange(first)
    partners[len(tokens) - last :] = np.arange(len(others) - last, len(others))
    inner = np.array(tokens[first : len(tokens) - last], np.int64)
    middle = _align_middle(inner, np.array(others[first : len(others) - last], np.int64))
    partners[first : len(tokens) - last] = np.where(middle >= 0, middle + first, NO_PARTNER)
    return partners


def _align_middle(tokens: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Compute Levenshtein's distances of all beginnings, a row at a time, then the way back from the end.

    Wagner and Fischer, The string-to-string correction problem, 1974.
    """
    across = np.arange(len(others) + 1)
    distances = np.zeros((len(tokens) + 1, len(others) + 1), np.int16)
    distances[0] = across
    for row, token in enumerate(tokens, 1):
        above = distances[row - 1]
        best = np.concatenate([[row], np.minimum(above[1:] + 1, above[:-1] + (others != token))])
        # Each of the others that is left out costs one more: a running minimum, less what standing still would cost.
        distances[row] = np.minimum.accumulate(best - across) + across
    partners = np.full(len(tokens), NO_PARTNER, np.int64)
    row, column = len(tokens), len(others)
    while row > 0 and column > 0:
        here = distances[row, column]
        if here == distances[row - 1, column - 1] + (tokens[row - 1] != others[column - 1]):
            row, column = row - 1, column - 1
            partners[row] = column
        elif here == distances[row - 1, column] + 1:
            row -= 1
        else:
            column -= 1
    return partners


def subtract(mine: Tensor, theirs: Tensor, chosen: Sequence[tuple[int, Tensor]], lone: float) -> Tensor:
    """Subtract partners, chosen along some axes, from numbers; a score masked in either run stays masked."""
    paired = torch.ones((), dtype=torch.bool)
    for axis, places in chosen:
        theirs = theirs.index_select(axis, places.clamp(min=0).to(theirs.device))
        shape = [1] * mine.dim()
        shape[axis] = len(places)
        paired = paired & (places >= 0).view(shape)  # [1, places, 1]
    masked = mine.isneginf() | theirs.isneginf()
    less = torch.where(masked, -torch.inf, mine - theirs)
    # Plus infinity says that there is no partner, so that a difference of that size has to be not-a-number.
    less = torch.where(less.isposinf(), torch.nan, less)
    return torch.where(paired.to(less.device), less, lone)


def _window(rows: Tensor, columns: Tensor) -> tuple[Box, list[tuple[int, Tensor]]]:
    """Find the smallest box that holds all partners, and where in it they are."""
    box: list[int] = []
    chosen = []
    for axis, places in enumerate((rows, columns)):
        paired = places[places >= 0]
        first = int(paired.min())
        box += [first, int(paired.max()) + 1]
        chosen.append((axis, torch.where(places >= 0, places - first, NO_PARTNER)))
    return (box[0], box[1], box[2], box[3]), chosen
