"""The stream through a real socket: what comes, in which order, and what each side may expect of the other."""

import contextlib
import gc
import json
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from app.settings import Settings
from tests.api.client import GREEDY, StreamClient
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.api.test_runs import slow_down
from tests.conftest import Server, serving


@pytest.fixture
def own(tiny_folder: Path) -> Iterator[Server]:
    """Start a server that a test may slow down or fill."""
    with serving(Settings(models=[tiny_folder], default_model="tiny", bad_messages=4)) as running:
        running.services.load("tiny")
        yield running


def test_one_run_from_its_prompt_to_its_end(server: Server) -> None:
    with StreamClient.open(server) as client:
        accepted = client.start(tokens=TOKENS, max_new_tokens=3)
        run = accepted["run"]
        assert [token["id"] for token in accepted["tokens"]] == TOKENS
        assert (accepted["capacity"], accepted["max_new_tokens"]) == (9, 3)
        client.want(1, run, "blocks.*.attn.hook_pattern", "logits", "blocks.1.hook_resid_pre")
        client.take("paused")
        client.send(type="step", run=run, count=1)
        client.take("paused")
        client.send(type="step", run=run, count=None)
        done = client.take("done")
        client.read_until_quiet()
    types = [message["type"] for message in client.messages if message["type"] != "scales"]
    assert types == ["accepted", "queued", "prompt", "paused", "token", "paused", "token", "token", "done"]
    assert (done["reason"], done["top"]) == ("max_new_tokens", [])
    names = [f"blocks.{layer}.attn.hook_pattern" for layer in range(3)]
    for name in (*names, "logits", "blocks.1.hook_resid_pre"):
        np.testing.assert_allclose(client.tensor(name), activation(server, run, name), atol=1e-3, rtol=1e-3)
    assert [frame.header["seq"] for frame in client.frames] == list(range(1, len(client.frames) + 1))
    again = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3)
    tokens = [message for message in client.messages if message["type"] == "token"]
    assert [message["token"]["id"] for message in tokens] == [one["token"]["id"] for one in again["generated"]]
    assert [(message["step"], message["position"]) for message in tokens] == [(1, 7), (2, 8), (3, 9)]
    best = max(tokens[0]["top"], key=lambda one: one["probability"])
    assert (best["id"], best["probability"]) == (tokens[0]["token"]["id"], tokens[0]["probability"])


def test_layers_leave_before_later_layers_are_computed(own: Server) -> None:
    slow_down(own, 0.25)
    with StreamClient.open(own) as client:
        run = client.start(tokens=TOKENS)["run"]
        client.want(1, run, "blocks.*.hook_resid_post")
        client.take("prompt")
        finished = time.monotonic()
        client.read_until_quiet()
    arrived = {frame.header["name"]: at for at, frame in client.arrivals}
    first, second = arrived["blocks.0.hook_resid_post"], arrived["blocks.1.hook_resid_post"]
    assert second - first > 0.15
    assert finished - first > 0.35, "two layers of a quarter of a second each were still to come"


def test_weight_tiles_are_the_weights(server: Server) -> None:
    wishes = [
        {"name": "W_E", "index": [], "level": 0, "row": 0, "col": 0},
        {"name": "blocks.5.mlp.W_in", "index": [], "level": 0, "row": 0, "col": 2},
        {"name": "W_E", "index": [], "level": 0, "row": 15, "col": 0},
        {"name": "blocks.2.attn.W_Q", "index": [4], "level": 0, "row": 0, "col": 0},
        {"name": "blocks.2.attn.b_Q", "index": [1], "level": 0, "row": 0, "col": 0},
        {"name": "ln_final.w", "index": [], "level": 0, "row": 0, "col": 0},
    ]
    with StreamClient.open(server) as client:
        client.want(1, model="stories", tiles=wishes)
        while len(client.frames) < len(wishes):
            client.next(30)
    for wish, frame in zip(wishes, client.frames, strict=True):
        plate = fetch(server, f"/models/stories/weights/{wish['name']}")[tuple(wish["index"])]  # type: ignore[arg-type]
        plate = np.atleast_2d(plate)
        row, col = int(str(wish["row"])), int(str(wish["col"]))
        expected = plate[row * 256 : (row + 1) * 256, col * 256 : (col + 1) * 256]
        np.testing.assert_allclose(frame.values, expected, atol=1e-3, rtol=1e-3)
        assert frame.header["type"] == "tile"


