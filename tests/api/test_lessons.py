"""Lessons over REST: every live number is the run's, what a model has not got is said, and mistakes are named."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from app.settings import Settings
from tests.api import test_bad_input
from tests.conftest import Server, serving

YAML = """
course: one
run: {model: tiny, kinds: [decoder], tokens: {tiny: [3, 28, 0, 3, 17]}, text: {"*": "The dog ran"}}
let:
  best: argmax(logits[last])
  back: head_with("previous")
steps:
  - id: numbers
    see: {camera: "blocks[-1].attn.W_Q[0]", select: "logits[last, best]", only: ["blocks[0]"]}
    check: {kind: number, key: "size(\\"d_model\\")"}
  - id: heads
    see: {select: "back.attn.hook_pattern[back.head, last, last - 1]"}
    predict: {kind: token, truth: best, among: "top(logits[last], 3)", shares: "probabilities[last]"}
    proof: ["rank(logits[last], best) == 1", "sum(back.attn.hook_pattern[back.head, last]) > 0.9999"]
  - id: cross
    see: {camera: "decoder.blocks[0].cross_attn.W_Q"}
  - id: knocked-out
    run: {interventions: [{cells: "back.attn.hook_z[:, back.head]", action: set, value: "0"}], minus: true}
"""
TEXT = """# One lesson

What it is about.

## numbers: Numbers

The last position gives token [[best]] a logit of [[logits[last, best] | 2]], which is [[a cell => logits[last, best]]]
of [[parameters()]], and `so` *much* more: <b>[[best + 0.5]]</b>.

### check

How long is a residual vector?

## heads: Heads

It looks back with [[back.attn.hook_pattern[back.head, last, last - 1] | %1]].

### predict

Which token?

## cross: Across

## knocked-out: Without it
"""


def write_lesson(folder: Path, yaml: str = YAML, **texts: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "lesson.yaml").write_text(yaml)
    for language, text in (texts or {"en": TEXT}).items():
        (folder / f"{language}.md").write_text(text)
    return folder


@pytest.fixture(scope="module")
def teacher(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the tiny model with a teacher's own folder of lessons, one of them broken."""
    folder = tmp_path_factory.mktemp("lessons")
    write_lesson(folder / "one")
    write_lesson(folder / "broken", YAML.replace("best: argmax", "best: agmax"))
    with serving(Settings(bundled_models=tiny_folder.parent, lessons=[folder], port=0)) as server:
        yield server


def step(server: Server, run: Any, name: str, **query: Any) -> Any:
    return server.get(f"/lessons/one/steps/{name}", run=run["id"], **query)


@pytest.fixture(scope="module")
def run(teacher: Server) -> Any:
    planned = teacher.get("/lessons/one/plan")["run"]
    return teacher.make_run(**planned)


def refused(answer: Any, status: int, kind: str) -> dict[str, str]:
    error = test_bad_input.refused(answer, status)
    assert error["type"] == kind
    return error


def number(server: Server, run: Any, name: str, *index: int) -> Any:
    where = ",".join(map(str, index))
    return server.get(f"/runs/{run['id']}/activations/{quote(name)}", index=where)["values"]


def test_the_list_names_the_broken_lesson_and_serves_the_others(teacher: Server) -> None:
    listed = teacher.get("/lessons")
    assert "one" in {lesson["id"] for lesson in listed["lessons"]}
    assert "broken" not in {lesson["id"] for lesson in listed["lessons"]}
    (problem,) = listed["problems"]
    assert (problem["file"], problem["field"]) == ("broken/lesson.yaml", "let.best")
    assert "agmax" in problem["reason"] and "argmax" in problem["reason"]


