"""Explaining over REST: every tensor adds up, every walk ends at weights, and what cannot be explained says why."""

import math
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.engine.local_run import LocalRun
from app.engine.values import RunSpec
from app.settings import Settings
from tests.api.test_bad_input import refused
from tests.conftest import Server, run_alone, serving

TOKENS = [3, 28, 0, 3, 17, 9, 4]


@pytest.fixture(scope="module")
def run(server: Server) -> Any:
    return server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3)


def explain(server: Server, run: Any, name: str, *index: int, **query: Any) -> Any:
    where = ",".join(map(str, index))
    return server.get(f"/runs/{run['id']}/explain/{quote(name)}", index=where, **query)


def number_at(server: Server, run: Any, tensor: str, index: list[int]) -> Any:
    """Read a number as the other calls give it; a derived one may differ in its last bit between slices."""
    held = [entry["name"] for entry in run["activations"]]
    owner = f"/runs/{run['id']}/activations" if tensor in held else "/models/tiny/weights"
    value = server.get(f"{owner}/{quote(tensor)}", index=",".join(map(str, index)))["values"]
    return None if value is None else pytest.approx(value, rel=1e-5, abs=1e-7)


def test_a_cell_of_every_tensor_adds_up(server: Server, run: Any) -> None:
    chance = random.Random(1)
    for entry in run["activations"]:
        index = [chance.randrange(size) for size in entry["shape"]]
        found = explain(server, run, entry["name"], *index, terms=3)
        assert found["agrees"], found
        assert found["captured"] == number_at(server, run, entry["name"], index)
        assert (found["result"] is None) == (found["masked"] is not None)
        if found["combine"] == "sum":
            total = math.fsum([*(term["value"] for term in found["terms"]), found["rest"]["sum"], found["bias"] or 0])
            assert total == pytest.approx(found["result"], abs=1e-9)
        for term in found["terms"]:
            for cell in term["operands"]:
                assert cell["value"] == number_at(server, run, cell["tensor"], cell["index"])


def test_a_hand_worked_score(server: Server, run: Any) -> None:
    """One score of one head: eight products of a query with a key, divided by the root of eight."""
    head, query, key = 1, 4, 2
    found = explain(server, run, "blocks.1.attn.hook_attn_scores_raw", head, query, key, terms=8)
    queries = server.get(f"/runs/{run['id']}/activations/blocks.1.attn.hook_q", index=f"{query},{head}")["values"]
    keys = server.get(f"/runs/{run['id']}/activations/blocks.1.attn.hook_k", index=f"{key},{head}")["values"]
    products = sorted((q * k / math.sqrt(8) for q, k in zip(queries, keys, strict=True)), key=abs, reverse=True)
    assert [term["value"] for term in found["terms"]] == pytest.approx(products, rel=1e-6)
    assert found["result"] == pytest.approx(sum(products), rel=1e-6)
    assert found["rest"] == {"count": 0, "sum": 0.0}
    assert found["scale"] == pytest.approx(8**-0.5)
    values = [operand["values"] for operand in found["operands"]]
    assert values == [pytest.approx(queries, rel=1e-6), pytest.approx(keys, rel=1e-6)]
    assert found["op"]["symbols"] == {"h": "head", "q": "query_pos", "k": "key_pos", "d": "d_head"}
    assert r"\sum_{d} \text{q}_{q, h, d} \cdot \text{k}_{k, h, d}" in found["op"]["latex"]


def test_fewer_terms_leave_a_rest(server: Server, run: Any) -> None:
    everything = explain(server, run, "logits", 2, 5, terms=16)
    few = explain(server, run, "logits", 2, 5, terms=3)
    none = explain(server, run, "logits", 2, 5, terms=0)
    assert few["terms"] == everything["terms"][:3]
    assert few["rest"]["count"] == 13
    assert few["rest"]["sum"] == pytest.approx(sum(term["value"] for term in everything["terms"][3:]))
    assert none["terms"] == [] and none["rest"]["count"] == 16
    assert few["result"] == none["result"] == everything["result"]
    assert few["operands"][0]["values"] is None and few["operands"][0]["count"] == 16


