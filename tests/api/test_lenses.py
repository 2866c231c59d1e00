"""The lenses: their numbers against the run's own, and their charts as a page and a notebook would draw them."""

import csv
import io
import json
from typing import Any

import numpy as np
import plotly.graph_objects as plotly
import pytest

from tests.api.test_numbers import TOKENS, activation
from tests.conftest import Server


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    return str(server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3)["id"])


def table(server: Server, run: str, lens: str, **query: Any) -> list[dict[str, str]]:
    answer = server.client.get(f"/runs/{run}/lenses/{lens}", params={**query, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(
    "stage, name", [("pattern", "hook_pattern"), ("scores", "hook_attn_scores"), ("scores_raw", "hook_attn_scores_raw")]
)
def test_attention_is_the_runs_own(server: Server, run: str, stage: str, name: str) -> None:
    seen = server.get(f"/runs/{run}/lenses/attention", layer=2, head=1, stage=stage)
    expected = activation(server, run, f"blocks.2.attn.{name}")[1]
    found = np.array([[-np.inf if value is None else value for value in row] for row in seen["matrix"]], np.float32)
    np.testing.assert_array_equal(found, expected)
    assert seen["tokens"] == [f"#{token}" for token in TOKENS] + seen["tokens"][7:]
    rows = table(server, run, "attention", layer=2, head=1, stage=stage)
    assert len(rows) == expected.size
    assert float(rows[0][stage]) == pytest.approx(float(expected[0, 0]))


def test_next_token_is_the_softmax_of_the_logits(server: Server, run: str) -> None:
    probabilities = activation(server, run, "probabilities")
    seen = server.get(f"/runs/{run}/lenses/next_token", pos=3, k=5)["candidates"]
    order = np.argsort(-probabilities[3])[:5]
    assert [one["id"] for one in seen] == order.tolist()
    np.testing.assert_allclose([one["probability"] for one in seen], probabilities[3][order], rtol=1e-5)
    assert server.get(f"/runs/{run}/lenses/next_token")["pos"] == 8
    assert len(table(server, run, "next_token", k=29)) == 29


def test_surprisal_is_minus_log2_of_what_came(server: Server, run: str) -> None:
    probabilities = activation(server, run, "probabilities").astype(np.float64)
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]]
    expected = [-np.log2(probabilities[pos, ids[pos + 1]]) for pos in range(len(ids) - 1)]
    seen = server.get(f"/runs/{run}/lenses/surprisal")
    np.testing.assert_allclose([entry["surprisal"] for entry in seen["positions"]], expected, rtol=1e-4)
    assert seen["total"] == pytest.approx(sum(expected), rel=1e-4)


@pytest.mark.parametrize("lens", ["attention", "next_token", "surprisal"])
def test_every_lens_draws_itself(server: Server, run: str, lens: str) -> None:
    answer = server.client.get(f"/runs/{run}/lenses/{lens}", params={"format": "figure"})
    assert plotly.Figure(json.loads(answer.text)).data
    page = server.client.get(f"/runs/{run}/lenses/{lens}", params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "sandbox" in page.headers["content-security-policy"]
    assert "<script src=" not in page.text, "one file, nothing to fetch"


def test_lenses_list_their_parameters(server: Server, run: str) -> None:
    lenses = {lens["name"]: lens["parameters"] for lens in server.get(f"/runs/{run}/lenses")["lenses"]}
    assert lenses["attention"] == {"layer": 0, "head": 0, "stage": "pattern"}


@pytest.mark.parametrize(
    "query, said",
    [
        ({"layer": 3}, "layer 3"),
        ({"head": "x"}, "head"),
        ({"stage": "none"}, "stage"),
        ({"colour": "red"}, "colour"),
        ({"layer": "9" * 400}, "layer"),
    ],
)
def test_parameters_that_cannot_be(server: Server, run: str, query: dict[str, Any], said: str) -> None:
    answer = server.client.get(f"/runs/{run}/lenses/attention", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert answer.json()["error"]["hint"]


def test_a_lens_that_is_not_there(server: Server, run: str) -> None:
    answer = server.client.get(f"/runs/{run}/lenses/xray")
    assert answer.status_code == 404
    assert "attention" in answer.json()["error"]["hint"]
