"""What a model's files say of its text and its writing, as the API and its card tell it."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from app.settings import Settings
from app.transformer.spec import Spec
from tests.api.client import StreamClient
from tests.conftest import Server, serving, write_model
from tests.families import FAMILIES
from tests.vocabularies import NAMED, byte_level, pair_pieces

SPEC = Spec(layers=1, heads=2, d_model=8, d_head=4, d_mlp=8, d_vocab=280, positions=64, tied=False)
_SLOW = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}{{ messages[0].content }}"
_CHAT = "{% for m in messages %}{{ 'User: ' + m.content }}{% endfor %}{{ eos_token }}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve two models whose files say more than can be done, and one with a chat template."""
    home = tmp_path_factory.mktemp("told")
    for name, template in (("slow", _SLOW), ("chat", _CHAT)):
        folder = write_model(home / name, SPEC)
        byte_level().save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps({**NAMED, "chat_template": template}))
    (home / "slow" / "generation_config.json").write_text(json.dumps({"guidance_scale": 2.0, "eos_token_id": [2, 5]}))
    folder = write_model(home / "pairs", replace(FAMILIES["bert"], d_vocab=20))
    pair_pieces().save(str(folder / "tokenizer.json"))
    given = [home / name for name in ("slow", "chat", "pairs")]
    settings = Settings(bundled_models=home / "none", models=given, default_model="chat", template_seconds=0.5)
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
    score = told.make_run(**asked, sampling={"beams": 2})["beam_score"]
    assert score < 0
    with StreamClient.open(told) as client:
        for sampling, said in (({"beams": 2}, score), ({}, None)):
            client.start(**asked, sampling=sampling, write=True)
            assert client.take("done")["beam_score"] == said


def test_two_texts_are_read_as_two_kinds(told: Server) -> None:
    run = told.make_run(model="pairs", text="he x", text_pair="hethe")
    with StreamClient.open(told) as client:
        accepted = client.start(model="pairs", text="he x", text_pair="hethe")
        assert accepted["token_types"] == run["token_types"]
    places = [(token["text"], token["start"], token["end"]) for token in run["tokens"]]
    assert places == [("[CLS]", 0, 0), ("he", 0, 2), ("x", 3, 4), ("[SEP]", 4, 4), ("he", 4, 6), ("##the", 6, 9),
                      ("[SEP]", 9, 9)]  # fmt: skip
    assert run["token_types"] == [0, 0, 0, 0, 1, 1, 1]
    ids = [token["id"] for token in run["tokens"]]
    same, alone = (
        told.make_run(model="pairs", tokens=ids, **more) for more in ({"token_types": run["token_types"]}, {})
    )
    logits = [told.get(f"/runs/{one['id']}/activations/logits")["values"] for one in (run, same, alone)]
    assert logits[0] == logits[1] != logits[2]
    rows = told.get("/models/pairs/weights/W_token_type")["values"]
    kinds = told.get(f"/runs/{run['id']}/activations/hook_token_type_embed")["values"]
    assert kinds == [rows[kind] for kind in run["token_types"]]
    explained = told.get(f"/runs/{run['id']}/explain/hook_token_type_embed", index="5,0")
    assert explained["agrees"] and explained["captured"] == pytest.approx(rows[1][0])


def test_two_texts_of_a_model_of_one_kind_stand_beside_each_other(told: Server) -> None:
    run = told.make_run(model="chat", text="he", text_pair=" hex")
    places = [(token["text"], token["start"], token["end"]) for token in run["tokens"]]
    assert places == [("he", 0, 2), (" he", 2, 5), ("x", 5, 6)]
    assert run["token_types"] == []


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"model": "chat", "tokens": [5, 6], "token_types": [0, 1]}, "one_kind_of_text", "knows one kind of text"),
        ({"model": "chat", "tokens": [5], "text_pair": "he"}, "invalid", "a second text is given beside tokens"),
        ({"model": "pairs", "tokens": [5, 3], "token_types": [0]}, "invalid", "1 entries for 2 tokens"),
        ({"model": "pairs", "tokens": [5, 3], "token_types": [0, 2]}, "invalid", "does not know"),
        ({"model": "pairs", "text": "he", "token_types": [0]}, "invalid", "1 entries for 0 tokens"),
        ({"model": "pairs", "text": "he", "text_pair": ""}, "empty", "one of the two texts is empty"),
    ],
)
def test_kinds_that_cannot_be_are_refused(told: Server, asked: dict[str, object], kind: str, said: str) -> None:
    answer = told.client.post("/runs", json=asked)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["type"] == kind and said in answer.json()["error"]["message"]