def test_what_is_hidden_says_why(server: Server, run: Any) -> None:
    found = explain(server, run, "blocks.0.attn.hook_attn_scores", 0, 1, 3)
    assert found["masked"] == "key_pos 3 comes after query_pos 1, which may not look ahead"
    assert (found["operands"], found["terms"], found["result"], found["captured"]) == ([], [], None, None)
    assert found["agrees"]
    assert explain(server, run, "blocks.0.attn.hook_attn_scores", 0, 3, 1)["masked"] is None


def test_a_walk_from_a_logit_along_the_residual_stream_ends_at_the_tokens_row(server: Server, run: Any) -> None:
    graph = server.get("/models/tiny/graph")
    position, steps = 5, 0
    name, index = "logits", [position, 7]
    while True:
        found = explain(server, run, name, *index)
        if found["op"] is None:
            break
        assert found["agrees"]
        # The first input is the residual stream, or what was made of it.
        operand = found["operands"][0]
        name, index = operand["tensor"], [*operand["start"][:-1], min(operand["stop"][-1] - 1, 3)]
        steps += 1
        assert steps <= len(graph["ops"])
    token = run["tokens"][position]["id"]
    assert (name, index[0]) == ("W_E", token)
    assert steps >= 8


def test_the_same_numbers_under_another_name(server: Server, run: Any) -> None:
    found = explain(server, run, "blocks.1.hook_resid_pre", 2, 3)
    assert found["stored_as"] == "blocks.0.hook_resid_post"
    assert found["op"]["title"] == "add the MLP to the residual stream"
    assert explain(server, run, "hidden_states[1]", 2, 3)["tensor"] == "blocks.1.hook_resid_pre"
    assert explain(server, run, "hidden_states[1]", -1, -1)["index"] == [8, 15]


def test_what_a_cell_feeds(server: Server, run: Any) -> None:
    found = explain(server, run, "blocks.0.attn.hook_z", 4, 1, 0, direction="forward")
    fed = [(entry["tensor"], entry["part"], entry["start"], entry["stop"]) for entry in found["feeds"]]
    assert fed == [
        ("blocks.0.attn.hook_result", "input", [4, 1, 0], [5, 2, 16]),
        ("blocks.0.hook_attn_out", "input", [4, 0], [5, 16]),
    ]
    assert found["op"] is None and found["operands"] == []
    rows = explain(server, run, "W_E", 3, 5, direction="forward")["feeds"]
    assert [(entry["tensor"], entry["start"]) for entry in rows] == [("hook_embed", [0, 5]), ("hook_embed", [3, 5])]
    assert explain(server, run, "W_E", 11, 5, direction="forward")["feeds"] == []


