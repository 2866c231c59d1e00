"""`maximum`: the largest of a row, which softmax takes away first so that no exponential overflows.

softmax.maximum[head, query_pos] = max_key_pos attn_scores[head, query_pos, key_pos]
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands
from .operation import Names, Operation
from .summands import Terms, row_terms


def _evaluate(given: Inputs) -> Tensor:
    row, free = given.rows()
    return row.amax(free)


def _terms(given: Inputs) -> Terms:
    return row_terms(given, "largest", lambda row: row)


def _latex(op: Op, o: Operands) -> str:
    return o.over(r"\max", lambda t: t.part("input"))


def _sentence(op: Op, names: Names) -> str:
    return f"The largest of {names.inputs[0]} over {names.over}."


OPERATION = Operation("maximum", _evaluate, _terms, _latex, _sentence)
