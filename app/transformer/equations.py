"""What every operation computes, in float64, from its reads and constants alone.

One formula a kind of operation: that is all that is known of it here. Which cells go into the formula, and along
which axes, the graph's reads say. `evaluate` computes any box of an operation's output, the whole tensor or one
cell; `terms.py` lists the terms of one cell. Nothing is shared with `model.py`, so that each can prove the other.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from .cells import Box, Reading, comes_first, comparisons, contracted, read_indices
from .graph import Free, Graph, Op, OpKind, Pair, Read

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
        """The numbers laid along `axes`, so that they broadcast with others laid so."""
        return _lay(self.values, self.axes, axes)

    @property
    def contracted_axes(self) -> tuple[str, ...]:
        """Those of its axes that the output does not have."""
        return tuple(contracted(index.free) for index in self.read.index if isinstance(index, Free))


def _lay(values: Tensor, present: Sequence[str], axes: Sequence[str]) -> Tensor:
    ordered = values.permute([present.index(axis) for axis in axes if axis in present])
    return ordered[tuple(slice(None) if axis in present else None for axis in axes)]


def gather(graph: Graph, read: Read, at: Mapping[str, range], reading: Reading, cells: Cells) -> Gathered:
    """The cells that one read brings to the output cells `at`."""
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
        values = values.reshape(*values.shape[:axis], *place.shape, *values.shape[axis + 1 :])
        axes += names
    allowed = None
    for comparison in comparisons(read.where):
        table, names = comparison.table(at)
        laid = _lay(table, names, axes).to(values.device)
        allowed = laid if allowed is None else allowed & laid
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
        """The read that is this to the operation, if it has one."""
        return next((gathered for gathered in self.reads if gathered.read.part == name), None)

    def laid(self, name: str, missing: float = 0.0) -> Tensor:
        """A part's numbers along the output's axes, contracted ones after them."""
        gathered = self.part(name)
        if gathered is None:
            return torch.tensor(missing, dtype=torch.float64)
        return gathered.along((*self.axes, *gathered.contracted_axes))

    def rows(self, name: str = "input") -> tuple[Tensor, tuple[int, ...]]:
        """A part that is read along contracted axes, which come last: the numbers, and where those axes are."""
        gathered = self.part(name)
        assert gathered is not None
        count = len(gathered.contracted_axes)
        return self.laid(name), tuple(range(-count, 0))

    def constant(self, name: str, missing: float) -> float:
        """One of the operation's constants."""
        return float(self.op.constants.get(name, missing))


def evaluate(graph: Graph, op: Op, reading: Reading, cells: Cells, box: Box | None = None) -> Tensor:
    """An operation's output in float64, whole or at the cells of a box, along the output's axes."""
    output = graph.tensor(op.output)
    box = box or tuple(range(size) for size in reading.shape(graph, output))
    inputs = inputs_of(graph, op, output.axes, box, reading, cells)
    return FORMULAS[op.kind](inputs).expand([len(part) for part in box])


def inputs_of(graph: Graph, op: Op, axes: tuple[str, ...], box: Box, reading: Reading, cells: Cells) -> Inputs:
    """All that an operation reads for a box of its output."""
    at = dict(zip(axes, box, strict=True))
    return Inputs(op, axes, at, tuple(gather(graph, read, at, reading, cells) for read in op.reads))


# ---- the formulas -----------------------------------------------------------------------------------------------


def _embed(given: Inputs) -> Tensor:
    return given.laid("input") * given.constant("scale", 1.0)


def _add(given: Inputs) -> Tensor:
    return reduce(torch.add, [gathered.along(given.axes) for gathered in given.reads])


def _mean(given: Inputs) -> Tensor:
    row, free = given.rows()
    return row.mean(free)


def _deviation(given: Inputs) -> Tensor:
    """Ba et al. 2016, eq. 4, with epsilon under the root."""
    row, free = given.rows()
    centred = row - _beside(given.laid("mean"), free)
    return (centred.square().mean(free) + given.constant("epsilon", 0.0)).sqrt()


def _root_mean_square(given: Inputs) -> Tensor:
    """Zhang & Sennrich 2019, eq. 4, with epsilon under the root."""
    row, free = given.rows()
    return (row.square().mean(free) + given.constant("epsilon", 0.0)).sqrt()


