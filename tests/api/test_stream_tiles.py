"""Tiles and cells through the stream: when they come, in which order, and what is refused."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.settings import Settings
from tests.api.client import Frame, StreamClient
from tests.api.plates import assert_shows, expected
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.api.test_runs import slow_down
from tests.conftest import Server, serving


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
