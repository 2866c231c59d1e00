"""Every kind of operation, one module a kind: what it computes, its terms, its formula, its sentence, its playback.

    OPERATIONS["softmax"].evaluate(inputs)      # float64, along the output's axes

A new kind is a module here and a name in `graph.OpKind`; `tests/unit/test_operations.py` holds the two equal.
"""

from ..graph import OpKind
from . import (
    activation,
    add,
    affine,
    deviation,
    einsum,
    embed,
    mask,
    maximum,
    mean,
    multiply,
    normalize,
    root_mean_square,
    rotate,
    softmax,
    sum_exponentials,
)
from .operation import Operation

_MODULES = (
    embed, add, mean, deviation, root_mean_square, normalize, affine, einsum, rotate, mask, maximum,
    sum_exponentials, softmax, activation, multiply,
)  # fmt: skip
OPERATIONS: dict[OpKind, Operation] = {module.OPERATION.kind: module.OPERATION for module in _MODULES}