def test_a_run_made_over_rest_can_be_watched(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3)["id"]
    with StreamClient.open(server) as client:
        client.want(7, run, "blocks.0.mlp.hook_post")
        scales = client.take("scales")
        client.read_until_quiet()
    assert scales["frozen"]
    assert scales["scales"] == pytest.approx(server.get(f"/runs/{run}/scales")["scales"])
    expected = activation(server, run, "blocks.0.mlp.hook_post")
    np.testing.assert_allclose(client.tensor("blocks.0.mlp.hook_post"), expected, atol=1e-3, rtol=1e-3)
    assert {frame.header["epoch"] for frame in client.frames} == {7}


def test_rows_come_once_and_again_when_asked_for(server: Server) -> None:
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    with StreamClient.open(server) as client:
        client.want(1, run, "hook_embed")
        client.read_until_quiet()
        client.want(2, run, "hook_embed", "hook_pos_embed")
        client.read_until_quiet()
        client.want(3, run, "hook_embed", resend=["hook_embed"])
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


def test_a_slow_reader_holds_nobody_up(tiny_folder: Path) -> None:
    settings = Settings(models=[tiny_folder], window_frames=2)
    with serving(settings) as server, StreamClient.open(server, acknowledges=False) as slow:
        slow.want(1, slow.start(tokens=TOKENS, max_new_tokens=16, write=True)["run"], "blocks.*.*", "logits")
        with StreamClient.open(server) as quick:
            run = quick.start(tokens=TOKENS, max_new_tokens=10, write=True)["run"]
            quick.want(1, run, "blocks.*.hook_resid_post")
            quick.take("done")
            quick.read_until_quiet()
            assert quick.tensor("blocks.2.hook_resid_post").shape == (16, 16)
        slow.take("done")
        assert len(slow.frames) <= 2


def test_two_clients_take_turns(own: Server) -> None:
    slow_down(own, 0.01)
    with StreamClient.open(own) as one, StreamClient.open(own) as other:
        one.start(tokens=TOKENS, max_new_tokens=12, write=True)
        other.start(tokens=TOKENS, max_new_tokens=12, write=True)
        ends: dict[str, float] = {}

        def read(name: str, client: StreamClient) -> None:
            client.take("done")
            ends[name] = time.monotonic()

        started = time.monotonic()
        readers = [threading.Thread(target=read, args=pair) for pair in (("one", one), ("other", other))]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert abs(ends["one"] - ends["other"]) < 0.5 * (max(ends.values()) - started), "neither waited for the other"


def test_pausing_and_cancelling(own: Server) -> None:
    slow_down(own, 0.02)
    with StreamClient.open(own) as client:
        run = client.start(tokens=TOKENS, max_new_tokens=16, write=True)["run"]
        client.take("token")
        client.send(type="pause", run=run)
        paused = client.take("paused")
        assert paused["top"]
        held = own.services.run(run)
        assert held.holds_cache
        client.send(type="cancel", run=run)
        assert client.take("done")["reason"] == "cancelled"
        assert not held.holds_cache
        client.send(type="step", run=run, count=1)
        assert client.take("error")["error"]["type"] == "run_over"
    assert own.get(f"/runs/{run}")["reason"] == "cancelled"
    assert activation(own, run, "logits").shape[0] >= len(TOKENS)