def test_two_cells_side_by_side(server: Server, run: Any) -> None:
    """Two queries of one head: the sixteen products of each, paired, and worked out again here."""
    name, here = "blocks.1.attn.hook_q", {"index": "5,1,3", "other_index": "2,1,3"}
    found = server.get(f"/runs/{run['id']}/explain/{name}/beside/{name}", terms=5, **here)
    row = server.get(f"/runs/{run['id']}/activations/blocks.1.ln1.hook_out")["values"]
    weight = server.get("/models/tiny/weights/blocks.1.attn.W_Q", index="1,:,3")["values"]
    differences = {i: (row[5][i] - row[2][i]) * weight[i] for i in range(16)}
    largest = sorted(differences, key=lambda i: -abs(differences[i]))[:5]
    assert [pair["left"]["operands"][0]["index"] for pair in found["pairs"]] == [[5, i] for i in largest]
    assert [pair["right"]["operands"][1]["index"] for pair in found["pairs"]] == [[1, i, 3] for i in largest]
    assert [pair["difference"] for pair in found["pairs"]] == pytest.approx(
        [differences[i] for i in largest], rel=1e-5, abs=1e-8
    )
    assert found["rest"]["count"] == 11 and found["bias"]["difference"] == 0
    for side in ("left", "right"):
        parts = [*((pair[side]["value"]) for pair in found["pairs"]), found["rest"][side], found["bias"][side]]
        assert math.fsum(parts) == pytest.approx(found["result"][side], abs=1e-9)
    assert found["captured"]["left"] == found["left"]["value"] == number_at(server, run, name, [5, 1, 3])
    # Of another block, or of another tensor of the same form.
    other = server.get(f"/runs/{run['id']}/explain/{name}/beside/blocks.0.attn.hook_k", **here)
    assert len(other["pairs"]) == 8 and other["rest"]["count"] == 8 and other["unpaired"] is None
    assert other["result"]["difference"] == pytest.approx(
        math.fsum(pair["difference"] for pair in other["pairs"])
        + other["rest"]["difference"] + other["bias"]["difference"], abs=1e-9,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name, index, other, other_index, why",
    [
        ("W_E", "1,2", "logits", "0,0", "W_E is learned: it is no sum of terms"),
        ("logits", "0,0", "hook_embed", "0,0", "logits is made of 16 terms and hook_embed of 1, in another way"),
        ("blocks.0.attn.hook_attn_scores", "0,1,3", "blocks.0.attn.hook_attn_scores", "0,3,3", "which may not look"),
        ("probabilities", "0,0", "probabilities", "0,1", "the terms of probabilities do not add up to it"),
        ("blocks.0.hook_mlp_out", "0,0", "logits", "0,0", "of 40 terms and logits of 16"),
    ],
)
def test_two_cells_that_cannot_be_paired_say_why(
    server: Server, run: Any, name: str, index: str, other: str, other_index: str, why: str
) -> None:
    path = f"/runs/{run['id']}/explain/{name}/beside/{other}"
    found = server.get(path, index=index, other_index=other_index)
    assert why in found["unpaired"] and found["pairs"] == []
    assert found["left"]["value"] == number_at(server, run, name, [int(i) for i in index.split(",")])
    wrong = refused(server.client.get(path, params={"index": index, "other_index": "7"}), 422)
    assert wrong["type"] == "bad_index"


def test_a_weight_without_a_run(server: Server) -> None:
    found = server.get("/models/tiny/explain/blocks.0.mlp.W_in", index="2,7")
    numbers = server.get("/models/tiny/weights/blocks.0.mlp.W_in")["values"]
    assert found["captured"] == pytest.approx(numbers[2][7], rel=1e-6)
    row, column = found["lines"][1], found["lines"][0]
    assert (row["axis"], row["length"], column["axis"], column["length"]) == ("d_mlp", 40, "d_model", 16)
    assert row["mean"] == pytest.approx(sum(numbers[2]) / 40)
    assert row["deviation"] == pytest.approx(math.sqrt(sum((x - row["mean"]) ** 2 for x in numbers[2]) / 40))
    assert column["norm"] == pytest.approx(math.sqrt(sum(line[7] ** 2 for line in numbers)))
    assert (column["smallest"], column["largest"]) == pytest.approx(
        (min(x[7] for x in numbers), max(x[7] for x in numbers))
    )
    assert [(fed["tensor"], fed["start"], fed["stop"]) for fed in found["feeds"]] == [
        ("blocks.0.mlp.hook_pre", [0, 7], [24, 8])
    ]
    looked_up = server.get("/models/tiny/explain/W_E", index="3,5")["feeds"]
    assert [(fed["tensor"], fed["condition"], fed["count"]) for fed in looked_up] == [
        ("hook_embed", "tokens[pos] = 3", 24)
    ]


