"""`einsum`: products summed along axes that the output does not have; every matrix of a transformer acts so.

q[pos, head, d_head] = Σ_d_model x[pos, d_model] · W_Q[head, d_model, d_head] + b_Q[head, d_head]
"""

from functools import reduce

import torch
from torch import Tensor

from ..graph import Op
from .inputs import Gathered, Inputs, align
from .notation import Operands, plus_bias, scaled
from .operation import Names, Operation, Playback
from .summands import Terms


def _factors(given: Inputs) -> tuple[Gathered, ...]:
    return tuple(gathered for gathered in given.reads if gathered.read.part == "input")


def _evaluate(given: Inputs) -> Tensor:
    factors = _factors(given)
    names = dict.fromkeys([*given.axes, *(axis for factor in factors for axis in factor.axes)])
    letters = {axis: chr(ord("a") + number) for number, axis in enumerate(names)}
    written = ",".join("".join(letters[axis] for axis in factor.axes) for factor in factors)
    kept = [axis for axis in given.axes if any(axis in factor.axes for factor in factors)]
    target = "".join(letters[axis] for axis in kept)
    product = torch.einsum(f"{written}->{target}", *[factor.values for factor in factors])
    return align(product, kept, given.axes) * given.constant("scale", 1.0) + given.aligned("bias")


def _terms(given: Inputs) -> Terms:
    factors = _factors(given)
    axes = tuple(dict.fromkeys(axis for factor in factors for axis in factor.contracted_axes))
    # (output axes of size 1, contracted axes) -> (contracted axes)
    rows = [factor.along((*given.axes, *axes)).flatten(0, len(given.axes) - 1)[0] for factor in factors]
    values = reduce(torch.mul, rows) * given.constant("scale", 1.0)
    return Terms("sum", values, factors, axes, bias=given.part("bias"))


def _latex(op: Op, o: Operands) -> str:
    factors = sum(read.part == "input" for read in op.reads)

    def product(t: Operands) -> str:
        return r" \cdot ".join(t.part("input", number) for number in range(factors))

    return scaled(op, o.over(r"\sum", product)) + plus_bias(o)


def _sentence(op: Op, names: Names) -> str:
    return f"The sum over {names.over} of {' times '.join(names.inputs)}{names.times}{names.bias}."


def _playback(given: Inputs, result: float) -> Playback:
    factors, scale = len(_factors(given)), given.constant("scale", 1.0)
    if factors == 1:
        return Playback(None if scale == 1 else f"Each is multiplied by {scale:.4g}")
    return Playback("Each pair is multiplied" if scale == 1 else f"Each pair is multiplied, and by {scale:.4g}")


OPERATION = Operation("einsum", _evaluate, _terms, _latex, _sentence, _playback)