@pytest.mark.parametrize("write", [True, False])
def test_a_client_that_vanishes_takes_its_cache_along(own: Server, write: bool) -> None:
    slow_down(own, 0.02)
    with StreamClient.open(own) as client:
        run = client.start(tokens=TOKENS, max_new_tokens=16, write=write)["run"]
        client.take("prompt")
        held = own.services.run(run)
        assert held.holds_cache
        client.socket.socket.shutdown(SHUT_RDWR)
    deadline = time.monotonic() + 5
    while held.holds_cache or own.services.sockets:
        assert time.monotonic() < deadline, "the cache is still there"
        time.sleep(0.01)
    answer = own.get(f"/runs/{run}")
    assert (answer["state"], answer["reason"]) == ("done", "cancelled")
    assert activation(own, run, "logits").shape[0] >= len(TOKENS), "what was captured stays"


def test_text_stops_at_the_end_of_the_context(server: Server) -> None:
    with StreamClient.open(server) as client:
        accepted = client.start(tokens=TOKENS, max_new_tokens=500, write=True)
        assert (accepted["capacity"], accepted["max_new_tokens"]) == (24, 18)
        assert client.take("done")["reason"] == "context"
    run = server.get(f"/runs/{accepted['run']}")
    assert len(run["generated"]) == 18
    assert run["activations"][0]["shape"][0] == 24


def test_scales_are_frozen_once_the_prompt_is_read(server: Server) -> None:
    with StreamClient.open(server) as client:
        run = client.start(tokens=TOKENS, max_new_tokens=8, write=True)["run"]
        client.take("done")
        client.read_until_quiet()
    scales = [message for message in client.messages if message["type"] == "scales"]
    assert [message["frozen"] for message in scales].count(True) == 1
    assert scales[-1]["frozen"]
    assert scales[-1]["scales"] == pytest.approx(server.get(f"/runs/{run}/scales")["scales"])


def test_numbers_too_large_for_half_precision_are_scaled(server: Server) -> None:
    change = {"name": "blocks.0.hook_attn_out", "index": "0,0", "action": "set", "value": 3e6}
    run = server.make_run(model="tiny", tokens=TOKENS, interventions=[change])["id"]
    with StreamClient.open(server) as client:
        client.want(1, run, "blocks.0.hook_attn_out")
        while not client.frames:
            client.next()
    header = client.frames[0].header
    assert header["scale"] == 64
    assert client.frames[0].values[0, 0] == pytest.approx(3e6, rel=1e-3)


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


def test_a_silent_server_says_that_it_is_there(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], beat_seconds=0.05)) as server, StreamClient.open(server) as client:
        client.read_until_quiet(0.2)
        assert (client.messages, client.beats >= 2) == ([], True)
        slow_down(server, 0.3)
        client.start(tokens=TOKENS, max_new_tokens=1, write=True)
        before = client.beats
        client.take("done", timeout=20)
        assert client.beats >= before + 3, "also while a run is computed"


@pytest.mark.parametrize(
    "message, kind",
    [
        ({"model": "none", "tokens": [1]}, "unknown_model"),
        ({"tokens": [99]}, "token_out_of_range"),
        ({"tokens": []}, "empty"),
        ({"model": "sort", "text": ""}, "empty"),
        ({"tokens": [1] * 25}, "beyond_context"),
        ({}, "invalid"),
    ],
)
def test_starts_that_cannot_be(server: Server, message: dict[str, Any], kind: str) -> None:
    with StreamClient.open(server) as client:
        answer = client.start(**message)
        assert (answer["type"], answer["error"]["type"]) == ("error", kind)
        assert answer["error"]["hint"]
        assert client.start(tokens=[1])["type"] == "accepted", "the connection goes on"


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "{",
        "[]",
        "null",
        b"\x00\x01",
        '{"type": "fly"}',
        '{"type": "ack", "seq": "x"}',
        '{"type": "ack", "seq": -1}',
        '{"type": "start", "request": "1", "model": "tiny", "tokens": [1], "sampling": {"temperature": NaN}}',
        '{"type": "step", "run": "x", "count": 0}',
        '{"type": "want"}',
        "[" * 100_000,
    ],
)
def test_garbage_is_answered_and_the_connection_goes_on(server: Server, garbage: str | bytes) -> None:
    with StreamClient.open(server) as client:
        client.socket.send(garbage)
        answer = client.take("error")
        assert answer["error"]["hint"]
        assert client.start(tokens=[1])["type"] == "accepted"


