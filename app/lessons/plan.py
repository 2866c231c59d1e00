"""Says which run a step looks at, for one model.

plan_of(lesson, lesson.steps[0], entry).run  # PlannedRun(model="sort", text="CBABBC", …)
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from ..checkpoints.entry import ModelEntry
from ..runs.run import Run
from .errors import ExpressionError, LessonError, NotHereError
from .functions import number
from .library import Lesson
from .schema import Change, Step, for_model, plan_for
from .scope import Scope

# Ids that a model without a tokenizer reads in place of the lesson's text.
_UNREADABLE = 8


class PlannedChange(BaseModel):
    """An intervention, as `POST /runs` takes it."""

    name: str
    index: str
    action: Literal["set", "scale", "add"]
    value: float


class PlannedRun(BaseModel):
    """A run as `POST /runs` and the stream's `start` take it; of `sampling` only what differs from the defaults."""

    model: str
    text: str | None = None
    tokens: list[int] | None = None
    text_pair: str | None = None
    max_new_tokens: int
    sampling: dict[str, int | float]
    interventions: list[PlannedChange]


class Plan(BaseModel):
    """The run that a step looks at, and whether to show its difference to the run without interventions."""

    run: PlannedRun
    undecided: bool = Field(description="the interventions follow from the run without them: ask again with that run")
    minus: bool


def serves(lesson: Lesson, entry: ModelEntry) -> str | None:
    """Say why a lesson cannot be given on a model, or None."""
    plan = lesson.file.run
    if entry.id == plan.model:
        return None
    if entry.spec.kind not in plan.kinds:
        wanted = " or ".join(plan.kinds) or f"on {plan.model} alone"
        return f"the lesson is for {wanted}; {entry.id} is an {entry.spec.kind.replace('_', '-')}"
    there = for_model(plan.text, entry.id) is not None or for_model(plan.tokens, entry.id) is not None
    return None if there else f"the lesson has no text for {entry.id}"


def plan_of(lesson: Lesson, step: Step | None, entry: ModelEntry, plain: Run | None = None) -> Plan:
    """Plan the run of a step; `plain` is the same run without interventions, from which they follow.

    Raises:
        NotHereError: the lesson cannot be given on this model.
        LessonError: an intervention says nothing.
    """
    plan = plan_for(lesson.file, step)
    reason = None if entry.id == plan.model else serves(lesson, entry)
    if reason is not None:
        raise NotHereError(reason)
    text, tokens = for_model(plan.text, entry.id), for_model(plan.tokens, entry.id)
    if tokens is None and not entry.has_tokenizer:
        tokens = range(min(_UNREADABLE, entry.spec.d_vocab, entry.spec.positions - (plan.write or 0)))
    if text is None and tokens is None:
        raise NotHereError(f"the step has no text for {entry.id}")
    write = plan.write or 0
    if tokens is not None:
        write = min(write, entry.spec.positions - len(tokens) + 1)  # so many fit
    sampling: dict[str, Any] = plan.sampling.model_dump(exclude_none=True) if plan.sampling else {}
    changes = plan.interventions or ()
    planned = PlannedRun(
        model=entry.id, text=None if tokens is not None else text, tokens=None if tokens is None else list(tokens),
        text_pair=for_model(plan.pair, entry.id), max_new_tokens=write,
        sampling=sampling,
        interventions=[] if plain is None else [_change(lesson, step, change, plain) for change in changes],
    )  # fmt: skip
    return Plan(run=planned, undecided=bool(changes) and plain is None, minus=bool(plan.minus))


def _change(lesson: Lesson, step: Step | None, change: Change, plain: Run) -> PlannedChange:
    scope = Scope(plain, {**lesson.file.let, **(step.let if step else {})})
    try:
        place = scope.place(change.cells)
        if place is None:
            raise ExpressionError(f"{change.cells!r} names no cells")
        index = ",".join(":" if at is None else str(at) for at in place[1])
        return PlannedChange(name=place[0], index=index, action=change.action, value=number(scope.value(change.value)))
    except ExpressionError as error:
        raise LessonError(
            f"{lesson.id}/lesson.yaml", step.id if step else None, "interventions", str(error), error.hint
        ) from error
