"""The stream through a real socket: what comes, in which order, and what each side may expect of the other."""

import threading
import time
from pathlib import Path
from socket import SHUT_RDWR

import numpy as np
import pytest

from app.settings import Settings
from tests.api.client import GREEDY, StreamClient
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.api.test_runs import slow_down
from tests.conftest import Server, serving


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


def test_a_silent_server_says_that_it_is_there(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], beat_seconds=0.05)) as server, StreamClient.open(server) as client:
        client.read_until_quiet(0.2)
        assert (client.messages, client.beats >= 2) == ([], True)
        slow_down(server, 0.3)
        client.start(tokens=TOKENS, max_new_tokens=1, write=True)
        before = client.beats
        client.take("done", timeout=20)
        assert client.beats >= before + 3, "also while a run is computed"


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
