"""The engine that computes in this process: its models, its runs, and the threads that they are computed and read on.

engine = LocalEngine(settings, catalog)
run = await engine.start(RunSpec(model="sort", text="CBABBC", max_new_tokens=6))
await run.finished()
"""

import asyncio
import time
from collections.abc import Callable

from ..checkpoints.catalog import Catalog
from ..runs.clients import Client
from ..runs.executor import Executor
from ..runs.run import Run
from ..runs.self_check import SelfChecks
from ..runs.store import RunStore
from ..runs.thumbnails import ThumbnailCache
from ..settings import Settings
from .errors import refusals
from .local_model import LocalModel
from .local_run import LocalRun
from .making import make_run
from .models import Models
from .parts import Parts
from .tiles import Tiles
from .values import NOBODY, RunSpec
from .workers import Workers


class LocalEngine:
    """Models, runs and threads of one process."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        """Start the threads: one that runs models, and a few that cut and encode what is asked for."""
        self.models = Models(catalog, settings.default_model)
        self.store = RunStore(settings.run_store_bytes, settings.runs_held, settings.run_store_bytes)
        self.executor = Executor(settings.queue_length, settings.threads, settings.client_queue)
        self.workers = Workers(settings)
        self.tiles = Tiles(self.workers, settings.tile_cache_bytes)
        self.parts = Parts(
            settings,
            self.models,
            self.store,
            self.executor,
            self.workers,
            self.tiles,
            SelfChecks(self.executor),
            ThumbnailCache(settings.cache_folder),
        )
        catalog.watch(self._in_use, self._forget_runs_of)

    async def start(self, spec: RunSpec, begun: Callable[[LocalRun], None] | None = None) -> LocalRun:
        """Make a run and let it read its prompt and write.

        `begun` is called once there is a place for the run, before anything happens to it. Where it is refused, it is
        as if it had never been: nothing is told of it, and no other run gives way to it.

        Raises:
            EngineError: it cannot be made, there is no room for it, or too much waits.
        """
        handle = LocalRun(self.parts, await asyncio.to_thread(self.make, spec), spec.client)

        def admit() -> None:
            self.store.add(handle.run)
            if begun is not None:
                begun(handle)

        with refusals():
            handle.ahead = handle.run.advance(self.executor, spec.write, admit=admit)
        return handle

    def make(self, spec: RunSpec) -> Run:
        """Make a run that waits to be started; loads its model, and may render a template.

        Raises:
            EngineError: it cannot be made.
        """
        return make_run(self.models.load(spec.model), spec, self.parts.settings)

    def run(self, run_id: str, client: Client = NOBODY) -> LocalRun:
        """Return a run that is held, for this client.

        Raises:
            EngineError: there is none, or it has been forgotten.
        """
        return LocalRun(self.parts, self.parts.held(run_id), client)

    def model(self, model_id: str, client: Client = NOBODY) -> LocalModel:
        """Return a model, for this client.

        Raises:
            EngineError: there is none, or its files cannot be read.
        """
        return LocalModel(self.parts, self.models.entry(model_id), client)

    def end_idle(self, seconds: float) -> None:
        """End runs that have been paused for longer, so that their caches do not stay for ever."""
        now = time.monotonic()
        for run in self.store.runs():
            if run.state == "paused" and now - run.idle_since > seconds:
                run.cancel()

    def close(self) -> None:
        """End every run and every thread."""
        for run in self.store.runs():
            run.cancel()
        self.executor.close()
        self.workers.close()

    def _in_use(self, model_id: str) -> bool:
        """Tell whether an unfinished run needs a model's weights."""
        return any(run.loaded.entry.id == model_id and not run.finished for run in self.store.runs())

    def _forget_runs_of(self, model_id: str) -> None:
        """Let go of the finished runs of a model that was dropped: they would hold on to its weights."""
        for run in self.store.runs():
            if run.loaded.entry.id == model_id and run.finished:
                self.store.forget(run.id)
