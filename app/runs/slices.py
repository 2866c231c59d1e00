"""Slices written as text, as in NumPy: `0,:,3:9` is an index, everything, and a range."""

import math
import re
from collections.abc import Sequence

_RANGE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(\d+))?")
_HINT = "Write one part per axis, such as 0,:,3:9; parts may be left out at the end, and -1 is the last index."
Index = tuple[int | slice, ...]


class SliceError(ValueError):
    """A slice that cannot be taken; `hint` says how to write one."""

    def __init__(self, message: str, hint: str = _HINT) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


def parse_index(text: str, shape: Sequence[int], axes: Sequence[str]) -> Index:
    """Parse the index that `text` describes for a tensor of this shape and these axes, indices counted from 0.

    Raises:
        SliceError: it is no slice, has too many parts, or an index lies outside its axis.
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if len(parts) > len(shape):
        raise SliceError(f"{len(parts)} parts for the {len(shape)} axes {', '.join(axes)}")
    return tuple(_parse_part(part, size, axis) for part, size, axis in zip(parts, shape, axes, strict=False))


def _parse_part(part: str, size: int, axis: str) -> int | slice:
    if len(part) > 40:
        raise SliceError("a part of the index is longer than any number that could be meant")
    if re.fullmatch(r"-?\d+", part):
        index = int(part)
        if not -size <= index < size:
            raise SliceError(f"{axis} has {size} entries, so {index} is outside", f"Use {-size} to {size - 1}.")
        return index % size
    match = _RANGE.fullmatch(part)
    if match is None:
        raise SliceError(f"{part!r} is neither an index nor a range")
    first, last, step = (None if group is None else int(group) for group in match.groups())
    if step == 0:
        raise SliceError("a step of 0 leads nowhere", "Use a step of at least 1.")
    return slice(*slice(first, last, step).indices(size))


def sliced_shape(index: Index, shape: Sequence[int]) -> list[int]:
    """Return the shape that remains of `shape`."""
    kept = [len(range(size)[part]) for part, size in zip(index, shape, strict=False) if isinstance(part, slice)]
    return kept + list(shape[len(index) :])


def element_count(index: Index, shape: Sequence[int]) -> int:
    """Count the numbers that a slice takes."""
    return math.prod(sliced_shape(index, shape))
