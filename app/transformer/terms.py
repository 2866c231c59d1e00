"""The terms of one cell: what is done to each number that is read before they are put together, and the largest.

The terms of two cells that are made alike can be laid side by side: where they differ, term by term, is where the
cells do.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import torch
from torch import Tensor

from .cells import Reading, contracted
from .equations import FORMULAS, Cells, Gathered, Inputs, inputs_of, partner_sign
from .graph import Free, Graph, Op

Combine = Literal["sum", "root", "divisor", "largest"]


@dataclass(frozen=True)
class Cell:
    """One cell and its number."""

    tensor: str
    index: tuple[int, ...]
    value: float


@dataclass(frozen=True)
class Term:
    """What one term comes to, and the cells it is made of."""

    cells: tuple[Cell, ...]
    value: float


@dataclass(frozen=True)
class Arithmetic:
    """How a cell came to be. `combine` says how `terms` make the result: see `Explanation` in
    `app/runs/explanation.py`.

    `count`, `total` and `magnitude` are the number of all terms, their sum, and the sum of their sizes; `terms` are
    the largest of them.
    """

    combine: Combine | None
    terms: tuple[Term, ...]
    count: int
    total: float
    magnitude: float
    bias: float | None
    scale: float | None
    result: float


@dataclass(frozen=True)
class _Terms:
    """All terms of one cell, along the contracted axes of the reads that they are made of, or one by one."""

    combine: Combine | None
    values: Tensor
    reads: tuple[Gathered, ...]
    axes: tuple[str, ...]
    listed: tuple[tuple[Gathered, ...], ...] = ()

    def term(self, place: int) -> Term:
        """The one at a place of the terms laid in a row."""
        return Term(_cells_of(self, place), float(self.values.flatten()[place]))


@dataclass(frozen=True)
class Pairing:
    """The terms of two cells side by side, those first that differ most.

    `count` is how many pairs there are, `rest` what those that are not listed sum up to, on either side.
    """

    pairs: tuple[tuple[Term, Term], ...]
    count: int
    rest: tuple[float, float]


class Made:
    """One cell of an operation's output: how it came to be, from the numbers that it reads."""

    def __init__(self, graph: Graph, op: Op, reading: Reading, cells: Cells, index: Sequence[int]) -> None:
        """Bring together what the cell reads."""
        box = tuple(range(i, i + 1) for i in index)
        self._given = inputs_of(graph, op, graph.tensor(op.output).axes, box, reading, cells)
        self._found = _terms(self._given)

    def arithmetic(self, limit: int) -> Arithmetic:
        """The result in float64, and the `limit` largest terms."""
        op, found = self._given.op, self._found
        flat = found.values.flatten()
        order = flat if found.combine == "largest" else flat.abs()
        chosen = order.topk(min(limit, len(flat))).indices.tolist()
        bias = self._given.part("bias")
        return Arithmetic(
            found.combine,
            tuple(map(found.term, chosen)),
            len(flat),
            float(flat.sum()),
            float(flat.abs().sum()),
            float(bias.values) if bias is not None and op.kind in ("einsum", "affine") else None,
            float(op.constants["scale"]) if "scale" in op.constants else None,
            float(FORMULAS[op.kind](self._given)),
        )

    def beside(self, other: "Made", limit: int) -> Pairing | None:
        """Its terms and another cell's, one to one; None unless both are sums of the same form."""
        one, two = self._found, other._found
        alike = self._given.op.kind == other._given.op.kind and one.combine == two.combine == "sum"
        if not alike or one.values.shape != two.values.shape:
            return None
        left, right = one.values.flatten(), two.values.flatten()
        chosen = (left - right).abs().topk(min(limit, len(left))).indices
        others = torch.ones_like(left, dtype=torch.bool)
        others[chosen] = False
        return Pairing(
            tuple((one.term(place), two.term(place)) for place in chosen.tolist()),
            len(left),
            (float(left[others].sum()), float(right[others].sum())),
        )