@pytest.mark.parametrize(
    "index, message",
    [
        ("", "0 indices for the 2 axes"),
        ("1", "1 indices for the 2 axes"),
        ("1,2,3", "3 indices for the 2 axes"),
        ("1,29", "d_vocab has 29 entries"),
        ("1,-30", "d_vocab has 29 entries"),
        ("24,0", "pos has 24 entries"),
        ("a,0", "'a' is not an index along pos"),
        ("1.5,0", "'1.5' is not an index"),
        ("1:2,0", "'1:2' is not an index"),
        ("٣,0", "is not an index"),
        ("9" * 40 + ",0", "is not an index"),
        ("--1,0", "is not an index"),
    ],
)
def test_an_index_that_names_no_cell(server: Server, run: Any, index: str, message: str) -> None:
    error = refused(server.client.get(f"/runs/{run['id']}/explain/logits", params={"index": index}), 422)
    assert error["type"] == "bad_index"
    assert message in error["message"]


def test_what_cannot_be_explained_names_the_call_that_would_bring_it(server: Server, run: Any) -> None:
    def refusal(path: str, status: int, **query: Any) -> dict[str, str]:
        return refused(server.client.get(path, params=query), status)

    here = f"/runs/{run['id']}/explain"
    beyond = refusal(f"{here}/logits", 409, index="9,0")
    assert beyond["type"] == "not_computed"
    assert "Use pos 0 to 8" in beyond["hint"] and "POST /api/v1/runs" in beyond["hint"]
    nothing = refusal(f"{here}/nothing", 404, index="0")
    assert nothing["type"] == "unknown_tensor" and "/models/tiny/graph" in nothing["hint"]
    unrun = refusal("/models/tiny/explain/logits", 422, index="0,0")
    assert unrun["type"] == "needs_run" and "/explain/logits" in unrun["hint"]
    assert refusal("/models/none/explain/W_E", 404, index="0,0")["type"] == "unknown_model"
    assert refusal("/runs/none/explain/W_E", 404, index="0,0")["type"] == "unknown_run"
    assert refusal(f"{here}/logits", 422, index="0,0", direction="sideways")["type"] == "invalid"
    assert refusal(f"{here}/logits", 422, index="0,0", terms=5000)["type"] == "invalid"
    forgotten = server.make_run(model="tiny", tokens=TOKENS)["id"]
    server.client.delete(f"/runs/{forgotten}")
    gone = refusal(f"/runs/{forgotten}/explain/logits", 404, index="0,0")
    assert gone["type"] == "forgotten_run" and "POST /api/v1/runs" in gone["hint"]


def test_a_run_that_stopped_half_way(server: Server) -> None:
    # The embedding is the first stage, the first block the second.
    stages = iter([False, True])

    def begun(run: LocalRun) -> None:
        run.listen(lambda event: run.cancel() if event.kind == "stage" and next(stages, False) else None)

    half = run_alone(server.services.engine.start(RunSpec(model="tiny", tokens=TOKENS), begun))
    while not half.over:
        pass
    here = f"/runs/{half.id}/explain"
    assert server.get(f"{here}/blocks.0.hook_resid_post", index="0,0")["agrees"]
    error = refused(server.client.get(f"{here}/logits", params={"index": "0,0"}), 409)
    assert error["type"] == "not_computed"
    assert "has not come to logits" in error["message"] and "POST /api/v1/runs" in error["hint"]
    assert refused(server.client.get(f"{here}/logits", params={"index": "0"}), 422)["type"] == "bad_index"
    half.forget()


def test_a_summary_whose_inputs_are_not_held(server: Server) -> None:
    made = server.make_run(model="tiny", tokens=TOKENS)
    recorder = server.services.store.get(made["id"]).recorder
    # As if only part had been captured: the summary is there, what it sums up is not.
    kept = recorder._kept["blocks.0.hook_resid_post"]
    kept.chunks, kept.starts, kept.rows = [], [], 0
    path = f"/runs/{made['id']}/explain/blocks.1.ln1.hook_scale"
    error = refused(server.client.get(path, params={"index": "2"}), 409)
    assert error["type"] == "inputs_missing"
    assert "blocks.0.hook_resid_post" in error["message"] and "capture all" in error["hint"]


