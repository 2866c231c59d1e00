"""Rows of activations for one connection: chosen, most wanted first, encoded by readers, each sent once.

What was encoded under an older wish and is still wanted goes out under the new one, and is not encoded again: however
many wishes come, each throws away one batch at most.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from ...runs.difference import Difference
from ...runs.frames import Piece, rows_per_frame, rows_piece
from ...runs.run import Run
from ..services import Services
from .wishes import Wish

# Frames encoded in one go: large enough to be worth handing to a thread, small enough to change one's mind after.
_BATCH_FRAMES = 16
_BATCH_BYTES = 512 * 1024
# Runs, and differences of two, of which a connection remembers what it has sent.
_SENT_OF = 32


@dataclass(frozen=True)
class _Part:
    """Rows of an activation that are to be sent, and the run or difference that they are of."""

    run: Run
    less: Difference | None
    sent_under: tuple[str, str]
    name: str
    start: int
    end: int

    def piece(self) -> Piece:
        """Encode them."""
        return rows_piece(self.run, self.name, self.start, self.end, self.less)


class Rows:
    """The rows of one connection. Lives on the event loop."""

    def __init__(self, services: Services) -> None:
        """Send nothing until something is wished for."""
        self._services = services
        self._wish = Wish()
        self._wanted: frozenset[str] = frozenset()
        self._ready: deque[tuple[_Part, Piece]] = deque()
        # Rows sent so far, by run and run subtracted, then name; wishes come and go, what has been sent stays sent.
        self._sent: OrderedDict[tuple[str, str], dict[str, int]] = OrderedDict()

    def wish(self, wish: Wish) -> None:
        """Replace what was wished for; what is wished for again counts as never sent."""
        self._wish, self._wanted = wish, frozenset(wish.names)
        if wish.run is not None:
            sent = self._sent_of_wish()
            for name in wish.again:
                sent.pop(name, None)
        self._drop_unwanted()

    async def encode(self, frames: int, room: int) -> bool:
        """Encode what comes next, for so many frames and bytes at most, unless some is ready; tell whether any is."""
        self._drop_unwanted()
        batch: list[_Part] = []
        if not self._ready:
            frames, room = min(_BATCH_FRAMES, frames), min(_BATCH_BYTES, room)
            for part, size in self._pending():
                if frames <= 0 or room <= 0:
                    break
                batch.append(part)
                frames, room = frames - 1, room - size
        if batch:
            pieces = await self._services.read(lambda: [part.piece() for part in batch])
            self._ready.extend(zip(batch, pieces, strict=True))
            # The wish may be another by now.
            self._drop_unwanted()
        return bool(self._ready)

    def take(self) -> Piece | None:
        """Take the next rows to send, which count as sent from now on; None if none are ready."""
        self._drop_unwanted()
        if not self._ready:
            return None
        part, piece = self._ready.popleft()
        self._sent_of_wish()[part.name] = part.end
        return piece

    def _drop_unwanted(self) -> None:
        """Drop rows from the front that the wish no longer asks for, or that do not follow on what has been sent."""
        while self._ready:
            part, _ = self._ready[0]
            sent = self._sent.get(part.sent_under, {}).get(part.name, 0)
            if part.sent_under == self._wish.sent_under and part.name in self._wanted and sent == part.start:
                return
            self._ready.popleft()

    def _pending(self) -> Iterator[tuple[_Part, int]]:
        """Find every row that exists, is wanted and has not been sent, with its size in bytes."""
        wish = self._wish
        try:
            run = None if wish.run is None else self._services.store.get(wish.run)
        except KeyError:  # it has been forgotten
            return
        if run is None:
            return
        frame_bytes, sent_so_far = self._services.settings.frame_bytes, self._sent.get(wish.sent_under, {})
        for name in wish.names:
            known, sent = run.recorder.rows(name), sent_so_far.get(name, 0)
            if sent >= known:
                continue
            count = rows_per_frame(run, name, frame_bytes)
            row_bytes = frame_bytes // count
            for start in range(sent, known, count):
                end = min(known, start + count)
                yield _Part(run, wish.less, wish.sent_under, name, start, end), (end - start) * row_bytes

    def _sent_of_wish(self) -> dict[str, int]:
        """Return the rows sent by name under the wish; what was sent under wishes of long ago is sent again."""
        sent = self._sent.setdefault(self._wish.sent_under, {})
        self._sent.move_to_end(self._wish.sent_under)
        while len(self._sent) > _SENT_OF:
            self._sent.popitem(last=False)
        return sent
