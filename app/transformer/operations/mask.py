"""`mask`: a score that its query may see, and minus infinity for the others.

attn_scores[head, query_pos, key_pos] = scores where key_pos <= query_pos, else −∞
"""

import math

import torch
from torch import Tensor

from ..cells import comparisons
from ..graph import Op
from .axes import LETTERS
from .inputs import Inputs, align
from .notation import Operands
from .operation import Names, Operation
from .summands import Terms, listed_terms, no_terms, only


def _evaluate(given: Inputs) -> Tensor:
    read = given.reads[0]
    values = read.along(given.axes)
    if read.allowed is None:
        return values
    allowed: Tensor = align(read.allowed, read.axes, given.axes)
    return torch.where(allowed, values, -math.inf)


def _terms(given: Inputs) -> Terms:
    first = given.reads[0]
    if first.allowed is not None and not bool(first.allowed):
        return no_terms(given)
    return listed_terms([((first,), only(first))])


def _latex(op: Op, o: Operands) -> str:
    if not o.symbolic:
        return o.part("input") if o.brings("input") else r"-\infty"
    condition = r" \text{ and } ".join(_comparison(str(part)) for part in comparisons(op.reads[0].where))
    return rf"\begin{{cases}} {o.part('input')} & {condition} \\ -\infty & \text{{otherwise}} \end{{cases}}"


def _comparison(text: str) -> str:
    words = [LETTERS.get(part, part) for part in text.split()]
    return " ".join(words).replace("<=", r"\le")


def _sentence(op: Op, names: Names) -> str:
    where = op.reads[0].where
    return f"{names.inputs[0]} where {where}; elsewhere minus infinity, so that softmax gives it nothing."


OPERATION = Operation("mask", _evaluate, _terms, _latex, _sentence)
