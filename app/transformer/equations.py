"""Evaluate operations in float64 from their reads alone, the whole output or any box of it.

    evaluate(graph, graph.op_making("blocks.0.attn.hook_q"), reading, cells, box=(range(3, 4), range(1), range(16)))

Nothing is shared with `model.py`, so that each can prove the other: `app/runs/self_check.py` does.
"""

from torch import Tensor

from .cells import Box, Reading
from .graph import Graph, Op
from .operations import OPERATIONS
from .operations.inputs import Cells, inputs_of


def evaluate(graph: Graph, op: Op, reading: Reading, cells: Cells, box: Box | None = None) -> Tensor:
    """Compute an operation's output in float64, whole or at the cells of a box, along the output's axes."""
    output = graph.tensor(op.output)
    box = box or tuple(range(size) for size in reading.shape(graph, output))
    inputs = inputs_of(graph, op, output.axes, box, reading, cells)
    return OPERATIONS[op.kind].evaluate(inputs).expand([len(part) for part in box])
