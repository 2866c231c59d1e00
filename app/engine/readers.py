"""The threads that cut and encode what clients read, in turns between clients: many reads of one hold up nobody.

slice = await readers.read(lambda: recorder.read("hook_embed", 0, 6), client)
"""

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ..runs.clients import Client
from ..runs.turns import Turns
from ..threads import compute_with

Result = TypeVar("Result")
_Read = tuple[Future[Any], Callable[[], Any]]


class Readers:
    """A few threads that read, one core each, so that they do not wait for each other: docs/decisions/002-threads.md.

    The next read is of the client that has been read for the least, and no client has all threads at once.
    """

    def __init__(self, count: int) -> None:
        """Start the threads."""
        self._share = max(1, count - 1)
        self._waiting: dict[Client, deque[_Read]] = {}
        self._reading: Counter[Client] = Counter()
        self._turns = Turns()
        self._wake = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"atlas-reader-{number}", daemon=True) for number in range(count)
        ]
        self._ready = threading.Barrier(count + 1)
        for thread in self._threads:
            thread.start()
        self._ready.wait()  # until each has said how many cores it computes on

    async def read(self, function: Callable[[], Result], client: Client) -> Result:
        """Compute something on one of the threads, when it is this client's turn; not at all, if no longer awaited."""
        future: Future[Result] = Future()
        with self._wake:
            if self._closed:
                raise RuntimeError("the readers have been closed")
            if client not in self._waiting:
                if not self._reading[client]:
                    self._turns.enter(client)
                self._waiting[client] = deque()
            self._waiting[client].append((future, function))
            self._wake.notify()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the threads after what they read now; whoever still waits is told that nothing comes."""
        with self._wake:
            self._closed = True
            for reads in self._waiting.values():
                for future, _ in reads:
                    future.cancel()
            self._waiting.clear()
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()

    def _may_read(self) -> list[Client]:
        return [client for client in self._waiting if self._reading[client] < self._share]

    def _next(self) -> tuple[Client, _Read]:
        client = self._turns.first(self._may_read())
        reads = self._waiting[client]
        read = reads.popleft()
        if not reads:
            del self._waiting[client]
        self._reading[client] += 1
        return client, read

    def _work(self) -> None:
        compute_with(1)
        self._ready.wait()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._may_read())
                if self._closed:
                    return
                client, read = self._next()
            started = time.perf_counter()
            _settle(*read)
            del read  # it would hold on to what it read for as long as the thread waits
            with self._wake:
                self._turns.spend(client, time.perf_counter() - started)
                self._reading[client] -= 1
                if not self._reading[client]:
                    del self._reading[client]
                self._wake.notify()  # this client may have another read


def _settle(future: Future[Result], function: Callable[[], Result]) -> None:
    """Put what comes of a function into a future, unless nobody awaits it any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
