"""Tiles, cells, thumbnails, statistics and scales through REST and the stream, against NumPy on whole tensors."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray

from app.settings import Settings
from app.transformer.spec import Spec
from tests.api.client import Frame, StreamClient
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.api.test_runs import slow_down
from tests.conftest import TINY, Server, serving, write_model
from tests.unit.test_tiles import vectorised

WIDE = Spec(layers=2, heads=2, d_model=96, d_head=48, d_mlp=300, d_vocab=1111, positions=400)
LONG = [token * 7 % WIDE.d_vocab for token in range(300)]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a model that has plates of several tiles, and derive attention instead of keeping it."""
    folder = write_model(tmp_path_factory.mktemp("models") / "wide", WIDE)
    with serving(Settings(models=[folder], default_model="wide", attention_bytes=1)) as running:
        yield running


@pytest.fixture(scope="module")
def long_run(wide: Server) -> str:
    return str(wide.make_run(model="wide", tokens=LONG)["id"])


def tile(server: Server, path: str, **query: Any) -> NDArray[np.float64]:
    answer = server.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    shape = [int(size) for size in answer.headers["x-atlas-shape"].split(",")]
    values = np.frombuffer(answer.content, "<f2").reshape(shape).astype(np.float64)
    return values * float(answer.headers["x-atlas-scale"])


def plates(tensor: NDArray[Any], axes: list[str]) -> list[tuple[dict[str, int], list[int], NDArray[np.float64]]]:
    """List every plate of a tensor: the parameters and the index that name it, and its numbers."""
    heads = [place for place, axis in enumerate(axes) if axis in ("head", "kv_head")]
    whole = tensor.astype(np.float64)
    if not heads:
        return [({}, [], np.atleast_2d(whole))]
    count = whole.shape[heads[0]]
    return [({axes[heads[0]]: h}, [h], np.atleast_2d(whole.take(h, heads[0]))) for h in range(count)]


def expected(plate: NDArray[np.float64], level: int, row: int, col: int, pool: str) -> NDArray[np.float64]:
    shown = plate if level == 0 else vectorised(plate, 1 << level, pool)  # type: ignore[arg-type]
    return shown[row * 256 : (row + 1) * 256, col * 256 : (col + 1) * 256]


def assert_shows(found: NDArray[Any], right: NDArray[np.float64], name: str) -> None:
    assert found.shape == right.shape, name
    np.testing.assert_allclose(np.abs(found), np.abs(right), rtol=2e-3, atol=2e-4, err_msg=name)
    assert (np.sign(found) == np.sign(right))[np.abs(right) > 1e-3].mean() > 0.99


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


def test_statistics_are_exact(server: Server, wide: Server, long_run: str) -> None:
    tensors = [(server, "/models/tiny/weights/W_E"), (server, "/models/tiny/weights/blocks.0.attn.W_Q")]
    names = ("blocks.0.attn.hook_attn_scores", "blocks.1.attn.hook_result", "probabilities", "ln_final.hook_scale")
    tensors += [(wide, f"/runs/{long_run}/activations/{name}") for name in names]
    for on, path in tensors:
        whole = fetch(on, path).astype(np.float64)
        finite = whole[np.isfinite(whole)]
        found = on.get(f"{path}/stats")
        assert found["shape"] == list(whole.shape)
        for field, right in {
            "min": finite.min(), "max": finite.max(), "mean": finite.mean(), "deviation": finite.std(),
            "percentile": np.percentile(np.abs(finite), 99.5),
        }.items():  # fmt: skip
            assert found[field] == pytest.approx(right, rel=1e-4, abs=1e-7), (path, field)
        assert (found["zeros"], found["nan"]) == ((whole == 0).mean(), 0)
        assert found["infinite"] == np.isinf(whole).sum()


