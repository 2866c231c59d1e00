"""Every step of every lesson, on its own model and on others of its kind: reachable, computed, and true of the run.

A step's `proof` is what makes the items of the reading list live that it `covers`; this test computes them, and
`docs/reference/reading-list.md` lists what it found.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.lessons.library import MAIN, Lesson, Library
from app.lessons.resolve import proofs
from app.lessons.text import Paragraph, StepText
from app.paths import LESSONS
from app.settings import Settings
from tests.conftest import Server, serving, write_model
from tests.families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Library([LESSONS])
NAMES = [lesson.id for lesson in LIBRARY.lessons]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the bundled models and a random Llama, which has no tokenizer."""
    llama = write_model(tmp_path_factory.mktemp("models") / "random-llama", FAMILIES["llama"])
    with serving(Settings(models=[llama], port=0)) as server:
        yield server


def walk(server: Server, lesson: Lesson, model: str) -> Iterator[tuple[Any, Any, Any]]:
    """Go through a lesson on a model as the page does; yield each step, what it resolved to, and its run."""
    runs: dict[str, Any] = {}
    for step in lesson.steps:
        plan = server.get(f"/lessons/{lesson.id}/plan", model=model, step=step.id)
        run = _run(server, runs, plan["run"])
        if plan["undecided"]:
            plan = server.get(f"/lessons/{lesson.id}/plan", model=model, step=step.id, run=run["id"])
            run = _run(server, runs, plan["run"])
        yield step, server.get(f"/lessons/{lesson.id}/steps/{step.id}", run=run["id"]), run


def _run(server: Server, runs: dict[str, Any], planned: Any) -> Any:
    """Make a run, or take the one that was made for an earlier step."""
    key = repr(sorted(planned.items()))
    if key not in runs:
        runs[key] = server.make_run(**planned)
    return runs[key]


def test_no_lesson_of_ours_has_a_mistake() -> None:
    assert [str(problem) for problem in LIBRARY.problems] == []
    assert NAMES


TRANSLATED = [(lesson.id, language) for lesson in LIBRARY.lessons for language in lesson.texts if language != MAIN]


@pytest.mark.parametrize(("name", "language"), TRANSLATED)
def test_a_translation_has_every_step_and_the_same_numbers_in_it(name: str, language: str) -> None:
    lesson = LIBRARY.lesson(name)
    assert lesson.missing(language) == []
    for step in lesson.steps:
        assert _outline(lesson.step_text(step.id, language)) == _outline(lesson.step_text(step.id, MAIN)), step.id


def _outline(words: StepText) -> dict[str, list[object]]:
    """Name what every language has alike: the live numbers of each part, its choices, how many hints and answers."""
    parts = {"body": words.body, "predict": words.predict, "do": words.do, "check": words.check}
    parts |= {f"hint {at}": hint for at, hint in enumerate(words.hints)}
    parts |= {f"faq {at}": answer for at, (_, answer) in enumerate(words.faq)}
    return {name: _numbers(part) for name, part in parts.items()}


def _numbers(part: Sequence[Paragraph]) -> list[object]:
    """List a part's expressions in no order, since languages put words in their own, and count its choices."""
    spans = sorted((span.expression, span.format) for each in part for span in each.spans if span.expression)
    return [*spans, sum(each.item for each in part)]


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_true_of_the_model_it_was_written_for(school: Server, name: str) -> None:
    lesson = LIBRARY.lesson(name)
    for step, found, run in walk(school, lesson, str(lesson.file.run.model)):
        assert found["applies"], f"{name}, {step.id}: {found['reason']}"
        held = proofs(lesson, step, school.services.run(run["id"]))
        assert held == [True] * len(step.proof), f"{name}, {step.id}: {dict(zip(step.proof, held, strict=True))}"
        if step.covers:
            assert step.proof or step.check, f"{name}, {step.id} covers {step.covers} and proves nothing"
        _named(school, run, found)


def _named(server: Server, run: Any, found: Any) -> None:
    """Check that the cells named are there, and that a live number of one cell is what REST gives for it."""
    for span in _spans(found):
        place = span.get("place")
        if span["kind"] != "number" or place is None or None in place["index"] or span["number"] is None:
            continue
        held = {entry["name"] for entry in run["activations"]}
        owner = f"/runs/{run['id']}/activations" if place["tensor"] in held else f"/models/{run['model']}/weights"
        value = server.get(f"{owner}/{place['tensor']}", index=",".join(map(str, place["index"])))["values"]
        assert span["number"] == pytest.approx(value, rel=1e-5, abs=1e-7)


def _spans(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        if "kind" in found and "format" in found:
            yield found
        for value in found.values():
            yield from _spans(value)
    elif isinstance(found, list):
        for value in found:
            yield from _spans(value)


@pytest.mark.parametrize("model", ["sort", "stories", "random-llama"])
@pytest.mark.parametrize("name", [each.id for each in LIBRARY.lessons if "decoder" in each.file.run.kinds])
def test_lessons_for_decoders_can_be_given_on_any(school: Server, name: str, model: str) -> None:
    """A step that this model cannot show says why; no step breaks."""
    shown = [found["applies"] or found["reason"] for _, found, _ in walk(school, LIBRARY.lesson(name), model)]
    assert all(shown)
    assert shown.count(True) >= len(shown) / 2, shown


def test_the_reading_list_tells_what_lessons_prove() -> None:
    page = (ROOT / "docs" / "reference" / "reading-list.md").read_text(encoding="utf-8")
    assert page == reading_list(), "python -m tests.api.test_courses writes it"


def reading_list() -> str:
    """Write the page that lists which items of the reading list are live, and where."""
    places: dict[str, list[str]] = {}
    for lesson in LIBRARY.lessons:
        for step in lesson.steps:
            for item in step.covers:
                places.setdefault(item, []).append(f"`{lesson.id}`, step `{step.id}`")
    order = sorted(
        places, key=lambda item: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", item)]
    )
    rows = "".join(f"| {item} | {'; '.join(places[item])} |\n" for item in order)
    return (
        "# The reading list, live\n\n"
        f"{len(order)} items of the reading list are steps of lessons, each with a check that\n"
        "`tests/api/test_courses.py` computes on the step's own run. IT is The Illustrated Transformer, IG The\n"
        "Illustrated GPT-2, BV 3Blue1Brown, BB LLM Visualization by its chapters, S10 the chapter on transformers of\n"
        "Jurafsky and Martin.\n\n| item | live in |\n|---|---|\n" + rows
    )


if __name__ == "__main__":
    (ROOT / "docs" / "reference" / "reading-list.md").write_text(reading_list(), encoding="utf-8")
