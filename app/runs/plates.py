"""Plates: the rectangles that a tensor is drawn, cut and pooled as. One definition, for frames, REST and thumbnails.

A tensor with a `head` or `kv_head` axis has a plate for each head, whichever of its axes that is; any other tensor
with more than two axes has one for each index of all but its last two. What remains is two axes, rows and columns
in the tensor's own order, or one, which is a plate of a single row.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import torch
from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from ..transformer.graph import TOKEN_AXES
from .run import Run

HEAD_AXES = ("head", "kv_head")
# Numbers derived at once: one or two milliseconds.
_PIECE_CELLS = 2**19


class PlateError(ValueError):
    """An index that names no plate; `hint` says what there is."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Derivation:
    """How numbers that are not kept are made: `count` positions at a time, for all plates of the tensor at once.

    `make` makes what is needed for some positions, by which `key` tells it apart; `finish` takes it, the first of its
    positions, and a box that lies within them, and gives the numbers of one plate.
    """

    key: Hashable
    count: int
    make: Callable[[int, int], Tensor]
    finish: Callable[[Tensor, int, Box], Tensor]
    along_columns: bool = False


@dataclass(frozen=True)
class Plate:
    """One rectangle of numbers, as large as it is known now; a box of it is first and last row and column.

    `key` tells it from every other plate of the server. Its cells never change, but there may come to be more.
    `mirror` is the plate whose rows are this one's columns, where the same numbers are two tensors. Cells are read with
    `read`; those with a `derivation` had better be made by that, for it can be interrupted and its work be shared.
    """

    key: Hashable
    name: str
    index: tuple[int, ...]
    rows: int
    cols: int
    read: Callable[[int, int, int, int], Tensor]
    mirror: "Plate | None" = None
    derivation: Derivation | None = None


def plate_axes(axes: Sequence[str]) -> tuple[int, ...]:
    """Return which of a tensor's axes name a plate of it."""
    heads = tuple(place for place, axis in enumerate(axes) if axis in HEAD_AXES)
    return heads if heads and len(axes) > 1 else tuple(range(max(0, len(axes) - 2)))


def plate_shape(axes: Sequence[str], shape: Sequence[int]) -> tuple[int, int]:
    """Count the rows and columns of a tensor's plates."""
    named = plate_axes(axes)
    rest = [size for place, size in enumerate(shape) if place not in named]
    return (1, rest[0]) if len(rest) == 1 else (rest[0], rest[1])


