"""The lenses: their numbers against NumPy on the run's own tensors and weights, or against transformers."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as plotly
import pytest
import torch
from numpy.typing import NDArray
from transformers import GPT2LMHeadModel

from tests.api.test_numbers import TOKENS, activation, fetch
from tests.conftest import TINY, Server

EVERY = (
    "attention", "attention_board", "head_measures", "rollout", "query_key", "logit_lens", "token_rank",
    "residual_norms", "contributions", "neurons", "neuron", "embeddings", "position_similarity", "neighbours",
    "next_token", "distributions", "surprisal",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    return str(server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3)["id"])


@pytest.fixture(scope="module")
def story(server: Server) -> str:
    return str(server.make_run(model="stories", text="Once upon a time, there was a little girl. She")["id"])


def see(server: Server, run: str, lens: str, **query: Any) -> Any:
    return server.get(f"/runs/{run}/lenses/{lens}", **query)


def table(server: Server, run: str, lens: str, **query: Any) -> list[dict[str, str]]:
    answer = server.client.get(f"/runs/{run}/lenses/{lens}", params={**query, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def weight(server: Server, name: str, model: str = "tiny") -> NDArray[np.float64]:
    return fetch(server, f"/models/{model}/weights/{name}").astype(np.float64)


# ---- attention --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stage, name", [("pattern", "hook_pattern"), ("scores", "hook_attn_scores"), ("scores_raw", "hook_attn_scores_raw")]
)
def test_attention_is_the_runs_own(server: Server, run: str, stage: str, name: str) -> None:
    seen = see(server, run, "attention", layer=2, head=1, stage=stage)
    expected = activation(server, run, f"blocks.2.attn.{name}")[1]
    found = np.array([[-np.inf if value is None else value for value in row] for row in seen["matrix"]], np.float32)
    np.testing.assert_array_equal(found, expected)
    assert seen["tokens"] == [f"#{token}" for token in TOKENS] + seen["tokens"][7:]
    rows = table(server, run, "attention", layer=2, head=1, stage=stage)
    assert len(rows) == expected.size
    assert float(rows[0][stage]) == pytest.approx(float(expected[0, 0]))


def test_the_board_holds_every_head(server: Server, run: str) -> None:
    board = see(server, run, "attention_board")
    for layer in range(TINY.layers):
        pattern = activation(server, run, f"blocks.{layer}.attn.hook_pattern")
        np.testing.assert_allclose(board["maps"][layer], pattern, atol=5e-5)
        shares = np.where(pattern > 0, pattern, 1)
        entropy = -(pattern * np.log2(shares)).sum(-1).mean(-1)
        np.testing.assert_allclose(board["measures"]["entropy"][layer], entropy, atol=1e-5)
        before = [np.mean([pattern[head, q, q - 1] for q in range(1, pattern.shape[1])]) for head in range(2)]
        np.testing.assert_allclose(board["measures"]["previous"][layer], before, atol=1e-6)
    assert len(table(server, run, "attention_board")) == TINY.layers * TINY.heads
    one = see(server, run, "attention_board", layer=1)
    assert (one["layers"], one["maps"]) == ([1], [board["maps"][1]])
    assert one["measures"]["entropy"] == [board["measures"]["entropy"][1]]
    assert {row["layer"] for row in table(server, run, "attention_board", layer=1)} == {"1"}


def test_the_board_says_what_each_head_looks_at_above_the_usual(server: Server, run: str) -> None:
    """The last query's row, less what every key gets from all queries and heads that may look at it."""
    looks = see(server, run, "attention_board")["looks"]
    patterns = np.stack([activation(server, run, f"blocks.{layer}.attn.hook_pattern") for layer in range(TINY.layers)])
    last = patterns.shape[2] - 1
    assert looks["query"] == last
    above = patterns[:, :, last] - patterns.sum((0, 1, 2)) / (patterns > 0).sum((0, 1, 2))
    others = above[..., :last]
    np.testing.assert_array_equal(looks["keys"], others.argmax(-1))
    np.testing.assert_allclose(looks["above"], others.max(-1), atol=1e-5)
    shares = np.take_along_axis(patterns[:, :, last], others.argmax(-1)[..., None], -1)[..., 0]
    np.testing.assert_allclose(looks["shares"], shares, atol=1e-5)


def test_a_look_is_at_a_word_of_the_text(server: Server, story: str) -> None:
    """Not at what is put before it, which most heads rest on; one token alone has nothing to look at."""
    board = see(server, story, "attention_board")
    assert all(key > 0 for heads in board["looks"]["keys"] for key in heads)
    alone = server.make_run(model="tiny", tokens=[1])["id"]
    assert see(server, str(alone), "attention_board")["looks"] is None


