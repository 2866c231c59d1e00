"""Every number that REST gives: against a float64 recomputation, against a full pass, and against NumPy's slices."""

import io
import math
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load

from tests.api.reference import every_tensor
from tests.conftest import TINY, Server

TOKENS = [3, 28, 0, 3, 17, 9, 4]


def fetch(server: Server, path: str, **query: str) -> NDArray[np.float32]:
    answer = server.client.get(path, params={**query, "format": "npy"})
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content))  # type: ignore[no-any-return]


def activation(server: Server, run: str, name: str) -> NDArray[np.float32]:
    return fetch(server, f"/runs/{run}/activations/{quote(name)}")


@pytest.fixture(scope="module")
def generated(server: Server) -> Any:
    sampling = {"temperature": 1.0, "seed": 5}
    return server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=6, sampling=sampling)


def all_ids(run: Any) -> list[int]:
    return [token["id"] for token in run["tokens"]]


def test_every_tensor_equals_its_recomputation_in_float64(server: Server, generated: Any) -> None:
    fed = all_ids(generated)[:-1]
    expected = every_tensor(TINY, fed, lambda name: fetch(server, f"/models/tiny/weights/{name}").astype(np.float64))
    listed = [entry["name"] for entry in generated["activations"]]
    assert sorted(listed) == sorted(expected)
    for entry in generated["activations"]:
        found = activation(server, generated["id"], entry["name"])
        assert list(found.shape) == entry["shape"]
        np.testing.assert_allclose(found, expected[entry["name"]], atol=2e-4, rtol=2e-4, err_msg=entry["name"])


def test_generating_captures_what_one_full_pass_does(server: Server, generated: Any) -> None:
    whole = server.make_run(model="tiny", tokens=all_ids(generated)[:-1])
    for entry in whole["activations"]:
        np.testing.assert_allclose(
            activation(server, generated["id"], entry["name"]),
            activation(server, whole["id"], entry["name"]),
            atol=1e-5,
            rtol=1e-5,
            err_msg=entry["name"],
        )


def test_the_tokens_written_follow_from_the_logits(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=4)
    probabilities = activation(server, run["id"], "probabilities")
    for written in run["generated"]:
        row = probabilities[written["position"] - 1]
        assert written["token"]["id"] == int(row.argmax())
        assert written["probability"] == pytest.approx(float(row.max()), rel=1e-5)
        assert written["sampled_probability"] == 1.0
    assert [written["position"] for written in run["generated"]] == [7, 8, 9, 10]
    assert run["reason"] == "max_new_tokens"
    assert len(probabilities) == len(TOKENS) + 3, "the last token written is not read again"


def test_the_same_seed_writes_the_same_text_and_continues_it(server: Server, generated: Any) -> None:
    sampling = {"temperature": 1.0, "seed": 5}
    again = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=6, sampling=sampling)
    assert all_ids(again) == all_ids(generated)
    later = server.make_run(model="tiny", tokens=all_ids(generated)[:10], max_new_tokens=3, sampling=sampling)
    assert all_ids(later) == all_ids(generated)


@pytest.mark.parametrize(
    "text, index",
    [
        ("", ()),
        ("1", (1,)),
        ("-1,:,3:9", (-1, slice(None), slice(3, 9))),
        ("0,2:-2,::2", (0, slice(2, -2), slice(None, None, 2))),
        (":,4", (slice(None), 4)),
        ("1,15,7", (1, 15, 7)),
        ("0, 9:4", (0, slice(9, 4))),
        ("0,-3:,:100", (0, slice(-3, None), slice(None, 100))),
    ],
)
def test_slices_are_numpys(server: Server, text: str, index: Any) -> None:
    path = "/models/tiny/weights/blocks.1.attn.W_Q"
    whole = fetch(server, path)
    assert whole.shape == (2, 16, 8)
    expected = whole[index]
    np.testing.assert_array_equal(fetch(server, path, index=text), expected)
    answer = server.get(path, index=text)
    assert answer["shape"] == list(expected.shape)
    assert answer["full_shape"] == [2, 16, 8]
    np.testing.assert_array_equal(np.array(answer["values"], np.float32).reshape(answer["shape"]), expected)
    assert len(answer["axes"]) == expected.ndim


def test_the_three_formats_hold_the_same_numbers(server: Server) -> None:
    path = "/models/tiny/weights/blocks.0.mlp.W_in"
    plain = np.array(server.get(path)["values"], np.float32)
    content = server.client.get(path, params={"format": "safetensors"}).content
    np.testing.assert_array_equal(load(content)["blocks.0.mlp.W_in"], plain)
    np.testing.assert_array_equal(fetch(server, path), plain)


