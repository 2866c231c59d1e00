"""`softmax`: scores as shares that add up to one.

    pattern[head, query_pos, key_pos] = e^(score − maximum) / sum

Where maximum and sum are tensors of their own it reads these; a small softmax reads its whole `row` instead.
"""

import math

from torch import Tensor

from ..graph import Op
from .inputs import Inputs, beside_rows
from .notation import Operands
from .operation import Names, Operation, Playback, Step
from .summands import Terms, no_terms, only, row_terms


def _evaluate(given: Inputs) -> Tensor:
    if given.part("row") is None:
        return (given.aligned("input") - given.aligned("maximum")).exp() / given.aligned("sum")
    row, free = given.rows("row")
    largest = row.amax(free)
    return (given.aligned("input") - largest).exp() / (row - beside_rows(largest, free)).exp().sum(free)


def _terms(given: Inputs) -> Terms:
    if given.part("row") is None:
        return no_terms(given)
    return row_terms(given, "divisor", lambda row: (row - row.max()).exp(), "row")


def _latex(op: Op, o: Operands) -> str:
    if not o.has("row"):
        return rf"\frac{{e^{{{o.part('input')} - {o.part('maximum')}}}}}{{{o.part('sum')}}}"
    below = o.over(r"\sum", lambda t: rf"e^{{{t.part('row')}}}")
    return rf"\frac{{e^{{{o.part('input')}}}}}{{{below}}}"


def _sentence(op: Op, names: Names) -> str:
    if "row" in names.parts:
        return f"The share of e to the power of {names.inputs[0]} in the sum of all of them over {names.over}."
    return (
        f"e to the power of {names.inputs[0]} less the row's largest, {names.parts['maximum']}, "
        f"divided by the row's sum, {names.parts['sum']}."
    )


def _playback(given: Inputs, result: float) -> Playback:
    if given.part("row") is not None:
        return Playback("Each becomes e to its power")
    less = only(given.required("input")) - only(given.required("maximum"))
    return Playback(
        steps=[
            Step("maximum", "−", less, "Less the row's largest"),
            Step(None, "exp", math.exp(less), "e to the power of that"),
            Step("sum", "÷", result, "Divided by the row's sum"),
        ]
    )


OPERATION = Operation("softmax", _evaluate, _terms, _latex, _sentence, _playback)
