"""`embed`: a look-up, the row of a table that belongs to a token or a position.

embed[pos, d_model] = scale · W_E[tokens[pos], d_model]
"""

from torch import Tensor

from ..graph import Constant, Lookup, Op, Read, index_text
from .inputs import Inputs
from .notation import Operands, scaled
from .operation import Names, Operation
from .summands import Terms, listed_terms, only


def _evaluate(given: Inputs) -> Tensor:
    return given.aligned("input") * given.constant("scale", 1.0)


def _terms(given: Inputs) -> Terms:
    first = given.reads[0]
    return listed_terms([((first,), only(first) * given.constant("scale", 1.0))])


def _latex(op: Op, o: Operands) -> str:
    return scaled(op, o.part("input"))


def _sentence(op: Op, names: Names) -> str:
    return f"A look-up: {names.inputs[0]} at {_row(op.reads[0])}{names.times}."


def _row(read: Read) -> str:
    match read.index[0]:
        case Lookup(lookup=name, index=inner):
            return f"the row of the id in {name} at this {', '.join(map(index_text, inner))}"
        case Constant(constant=value):
            return f"row {value}"
        case index:
            return f"the row of this {index_text(index)}"


OPERATION = Operation("embed", _evaluate, _terms, _latex, _sentence)
