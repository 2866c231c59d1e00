"""What the runs and models of a local engine share: where they are held and computed, and read, and on what threads."""

from dataclasses import dataclass

from ..runs.difference import Difference
from ..runs.executor import Executor
from ..runs.run import Run
from ..runs.self_check import SelfChecks
from ..runs.store import RunStore
from ..runs.thumbnails import ThumbnailCache
from ..settings import Settings
from .errors import EngineError, refusals
from .models import Models
from .tiles import Tiles
from .workers import Workers


@dataclass(frozen=True)
class Parts:
    """The parts that every run and model in hand needs."""

    settings: Settings
    models: Models
    store: RunStore
    executor: Executor
    workers: Workers
    tiles: Tiles
    self_checks: SelfChecks
    thumbnails: ThumbnailCache

    def held(self, run_id: str) -> Run:
        """Return a run that is held.

        Raises:
            EngineError: there is none, or it has been forgotten.
        """
        with refusals():
            try:
                return self.store.get(run_id)
            except KeyError as error:
                if error.__class__ is not KeyError:
                    raise
                raise EngineError("unknown_run", f"there is no run {run_id!r}", run=run_id) from error

    def difference(self, run: Run, minus: str) -> Difference:
        """Return a run less another.

        Raises:
            EngineError: there is no such run, or it is of another model.
        """
        other = self.held(minus)
        with refusals():
            return Difference(run, other)
