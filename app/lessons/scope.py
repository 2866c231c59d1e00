"""Evaluates the expressions of a step against one run.

    scope = Scope(run, let={"h": 'head_with("previous")'})
    scope.value("h.attn.hook_pattern[h.head, last, last - 1]")  # 0-dim tensor
    scope.place("blocks[0].attn.W_Q[0]")                         # ("blocks.0.attn.W_Q", [0, None, None])

Names mean, in this order: what the lesson calls so under `let`; `last`, `length`, `prompt`, `chosen`, `layers`,
`heads`, `kind`; the beginning of a tensor's name. In an encoder-decoder `blocks` is the decoder's.
"""

import ast
import operator
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ..lenses.parameters import LensError
from ..runs.run import Run
from ..transformer.names import resolve_name
from .cells import Head, Part, Path, part_of, read
from .errors import ExpressionError, NotHereError
from .expression import parse
from .functions import FUNCTIONS, Value, number, vector, whole

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Tensor, Tensor], Tensor]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_DEEPEST = 20


class Scope:
    """Names and their values for one step of a lesson and one run."""

    def __init__(self, run: Run, let: Mapping[str, str] | None = None, chosen: int | None = None) -> None:
        """Name the run's own sizes; `let` are expressions by name, `chosen` the position that the reader chose."""
        self._run, self._let, self._deep = run, dict(let or {}), 0
        last = max(run.fed, 1) - 1
        spec = run.loaded.spec
        self._known: dict[str, Value] = {
            "last": last,
            "length": len(run.tokens),
            "source_length": len(run.source),
            "prompt": len(run.prompt),
            "chosen": last if chosen is None else min(max(chosen, 0), last),
            "layers": spec.layers,
            "heads": spec.heads,
            "kind": spec.kind,
        }
        names = [tensor.name for tensor in run.loaded.graph.tensors]
        self._names = set(names)
        self._starts = {name[:at] for name in names for at, letter in enumerate(name) if letter == "."}

    def value(self, text: str) -> Value:
        """Compute an expression; a tensor's cells become numbers.

        Raises:
            ExpressionError: it says nothing.
            NotHereError: the model or the text has not what it speaks of.
        """
        return self._read(self._evaluate(text))

    def place(self, text: str) -> tuple[str, list[int | None]] | None:
        """Name the cells that an expression is, if it is cells of one tensor and nothing else."""
        found = self._evaluate(text)
        if isinstance(found, Path) and found.name in self._names:
            found = part_of(self._run, found.name, ())
        return found.place if isinstance(found, Part) else None

    def both(self, text: str) -> tuple[Value, tuple[str, list[int | None]] | None]:
        """Compute an expression, and name the cells that it is, if it is cells."""
        found = self._evaluate(text)
        return self._read(found), found.place if isinstance(found, Part) else None

    def path(self, text: str) -> str:
        """Name the tensor, or the part of the model, that an expression names."""
        found = self._evaluate(text)
        if isinstance(found, Path | Part):
            return found.name
        raise ExpressionError(f"{text!r} names no tensor and no part of the model")

    def _evaluate(self, text: str) -> Value:
        try:
            found = self._of(parse(text).tree)
        except LensError as error:
            raise NotHereError(str(error)) from error
        except (OverflowError, ZeroDivisionError, RecursionError, RuntimeError) as error:
            raise ExpressionError(f"{text!r} cannot be computed: {error}") from error
        if isinstance(found, Path) and found.name in self._names:
            return part_of(self._run, found.name, ())
        return found

    def _read(self, value: Value) -> Value:
        return read(self._run, value) if isinstance(value, Part) else value

    def _of(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return value
            case ast.Name(id=name):
                return self._named(name)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(self._of(owner), name)
            case ast.Subscript(value=owner, slice=index):
                return self._subscript(self._of(owner), index)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self._call(name, arguments)
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [self._number(part) for part in parts]
            case ast.IfExp(test=test, body=body, orelse=other):
                return self._of(body if self._true(test) else other)
            case _:
                return self._operation(node)

    def _operation(self, node: ast.expr) -> Value:
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return self._plain(_ARITHMETIC[type(op)](vector(self._number(left)), vector(self._number(right))))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._plain(-vector(self._number(operand)))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._true(operand)
            case ast.BoolOp(op=ast.And(), values=parts):
                return all(self._true(part) for part in parts)
            case ast.BoolOp(op=ast.Or(), values=parts):
                return any(self._true(part) for part in parts)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compare(left, ops, others)
        raise ExpressionError(f"{ast.unparse(node)!r} is nothing that lessons can say")

    def _plain(self, value: Tensor) -> Value:
        """Turn a single whole number into one that may be an index."""
        if value.dim() == 0 and torch.isfinite(value) and value == value.floor() and value.abs() < 2**53:
            return int(value)
        return value

    def _number(self, node: ast.expr) -> Value:
        return self._read(self._bare(self._of(node)))

    def _bare(self, value: Value) -> Value:
        """Take a tensor's whole name as the tensor."""
        if isinstance(value, Path):
            return part_of(self._run, value.name, ())
        return value

    def _true(self, node: ast.expr) -> bool:
        value = self._number(node)
        return bool(value) if isinstance(value, str) else bool(number(value))

    def _compare(self, left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> bool:
        values = [self._number(node) for node in (left, *others)]
        for op, one, other in zip(ops, values, values[1:], strict=False):
            if isinstance(one, str) != isinstance(other, str):
                raise ExpressionError("a text is compared with a number")
            if isinstance(op, ast.Eq | ast.NotEq):
                same = one == other if isinstance(one, str) else number(one) == number(other)
                if same == isinstance(op, ast.NotEq):
                    return False
            elif not _COMPARISONS[type(op)](number(one), number(other)):
                return False
        return True

    def _named(self, name: str) -> Value:
        if name in self._let:
            return self._let_of(name)
        if name in self._known:
            return self._known[name]
        return self._path(name)

    def _let_of(self, name: str) -> Value:
        """Compute what the lesson calls so, once; one that names itself is refused."""
        if self._deep >= _DEEPEST:
            raise ExpressionError(f"{name} is defined by itself")
        self._deep += 1
        try:
            found = self._of(parse(self._let[name]).tree)
        finally:
            self._deep -= 1
        self._known[name] = found
        del self._let[name]
        return found

    def _path(self, name: str) -> Value:
        name = resolve_name(name, self._run.loaded.spec)
        for found in (name, f"decoder.{name}"):
            if found in self._names or found in self._starts:
                return Path(found)
        raise NotHereError(f"{self._run.loaded.entry.id} has no {name}")

    def _attribute(self, owner: Value, name: str) -> Value:
        if isinstance(owner, Head):
            parts: dict[str, Value] = {"attn": owner.attn, "block": owner.block, "head": owner.head}
            if name not in parts:
                raise ExpressionError(f"a head has no {name}", "It has attn, block and head.")
            return parts[name]
        if isinstance(owner, Path):
            return self._path(f"{owner.name}.{name}")
        raise ExpressionError(f"there is no {name} of a number")

    def _subscript(self, owner: Value, index: ast.expr) -> Value:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        given = tuple(self._index(part) for part in parts)
        if isinstance(owner, Path) and owner.name not in self._names:
            return self._block(owner, given)
        if isinstance(owner, Path):
            return part_of(self._run, owner.name, given)
        if isinstance(owner, Part):
            raise ExpressionError("give all the indices of a tensor in one pair of brackets")
        if isinstance(owner, list) and len(given) == 1 and isinstance(given[0], int):
            if not -len(owner) <= given[0] < len(owner):
                raise ExpressionError(f"there is no entry {given[0]} among {len(owner)}")
            return owner[given[0]]
        if isinstance(owner, Tensor):
            try:
                return owner[given]
            except IndexError as error:
                raise ExpressionError(str(error)) from error
        raise ExpressionError("brackets follow the name of a tensor or a list")

    def _block(self, owner: Path, given: tuple[int | slice, ...]) -> Value:
        """Take a block by its number: `blocks[-1]` is the last one."""
        if len(given) != 1 or not isinstance(given[0], int):
            raise ExpressionError(f"{owner.name} takes one number", f"Write {owner.name}[0].")
        at = given[0]
        if at < 0:
            inside = {name.removeprefix(f"{owner.name}.").partition(".")[0] for name in self._starts | self._names
                      if name.startswith(f"{owner.name}.")}  # fmt: skip
            at += sum(part.isdigit() for part in inside)
        return self._path(f"{owner.name}.{at}")

    def _index(self, node: ast.expr) -> int | slice:
        if isinstance(node, ast.Slice):
            ends = (None if end is None else whole(self._number(end)) for end in (node.lower, node.upper, node.step))
            start, stop, step = ends
            if step is not None and step < 1:
                raise ExpressionError("a range goes forward", "Write a step of at least 1.")
            return slice(start, stop, step)
        return whole(self._number(node))

    def _call(self, name: str, arguments: list[ast.expr]) -> Value:
        if name not in FUNCTIONS:
            raise ExpressionError(f"there is no function {name}", f"There are: {', '.join(FUNCTIONS)}.")
        _, function, least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            raise ExpressionError(f"{name} takes {least} to {most} values, not {len(arguments)}")
        # A tensor's shape and a part's parameters are asked by name: nothing is read for them.
        take = self._of if name in ("shape", "parameters") else self._number
        given = [take(argument) for argument in arguments]
        if name == "shape":
            given = [self._bare(value) for value in given]
        return function(self._run, *given)