def test_masked_scores_are_null_and_counted(server: Server, generated: Any) -> None:
    answer = server.get(f"/runs/{generated['id']}/activations/blocks.0.attn.hook_attn_scores", index="0,2")
    assert answer["values"][3:] == [None] * 9
    assert answer["infinite"] == 9
    assert answer["nan"] == 0
    assert answer["axes"] == ["key_pos"]


def test_hugging_faces_names_mean_the_same_tensors(server: Server, generated: Any) -> None:
    def same(alias: str, name: str) -> None:
        found = activation(server, generated["id"], alias)
        np.testing.assert_array_equal(found, activation(server, generated["id"], name))

    same("hidden_states[0]", "blocks.0.hook_resid_pre")
    same("hidden_states[-1]", "ln_final.hook_out")
    same("attentions[2]", "blocks.2.attn.hook_pattern")


def test_scales_are_the_percentile_of_a_kind(server: Server) -> None:
    scales = server.get("/models/tiny/scales")["scales"]
    pooled = [fetch(server, f"/models/tiny/weights/blocks.{layer}.attn.W_Q") for layer in range(3)]
    assert scales["W_Q"] == pytest.approx(np.percentile(np.abs(pooled), 99.5), rel=1e-6)
    run = server.make_run(model="tiny", tokens=TOKENS)
    scales = server.get(f"/runs/{run['id']}/scales")["scales"]
    pooled = [activation(server, run["id"], f"blocks.{layer}.mlp.hook_post") for layer in range(3)]
    assert scales["hook_post"] == pytest.approx(np.percentile(np.abs(pooled), 99.5), rel=1e-6)
    assert scales["hook_pattern"] == scales["probabilities"] == 1
    assert math.isfinite(scales["hook_attn_scores"])
    graph = server.get("/models/tiny/graph")
    assert set(scales) == {tensor["kind"] for tensor in graph["tensors"] if tensor["role"] != "weight"}


def test_an_intervention_changes_what_comes_after_it_and_nothing_before(server: Server) -> None:
    change = {"name": "blocks.1.hook_resid_pre", "index": "2", "action": "scale", "value": 0.0}
    plain = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=2)["id"]
    changed = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=2, interventions=[change])["id"]
    before = "blocks.0.mlp.hook_post"
    np.testing.assert_array_equal(activation(server, plain, before)[:7], activation(server, changed, before)[:7])
    after = "blocks.1.hook_resid_mid"
    np.testing.assert_array_equal(activation(server, plain, after)[:2], activation(server, changed, after)[:2])
    assert not np.array_equal(activation(server, plain, after)[2:7], activation(server, changed, after)[2:7])


def test_a_pinned_pattern_stays_pinned_while_text_is_written(server: Server) -> None:
    change = {"name": "blocks.0.attn.hook_pattern", "index": "1,:,0", "action": "set", "value": 0.25}
    run = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3, interventions=[change])["id"]
    pattern = activation(server, run, "blocks.0.attn.hook_pattern")
    np.testing.assert_array_equal(pattern[1, :, 0], np.full(9, 0.25, np.float32))


def test_the_graph_says_shapes(server: Server) -> None:
    graph = server.get("/models/tiny/graph")
    shapes = {tensor["name"]: tensor["shape"] for tensor in graph["tensors"]}
    assert shapes["blocks.0.attn.W_Q"] == [2, 16, 8]
    assert shapes["blocks.2.attn.hook_pattern"] == [2, 24, 24]
    lookup = graph["ops"][0]["reads"][0]["index"][0]
    assert lookup == {"lookup": "tokens", "index": [{"axis": "pos", "divide": 1}]}


def test_a_weight_asked_for_again_is_not_sent_again(server: Server) -> None:
    first = server.client.get("/models/tiny/weights/W_E")
    again = server.client.get("/models/tiny/weights/W_E", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


def test_what_looks_at_another_text_is_as_long_as_that(server: Server) -> None:
    """Seven tokens of a source looked at from two positions: not as many keys as queries."""
    run = server.make_run(model="translate", tokens=[9, 8, 7, 6, 5, 4, 3], target_tokens=[0, 5])
    address = f"/runs/{run['id']}/activations/decoder.blocks.0.cross_attn.hook_pattern"
    whole = server.get(address)
    assert whole["shape"] == whole["full_shape"] == [4, 2, 7]
    for row in whole["values"][1]:
        assert sum(row) == pytest.approx(1, abs=1e-5)
    assert server.get(address, index="1,1,6")["values"] == pytest.approx(whole["values"][1][1][6], rel=1e-6)
