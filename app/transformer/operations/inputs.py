"""What an operation reads for a box of its output: float64 numbers along named axes.

The graph's reads say which cells these are; a formula sees only numbers that broadcast along the output's axes. For
the score of a query with a key, `attn_scores[head, query_pos, key_pos]`, the queries are read along
`(head, query_pos, d_head)`; `Inputs.aligned("input")` lays them out as `(head, query_pos, 1, d_head)`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..cells import Box, Reading, comparisons, contracted, read_indices
from ..graph import Free, Graph, Op, Read

# The numbers of a box of a tensor, as they are stored; a view where that is possible.
Cells = Callable[[str, Box], Tensor]


@dataclass(frozen=True)
class Gathered:
    """What one read brings: float64 numbers along named axes.

    `places` are the indices read along each axis of the tensor. `allowed` is where the read's condition holds;
    elsewhere nothing is read, and `values` are 0.
    """

    read: Read
    places: tuple[tuple[Tensor, tuple[str, ...]], ...]
    values: Tensor
    axes: tuple[str, ...]
    allowed: Tensor | None

    def along(self, axes: Sequence[str]) -> Tensor:
        """Return the numbers along `axes`, with size 1 where they have no such axis."""
        return align(self.values, self.axes, axes)

    @property
    def contracted_axes(self) -> tuple[str, ...]:
        """List those of its axes that the output does not have."""
        return tuple(contracted(index.free) for index in self.read.index if isinstance(index, Free))


def align(values: Tensor, present: Sequence[str], axes: Sequence[str]) -> Tensor:
    """Permute numbers along the axes `present` into the order of `axes`, with size 1 for those that are missing."""
    ordered = values.permute([present.index(axis) for axis in axes if axis in present])
    return ordered[tuple(slice(None) if axis in present else None for axis in axes)]


def gather(graph: Graph, read: Read, at: Mapping[str, range], reading: Reading, cells: Cells) -> Gathered:
    """Fetch the cells that one read brings to the output cells `at`."""
    places = read_indices(graph, read, at, reading)
    box = tuple(range(int(place.min()), int(place.max()) + 1) for place, _ in places)
    values = cells(read.tensor, box)
    axes: tuple[str, ...] = ()
    for place, names in places:
        if set(names) & set(axes):
            raise ValueError(f"{read.tensor} is read along {names} twice")
        axis, start = len(axes), int(place.min())
        flat = place.flatten() - start
        if not torch.equal(flat, torch.arange(values.shape[axis])):
            values = values.index_select(axis, flat.to(values.device))
        # (axes before, places of this axis, axes after), the places along their own names
        values = values.reshape(*values.shape[:axis], *place.shape, *values.shape[axis + 1 :])
        axes += names
    allowed = None
    for comparison in comparisons(read.where):
        table, names = comparison.table(at)
        aligned = align(table, names, axes).to(values.device)
        allowed = aligned if allowed is None else allowed & aligned
    values = values.double()
    if allowed is not None:
        values = torch.where(allowed, values, 0.0)
    return Gathered(read, tuple(places), values, axes, allowed)


@dataclass(frozen=True)
class Inputs:
    """All that an operation reads for a box of its output, and the output's axes."""

    op: Op
    axes: tuple[str, ...]
    at: Mapping[str, range]
    reads: tuple[Gathered, ...]

    def part(self, name: str) -> Gathered | None:
        """Find the read that is this to the operation, if it has one."""
        return next((gathered for gathered in self.reads if gathered.read.part == name), None)

    def required(self, name: str) -> Gathered:
        """Return the read that is this to the operation, which every operation of the kind has."""
        found = self.part(name)
        assert found is not None, f"{self.op.output} reads no {name}"
        return found

    def aligned(self, name: str, missing: float = 0.0) -> Tensor:
        """Return a part's numbers along the output's axes, contracted ones after them."""
        gathered = self.part(name)
        if gathered is None:
            return torch.tensor(missing, dtype=torch.float64)
        return gathered.along((*self.axes, *gathered.contracted_axes))

    def rows(self, name: str = "input") -> tuple[Tensor, tuple[int, ...]]:
        """Return a part that is read along contracted axes, which come last, and the places of those axes."""
        count = len(self.required(name).contracted_axes)
        return self.aligned(name), tuple(range(-count, 0))

    def constant(self, name: str, missing: float) -> float:
        """Return one of the operation's constants."""
        return float(self.op.constants.get(name, missing))


def inputs_of(graph: Graph, op: Op, axes: tuple[str, ...], box: Box, reading: Reading, cells: Cells) -> Inputs:
    """Gather all that an operation reads for a box of its output."""
    at = dict(zip(axes, box, strict=True))
    return Inputs(op, axes, at, tuple(gather(graph, read, at, reading, cells) for read in op.reads))


def beside_rows(values: Tensor, free: tuple[int, ...]) -> Tensor:
    """Give one number a row the row's contracted axes, each of size 1, so that it broadcasts along them."""
    return values.reshape(*values.shape, *(1 for _ in free))