def test_induction_is_measured_on_a_sequence_read_twice(server: Server, run: str) -> None:
    """The same sequence again as a run of its own, and the direct formula on its patterns."""
    seen = see(server, run, "head_measures", measure="induction", seed=3)
    length = seen["sequence"]["tokens"]
    order = torch.randperm(TINY.d_vocab, generator=torch.Generator().manual_seed(3)).tolist()[:length]
    again = server.make_run(model="tiny", tokens=[*order, *order])["id"]
    for layer in range(TINY.layers):
        pattern = activation(server, again, f"blocks.{layer}.attn.hook_pattern")
        for head in range(TINY.heads):
            shares = [pattern[head, length + i, i + 1] for i in range(length)]
            assert seen["measures"]["induction"][layer][head] == pytest.approx(np.mean(shares), abs=1e-5)
            shares = [pattern[head, length + i, i] for i in range(length)]
            assert seen["measures"]["duplicate"][layer][head] == pytest.approx(np.mean(shares), abs=1e-5)


def test_query_times_key_is_the_score(server: Server, run: str) -> None:
    seen = see(server, run, "query_key", layer=1, head=1, query=5, key=2)
    query = activation(server, run, "blocks.1.attn.hook_q")[5, 1]
    key = activation(server, run, "blocks.1.attn.hook_k")[2, 1]
    np.testing.assert_allclose(seen["products"], query * key / np.sqrt(TINY.d_head), rtol=1e-6)
    score = activation(server, run, "blocks.1.attn.hook_attn_scores_raw")[1, 5, 2]
    assert seen["sum"] == pytest.approx(seen["score"], abs=1e-5)
    assert seen["score"] == pytest.approx(float(score))


def test_rollout_rows_sum_to_one(server: Server, run: str) -> None:
    matrix = np.array(see(server, run, "rollout", layer=1)["matrix"])
    expected = np.eye(len(matrix))
    for layer in (0, 1):
        mean = activation(server, run, f"blocks.{layer}.attn.hook_pattern").astype(np.float64).mean(0)
        expected = (mean + np.eye(len(matrix))) / 2 @ expected
    np.testing.assert_allclose(matrix, expected, atol=1e-6)


# ---- through the layers -----------------------------------------------------------------------------------------


def test_logit_lens_is_transformers_norm_and_head_on_its_hidden_states(
    server: Server, run: str, tiny_folder: Path
) -> None:
    model_class: Any = GPT2LMHeadModel
    reference = model_class.from_pretrained(tiny_folder, attn_implementation="eager").eval()
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]][:9]
    with torch.no_grad():
        out = reference(torch.tensor([ids]), output_hidden_states=True)
        # The last hidden state has been through the norm already.
        logits = [reference.lm_head(reference.transformer.ln_f(state))[0] for state in out.hidden_states[:-1]]
        logits.append(out.logits[0])
    seen = see(server, run, "logit_lens")
    assert seen["first"] == 0 and len(seen["stops"]) == 4
    final = torch.log_softmax(logits[-1].double(), -1)
    for row, expected in enumerate(logits):
        shares = torch.log_softmax(expected.double(), -1)
        assert seen["top"]["id"][row] == shares.argmax(-1).tolist()
        np.testing.assert_allclose(seen["probability"][row], shares.exp().amax(-1), atol=1e-4)
        np.testing.assert_allclose(
            seen["entropy"][row], -(shares.exp() * shares).sum(-1) / np.log(2), atol=1e-4, err_msg="entropy"
        )
        divergence = (final.exp() * (final - shares)).sum(-1) / np.log(2)
        np.testing.assert_allclose(seen["divergence"][row], divergence, atol=1e-3)
        won = final.argmax(-1)
        ranks = [(shares[pos] > shares[pos, won[pos]]).sum().item() + 1 for pos in range(9)]
        assert seen["rank"][row] == ranks


def test_the_last_row_of_the_logit_lens_is_the_output(server: Server, run: str) -> None:
    seen = see(server, run, "logit_lens", at="sub-layers")
    probabilities = activation(server, run, "probabilities")
    assert seen["top"]["id"][-1] == probabilities.argmax(-1).tolist()
    np.testing.assert_allclose(seen["probability"][-1], probabilities.max(-1), rtol=1e-6)
    assert seen["divergence"][-1] == [pytest.approx(0, abs=1e-5)] * 9
    assert set(seen["rank"][-1]) == {1}
    assert 0 <= seen["recomputed_difference"] < 1e-4
    for at in ("attention", "MLP"):
        alone = see(server, run, "logit_lens", at=at)
        assert [stop["name"].split("hook_")[1] for stop in alone["stops"]] == [
            {"attention": "attn_out", "MLP": "mlp_out"}[at]
        ] * 3
        assert alone["recomputed_difference"] is None


