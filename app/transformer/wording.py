"""An operation as a formula in LaTeX and as a sentence, both written from its reads.

One line a kind of operation says how its formula is put together; who fills the operands in decides what comes out:
symbols with their axes, the same marked for the page, or the numbers of one cell.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from .cells import comes_first, comparisons, stored_as
from .graph import Axis, Bucket, Constant, Free, Graph, Index, Lookup, Op, OpKind, Pair, Read, index_text
from .terms import Arithmetic, Term

LETTERS = {
    "pos": "p", "query_pos": "q", "key_pos": "k", "head": "h", "kv_head": "g", "d_head": "d", "d_model": "m",
    "d_mlp": "n", "d_vocab": "v", "d_transform": "t", "bucket": "b", "token_type": "s",
}  # fmt: skip
_SHOWN_TERMS = 3
_STACKS = {"encoder", "decoder"}


class Operands(Protocol):
    """Who fills in a formula's operands."""

    def part(self, name: str, number: int = 0) -> str:
        """The operand that is the `number`th of this part."""

    def has(self, name: str) -> bool:
        """Whether there is one."""

    def over(self, sign: str, term: Callable[["Operands"], str]) -> str:
        """A sum (`\\sum`) or maximum (`\\max`) of terms along the contracted axes."""


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
    """An operation put into words."""
    output = tensor_symbol(op.output) + _subscript([_letter(axis) for axis in graph.tensor(op.output).axes])
    plain, marked = _Symbols(graph, op), _Symbols(graph, op, marked=True)
    return Formula(
        latex=f"{output} = {FORMULAS[op.kind](op, plain)}",
        latex_marked=f"{output} = {FORMULAS[op.kind](op, marked)}",
        term_latex=_term_of(op, plain),
        sentence=sentence(graph, op),
        symbols=_symbols_used(graph, op),
    )


def word(graph: Graph, op: Op, sums: Arithmetic, index: Sequence[int], values: Mapping[int, float]) -> Wording:
    """An operation put into words for the cell at `index`; `values` are those of its reads of a single cell, by
    their place."""
    at = dict(zip(graph.tensor(op.output).axes, index, strict=True))
    numbers = _Numbers(op, at, values, sums.terms[:_SHOWN_TERMS], sums.count)
    left = number_latex(sums.result)
    # What is hidden has no numbers to fill in.
    right = _with_numbers(op, numbers) if op.kind != "mask" or values else left
    return Wording(**vars(formula(graph, op)), latex_values=f"{left} = {right}")


def _with_numbers(op: Op, numbers: "Operands") -> str:
    """The formula's right side with numbers in it; a mask that hides nothing hands its number on."""
    return numbers.part("input") if op.kind == "mask" else FORMULAS[op.kind](op, numbers)


# ---- the formulas -----------------------------------------------------------------------------------------------


def _embed(op: Op, o: Operands) -> str:
    return _scaled(op, o.part("input"))


def _add(op: Op, o: Operands) -> str:
    return " + ".join(o.part("input", number) for number in range(len(op.reads)))


def _mean(op: Op, o: Operands) -> str:
    return o.over(r"\mean", lambda t: t.part("input"))


def _deviation(op: Op, o: Operands) -> str:
    spread = o.over(r"\mean", lambda t: rf"({t.part('input')} - {o.part('mean')})^2")
    return rf"\sqrt{{{spread} + {_constant(op, 'epsilon')}}}"


def _root_mean_square(op: Op, o: Operands) -> str:
    return rf"\sqrt{{{o.over(chr(92) + 'mean', lambda t: _squared(t.part('input')))} + {_constant(op, 'epsilon')}}}"


def _squared(text: str) -> str:
    return rf"{{{text}}}^2"


def _normalize(op: Op, o: Operands) -> str:
    top = f"{o.part('input')} - {o.part('mean')}" if o.has("mean") else o.part("input")
    return rf"\frac{{{top}}}{{{o.part('scale')}}}"


def _affine(op: Op, o: Operands) -> str:
    gain = o.part("gain")
    gain = rf"({_constant(op, 'offset')} + {gain})" if "offset" in op.constants else gain
    return rf"{o.part('input')} \cdot {gain}" + _plus_bias(o)


def _einsum(op: Op, o: Operands) -> str:
    factors = sum(read.part == "input" for read in op.reads)

    def product(t: Operands) -> str:
        return r" \cdot ".join(t.part("input", number) for number in range(factors))

    return _scaled(op, o.over(r"\sum", product)) + _plus_bias(o)


def _rotate(op: Op, o: Operands) -> str:
    turned = rf"{o.part('input')} \cdot {o.part('cosine')}"
    return turned + (rf" {o.part('sign')} {o.part('partner')} \cdot {o.part('sine')}" if o.has("partner") else "")


def _mask(op: Op, o: Operands) -> str:
    condition = r" \text{ and } ".join(_comparison_latex(str(part)) for part in comparisons(op.reads[0].where))
    return rf"\begin{{cases}} {o.part('input')} & {condition} \\ -\infty & \text{{otherwise}} \end{{cases}}"


