"""How lenses are listed, asked for, drawn and refused."""

import json
from typing import Any

import numpy as np
import plotly.graph_objects as plotly
import pytest

from tests.api.seen import see, table
from tests.conftest import TINY, Server

EVERY = (
    "attention", "attention_board", "head_measures", "rollout", "query_key", "logit_lens", "token_rank",
    "residual_norms", "contributions", "neurons", "neuron", "embeddings", "position_similarity", "neighbours",
    "next_token", "distributions", "surprisal",
)  # fmt: skip


def test_the_list_describes_every_lens(server: Server, run: str) -> None:
    lenses = server.get(f"/runs/{run}/lenses")["lenses"]
    assert tuple(lens["name"] for lens in lenses) == EVERY
    for lens in lenses:
        assert lens["reading"] and lens["misreadings"] and lens["applies"], lens["name"]
    head = next(one for one in lenses[0]["parameters"] if one["name"] == "head")
    assert (head["kind"], head["size"], head["default"]) == ("index", TINY.heads, 0)


@pytest.mark.parametrize("lens", EVERY)
def test_every_lens_draws_itself_and_has_a_table(server: Server, run: str, lens: str) -> None:
    answer = server.client.get(f"/runs/{run}/lenses/{lens}", params={"format": "figure"})
    drawn = plotly.Figure(json.loads(answer.text)).data
    assert drawn and all(None not in (trace.meta or {}).values() for trace in drawn)
    written = see(server, run, lens, format="table")
    assert len(written["rows"]) == len(table(server, run, lens)) > 0
    assert all(len(row) == len(written["header"]) for row in written["rows"])
    names = {entry["name"] for entry in server.get("/models/tiny/graph")["tensors"]}
    assert len(written["places"]) == len(written["rows"])
    assert {place[0] for place in written["places"] if place} <= names


def test_a_chart_has_the_numbers_and_leads_to_the_table(server: Server, run: str) -> None:
    """What the page finds of a chart's points: `row + stride · number`, or `which` row a cell is."""
    for lens, matrix, column in (("attention", "matrix", 4), ("rollout", "matrix", 4), ("residual_norms", "norms", 3)):
        asked = {"scale": "length"} if lens == "residual_norms" else {}
        chart = see(server, run, lens, format="figure", **asked)["data"][0]
        numbers, rows = see(server, run, lens, **asked)[matrix], see(server, run, lens, format="table", **asked)["rows"]
        np.testing.assert_allclose(np.array(chart["z"], float), np.array(numbers, float))
        down, across = chart["meta"]["stride"]
        for at in ((0, 0), (2, 1), (1, 3)):
            row = chart["meta"]["row"] + down * at[0] + across * at[1]
            assert rows[row][column] == pytest.approx(chart["z"][at[0]][at[1]])
    drawn = see(server, run, "contributions", draw="map", format="figure")["data"][0]
    rows = see(server, run, "contributions", format="table")["rows"]
    found = [
        (rows[row], value)
        for cells, values in zip(drawn["meta"]["which"], drawn["z"], strict=True)
        for row, value in zip(cells, values, strict=True)
        if row is not None
    ]
    assert len(found) == TINY.layers * (TINY.heads + 1)
    for row, value in found:
        assert row[4] == pytest.approx(value)


def test_a_text_in_colours_is_in_the_table(server: Server, run: str) -> None:
    for lens in ("neuron", "surprisal", "distributions"):
        table = see(server, run, lens, format="table")
        token, value = (table["header"].index(table["along"][name]) for name in ("token", "value"))
        assert all(isinstance(row[token], str) and isinstance(row[value], float) for row in table["rows"])
    assert see(server, run, "next_token", format="table")["along"] is None