def _terms(given: Inputs) -> _Terms:
    """The terms, as each kind of operation has them: what is done to each cell before they are put together."""
    first = given.reads[0]
    match given.op.kind:
        case "einsum":
            factors = tuple(gathered for gathered in given.reads if gathered.read.part == "input")
            axes = tuple(dict.fromkeys(axis for factor in factors for axis in factor.contracted_axes))
            laid = [factor.along((*given.axes, *axes)).flatten(0, len(given.axes) - 1)[0] for factor in factors]
            return _Terms("sum", reduce(torch.mul, laid) * given.constant("scale", 1.0), factors, axes)
        case "mean":
            return _row(given, "sum", lambda row: row / row.numel())
        case "deviation":
            mean = float(given.laid("mean"))
            return _row(given, "root", lambda row: (row - mean).square() / row.numel())
        case "root_mean_square":
            return _row(given, "root", lambda row: row.square() / row.numel())
        case "maximum":
            return _row(given, "largest", lambda row: row)
        case "sum_exponentials":
            largest = float(given.laid("maximum"))
            return _row(given, "sum", lambda row: (row - largest).exp())
        case "softmax" if given.part("row") is not None:
            return _row(given, "divisor", lambda row: (row - row.max()).exp(), "row")
        case "add":
            return _listed("sum", [((gathered,), _one(gathered)) for gathered in given.reads])
        case "embed":
            return _listed("sum", [((first,), _one(first) * given.constant("scale", 1.0))])
        case "mask" if first.allowed is None or bool(first.allowed):
            return _listed("sum", [((first,), _one(first))])
        case "multiply":
            return _listed("sum", [(given.reads, math.prod(_one(gathered) for gathered in given.reads))])
        case "affine":
            gain = _named(given, "gain")
            value = _one(first) * (_one(gain) + given.constant("offset", 0.0))
            return _listed("sum", [((first, gain), value)])
        case "normalize":
            scale = _named(given, "scale")
            centre = [given.part("mean")] if given.part("mean") else []
            parts = [((first, scale), _one(first) / _one(scale))]
            parts += [((mean, scale), -_one(mean) / _one(scale)) for mean in centre if mean is not None]
            return _listed("sum", parts)
        case "rotate":
            partner, sine = _named(given, "partner"), _named(given, "sine")
            parts = [((first, _named(given, "cosine")), _one(first) * float(given.laid("cosine")))]
            if partner.allowed is None or bool(partner.allowed):
                parts.append(((partner, sine), float(partner_sign(given)) * _one(partner) * _one(sine)))
            return _listed("sum", parts)
    return _Terms(None, torch.zeros(0, dtype=torch.float64), (), ())


def _row(given: Inputs, combine: Combine, each: Callable[[Tensor], Tensor], part: str = "input") -> _Terms:
    row = _named(given, part)
    values = row.along((*given.axes, *row.contracted_axes)).flatten(0, len(given.axes) - 1)[0]
    return _Terms(combine, each(values), (row,), row.contracted_axes)


def _listed(combine: Combine, parts: Iterable[tuple[tuple[Gathered, ...], float]]) -> _Terms:
    found = list(parts)
    values = torch.tensor([value for _, value in found], dtype=torch.float64)
    return _Terms(combine, values, (), (), tuple(reads for reads, _ in found))


def _named(given: Inputs, part: str) -> Gathered:
    found = given.part(part)
    assert found is not None, f"{given.op.output} reads no {part}"
    return found


def _one(gathered: Gathered) -> float:
    return float(gathered.values)


def _cells_of(found: _Terms, place: int) -> tuple[Cell, ...]:
    """The cells of the term at `place`: its place along the contracted axes, put into the reads' expressions."""
    if found.listed:
        return tuple(_cell_of(gathered, {}) for gathered in found.listed[place])
    along = {}
    for axis, size in zip(reversed(found.axes), reversed(found.values.shape), strict=True):
        place, along[axis] = divmod(place, size)
    return tuple(_cell_of(gathered, along) for gathered in found.reads)


def _cell_of(gathered: Gathered, along: Mapping[str, int]) -> Cell:
    index = tuple(
        along[contracted(expression.free)] if isinstance(expression, Free) else int(place)
        for expression, (place, _) in zip(gathered.read.index, gathered.places, strict=True)
    )
    value = gathered.values[tuple(along.get(axis, 0) for axis in gathered.axes)]
    return Cell(gathered.read.tensor, index, float(value))
