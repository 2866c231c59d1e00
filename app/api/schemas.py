"""The specification of what goes over the wire, in both directions; `make contract` writes it in TypeScript.

Axis names, tensor names and words are DESIGN.md's. JSON has no infinity and no not-a-number: such values are
`null`, and the answer counts them.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..runs.pooling import Pool
from ..transformer.graph import Op, OpKind, Role, TensorInfo
from ..transformer.spec import Kind, Spec

Finite = Annotated[float, Field(allow_inf_nan=False)]
Id = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(max_length=200)]
# One token id; the model's vocabulary bounds it further.
TokenId = Annotated[int, Field(ge=0, lt=2**31, strict=True)]
# Neither the seed's product with the position nor its JSON may leave what every language can count.
Seed = Annotated[int, Field(ge=0, lt=2**53, strict=True)]
State = Literal["queued", "running", "paused", "done", "failed"]
Reason = Literal["complete", "max_new_tokens", "end_of_text", "context", "not_finite", "cancelled"]


ScaleOf = Literal["kind", "tensor"]


class Answer(BaseModel):
    """Something the server says."""


class Question(BaseModel):
    """Something a client says: unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid")


class ErrorDetail(Answer):
    """What is wrong, and what to do."""

    type: str
    message: str
    hint: str


class ErrorBody(Answer):
    """Every answer that is not a success."""

    error: ErrorDetail


class Health(Answer):
    """The server is alive."""

    status: Literal["ok"] = "ok"
    version: str


class Capabilities(Answer):
    """What this server can do, and the bounds on what may be asked of it."""

    version: str
    device: str
    dtype: str
    threads: int = Field(description="cores that one stage of a run is computed on, as torch counts them")
    default_model: str | None
    lenses: list[str]
    formats: list[str]
    limits: dict[str, int | float]
    runs_held: int
    run_bytes: int


class ModelSummary(Answer):
    """A model that can be run."""

    id: str
    title: str
    description: str
    kind: Kind
    parameters: int
    size_bytes: int
    loaded: bool
    bundled: bool
    has_tokenizer: bool
    no_tokenizer: str = Field(description="why it reads token ids alone; empty where it has a tokenizer")
    no_head: str = Field(description="why it names no tokens and has no logits; empty where it has a language head")
    positions: int
    source_positions: int = Field(description="of an encoder-decoder's source; 0 for all others")
    mask_id: int | None = Field(description="the token that hides another, of a model that fills in")
    default_text: str
    default_new_tokens: int
    default_temperature: float | None = Field(description="what suits the model; null where it does not matter")


class Models(Answer):
    """Every model, the default one first."""

    models: list[ModelSummary]


class Pull(Answer):
    """A model that this server can get for itself, and how far that is."""

    id: str
    title: str
    description: str
    licence: str
    size_bytes: int = Field(description="what is fetched")
    state: Literal["offered", "pulling", "done", "failed"]
    doing: str
    bytes: int
    total: int
    message: str = Field(description="what went wrong")
    hint: str


class Pulls(Answer):
    """Every model that can be pulled."""

    pulls: list[Pull]


class PullQuestion(Question):
    """Which model to get."""

    id: Id


class LeftOut(Answer):
    """A weight of a model's files that is not part of the map."""

    name: str = Field(description="in the file")
    shape: list[int]


class ModelDetail(ModelSummary):
    """A model with its spec and its card."""

    spec: Spec
    card: str | None = Field(description="Markdown")
    prefix_ids: list[int]
    suffix_ids: list[int]
    start_ids: list[int] = Field(description="what an encoder-decoder's own text begins with")
    end_of_text_id: int | None = Field(description="the token that ends a text, or a turn of a conversation")
    end_ids: list[int] = Field(description="every token after which writing stops")
    not_obeyed: list[str] = Field(
        description="what the model's files say of its text and its writing and is not done here, each in a sentence"
    )
    left_out: list[LeftOut] = Field(
        description="weights of its files that are not part of the map, such as a classifier's or a pooler's"
    )
    fingerprint: str | None = Field(description="of its weights, once they are loaded; `v` of addresses of tiles")


@dataclass(frozen=True, kw_only=True)
class GraphTensor(TensorInfo):
    """A tensor of a model's graph: what it is, and its sizes along `axes`.

    Token axes have the context length, their upper bound. Tensors of one `kind` (all `W_Q`) share a colour scale.
    A tensor with `same_as` holds the very same numbers as that one, with its two axes swapped where `transposed`.
    `derived` ones are computed when asked for. `stack` is which of an encoder-decoder's it belongs to, `source_axes`
    are those of its axes that run along the source text. `learned` is false for tables that follow from a formula.
    """

    shape: list[int]