def test_rank_of_a_token_is_the_logit_lens_rank(server: Server, run: str) -> None:
    grid = see(server, run, "logit_lens", at="sub-layers", token="#7")
    curve = see(server, run, "token_rank", pos=4, token="#7")
    assert curve["rank"] == [row[4] for row in grid["rank"]]
    logits = activation(server, run, "logits")[4]
    assert curve["rank"][-1] == (logits > logits[7]).sum() + 1


# ---- residual stream --------------------------------------------------------------------------------------------


def test_norms_are_lengths(server: Server, run: str) -> None:
    seen = see(server, run, "residual_norms")
    assert len(seen["stops"]) == 1 + 2 * TINY.layers
    for row, stop in zip(seen["norms"], seen["stops"], strict=True):
        np.testing.assert_allclose(row, np.linalg.norm(activation(server, run, stop["name"]), axis=-1), rtol=1e-5)


@pytest.mark.parametrize("pos, token, minus", [(8, "", ""), (3, "#5", ""), (6, "#5", "#17")])
def test_contributions_sum_to_the_logit(server: Server, run: str, pos: int, token: str, minus: str) -> None:
    seen = see(server, run, "contributions", pos=pos, token=token, minus=minus)
    logits = activation(server, run, "logits")[pos].astype(np.float64)
    expected = logits[seen["token"]["id"]] - (logits[17] if minus else 0)
    assert seen["logit"] == pytest.approx(expected, abs=1e-6)
    assert sum(part["value"] for part in seen["parts"]) == pytest.approx(expected, abs=1e-4)
    assert abs(seen["difference"]) < 1e-4
    heads = [part for part in seen["parts"] if part["kind"] == "head"]
    assert len(heads) == TINY.layers * TINY.heads


def test_one_heads_contribution_by_hand(server: Server, run: str) -> None:
    part = next(p for p in see(server, run, "contributions", pos=2, token="#4")["parts"] if p["label"] == "head 1.1")
    result = activation(server, run, "blocks.1.attn.hook_result")[2, 1].astype(np.float64)
    scale = activation(server, run, "ln_final.hook_scale")[2]
    through = (result - result.mean()) / scale * weight(server, "ln_final.w")
    assert part["value"] == pytest.approx(float(through @ weight(server, "W_U")[:, 4]), abs=1e-5)


# ---- neurons ----------------------------------------------------------------------------------------------------


def test_strongest_neurons_are_the_largest_activations(server: Server, run: str) -> None:
    posts = np.stack([activation(server, run, f"blocks.{layer}.mlp.hook_post")[4] for layer in range(3)])
    seen = see(server, run, "neurons", pos=4, by="activation", k=6)["neurons"]
    order = np.argsort(-np.abs(posts), axis=None)[:6]
    assert [(one["layer"], one["neuron"]) for one in seen] == [divmod(int(at), TINY.d_mlp) for at in order]
    first = seen[0]
    written = weight(server, f"blocks.{first['layer']}.mlp.W_out")[first["neuron"]] * first["activation"]
    raised = (written - written.mean()) * weight(server, "ln_final.w") @ weight(server, "W_U")
    assert first["toward"] == [f"#{token}" for token in np.argsort(-raised)[:5]]
    assert first["against"] == [f"#{token}" for token in np.argsort(raised)[:5]]


def test_strongest_along_the_text_and_by_effect(server: Server, run: str) -> None:
    post = activation(server, run, "blocks.1.mlp.hook_post")
    seen = see(server, run, "neurons", over="text", layer=1, by="effect", k=3)["neurons"]
    strength = np.abs(post) * np.linalg.norm(weight(server, "blocks.1.mlp.W_out"), axis=-1)
    best = np.argsort(-strength.max(0))[:3]
    assert [one["neuron"] for one in seen] == best.tolist()
    assert [one["pos"] for one in seen] == [int(strength[:, neuron].argmax()) for neuron in best]


def test_one_neuron_along_the_text(server: Server, run: str) -> None:
    seen = see(server, run, "neuron", layer=2, neuron=11)
    np.testing.assert_allclose(seen["activation"], activation(server, run, "blocks.2.mlp.hook_post")[:, 11], rtol=1e-6)


