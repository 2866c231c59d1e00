"""What a `lesson.yaml` may hold: which runs, and step by step what to see, to guess, to do and to be asked.

    course: first-steps
    order: 1
    run: {model: stories, text: "Once upon a time there was a little"}
    let: {best: "argmax(logits[last])"}
    steps:
      - id: next
        see: {camera: logits, select: "logits[last, best]", panel: prompt}
        check: {kind: token, key: best}

The words stand in a file a language (`text.py`). Everything in quotes that names numbers is an expression
(`expression.py`). `LessonFile.model_json_schema()` is the whole of it, for editors.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .errors import ExpressionError
from .expression import names_called, parse
from .functions import FUNCTIONS


def _expression(text: str) -> str:
    """Check that an expression can be read and calls only what there is."""
    try:
        unknown = names_called(parse(text)) - FUNCTIONS.keys()
    except ExpressionError as error:
        raise ValueError(f"{error}. {error.hint}") from error
    if unknown:
        raise ValueError(f"there is no function {', '.join(sorted(unknown))}. There are: {', '.join(FUNCTIONS)}.")
    return text


Expr = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_expression)]
Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$", max_length=40)]
Kind = Literal["decoder", "encoder", "encoder_decoder"]
# A text for every model, or one by the model's id; `*` is for all others.
Texts = str | dict[str, str]
Ids = tuple[Annotated[int, Field(ge=0)], ...]


class Part(BaseModel):
    """Any part of a lesson: a key that is not known is a mistake of the author's."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sampling(Part):
    """How tokens are chosen; what is left out is as the server's own defaults are: the likeliest each time."""

    temperature: float | None = Field(default=None, ge=0, le=100)
    top_k: int | None = Field(default=None, ge=0, lt=2**31)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**53)
    beams: int | None = Field(default=None, ge=1, le=16)


class Change(Part):
    """An intervention: cells of an activation, named by an expression, and what is done to them."""

    cells: Expr
    action: Literal["set", "scale", "add"]
    value: Expr


class RunPlan(Part):
    """A run that a lesson or a step looks at. A step's own replaces the lesson's field by field."""

    model: Id | None = Field(
        default=None, description="the model that the lesson is written for; of a step: the one it is shown on"
    )
    kinds: tuple[Kind, ...] = Field(default=(), description="kinds of model that it serves too; none: its own only")
    text: Texts | None = None
    tokens: Ids | dict[str, Ids] | None = Field(default=None, description="ids in place of a text: [0] begins anew")
    pair: Texts | None = None
    write: int | None = Field(default=None, ge=0, le=256, description="how many tokens are written after the text")
    sampling: Sampling | None = None
    interventions: tuple[Change, ...] | None = None
    minus: bool | None = Field(default=None, description="show the difference to the run without interventions")


class Moment(Part):
    """A moment on the timeline: of the pass, an operation and how far it is; or of one cell's arithmetic."""

    track: Literal["pass", "cell"]
    at: Expr | None = Field(default=None, description="the tensor whose operation it is, or the cell")
    progress: float = Field(default=0, ge=0, le=1)
    play: bool = False


class Lens(Part):
    """A lens with its parameters, which are expressions."""

    name: Annotated[str, Field(pattern=r"^[a-z_0-9]+$", max_length=40)]
    parameters: dict[Name, Expr] = Field(default_factory=dict)


class See(Part):
    """What a step shows. What is left out stays as the step before left it."""

    camera: Literal["home"] | Expr | None = Field(default=None, description="home, or what to fly to")
    select: Expr | None = Field(default=None, description="a cell, chosen as by a click")
    panel: Annotated[str, Field(pattern=r"^[a-z-]+$", max_length=40)] | None = None
    lens: Lens | None = None
    column: Expr | None = Field(default=None, description="the position whose column is lit")
    moment: Moment | None = None
    only: tuple[Expr, ...] | None = Field(default=None, description="parts of the model that stay; others are dimmed")
    heads: Literal["fan", "stack", "board"] | None = None