def _maximum(op: Op, o: Operands) -> str:
    return o.over(r"\max", lambda t: t.part("input"))


def _sum_exponentials(op: Op, o: Operands) -> str:
    return o.over(r"\sum", lambda t: rf"e^{{{t.part('input')} - {o.part('maximum')}}}")


def _softmax(op: Op, o: Operands) -> str:
    if not o.has("row"):
        return rf"\frac{{e^{{{o.part('input')} - {o.part('maximum')}}}}}{{{o.part('sum')}}}"
    below = o.over(r"\sum", lambda t: rf"e^{{{t.part('row')}}}")
    return rf"\frac{{e^{{{o.part('input')}}}}}{{{below}}}"


def _activation(op: Op, o: Operands) -> str:
    x = o.part("input")
    match op.constants["function"]:
        case "relu":
            return rf"\max(0, {x})"
        case "silu":
            return rf"\frac{{{x}}}{{1 + e^{{-{x}}}}}"
        case "gelu":
            return rf"\tfrac{{1}}{{2}} \cdot {x} \left(1 + \operatorname{{erf}}\frac{{{x}}}{{\sqrt{{2}}}}\right)"
    inner = rf"\sqrt{{\tfrac{{2}}{{\pi}}}} \left({x} + 0.044715\,{_squared(x)[:-2]}^3\right)"
    return rf"\tfrac{{1}}{{2}} \cdot {x} \left(1 + \tanh\left({inner}\right)\right)"


def _multiply(op: Op, o: Operands) -> str:
    return r" \cdot ".join(o.part("input", number) for number in range(len(op.reads)))


FORMULAS: dict[OpKind, Callable[[Op, Operands], str]] = {
    "embed": _embed,
    "add": _add,
    "mean": _mean,
    "deviation": _deviation,
    "root_mean_square": _root_mean_square,
    "normalize": _normalize,
    "affine": _affine,
    "einsum": _einsum,
    "rotate": _rotate,
    "mask": _mask,
    "maximum": _maximum,
    "sum_exponentials": _sum_exponentials,
    "softmax": _softmax,
    "activation": _activation,
    "multiply": _multiply,
}


def _scaled(op: Op, text: str) -> str:
    return rf"{_constant(op, 'scale')} \cdot {text}" if "scale" in op.constants and op.constants["scale"] != 1 else text


def _plus_bias(o: Operands) -> str:
    return f" + {o.part('bias')}" if o.has("bias") else ""


def _constant(op: Op, name: str) -> str:
    return number_latex(float(op.constants[name]))


def _term_of(op: Op, plain: "_Symbols") -> str | None:
    """What one term of a sum is."""
    found: list[str] = []

    class Catch(_Symbols):
        def over(self, sign: str, term: Callable[[Operands], str]) -> str:
            found.append(term(plain))
            return ""

    FORMULAS[op.kind](op, Catch(plain.graph, op))
    return found[0] if found else None


def _places(op: Op, name: str) -> list[int]:
    """Which of an operation's reads are this part of it."""
    return [place for place, read in enumerate(op.reads) if read.part == name]


# ---- operands as symbols ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Symbols:
    """Operands as tensors with their axes."""

    graph: Graph
    op: Op
    marked: bool = False

    def has(self, name: str) -> bool:
        return bool(_places(self.op, name))

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
            return _letter(index.free) + "'"
        return _index_latex(index)


def _contracted(op: Op) -> list[str]:
    return list(dict.fromkeys(index.free for read in op.reads for index in read.index if isinstance(index, Free)))


def _count(graph: Graph, op: Op) -> str:
    """How many numbers a mean is taken over; token axes are never averaged."""
    return str(math.prod(graph.sizes[axis] for axis in _contracted(op)))


def _index_latex(index: Index) -> str:
    match index:
        case Axis(axis=axis, divide=1) | Free(free=axis):
            return _letter(axis)
        case Axis(axis=axis, divide=n):
            return rf"\lfloor {_letter(axis)}/{n} \rfloor"
        case Constant(constant=value):
            return str(value)
        case Pair(pair=axis):
            return rf"\tilde{{{_letter(axis)}}}"
        case Lookup(lookup=name, index=inner):
            return rf"\text{{{_escaped(name)}}}_{{{', '.join(map(_index_latex, inner))}}}"
        case Bucket(bucket=(query, key)):
            return rf"\text{{bucket}}({_letter(key)} - {_letter(query)})"


def _subscript(indices: Sequence[str]) -> str:
    return f"_{{{', '.join(indices)}}}"


def _letter(axis: str) -> str:
    return LETTERS.get(axis, rf"\text{{{_escaped(axis)}}}")


def tensor_symbol(name: str) -> str:
    """A tensor as a symbol: `blocks.0.attn.W_Q` is W with Q above it, `blocks.0.hook_resid_mid` is resid_mid."""
    *owners, leaf = name.split(".")
    if leaf in ("w", "b") and owners:
        return rf"{leaf}^{{\text{{{_escaped(owners[-1])}}}}}"
    letter, _, rest = leaf.partition("_")
    if letter in ("W", "b") and rest:
        return rf"{letter}^{{\text{{{_escaped(rest)}}}}}"
    return rf"\text{{{_escaped(leaf.removeprefix('hook_'))}}}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")


