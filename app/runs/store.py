"""The runs that are remembered: bounded in bytes and number, the oldest finished one forgotten first."""

import threading
from collections import OrderedDict

from .run import Event, Run

_FORGOTTEN_REMEMBERED = 4096


class ForgottenError(KeyError):
    """A run that was here, and has been forgotten to make room or by request."""


class StoreFullError(RuntimeError):
    """Every run held is still in flight: there is no room for another."""


class RunStore:
    """Runs by id. Runs in flight are never forgotten, nor is the one that finished last."""

    def __init__(self, limit_bytes: int, limit_runs: int) -> None:
        """Hold at most `limit_runs` runs, of together at most `limit_bytes` once they are finished."""
        self._limit_bytes, self._limit_runs = limit_bytes, limit_runs
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, run: Run) -> None:
        """Remember a run, forgetting the oldest finished ones where there is no room.

        Raises:
            StoreFullError: none of the runs held is finished.
        """
        with self._lock:
            self._make_room(self._limit_runs - 1)
            if len(self._runs) >= self._limit_runs:
                raise StoreFullError
            self._runs[run.id] = run
        run.listen(self._after)

    def get(self, run_id: str) -> Run:
        """A run by its id.

        Raises:
            ForgottenError: it was here.
            KeyError: it never was.
        """
        with self._lock:
            if run_id in self._runs:
                return self._runs[run_id]
            if run_id in self._forgotten:
                raise ForgottenError(run_id)
            raise KeyError(run_id)

    def forget(self, run_id: str) -> None:
        """Let go of a run and everything captured in it."""
        with self._lock:
            self._drop(run_id)

    def remove(self, run_id: str) -> None:
        """Take a run out that nobody has been told of."""
        with self._lock:
            self._runs.pop(run_id, None)

    def runs(self) -> list[Run]:
        """Every run held, the oldest first."""
        with self._lock:
            return list(self._runs.values())

    @property
    def nbytes(self) -> int:
        """Bytes of memory that the captured tensors hold."""
        with self._lock:
            return self._bytes()

    def _bytes(self) -> int:
        return sum(run.recorder.nbytes for run in self._runs.values())

    def _after(self, event: Event) -> None:
        if event in ("done", "failed"):
            with self._lock:
                self._make_room(self._limit_runs)

    def _make_room(self, runs: int) -> None:
        """Drop finished runs, the oldest first, until at most `runs` and their bytes remain."""
        finished = [run.id for run in self._runs.values() if run.finished]
        spared = finished.pop() if finished and len(self._runs) <= runs else None
        for run_id in finished:
            if run_id == spared or (len(self._runs) <= runs and self._bytes() <= self._limit_bytes):
                return
            self._drop(run_id)

    def _drop(self, run_id: str) -> None:
        if self._runs.pop(run_id, None) is not None:
            self._forgotten[run_id] = None
            while len(self._forgotten) > _FORGOTTEN_REMEMBERED:
                self._forgotten.popitem(last=False)