def test_messages_that_are_too_long(server: Server) -> None:
    with StreamClient.open(server) as client:
        client.socket.send('{"type": "start", "text": "' + "a" * 300_000 + '"}')
        assert client.take("error")["error"]["type"] == "too_long"
        client.send(type="ack", seq=0)
        assert client.start(tokens=[1])["type"] == "accepted"


def test_nothing_but_garbage_ends_the_connection(own: Server) -> None:
    with StreamClient.open(own) as client:
        for _ in range(4):
            client.socket.send("?")
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                client.next(5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert all(message["type"] == "error" for message in client.messages)


def test_a_reader_who_never_reads_is_disconnected(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.stream.endpoint._REFUSAL_SECONDS", 0)
    settings = Settings(models=[tiny_folder], default_model="tiny", outbox_messages=100, refusals=1_000_000)
    with serving(settings) as server, connect(server.stream_address, compression=None, close_timeout=0.1) as socket:
        text = json.dumps({"type": "cancel", "run": "x" * 200})

        def flood() -> None:
            with contextlib.suppress(ConnectionClosed, OSError):
                for _ in range(100_000):
                    socket.send(text)

        flooding = threading.Thread(target=flood)
        flooding.start()
        deadline = time.monotonic() + 60
        for connections in (1, 0):
            while server.services.sockets != connections:
                assert server.get("/health")["status"] == "ok"
                assert time.monotonic() < deadline, "it is still connected"
                time.sleep(0.02)
        socket.socket.shutdown(SHUT_RDWR)
        flooding.join()


def test_messages_that_are_refused_again_and_again_end_the_connection(tiny_folder: Path) -> None:
    settings = Settings(models=[tiny_folder], default_model="tiny", refusals=20)
    with serving(settings) as server, StreamClient.open(server) as client:
        for _ in range(21):
            client.send(type="pause", run="unknown")
        with pytest.raises(ConnectionClosed) as closed:
            client.take("beat")
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_a_run_that_finds_no_place_is_refused_and_nothing_else_is_said_of_it(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], default_model="tiny", queue_length=1)) as server:
        slow_down(server, 0.05)
        question = {"model": "tiny", "tokens": TOKENS, "max_new_tokens": 18, "wait": False}
        with StreamClient.open(server) as client:
            held = client.start(tokens=TOKENS, max_new_tokens=2)["run"]
            client.take("paused")
            busy = client.start(tokens=TOKENS, max_new_tokens=18, write=True)["run"]
            assert client.start(tokens=TOKENS)["error"]["type"] == "busy"
            asked = server.client.post("/runs", json=question).json()["id"]
            assert server.client.post("/runs", json=question).status_code == 429
            assert server.get("/capabilities")["runs_held"] == 3, "nothing is left behind"
            for run in (busy, asked):
                assert server.client.delete(f"/runs/{run}").status_code == 204
            client.read_until_quiet(0.5)
            done = [message["run"] for message in client.messages if message["type"] == "done"]
            assert done == [busy], "of the run that was refused nothing is said"
            client.send(type="step", run=held, count=None)
            assert client.take("done")["reason"] == "max_new_tokens", "the run before it was not given up"


def test_a_run_that_finds_no_place_ends_no_other(tiny_folder: Path) -> None:
    """A refused start costs nobody anything: not the run that waits, which is the first to give way to one that is
    made."""
    settings = Settings(models=[tiny_folder], default_model="tiny", queue_length=1, runs_held=2)
    with serving(settings) as server, StreamClient.open(server) as client:
        slow_down(server, 0.05)
        waiting = client.start(tokens=TOKENS, max_new_tokens=2)["run"]
        client.take("paused")
        busy = client.start(tokens=TOKENS, max_new_tokens=18, write=True)["run"]
        assert client.start(tokens=TOKENS)["error"]["type"] == "busy"
        assert server.get(f"/runs/{waiting}")["state"] == "paused"
        client.send(type="cancel", run=busy)
        assert client.take("done")["run"] == busy


