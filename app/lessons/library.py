"""Reads lessons from folders: one folder a lesson, with `lesson.yaml` and a text a language such as `en.md`.

    library = Library([LESSONS, Path("my-lessons")])
    library.lesson("first-steps").texts["fr"].title
    library.problems  # lessons that are left out, and why; the others are not disturbed

A lesson's id is its folder's name; of two with the same name the later folder's counts, so that a teacher may replace
one of ours.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from .errors import LessonError
from .schema import LessonFile, Step
from .text import LessonText, StepText, read_text

MAIN = "en"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_LARGEST = 1_000_000
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Lesson:
    """A lesson: its id, its file, its words by language."""

    id: str
    file: LessonFile
    texts: Mapping[str, LessonText]

    @property
    def steps(self) -> Sequence[Step]:
        """Return the steps in order."""
        return self.file.steps

    def step(self, step_id: str) -> Step | None:
        """Find a step."""
        return next((step for step in self.steps if step.id == step_id), None)

    def text(self, language: str) -> LessonText:
        """Return the words in a language, or in English where there are none in it."""
        return self.texts.get(language) or self.texts[MAIN]

    def step_text(self, step_id: str, language: str) -> StepText:
        """Return a step's words in a language, or in English where it has not been translated."""
        return self.text(language).steps.get(step_id) or self.texts[MAIN].steps[step_id]

    def missing(self, language: str) -> list[str]:
        """List the steps that have no words in a language."""
        there = self.texts.get(language)
        return [step.id for step in self.steps if there is None or step.id not in there.steps]


class Library:
    """Every lesson of some folders, by its id."""

    def __init__(self, folders: Iterable[Path]) -> None:
        """Read all lessons; those with mistakes are left out and listed in `problems`."""
        self.problems: list[LessonError] = []
        self._lessons: dict[str, Lesson] = {}
        for folder in folders:
            for inside in lesson_folders(folder):
                try:
                    lesson = read_lesson(inside)
                except LessonError as error:
                    self.problems.append(error)
                    continue
                self._lessons[lesson.id] = lesson

    @property
    def lessons(self) -> list[Lesson]:
        """List the lessons, course by course, in the order that they give themselves."""
        first = {course: at for at, course in enumerate(_courses(self._lessons.values()))}
        return sorted(self._lessons.values(), key=lambda each: (first[each.file.course], each.file.order, each.id))

    def lesson(self, lesson_id: str) -> Lesson:
        """Find a lesson.

        Raises:
            KeyError: there is none of that id.
        """
        return self._lessons[lesson_id]


def _courses(lessons: Iterable[Lesson]) -> list[str]:
    """Order the courses by the smallest number of their lessons."""
    least: dict[str, int] = {}
    for lesson in lessons:
        least[lesson.file.course] = min(lesson.file.order, least.get(lesson.file.course, lesson.file.order))
    return sorted(least, key=lambda course: (least[course], course))


def lesson_folders(folder: Path) -> list[Path]:
    """List the folders in `folder` that hold a lesson; `folder` itself if it is one."""
    if (folder / "lesson.yaml").is_file():
        return [folder]
    try:
        return sorted(inside.parent for inside in folder.glob("*/lesson.yaml"))
    except OSError as error:
        raise LessonError(str(folder), None, "", f"cannot be read: {error.strerror}") from error


def read_lesson(folder: Path) -> Lesson:
    """Read one lesson.

    Raises:
        LessonError: its name, its YAML, a field, or one of its texts is wrong.
    """
    name = folder.resolve().name
    file = f"{name}/lesson.yaml"
    if not _ID.fullmatch(name):
        raise LessonError(file, None, "folder", f"{name!r} cannot be a lesson's id", "Use small letters, digits and -.")
    raw = _yaml(_read(folder / "lesson.yaml", file), file)
    try:
        lesson = LessonFile.model_validate(raw)
    except ValidationError as error:
        raise _first(error, raw, file) from error
    texts = {path.stem: read_text(_read(path, f"{name}/{path.name}"), f"{name}/{path.name}") for path in _texts(folder)}
    if MAIN not in texts:
        raise LessonError(f"{name}/{MAIN}.md", None, "", "is not there", "Every lesson has its words in English.")
    _check_texts(name, lesson, texts)
    return Lesson(name, lesson, texts)


def _texts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.md") if _LANGUAGE.fullmatch(path.stem))


def _read(path: Path, file: str) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise LessonError(file, None, "", f"larger than {_LARGEST} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise LessonError(file, None, "", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LessonError(file, None, "", "is not UTF-8") from error


class _Loader(yaml.SafeLoader):
    """Reads YAML without aliases: a few of them can stand for more than any memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read in lessons")
        return super().compose_node(parent, index)


def _yaml(source: str, file: str) -> Any:
    try:
        return yaml.load(source, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        raise LessonError(file, None, where, f"is no YAML: {getattr(error, 'problem', None) or error}") from error


def _first(error: ValidationError, raw: Any, file: str) -> LessonError:
    """Turn the first mistake that the schema finds into one that names file, step and field."""
    problem = error.errors()[0]
    place, step = list(problem["loc"]), None
    if len(place) > 1 and place[0] == "steps" and isinstance(place[1], int):
        step = _step_name(raw, place[1])
        place = place[2:]
    field = ".".join(str(part) for part in place)
    more = error.error_count() - 1
    hint = "" if not more else f"There {'is one more mistake' if more == 1 else f'are {more} more mistakes'} in it."
    return LessonError(file, step, field, str(problem["msg"]).removeprefix("Value error, "), hint)


def _step_name(raw: Any, at: int) -> str:
    """Name a step: by its id if it has one, else by its number."""
    try:
        return str(raw["steps"][at]["id"])
    except (KeyError, TypeError, IndexError):
        return f"number {at + 1}"


def _check_texts(name: str, lesson: LessonFile, texts: Mapping[str, LessonText]) -> None:
    """Check that words and steps belong together.

    Raises:
        LessonError: a step without words in English, words for no step, a question whose words are missing.
    """
    known = {step.id: step for step in lesson.steps}
    for language, text in texts.items():
        for step_id in text.steps.keys() - known.keys():
            choices = f"The steps are: {', '.join(known)}."
            raise LessonError(f"{name}/{language}.md", step_id, "heading", "lesson.yaml has no such step", choices)
    for step_id, step in known.items():
        words = texts[MAIN].steps.get(step_id)
        if words is None:
            raise LessonError(f"{name}/{MAIN}.md", step_id, "", "has no words", f"Add `## {step_id}: Title`.")
        for language, text in texts.items():
            if step_id in text.steps:
                _check_parts(f"{name}/{language}.md", step, text.steps[step_id])


def _check_parts(file: str, step: Step, words: StepText) -> None:
    for part in ("predict", "do", "check"):
        if (getattr(step, part) is not None) != bool(getattr(words, part)):
            there = "lesson.yaml" if getattr(step, part) is not None else "the text"
            raise LessonError(file, step.id, part, f"is in {there} alone", f"Write `### {part}` and its words in both.")
    choices = [paragraph for paragraph in words.check if paragraph.item]
    if step.check is not None and (step.check.kind == "choice") != bool(choices):
        hint = "A question of the kind `choice` has a list, each item a choice; others have none."
        raise LessonError(file, step.id, "check", f"has {len(choices)} choices", hint)