def test_numbers_that_are_none_are_explained(server: Server) -> None:
    change = {"name": "blocks.0.hook_mlp_out", "index": "2,3", "action": "set", "value": 1e38}
    twice = {"name": "blocks.0.hook_mlp_out", "index": "2,3", "action": "scale", "value": 1e38}
    run = server.make_run(model="tiny", tokens=TOKENS, interventions=[change, twice])
    found = explain(server, run, "blocks.0.hook_resid_post", 2, 3)
    assert found["captured"] is None and found["result"] is None
    assert found["agrees"]
    assert explain(server, run, "blocks.0.hook_resid_post", 2, 4)["captured"] is not None
    made_up = explain(server, run, "blocks.0.hook_mlp_out", 2, 3)
    assert not made_up["agrees"] and "intervention" in made_up["changed"]
    assert explain(server, run, "blocks.0.hook_resid_post", 2, 3)["changed"] is None


def test_the_model_equals_its_equations(server: Server) -> None:
    report = server.get("/models/tiny/parity")
    assert report["relative"] < 1e-5
    assert report["operations"] == len(server.get("/models/tiny/graph")["ops"])
    assert report["worst"]["relative"] == max(kind["relative"] for kind in report["kinds"])
    assert sum(kind["operations"] for kind in report["kinds"]) == report["operations"]
    assert sum(kind["cells"] for kind in report["kinds"]) == report["cells"] > 10_000
    assert report["not_finite"] == []
    assert (report["dtype"], report["device"], report["text"]) == ("float32", "cpu", None)
    assert server.get("/models/tiny/parity") == report, "it is made once"
    assert server.get("/models/sort/parity")["text"] == "CBABBC"
    assert refused(server.client.get("/models/none/parity"), 404)["type"] == "unknown_model"


def test_not_waiting_for_the_proof_says_how_far_it_is(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], default_model="tiny")) as fresh:
        first = fresh.client.get("/models/tiny/parity", params={"wait": "false"})
        assert first.status_code in (200, 202)
        if first.status_code == 202:
            assert first.json()["state"] == "computing" and first.json()["operations"] > 0
        whole = fresh.get("/models/tiny/parity")
        assert fresh.client.get("/models/tiny/parity", params={"wait": "false"}).json() == whole


def test_every_operation_in_words_in_the_order_of_computing(server: Server, run: Any) -> None:
    listed: list[Any] = []
    while True:
        answer = server.get("/models/tiny/ops", start=len(listed), count=7)
        listed += answer["ops"]
        if not answer["ops"]:
            break
        assert [op["number"] for op in answer["ops"]] == list(range(len(listed) - len(answer["ops"]), len(listed)))
    graph = server.get("/models/tiny/graph")
    assert len(listed) == answer["count"]
    assert [op["output"] for op in listed] == [op["output"] for op in graph["ops"]]
    made = {tensor["name"] for tensor in graph["tensors"] if tensor["role"] == "weight"}
    names = {tensor["name"]: tensor for tensor in graph["tensors"]}
    for op in graph["ops"]:
        assert {names[read["tensor"]]["same_as"] or read["tensor"] for read in op["reads"]} <= made
        made.add(op["output"])
    for tensor in ("blocks.0.ln1.hook_normalized", "blocks.1.attn.hook_pattern", "blocks.1.mlp.hook_post"):
        shape = names[tensor]["shape"]
        explained = explain(server, run, tensor, *(0 for _ in shape))["op"]
        (words,) = [op for op in listed if op["output"] == tensor]
        assert {name: words[name] for name in explained if name != "latex_values"} == {
            name: value for name, value in explained.items() if name != "latex_values"
        }


def test_operations_out_of_bounds_are_refused(server: Server) -> None:
    refused(server.client.get("/models/tiny/ops?count=0"), 422)
    refused(server.client.get("/models/tiny/ops?count=257"), 422)
    refused(server.client.get("/models/tiny/ops?start=-1"), 422)
    refused(server.client.get("/models/nothing/ops"), 404)
