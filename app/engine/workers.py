"""The threads of the engine: readers, one thread for lenses and one for tiles, none of them the event loop's.

tile = await workers.cut(pyramids.tile(plate, 0, 0, 0, "mean"), client)
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TypeVar

from ..runs.clients import Client
from ..runs.executor import Executor, Job
from ..settings import Settings
from .errors import refusals
from .readers import Readers

_READERS = 2
Result = TypeVar("Result")


class Workers:
    """Threads that read, see and cut for clients."""

    def __init__(self, settings: Settings) -> None:
        """Start the threads."""
        self._readers = Readers(_READERS)
        # Lenses compute for longer than slices are cut, so they have a thread of their own, and take turns on it.
        self._lenses = Executor(settings.queue_length, 1, settings.client_queue)
        # Tiles are cut and pooled on one thread, with one core: docs/decisions/002-threads.md.
        self._tiles = Executor(settings.tile_queue, 1, settings.tile_queue * 3 // 4)

    async def read(self, function: Callable[[], Result], client: Client) -> Result:
        """Compute something short off the event loop, in turns with other clients."""
        return await self._readers.read(function, client)

    async def cut(
        self, steps: Generator[None, None, Result], client: Client, wanted: Callable[[], bool] = lambda: True
    ) -> Result | None:
        """Carry out the steps of something on the tile thread, in turns with others; None once it is not `wanted`.

        Raises:
            EngineError: as many wait as the server is willing to hold.
        """
        future: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()
        with refusals():
            self._tiles.submit(_settling(steps, wanted, future), client)
        return await future

    async def see(self, function: Callable[[], Result], client: Client) -> Result:
        """Compute a lens off the event loop, after those that were asked for before it.

        Raises:
            EngineError: as many wait as the server is willing to hold.
        """
        future: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()
        with refusals():
            self._lenses.submit(_settling(_at_once(function), lambda: True, future), client)
        result = await future
        assert result is not None
        return result

    def close(self) -> None:
        """End every thread."""
        self._tiles.close()
        self._lenses.close()
        self._readers.close()


def _at_once(function: Callable[[], Result]) -> Generator[None, None, Result]:
    """Wrap a function as steps: it is the only one."""
    yield from ()
    return function()


def _settling(
    steps: Generator[None, None, Result], wanted: Callable[[], bool], future: "asyncio.Future[Result | None]"
) -> Job:
    """Take the steps, and put what came of them into a future of the event loop."""
    loop = future.get_loop()

    def settle(result: Result | None, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    result: Result | None = None
    failure: Exception | None = None
    try:
        while wanted() and not future.cancelled():
            try:
                next(steps)
            except StopIteration as stop:
                result = stop.value
                break
            yield
        steps.close()
    except Exception as error:
        # Whoever asked is told; the thread goes on with everybody else's.
        failure = error
    with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
        loop.call_soon_threadsafe(settle, result, failure)