def test_scales_by_tensor(server: Server) -> None:
    scales = server.get("/models/tiny/scales", by="tensor")["scales"]
    graph = server.get("/models/tiny/graph")
    assert set(scales) == {tensor["name"] for tensor in graph["tensors"] if tensor["role"] == "weight"}
    for name in ("W_E", "blocks.1.attn.W_Q"):
        whole = fetch(server, f"/models/tiny/weights/{name}")
        assert scales[name] == pytest.approx(np.percentile(np.abs(whole), 99.5), rel=1e-6)
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    scales = server.get(f"/runs/{run}/scales", by="tensor")["scales"]
    whole = activation(server, run, "blocks.1.mlp.hook_post")
    assert scales["blocks.1.mlp.hook_post"] == pytest.approx(np.percentile(np.abs(whole), 99.5), rel=1e-6)
    assert scales["blocks.0.attn.hook_pattern"] == 1


def thumbnails(content: bytes) -> tuple[dict[str, Any], dict[tuple[str, tuple[int, ...]], NDArray[np.float64]]]:
    length = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + length])
    found = {}
    for one in header["plates"]:
        start, count = 4 + length + one["offset"], one["rows"] * one["cols"]
        values = np.frombuffer(content, "<f2", count, start).reshape(one["rows"], one["cols"])
        found[one["name"], tuple(one["index"])] = values.astype(np.float64) * one["scale"]
    return header, found


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_thumbnails_are_all_plates_made_small(wide: Server, pool: str) -> None:
    answer = wide.client.get("/models/wide/thumbnails", params={"pool": pool})
    header, found = thumbnails(answer.content)
    assert (header["type"], header["pool"]) == ("thumbnails", pool)
    assert answer.headers["etag"] == f'"{header["fingerprint"]}"'
    levels = {(one["name"], tuple(one["index"])): one["level"] for one in header["plates"]}
    weights = [one for one in wide.get("/models/wide/graph")["tensors"] if one["role"] == "weight"]
    for tensor in weights:
        whole = fetch(wide, f"/models/wide/weights/{tensor['name']}")
        for _, index, plate in plates(whole, tensor["axes"]):
            key = (tensor["name"], tuple(index))
            small, level = found.pop(key), levels[key]
            assert max(small.shape) <= 32
            assert level == 0 or max(plate.shape) > 32 << (level - 1), "as fine as fits"
            assert_shows(small, vectorised(plate, 1 << level, pool), tensor["name"])  # type: ignore[arg-type]
    assert not found


def test_thumbnails_are_kept_on_disk_by_the_weights_they_show(tmp_path: Path) -> None:
    folder, cache = write_model(tmp_path / "m" / "tiny", TINY), tmp_path / "cache"
    settings = Settings(models=[folder], default_model="tiny", cache_folder=cache)
    with serving(settings) as one:
        first = one.client.get("/models/tiny/thumbnails")
    (kept,) = (cache / "thumbnails").iterdir()
    assert kept.read_bytes() == first.content
    kept.write_bytes(b"as kept")
    with serving(settings) as one:
        assert one.client.get("/models/tiny/thumbnails").content == b"as kept"
        tag = first.headers["etag"]
        assert one.client.get("/models/tiny/thumbnails", headers={"If-None-Match": tag}).status_code == 304
    os.rename(folder, tmp_path / "old")
    write_model(folder, TINY, seed=1)
    with serving(settings) as one:
        assert one.client.get("/models/tiny/thumbnails").content not in (b"as kept", first.content)


