"""An operation as a formula in LaTeX and as a sentence, both written from its reads.

    formula(graph, op).latex     # q_{p, h, d} = \\sum_{m} x_{p', m} \\cdot W^Q_{h, m, d} + b^Q_{h, d}

Each kind says how its formula is put together (`operations/`); this module fills the operands in: symbols with their
axes, the same marked for the page, or the numbers of one cell.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from .cells import comes_first, comparisons, stored_as
from .graph import Axis, Bucket, Constant, Free, Graph, Index, Lookup, Op, Pair, Read
from .operations import OPERATIONS
from .operations.axes import LETTERS, escaped, letter_of
from .operations.notation import Operands, number_latex
from .operations.operation import Names
from .operations.summands import Term
from .terms import Arithmetic

_SHOWN_TERMS = 3
_STACKS = {"encoder", "decoder"}


@dataclass(frozen=True)
class Formula:
    """An operation in LaTeX and in words, whatever the cell: see `app/runs/explanation.py`, `ExplainedOperation`."""

    latex: str
    latex_marked: str
    term_latex: str | None
    sentence: str
    symbols: dict[str, str]


@dataclass(frozen=True)
class Wording(Formula):
    """The same with the numbers of one cell."""

    latex_values: str


def formula(graph: Graph, op: Op) -> Formula:
    """Write an operation as a formula and a sentence."""
    output = tensor_symbol(op.output) + _subscript([letter_of(axis) for axis in graph.tensor(op.output).axes])
    plain, marked = _Symbols(graph, op), _Symbols(graph, op, marked=True)
    return Formula(
        latex=f"{output} = {OPERATIONS[op.kind].latex(op, plain)}",
        latex_marked=f"{output} = {OPERATIONS[op.kind].latex(op, marked)}",
        term_latex=_term_of(op, plain),
        sentence=sentence(graph, op),
        symbols=_symbols_used(graph, op),
    )


def word(graph: Graph, op: Op, sums: Arithmetic, index: Sequence[int], values: Mapping[int, float]) -> Wording:
    """Write an operation for the cell at `index`; `values` are those of its reads of a single cell, by
    their place."""
    at = dict(zip(graph.tensor(op.output).axes, index, strict=True))
    numbers = _Numbers(op, at, values, sums.terms[:_SHOWN_TERMS], sums.count)
    left = number_latex(sums.result)
    right = OPERATIONS[op.kind].latex(op, numbers)
    return Wording(**vars(formula(graph, op)), latex_values=f"{left} = {right}")


def _term_of(op: Op, plain: "_Symbols") -> str | None:
    """Write one term of a sum."""
    found: list[str] = []

    class Catch(_Symbols):
        def over(self, sign: str, term: Callable[[Operands], str]) -> str:
            found.append(term(plain))
            return ""

    OPERATIONS[op.kind].latex(op, Catch(plain.graph, op))
    return found[0] if found else None


def _places(op: Op, name: str) -> list[int]:
    """List the places of the operation's reads that are this part of it."""
    return [place for place, read in enumerate(op.reads) if read.part == name]


# ---- operands as symbols ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Symbols:
    """Operands as tensors with their axes."""

    graph: Graph
    op: Op
    marked: bool = False

    @property
    def symbolic(self) -> bool:
        return True

    def has(self, name: str) -> bool:
        return bool(_places(self.op, name))

    def brings(self, name: str) -> bool:
        return self.has(name)

    def part(self, name: str, number: int = 0) -> str:
        if name == "sign":
            return r"\mp"
        place = _places(self.op, name)[number]
        read = self.op.reads[place]
        text = tensor_symbol(read.tensor) + _subscript([self._index(index) for index in read.index])
        return rf"\operand{{{place}}}{{{text}}}" if self.marked else text

    def over(self, sign: str, term: Callable[[Operands], str]) -> str:
        free = _contracted(self.op)
        below = ", ".join(self._index(Free(axis)) for axis in free)
        if sign == r"\mean":
            return rf"\frac{{1}}{{{_count(self.graph, self.op)}}} \sum_{{{below}}} {term(self)}"
        return rf"{sign}_{{{below}}} {term(self)}"

    def _index(self, index: Index) -> str:
        if isinstance(index, Free) and index.free in self.graph.tensor(self.op.output).axes:
            return letter_of(index.free) + "'"
        return _index_latex(index)


def _contracted(op: Op) -> list[str]:
    return list(dict.fromkeys(index.free for read in op.reads for index in read.index if isinstance(index, Free)))


def _count(graph: Graph, op: Op) -> str:
    """Count the numbers that a mean is taken over; token axes are never averaged."""
    return str(math.prod(graph.sizes[axis] for axis in _contracted(op)))


def _index_latex(index: Index) -> str:
    match index:
        case Axis(axis=axis, divide=1) | Free(free=axis):
            return letter_of(axis)
        case Axis(axis=axis, divide=n):
            return rf"\lfloor {letter_of(axis)}/{n} \rfloor"
        case Constant(constant=value):
            return str(value)
        case Pair(pair=axis):
            return rf"\tilde{{{letter_of(axis)}}}"
        case Lookup(lookup=name, index=inner):
            return rf"\text{{{escaped(name)}}}_{{{', '.join(map(_index_latex, inner))}}}"
        case Bucket(bucket=(query, key)):
            return rf"\text{{bucket}}({letter_of(key)} - {letter_of(query)})"


