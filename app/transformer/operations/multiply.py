"""`multiply`: the product of tensors, cell by cell, as in a gated MLP.

mlp.post[pos, d_mlp] = gate[pos, d_mlp] · up[pos, d_mlp]
"""

import math
from functools import reduce

import torch
from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands
from .operation import Names, Operation, Playback
from .summands import Terms, listed_terms, only


def _evaluate(given: Inputs) -> Tensor:
    return reduce(torch.mul, [gathered.along(given.axes) for gathered in given.reads])


def _terms(given: Inputs) -> Terms:
    return listed_terms([(given.reads, math.prod(only(gathered) for gathered in given.reads))])


def _latex(op: Op, o: Operands) -> str:
    return r" \cdot ".join(o.part("input", number) for number in range(len(op.reads)))


def _sentence(op: Op, names: Names) -> str:
    return f"{' times '.join(names.inputs)}, cell by cell."


def _playback(given: Inputs, result: float) -> Playback:
    return Playback("Both are multiplied" if len(given.reads) == 2 else "All are multiplied")


OPERATION = Operation("multiply", _evaluate, _terms, _latex, _sentence, _playback)
