"""Which cells a cell is computed from, and which it goes into: both from the graph's index expressions alone.

A read names one index expression per axis. Taken forwards, from ranges of the output's axes to indices of the
tensor read, they say what is read; solved for the output's axes, they say what a cell feeds. Cells are answered as
boxes, since a contracted axis is read whole. `frontend/src/graph/cells.ts` gives the same answers in the page;
`tests/fixtures/cells.json` holds both to them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .graph import TOKEN_AXES, Axis, Bucket, Constant, Free, Graph, Index, Lookup, Op, Pair, Read, TensorInfo
from .positions import distance_buckets

Box = tuple[range, ...]
Ranges = dict[str, range]


@dataclass(frozen=True)
class Reading:
    """What the graph alone does not know: how many tokens there are, and which.

    `tokens` holds the ids by the name that look-ups use, `tokens`, `source_tokens` and `token_types`; a name that is
    missing is not known, and the cells that depend on it are given as if every token were looked up (see
    `Fed.condition`).
    """

    positions: int
    source_positions: int = 0
    tokens: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take every token for one of the first kind, where tokens are known and their kinds are not said."""
        if self.tokens and "token_types" not in self.tokens:
            object.__setattr__(self, "tokens", {**self.tokens, "token_types": [0] * self.positions})

    def shape(self, graph: Graph, tensor: TensorInfo) -> list[int]:
        """Return the tensor's shape in this reading; a weight's does not depend on it."""
        if tensor.role == "weight":
            return graph.shape(tensor)
        return [
            (self.source_positions if axis in tensor.source_axes else self.positions) if axis in TOKEN_AXES else size
            for axis, size in zip(tensor.axes, graph.shape(tensor), strict=True)
        ]


@dataclass(frozen=True)
class CellBox:
    """Cells of a tensor, one range per axis, and what they are to the operation that reads them."""

    tensor: str
    box: Box
    part: str
    read: Read
    op: Op
    condition: str | None = None


# ---- what a cell reads ------------------------------------------------------------------------------------------


def cells_read(graph: Graph, tensor: str, index: Sequence[int], reading: Reading) -> list[CellBox]:
    """List the cells that one cell is computed from. Empty for weights and for what a mask hides."""
    op = graph.op_making(stored_as(graph, tensor).name)
    if op is None:
        return []
    at = {axis: range(i, i + 1) for axis, i in zip(graph.tensor(op.output).axes, index, strict=True)}
    found = []
    for read in op.reads:
        if all(comparison.holds(at) for comparison in comparisons(read.where)):
            box = read_box(graph, read, at, reading)
            found.append(CellBox(read.tensor, box, read.part, read, op))
    return found


def read_box(graph: Graph, read: Read, at: Mapping[str, range], reading: Reading) -> Box:
    """Return the smallest box around the cells read for the output cells `at`."""
    places = read_indices(graph, read, at, reading)
    return tuple(range(int(place.min()), int(place.max()) + 1) for place, _ in places)


def read_indices(
    graph: Graph, read: Read, at: Mapping[str, range], reading: Reading
) -> list[tuple[Tensor, tuple[str, ...]]]:
    """List, for each axis of the tensor read, the indices along it and the names of the axes that they vary over.

    Output axes keep their names; a contracted axis is called `sum axis`, for it may share its name with one of the
    output's.
    """
    shape = reading.shape(graph, graph.tensor(read.tensor))
    return [_indices(expression, size, at, reading) for expression, size in zip(read.index, shape, strict=True)]


def contracted(axis: str) -> str:
    """Name a contracted axis beside the output's axes."""
    return f"sum {axis}"


def _indices(expression: Index, size: int, at: Mapping[str, range], reading: Reading) -> tuple[Tensor, tuple[str, ...]]:
    match expression:
        case Axis(axis=axis, divide=n):
            return _along(at[axis]) // n, (axis,)
        case Free(free=axis):
            return torch.arange(size), (contracted(axis),)
        case Constant(constant=value):
            return torch.tensor(value), ()
        case Pair(pair=axis):
            return partner(_along(at[axis]), expression), (axis,)
        case Lookup(lookup=name, index=(Axis(axis=axis),)):
            return torch.as_tensor(reading.tokens[name], dtype=torch.long)[_along(at[axis])], (axis,)
        case Bucket(bucket=(query, key)):
            distance = _along(at[key])[None, :] - _along(at[query])[:, None]  # [query_pos, key_pos]
            buckets = distance_buckets(distance, expression.buckets, expression.max_distance, expression.bidirectional)
            return buckets, (query, key)
    raise ValueError(f"{expression} is not in the grammar of reads")