def _comparison_latex(text: str) -> str:
    words = [_letter(part) if part in LETTERS else part for part in text.split()]
    return " ".join(words).replace("<=", r"\le")


def _symbols_used(graph: Graph, op: Op) -> dict[str, str]:
    """Which axis each letter of the formula stands for."""
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

    def has(self, name: str) -> bool:
        """A read that brings no cell here, such as a partner beyond the pairs, is left out."""
        places = _places(self.op, name)
        return bool(places) and (name != "partner" or places[0] in self.values)

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


def number_latex(value: float) -> str:
    """Four significant digits; powers of ten where they are many."""
    if math.isnan(value):
        return r"\text{NaN}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    digits, _, exponent = f"{value:.4g}".partition("e")
    if not exponent:
        return digits
    power = rf"10^{{{int(exponent)}}}"
    return power if digits == "1" else rf"{digits} \times {power}"


# ---- words ------------------------------------------------------------------------------------------------------


def sentence(graph: Graph, op: Op) -> str:
    """What the operation does, in words."""
    names = [_name(read, op.stack) for read in op.reads]
    inputs = [name for name, read in zip(names, op.reads, strict=True) if read.part == "input"]
    parts = {read.part: name for name, read in zip(names, op.reads, strict=True)}
    over = " and ".join(_contracted(op))
    times = f", times {op.constants['scale']:.6g}" if op.constants.get("scale", 1) != 1 else ""
    bias = f", plus {parts['bias']}" if "bias" in parts else ""
    match op.kind:
        case "embed":
            return f"A look-up: {inputs[0]} at {_row_looked_up(op.reads[0])}{times}."
        case "add":
            return f"The sum of {_and(inputs)}, cell by cell."
        case "mean":
            return f"The mean of {inputs[0]} over {over}."
        case "deviation":
            return (
                f"The spread of {inputs[0]} over {over}: the root of the mean squared distance from its mean, "
                f"with epsilon {op.constants['epsilon']:g} under the root."
            )
        case "root_mean_square":
            return (
                f"The root of the mean square of {inputs[0]} over {over}, "
                f"with epsilon {op.constants['epsilon']:g} under the root."
            )
        case "normalize":
            centred = f"{inputs[0]} less its mean" if "mean" in parts else inputs[0]
            return f"{centred}, divided by {parts['scale']}."
        case "affine":
            offset = f"{op.constants['offset']:g} plus " if "offset" in op.constants else ""
            return f"{inputs[0]} times {offset}the learned gain {parts['gain']}{bias}."
        case "einsum":
            return f"The sum over {over} of {' times '.join(inputs)}{times}{bias}."
        case "rotate":
            return (
                f"{inputs[0]} turned by its position: times the cosine, and of each pair the first takes away "
                "its partner times the sine, the second adds it."
            )
        case "mask":
            return f"{inputs[0]} where {op.reads[0].where}; elsewhere minus infinity, so that softmax gives it nothing."
        case "maximum":
            return f"The largest of {inputs[0]} over {over}."
        case "sum_exponentials":
            return f"The sum over {over} of e to the power of {inputs[0]} less the largest of them."
        case "softmax" if "row" in parts:
            return f"The share of e to the power of {inputs[0]} in the sum of all of them over {over}."
        case "softmax":
            return (
                f"e to the power of {inputs[0]} less the row's largest, {parts['maximum']}, "
                f"divided by the row's sum, {parts['sum']}."
            )
        case "activation":
            return f"{_ACTIVATION_WORDS[str(op.constants['function'])]} of {inputs[0]}, cell by cell."
        case "multiply":
            return f"{' times '.join(inputs)}, cell by cell."


_ACTIVATION_WORDS = {
    "gelu": "The GELU (x times the normal distribution's share below x)",
    "gelu_new": "The GELU (x times the normal distribution's share below x, approximated with tanh)",
    "relu": "The ReLU (nothing below zero)",
    "silu": "The SiLU (x times its sigmoid)",
}


def _name(read: Read, stack: str | None) -> str:
    """A tensor within its block; what comes over from the other text says so."""
    *owners, leaf = read.tensor.split(".")
    name = f"{owners[-1]}.{leaf}" if owners and not owners[-1].isdigit() else leaf
    return f"the {owners[0]}'s {name}" if owners and owners[0] in _STACKS and owners[0] != stack else name


def _row_looked_up(read: Read) -> str:
    first = read.index[0]
    match first:
        case Lookup(lookup=name, index=inner):
            return f"the row of the id in {name} at this {', '.join(map(index_text, inner))}"
        case Constant(constant=value):
            return f"row {value}"
    return f"the row of this {index_text(first)}"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def why_masked(graph: Graph, tensor: str, at: Mapping[str, int]) -> str | None:
    """Why a cell is hidden, if it is: the conditions of its mask that do not hold."""
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
