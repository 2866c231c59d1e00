"""Every kind of operation, one module a kind: what it computes, its terms, its formula, its sentence, its playback.

    OPERATIONS["softmax"].evaluate(inputs)      # float64, along the output's axes

A new kind is a module here and a name in `graph.OpKind`: whichever module of this folder has an `OPERATION` is found.
`tests/unit/test_equations.py` holds both equal.
"""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import get_args

from ..graph import OpKind
from .operation import Operation


def _declared() -> Iterator[Operation]:
    """Import the modules of this folder and give the operation of each that has one."""
    for module in iter_modules(__path__):
        operation = getattr(import_module(f".{module.name}", __name__), "OPERATION", None)
        if isinstance(operation, Operation):
            yield operation


_FOUND = {operation.kind: operation for operation in _declared()}
OPERATIONS: dict[OpKind, Operation] = {kind: _FOUND[kind] for kind in get_args(OpKind) if kind in _FOUND}
