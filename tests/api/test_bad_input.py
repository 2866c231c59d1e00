"""What is refused: always with the right status, in the one shape, and with what to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.settings import Settings
from tests.api.client import StreamClient
from tests.conftest import TINY, Server, serving, write_model

GOOD: dict[str, Any] = {"model": "tiny", "tokens": [1, 2, 3]}


def refused(answer: Any, status: int) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"type", "message", "hint"}
    assert all(error.values())
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    return dict(error)


@pytest.mark.parametrize(
    "question, status, kind",
    [
        ({"model": "sort", "text": ""}, 422, "empty"),
        ({"model": "tiny", "tokens": []}, 422, "empty"),
        ({"model": "sort", "text": "ABCABCABCABC"}, 422, "beyond_context"),
        ({"model": "tiny", "tokens": [1] * 25}, 422, "beyond_context"),
        ({"model": "sort", "text": "ABC" * 9000}, 422, "too_long"),
        ({"model": "sort", "text": "ABX"}, 422, "untokenizable"),
        ({"model": "tiny", "text": "hello"}, 422, "untokenizable"),
        ({"model": "none", "text": "A"}, 404, "unknown_model"),
        ({"model": "../tiny", "text": "A"}, 404, "unknown_model"),
        ({"model": "tiny", "tokens": [29]}, 422, "token_out_of_range"),
        ({"model": "tiny", "tokens": [-1]}, 422, "invalid"),
        ({"model": "tiny", "tokens": [1.5]}, 422, "invalid"),
        ({"model": "tiny", "tokens": ["1"]}, 422, "invalid"),
        ({"model": "tiny", "tokens": "123"}, 422, "invalid"),
        ({"model": "tiny", "tokens": [10**30]}, 422, "invalid"),
        ({"model": "tiny"}, 422, "invalid"),
        ({"model": "tiny", "tokens": [1], "text": "A"}, 422, "invalid"),
        ({"tokens": [1]}, 422, "invalid"),
        ({**GOOD, "max_new_tokens": 23}, 422, "too_many_new_tokens"),
        ({**GOOD, "max_new_tokens": -1}, 422, "invalid"),
        ({**GOOD, "max_new_tokens": "all"}, 422, "invalid"),
        ({**GOOD, "sampling": {"temperature": -0.5}}, 422, "invalid"),
        ({**GOOD, "sampling": {"temperature": "hot"}}, 422, "invalid"),
        ({**GOOD, "sampling": {"top_p": 0}}, 422, "invalid"),
        ({**GOOD, "sampling": {"top_p": 1.01}}, 422, "invalid"),
        ({**GOOD, "sampling": {"top_k": -1}}, 422, "invalid"),
        ({**GOOD, "sampling": {"seed": 2**53}}, 422, "invalid"),
        ({**GOOD, "smapling": {}}, 422, "invalid"),
        ({**GOOD, "interventions": [{"name": "no", "index": "", "action": "set", "value": 0}]}, 404, "unknown_tensor"),
        (
            {**GOOD, "interventions": [{"name": "logits", "index": "x", "action": "set", "value": 0}]},
            422,
            "bad_index",
        ),
        (
            {**GOOD, "interventions": [{"name": "probabilities", "action": "set", "value": 0}]},
            422,
            "derived",
        ),
        (
            {**GOOD, "interventions": [{"name": "logits", "action": "set", "value": 0}] * 65},
            422,
            "too_many_interventions",
        ),
        (
            {
                **GOOD,
                "interventions": [{"name": "logits", "action": "set", "value": 0}],
                "sampling": {"beams": 2},
            },
            422,
            "beams_and_interventions",
        ),
        ([], 422, "invalid"),
    ],
)
def test_runs_that_cannot_be(server: Server, question: Any, status: int, kind: str) -> None:
    held = server.get("/capabilities")["runs_held"]
    assert refused(server.client.post("/runs", json=question), status)["type"] == kind
    assert server.get("/capabilities")["runs_held"] == held, "nothing is left behind"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("place", ["temperature", "top_p"])
def test_sampling_takes_numbers_only(server: Server, number: str, place: str) -> None:
    body = f'{{"model": "tiny", "tokens": [1], "sampling": {{"{place}": {number}}}}}'
    answer = server.client.post("/runs", content=body, headers={"content-type": "application/json"})
    assert refused(answer, 422)["type"] == "invalid"


@pytest.mark.parametrize(
    "body, status",
    [
        ("{", 422),
        ("", 422),
        ("null", 422),
        ('"run"', 422),
        ("\x00", 422),
        ('{"model": "sort", "text": "\\ud800"}', 422),
        ('{"model":' * 2000, 400),
    ],
)
def test_bodies_that_are_no_request(server: Server, body: str, status: int) -> None:
    answer = server.client.post("/runs", content=body, headers={"content-type": "application/json"})
    assert refused(answer, status)["type"] == "invalid"


def test_a_body_that_is_too_long(server: Server) -> None:
    body = '{"model": "tiny", "text": "' + "a" * (1 << 20) + '"}'
    answer = server.client.post("/runs", content=body, headers={"content-type": "application/json"})
    assert refused(answer, 413)["type"] == "too_long"


@pytest.mark.parametrize(
    "index", ["2", "-3", "0,0,0,0", "x", "1.5", "::0", "0;1", "1,,2", "9" * 30, "9" * 300, ":::", "0:1:-1"]
)
def test_slices_that_cannot_be(server: Server, index: str) -> None:
    answer = server.client.get("/models/tiny/weights/blocks.0.attn.W_Q", params={"index": index})
    assert refused(answer, 422)["type"] == "bad_index"


@pytest.mark.parametrize(
    "path, kind",
    [
        ("/models/none", "unknown_model"),
        ("/models/none/graph", "unknown_model"),
        ("/models/none/scales", "unknown_model"),
        ("/models/none/weights/W_E", "unknown_model"),
        ("/models/tiny/weights/W_X", "unknown_tensor"),
        ("/models/tiny/weights/logits", "unknown_tensor"),
        ("/runs/none", "unknown_run"),
        ("/runs/none/activations", "unknown_run"),
        ("/runs/none/activations/logits", "unknown_run"),
        ("/runs/none/lenses/attention", "unknown_run"),
        ("/nothing", "not_found"),
    ],
)
def test_what_is_not_there(server: Server, path: str, kind: str) -> None:
    assert refused(server.client.get(path), 404)["type"] == kind


def test_activations_that_are_not_there(server: Server) -> None:
    run = server.make_run(**GOOD)["id"]
    for name in ("nothing", "W_E", "hidden_states[4]", "attentions[-4]"):
        assert refused(server.client.get(f"/runs/{run}/activations/{name}"), 404)["type"] == "unknown_tensor"


def test_methods_that_are_not_there(server: Server) -> None:
    assert refused(server.client.put("/runs", json={}), 405)["type"] == "method_not_allowed"


def test_an_unknown_format(server: Server) -> None:
    answer = server.client.get("/models/tiny/weights/W_E", params={"format": "pickle"})
    assert "json" in refused(answer, 422)["message"]


def test_temperature_zero_is_greedy(server: Server) -> None:
    greedy = server.make_run(**GOOD, max_new_tokens=5)
    zero = server.make_run(**GOOD, max_new_tokens=5, sampling={"temperature": 0, "seed": 9, "top_k": 3, "top_p": 0.1})
    assert [token["id"] for token in greedy["tokens"]] == [token["id"] for token in zero["tokens"]]


def test_tokens_of_a_vocabulary_that_lacks_most_words() -> None:
    with serving(Settings(default_model="sort")) as server:
        assert [one["text"] for one in server.make_run(model="sort", tokens=[0, 1, 2])["tokens"]] == ["A", "B", "C"]


@pytest.mark.parametrize("temperature", [5e-324, 1e-50, 1e-40, 1e-7])
def test_a_temperature_near_zero_is_greedy(server: Server, temperature: float) -> None:
    greedy = server.make_run(**GOOD, max_new_tokens=5)
    near = server.make_run(**GOOD, max_new_tokens=5, sampling={"temperature": temperature, "seed": 9})
    assert [token["id"] for token in greedy["tokens"]] == [token["id"] for token in near["tokens"]]
    assert {one["sampled_probability"] for one in near["generated"]} == {1}


@pytest.mark.parametrize("sampling", [{}, {"temperature": 1}, {"temperature": 1e-5, "top_p": 1e-300}])
@pytest.mark.parametrize("value", [3e38, -3e38])
def test_numbers_beyond_all_bounds_end_a_run_and_are_named(
    server: Server, sampling: dict[str, float], value: float
) -> None:
    change = {"name": "blocks.0.hook_attn_out", "action": "set", "value": value}
    run = server.make_run(**GOOD, max_new_tokens=3, interventions=[change], sampling=sampling)
    assert (run["state"], run["reason"], run["generated"]) == ("done", "not_finite", [])
    assert run["first_non_finite"]
    kept = server.get(f"/runs/{run['id']}/activations/blocks.0.hook_attn_out", index="0,0")
    assert kept["values"] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("value", ["1e39", "-1e308"])
def test_values_that_no_number_of_the_model_holds(server: Server, value: str) -> None:
    change = {"name": "blocks.0.hook_attn_out", "action": "scale", "value": float(value)}
    assert refused(server.client.post("/runs", json={**GOOD, "interventions": [change]}), 422)["type"] == "too_large"


def test_weights_that_are_no_numbers_end_a_run_on_either_way(broken_numbers: Server) -> None:
    for sampling in ({}, {"temperature": 1}, {"beams": 3}, {"temperature": 1, "top_k": 1, "top_p": 0.5}):
        question = {"model": "nan", "tokens": [1, 2], "max_new_tokens": 3, "sampling": sampling}
        run = broken_numbers.make_run(**question)
        assert (run["reason"], run["first_non_finite"]) == ("not_finite", "blocks.1.mlp.hook_pre")
        with StreamClient.open(broken_numbers) as client:
            client.start(**question, write=True)
            assert client.take("done", "error")["reason"] == "not_finite"


@pytest.fixture
def broken_numbers(tmp_path: Path) -> Iterator[Server]:
    folder = write_model(tmp_path / "nan", TINY)
    tensors = {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}
    tensors["transformer.h.1.mlp.c_fc.bias"][3] = torch.nan
    save_file(tensors, folder / "model.safetensors")
    with serving(Settings(models=[folder], default_model="nan")) as running:
        yield running
