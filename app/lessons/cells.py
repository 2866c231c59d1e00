"""Parts of tensors that an expression names, and reading their numbers from a run.

part = Part("blocks.0.attn.hook_pattern", (2, 5, 3))
read(run, part)  # a tensor without axes: the share that query 5 of head 2 gives to key 3
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..runs.cell_reader import weight_of
from ..runs.run import Run
from ..transformer.graph import TensorInfo
from .errors import ExpressionError, NotHereError

_LARGEST = 4_000_000
Along = int | slice


@dataclass(frozen=True)
class Path:
    """The beginning of a tensor's name, such as `blocks.0.attn`."""

    name: str


@dataclass(frozen=True)
class Part:
    """Cells of a tensor: its name, and an index or a range for each axis, counted from 0."""

    name: str
    index: tuple[Along, ...]

    @property
    def place(self) -> tuple[str, list[int | None]]:
        """Say where the map shows it: an index an axis, None where several are meant."""
        return self.name, [part if isinstance(part, int) else None for part in self.index]


@dataclass(frozen=True)
class Head:
    """An attention head: the module it belongs to, such as `decoder.blocks.1.cross_attn`, its block and its number."""

    attn: Path
    block: int
    head: int


def info_of(run: Run, name: str) -> TensorInfo:
    """Return what the graph says of a tensor.

    Raises:
        NotHereError: the model has none of that name.
    """
    try:
        return run.loaded.graph.tensor(name)
    except KeyError:
        raise NotHereError(f"{run.loaded.entry.id} has no tensor {name}") from None


def shape_of(run: Run, name: str) -> list[int]:
    """Return the shape of a tensor, with the positions known so far."""
    info = info_of(run, name)
    return run.loaded.graph.shape(info) if info.role == "weight" else run.recorder.shape(name)


def part_of(run: Run, name: str, given: tuple[object, ...]) -> Part:
    """Take cells of a tensor; axes that are not named are taken whole.

    Raises:
        ExpressionError: too many indices, one that is no whole number, or one outside its axis.
    """
    shape, axes = shape_of(run, name), info_of(run, name).axes
    if len(given) > len(shape):
        raise ExpressionError(f"{name} has the axes {', '.join(axes)}, not {len(given)}")
    index: list[Along] = []
    for at, size in enumerate(shape):
        index.append(_along(given[at], size, f"{axes[at]} of {name}") if at < len(given) else slice(0, size, 1))
    return Part(name, tuple(index))


def _along(given: object, size: int, axis: str) -> Along:
    if isinstance(given, slice):
        return slice(*given.indices(size))
    if isinstance(given, bool) or not isinstance(given, int):
        raise ExpressionError(f"{given!r} is no index along {axis}")
    if not -size <= given < size:
        raise NotHereError(f"{axis} has {size} entries, so {given} is outside")
    return given % size


def read(run: Run, part: Part) -> Tensor:
    """Read the numbers of a part, in float64; axes with one index go.

    Raises:
        NotHereError: nothing of it has been computed.
        ExpressionError: it is larger than a lesson may read at once.
    """
    info, shape = info_of(run, part.name), shape_of(run, part.name)
    sizes = (len(range(size)[at]) if isinstance(at, slice) else 1 for at, size in zip(part.index, shape, strict=True))
    if math.prod(sizes) > _LARGEST:
        raise ExpressionError(f"{part.name} has more numbers there than a lesson reads at once ({_LARGEST:,})")
    if info.role == "weight":
        values = weight_of(run.loaded.model, run.loaded.graph, part.name)
    else:
        rows = shape[info.row_axis]
        if not rows:
            raise NotHereError(f"{part.name} has not been computed")
        values = run.recorder.read(part.name, 0, rows)
        values = values[..., : shape[-1]] if info.axes[-1] == "key_pos" else values
    return values[part.index].detach().to(device="cpu", dtype=torch.float64)
