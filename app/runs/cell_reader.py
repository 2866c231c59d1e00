"""Reads the numbers of any box of any tensor: a run's from its recorder, a weight's from its model.

cells = CellReader(model, graph, recorder)
cells("logits", (range(3, 4), range(0, 5)))  # [1, 5]: position 3, the first five tokens
"""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from torch import Tensor

from ..transformer.cells import Box
from ..transformer.graph import Graph
from ..transformer.model import Transformer
from .recorder import Recorder

# Tables that follow from a formula are made once for a model, not once for every number that is asked for.
_tables: WeakKeyDictionary[Transformer, dict[str, Tensor]] = WeakKeyDictionary()


class NotHeldError(KeyError):
    """A tensor of which nothing, or not enough, was captured; the argument is its name."""


class CellReader:
    """What equations are given to read: see `app/transformer/operations/inputs.py`, `Cells`."""

    def __init__(self, model: Transformer, graph: Graph, recorder: Recorder) -> None:
        """Read what `recorder` holds, and the weights of `model`."""
        self._model, self._graph, self._recorder = model, graph, recorder

    def __call__(self, name: str, box: Box) -> Tensor:
        """Read a box of a tensor, in the precision in which it is held, in the memory where equations compute.

        Raises:
            NotHeldError: the run does not hold it.
        """
        if self._graph.tensor(name).role == "weight":
            return weight_of(self._model, self._graph, name)[slices(box)].cpu()
        axis = self._recorder.row_axis(name)
        rows = box[axis]
        try:
            values = self._recorder.read(name, rows.start, rows.stop)
        except KeyError as error:
            raise NotHeldError(name) from error
        within = [range(len(rows)) if number == axis else part for number, part in enumerate(box)]
        return values[slices(within)].cpu()


def weight_of(model: Transformer, graph: Graph, name: str) -> Tensor:
    """Return a weight, or a table that stands for one."""
    if graph.tensor(name).learned:
        return model.weight(name).detach()
    tables = _tables.setdefault(model, {})
    if name not in tables:
        tables[name] = model.weight(name).detach()
    return tables[name]


def slices(box: Sequence[range]) -> tuple[slice, ...]:
    """Turn a box into what tensors are indexed with."""
    return tuple(slice(part.start, part.stop) for part in box)
