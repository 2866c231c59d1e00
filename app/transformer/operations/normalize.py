"""`normalize`: a vector less its mean, divided by its spread; RMS norm only divides.

ln1.normalized[pos, d_model] = (resid_pre[pos, d_model] − mean[pos]) / scale[pos]
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands
from .operation import Names, Operation, Playback, Step
from .summands import Terms, listed_terms, only


def _evaluate(given: Inputs) -> Tensor:
    return (given.aligned("input") - given.aligned("mean")) / given.aligned("scale")


def _terms(given: Inputs) -> Terms:
    first, scale, mean = given.reads[0], given.required("scale"), given.part("mean")
    parts = [((first, scale), only(first) / only(scale))]
    if mean is not None:
        parts.append(((mean, scale), -only(mean) / only(scale)))
    return listed_terms(parts)


def _latex(op: Op, o: Operands) -> str:
    top = f"{o.part('input')} - {o.part('mean')}" if o.has("mean") else o.part("input")
    return rf"\frac{{{top}}}{{{o.part('scale')}}}"


def _sentence(op: Op, names: Names) -> str:
    centred = f"{names.inputs[0]} less its mean" if "mean" in names.parts else names.inputs[0]
    return f"{centred}, divided by {names.parts['scale']}."


def _playback(given: Inputs, result: float) -> Playback:
    mean = given.part("mean")
    if mean is None:
        return Playback(steps=[Step("scale", "÷", result, "Divided by the vector's root mean square")])
    return Playback(
        steps=[
            Step("mean", "−", only(given.reads[0]) - only(mean), "Less the mean of its vector"),
            Step("scale", "÷", result, "Divided by the vector's spread"),
        ]
    )


OPERATION = Operation("normalize", _evaluate, _terms, _latex, _sentence, _playback)
