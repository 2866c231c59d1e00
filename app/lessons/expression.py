"""Parses the small language in which lessons name numbers: tensors by name, indices, arithmetic, a few functions.

    parse("blocks[h.block].attn.hook_pattern[h.head, last, 0] * 100")
    parse("argmax(logits[last])")

The grammar is Python's for expressions, without anything that could do more than compute a number: only the nodes in
`_ALLOWED` pass. Nothing here is ever handed to Python's own evaluator; `scope.py` walks the tree.
"""

import ast
from dataclasses import dataclass
from functools import lru_cache

from .errors import ExpressionError

_LONGEST = 400
_NODES = 200
_ALLOWED = (
    ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List,
    ast.Call, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.UnaryOp, ast.USub,
    ast.Not, ast.BoolOp, ast.And, ast.Or, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.IfExp,
)  # fmt: skip
_HINT = "Write names of tensors, indices in brackets, numbers, + - * / ** and the functions listed in the guide."


@dataclass(frozen=True)
class Expression:
    """An expression that may be evaluated: its text, and its syntax tree."""

    text: str
    tree: ast.expr


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parse an expression.

    Raises:
        ExpressionError: it is too long, cannot be read, or holds what the language does not have.
    """
    if len(text) > _LONGEST:
        raise ExpressionError(f"the expression is longer than {_LONGEST} characters", "Name its parts under `let`.")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"{text!r} cannot be read: {getattr(error, 'msg', error)}", _HINT) from error
    nodes = list(ast.walk(tree))
    if len(nodes) > _NODES:
        raise ExpressionError("the expression has too many parts", "Name some of them under `let`.")
    for node in nodes:
        _check(node, text)
    return Expression(text.strip(), tree.body)


def _check(node: ast.AST, text: str) -> None:
    if isinstance(node, ast.keyword | ast.Starred) or not isinstance(node, _ALLOWED):
        raise ExpressionError(f"{text!r} holds a {type(node).__name__}, which lessons do not have", _HINT)
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool | int | float | str):
        raise ExpressionError(f"{text!r} holds {node.value!r}, which is neither a number nor a text", _HINT)
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
        raise ExpressionError(f"{text!r} calls what is no function", _HINT)
    if isinstance(node, ast.Attribute) and node.attr.startswith("__"):
        raise ExpressionError(f"{text!r} names {node.attr}, which is no tensor", _HINT)


def names_called(expression: Expression) -> set[str]:
    """List the functions that an expression calls."""
    calls = (node for node in ast.walk(expression.tree) if isinstance(node, ast.Call))
    return {call.func.id for call in calls if isinstance(call.func, ast.Name)}
