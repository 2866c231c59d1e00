"""What one client asks for, however much, leaves room and turns for another."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from app.api.clients import address_of
from app.runs.clients import Client
from app.runs.executor import Executor, Job
from app.settings import Settings
from tests.api.client import StreamClient
from tests.api.test_numbers import TOKENS
from tests.api.test_runs import slow_down
from tests.conftest import Server, serving


@pytest.fixture
def small(tiny_folder: Path) -> Iterator[Server]:
    """Serve with little room."""
    settings = Settings(
        models=[tiny_folder], default_model="tiny", queue_length=4, client_queue=3, runs_held=8, sockets=6,
        client_sockets=4, silent_seconds=0.1,
    )  # fmt: skip
    with serving(settings) as running:
        yield running


def elsewhere(server: Server) -> httpx2.Client:
    """Make a client at another address of this machine."""
    transport = httpx2.HTTPTransport(local_address="127.0.0.2")
    return httpx2.Client(base_url=server.client.base_url, timeout=30, transport=transport)


def test_many_requests_of_one_client_leave_room_for_another(small: Server) -> None:
    slow_down(small, 0.02)
    many = {"model": "tiny", "tokens": [1], "max_new_tokens": 24, "wait": False, "sampling": {"beams": 4}}
    answers = [small.client.post("/runs", json=many) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [202] * 3 + [429] * 5
    assert answers[-1].headers["retry-after"]
    with elsewhere(small) as other, StreamClient.open(small) as page:
        started = time.monotonic()
        assert other.post("/runs", json={"model": "tiny", "tokens": [1]}).status_code == 200
        page.start(tokens=[1])
        page.take("done")
        assert time.monotonic() - started < 3
    for answer in answers[:3]:
        small.client.delete(f"/runs/{answer.json()['id']}")


def test_turns_are_shared_by_time_and_by_client() -> None:
    executor = Executor(limit=8)
    ends: dict[str, int] = {}
    stages: list[str] = []

    def job(name: str, seconds: float, count: int) -> Job:
        for _ in range(count):
            time.sleep(seconds)
            stages.append(name)
            yield
        ends[name] = len(stages)

    for number in range(5):
        executor.submit(job(f"heavy {number}", 0.02, 12), Client("a", number % 2))
    executor.submit(job("light", 0.001, 12), Client("b"))
    deadline = time.monotonic() + 20
    while len(ends) < 6:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    executor.close()
    assert min(ends, key=lambda name: ends[name]) == "light"
    assert ends["light"] <= 20, "twelve short stages beside at most a few long ones"


def test_paused_runs_of_many_connections_do_not_fill_the_store(small: Server) -> None:
    with ExitStack() as stack:
        hoards = [stack.enter_context(StreamClient.open(small)) for _ in range(3)]
        for hoard in hoards:
            for _ in range(4):
                assert hoard.start(tokens=TOKENS, max_new_tokens=4)["type"] == "accepted"
                hoard.take("paused")
        with elsewhere(small) as other:
            answer = other.post("/runs", json={"model": "tiny", "tokens": [1]})
            assert answer.status_code == 200, answer.text
        page = stack.enter_context(StreamClient.open(small))
        run = page.start(tokens=TOKENS, max_new_tokens=2)["run"]
        page.take("paused")
        page.send(type="step", run=run, count=None)
        assert page.take("done")["reason"] == "max_new_tokens"


def test_runs_that_are_watched_are_not_forgotten(small: Server) -> None:
    with StreamClient.open(small) as page, elsewhere(small) as other:
        watched = page.start(tokens=TOKENS)["run"]
        page.take("done")
        mine = other.post("/runs", json={"model": "tiny", "tokens": [7]}).json()["id"]
        for n in range(20):
            small.make_run(model="tiny", tokens=[n])
        assert small.get(f"/runs/{watched}")["state"] == "done"
        assert other.get(f"/runs/{mine}").status_code == 200, "who makes many displaces their own"
        assert small.get("/capabilities")["runs_held"] == 8


def test_caches_of_runs_that_compute_are_counted(tiny_folder: Path) -> None:
    cache = 2 * 3 * 24 * 2 * 8 * 4  # keys and values: layers, positions, heads, d_head, bytes of a number
    settings = Settings(models=[tiny_folder], default_model="tiny", run_store_bytes=20 * cache)
    with serving(settings) as server:
        slow_down(server, 0.02)
        question: dict[str, Any] = {"model": "tiny", "tokens": [1], "max_new_tokens": 24, "wait": False}
        beams = [server.client.post("/runs", json={**question, "sampling": {"beams": 4}}) for _ in range(3)]
        assert [answer.status_code for answer in beams] == [202, 503, 503]
        assert beams[1].json()["error"]["type"] == "runs_full"
        assert server.get("/capabilities")["run_bytes"] >= 9 * cache
        with elsewhere(server) as other:
            assert other.post("/runs", json={**question, "sampling": {"beams": 4}}).status_code == 202


def test_silent_connections_give_way(small: Server) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(StreamClient.open(small)) for _ in range(4)]
        time.sleep(0.2)
        page = stack.enter_context(StreamClient.open(small))
        assert page.start(tokens=[1])["type"] == "accepted"
        with pytest.raises(ConnectionClosed) as closed:
            silent[0].next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        assert small.services.sockets == 4


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
    ],
)
def test_an_ipv6_network_is_one_client(one: str, other: str, same: bool) -> None:
    assert (address_of({"client": (one, 1)}) == address_of({"client": (other, 2)})) == same
    assert address_of({"client": None}) == ""
