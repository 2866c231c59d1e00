"""What is said to an engine and by it: a run's specification, its events, and what is read of it.

    RunSpec(model="sort", text="CBABBC", interventions=[Change("blocks.0.attn.hook_z", ":,1", "set", 0)])

Plain values all, which another process could be sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..lenses import Parameter
from ..runs.clients import Client
from ..runs.recorder import Action
from ..runs.run import Candidate, Event, Generated, Prediction, Reason, State
from ..runs.statistics import Statistics
from ..transformer.decoding import Sampling
from ..transformer.graph import Role
from ..transformer.tokenizer import Token
from .errors import EngineError

GREEDY, NOBODY = Sampling(), Client()


@dataclass(frozen=True)
class Change:
    """A change to make while the model runs: the cells of `name` at `index` are set to, scaled by or added `value`.

    `index` is written as in NumPy: `0,:,3:9`; an empty one is the whole tensor.
    """

    name: str
    index: str
    action: Action
    value: float


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """A run to make: `text`, read with the model's prefix and perhaps with a second one, or `tokens` as they are.

    An encoder-decoder reads them as its source; `target_tokens` are what its own text begins with. `token_types` are
    the kinds of text of `tokens`. The run writes `write` tokens once its prompt has been read and then waits; all that
    fit if None. `cut_to_fit` lets `max_new_tokens` be more than the context holds: the run then ends there. Turns and
    room are shared out by `client`.
    """

    model: str
    text: str | None = None
    text_pair: str | None = None
    tokens: Sequence[int] | None = None
    token_types: Sequence[int] | None = None
    target_tokens: Sequence[int] | None = None
    max_new_tokens: int = 0
    sampling: Sampling = GREEDY
    interventions: Sequence[Change] = ()
    write: int | None = None
    cut_to_fit: bool = False
    client: Client = NOBODY


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened to a run, with what was known of it then.

    `read` positions had been read and `written` tokens been written; `top` is what may come next. A `token` event has
    the token, `done` a reason, `failed` a failure.
    """

    kind: Event
    read: int
    written: int
    top: tuple[Candidate, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    token: Generated | None = None
    reason: Reason | None = None
    beam_score: float | None = None
    failure: EngineError | None = None


class Activation(NamedTuple):
    """An activation that can be read, as far as it has been computed; `derived` ones are computed when they are.

    A run has hundreds, and a tuple is made in about a fifth of the time of a frozen data class (0.6 of 2.8 µs).
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[str, ...]
    role: Role
    derived: bool


@dataclass(frozen=True)
class RunDescription:
    """A run as it stands: what it read and wrote, what comes next, and what can be read of it."""

    id: str
    model: str
    state: State
    reason: Reason | None
    prompt_length: int
    capacity: int
    source: Sequence[Token]
    tokens: Sequence[Token]
    token_types: Sequence[int]
    generated: Sequence[Generated]
    top: Sequence[Candidate]
    predictions: Sequence[Prediction]
    interventions: Sequence[Change]
    activations: Sequence[Activation]
    beam_score: float | None
    first_non_finite: str | None
    bytes: int


@dataclass(frozen=True)
class Rows:
    """A slice of a tensor: `values` are float32, of the axes that are left of it; `full_shape` is the whole's."""

    name: str
    axes: tuple[str, ...]
    full_shape: tuple[int, ...]
    values: NDArray[np.float32]
    derived: bool


@dataclass(frozen=True)
class Measured:
    """The statistics of all numbers of a tensor of this shape."""

    name: str
    shape: tuple[int, ...]
    statistics: Statistics


@dataclass(frozen=True)
class LensOffer:
    """A lens as it stands to a run: what can be chosen, or the `reason` why it does not apply."""

    name: str
    title: str
    group: str
    reason: str | None
    reading: str
    misreadings: Sequence[str]
    parameters: Sequence[Parameter]