class Predict(Part):
    """A guess before the number is shown.

    `token`: one of a few next tokens, scored by log loss. `number`: a bar drawn between two bounds. `cell`: a cell
    of one row. `order`: things in order of their values.
    """

    kind: Literal["token", "number", "cell", "order"]
    truth: Expr = Field(description="the token's id, the number, the index along the row, or a list of values")
    among: Expr | None = Field(default=None, description="the ids offered, or the row that a cell is chosen from")
    shares: Expr | None = Field(default=None, description="the probabilities by which a token is scored")
    low: float = 0
    high: float = 1

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in ("token", "cell") and self.among is None:
            raise ValueError(f"a guess of the kind {self.kind} needs `among`")
        if self.low >= self.high:
            raise ValueError("`low` must lie below `high`")
        return self


class Do(Part):
    """What the reader does to end the step: all that is named must have come true on the page."""

    selected: Expr | None = Field(default=None, description="cells, one of which is chosen")
    hovered: Expr | None = Field(default=None, description="cells, one of which is pointed at")
    panel: Annotated[str, Field(pattern=r"^[a-z-]+$", max_length=40)] | None = None
    wrote: int | None = Field(default=None, ge=1, description="tokens written since the step began")
    changed_text: bool | None = Field(default=None, description="another text has been read")
    zoomed_to: Expr | None = Field(default=None, description="part of the model that fills the window")
    played: Literal["pass", "cell"] | None = None
    column: bool | None = Field(default=None, description="a token of the text has been chosen")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if all(value is None for value in vars(self).values()):
            raise ValueError("says nothing to do")
        return self


class Check(Part):
    """A question with a key computed from the run.

    `number`: within `within` of the key. `token`: a token's id. `choice`: one of `choices` in the text, by its
    number from 0. `true-or-false`: so or not. `cell`: an index along a row.
    """

    kind: Literal["number", "token", "choice", "true-or-false", "cell"]
    key: Expr
    within: float = Field(default=0, ge=0)
    among: Expr | None = Field(default=None, description="token ids offered, or the row that a cell is chosen from")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind in ("token", "cell") and self.among is None:
            raise ValueError(f"a question of the kind {self.kind} needs `among`")
        return self


class Step(Part):
    """One step: one sentence or two, one change of what is seen."""

    id: Id
    run: RunPlan | None = None
    needs: Expr | None = Field(default=None, description="false: this model cannot show it, and the step says so")
    let: dict[Name, Expr] = Field(default_factory=dict)
    see: See = See()
    predict: Predict | None = None
    do: Do | None = None
    check: Check | None = None
    minutes: float = Field(default=1, gt=0, le=30)
    covers: tuple[Annotated[str, Field(pattern=r"^[A-Z]+[0-9]*(-[0-9a-z]+)?$")], ...] = Field(
        default=(), description="items of the reading list that the step makes live"
    )
    proof: tuple[Expr, ...] = Field(default=(), description="what must hold of the run, for the test of these items")


class LessonFile(Part):
    """A whole `lesson.yaml`."""

    course: Id
    order: int = Field(default=0, ge=0, le=1000)
    run: RunPlan
    let: dict[Name, Expr] = Field(default_factory=dict)
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        twice = _repeated([step.id for step in self.steps])
        if twice:
            raise ValueError(f"two steps are called {twice}")
        if self.run.model is None or (self.run.text is None and self.run.tokens is None):
            raise ValueError("`run` needs a model, and a text or tokens")
        return self


def _repeated(names: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def plan_for(lesson: LessonFile, step: Step | None) -> RunPlan:
    """Join a lesson's plan of its run and a step's own: the step's fields where it has them."""
    if step is None or step.run is None:
        return lesson.run
    own: dict[str, Any] = {name: value for name, value in step.run if value not in (None, ())}
    if "text" in own or "tokens" in own:  # one takes the other's place
        own = {"text": None, "tokens": None, **own}
    return lesson.run.model_copy(update=own)


def for_model(given: Any, model: str) -> Any:
    """Choose what is said for a model: by its id, or for all others; what is said once is for every model."""
    if not isinstance(given, dict):
        return given
    return given.get(model, given.get("*"))
