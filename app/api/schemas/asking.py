"""Messages of the stream from the browser to the server; docs/reference/stream.md describes them."""

from typing import Annotated, Literal

from pydantic import Field

from ...runs.pooling import Pool
from .base import Id, Name, Question
from .runs import RunBase, Sampling


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