def test_a_figure_as_one_file(server: Server, run: str) -> None:
    page = server.client.get(f"/runs/{run}/lenses/contributions", params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "sandbox" in page.headers["content-security-policy"]
    assert "<script src=" not in page.text, "one file, nothing to fetch"


@pytest.mark.parametrize(
    "lens, query, said, choices",
    [
        ("attention", {"layer": 3}, "layer 3", "0 to 2"),
        ("attention", {"head": "x"}, "head", "head=0"),
        ("attention", {"head": 2}, "head 2", "0 to 1"),
        ("attention", {"stage": "none"}, "stage", "pattern, scores, scores_raw"),
        ("attention", {"part": "cross"}, "part", "self"),
        ("attention", {"colour": "red"}, "colour", "layer"),
        ("attention", {"layer": "9" * 400}, "layer", "layer=0"),
        ("attention", {"stage": "9" * 401}, "stage", "400"),
        ("next_token", {"pos": 9}, "pos 9", "0 to 8"),
        ("next_token", {"k": 0}, "k is 0", "1 to 1000"),
        ("next_token", {"temperature": "0"}, "temperature is 0", "0.05 to 10"),
        ("next_token", {"temperature": "nan"}, "temperature is nan", "0.05 to 10"),
        ("logit_lens", {"token": "#29"}, "#29", "#0 to #28"),
        ("logit_lens", {"token": "girl"}, "without a tokenizer", "#0 to #28"),
        ("contributions", {"token": "#3", "minus": "#3"}, "minus itself", "two different"),
        ("neuron", {"neuron": 40}, "neuron 40", "0 to 39"),
        ("neurons", {"layer": "7"}, "layer", "all, 0, 1, 2"),
        ("neighbours", {"words": "#1 - - #2"}, "signs", "king - man + woman"),
        ("neighbours", {"words": "#1 - #1"}, "nothing", "other words"),
        ("embeddings", {"count": 1001}, "1001", "3 to 1000"),
    ],
)
def test_what_cannot_be_seen_is_said_with_the_choices(
    server: Server, run: str, lens: str, query: dict[str, Any], said: str, choices: str
) -> None:
    answer = server.client.get(f"/runs/{run}/lenses/{lens}", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
    assert choices in answer.json()["error"]["hint"]


def test_a_token_that_is_several_names_its_pieces(server: Server, story: str) -> None:
    answer = server.client.get(f"/runs/{story}/lenses/contributions", params={"token": " girl there"})
    assert answer.status_code == 422
    assert "2 tokens" in answer.json()["error"]["message"]
    assert "' girl', ' there'" in answer.json()["error"]["hint"]
    assert see(server, story, "contributions", token=" girl", minus=" boy")["minus"]["text"] == " boy"


def test_what_cannot_be_said_of_a_run_is_explained(server: Server) -> None:
    fill = server.make_run(model="fill", text="a [MASK] dog")["id"]
    answer = server.client.get(f"/runs/{fill}/lenses/neuron", params={"draw": "tokens it moves"})
    assert answer.status_code == 422 and "nonlinearity" in answer.json()["error"]["message"]
    assert "along the text" in answer.json()["error"]["hint"]
    translate = server.make_run(model="translate", text="the cat sees the dog")["id"]
    # Nothing has been foretold yet: that is an answer, without a position, and the chart says why.
    assert see(server, translate, "surprisal")["positions"] == []
    figure = server.client.get(f"/runs/{translate}/lenses/surprisal", params={"format": "figure"})
    assert figure.status_code == 200 and "first token" in figure.json()["layout"]["title"]["text"]
    # A decoder that has written nothing yet is looked at through its encoder.
    assert see(server, translate, "rollout")["part"] == "encoder"
    answer = server.client.get(f"/runs/{translate}/lenses/query_key", params={"part": "decoder", "query": 2})
    assert answer.status_code == 422 and "0 to 0" in answer.json()["error"]["hint"]
    assert see(server, translate, "query_key", part="decoder")["query_pos"] == 0
    assert see(server, translate, "neurons", part="decoder")["pos"] == 0


def test_a_lens_that_is_not_there(server: Server, run: str) -> None:
    answer = server.client.get(f"/runs/{run}/lenses/xray")
    assert answer.status_code == 404
    assert "attention" in answer.json()["error"]["hint"]


def test_a_page_gets_the_first_rows_of_a_long_table_and_a_file_all(server: Server) -> None:
    tokens = [5 + at % 90 for at in range(80)]
    long = server.make_run(model="stories", tokens=tokens)["id"]
    shown = see(server, long, "attention", format="table")
    assert (len(shown["rows"]), len(shown["places"]), shown["complete"]) == (5000, 5000, False)
    assert len(table(server, long, "attention")) == 80 * 80
    assert see(server, long, "neuron", format="table")["complete"]


def test_what_a_lens_looks_at_unasked_suits_the_kind_of_model(server: Server) -> None:
    text = "Once upon a time there was a [MASK] dog."
    fill = server.make_run(model="fill", text=text)
    masked = [at for at, token in enumerate(fill["tokens"]) if token["text"] == "[MASK]"]
    assert [see(server, fill["id"], "next_token")["pos"]] == masked
    assert see(server, fill["id"], "next_token")["at"] == "[MASK]"
    # Not [SEP], which stands for no text.
    assert see(server, fill["id"], "neighbours")["terms"][0]["text"] == "."
    silent = {one["name"] for one in server.get(f"/runs/{fill['id']}/lenses")["lenses"] if not one["applies"]}
    assert silent == {"contributions", "surprisal"}
    translate = server.make_run(model="translate", text="the cat sees the dog", max_new_tokens=6)["id"]
    crossed = see(server, translate, "attention")
    assert crossed["part"] == "cross"
    assert "".join(crossed["key_tokens"]).startswith(("the cat", " the cat"))
    assert see(server, translate, "embeddings")["texts"]
