"""What a model's files say of its text and its writing, as the API and its card tell it."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from app.settings import Settings
from app.transformer.spec import Spec
from tests.conftest import Server, serving, write_model
from tests.vocabularies import NAMED, byte_level

SPEC = Spec(layers=1, heads=2, d_model=8, d_head=4, d_mlp=8, d_vocab=280, positions=64, tied=False)
_SLOW = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages[0].content }}"
_CHAT = "{% for m in messages %}{{ 'User: ' + m.content }}{% endfor %}{{ eos_token }}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two models whose files say more than can be done, and of one with a chat template."""
    home = tmp_path_factory.mktemp("told")
    for name, template in (("slow", _SLOW), ("chat", _CHAT)):
        folder = write_model(home / name, SPEC)
        byte_level().save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps({**NAMED, "chat_template": template}))
    (home / "slow" / "generation_config.json").write_text(json.dumps({"guidance_scale": 2.0, "eos_token_id": [2, 5]}))
    settings = Settings(
        bundled_models=home / "none", models=[home / "slow", home / "chat"], default_model="chat", template_seconds=0.5
    )
    with serving(settings) as running:
        yield running


def test_what_is_not_done_is_said_and_the_model_is_served(told: Server) -> None:
    described = told.get("/models/slow")
    template, guidance = described["not_obeyed"]
    assert template.startswith("the chat template is not rendered") and "longer than 0.5 seconds" in template
    assert guidance.startswith("generation_config.json says guidance_scale: 2.0")
    assert described["end_ids"] == [2, 5]
    page = httpx2.get(f"http://127.0.0.1:{told.port}/models/slow").text
    assert "The chat template is not rendered" in page and "guidance_scale" in page
    run = told.make_run(model="slow", text=" he", max_new_tokens=2)
    assert [token["text"] for token in run["tokens"][:1]] == [" he"]


def test_a_frame_and_its_text_are_one(told: Server) -> None:
    assert told.get("/models/chat")["not_obeyed"] == []
    tokens = told.make_run(model="chat", text="he")["tokens"]
    assert [token["text"] for token in tokens] == ["U", "s", "e", "r", ":", " he", "</s>"]
    assert [(token["start"], token["end"]) for token in tokens[-3:]] == [(0, 0), (0, 2), (2, 2)]


def test_beams_say_what_decided(told: Server) -> None:
    asked = {"model": "chat", "text": "he", "max_new_tokens": 3}
    assert told.make_run(**asked)["beam_score"] is None
    assert told.make_run(**asked, sampling={"beams": 2})["beam_score"] < 0
