"""`sum_exponentials`: the sum of a row's exponentials, by which softmax divides.

softmax.sum[head, query_pos] = Σ_key_pos e^(attn_scores[head, query_pos, key_pos] − maximum[head, query_pos])
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs, beside_rows
from .notation import Operands
from .operation import Names, Operation, Playback
from .summands import Terms, row_terms


def _evaluate(given: Inputs) -> Tensor:
    row, free = given.rows()
    return (row - beside_rows(given.aligned("maximum"), free)).exp().sum(free)


def _terms(given: Inputs) -> Terms:
    largest = float(given.aligned("maximum"))
    return row_terms(given, "sum", lambda row: (row - largest).exp())


def _latex(op: Op, o: Operands) -> str:
    return o.over(r"\sum", lambda t: rf"e^{{{t.part('input')} - {o.part('maximum')}}}")


def _sentence(op: Op, names: Names) -> str:
    return f"The sum over {names.over} of e to the power of {names.inputs[0]} less the largest of them."


def _playback(given: Inputs, result: float) -> Playback:
    return Playback("Less the largest of them, each becomes e to that power", "−")


OPERATION = Operation("sum_exponentials", _evaluate, _terms, _latex, _sentence, _playback)
