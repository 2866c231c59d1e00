"""What a resolved step is, as the API answers it; `resolve.py` makes it, `make contract` writes it for the page.

{"id": "next", "applies": true, "body": [{"spans": [{"kind": "number", "number": 0.98, "format": "%1", …}]}], …}
"""

from typing import Literal

from pydantic import BaseModel, Field

from .schema import Kind


class Place(BaseModel):
    """Cells of a tensor: an index for each axis, null for all along it; a part of the model has no indices."""

    tensor: str
    index: list[int | None]


class ResolvedSpan(BaseModel):
    """A piece of a paragraph; a live `number` has its value and its format, or is words in `text`."""

    kind: Literal["text", "emphasis", "code", "formula", "number", "words"]
    text: str = ""
    number: float | None = None
    format: str = Field(default="", description="decimals, % or %1, token, words, plain; empty: as the page sees fit")
    place: Place | None = None


class ResolvedParagraph(BaseModel):
    """A paragraph, or an item of a list."""

    spans: list[ResolvedSpan]
    item: bool = False


class ResolvedLens(BaseModel):
    """A lens with the parameters to ask it with."""

    name: str
    parameters: dict[str, str]


class ResolvedMoment(BaseModel):
    """A moment on the timeline."""

    track: Literal["pass", "cell"]
    at: Place | None
    progress: float
    play: bool


class ResolvedSee(BaseModel):
    """What a step shows; null is as the step before left it."""

    home: bool
    camera: Place | None
    select: Place | None
    panel: str | None
    lens: ResolvedLens | None
    column: int | None
    moment: ResolvedMoment | None
    only: list[str] | None = Field(description="beginnings of the names of tensors that are not dimmed")
    heads: Literal["fan", "stack", "board"] | None


class ResolvedPredict(BaseModel):
    """A guess and the truth that the run holds; `shares` are the probabilities of `offered`."""

    kind: Literal["token", "number", "cell", "order"]
    words: list[ResolvedParagraph]
    truth: list[float]
    offered: list[int]
    labels: list[str]
    row: Place | None
    shares: list[float]
    low: float
    high: float


class ResolvedDo(BaseModel):
    """What ends the step when the reader has done it."""

    words: list[ResolvedParagraph]
    selected: Place | None
    hovered: Place | None
    zoomed_to: Place | None
    panel: str | None
    wrote: int | None
    changed_text: bool
    played: Literal["pass", "cell"] | None
    column: bool


class ResolvedCheck(BaseModel):
    """A question, and its key."""

    kind: Literal["number", "token", "choice", "true-or-false", "cell"]
    words: list[ResolvedParagraph]
    key: float
    within: float
    choices: list[ResolvedParagraph]
    offered: list[int]
    labels: list[str]
    row: Place | None


class ResolvedFaq(BaseModel):
    """A question that readers ask, and its answer."""

    question: str
    answer: list[ResolvedParagraph]


class ResolvedStep(BaseModel):
    """A step of a lesson, resolved for one run. A step that does not apply says why and has nothing else."""

    id: str
    title: str
    minutes: float
    covers: list[str]
    applies: bool
    reason: str | None = None
    body: list[ResolvedParagraph] = []
    see: ResolvedSee | None = None
    predict: ResolvedPredict | None = None
    do: ResolvedDo | None = None
    check: ResolvedCheck | None = None
    hints: list[list[ResolvedParagraph]] = []
    faq: list[ResolvedFaq] = []


class StepInfo(BaseModel):
    """A step as the table of contents lists it."""

    id: str
    title: str
    minutes: float
    covers: list[str]


class LessonInfo(BaseModel):
    """A lesson as the list of lessons shows it."""

    id: str
    course: str
    title: str
    lead: list[ResolvedParagraph]
    minutes: float
    model: str
    kinds: list[Kind]
    languages: list[str]
    untranslated: list[str] = Field(description="steps that have no words in the language asked for")
    steps: list[StepInfo]


class LessonProblem(BaseModel):
    """A lesson that is left out, for its author."""

    file: str
    step: str | None
    field: str
    reason: str
    hint: str


class Lessons(BaseModel):
    """All lessons, course by course."""

    lessons: list[LessonInfo]
    problems: list[LessonProblem]
