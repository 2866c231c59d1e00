"""Slices of tensors as a client gets them: float32 numbers, whatever the model computes in."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from ..runs.slices import Index, element_count, parse_index
from .errors import EngineError, refusals
from .values import Rows


def checked_slice(text: str, shape: Sequence[int], axes: Sequence[str], most: int | None) -> Index:
    """Parse a slice, if it has no more than `most` numbers.

    Raises:
        EngineError: it is no slice of such a tensor, or too large a one.
    """
    with refusals():
        index = parse_index(text, shape, axes)
    count = element_count(index, shape)
    if most is not None and count > most:
        said = f"{count} numbers are more than the {most} that one answer may hold"
        raise EngineError("too_many_numbers", said, "Take a smaller slice.")
    return index


def slice_of(tensor: Tensor, name: str, axes: Sequence[str], shape: Sequence[int], derived: bool, index: Index) -> Rows:
    """Take a slice of a tensor."""
    # Contiguous by hand: NumPy's own function would make a row of a single number.
    values = np.array(tensor[index].float().cpu().numpy(), dtype="<f4", order="C")
    kept = [axis for axis, part in zip(axes, index, strict=False) if isinstance(part, slice)]
    return Rows(name, (*kept, *axes[len(index) :]), tuple(shape), values, derived)