def _subscript(indices: Sequence[str]) -> str:
    return f"_{{{', '.join(indices)}}}"


def tensor_symbol(name: str) -> str:
    """Write a tensor as a symbol: `blocks.0.attn.W_Q` is W with Q above it, `blocks.0.hook_resid_mid` is resid_mid."""
    *owners, leaf = name.split(".")
    if leaf in ("w", "b") and owners:
        return rf"{leaf}^{{\text{{{escaped(owners[-1])}}}}}"
    letter, _, rest = leaf.partition("_")
    if letter in ("W", "b") and rest:
        return rf"{letter}^{{\text{{{escaped(rest)}}}}}"
    return rf"\text{{{escaped(leaf.removeprefix('hook_'))}}}"


def _symbols_used(graph: Graph, op: Op) -> dict[str, str]:
    """Map each letter of the formula to its axis."""
    axes = dict.fromkeys(graph.tensor(op.output).axes)
    for read in op.reads:
        for index in read.index:
            match index:
                case Axis(axis=axis) | Free(free=axis) | Pair(pair=axis):
                    axes[axis] = None
                case Bucket(bucket=both):
                    axes |= dict.fromkeys(both)
                case _:
                    pass
    return {LETTERS.get(axis, axis): axis for axis in axes}


# ---- operands as numbers ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Numbers:
    """Operands as the numbers of one cell; sums show their largest terms."""

    op: Op
    at: Mapping[str, int]
    values: Mapping[int, float]
    terms: Sequence[Term]
    count: int
    term: Term | None = None

    @property
    def symbolic(self) -> bool:
        return False

    def has(self, name: str) -> bool:
        return bool(_places(self.op, name))

    def brings(self, name: str) -> bool:
        return any(place in self.values for place in _places(self.op, name))

    def part(self, name: str, number: int = 0) -> str:
        if name == "sign":
            pair = next(index for read in self.op.reads for index in read.index if isinstance(index, Pair))
            return "-" if bool(comes_first(torch.tensor(self.at[pair.pair]), pair)) else "+"
        if self.term is not None and name in ("input", "row"):
            return _operand(self.term.cells[number].value)
        return _operand(self.values[_places(self.op, name)[number]])

    def over(self, sign: str, term: Callable[[Operands], str]) -> str:
        shown = [term(_Numbers(self.op, self.at, self.values, (), 0, one)) for one in self.terms]
        more = [r"\cdots"] if self.count > len(shown) else []
        if sign == r"\max":
            return rf"\max({', '.join([*shown, *([chr(92) + 'dots'] if more else [])])})"
        total = " + ".join([*shown, *more])
        if sign == r"\mean":
            return rf"\frac{{1}}{{{self.count}}} \left({total}\right)"
        return rf"\left({total}\right)" if len(shown) + len(more) > 1 else total


def _operand(value: float) -> str:
    text = number_latex(value)
    return f"({text})" if text.startswith("-") else text


# ---- words ------------------------------------------------------------------------------------------------------


def sentence(graph: Graph, op: Op) -> str:
    """Say in words what the operation does."""
    names = [_name(read, op.stack) for read in op.reads]
    parts = {read.part: name for name, read in zip(names, op.reads, strict=True)}
    said = Names(
        inputs=[name for name, read in zip(names, op.reads, strict=True) if read.part == "input"],
        parts=parts,
        over=" and ".join(_contracted(op)),
        times=f", times {op.constants['scale']:.6g}" if op.constants.get("scale", 1) != 1 else "",
        bias=f", plus {parts['bias']}" if "bias" in parts else "",
    )
    return OPERATIONS[op.kind].sentence(op, said)


def _name(read: Read, stack: str | None) -> str:
    """Name a tensor within its block; what comes over from the other text says so."""
    *owners, leaf = read.tensor.split(".")
    name = f"{owners[-1]}.{leaf}" if owners and not owners[-1].isdigit() else leaf
    return f"the {owners[0]}'s {name}" if owners and owners[0] in _STACKS and owners[0] != stack else name


def why_masked(graph: Graph, tensor: str, at: Mapping[str, int]) -> str | None:
    """Say why a cell is hidden, if it is: the conditions of its mask that do not hold."""
    op = graph.op_making(stored_as(graph, tensor).name)
    if op is None or op.kind != "mask":
        return None
    ranges = {axis: range(i, i + 1) for axis, i in at.items()}
    reasons = []
    for part in comparisons(op.reads[0].where):
        if part.holds(ranges):
            continue
        left = f"{part.left} {at[part.left]}"
        if part.right is None:
            reasons.append(f"{left} is not below {part.minus}")
        elif part.relation == "<=":
            reasons.append(f"{left} comes after {part.right} {at[part.right]}, which may not look ahead")
        else:
            reasons.append(
                f"{left} is {at[part.right] - at[part.left]} before {part.right} {at[part.right]}, "
                f"which looks back less than {part.minus}"
            )
    return "; ".join(reasons) or None