class Graph(Answer):
    """All tensors and operations, in order, and the size of every axis."""

    tensors: list[GraphTensor]
    ops: list[Op]
    sizes: dict[str, int]


class Scales(Answer):
    """Colour scales by kind of tensor, or by tensor: the 99.5th percentile of |x|, from evenly spaced samples."""

    scales: dict[str, float]


class Pairing(Answer):
    """For each position that a run may fill, the other run's that it is compared with; null for none."""

    run: str
    minus: str
    pairs: list[int | None]
    source_pairs: list[int | None]


class Token(Answer):
    """A token: its id, how it prints, and its byte offsets in the UTF-8 text."""

    id: int
    text: str
    start: int
    end: int


class TokenizeQuestion(Question):
    """Text to split."""

    text: str


class Tokens(Answer):
    """Text as the model reads it, its prefix included."""

    tokens: list[Token]


class Sampling(Question):
    """How the next token is chosen. Temperature 0 is greedy, as is any below 0.000001.

    `top_k` 0 and `top_p` 1 keep every token.

    More than one of `beams` writes the text with the highest log-probability per token that so many beams find,
    whatever the rest says; a model's own length penalty changes the "per token".
    """

    temperature: Finite = Field(default=0.0, ge=0, le=100)
    top_k: int = Field(default=0, ge=0, lt=2**31, strict=True)
    top_p: Finite = Field(default=1.0, gt=0, le=1)
    seed: Seed = 0
    beams: int = Field(default=1, ge=1, le=16, strict=True)


class Intervention(Question):
    """A change made while the model runs: the cells of `name` at `index` are set to, scaled by or added `value`."""

    name: Name
    index: str = Field(default="", max_length=400)
    action: Literal["set", "scale", "add"]
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


class RunQuestion(RunBase):
    """A run to make. Either `text`, which gets the model's prefix, or `tokens`, which are taken as they are.

    An encoder-decoder reads them as its source; `target_tokens` are what its own text begins with.
    """

    capture: Literal["all"] = "all"
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
    action: Literal["set", "scale", "add"]
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


class Numbers(Answer):
    """A slice of a tensor. Values that are not finite are null, and counted."""

    name: str
    axes: list[str]
    full_shape: list[int]
    shape: list[int]
    dtype: str
    derived: bool
    nan: int
    infinite: int
    values: Any


class TensorStatistics(Answer):
    """Of all numbers of a tensor; the first five are of the finite ones, and null where there is none."""

    name: str
    shape: list[int]
    min: float | None
    max: float | None
    mean: float | None
    deviation: float | None
    percentile: float | None = Field(description="the 99.5th percentile of |x|, exactly")
    zeros: float = Field(description="the share of numbers that are zero")
    nan: int
    infinite: int


# ---- where a number comes from, and where it goes -------------------------------------------------------------------


class Operation(Answer):
    """An operation of a model, its place among all of them in the order of computing, and the tensor that it makes.

    The fields are those of an explained operation (`app/runs/explanation.py`), which also has a cell's numbers.
    """

    number: int
    output: str
    kind: OpKind
    title: str
    equation: str
    latex: str
    latex_marked: str
    term_latex: str | None
    sentence: str
    symbols: dict[str, str]
    constants: dict[str, float | str]


class Operations(Answer):
    """A stretch of a model's operations, and how many there are in all."""

    ops: list[Operation]
    count: int


# What is said of a cell, and of a model beside its equations, is specified where it is made: in
# `app/runs/explanation.py` and `app/runs/self_check.py`.


class ParityProgress(Answer):
    """A report that is not done yet: how many operations have been compared, of how many."""

    model: str
    state: Literal["computing"] = "computing"
    done: int
    operations: int


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


# ---- the stream, browser to server ------------------------------------------------------------------------------


class StartMessage(RunBase):
    """Start a run. It reads the prompt, then waits for `step`, or goes on writing at once if `write`."""

    type: Literal["start"]
    request: Id
    write: bool = False


