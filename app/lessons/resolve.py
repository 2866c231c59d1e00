"""Puts a step and a run together: every expression computed, every cell named, every word ready to be shown.

    step = resolve(lesson, lesson.steps[2], run, "en")
    step.body[0].spans[1].number   # 0.9866, from the run
    step.see.select                # {"tensor": "logits", "index": [6, 15]}

What this model or this text has not got is said (`reason`), and the reader can go on.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from ..runs.run import Run
from .answers import (
    Place,
    ResolvedCheck,
    ResolvedDo,
    ResolvedLens,
    ResolvedMoment,
    ResolvedParagraph,
    ResolvedPredict,
    ResolvedSee,
    ResolvedSpan,
    ResolvedStep,
)
from .errors import ExpressionError, LessonError, NotHereError
from .functions import Value, number, vector
from .library import Lesson
from .schema import Check, Do, Predict, See, Step
from .scope import Scope
from .text import Paragraph, Span, StepText

_OFFERED = 100


def resolve(lesson: Lesson, step: Step, run: Run, language: str, chosen: int | None = None) -> ResolvedStep:
    """Resolve a step for a run, in a language; `chosen` is the position that the reader chose.

    Raises:
        LessonError: an expression of the step says nothing, whatever the model.
    """
    words = lesson.step_text(step.id, language)
    scope = Scope(run, {**lesson.file.let, **step.let}, chosen)
    head: dict[str, Any] = {"id": step.id, "title": words.title, "minutes": step.minutes, "covers": list(step.covers)}
    try:
        if step.needs is not None and not _true(scope, step.needs):
            return ResolvedStep(**head, applies=False, reason=f"{run.loaded.entry.id} has nothing to show here")
        return ResolvedStep(**head, applies=True, **_parts(scope, step, words))
    except NotHereError as error:
        return ResolvedStep(**head, applies=False, reason=str(error))
    except ExpressionError as error:
        raise LessonError(f"{lesson.id}/lesson.yaml", step.id, "expression", str(error), error.hint) from error


def plain_paragraphs(paragraphs: Iterable[Paragraph]) -> list[ResolvedParagraph]:
    """Take paragraphs that need no run; a live number in them is left out."""
    return [
        ResolvedParagraph(
            item=each.item, spans=[ResolvedSpan(kind=s.kind, text=s.text) for s in each.spans if not s.expression]
        )
        for each in paragraphs
    ]


def proofs(lesson: Lesson, step: Step, run: Run) -> list[bool]:
    """Compute what a step says must hold of a run."""
    scope = Scope(run, {**lesson.file.let, **step.let})
    return [_true(scope, text) for text in step.proof]


def _true(scope: Scope, text: str) -> bool:
    value = scope.value(text)
    return bool(value) if isinstance(value, str) else bool(number(value))


def _parts(scope: Scope, step: Step, words: StepText) -> dict[str, Any]:
    return {
        "body": _paragraphs(scope, words.body),
        "see": _see(scope, step.see),
        "predict": None if step.predict is None else _predict(scope, step.predict, words.predict),
        "do": None if step.do is None else _do(scope, step.do, words.do),
        "check": None if step.check is None else _check(scope, step.check, words.check),
        "hints": [_paragraphs(scope, hint) for hint in words.hints],
        "faq": [{"question": question, "answer": _paragraphs(scope, answer)} for question, answer in words.faq],
    }


# ---- words ------------------------------------------------------------------------------------------------------


def _paragraphs(scope: Scope, paragraphs: Iterable[Paragraph]) -> list[ResolvedParagraph]:
    return [
        ResolvedParagraph(item=paragraph.item, spans=[_span(scope, span) for span in paragraph.spans])
        for paragraph in paragraphs
    ]


def _span(scope: Scope, span: Span) -> ResolvedSpan:
    if span.kind == "words":
        place = scope.place(span.expression)
        found = place or (scope.path(span.expression), [])
        return ResolvedSpan(kind="words", text=span.text, place=_place(found))
    if span.kind != "number":
        return ResolvedSpan(kind=span.kind, text=span.text)
    value, place = scope.both(span.expression)
    shown = _shown(value, span.format)
    return ResolvedSpan(
        kind="number", text=shown if isinstance(shown, str) else "", number=None if isinstance(shown, str) else shown,
        format=span.format, place=None if place is None else _place(place),
    )  # fmt: skip


def _shown(value: Value, form: str) -> float | int | str:
    """Turn a live word's value into a number, or into words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value if form == "token" else value.strip() or value
    if isinstance(value, list):
        return ", ".join(_said(_shown(each, form)) for each in value)
    found = vector(value)
    if found.numel() == 1:
        return _finite(float(found))
    if found.numel() > _OFFERED:
        raise ExpressionError(f"{found.numel()} numbers are too many for a text", "Name an index for each axis.")
    return ", ".join(_said(_finite(float(each)), form) for each in found.flatten())


