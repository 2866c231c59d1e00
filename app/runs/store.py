"""The runs that are remembered, bounded in bytes and number: finished ones are forgotten to make room.

Room is made where most is held: of the client with the most, so that many small runs of one do not displace what
another has made, and then of its oldest. Runs that somebody watches go last.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable

from .clients import Client
from .run import Event, Run

_FORGOTTEN_REMEMBERED = 4096


class ForgottenError(KeyError):
    """A run that was here, and has been forgotten to make room or by request."""


class StoreFullError(RuntimeError):
    """Every run held is still in flight: there is no room for another."""


class RunStore:
    """Runs by id. Runs that compute are never forgotten, nor is the one that finished last.

    Of those that are paused, the ones that nobody watches are ended where there is no room otherwise.
    """

    def __init__(self, limit_bytes: int, limit_runs: int, running_bytes: int | None = None) -> None:
        """Hold at most `limit_runs` runs, of together at most `limit_bytes` once they are finished.

        The caches of unfinished runs may take `running_bytes`, half of them for one client.
        """
        self._limit_bytes, self._limit_runs, self._running_bytes = limit_bytes, limit_runs, running_bytes
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._watched: dict[object, frozenset[str]] = {}
        self._lock = threading.Lock()

    def add(self, run: Run) -> None:
        """Remember a run, forgetting finished ones and ending paused ones where there is no room.

        Raises:
            StoreFullError: that would not make enough room; then none is forgotten or ended.
        """
        with self._lock:
            ended = self._ended_for(run)
        for one in ended:
            one.cancel()
        with self._lock:
            self._make_room(self._limit_runs - 1)
            if len(self._runs) >= self._limit_runs or not self._may_run(run, self._unfinished()):
                raise StoreFullError
            self._runs[run.id] = run
        run.listen(self._after)

    def get(self, run_id: str) -> Run:
        """Return a run by its id.

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

    def watch(self, watcher: object, run_ids: Iterable[str]) -> None:
        """Spare these runs for as long as can be; replaces what this watcher watched, nothing if it is empty."""
        with self._lock:
            self._watched.pop(watcher, None)
            if run_ids := frozenset(run_ids):
                self._watched[watcher] = run_ids

    def forget(self, run_id: str) -> None:
        """Let go of a run and everything captured in it."""
        with self._lock:
            self._drop(run_id)

    def runs(self) -> list[Run]:
        """List every run held, the oldest first."""
        with self._lock:
            return list(self._runs.values())

    @property
    def nbytes(self) -> int:
        """Count the bytes of memory that runs hold."""
        with self._lock:
            return sum(run.nbytes for run in self._runs.values())

    def _after(self, event: Event) -> None:
        if event in ("stage", "token"):
            return
        with self._lock:
            self._make_room(self._limit_runs)
            ended = self._ended_for_bytes() if event in ("prompt", "paused") else []
        for run in ended:
            run.cancel()

    def _unfinished(self) -> list[Run]:
        return [run for run in self._runs.values() if not run.finished]

    def _may_run(self, run: Run, unfinished: list[Run]) -> bool:
        """Tell whether the caches of a run fit beside those of the unfinished ones."""
        if self._running_bytes is None or not unfinished:
            return True
        own = [one.cache_bytes for one in unfinished if one.owner == run.owner]
        together = sum(one.cache_bytes for one in unfinished) + run.cache_bytes
        if not own:  # who has nothing here yet finds room beside those who have much
            return together <= self._running_bytes * 3 // 2
        return together <= self._running_bytes and sum(own) + run.cache_bytes <= self._running_bytes // 2

    def _ended_for(self, run: Run) -> list[Run]:
        """List the paused runs that are to be ended so that there is room for another.

        Raises:
            StoreFullError: there would be none if all of them were.
        """
        unfinished, ended = self._unfinished(), list[Run]()
        while len(unfinished) >= self._limit_runs or not self._may_run(run, unfinished):
            paused = [one for one in unfinished if one.state == "paused"]
            counts = Counter(one.owner for one in unfinished)
            crowd = [one for one in paused if not self._is_watched(one) or counts[one.owner] > counts[run.owner] + 1]
            if not crowd:
                raise StoreFullError
            ended.append(self._first_to_go(crowd, unfinished, lambda one: one.cache_bytes))
            unfinished.remove(ended[-1])
        return ended

    def _ended_for_bytes(self) -> list[Run]:
        """List the paused runs that nobody watches that are to be ended because of what they hold."""
        excess = sum(run.nbytes for run in self._runs.values()) - self._limit_bytes
        unfinished, ended = self._unfinished(), list[Run]()
        while excess > 0:
            crowd = [one for one in unfinished if one.state == "paused" and not self._is_watched(one)]
            if not crowd:
                break
            ended.append(self._first_to_go(crowd, unfinished, lambda one: one.nbytes))
            unfinished.remove(ended[-1])
            excess -= ended[-1].nbytes
        return ended

    def _make_room(self, runs: int) -> None:
        """Drop finished runs until at most `runs` and their bytes remain."""
        finished = [run for run in self._runs.values() if run.finished]
        spared = finished[-1] if finished else None
        sizes = {run.id: run.nbytes for run in self._runs.values()}
        total = sum(sizes.values())
        while (crowded := len(self._runs) > runs) or total > self._limit_bytes:
            may_go = [run for run in finished if crowded or run is not spared]
            if not may_go:
                return
            weight: Callable[[Run], int] = (lambda run: 1) if crowded else (lambda run: sizes[run.id])
            gone = self._first_to_go(may_go, self._runs.values(), weight)
            finished.remove(gone)
            total -= sizes[gone.id]
            self._drop(gone.id)

    def _first_to_go(self, candidates: Iterable[Run], all_runs: Iterable[Run], weight: Callable[[Run], int]) -> Run:
        """Choose from the address, then the client, that holds most: the oldest unwatched run, else the oldest."""
        held: Counter[str | Client] = Counter()
        for run in all_runs:
            held[run.owner.address] += weight(run)
            held[run.owner] += weight(run)
        return min(candidates, key=lambda run: (self._is_watched(run), -held[run.owner.address], -held[run.owner]))

    def _is_watched(self, run: Run) -> bool:
        return any(run.id in ids for ids in self._watched.values())

    def _drop(self, run_id: str) -> None:
        if self._runs.pop(run_id, None) is not None:
            self._forgotten[run_id] = None
            while len(self._forgotten) > _FORGOTTEN_REMEMBERED:
                self._forgotten.popitem(last=False)
