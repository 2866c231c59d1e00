"""Tiles through REST, against NumPy on whole tensors."""

from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from tests.api.plates import assert_shows, expected, plates, tile
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.conftest import Server
from tests.unit.test_tiles import vectorised


def test_every_weight_as_tiles(server: Server) -> None:
    for tensor in server.get("/models/tiny/graph")["tensors"]:
        if tensor["role"] != "weight":
            continue
        path = f"/models/tiny/weights/{tensor['name']}"
        whole = fetch(server, path)
        for query, _, plate in plates(whole, tensor["axes"]):
            assert_shows(tile(server, f"{path}/tiles/0/0/0", **query), plate, tensor["name"])
            right = vectorised(plate, 2, "mean")
            assert_shows(tile(server, f"{path}/tiles/1/0/0", **query), right, tensor["name"])


@pytest.mark.parametrize("keeps", [True, False])
def test_every_activation_as_tiles(server: Server, wide: Server, long_run: str, keeps: bool) -> None:
    """Kept as it was made by generating, and derived block by block."""
    on = server if keeps else wide
    run = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=4) if keeps else wide.get(f"/runs/{long_run}")
    for entry in run["activations"]:
        path = f"/runs/{run['id']}/activations/{quote(entry['name'])}"
        whole = activation(on, run["id"], entry["name"])
        for query, _, plate in plates(whole, entry["axes"])[-1:]:
            assert_shows(tile(on, f"{path}/tiles/0/0/0", **query), plate[:256, :256], entry["name"])
            right = vectorised(plate, 2, "max")[:256, :256]
            assert_shows(tile(on, f"{path}/tiles/1/0/0", pool="max", **query), right, entry["name"])
    assert {entry["derived"] for entry in run["activations"] if "hook_pattern" in entry["name"]} == {not keeps}


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize(
    "name, place",
    [
        ("W_E", (0, 4, 0)),
        ("W_E", (2, 1, 0)),
        ("W_E", (4, 0, 0)),
        ("W_U", (0, 0, 4)),
        ("W_U", (1, 0, 2)),
        ("W_U", (5, 0, 0)),
        ("blocks.1.mlp.W_in", (0, 0, 1)),
        ("logits", (0, 1, 3)),
        ("logits", (3, 0, 0)),
        ("logits", (9, 0, 0)),
        ("probabilities", (0, 1, 4)),
        ("probabilities", (4, 0, 0)),
        ("blocks.1.attn.hook_pattern", (0, 1, 1)),
        ("blocks.1.attn.hook_attn_scores", (0, 0, 1)),
        ("blocks.1.attn.hook_attn_scores", (3, 0, 0)),
        ("blocks.0.attn.hook_result", (0, 1, 0)),
        ("blocks.0.attn.hook_max", (0, 0, 1)),
        ("blocks.0.mlp.hook_post", (4, 0, 0)),
    ],
)
def test_tiles_of_large_plates(wide: Server, long_run: str, name: str, place: tuple[int, int, int], pool: str) -> None:
    weight = name.startswith("W") or ".W" in name
    path = f"/models/wide/weights/{name}" if weight else f"/runs/{long_run}/activations/{name}"
    query = {"head": 1} if ".attn." in name else {}
    whole = fetch(wide, path)
    plate = whole if not query else whole[:, 1] if name.endswith("result") else whole[1]
    found = tile(wide, f"{path}/tiles/{'/'.join(map(str, place))}", pool=pool, **query)
    assert_shows(found, expected(np.atleast_2d(plate).astype(np.float64), *place, pool), name)


def test_a_weights_tile_may_be_kept_for_ever(server: Server) -> None:
    server.get("/models/tiny/scales")
    path = "/models/tiny/weights/W_E/tiles/0/0/0"
    answer = server.client.get(path)
    tag = answer.headers["etag"]
    assert answer.headers["cache-control"] == "no-cache"
    again = server.client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    fingerprint = server.get("/models/tiny")["fingerprint"]
    assert tag == f'"{fingerprint}"'
    assert "immutable" in server.client.get(path, params={"v": fingerprint}).headers["cache-control"]
    assert "immutable" not in server.client.get(path, params={"v": "another"}).headers["cache-control"]