def test_thumbnails_come_also_where_nothing_can_be_kept(tmp_path: Path, tiny_folder: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with serving(Settings(models=[tiny_folder], cache_folder=blocked)) as one:
        header, _ = thumbnails(one.client.get("/models/tiny/thumbnails").content)
    assert header["plates"]


# ---- the stream -----------------------------------------------------------------------------------------------------


def wish(name: str, level: int = 0, row: int = 0, col: int = 0, **more: Any) -> dict[str, Any]:
    return {"name": name, "index": [], "level": level, "row": row, "col": col, **more}


def come(client: StreamClient, count: int) -> list[Frame]:
    while len(client.frames) < count:
        client.next()
    return client.frames


def test_tiles_and_cells_of_weights_and_of_a_run(wide: Server, long_run: str) -> None:
    pattern = "blocks.1.attn.hook_pattern"
    tiles = [
        wish("W_E", 2, 1, 0, pool="max"),
        wish(pattern, 0, 1, 0, run=long_run, index=[1]),
        wish("logits", 3, 0, 0, run=long_run),
        wish("ln_final.hook_scale", 0, 0, 1, run=long_run),
    ]
    cells = [
        {"name": "W_E", "index": [], "row": 1100, "col": 90, "rows": 64, "cols": 20},
        {"run": long_run, "name": pattern, "index": [0], "row": 290, "col": 280, "rows": 5, "cols": 5},
        {"run": long_run, "name": pattern.replace("pattern", "attn_scores"), "index": [1], "row": 0, "col": 0,
         "rows": 4, "cols": 3},
    ]  # fmt: skip
    with StreamClient.open(wide) as client:
        client.want(3, None, model="wide", tiles=tiles, cells=cells)
        frames = come(client, 7)
    found = {(frame.header["type"], frame.header["name"]): frame for frame in frames}
    whole = fetch(wide, "/models/wide/weights/W_E")
    assert_shows(found["tile", "W_E"].values, expected(whole.astype(np.float64), 2, 1, 0, "max"), "W_E")
    np.testing.assert_array_equal(found["cells", "W_E"].values, whole[1100:1111, 90:96])
    squares = activation(wide, long_run, pattern)
    assert_shows(found["tile", pattern].values, squares[1, 256:, :256].astype(np.float64), pattern)
    np.testing.assert_allclose(found["cells", pattern].values, squares[0, 290:295, 280:285], rtol=1e-5)
    scores = activation(wide, long_run, "blocks.1.attn.hook_attn_scores")
    masked = found["cells", "blocks.1.attn.hook_attn_scores"].values
    np.testing.assert_allclose(masked, scores[1, :4, :3], rtol=1e-5)
    assert np.isinf(masked[0, 1])
    logits = activation(wide, long_run, "logits").astype(np.float64)
    assert_shows(found["tile", "logits"].values, expected(logits, 3, 0, 0, "mean"), "logits")
    assert found["tile", "ln_final.hook_scale"].values.shape == (1, 44)
    header = found["tile", "W_E"].header
    assert (header["run"], header["model"], header["epoch"], header["level"], header["pool"]) == (
        None, "wide", 3, 2, "max",
    )  # fmt: skip
    header = found["tile", pattern].header
    assert (header["run"], header["index"], header["row"], header["full_shape"]) == (long_run, [1], 1, [2, 300, 300])
    assert [frame.header["type"] for frame in frames[:2]] == ["cells", "cells"], "digits come first"
    assert [frame.header["seq"] for frame in frames] == list(range(1, 8))


def test_tiles_of_a_run_come_when_there_is_something_and_again_when_there_is_more(server: Server) -> None:
    with StreamClient.open(server) as client:
        run = client.start(tokens=TOKENS, max_new_tokens=3)["run"]
        tiles = [wish("blocks.2.hook_resid_post", run=run), wish("ln_final.hook_scale", 1, run=run)]
        client.want(1, None, tiles=tiles)
        client.take("paused")
        client.read_until_quiet()
        assert [frame.header["shape"] for frame in client.frames] == [[7, 16], [1, 4]]
        client.send(type="step", run=run, count=None)
        client.take("done")
        client.read_until_quiet()
        last = {frame.header["name"]: frame for frame in client.frames}
    right = activation(server, run, "blocks.2.hook_resid_post")
    assert right.shape == (9, 16)
    frame = last["blocks.2.hook_resid_post"]
    np.testing.assert_allclose(frame.values, right, rtol=1e-3, atol=1e-3)
    assert (frame.header["step"], frame.header["full_shape"]) == (2, [9, 16])
    assert last["ln_final.hook_scale"].values.shape == (1, 5)


def test_a_newer_wish_drops_what_was_still_to_come(wide: Server) -> None:
    many = [wish("W_E", level, row, 0) for level in (0, 1) for row in range(3)] * 300
    with StreamClient.open(wide, acknowledges=False) as client:
        client.want(1, None, model="wide", tiles=many)
        come(client, 1)
        client.want(2, None, model="wide", tiles=[wish("W_pos", 1)])
        client.send(type="ack", seq=10_000)
        deadline = time.monotonic() + 10
        while client.frames[-1].header["epoch"] != 2 and time.monotonic() < deadline:
            client.next()
        client.read_until_quiet()
    assert client.frames[-1].header["name"] == "W_pos"
    assert len(client.frames) < 200


def test_a_slow_reader_is_not_buried_in_tiles(wide: Server) -> None:
    many = [wish("W_E", 0, row, 0) for row in range(5)] * 60
    with StreamClient.open(wide, acknowledges=False) as client:
        client.want(1, None, model="wide", tiles=many)
        client.read_until_quiet()
        assert len(client.frames) == 64
        client.send(type="ack", seq=64)
        client.acknowledges = True
        client.read_until_quiet()
    assert len(client.frames) == len(many)


@pytest.mark.parametrize(
    "wrong, kind",
    [
        ({"tiles": [wish("W_E", 5, 0, 1)]}, "unknown_tile"),
        ({"tiles": [wish("W_E", 32)]}, "unknown_tile"),
        ({"tiles": [wish("W_E", pool="median")]}, "bad_message"),
        ({"tiles": [wish("blocks.0.attn.W_Q")]}, "unknown_plate"),
        ({"tiles": [wish("blocks.0.attn.W_Q", index=[2])]}, "unknown_plate"),
        ({"tiles": [wish("hook_embed")]}, "unknown_tensor"),
        ({"tiles": [wish("W_E", run="none")]}, "unknown_run"),
        ({"tiles": [wish("W_E")], "model": None}, "invalid"),
        ({"tiles": [wish("W_E")], "model": "none"}, "unknown_model"),
        ({"cells": [{"name": "W_E", "row": 29, "col": 0, "rows": 1, "cols": 1}]}, "unknown_tile"),
        ({"cells": [{"name": "W_E", "row": 0, "col": 0, "rows": 65, "cols": 1}]}, "bad_message"),
    ],
)
def test_wishes_that_cannot_be(server: Server, wrong: dict[str, Any], kind: str) -> None:
    with StreamClient.open(server) as client:
        client.want(1, None, **{"model": "tiny", **wrong})
        error = client.take("error")["error"]
        assert error["type"] == kind
        assert error["hint"]
        client.want(2, None, model="tiny", tiles=[wish("W_E")])
        assert come(client, 1)[0].header["name"] == "W_E", "the connection goes on"


def test_a_run_forgotten_while_it_is_watched(tiny_folder: Path) -> None:
    with (
        serving(Settings(models=[tiny_folder], default_model="tiny")) as server,
        StreamClient.open(server) as client,
    ):
        slow_down(server, 0.2)
        run = client.start(tokens=TOKENS)["run"]
        client.want(1, None, tiles=[wish("hook_embed", run=run), wish("logits", run=run)])
        come(client, 1)
        server.client.delete(f"/runs/{run}")
        client.want(2, None, tiles=[wish("hook_embed", run=run)])
        assert client.take("error")["error"]["type"] == "forgotten_run"


def test_the_stream_waits_where_the_queue_is_full(tiny_folder: Path) -> None:
    settings = Settings(models=[tiny_folder], default_model="tiny", tile_queue=1)
    with serving(settings) as server, StreamClient.open(server) as one, StreamClient.open(server) as other:
        for client in (one, other):
            client.want(1, None, model="tiny", tiles=[wish("W_E")] * 100)
        assert len(come(one, 100)) == len(come(other, 100)) == 100
