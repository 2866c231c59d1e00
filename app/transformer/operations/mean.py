"""`mean`: the mean of a row, as layer norm takes it of every position's vector.

ln1.mean[pos] = 1/48 Σ_d_model resid_pre[pos, d_model]
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands
from .operation import Names, Operation, Playback
from .summands import Terms, row_terms


def _evaluate(given: Inputs) -> Tensor:
    row, free = given.rows()
    return row.mean(free)


def _terms(given: Inputs) -> Terms:
    return row_terms(given, "sum", lambda row: row / row.numel())


def _latex(op: Op, o: Operands) -> str:
    return o.over(r"\mean", lambda t: t.part("input"))


def _sentence(op: Op, names: Names) -> str:
    return f"The mean of {names.inputs[0]} over {names.over}."


def _playback(given: Inputs, result: float) -> Playback:
    return Playback("Each is divided by their number")


OPERATION = Operation("mean", _evaluate, _terms, _latex, _sentence, _playback)