def _along(indices: range) -> Tensor:
    return torch.arange(indices.start, indices.stop)


def partner(indices: Tensor, pair: Pair) -> Tensor:
    """Return the other of each pair; an index in no pair is its own."""
    half = pair.size // 2
    other = indices ^ 1 if pair.layout == "interleaved" else torch.where(indices < half, indices + half, indices - half)
    return torch.where(indices < pair.size, other, indices)


def comes_first(indices: Tensor, pair: Pair) -> Tensor:
    """Tell whether an index is the first of its pair."""
    return indices % 2 == 0 if pair.layout == "interleaved" else indices < pair.size // 2


# ---- conditions -------------------------------------------------------------------------------------------------

_COMPARISON = re.compile(r"(\w+) (<=|<|>) (?:(\d+)|(\w+)(?: - (\d+))?)")


@dataclass(frozen=True)
class Comparison:
    """One part of a condition: `left <= right`, `left > right - minus`, or `left < minus` where right is None."""

    left: str
    relation: str
    right: str | None
    minus: int

    def holds(self, at: Mapping[str, range]) -> bool:
        """Tell whether it holds at the first cell of the ranges."""
        return self._compare(at[self.left].start, at[self.right].start if self.right else 0)

    def table(self, at: Mapping[str, range]) -> tuple[Tensor, tuple[str, ...]]:
        """Tabulate where it holds over all cells of the ranges: `[left]`, or `[left, right]`."""
        left = _along(at[self.left])
        if self.right is None:
            return left < self.minus, (self.left,)
        right = _along(at[self.right])[None, :]
        left = left[:, None]
        return left <= right if self.relation == "<=" else left > right - self.minus, (self.left, self.right)

    def _compare(self, left: int, right: int) -> bool:
        if self.right is None:
            return left < self.minus
        return left <= right if self.relation == "<=" else left > right - self.minus

    def narrow(self, at: Ranges) -> Iterator[Ranges]:
        """Narrow the ranges to where it holds, cut apart where its axes hang together."""
        left = at[self.left]
        if self.right is None:
            kept = [{**at, self.left: range(left.start, min(left.stop, self.minus))}]
        elif len(left) == 1:
            right = at[self.right]
            kept = [{**at, self.right: self._rights_of(left.start, right)}]
        else:
            kept = [{**at, self.left: self._lefts_of(i, left), self.right: range(i, i + 1)} for i in at[self.right]]
        return (ranges for ranges in kept if all(ranges.values()))

    def _rights_of(self, left: int, right: range) -> range:
        if self.relation == "<=":
            return range(max(right.start, left), right.stop)
        return range(right.start, min(right.stop, left + self.minus))

    def _lefts_of(self, right: int, left: range) -> range:
        if self.relation == "<=":
            return range(left.start, min(left.stop, right + 1))
        return range(max(left.start, right - self.minus + 1), left.stop)

    def __str__(self) -> str:
        right = str(self.minus) if self.right is None else self.right
        return f"{self.left} {self.relation} {right}" + (f" - {self.minus}" if self.right and self.minus else "")


def comparisons(where: str | None) -> list[Comparison]:
    """Split a condition into its comparisons.

    Raises:
        ValueError: it is none of the three that reads may have.
    """
    found = []
    for part in where.split(" and ") if where else []:
        match = _COMPARISON.fullmatch(part)
        if match is None:
            raise ValueError(f"cannot read the condition {part!r}")
        left, relation, number, right, minus = match.groups()
        if (relation == "<") != (number is not None) or (relation == "<=" and minus):
            raise ValueError(f"cannot read the condition {part!r}")
        found.append(Comparison(left, relation, right, int(number or minus or 0)))
    return found


