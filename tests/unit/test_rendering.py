"""Chat templates are programs of strangers: they are rendered in bounds, and what cannot be rendered is said."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.checkpoints.catalog import Catalog
from app.checkpoints.rendering import NotNowError, Renderer, RenderError
from app.transformer.spec import Spec
from app.transformer.tokenizer import TokenizeError
from tests.conftest import write_model
from tests.vocabularies import NAMED, byte_level, entry_of, folder_with, reader_of

# Counts to ten billion, if nobody ends it.
_LONG = "{% for a in range(99999) %}{% for b in range(ROUNDS) %}{% endfor %}{% endfor %}"
_SHORT = "{{ messages[0]['content'] }}"


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """Start one process for all tests here; each template is its own."""
    found = Renderer(seconds=0.5, most=10_000)
    yield found
    found.close()


def test_a_template_that_takes_too_long_is_ended_and_not_tried_again(renderer: Renderer) -> None:
    with pytest.raises(RenderError, match=r"longer than 0\.5 seconds"):
        renderer.render(_LONG.replace("ROUNDS", "99999"), "he", {})
    with pytest.raises(RenderError, match=r"longer than 0\.5 seconds"):
        renderer.render(_LONG.replace("ROUNDS", "99999"), "another", {})
    assert renderer.render(_SHORT, "he", {}) == "he"


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ raise_exception('only in Latin') }}", "only in Latin"),
        ("{{ 'x' * 20000 }}", "more than 10000 characters"),
        ("{% if %}", "Expected an expression"),
        ("{{ messages[0].content.nothing.at_all }}", "has no attribute"),
        ("{{ namespace(__init__=1) }}", "may hold no"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("a constant", "does not write the user's message"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_said_and_the_model_reads_plain_text(
    tmp_path: Path, renderer: Renderer, template: str, why: str
) -> None:
    entry = entry_of(folder_with(tmp_path / "bad", byte_level(), chat_template=template, **NAMED), renderer)
    (note,) = entry.frame.notes
    assert note.startswith("the chat template is not rendered") and why in note
    assert [token.text for token in reader_of(entry).encode(" he")] == [" he"]


@pytest.mark.parametrize("chat_template", [[1, 2], 5, {"tool_use": "x"}, [{"name": "rag", "template": _SHORT}]])
def test_templates_of_another_shape_are_said(tmp_path: Path, renderer: Renderer, chat_template: object) -> None:
    entry = entry_of(folder_with(tmp_path / "odd", byte_level(), chat_template=chat_template), renderer)
    assert len(entry.frame.notes) == 1


def test_a_text_that_the_template_refuses_is_refused_with_its_words(tmp_path: Path, renderer: Renderer) -> None:
    template = "{% if 'w' in messages[0].content %}{{ raise_exception('no w') }}{% endif %}" + _SHORT
    entry = entry_of(folder_with(tmp_path / "picky", byte_level(), chat_template=template), renderer)
    # The two texts that it is tried with have a `w` between them: it counts as not rendered.
    assert "no w" in entry.frame.notes[0]
    template = template.replace("'w'", "'!'")
    reader = reader_of(entry_of(folder_with(tmp_path / "calm", byte_level(), chat_template=template), renderer))
    assert reader.encode("he")[0].text == "he"
    with pytest.raises(TokenizeError, match="no w"):
        reader.encode("he!")


def test_a_process_that_was_ended_from_outside_is_started_again(renderer: Renderer) -> None:
    assert renderer.render(_SHORT, "one", {}) == "one"
    process = renderer._idle[-1]._process
    assert process is not None
    process.kill()
    process.wait()
    assert renderer.render(_SHORT, "two", {}) == "two"


def _soon(holds: Callable[[], bool]) -> None:
    """Wait until something holds, however busy the machine is."""
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_template_that_took_too_long_is_tried_again_after_a_while() -> None:
    renderer = Renderer(seconds=2, refusal=0.05)
    slow_once = "{% if messages[0].content == 'slow' %}" + _LONG.replace("ROUNDS", "99999") + "{% endif %}" + _SHORT
    with pytest.raises(NotNowError, match="longer than 2 seconds"):
        renderer.render(slow_once, "slow", {})

    def written() -> bool:
        try:
            return renderer.render(slow_once, "he", {}) == "he"
        except NotNowError as error:
            assert "longer than 2 seconds" in str(error)
            return False

    _soon(written)
    renderer.close()


def test_every_failure_in_a_row_is_refused_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer = Renderer(seconds=0.01, refusal=100)
    clock = [time.monotonic()]
    waits = []
    for _ in range(5):
        monkeypatch.setattr("app.checkpoints.rendering.time.monotonic", lambda: clock[0])
        with renderer._turn("a template") as (_child, standing):
            waits.append(renderer._refused(standing, "slow").again - clock[0])
        clock[0] += waits[-1] + 1
    assert waits == pytest.approx([100, 200, 400, 600, 600])
    monkeypatch.undo()
    renderer.close()


def test_slow_templates_keep_nobody_else_waiting() -> None:
    renderer = Renderer(seconds=600)
    slow = [_LONG.replace("ROUNDS", str(99999 - number)) + _SHORT for number in range(2)]
    assert renderer.render(_SHORT, "he", {}) == "he"
    ended = []

    def ask(template: str) -> None:
        with pytest.raises(RenderError):
            renderer.render(template, "he", {})
        ended.append(template)

    threads = [threading.Thread(target=ask, args=(template,)) for template in slow]
    for thread in threads:
        thread.start()
    _soon(lambda: len(renderer._busy) == 2)
    assert [renderer.render(_SHORT, "he", {}) for _ in range(20)] == ["he"] * 20
    with pytest.raises(NotNowError, match="still being rendered for somebody else"):
        renderer.render(slow[0], "he", {})
    assert not ended
    renderer.close()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == sorted(slow)


class _Tired(Renderer):
    """A renderer that is in time from its second answer on."""

    asked = 0

    def render(self, template: str, text: str, names: Mapping[str, Any]) -> str:
        self.asked += 1
        if self.asked == 1:
            raise NotNowError("it takes longer than 5 seconds", time.monotonic())
        return super().render(template, text, names)


def test_a_model_whose_template_was_too_slow_once_has_its_frame_later(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "late", Spec(1, 1, 4, 4, 4, 280, 8, tied=False))
    byte_level().save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text("{{ 'x' + messages[0].content }}")
    renderer = _Tired()
    catalog = Catalog(tmp_path / "none", [folder], renderer=renderer)
    first = catalog.load("late")
    assert "longer than 5 seconds" in first.entry.not_obeyed[0]
    assert [token.text for token in first.tokenizer.encode(" he")] == [" he"]
    _soon(lambda: catalog.load("late") is not first)
    later = catalog.load("late")
    assert later.entry.not_obeyed == () and later.model is first.model
    assert catalog.entry("late") is later.entry
    assert [token.text for token in later.tokenizer.encode(" he")] == ["x", " he"]
    renderer.close()
