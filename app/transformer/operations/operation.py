"""The type of which every kind of operation is one value: all that is known of it, in one place.

A kind is data: five functions. `evaluate` computes any box of the output in float64, `terms` lists what one cell is
made of, `latex` and `sentence` say it, and `playback` says how the page plays it. Nothing is shared with `model.py`,
so that each can prove the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from ..graph import Op, OpKind
from .inputs import Inputs
from .notation import Operands
from .summands import Terms


@dataclass(frozen=True)
class Names:
    """The names of what an operation reads, for its sentence.

    `inputs` are its reads that are plain inputs, `parts` all by what they are to the operation, `over` the contracted
    axes. `times` and `bias` are clauses such as ", times 0.125" and ", plus attn.b_Q", empty where there is none.
    """

    inputs: Sequence[str]
    parts: dict[str, str]
    over: str
    times: str
    bias: str


@dataclass(frozen=True)
class Step:
    """One step of a cell whose number becomes another, step by step.

    The part `joins` comes in (none: nothing does), `sign` is written beside it, and the number `becomes` another.
    `words` say it, without the number: "Less the row's largest".
    """

    joins: str | None
    sign: str
    becomes: float
    words: str


@dataclass(frozen=True)
class Playback:
    """How a cell's arithmetic is played.

    Where there are `steps` the input goes through them one after another. Otherwise its terms fly in: `merging` says
    what becomes of a term's operands before all are put together (none: each is taken as it is), and `sign` stands
    between the operands of one term.
    """

    merging: str | None = None
    sign: str = "×"
    steps: Sequence[Step] = field(default_factory=tuple)


def plain_playback(given: Inputs, result: float) -> Playback:
    """Play terms that are taken as they are."""
    return Playback()


@dataclass(frozen=True)
class Operation:
    """All that is known of one kind of operation.

    Args of its functions: `evaluate` and `terms` take the inputs of a box, `terms` that of a single cell; `latex`
    takes the operation and whoever fills the operands in; `sentence` the operation and the names of its reads;
    `playback` the inputs of a single cell and the cell's number.
    """

    kind: OpKind
    evaluate: Callable[[Inputs], Tensor]
    terms: Callable[[Inputs], Terms]
    latex: Callable[[Op, Operands], str]
    sentence: Callable[[Op, Names], str]
    playback: Callable[[Inputs, float], Playback] = plain_playback
