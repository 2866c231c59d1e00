"""`deviation`: the standard deviation of a row, with epsilon under the root, as layer norm divides by.

    ln1.scale[pos] = √(1/48 Σ_d_model (resid_pre[pos, d_model] − mean[pos])² + ε)

Source: Ba et al. 2016, "Layer Normalization", equation 4.
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs, beside_rows
from .notation import Operands, constant
from .operation import Names, Operation, Playback
from .summands import Terms, row_terms


def _evaluate(given: Inputs) -> Tensor:
    row, free = given.rows()
    centred = row - beside_rows(given.aligned("mean"), free)
    return (centred.square().mean(free) + given.constant("epsilon", 0.0)).sqrt()


def _terms(given: Inputs) -> Terms:
    mean = float(given.aligned("mean"))
    return row_terms(given, "root", lambda row: (row - mean).square() / row.numel())


def _latex(op: Op, o: Operands) -> str:
    spread = o.over(r"\mean", lambda t: rf"({t.part('input')} - {o.part('mean')})^2")
    return rf"\sqrt{{{spread} + {constant(op, 'epsilon')}}}"


def _sentence(op: Op, names: Names) -> str:
    return (
        f"The spread of {names.inputs[0]} over {names.over}: the root of the mean squared distance from its mean, "
        f"with epsilon {op.constants['epsilon']:g} under the root."
    )


def _playback(given: Inputs, result: float) -> Playback:
    return Playback("Each distance from the mean is squared, and divided by their number", "−")


OPERATION = Operation("deviation", _evaluate, _terms, _latex, _sentence, _playback)
