"""What goes over the wire about runs: what one is to be, how it stands, and what can be read and seen of it."""

from typing import Literal

from pydantic import Field

from ...runs.recorder import Action
from ...runs.run import Reason, State
from ...transformer.decoding import BEAMS, HOTTEST, TOP_K
from ...transformer.graph import Role
from .base import Answer, Finite, Id, Name, Question, Seed, Token, TokenId


class Sampling(Question):
    """How the next token is chosen. Temperature 0 is greedy, as is any below 0.000001.

    `top_k` 0 and `top_p` 1 keep every token.

    More than one of `beams` writes the text with the highest log-probability per token that so many beams find,
    whatever the rest says; a model's own length penalty changes the "per token".
    """

    temperature: Finite = Field(default=0.0, ge=0, le=HOTTEST)
    top_k: int = Field(default=0, ge=0, lt=TOP_K, strict=True)
    top_p: Finite = Field(default=1.0, gt=0, le=1)
    seed: Seed = 0
    beams: int = Field(default=1, ge=1, le=BEAMS, strict=True)


class Intervention(Question):
    """A change made while the model runs: the cells of `name` at `index` are set to, scaled by or added `value`."""

    name: Name
    index: str = Field(default="", max_length=400)
    action: Action
    value: Finite


class RunBase(Question):
    """What a run is to be, over whatever door it is asked for.

    Either `text`, which gets the model's prefix, or `tokens`, which are taken as they are. An encoder-decoder reads
    them as its source; `target_tokens` are what its own text begins with.
    """

    model: Id
    text: str | None = None
    tokens: list[TokenId] | None = None
    text_pair: str | None = Field(default=None, description="a second text, read together with `text`")
    token_types: list[TokenId] | None = Field(default=None, description="the kind of each of `tokens`: 0, 1 and so on")
    target_tokens: list[TokenId] | None = None
    max_new_tokens: int = Field(default=0, ge=0, lt=2**31, strict=True)
    sampling: Sampling = Field(default_factory=Sampling)
    interventions: list[Intervention] = Field(default_factory=list)
    capture: Literal["all"] = "all"


class RunQuestion(RunBase):
    """A run to make. Either `text`, which gets the model's prefix, or `tokens`, which are taken as they are.

    An encoder-decoder reads them as its source; `target_tokens` are what its own text begins with.
    """

    wait: bool = True


class Candidate(Answer):
    """A token that may come next, under the model alone."""

    id: int
    text: str
    logit: float | None
    probability: float | None
    forbidden: bool = Field(default=False, description="the model's generation_config.json keeps it from being written")


class Prediction(Answer):
    """What an encoder would put at a masked position."""

    position: int
    top: list[Candidate]


class GeneratedToken(Answer):
    """A token that was chosen: its position, and how probable it was under the model and under the sampling."""

    position: int
    token: Token
    probability: float | None
    sampled_probability: float | None


class Activation(Answer):
    """A captured tensor. `derived` ones are recomputed when read."""

    name: str
    shape: list[int]
    dtype: str
    axes: list[str]
    role: Role
    derived: bool


class Activations(Answer):
    """Everything that can be read of a run, in the order in which it came to be."""

    activations: list[Activation]


class InterventionAnswer(Answer):
    """A change that was made while the model ran, as it was asked for."""

    name: str
    index: str
    action: Action
    value: float


class RunAnswer(Answer):
    """A run: where it stands, what it read and wrote, what comes next, and what can be read of it."""

    id: str
    model: str
    state: State
    reason: Reason | None
    prompt_length: int
    capacity: int
    source: list[Token] = Field(description="what the encoder of an encoder-decoder read")
    tokens: list[Token]
    token_types: list[int] = Field(description="the kind of text of every token; empty where a model knows one alone")
    generated: list[GeneratedToken]
    top: list[Candidate]
    predictions: list[Prediction] = Field(description="what an encoder would put at each masked position")
    interventions: list[InterventionAnswer] = Field(description="what was changed while the model ran")
    activations: list[Activation]
    beam_score: float | None = Field(
        description="what decided between the texts of a beam search: the log-probability in nats, per token written"
    )
    first_non_finite: str | None = Field(description="the first tensor with a not-a-number, if any")
    bytes: int


class LensParameter(Answer):
    """One thing that a lens can be asked for.

    An `index` runs along an axis (`of`) of `size` entries, a `count` and a `number` lie from `least` to `most`, a
    `choice` is one of `choices`, a `token` is one of the vocabulary by its text or as `#id`; `empty` says what an
    empty one means.
    """

    name: str
    title: str
    kind: Literal["index", "count", "number", "choice", "token", "text"]
    default: int | float | str
    of: str
    size: int
    least: float | None
    most: float | None
    choices: list[str]
    empty: str


class LensInfo(Answer):
    """A lens: what it can be asked for here, how it is read and misread, and why it does not apply, if it does not."""

    name: str
    title: str
    group: str
    applies: bool
    reason: str | None
    reading: str
    misreadings: list[str]
    parameters: list[LensParameter]


class Lenses(Answer):
    """Every lens."""

    lenses: list[LensInfo]
