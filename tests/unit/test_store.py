"""The store and the executor alone: who is forgotten, who never is, and whose turn it is."""

import threading
from collections.abc import Generator, Iterator

import pytest
import torch

from app.checkpoints.catalog import Catalog, LoadedModel
from app.paths import MODELS
from app.runs.clients import Client
from app.runs.executor import Executor, QueueFullError
from app.runs.run import Run
from app.runs.store import ForgottenError, RunStore, StoreFullError
from app.transformer.decoding import Sampling


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    return Catalog(MODELS).load("sort")


@pytest.fixture
def executor() -> Iterator[Executor]:
    executor = Executor(limit=8)
    yield executor
    executor.close()


def make_run(loaded: LoadedModel, new_tokens: int = 0) -> Run:
    return Run(loaded, loaded.tokenizer.encode("CAB"), new_tokens, Sampling())


def finish(run: Run, executor: Executor) -> Run:
    over = threading.Event()
    run.listen(lambda event: over.set() if event in ("done", "paused") else None)
    run.advance(executor, None)
    assert over.wait(10)
    return run


def test_the_oldest_finished_run_goes_first(loaded: LoadedModel, executor: Executor) -> None:
    store = RunStore(10**9, 2)
    runs = [make_run(loaded) for _ in range(3)]
    for run in runs:
        store.add(run)
        finish(run, executor)
    with pytest.raises(ForgottenError):
        store.get(runs[0].id)
    assert store.runs() == runs[1:]
    with pytest.raises(KeyError):
        store.get("never there")


def test_runs_in_flight_are_never_forgotten(loaded: LoadedModel, executor: Executor) -> None:
    store = RunStore(1, 2)
    flying = make_run(loaded)
    store.add(flying)
    for _ in range(3):
        done = make_run(loaded)
        store.add(done)
        finish(done, executor)
    assert store.runs() == [flying, done], "the one in flight, and the one that finished last"
    store.forget(done.id)
    store.add(make_run(loaded))
    with pytest.raises(StoreFullError):
        store.add(make_run(loaded))


def test_no_run_is_ended_for_one_that_finds_no_room_all_the_same(loaded: LoadedModel, executor: Executor) -> None:
    waiting, large, refused = make_run(loaded, 1), make_run(loaded, 6), make_run(loaded, 6)
    large.owner = refused.owner = Client("10.0.0.1")
    store = RunStore(10**9, 8, waiting.cache_bytes + large.cache_bytes)
    store.add(waiting)
    paused = threading.Event()
    waiting.listen(lambda event: paused.set() if event == "paused" else None)
    waiting.advance(executor, 0)
    assert paused.wait(10)
    store.add(large)
    with pytest.raises(StoreFullError):
        store.add(refused)
    assert waiting.state == "paused"
    assert store.runs() == [waiting, large]


def test_forgetting_gives_the_bytes_back(loaded: LoadedModel, executor: Executor) -> None:
    store = RunStore(10**9, 8)
    run = make_run(loaded, 2)
    store.add(run)
    finish(run, executor)
    assert store.nbytes == run.recorder.nbytes > 0
    store.forget(run.id)
    assert store.nbytes == 0


def test_jobs_take_turns_and_the_queue_has_an_end() -> None:
    executor = Executor(limit=3)
    order: list[str] = []
    gate, over = threading.Event(), threading.Event()

    def job(name: str, stages: int) -> Generator[None, None, None]:
        gate.wait(10)
        for _ in range(stages):
            order.append(name)
            yield
        if name == "c":
            over.set()

    assert [executor.submit(job(name, 3)) for name in "abc"] == [0, 1, 2]
    with pytest.raises(QueueFullError):
        executor.submit(job("d", 1))
    gate.set()
    assert over.wait(10)
    assert order == list("abc" * 3)
    executor.close()


def test_a_run_that_breaks_says_so_and_harms_no_other(loaded: LoadedModel, executor: Executor) -> None:
    broken = make_run(loaded)
    failed = threading.Event()
    broken.listen(lambda event: failed.set() if event == "failed" else None)

    def tap(name: str, tensor: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("no memory left")

    broken.recorder.tap = tap  # type: ignore[method-assign]
    broken.advance(executor, None)
    assert failed.wait(10)
    assert broken.state == "failed"
    assert "no memory left" in str(broken.failure)
    assert finish(make_run(loaded), executor).state == "done"
