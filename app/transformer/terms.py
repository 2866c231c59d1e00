"""The arithmetic of one cell: its number in float64, its largest terms, and how it is played.

    CellArithmetic(graph, op, reading, cells, index=(3, 1, 5)).summary(limit=8).terms

The terms of two cells that are made alike can be laid side by side: where they differ, term by term, is where the
cells do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from .cells import Reading
from .graph import Graph, Op
from .operations import OPERATIONS
from .operations.inputs import Cells, inputs_of
from .operations.operation import Playback
from .operations.summands import Combine, Term


@dataclass(frozen=True)
class Arithmetic:
    """How a cell is made. `combine` says how `terms` make the result: see `Explanation` in
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
class Pairing:
    """The terms of two cells side by side, those first that differ most.

    `count` is how many pairs there are, `rest` what those that are not listed sum up to, on either side.
    """

    pairs: tuple[tuple[Term, Term], ...]
    count: int
    rest: tuple[float, float]


class CellArithmetic:
    """One cell of an operation's output, from the numbers that it reads."""

    def __init__(self, graph: Graph, op: Op, reading: Reading, cells: Cells, index: Sequence[int]) -> None:
        """Gather what the cell reads."""
        box = tuple(range(i, i + 1) for i in index)
        self._operation = OPERATIONS[op.kind]
        self._inputs = inputs_of(graph, op, graph.tensor(op.output).axes, box, reading, cells)
        self._terms = self._operation.terms(self._inputs)

    def summary(self, limit: int) -> Arithmetic:
        """Compute the result in float64, and the `limit` largest terms."""
        op, found = self._inputs.op, self._terms
        flat = found.values.flatten()
        order = flat if found.combine == "largest" else flat.abs()
        chosen = order.topk(min(limit, len(flat))).indices.tolist()
        return Arithmetic(
            found.combine,
            tuple(map(found.term, chosen)),
            len(flat),
            float(flat.sum()),
            float(flat.abs().sum()),
            None if found.bias is None else float(found.bias.values),
            float(op.constants["scale"]) if "scale" in op.constants else None,
            self._result(),
        )

    def playback(self) -> Playback:
        """Say how the page plays the cell."""
        return self._operation.playback(self._inputs, self._result())

    def _result(self) -> float:
        return float(self._operation.evaluate(self._inputs))

    def beside(self, other: "CellArithmetic", limit: int) -> Pairing | None:
        """Pair its terms with another cell's, one to one; None unless both are sums of the same form."""
        one, two = self._terms, other._terms
        alike = self._operation is other._operation and one.combine == two.combine == "sum"
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