def plate_indices(axes: Sequence[str], shape: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """List the index of every plate of a tensor, in order."""
    return product(*(range(shape[place]) for place in plate_axes(axes)))


def check_plate(name: str, axes: Sequence[str], shape: Sequence[int], index: Sequence[int]) -> None:
    """Refuse an index that names no plate.

    Raises:
        PlateError: it has too few or too many parts, or one lies outside its axis.
    """
    named = plate_axes(axes)
    words = ", ".join(axes[place] for place in named)
    if len(index) != len(named):
        given = f"{len(index)} indices are given" if index else "none is given"
        if not named:
            raise PlateError(f"{name} [{', '.join(axes)}] is one plate, and {given}", "Leave the plate's index out.")
        raise PlateError(
            f"{name} [{', '.join(axes)}] has a plate for each {words}, and {given}",
            f"Give {words}, such as {', '.join(f'{axes[place]}=0' for place in named)}.",
        )
    for place, part in zip(named, index, strict=True):
        if not 0 <= part < shape[place]:
            raise PlateError(
                f"{name} has no {axes[place]} {part}", f"Its {axes[place]} counts from 0 to {shape[place] - 1}."
            )


def plate_of(tensor: Tensor, axes: Sequence[str], index: Sequence[int]) -> Tensor:
    """View one plate of a tensor, `[rows, cols]`."""
    for place, part in sorted(zip(plate_axes(axes), index, strict=True), reverse=True):
        tensor = tensor.select(place, part)
    return tensor.unsqueeze(0) if tensor.dim() == 1 else tensor


def weight_plate(loaded: LoadedModel, name: str, index: Sequence[int]) -> Plate:
    """Return a plate of a weight; nothing of it is read yet.

    Raises:
        KeyError: there is no such weight.
        PlateError: it has no such plate.
    """
    info = loaded.graph.tensor(name)
    if info.role != "weight":
        raise KeyError(name)
    shape = loaded.graph.shape(info)
    check_plate(name, info.axes, shape, index)
    rows, cols = plate_shape(info.axes, shape)
    mirror = weight_plate(loaded, info.same_as, index) if info.same_as and info.transposed else None

    def read(top: int, bottom: int, left: int, right: int) -> Tensor:
        plate = plate_of(loaded.model.weight(name).detach(), info.axes, index)
        return plate[top:bottom, left:right]

    key = (loaded.entry.id, loaded.fingerprint, info.same_as if info.same_as and not mirror else name, *index)
    return Plate(key, name, tuple(index), rows, cols, read, mirror)


def steps_read(run: Run, name: str) -> int:
    """Count the written tokens an activation has grown by; what belongs to a source text never grows."""
    return 0 if run.recorder.of_source(name) else max(0, run.recorder.rows(name) - len(run.prompt))


def activation_plate(run: Run, name: str, index: Sequence[int], positions: int | None = None) -> Plate:
    """Return a plate of an activation, as far as it is computed, or of its first `positions` positions alone.

    Raises:
        KeyError: there is no such activation.
        PlateError: it has no such plate.
    """
    recorder = run.recorder
    info, shape = recorder.info(name), recorder.shape(name)
    axes = info.axes
    if positions is not None:
        grows = [axis in TOKEN_AXES and axis not in info.source_axes for axis in axes]
        shape = [min(size, positions) if grown else size for size, grown in zip(shape, grows, strict=True)]
    check_plate(name, axes, shape, index)
    rows, cols = plate_shape(axes, shape)
    # A plate of a single row has its positions along its columns.
    along_columns = len(axes) - len(plate_axes(axes)) == 1

    def cut(rows: Tensor, first: int, box: Box) -> Tensor:
        top, bottom, left, right = box
        plate = plate_of(rows, axes, index)
        return (
            plate[:, left - first : right - first] if along_columns else plate[top - first : bottom - first, left:right]
        )

    def read(top: int, bottom: int, left: int, right: int) -> Tensor:
        start, end = (left, right) if along_columns else (top, bottom)
        return cut(recorder.read(name, start, end), start, (top, bottom, left, right))

    derivation = None
    if name == "probabilities":
        derivation = _probabilities(run, cols)
    elif recorder.derived(name):
        per_position = math.prod(size for place, size in enumerate(shape) if place != recorder.row_axis(name))
        derivation = Derivation(
            (run.id, name, cols), max(1, _PIECE_CELLS // per_position), partial(recorder.read, name), cut, along_columns
        )
    key = (run.id, info.same_as or name, *index)
    return Plate(key, name, tuple(index), rows, cols, read, derivation=derivation)


def _probabilities(run: Run, width: int) -> Derivation:
    """Apply the softmax by columns: what is kept is the logarithm of each row's sum of exponentials."""
    recorder = run.recorder

    def make(start: int, end: int) -> Tensor:
        # In float64, as the recorder does it: what is printed in a cell is what REST says to the last digit.
        return torch.logsumexp(recorder.read("logits", start, end).double(), -1, keepdim=True)  # [pos, 1]

    def finish(sums: Tensor, first: int, box: Box) -> Tensor:
        top, bottom, left, right = box
        logits = recorder.read("logits", top, bottom)[:, left:right].double()
        return (logits - sums[top - first : bottom - first]).exp().float()

    return Derivation((run.id, "logits", "sums"), max(1, _PIECE_CELLS // width), make, finish)