def _normalize(given: Inputs) -> Tensor:
    return (given.laid("input") - given.laid("mean")) / given.laid("scale")


def _affine(given: Inputs) -> Tensor:
    return given.laid("input") * (given.laid("gain") + given.constant("offset", 0.0)) + given.laid("bias")


def _einsum(given: Inputs) -> Tensor:
    factors = [gathered for gathered in given.reads if gathered.read.part == "input"]
    names = dict.fromkeys([*given.axes, *(axis for factor in factors for axis in factor.axes)])
    letters = {axis: chr(ord("a") + number) for number, axis in enumerate(names)}
    written = ",".join("".join(letters[axis] for axis in factor.axes) for factor in factors)
    kept = [axis for axis in given.axes if any(axis in factor.axes for factor in factors)]
    target = "".join(letters[axis] for axis in kept)
    product = torch.einsum(f"{written}->{target}", *[factor.values for factor in factors])
    return _lay(product, kept, given.axes) * given.constant("scale", 1.0) + given.laid("bias")


def _rotate(given: Inputs) -> Tensor:
    """Su et al. 2021, eq. 34: of each pair the first takes away its partner times the sine, the second adds it."""
    turned = given.laid("input") * given.laid("cosine")
    return turned + partner_sign(given) * given.laid("partner") * given.laid("sine")


def partner_sign(given: Inputs) -> Tensor:
    """Minus one where an index is the first of its pair, and one where it is the second."""
    found = given.part("partner")
    assert found is not None
    pair = next(index for index in found.read.index if isinstance(index, Pair))
    indices = torch.tensor(given.at[pair.pair])
    signs = torch.where(comes_first(indices, pair), -1.0, 1.0).double().to(found.values.device)
    return _lay(signs, (pair.pair,), given.axes)


def _mask(given: Inputs) -> Tensor:
    read = given.reads[0]
    values = read.along(given.axes)
    return values if read.allowed is None else values.masked_fill(~_lay(read.allowed, read.axes, given.axes), -math.inf)


def _maximum(given: Inputs) -> Tensor:
    row, free = given.rows()
    return row.amax(free)


def _sum_exponentials(given: Inputs) -> Tensor:
    row, free = given.rows()
    return (row - _beside(given.laid("maximum"), free)).exp().sum(free)


def _softmax(given: Inputs) -> Tensor:
    if given.part("row") is None:
        return (given.laid("input") - given.laid("maximum")).exp() / given.laid("sum")
    row, free = given.rows("row")
    largest = row.amax(free)
    return (given.laid("input") - largest).exp() / (row - _beside(largest, free)).exp().sum(free)


def _activation(given: Inputs) -> Tensor:
    return ACTIVATIONS[str(given.op.constants["function"])](given.laid("input"))


def _multiply(given: Inputs) -> Tensor:
    return reduce(torch.mul, [gathered.along(given.axes) for gathered in given.reads])


def _beside(values: Tensor, free: tuple[int, ...]) -> Tensor:
    """One number a row, laid beside the row's contracted axes."""
    return values.reshape(*values.shape, *(1 for _ in free))


def _gelu(x: Tensor) -> Tensor:
    """Hendrycks & Gimpel 2016, section 2: x times the normal distribution's share below x."""
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def _gelu_new(x: Tensor) -> Tensor:
    """The same, approximated (Hendrycks & Gimpel 2016, section 2)."""
    return x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": _gelu,
    "gelu_new": _gelu_new,
    "relu": lambda x: x.clamp(min=0),
    "silu": lambda x: x / (1 + torch.exp(-x)),
}
FORMULAS: dict[OpKind, Callable[[Inputs], Tensor]] = {
    "embed": _embed,
    "add": _add,
    "mean": _mean,
    "deviation": _deviation,
    "root_mean_square": _root_mean_square,
    "normalize": _normalize,
    "affine": _affine,
    "einsum": _einsum,
    "rotate": _rotate,
    "mask": _mask,
    "maximum": _maximum,
    "sum_exponentials": _sum_exponentials,
    "softmax": _softmax,
    "activation": _activation,
    "multiply": _multiply,
}
