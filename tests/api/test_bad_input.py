"""What is refused: always with the right status, in the one shape, and with what to do about it."""

from typing import Any

import pytest

from tests.conftest import Server

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
