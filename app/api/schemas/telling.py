"""Messages of the stream from the server to the browser; docs/reference/stream.md describes them."""

from typing import Annotated, Literal

from pydantic import Field

from ...runs.run import Reason
from .base import Answer, ErrorDetail, Token
from .runs import Candidate, Prediction


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