def test_every_live_number_is_the_runs(teacher: Server, run: Any) -> None:
    found = step(teacher, run, "numbers")
    logits = number(teacher, run, "logits", 4)
    best = logits.index(max(logits))
    spans = [span for paragraph in found["body"] for span in paragraph["spans"]]
    numbers = [span for span in spans if span["kind"] == "number"]
    assert [span["number"] for span in numbers[:2]] == [best, pytest.approx(logits[best])]
    assert numbers[1]["place"] == {"tensor": "logits", "index": [4, best]} and numbers[1]["format"] == "2"
    assert numbers[2]["number"] == teacher.get("/models/tiny")["parameters"]
    words = next(span for span in spans if span["kind"] == "words")
    assert (words["text"], words["place"]["tensor"]) == ("a cell", "logits")
    assert found["see"]["camera"] == {"tensor": "blocks.2.attn.W_Q", "index": [0, None, None]}
    assert found["see"]["only"] == ["blocks.0"]
    assert found["check"]["key"] == 16


def test_a_head_is_found_by_what_it_does(teacher: Server, run: Any) -> None:
    found = step(teacher, run, "heads")
    place = found["see"]["select"]
    measured = teacher.get(f"/runs/{run['id']}/lenses/head_measures", measure="previous")["measures"]["previous"]
    best = max(range(6), key=lambda at: measured[at // 2][at % 2])
    assert place == {"tensor": f"blocks.{best // 2}.attn.hook_pattern", "index": [best % 2, 4, 3]}
    assert found["body"][0]["spans"][1]["number"] == pytest.approx(
        number(teacher, run, place["tensor"], *place["index"])
    )
    guess = found["predict"]
    chances = number(teacher, run, "probabilities", 4)
    assert guess["shares"] == pytest.approx([chances[token] for token in guess["offered"]])
    assert guess["truth"] == [guess["offered"][0]] and len(guess["labels"]) == 3


def test_words_of_a_lesson_are_words(teacher: Server, run: Any) -> None:
    spans = step(teacher, run, "numbers")["body"][0]["spans"]
    assert [span["text"] for span in spans if span["kind"] == "text"][-2:] == [" more: <b>", "</b>."]
    assert {span["kind"]: span["text"] for span in spans}["code"] == "so"


def test_what_a_model_has_not_got_is_said(teacher: Server, run: Any) -> None:
    found = step(teacher, run, "cross")
    assert not found["applies"] and "tiny has no decoder" in found["reason"]
    assert found["title"] == "Across" and found["see"] is None


def test_a_run_with_a_head_knocked_out_follows_from_the_run_without(teacher: Server, run: Any) -> None:
    before = teacher.get("/lessons/one/plan", step="knocked-out")
    assert before["undecided"] and before["minus"] and not before["run"]["interventions"]
    planned = teacher.get("/lessons/one/plan", step="knocked-out", run=run["id"])["run"]
    changed = teacher.make_run(**planned)
    (change,) = planned["interventions"]
    head = int(change["index"].split(",")[1])
    assert change["index"] == f":,{head},:" and change["action"] == "set"
    assert set(number(teacher, changed, change["name"], 2, head)) == {0.0}
    assert number(teacher, changed, "logits", 4) != number(teacher, run, "logits", 4)


def test_refusals_say_what_there_is(teacher: Server, server: Server, run: Any) -> None:
    refused(teacher.client.get("/lessons/none/plan"), 404, "unknown_lesson")
    answer = teacher.client.get("/lessons/one/steps/none", params={"run": run["id"]})
    assert "numbers, heads, cross" in refused(answer, 404, "unknown_step")["hint"]
    refused(teacher.client.get("/lessons/one/steps/numbers", params={"run": "none"}), 404, "unknown_run")
    refused(teacher.client.get("/lessons", params={"lang": "../fr"}), 422, "invalid")
    refused(teacher.client.get("/lessons/one/plan", params={"model": "none"}), 404, "unknown_model")


MISTAKES = {
    "a name that no model has": ("best: argmax(logits[last])", "best: argmax(lgits[last])", None),
    "YAML that breaks off": ("steps:", "steps: [", "is no YAML"),
    "a key that is not known": ("course: one", "course: one\ncolour: red", "Extra inputs are not permitted"),
    "a step that is there twice": ("id: heads", "id: numbers", "two steps are called numbers"),
    "a question without its words": (
        "proof:",
        "check: {kind: true-or-false, key: best}\n    proof:",
        "is in lesson.yaml alone",
    ),
    "a function that there is not": ("size(", "sise(", "there is no function sise"),
    "an attribute of Python's": ("best: argmax(logits[last])", "best: logits.__class__", "which is no tensor"),
    "a comprehension": ("best: argmax(logits[last])", 'best: "[x for x in logits]"', "which lessons do not have"),
    "an alias": ("let:", "let: &let\n  a: last\n  <<: *let\n#", "aliases are not read"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_file_step_and_field(tmp_path: Path, mistake: str) -> None:
    from app.lessons.library import Library

    before, after, said = MISTAKES[mistake]
    assert before in YAML
    write_lesson(tmp_path / "one", YAML.replace(before, after))
    write_lesson(tmp_path / "two")
    library = Library([tmp_path])
    if said is None:
        assert not library.problems  # only a run can show it
        return
    assert [lesson.id for lesson in library.lessons] == ["two"]
    (problem,) = library.problems
    assert problem.file == "one/lesson.yaml" or problem.file == "one/en.md"
    assert said in str(problem)


def test_words_without_a_step_and_a_step_without_words(tmp_path: Path) -> None:
    from app.lessons.library import Library

    write_lesson(tmp_path / "one", en=TEXT.replace("## cross", "## crss"))
    write_lesson(tmp_path / "two", en=TEXT.replace("[[best]]", "[[best"))
    write_lesson(tmp_path / "three", fr=TEXT)
    write_lesson(tmp_path / "four", en=TEXT, fr="# Une leçon\n\n## cross: À travers\n")
    library = Library([tmp_path])
    said = " ".join(map(str, library.problems))
    assert "step crss" in said and "is not closed" in said and "three/en.md" in said
    (lesson,) = library.lessons
    assert lesson.missing("fr") == ["numbers", "heads", "knocked-out"]
    assert lesson.step_text("cross", "fr").title == "À travers"
    assert lesson.step_text("heads", "fr").title == "Heads"


def test_a_name_that_names_itself_and_a_tensor_that_is_not_there(tmp_path: Path, tiny_folder: Path) -> None:
    circle = YAML.replace("best: argmax(logits[last])", "best: best + 1")
    write_lesson(tmp_path / "lessons" / "one", circle)
    shutil.copytree(tmp_path / "lessons" / "one", tmp_path / "lessons" / "two")
    (tmp_path / "lessons" / "two" / "lesson.yaml").write_text(YAML.replace("argmax(logits[last])", "argmax(lgits)"))
    with serving(Settings(bundled_models=tiny_folder.parent, lessons=[tmp_path / "lessons"], port=0)) as server:
        run = server.make_run(model="tiny", tokens=[3, 28, 0])
        answer = server.client.get("/lessons/one/steps/numbers", params={"run": run["id"]})
        assert "defined by itself" in refused(answer, 422, "broken_lesson")["message"]
        assert "has no lgits" in server.get("/lessons/two/steps/numbers", run=run["id"])["reason"]


def test_the_calls_are_in_the_specification(teacher: Server) -> None:
    described = httpx2.get(f"http://127.0.0.1:{teacher.port}/openapi.json").json()["paths"]
    assert {path for path in described if "lessons" in path} == {
        "/api/v1/lessons",
        "/api/v1/lessons/{lesson_id}/plan",
        "/api/v1/lessons/{lesson_id}/steps/{step_id}",
    }


def test_the_guide_tells_of_every_function_and_its_lesson_works(tmp_path: Path, server: Server) -> None:
    from app.lessons.functions import FUNCTIONS
    from app.lessons.library import Library

    guide = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "lessons.md").read_text(encoding="utf-8")
    for name, (what, *_) in FUNCTIONS.items():
        assert f"| `{name}` | {what} |" in guide, name
    yaml, text = (guide.split(fence, 1)[1].split("\n```", 1)[0] for fence in ("```yaml\n", "```\n# My"))
    write_lesson(tmp_path / "my-first", yaml, en=f"# My{text}")
    library = Library([tmp_path])
    assert not library.problems
    assert len(library.lesson("my-first").steps) == 5
