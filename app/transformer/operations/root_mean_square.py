"""`root_mean_square`: the root of the mean square of a row, as RMS norm divides by.

    ln1.scale[pos] = √(1/48 Σ_d_model resid_pre[pos, d_model]² + ε)

Source: Zhang & Sennrich 2019, "Root Mean Square Layer Normalization", equation 4.
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands, constant, power
from .operation import Names, Operation, Playback
from .summands import Terms, row_terms


def _evaluate(given: Inputs) -> Tensor:
    row, free = given.rows()
    return (row.square().mean(free) + given.constant("epsilon", 0.0)).sqrt()


def _terms(given: Inputs) -> Terms:
    return row_terms(given, "root", lambda row: row.square() / row.numel())


def _latex(op: Op, o: Operands) -> str:
    mean_square = o.over(r"\mean", lambda t: power(t.part("input"), 2))
    return rf"\sqrt{{{mean_square} + {constant(op, 'epsilon')}}}"


def _sentence(op: Op, names: Names) -> str:
    return (
        f"The root of the mean square of {names.inputs[0]} over {names.over}, "
        f"with epsilon {op.constants['epsilon']:g} under the root."
    )


def _playback(given: Inputs, result: float) -> Playback:
    return Playback("Each is squared, and divided by their number")


OPERATION = Operation("root_mean_square", _evaluate, _terms, _latex, _sentence, _playback)