def _finite(value: float) -> float | int | str:
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "∞" if value > 0 else "-∞"
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def _said(value: float | int | str, form: str = "") -> str:
    """Write one number of a list."""
    if isinstance(value, float):
        return f"{value:.{form if form.isdigit() else 3}f}"
    return str(value)


def _place(found: tuple[str, list[int | None]]) -> Place:
    return Place(tensor=found[0], index=found[1])


def _places(scope: Scope, text: str) -> Place:
    place = scope.place(text)
    return _place(place) if place is not None else Place(tensor=scope.path(text), index=[])


# ---- what is seen, guessed, done and asked ----------------------------------------------------------------------


def _see(scope: Scope, see: See) -> ResolvedSee:
    moment = see.moment
    return ResolvedSee(
        home=see.camera == "home",
        camera=None if see.camera in (None, "home") else _places(scope, see.camera),
        select=None if see.select is None else _places(scope, see.select),
        panel=see.panel,
        lens=None if see.lens is None else ResolvedLens(
            name=see.lens.name,
            parameters={name: str(_shown(scope.value(text), "")) for name, text in see.lens.parameters.items()},
        ),
        column=None if see.column is None else int(number(scope.value(see.column))),
        moment=None if moment is None else ResolvedMoment(
            track=moment.track, at=None if moment.at is None else _places(scope, moment.at),
            progress=moment.progress, play=moment.play,
        ),
        only=None if see.only is None else [scope.path(text) for text in see.only],
        heads=see.heads,
    )  # fmt: skip


def _predict(scope: Scope, predict: Predict, words: Sequence[Paragraph]) -> ResolvedPredict:
    truth = _numbers(scope, predict.truth)
    offered, row = _among(scope, predict.kind, predict.among)
    shares = _shares(scope, predict.shares, offered) if predict.shares else []
    return ResolvedPredict(
        kind=predict.kind, words=_paragraphs(scope, words), truth=truth, offered=offered,
        labels=_labels(scope, predict.kind, offered), row=row, shares=shares, low=predict.low, high=predict.high,
    )  # fmt: skip


def _check(scope: Scope, check: Check, words: Sequence[Paragraph]) -> ResolvedCheck:
    offered, row = _among(scope, check.kind, check.among)
    key = _numbers(scope, check.key)
    if len(key) != 1:
        raise ExpressionError(f"the key of a question is one number, not {len(key)}")
    choices = [paragraph for paragraph in words if paragraph.item]
    if check.kind == "choice" and not 0 <= key[0] < len(choices):
        raise ExpressionError(f"the key is choice {key[0]:g} of {len(choices)}", "They are counted from 0.")
    return ResolvedCheck(
        kind=check.kind, words=_paragraphs(scope, [each for each in words if not each.item]), key=key[0],
        within=check.within, choices=_paragraphs(scope, choices), offered=offered,
        labels=_labels(scope, check.kind, offered), row=row,
    )  # fmt: skip


def _do(scope: Scope, do: Do, words: Sequence[Paragraph]) -> ResolvedDo:
    cells: Mapping[str, str | None] = {"selected": do.selected, "hovered": do.hovered, "zoomed_to": do.zoomed_to}
    return ResolvedDo(
        words=_paragraphs(scope, words), panel=do.panel, wrote=do.wrote, changed_text=bool(do.changed_text),
        played=do.played, column=bool(do.column),
        **{name: None if text is None else _places(scope, text) for name, text in cells.items()},
    )  # fmt: skip


def _numbers(scope: Scope, text: str) -> list[float]:
    """Compute numbers that the page compares with an answer."""
    value = scope.value(text)
    found: Tensor = vector(value).flatten()
    if found.numel() > _OFFERED:
        raise ExpressionError(f"{text!r} is {found.numel()} numbers; a question takes {_OFFERED}")
    listed = [float(each) for each in found]
    if not all(math.isfinite(each) for each in listed):
        raise NotHereError("a number that is asked for here is not finite in this run")
    return listed


def _shares(scope: Scope, text: str, offered: Sequence[int]) -> list[float]:
    """Take the probabilities of the tokens offered from a whole distribution."""
    found = vector(scope.value(text))
    if found.dim() != 1 or any(not 0 <= token < len(found) for token in offered):
        raise ExpressionError(f"{text!r} is no distribution over the tokens offered", "Write probabilities[last].")
    return [float(found[token]) for token in offered]


def _among(scope: Scope, kind: str, text: str | None) -> tuple[list[int], Place | None]:
    """List the token ids that are offered, or name the row that a cell is chosen from."""
    if text is None:
        return [], None
    if kind == "cell":
        return [], _places(scope, text)
    return [int(each) for each in _numbers(scope, text)], None


def _labels(scope: Scope, kind: str, offered: Sequence[int]) -> list[str]:
    return [str(scope.value(f"token({token})")) for token in offered] if kind == "token" else []
