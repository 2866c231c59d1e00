"""One thread that computes, off the event loop, taking turns between clients, and between runs at every layer."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator

import torch

from ..threads import compute_with, cores
from .clients import Client
from .turns import Turns

Job = Generator[None, None, None]
# Beyond the limit a client that has nothing here yet still finds a place, up to so many times the limit.
_NEWCOMERS = 4


class QueueFullError(RuntimeError):
    """More work waits than the server is willing to hold."""


class Executor:
    """Runs jobs in turns. A job is a generator: each `next` is one stage, such as one layer.

    The next stage is of the client that has been computed for the least (`turns.py`); a client's jobs take turns.
    """

    def __init__(self, limit: int, threads: int = 0, share: int | None = None) -> None:
        """Start the thread; each job computes on `threads` cores (0: all).

        At most `limit` jobs may wait at once, `share` of one client, but a first job of a client nearly always may.
        """
        self._limit, self._threads = limit, threads or cores()
        self._share = limit if share is None else min(share, limit)
        # How many torch said it uses, after the stage that was computed last.
        self.threads = self._threads
        self._jobs: dict[Client, deque[Job]] = {}
        self._turns = Turns()
        self._wake = threading.Condition()
        self._working: Client | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="atlas-executor", daemon=True)
        self._thread.start()

    def submit(
        self,
        job: Job,
        client: Client = Client(),  # noqa: B008 - a named tuple never changes
        admit: Callable[[], None] = lambda: None,
    ) -> int:
        """Queue a job; how many take turns with it.

        `admit` is called once there is a place for the job, before it begins. What that raises leaves nothing behind.

        Raises:
            QueueFullError: too many wait already.
        """
        with self._wake:
            others = sum(map(len, self._jobs.values())) + (self._working is not None)
            own = len(self._jobs.get(client, ())) + (self._working == client)
            if (others >= self._limit or own >= self._share) and (own or others >= _NEWCOMERS * self._limit):
                raise QueueFullError
            admit()
            if client not in self._jobs:
                self._turns.enter(client)
                self._jobs[client] = deque()
            self._jobs[client].append(job)
            self._wake.notify()
            return others

    def close(self) -> None:
        """Stop after the stage in progress."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout=10)

    def _next(self) -> tuple[Client, Job]:
        client = self._turns.first([client for client, jobs in self._jobs.items() if jobs])
        return client, self._jobs[client].popleft()

    def _work(self) -> None:
        with torch.inference_mode():
            while True:
                with self._wake:
                    self._wake.wait_for(lambda: self._jobs or self._closed)
                    if self._closed:
                        return
                    client, job = self._next()
                    self._working = client
                compute_with(self._threads)
                started = time.perf_counter()
                more = _advance(job)
                seconds = time.perf_counter() - started
                self.threads = torch.get_num_threads()
                with self._wake:
                    self._working = None
                    self._turns.spend(client, seconds)
                    if more:
                        self._jobs[client].append(job)
                    if not self._jobs[client]:
                        del self._jobs[client]


def _advance(job: Job) -> bool:
    """Compute one stage of a job, and tell whether there is more."""
    try:
        next(job)
    except StopIteration:
        return False
    return True
