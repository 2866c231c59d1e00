"""What is answered about one cell, and about two side by side. `explain.py` and `compare_cells.py` fill these in.

JSON has no infinity and no not-a-number: such numbers are None here already.
"""

from dataclasses import dataclass, field
from typing import Literal

from ..transformer.graph import OpKind, Role
from ..transformer.operations.summands import Combine

Direction = Literal["backward", "forward"]


@dataclass(frozen=True)
class CellValue:
    """One number: a cell of a tensor, and what stands in it (null: an infinity or not-a-number)."""

    tensor: str
    index: list[int]
    value: float | None


@dataclass(frozen=True)
class Operand:
    """What an operation reads of one tensor for one cell: the box of cells `start <= index < stop`.

    `read` is its place among the operation's reads, in the graph and in `latex_marked`. `part` says what it is to
    the operation: `input`, `bias`, `gain`, `mean`, `scale`, `maximum`, `sum`, `row`, `partner`, `cosine`, `sine`.
    `index_text` prints the graph's index expressions. `stored_as` is the tensor whose
    numbers these are, where two names share them; `transposed` when its two axes are swapped. `values` are those of
    the box, row by row, where there are at most `terms` of them.
    """

    read: int
    part: str
    tensor: str
    role: Role
    axes: list[str]
    start: list[int]
    stop: list[int]
    count: int
    index_text: str
    stored_as: str
    transposed: bool
    values: list[float | None] | None


@dataclass(frozen=True)
class ExplainedTerm:
    """One term: the cells it is made of, and what it comes to, scale and sign included."""

    operands: list[CellValue]
    value: float | None


@dataclass(frozen=True)
class Rest:
    """The terms that are not listed: how many, and their sum."""

    count: int
    sum: float | None


@dataclass(frozen=True)
class ExplainedOperation:
    """The operation that makes a tensor, in LaTeX and in words.

    `latex` is the formula, `latex_values` the same with this cell's numbers in it, `term_latex` what one term is.
    In `latex_marked` every operand stands in `\\operand{n}{…}`, n being the operand's `read`. `symbols` says which axis
    a letter stands for. `constants` are the operation's own: epsilon, scale, function.
    """

    kind: OpKind
    title: str
    equation: str
    latex: str
    latex_marked: str
    latex_values: str
    term_latex: str | None
    sentence: str
    symbols: dict[str, str]
    constants: dict[str, float | str]


@dataclass(frozen=True)
class ExplainedStep:
    """One step of a cell whose number becomes another, step by step.

    The operand whose `part` is `joins` comes in (null: none does), `sign` stands beside it, and the number `becomes`
    another (null: an infinity). `words` say it, without the number.
    """

    joins: str | None
    sign: str
    becomes: float | None
    words: str


@dataclass(frozen=True)
class ExplainedPlayback:
    """How the arithmetic of a cell is played.

    Where there are `steps`, the input goes through them one after another. Otherwise the terms come together:
    `merging` says what becomes of a term's operands first (null: each is taken as it is), and `sign` stands between
    the operands of one term.
    """

    merging: str | None
    sign: str
    steps: list[ExplainedStep]


@dataclass(frozen=True)
class Line:
    """The cells along one axis of a weight, through the cell that was asked for."""

    axis: str
    length: int
    mean: float | None
    deviation: float | None
    norm: float | None
    smallest: float | None
    largest: float | None


@dataclass(frozen=True)
class Fed:
    """Cells of `tensor` that read the cell that was asked for, as `part` of the operation `kind`.

    Without a run it is not known which tokens there are: `condition` then says for which of the cells it holds.
    """

    tensor: str
    part: str
    kind: OpKind
    title: str
    axes: list[str]
    start: list[int]
    stop: list[int]
    count: int
    condition: str | None


@dataclass
class Explanation:
    """One cell: the arithmetic that made it (`backward`), or the cells that it goes into (`forward`).

    How the terms make the result, `combine`: `sum`: they add up to it, with `bias`; `root`: it is the root of their
    sum and epsilon; `divisor`: their sum divides it; `largest`: the first is it; null: the formula alone makes it.
    Terms come in order of size, `largest` ones in order of value; `rest` holds the others.

    `captured` is what the run holds, `result` the same recomputed in float64 from the captured operands;
    `difference` is result - captured, and `agrees` whether it is at most `tolerance`. `masked` says why the cell is
    hidden, if it is; `changed` that an intervention made it what it is. A weight has no operation, but `lines`.
    """

    model: str
    run: str | None
    tensor: str
    stored_as: str
    role: Role
    index: list[int]
    axes: list[str]
    shape: list[int]
    direction: Direction
    captured: float | None
    op: ExplainedOperation | None = None
    operands: list[Operand] = field(default_factory=list)
    combine: Combine | None = None
    terms: list[ExplainedTerm] = field(default_factory=list)
    rest: Rest | None = None
    playback: ExplainedPlayback | None = None
    bias: float | None = None
    scale: float | None = None
    result: float | None = None
    difference: float | None = None
    tolerance: float | None = None
    agrees: bool | None = None
    masked: str | None = None
    changed: str | None = None
    lines: list[Line] = field(default_factory=list)
    feeds: list[Fed] = field(default_factory=list)
    feeds_left_out: int = 0


@dataclass(frozen=True)
class Sides:
    """A number of one cell, the same of another, and the first less the second."""

    left: float | None
    right: float | None
    difference: float | None


@dataclass(frozen=True)
class TermPair:
    """A term of one cell and the term that stands in its place in another."""

    left: ExplainedTerm
    right: ExplainedTerm
    difference: float | None


@dataclass(frozen=True)
class RestOfPairs:
    """The pairs that are not listed: how many, and what they sum up to on either side."""

    count: int
    left: float | None
    right: float | None
    difference: float | None


@dataclass(frozen=True)
class Beside:
    """Two cells of a run side by side: their numbers, and where the difference comes from.

    `pairs` are the terms that differ most, `rest` the others: together with `bias` they sum up to `result`, the
    numbers recomputed in float64. Terms are paired where both cells are sums of the same form; otherwise `pairs` is
    empty and `unpaired` says why.
    """

    left: CellValue
    right: CellValue
    captured: Sides
    result: Sides | None = None
    bias: Sides | None = None
    pairs: list[TermPair] = field(default_factory=list)
    rest: RestOfPairs | None = None
    unpaired: str | None = None
