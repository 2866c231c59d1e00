"""`add`: the sum of tensors, cell by cell.

resid_mid[pos, d_model] = resid_pre[pos, d_model] + attn_out[pos, d_model]
"""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from ..graph import Op
from .inputs import Inputs
from .notation import Operands
from .operation import Names, Operation
from .summands import Terms, listed_terms, only


def _evaluate(given: Inputs) -> Tensor:
    return reduce(torch.add, [gathered.along(given.axes) for gathered in given.reads])


def _terms(given: Inputs) -> Terms:
    return listed_terms(((gathered,), only(gathered)) for gathered in given.reads)


def _latex(op: Op, o: Operands) -> str:
    return " + ".join(o.part("input", number) for number in range(len(op.reads)))


def _sentence(op: Op, names: Names) -> str:
    return f"The sum of {_and(names.inputs)}, cell by cell."


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


OPERATION = Operation("add", _evaluate, _terms, _latex, _sentence)
