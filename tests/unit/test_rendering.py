"""Chat templates are programs of strangers: they are rendered in bounds, and what cannot be rendered is said."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.checkpoints.rendering import Renderer, RenderError
from app.transformer.tokenizer import TokenizeError
from tests.vocabularies import NAMED, byte_level, entry_of, folder_with, reader_of

# Counts to ten billion, if nobody ends it.
_LONG = "{% for a in range(99999) %}{% for b in range(ROUNDS) %}{% endfor %}{% endfor %}"
_SHORT = "{{ messages[0]['content'] }}"


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """One process for all tests here; each template is its own."""
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
    child = renderer._child
    assert child is not None
    child.kill()
    child.wait()
    assert renderer.render(_SHORT, "two", {}) == "two"