def test_a_streamed_run_is_changed_as_one_over_rest_is(server: Server) -> None:
    changes = [
        {"name": "blocks.0.attn.hook_z", "index": ":,1", "action": "set", "value": 0.0},
        {"name": "hidden_states[1]", "index": "2,3:7", "action": "add", "value": 1.5},
    ]
    names = ("blocks.0.attn.hook_z", "blocks.2.hook_resid_post", "logits")
    asked = {"tokens": TOKENS, "max_new_tokens": 4, "interventions": changes}
    rest, plain = server.make_run(model="tiny", **asked), server.make_run(model="tiny", tokens=TOKENS)
    with StreamClient.open(server) as client:
        run = client.start(**asked)["run"]
        client.want(1, run, *names)
        client.take("paused")
        client.send(type="step", run=run, count=None)
        client.take("done")
        client.read_until_quiet()
    tokens = [message["token"]["id"] for message in client.messages if message["type"] == "token"]
    assert tokens == [one["token"]["id"] for one in rest["generated"]]
    for name in names:
        exact = activation(server, rest["id"], name)
        np.testing.assert_array_equal(activation(server, run, name), exact)
        np.testing.assert_allclose(client.tensor(name), exact, atol=1e-3, rtol=1e-3)
        assert not np.array_equal(exact[: len(TOKENS)], activation(server, plain["id"], name))
    described = server.get(f"/runs/{run}")
    assert described["interventions"] == rest["interventions"] != []


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"tokens": TOKENS, "interventions": [{"name": "no", "action": "set", "value": 0}]}, "unknown_tensor"),
        ({"tokens": TOKENS, "interventions": [{"name": "logits", "action": "set", "value": 1e39}]}, "too_large"),
        ({"tokens": TOKENS, "interventions": [{"name": "hook_embed", "action": "set", "value": 0}] * 65},
         "too_many_interventions"),
        ({"tokens": [1], "text": "A"}, "invalid"),
        ({}, "invalid"),
        ({"tokens": [29]}, "token_out_of_range"),
        ({"tokens": [1], "target_tokens": [1]}, "no_source"),
    ],
)  # fmt: skip
def test_both_doors_refuse_a_run_in_the_same_words(server: Server, asked: dict[str, Any], kind: str) -> None:
    rest = server.client.post("/runs", json={"model": "tiny", **asked}).json()["error"]
    with StreamClient.open(server) as client:
        assert client.start(**asked)["error"] == rest
    assert rest["type"] == kind and rest["hint"]


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


def test_a_page_of_another_site_may_not_listen(server: Server) -> None:
    with pytest.raises(InvalidStatus), connect(server.stream_address, origin=Origin("https://elsewhere.example")):
        pass
    with connect(server.stream_address, origin=Origin(f"http://127.0.0.1:{server.port}")):
        pass


def test_there_are_only_so_many_connections(tiny_folder: Path) -> None:
    with (
        serving(Settings(models=[tiny_folder], sockets=2)) as server,
        StreamClient.open(server) as first,
        StreamClient.open(server),
        StreamClient.open(server) as third,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            third.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        assert first.start(tokens=[1])["type"] == "accepted"


def test_a_run_left_paused_is_ended(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], idle_seconds=0.2)) as server, StreamClient.open(server) as client:
        client.start(tokens=TOKENS, max_new_tokens=4)
        client.take("paused")
        assert client.take("done", timeout=5)["reason"] == "cancelled"


def test_sampling_may_change_between_steps(server: Server) -> None:
    hot = {**GREEDY, "temperature": 5.0, "seed": 3}
    with StreamClient.open(server) as client:
        run = client.start(tokens=TOKENS, max_new_tokens=2)["run"]
        client.take("paused")
        client.send(type="step", run=run, count=1, sampling=hot)
        first = client.take("token")
        client.take("paused")
        client.send(type="step", run=run, count=1, sampling=GREEDY)
        second = client.take("token")
    assert first["sampled_probability"] < 1
    assert second["sampled_probability"] == 1
