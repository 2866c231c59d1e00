"""One thread that computes, off the event loop, taking turns between runs at every layer."""

import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TypeVar

import torch

Job = Generator[None, None, None]
Result = TypeVar("Result")


class QueueFullError(RuntimeError):
    """More work waits than the server is willing to hold."""


class Executor:
    """Runs jobs in turns. A job is a generator: each `next` is one stage, such as one layer."""

    def __init__(self, limit: int) -> None:
        """Start the thread; at most `limit` jobs may wait at once."""
        self._limit = limit
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="atlas-executor", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> int:
        """Queue a job; how many are ahead of it.

        Raises:
            QueueFullError: too many wait already.
        """
        with self._wake:
            if len(self._jobs) >= self._limit:
                raise QueueFullError
            self._jobs.append(job)
            self._wake.notify()
            return len(self._jobs) - 1

    def call(self, function: Callable[[], Result]) -> "Future[Result]":
        """Compute one thing in turn with the runs."""
        future: Future[Result] = Future()

        def job() -> Job:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)
            return
            yield

        self.submit(job())
        return future

    def close(self) -> None:
        """Stop after the stage in progress."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        with torch.inference_mode():
            while True:
                with self._wake:
                    self._wake.wait_for(lambda: self._jobs or self._closed)
                    if self._closed:
                        return
                    job = self._jobs.popleft()
                if _advance(job):
                    with self._wake:
                        self._jobs.append(job)


def _advance(job: Job) -> bool:
    """One stage of a job; whether there is more."""
    try:
        next(job)
    except StopIteration:
        return False
    return True
