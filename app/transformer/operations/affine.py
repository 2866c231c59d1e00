"""`affine`: a learned gain and bias for every entry of a vector, after it was normalized.

ln1.out[pos, d_model] = normalized[pos, d_model] · (offset + w[d_model]) + b[d_model]
"""

from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands, constant, plus_bias
from .operation import Names, Operation, Playback
from .summands import Terms, listed_terms, only


def _evaluate(given: Inputs) -> Tensor:
    gain = given.aligned("gain") + given.constant("offset", 0.0)
    return given.aligned("input") * gain + given.aligned("bias")


def _terms(given: Inputs) -> Terms:
    first, gain = given.reads[0], given.required("gain")
    value = only(first) * (only(gain) + given.constant("offset", 0.0))
    return listed_terms([((first, gain), value)], given.part("bias"))


def _latex(op: Op, o: Operands) -> str:
    gain = o.part("gain")
    gain = rf"({constant(op, 'offset')} + {gain})" if "offset" in op.constants else gain
    return rf"{o.part('input')} \cdot {gain}" + plus_bias(o)


def _sentence(op: Op, names: Names) -> str:
    offset = f"{op.constants['offset']:g} plus " if "offset" in op.constants else ""
    return f"{names.inputs[0]} times {offset}the learned gain {names.parts['gain']}{names.bias}."


def _playback(given: Inputs, result: float) -> Playback:
    offset = given.constant("offset", 0.0)
    return Playback(f"It is multiplied by {offset:g} and the gain" if offset else "Both are multiplied")


OPERATION = Operation("affine", _evaluate, _terms, _latex, _sentence, _playback)