class TileWish(Question):
    """A tile of one plate: of a weight of the wish's `model`, or of an activation of `run`."""

    run: Id | None = None
    name: Name
    index: list[int] = Field(default_factory=list, max_length=4)
    level: int = Field(default=0, ge=0, le=32)
    pool: Pool = "mean"
    row: int = Field(ge=0, lt=2**31)
    col: int = Field(ge=0, lt=2**31)


class CellsWish(Question):
    """Numbers to be printed: a rectangle of cells of one plate, sent as float32."""

    run: Id | None = None
    name: Name
    index: list[int] = Field(default_factory=list, max_length=4)
    row: int = Field(ge=0, lt=2**31)
    col: int = Field(ge=0, lt=2**31)
    rows: int = Field(ge=1, le=64)
    cols: int = Field(ge=1, le=64)


class WantMessage(Question):
    """Everything this page wants to see now, most wanted first; replaces the wish of an earlier epoch."""

    type: Literal["want"]
    epoch: int = Field(ge=0, lt=2**53)
    run: Id | None = None
    activations: list[Name] = Field(default_factory=list)
    resend: list[Name] = Field(default_factory=list)
    minus: Id | None = Field(default=None, description="another run: everything of `run` comes less that run's")
    model: Id | None = None
    tiles: list[TileWish] = Field(default_factory=list)
    cells: list[CellsWish] = Field(default_factory=list)


class AckMessage(Question):
    """Every frame up to this sequence number has been taken in."""

    type: Literal["ack"]
    seq: int = Field(ge=0, lt=2**53)


class StepMessage(Question):
    """Write `count` more tokens, or until stopped when null."""

    type: Literal["step"]
    run: Id
    count: int | None = Field(default=None, ge=1, lt=2**31)
    sampling: Sampling | None = None


class PauseMessage(Question):
    """Stop after the token in progress."""

    type: Literal["pause"]
    run: Id


class CancelMessage(Question):
    """End the run where it is; what it has computed stays readable."""

    type: Literal["cancel"]
    run: Id


ClientMessage = Annotated[
    StartMessage | WantMessage | AckMessage | StepMessage | PauseMessage | CancelMessage, Field(discriminator="type")
]

# ---- the stream, server to browser ------------------------------------------------------------------------------


class AcceptedMessage(Answer):
    """A run has been made; `capacity` positions may be filled by prompt and generated tokens together."""

    type: Literal["accepted"] = "accepted"
    request: str
    run: str
    model: str
    source: list[Token]
    tokens: list[Token]
    token_types: list[int] = Field(description="the kind of text of every token; empty where a model knows one alone")
    capacity: int
    max_new_tokens: int


class QueuedMessage(Answer):
    """A run takes turns with `ahead` others."""

    type: Literal["queued"] = "queued"
    run: str
    ahead: int


class ScalesMessage(Answer):
    """Colour scales by kind of activation; `frozen` once the prompt has been read."""

    type: Literal["scales"] = "scales"
    run: str
    scales: dict[str, float]
    frozen: bool


class PromptMessage(Answer):
    """The prompt has been read: what may come next."""

    type: Literal["prompt"] = "prompt"
    run: str
    top: list[Candidate]
    predictions: list[Prediction]


class TokenMessage(Answer):
    """A token was chosen; `top` is the distribution it was chosen from, under the model alone."""

    type: Literal["token"] = "token"
    run: str
    step: int
    position: int
    token: Token
    probability: float | None
    sampled_probability: float | None
    top: list[Candidate]


class PausedMessage(Answer):
    """The run waits; `top` is what may come next."""

    type: Literal["paused"] = "paused"
    run: str
    top: list[Candidate]


class DoneMessage(Answer):
    """The run is over; `top` is empty when the last token was not read again."""

    type: Literal["done"] = "done"
    run: str
    reason: Reason
    top: list[Candidate]
    beam_score: float | None = Field(
        default=None,
        description="what decided between the texts of a beam search: the log-probability in nats, per token written",
    )


class BeatMessage(Answer):
    """The server is there; said when nothing else has been for `beat_seconds`."""

    type: Literal["beat"] = "beat"


class ErrorMessage(Answer):
    """Something could not be done; the connection and everything else go on."""

    type: Literal["error"] = "error"
    request: str | None
    run: str | None
    error: ErrorDetail


ServerMessage = Annotated[
    AcceptedMessage
    | QueuedMessage
    | ScalesMessage
    | PromptMessage
    | TokenMessage
    | PausedMessage
    | DoneMessage
    | ErrorMessage
    | BeatMessage,
    Field(discriminator="type"),
]