# ---- embeddings -------------------------------------------------------------------------------------------------


def test_projection_is_numpys_svd_of_the_chosen_rows(server: Server, run: str) -> None:
    seen = see(server, run, "embeddings", which="vocabulary", dimensions="3")
    assert seen["rows"] == list(range(TINY.d_vocab))
    table_of = weight(server, "W_E")
    centred = table_of - table_of.mean(0)
    _, singular, right = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(np.abs(seen["points"]), np.abs(centred @ right[:3].T), atol=1e-5)
    np.testing.assert_allclose(seen["variance"], (singular**2 / (singular**2).sum())[:3], atol=1e-6)


def test_neighbours_are_the_nearest_by_cosine(server: Server, story: str) -> None:
    vectors = weight(server, "W_E", "stories")
    tokens = {one["text"]: one["id"] for one in see(server, story, "neighbours", words="She - girl")["terms"]}
    target = vectors[tokens[" She"]] - vectors[tokens[" girl"]]
    cosine = vectors @ target / np.linalg.norm(vectors, axis=-1) / np.linalg.norm(target)
    order = [int(token) for token in np.argsort(-cosine) if token not in tokens.values()][:15]
    seen = see(server, story, "neighbours", words="She - girl")
    assert [one["id"] for one in seen["neighbours"]] == order
    np.testing.assert_allclose([one["cosine"] for one in seen["neighbours"]], cosine[order], atol=1e-5)
    assert {one["text"] for one in seen["left_out"]} == {" She", " girl"}


def test_positions_are_compared_by_cosine(server: Server, run: str) -> None:
    vectors = weight(server, "W_pos")
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    seen = see(server, run, "position_similarity", first=2, count=5, step=3)
    np.testing.assert_allclose(seen["cosine"], (unit @ unit.T)[2:15:3, 2:15:3], atol=1e-6)


# ---- tokens -----------------------------------------------------------------------------------------------------


def softmax(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    scaled = logits.astype(np.float64) / temperature
    exponentials = np.exp(scaled - scaled.max(-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(-1, keepdims=True))


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_next_token_is_the_softmax_of_the_logits(server: Server, run: str, temperature: float) -> None:
    probabilities = softmax(activation(server, run, "logits"), temperature)
    seen = see(server, run, "next_token", pos=3, k=5, temperature=temperature)["candidates"]
    order = np.argsort(-probabilities[3])[:5]
    assert [one["id"] for one in seen] == order.tolist()
    np.testing.assert_allclose([one["probability"] for one in seen], probabilities[3][order], rtol=1e-5)
    assert see(server, run, "next_token")["pos"] == 8
    assert len(table(server, run, "next_token", k=29)) == 29


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_surprisal_is_minus_log2_of_what_came(server: Server, run: str, temperature: float) -> None:
    probabilities = softmax(activation(server, run, "logits"), temperature)
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]]
    expected = [-np.log2(probabilities[pos, ids[pos + 1]]) for pos in range(len(ids) - 1)]
    seen = see(server, run, "surprisal", temperature=temperature)
    np.testing.assert_allclose([entry["surprisal"] for entry in seen["positions"]], expected, rtol=1e-4)
    assert seen["total"] == pytest.approx(sum(expected), rel=1e-4)
    assert seen["per_byte"] is None, "ids without a tokenizer stand for no bytes"


def test_a_texts_cost_per_byte(server: Server, story: str) -> None:
    seen = see(server, story, "surprisal")
    assert seen["bytes"] == len(b"Once upon a time, there was a little girl. She")
    assert seen["per_byte"] == pytest.approx(seen["total"] / seen["bytes"])


def test_every_positions_distribution(server: Server, run: str) -> None:
    probabilities = softmax(activation(server, run, "logits"), 1)
    ids = [token["id"] for token in server.get(f"/runs/{run}")["tokens"]]
    for pos, entry in enumerate(see(server, run, "distributions", k=3)["positions"]):
        row = probabilities[pos]
        assert [one["id"] for one in entry["top"]] == np.argsort(-row)[:3].tolist()
        assert entry["entropy"] == pytest.approx(float(-(row * np.log2(row)).sum()), rel=1e-4)
        assert entry["probability"] == pytest.approx(float(row[ids[pos + 1]]), rel=1e-4)
        assert entry["rank"] == int((row > row[ids[pos + 1]]).sum()) + 1


# ---- what holds of all ------------------------------------------------------------------------------------------


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