def test_a_runs_tile_as_of_a_step(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=4)["id"]
    for name, axis in [("hook_embed", 0), ("blocks.0.attn.hook_pattern", 1), ("ln_final.hook_scale", 0)]:
        whole = activation(server, run, name)
        query = {"head": 1} if ".attn." in name else {}
        for step in (0, 2, 3):
            rows = len(TOKENS) + step
            early = whole.take(range(rows), axis)
            early = early[1, :, :rows] if query else early
            found = tile(server, f"/runs/{run}/activations/{name}/tiles/0/0/0", step=step, **query)
            assert_shows(found, np.atleast_2d(early).astype(np.float64), name)
    late = server.client.get(f"/runs/{run}/activations/hook_embed/tiles/0/0/0", params={"step": 4})
    assert late.json()["error"]["type"] == "unknown_step"
    assert late.status_code == 404
    assert server.client.get(f"/runs/{run}/activations/hook_embed/tiles/0/0/0").headers["cache-control"] != "no-store"


@pytest.mark.parametrize(
    "path, query, status, kind",
    [
        ("/models/none/weights/W_E/tiles/0/0/0", {}, 404, "unknown_model"),
        ("/models/tiny/weights/W_X/tiles/0/0/0", {}, 404, "unknown_tensor"),
        ("/models/tiny/weights/hook_embed/tiles/0/0/0", {}, 404, "unknown_tensor"),
        ("/models/tiny/weights/W_E/tiles/6/0/0", {}, 404, "unknown_tile"),
        ("/models/tiny/weights/W_E/tiles/-1/0/0", {}, 404, "unknown_tile"),
        ("/models/tiny/weights/W_E/tiles/0/1/0", {}, 404, "unknown_tile"),
        ("/models/tiny/weights/W_E/tiles/0/0/-1", {}, 404, "unknown_tile"),
        ("/models/tiny/weights/W_E/tiles/0/0/99999999999999999999", {}, 404, "unknown_tile"),
        ("/models/tiny/weights/W_E/tiles/99999999999999/0/0", {}, 404, "unknown_tile"),
        ("/models/tiny/weights/W_E/tiles/x/0/0", {}, 422, "invalid"),
        ("/models/tiny/weights/W_E/tiles/0/0/0", {"pool": "median"}, 422, "invalid"),
        ("/models/tiny/weights/W_E/tiles/0/0/0", {"head": 0}, 422, "unknown_plate"),
        ("/models/tiny/weights/blocks.0.attn.W_Q/tiles/0/0/0", {}, 422, "unknown_plate"),
        ("/models/tiny/weights/blocks.0.attn.W_Q/tiles/0/0/0", {"head": 2}, 422, "unknown_plate"),
        ("/models/tiny/weights/blocks.0.attn.W_Q/tiles/0/0/0", {"head": -1}, 422, "unknown_plate"),
        ("/models/tiny/weights/blocks.0.attn.W_Q/tiles/0/0/0", {"kv_head": 0}, 422, "unknown_plate"),
        ("/models/tiny/weights/blocks.0.attn.W_Q/tiles/0/0/0", {"head": 0, "kv_head": 0}, 422, "unknown_plate"),
        ("/models/tiny/weights/W_X/stats", {}, 404, "unknown_tensor"),
        ("/models/none/thumbnails", {}, 404, "unknown_model"),
        ("/models/tiny/thumbnails", {"pool": "sum"}, 422, "invalid"),
        ("/models/tiny/scales", {"by": "layer"}, 422, "invalid"),
        ("/runs/none/activations/hook_embed/tiles/0/0/0", {}, 404, "unknown_run"),
        ("/runs/{run}/activations/nothing/tiles/0/0/0", {}, 404, "unknown_tensor"),
        ("/runs/{run}/activations/hook_embed/tiles/0/3/0", {}, 404, "unknown_tile"),
        ("/runs/{run}/activations/hook_embed/tiles/0/0/0", {"step": -1}, 422, "invalid"),
        ("/runs/{run}/activations/blocks.0.attn.hook_q/tiles/0/0/0", {}, 422, "unknown_plate"),
        ("/runs/{forgotten}/activations/hook_embed/tiles/0/0/0", {}, 404, "forgotten_run"),
        ("/runs/{forgotten}/activations/hook_embed/stats", {}, 404, "forgotten_run"),
    ],
)
def test_what_is_refused(server: Server, path: str, query: dict[str, Any], status: int, kind: str) -> None:
    if "{run}" in path:
        path = path.replace("{run}", server.make_run(model="tiny", tokens=TOKENS)["id"])
    if "{forgotten}" in path:
        run = server.make_run(model="tiny", tokens=TOKENS)["id"]
        server.client.delete(f"/runs/{run}")
        path = path.replace("{forgotten}", run)
    answer = server.client.get(path, params=query)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (status, kind)
    assert error["hint"]
