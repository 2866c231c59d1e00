"""`activation`: a nonlinearity, cell by cell.

    mlp.post[pos, d_mlp] = gelu(mlp.pre[pos, d_mlp])

Source of the GELU and of its approximation with tanh: Hendrycks & Gimpel 2016, section 2.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands, power
from .operation import Names, Operation, Playback, Step
from .summands import no_terms


def _gelu(x: Tensor) -> Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def _gelu_new(x: Tensor) -> Tensor:
    return x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": _gelu,
    "gelu_new": _gelu_new,
    "relu": lambda x: x.clamp(min=0),
    "silu": lambda x: x / (1 + torch.exp(-x)),
}
_WORDS = {
    "gelu": "The GELU (x times the normal distribution's share below x)",
    "gelu_new": "The GELU (x times the normal distribution's share below x, approximated with tanh)",
    "relu": "The ReLU (nothing below zero)",
    "silu": "The SiLU (x times its sigmoid)",
}


def _evaluate(given: Inputs) -> Tensor:
    return _FUNCTIONS[str(given.op.constants["function"])](given.aligned("input"))


def _latex(op: Op, o: Operands) -> str:
    x = o.part("input")
    match op.constants["function"]:
        case "relu":
            return rf"\max(0, {x})"
        case "silu":
            return rf"\frac{{{x}}}{{1 + e^{{-{x}}}}}"
        case "gelu":
            return rf"\tfrac{{1}}{{2}} \cdot {x} \left(1 + \operatorname{{erf}}\frac{{{x}}}{{\sqrt{{2}}}}\right)"
    inner = rf"\sqrt{{\tfrac{{2}}{{\pi}}}} \left({x} + 0.044715\,{power(x, 3)}\right)"
    return rf"\tfrac{{1}}{{2}} \cdot {x} \left(1 + \tanh\left({inner}\right)\right)"


def _sentence(op: Op, names: Names) -> str:
    return f"{_WORDS[str(op.constants['function'])]} of {names.inputs[0]}, cell by cell."


def _playback(given: Inputs, result: float) -> Playback:
    name = str(given.op.constants["function"])
    return Playback(steps=[Step(None, name, result, f"{name} of it")])


OPERATION = Operation("activation", _evaluate, no_terms, _latex, _sentence, _playback)
