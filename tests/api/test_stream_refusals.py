"""What the stream refuses: messages, runs and connections, and what goes on all the same."""

import contextlib
import json
import threading
import time
from pathlib import Path
from socket import SHUT_RDWR
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from app.settings import Settings
from tests.api.client import StreamClient
from tests.api.test_numbers import TOKENS
from tests.api.test_runs import slow_down
from tests.conftest import Server, serving


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
