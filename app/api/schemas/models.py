"""What goes over the wire about models: what there is, how they are built, and how far one is that is being pulled."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ...transformer.graph import Op, OpKind, TensorInfo
from ...transformer.spec import Kind, Spec
from .base import Answer, Id, Question, Token


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


class TokenizeQuestion(Question):
    """Text to split."""

    text: str


class Tokens(Answer):
    """Text as the model reads it, its prefix included."""

    tokens: list[Token]


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


class ParityProgress(Answer):
    """A report that is not done yet: how many operations have been compared, of how many."""

    model: str
    state: Literal["computing"] = "computing"
    done: int
    operations: int
