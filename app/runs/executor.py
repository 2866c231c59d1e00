"""One thread that computes, off the event loop, taking turns between clients, and between runs at every layer."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator

import torch

from ..threads import compute_with, cores
from .clients import Client

Job = Generator[None, None, None]
# Beyond the limit a client that has nothing here yet still finds a place, up to so many times the limit.
_NEWCOMERS = 4


class QueueFullError(RuntimeError):
    """More work waits than the server is willing to hold."""


class Executor:
    """Runs jobs in turns. A job is a generator: each `next` is one stage, such as one layer.

    The next stage is of the client that has been computed for the least, in seconds; a client's jobs take turns. Who
    comes, or comes back, is level with the one here that has been computed for the least, so that a short job does not
    wait for long ones: with their past held against them, the median of 32 viewers of tiles waited seconds. Readers,
    whose jobs are all short, do hold it (`turns.py`).
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
        # Seconds computed for each address and client that has a job.
        self._used: dict[str | Client, float] = {}
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
            self._enter(client)
            self._jobs[client].append(job)
            self._wake.notify()
            return others

    def close(self) -> None:
        """Stop after the stage in progress."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join(timeout=10)

    def _enter(self, client: Client) -> None:
        """Let a client take part, level with the one that has been computed for the least."""
        if client in self._jobs:
            return
        beside = [self._used[one] for one in self._jobs if one.address == client.address]
        if not beside:
            addresses = [self._used[one.address] for one in self._jobs]
            self._used[client.address] = min(addresses, default=0.0)
        self._used[client] = min(beside, default=0.0)
        self._jobs[client] = deque()

    def _leave(self, client: Client) -> None:
        """Forget a client that has no job any more."""
        if not self._jobs[client]:
            del self._jobs[client], self._used[client]
            if all(one.address != client.address for one in self._jobs):
                del self._used[client.address]

    def _next(self) -> tuple[Client, Job]:
        waiting = [client for client, jobs in self._jobs.items() if jobs]
        client = min(waiting, key=lambda one: (self._used[one.address], self._used[one]))
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
                    self._used[client.address] += seconds
                    self._used[client] += seconds
                    if more:
                        self._jobs[client].append(job)
                    self._leave(client)


def _advance(job: Job) -> bool:
    """Compute one stage of a job, and tell whether there is more."""
    try:
        next(job)
    except StopIteration:
        return False
    return True
