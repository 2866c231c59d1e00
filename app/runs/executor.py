"""One thread that computes, off the event loop, taking turns between runs at every layer."""

import threading
from collections import deque
from collections.abc import Generator

import torch

from app.threads import compute_with, cores

Job = Generator[None, None, None]


class QueueFullError(RuntimeError):
    """More work waits than the server is willing to hold."""


class Executor:
    """Runs jobs in turns. A job is a generator: each `next` is one stage, such as one layer."""

    def __init__(self, limit: int, threads: int = 0) -> None:
        """Start the thread; at most `limit` jobs may wait at once, each computes on `threads` cores (0: all)."""
        self._limit, self._threads = limit, threads or cores()
        # How many torch said it uses, after the stage that was computed last.
        self.threads = self._threads
        self._jobs: deque[Job] = deque()
        self._wake = threading.Condition()
        self._working = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="atlas-executor", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> int:
        """Queue a job; how many are ahead of it.

        Raises:
            QueueFullError: too many wait already.
        """
        with self._wake:
            ahead = len(self._jobs) + self._working
            if ahead >= self._limit:
                raise QueueFullError
            self._jobs.append(job)
            self._wake.notify()
            return ahead

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
                    self._working = 1
                compute_with(self._threads)
                more = _advance(job)
                self.threads = torch.get_num_threads()
                with self._wake:
                    self._working = 0
                    if more:
                        self._jobs.append(job)


def _advance(job: Job) -> bool:
    """One stage of a job; whether there is more."""
    try:
        next(job)
    except StopIteration:
        return False
    return True
