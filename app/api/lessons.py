"""The calls about lessons: which there are, the run that a step looks at, and a step with its live numbers.

A lesson is data (`app/lessons/`); every number in what these calls answer is read from a run.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from ..lessons.answers import LessonInfo, LessonProblem, Lessons, ResolvedStep, StepInfo
from ..lessons.errors import LessonError, NotHereError
from ..lessons.library import Lesson, Library
from ..lessons.plan import Plan, plan_of
from ..lessons.resolve import plain_paragraphs, resolve
from ..lessons.schema import Step
from .errors import ApiError, refusals
from .services import ServicesOf

router = APIRouter(tags=["lessons"])
Language = Annotated[str, Query(alias="lang", pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", description="en, fr and so on")]
RunId = Annotated[str, Query(alias="run", max_length=100, description="the run that the step looks at")]


def _library(request: Request) -> Library:
    library: Library = request.app.state.lessons
    return library


LibraryOf = Annotated[Library, Depends(_library)]


@router.get("/lessons")
async def lessons(library: LibraryOf, language: Language = "en") -> Lessons:
    """List every lesson, course by course, and those that are left out for a mistake in them."""
    problems = [
        LessonProblem(file=each.file, step=each.step, field=each.field, reason=each.reason, hint=each.hint)
        for each in library.problems
    ]
    return Lessons(lessons=[_info(lesson, language) for lesson in library.lessons], problems=problems)


@router.get("/lessons/{lesson_id}/plan")
async def plan(
    services: ServicesOf,
    library: LibraryOf,
    lesson_id: str,
    model: Annotated[str, Query(max_length=200, description="the model to give the lesson on")] = "",
    step: Annotated[str, Query(max_length=100, description="a step with a run of its own")] = "",
    run: Annotated[
        str, Query(max_length=100, description="the run without interventions, where they follow from it")
    ] = "",
) -> Plan:
    """Tell which run a lesson, or one of its steps, looks at on a model."""
    lesson = _lesson(library, lesson_id)
    wanted = _step(lesson, step) if step else None
    own = wanted.run.model if wanted is not None and wanted.run is not None else None
    entry = services.entry(own or model or str(lesson.file.run.model))
    plain = services.run(run) if run else None
    try:
        return await services.see(lambda: plan_of(lesson, wanted, entry, plain))
    except NotHereError as error:
        raise ApiError(422, "not_here", str(error), "GET /api/v1/lessons lists the kinds of model of each.") from error
    except LessonError as error:
        raise _broken(error) from error


@router.get("/lessons/{lesson_id}/steps/{step_id}")
async def step(
    services: ServicesOf,
    library: LibraryOf,
    lesson_id: str,
    step_id: str,
    run_id: RunId,
    language: Language = "en",
    chosen: Annotated[int | None, Query(ge=0, description="the position that the reader chose")] = None,
) -> ResolvedStep:
    """Return a step's words, view and questions, with every number read from a run."""
    lesson = _lesson(library, lesson_id)
    wanted = _step(lesson, step_id)
    run = services.run(run_id)
    try:
        with refusals():
            return await services.see(lambda: resolve(lesson, wanted, run, language, chosen))
    except LessonError as error:
        raise _broken(error) from error


def _lesson(library: Library, lesson_id: str) -> Lesson:
    try:
        return library.lesson(lesson_id)
    except KeyError:
        known = "GET /api/v1/lessons lists what there is."
        raise ApiError(404, "unknown_lesson", f"there is no lesson {lesson_id[:100]!r}", known) from None


def _step(lesson: Lesson, step_id: str) -> Step:
    found = lesson.step(step_id)
    if found is None:
        choices = f"Its steps are: {', '.join(step.id for step in lesson.steps)}."
        raise ApiError(404, "unknown_step", f"{lesson.id} has no step {step_id[:100]!r}", choices)
    return found


def _broken(error: LessonError) -> ApiError:
    """Refuse a step whose author made a mistake that no schema shows."""
    return ApiError(422, "broken_lesson", str(error), error.hint or "`transformer-atlas lessons check` finds them all.")


def _info(lesson: Lesson, language: str) -> LessonInfo:
    """Describe a lesson in a language, or in English where it has no words in it."""
    words = lesson.text(language)
    return LessonInfo(
        id=lesson.id,
        course=lesson.file.course,
        title=words.title,
        lead=plain_paragraphs(words.lead),
        minutes=sum(step.minutes for step in lesson.steps),
        model=str(lesson.file.run.model),
        kinds=list(lesson.file.run.kinds),
        languages=sorted(lesson.texts),
        untranslated=lesson.missing(language),
        steps=[
            StepInfo(
                id=step.id,
                title=lesson.step_text(step.id, language).title,
                minutes=step.minutes,
                covers=list(step.covers),
            )
            for step in lesson.steps
        ],
    )