# ---- what a cell feeds ------------------------------------------------------------------------------------------


def cells_fed(graph: Graph, tensor: str, index: Sequence[int], reading: Reading) -> list[CellBox]:
    """List the cells that one cell goes into, one operation further on, under whichever of its names they read it."""
    stored = stored_as(graph, tensor)
    place = tuple(reversed(index)) if turned(graph, tensor) else tuple(index)
    found = []
    for op in graph.ops:
        for read in op.reads:
            if stored_as(graph, read.tensor).name == stored.name:
                own = tuple(reversed(place)) if turned(graph, read.tensor) else place
                found += _outputs(graph, op, read, own, reading)
    return found


def _outputs(graph: Graph, op: Op, read: Read, index: Sequence[int], reading: Reading) -> list[CellBox]:
    """Find the cells of an operation's output that read this cell: its expressions, solved for the output's axes."""
    output = graph.tensor(op.output)
    sizes = zip(output.axes, reading.shape(graph, output), strict=True)
    solutions: list[Ranges] = [{axis: range(size) for axis, size in sizes}]
    conditions = []
    for expression, wanted in zip(read.index, index, strict=True):
        if isinstance(expression, Lookup) and expression.lookup not in reading.tokens:
            conditions.append(f"{expression.lookup}[{expression.index[0].axis}] = {wanted}")
        else:
            solutions = [narrowed for at in solutions for narrowed in _solve(expression, wanted, at, reading)]
    for comparison in comparisons(read.where):
        solutions = [narrowed for at in solutions for narrowed in comparison.narrow(at)]
    condition = " and ".join(conditions) or None
    return [
        CellBox(op.output, tuple(at[axis] for axis in output.axes), read.part, read, op, condition)
        for at in solutions
        if all(at.values())
    ]


def _solve(expression: Index, wanted: int, at: Ranges, reading: Reading) -> Iterator[Ranges]:
    """Find the parts of `at` in which an expression comes to the index that is wanted."""
    match expression:
        case Axis(axis=axis, divide=n):
            yield {**at, axis: _meet(at[axis], range(wanted * n, (wanted + 1) * n))}
        case Free():
            yield at
        case Constant(constant=value):
            if value == wanted:
                yield at
        case Pair(pair=axis, size=size):
            if wanted < size:
                other = int(partner(torch.tensor(wanted), expression))
                yield {**at, axis: _meet(at[axis], range(other, other + 1))}
        case Lookup(lookup=name, index=(Axis(axis=axis),)):
            tokens = torch.as_tensor(reading.tokens[name], dtype=torch.long)[_along(at[axis])]
            yield from ({**at, axis: run} for run in _runs(tokens == wanted, at[axis].start))
        case Bucket(bucket=(query, key)):
            found, _ = _indices(expression, 0, at, reading)
            for place, row in zip(at[query], found == wanted, strict=True):
                yield from ({**at, query: range(place, place + 1), key: run} for run in _runs(row, at[key].start))
        case _:
            raise ValueError(f"{expression} is not in the grammar of reads")


def _meet(one: range, other: range) -> range:
    return range(max(one.start, other.start), min(one.stop, other.stop))


def _runs(true: Tensor, start: int) -> Iterator[range]:
    """Find the stretches over which a row of truth values is true, counted from `start`."""
    places = true.nonzero().flatten().tolist()
    first = 0
    for i in range(1, len(places) + 1):
        if i == len(places) or places[i] != places[i - 1] + 1:
            yield range(start + places[first], start + places[i - 1] + 1)
            first = i


# ---- names ------------------------------------------------------------------------------------------------------


def stored_as(graph: Graph, name: str) -> TensorInfo:
    """Find the tensor that holds the numbers of `name`: itself, or the one that it is another name of."""
    tensor = graph.tensor(name)
    return tensor if tensor.same_as is None else stored_as(graph, tensor.same_as)


def turned(graph: Graph, name: str) -> bool:
    """Tell whether its two axes are swapped in the tensor that holds its numbers."""
    tensor = graph.tensor(name)
    return tensor.same_as is not None and tensor.transposed != turned(graph, tensor.same_as)
