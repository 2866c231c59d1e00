"""The life of a run over REST, the bounds of the store, and what a forgotten run gives back."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.settings import Settings
from app.transformer.model import Block
from tests.conftest import TINY, Server, serving, write_model


@pytest.fixture
def small(tiny_folder: Path) -> Iterator[Server]:
    """Serve three runs at most, and let two compute."""
    with serving(Settings(models=[tiny_folder], default_model="tiny", runs_held=3, queue_length=2)) as running:
        yield running


def slow_down(server: Server, seconds: float) -> None:
    """Make every layer of `tiny` take that long."""
    for block in server.services.load("tiny").model.blocks:
        assert isinstance(block, Block)
        original = block.forward

        def slow(*arguments: Any, original: Any = original) -> Any:
            time.sleep(seconds)
            return original(*arguments)

        block.forward = slow  # type: ignore[assignment,method-assign]


def until(server: Server, run: str, state: str) -> Any:
    for _ in range(500):
        answer = server.get(f"/runs/{run}")
        if answer["state"] == state:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"run {run} is {answer['state']}, not {state}")


def test_a_run_says_everything_about_itself(server: Server) -> None:
    run = server.make_run(model="sort", text="CBA", max_new_tokens=3)
    assert (run["state"], run["reason"], run["prompt_length"], run["capacity"]) == ("done", "max_new_tokens", 3, 5)
    assert [token["text"] for token in run["tokens"]][:3] == ["C", "B", "A"]
    assert [(token["start"], token["end"]) for token in run["tokens"]] == [(n, n + 1) for n in range(6)]
    assert run["first_non_finite"] is None
    assert run["bytes"] > 0
    read_only = server.make_run(model="sort", text="CBABBC")
    assert sum(one["probability"] for one in read_only["top"]) == pytest.approx(1)
    assert server.get(f"/runs/{run['id']}") == run


def test_an_encoder_is_complete_when_it_has_read(server: Server) -> None:
    run = server.make_run(model="fill", text="Tom had a [MASK].")
    assert (run["state"], run["reason"], run["generated"]) == ("done", "complete", [])
    assert [prediction["position"] for prediction in run["predictions"]] == [
        at for at, token in enumerate(run["tokens"]) if token["text"] == "[MASK]"
    ]


def test_a_text_gets_the_models_prefix_and_tokens_do_not(server: Server) -> None:
    text = server.make_run(model="stories", text="Once")
    prefix = server.get("/models/stories")["prefix_ids"]
    ids = [token["id"] for token in text["tokens"]]
    assert ids[: len(prefix)] == prefix
    assert server.client.post("/models/stories/tokenize", json={"text": "Once"}).json()["tokens"] == text["tokens"]
    verbatim = server.make_run(model="stories", tokens=ids[len(prefix) :])
    assert [token["id"] for token in verbatim["tokens"]] == ids[len(prefix) :]


def test_a_run_that_is_not_waited_for(server: Server) -> None:
    answer = server.client.post("/runs", json={"model": "tiny", "tokens": [1, 2], "max_new_tokens": 3, "wait": False})
    assert answer.status_code == 202
    assert len(until(server, answer.json()["id"], "done")["generated"]) == 3


def test_the_oldest_run_is_forgotten_and_says_how_to_make_it_again(small: Server) -> None:
    runs = [small.make_run(model="tiny", tokens=[n])["id"] for n in range(5)]
    for gone in runs[:2]:
        answer = small.client.get(f"/runs/{gone}")
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "forgotten_run"
        assert "again" in answer.json()["error"]["hint"]
    assert [small.get(f"/runs/{held}")["id"] for held in runs[2:]] == runs[2:]
    assert small.get("/capabilities")["runs_held"] == 3


def test_forgetting_a_run_frees_its_bytes(server: Server) -> None:
    before = server.get("/capabilities")["run_bytes"]
    run = server.make_run(model="tiny", tokens=[1, 2, 3, 4], max_new_tokens=5)
    assert server.get("/capabilities")["run_bytes"] == before + run["bytes"]
    everything = sum(
        4 * len(torch.empty(entry["shape"], device="meta").view(-1))
        for entry in run["activations"]
        if not entry["derived"] and entry["role"] != "probability"
    )
    assert 0.5 * everything < run["bytes"] < 2 * everything
    assert server.client.delete(f"/runs/{run['id']}").status_code == 204
    assert server.get("/capabilities")["run_bytes"] == before
    assert server.client.delete(f"/runs/{run['id']}").status_code == 404


def test_bytes_are_bounded_too(tiny_folder: Path) -> None:
    with serving(Settings(models=[tiny_folder], run_store_bytes=250_000)) as server:
        sizes = [server.make_run(model="tiny", tokens=list(range(20)))["bytes"] for _ in range(6)]
        assert sizes[0] < 250_000 < sum(sizes)
        assert server.get("/capabilities")["run_bytes"] <= 250_000


def test_too_many_runs_at_once_are_refused_and_the_rest_goes_on(small: Server) -> None:
    slow_down(small, 0.05)
    question = {"model": "tiny", "tokens": [1], "max_new_tokens": 24, "wait": False}
    first, second = (small.client.post("/runs", json=question).json()["id"] for _ in range(2))
    answer = small.client.post("/runs", json=question)
    assert answer.status_code == 429
    assert answer.json()["error"]["type"] == "busy"
    assert answer.headers["retry-after"]
    for run in (first, second):
        assert small.client.delete(f"/runs/{run}").status_code == 204


def test_a_cancelled_run_stops_between_layers(small: Server) -> None:
    slow_down(small, 0.1)
    question = {"model": "tiny", "tokens": [1], "max_new_tokens": 24, "wait": False}
    run = small.client.post("/runs", json=question).json()["id"]
    until(small, run, "running")
    held = small.services.run(run)
    assert small.client.delete(f"/runs/{run}").status_code == 204
    started = time.monotonic()
    while held.state != "done":
        assert time.monotonic() - started < 1
        time.sleep(0.01)
    assert held.reason == "cancelled"
    assert not held.holds_cache


def test_the_first_tensor_that_is_no_number_is_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "broken", TINY)
    tensors = load_file(folder / "model.safetensors")
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    tensors["transformer.h.1.mlp.c_fc.bias"][3] = torch.nan
    save_file(tensors, folder / "model.safetensors")
    with serving(Settings(models=[folder])) as server:
        run = server.make_run(model="broken", tokens=[1, 2], max_new_tokens=0)
        assert run["first_non_finite"] == "blocks.1.mlp.hook_pre"
        answer = server.get(f"/runs/{run['id']}/activations/blocks.1.mlp.hook_pre", index="0,:5")
        assert answer["values"][3] is None
        assert answer["nan"] == 1


def test_broken_weights_are_named_when_the_model_is_asked_for(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "cut", TINY)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])
    with serving(Settings(models=[folder])) as server:
        answer = server.client.post("/runs", json={"model": "cut", "tokens": [1]})
        assert answer.status_code == 503
        assert "model.safetensors" in answer.json()["error"]["message"]
        assert server.make_run(model="sort", text="A")["state"] == "done", "nothing else is disturbed"


def test_models_are_listed_with_the_default_first(server: Server) -> None:
    models = server.get("/models")["models"]
    assert models[0]["id"] == "tiny"
    assert {"sort", "stories"} <= {model["id"] for model in models}
    detail = server.get("/models/sort")
    assert detail["spec"]["layers"] == 3
    assert detail["parameters"] == 85_584
    assert json.dumps(server.get("/models/sort/graph"))


def test_the_specification_is_published(server: Server) -> None:
    specification = server.client.get(f"http://127.0.0.1:{server.port}/openapi.json").json()
    paths = specification["paths"]
    assert "/api/v1/runs/{run_id}/lenses/{lens}" in paths
    assert "/api/v1/models/{model_id}/weights/{name}" in paths


@pytest.mark.parametrize(
    "error, status, kind",
    [(MemoryError(), 503, "out_of_memory"),
     (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 503, "out_of_memory"),
     (RuntimeError("something else"), 500, "run_failed")],
)  # fmt: skip
def test_want_of_memory_is_said(tiny_folder: Path, error: Exception, status: int, kind: str) -> None:
    with serving(Settings(models=[tiny_folder], default_model="tiny")) as server:

        def broken(*arguments: Any) -> Any:
            raise error

        server.services.load("tiny").model.blocks[1].forward = broken
        answer = server.client.post("/runs", json={"model": "tiny", "tokens": [1]})
        assert (answer.status_code, answer.json()["error"]["type"]) == (status, kind)
        assert server.get("/health")["status"] == "ok"
