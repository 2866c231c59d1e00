"""Wishes on the stream: what they bring, what replaces them, and what very many of them cost."""

import gc
import threading
import time
import weakref
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from tests.api.client import StreamClient
from tests.api.test_numbers import TOKENS
from tests.conftest import Server, serving


def test_rows_come_once_and_again_when_asked_for(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        client.want(1, run, "hook_embed")
        client.read_frames(1)
        client.read_until_quiet()
        client.want(2, run, "hook_embed", "hook_pos_embed")
        client.read_frames(2)
        client.read_until_quiet()
        client.want(3, run, "hook_embed", resend=["hook_embed"])
        client.read_frames(3)
        client.read_until_quiet()
    came = [(frame.header["epoch"], frame.header["name"]) for frame in client.frames]
    assert came == [(1, "hook_embed"), (2, "hook_pos_embed"), (3, "hook_embed")]


def test_a_slow_reader_is_not_buried_and_a_newer_wish_replaces_the_older(tiny_folder: Path) -> None:
    settings = Settings(models=[tiny_folder], window_frames=4)
    with serving(settings) as server, StreamClient.open(server, acknowledges=False) as client:
        run = server.make_run(model="tiny", tokens=TOKENS)["id"]
        client.want(1, run, "blocks.*.*")
        client.read_until_quiet()
        assert len(client.frames) == 4, "the window is full, and nothing has been acknowledged"
        client.want(2, run, "logits")
        client.read_until_quiet()
        assert len(client.frames) == 4
        client.send(type="ack", seq=4)
        client.read_until_quiet()
    assert [(frame.header["epoch"], frame.header["name"]) for frame in client.frames[4:]] == [(2, "logits")]


def test_what_a_wish_names_wrongly_is_said_once_and_the_rest_comes(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    tiles = [
        {"name": "W_X", "index": [], "level": 0, "row": 0, "col": 0},
        {"name": "W_E", "index": [], "level": 1, "row": 0, "col": 0},
        {"name": "W_E", "index": [], "level": 0, "row": 9, "col": 0},
        {"name": "W_E", "index": [1, 2, 3], "level": 0, "row": 0, "col": 0},
        {"name": "W_pos", "index": [], "level": 0, "row": 0, "col": 0},
    ]
    with StreamClient.open(server) as client:
        client.want(1, run, "nothing", "hook_embed", "blocks.9.*", model="tiny", tiles=tiles)
        client.read_until_quiet()
    errors = [message["error"] for message in client.messages if message["type"] == "error"]
    assert [error["type"] for error in errors] == ["unknown_tensor"]
    assert "4 more" in errors[0]["message"]
    assert {frame.header["name"] for frame in client.frames} == {"hook_embed", "W_E", "W_pos"}


def test_wishes_with_many_stars_hold_nobody_up(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        client.want(1, run, "*" * 9 + "x", "hook_" + "*" * 100, resend=["*a" * 9])
        assert client.take("error")["error"]["type"] == "unknown_tensor"
        client.want(2, run, *("*a" * 9 + str(n) for n in range(50)))
        error = client.take("error")["error"]
        assert (error["type"], error["hint"]) == ("too_many_stars", "GET /api/v1/models/tiny/graph lists the names.")
        client.want(3, run, *(f"*{n}" for n in range(200)))
        assert client.take("error")["error"]["type"] == "too_much"
        client.want(4, run, *["blocks.*.hook_resid_post"] * 2000)
        client.read_until_quiet()
    assert {frame.header["epoch"] for frame in client.frames if "resid_post" in frame.header["name"]} == {4}


def test_finished_runs_are_not_held_by_who_looks_at_them(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], default_model="tiny")) as server, StreamClient.open(server) as client:
        run = server.make_run(model="tiny", tokens=TOKENS)["id"]
        held = weakref.ref(server.services.run(run))
        client.want(1, run, "hook_embed")
        client.read_until_quiet()
        client.want(2)
        server.client.delete(f"/runs/{run}")
        client.read_until_quiet()
        gc.collect()
        assert held() is None


class Counted:
    """A function of the server, and how often it has returned."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
        """Count the calls of the function at this place from now on."""
        self.calls: list[tuple[Any, ...]] = []
        self.returned = 0
        self.held = threading.Event()
        self.held.set()
        real = import_module(place.rpartition(".")[0]).__dict__[place.rpartition(".")[2]]

        def plain(*args: Any) -> Any:
            self.calls.append(args)
            self.held.wait(10)
            found = real(*args)
            self.returned += 1
            return found

        async def awaited(*args: Any) -> Any:
            self.calls.append(args)
            found = await real(*args)
            self.returned += 1
            return found

        monkeypatch.setattr(place, awaited if iscoroutinefunction(real) else plain)

    def wait_for(self, calls: int = 0, returned: int = 0) -> None:
        """Wait until it has been called, and has returned, so often."""
        deadline = time.monotonic() + 30
        while len(self.calls) < calls or self.returned < returned:
            assert time.monotonic() < deadline, f"{len(self.calls)} calls, {self.returned} returned"
            time.sleep(0.005)


def test_a_burst_of_wishes_is_served_a_few_times(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.stream.wishes._BURST", 3)
    monkeypatch.setattr("app.api.stream.wishes._EACH_SECOND", 1e-6)
    encoded = Counted(monkeypatch, "app.api.stream.rows.rows_piece")
    matched = Counted(monkeypatch, "app.api.stream.connection.rows_wished")
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        for epoch in range(1, 201):
            client.want(epoch, run, "hook_embed", "blocks.*.*_nothing", resend=["hook_embed"])
        assert client.start(tokens=[1])["type"] == "accepted", "other messages are heard at once"
        client.read_frames(1)
        client.read_until_quiet()
    assert 1 <= len(matched.calls) <= 4
    assert 1 <= len(encoded.calls) <= 4
    assert {frame.header["epoch"] for frame in client.frames} <= {1, 2, 3, 4}


def test_of_wishes_that_come_too_fast_the_newest_is_served(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.stream.wishes._BURST", 0)
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        for epoch in range(1, 50):
            client.want(epoch, run, "hook_embed")
        client.want(50, run, "logits")
        while not any(frame.header["name"] == "logits" for frame in client.frames):
            client.next(30)
    assert client.frames[-1].header["epoch"] == 50


def test_rows_that_a_newer_wish_asks_for_too_are_not_encoded_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = Counted(monkeypatch, "app.api.stream.rows.rows_piece")
    matched = Counted(monkeypatch, "app.api.stream.connection.rows_wished")
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    encoded.held.clear()
    with StreamClient.open(server) as client:
        client.want(1, run, "hook_embed", "hook_pos_embed")
        encoded.wait_for(calls=1)
        client.want(2, run, "hook_embed", "logits")
        matched.wait_for(returned=2)
        encoded.held.set()
        client.read_frames(2)
        client.read_until_quiet()
    came = [(frame.header["epoch"], frame.header["name"]) for frame in client.frames]
    assert came == [(2, "hook_embed"), (2, "logits")], "and none of the older wish alone"
    assert [call[1] for call in encoded.calls].count("hook_embed") == 1


def test_stars_that_mean_what_they_meant_before_are_not_matched_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        client.want(1, run, "blocks.*.hook_resid_mid", "bl*.*.hook_resid_mid")
        client.read_frames(3)
        matched = Counted(monkeypatch, "app.runs.patterns._fits")
        client.want(2, run, "blocks.*.hook_resid_mid", resend=["bl*.*.hook_resid_mid"])
        client.read_frames(6)
    assert matched.calls == []
    assert {frame.header["epoch"] for frame in client.frames[3:]} == {2}
