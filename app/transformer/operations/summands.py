"""The terms of one cell: what becomes of each number that is read before they are put together.

An `einsum` of 48 inputs has 48 terms, each a product of two cells; an `add` has one a read; an `activation` has
none, its formula alone makes the cell.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..cells import contracted
from ..graph import Free
from .inputs import Gathered, Inputs

# How terms make the result: `root`: it is the root of their sum and epsilon; `divisor`: their sum divides it;
# `largest`: the largest is it.
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
class Terms:
    """All terms of one cell, along the contracted axes of the reads that they are made of, or one by one.

    `values` has the terms' numbers. They run along `axes`, the cells coming from `reads`; or they are `listed`, each
    with the reads that it is made of. `bias` is added to their sum.
    """

    combine: Combine | None
    values: Tensor
    reads: tuple[Gathered, ...] = ()
    axes: tuple[str, ...] = ()
    listed: tuple[tuple[Gathered, ...], ...] = ()
    bias: Gathered | None = None

    def term(self, place: int) -> Term:
        """Return the term at a place of `values`, flattened."""
        return Term(self._cells(place), float(self.values.flatten()[place]))

    def _cells(self, place: int) -> tuple[Cell, ...]:
        """List the term's cells: its place along the contracted axes, put into the reads' index expressions."""
        if self.listed:
            return tuple(_cell_of(gathered, {}) for gathered in self.listed[place])
        along = {}
        for axis, size in zip(reversed(self.axes), reversed(self.values.shape), strict=True):
            place, along[axis] = divmod(place, size)
        return tuple(_cell_of(gathered, along) for gathered in self.reads)


def no_terms(given: Inputs) -> Terms:
    """Return no terms: the formula alone makes the cell."""
    return Terms(None, torch.zeros(0, dtype=torch.float64))


def row_terms(given: Inputs, combine: Combine, each: Callable[[Tensor], Tensor], part: str = "input") -> Terms:
    """Make a term of every cell of a row: `each` takes the row and returns the terms' numbers."""
    row = given.required(part)
    # (output axes of size 1, contracted axes) -> (contracted axes)
    values = row.along((*given.axes, *row.contracted_axes)).flatten(0, len(given.axes) - 1)[0]
    return Terms(combine, each(values), (row,), row.contracted_axes)


def listed_terms(parts: Iterable[tuple[tuple[Gathered, ...], float]], bias: Gathered | None = None) -> Terms:
    """Make a sum of a few terms, each given by the reads that it is made of and by its number."""
    found = list(parts)
    values = torch.tensor([value for _, value in found], dtype=torch.float64)
    return Terms("sum", values, listed=tuple(reads for reads, _ in found), bias=bias)


def only(gathered: Gathered) -> float:
    """Return the number of a read that brings a single cell."""
    return float(gathered.values)


def _cell_of(gathered: Gathered, along: Mapping[str, int]) -> Cell:
    index = tuple(
        along[contracted(expression.free)] if isinstance(expression, Free) else int(place)
        for expression, (place, _) in zip(gathered.read.index, gathered.places, strict=True)
    )
    value = gathered.values[tuple(along.get(axis, 0) for axis in gathered.axes)]
    return Cell(gathered.read.tensor, index, float(value))
