"""The one window through which the frames of a connection leave: rows first, then tiles and cells.

So many frames and bytes are under way at most until the reader has acknowledged some; beyond that this connection
waits, and nothing is encoded for it.
"""

from collections import deque
from collections.abc import Awaitable, Callable

from ...runs.frames import Piece
from ...settings import Settings
from ..errors import ApiError
from .pieces import Pieces
from .rows import Rows

Send = Callable[[bytes], Awaitable[None]]


class Window:
    """Frames of one connection on their way."""

    def __init__(self, settings: Settings, rows: Rows, pieces: Pieces, send: Send) -> None:
        """Send what `rows` and `pieces` have to be sent."""
        self._settings, self._rows, self._pieces, self._send = settings, rows, pieces, send
        # Of the wish that holds: every frame goes out under it.
        self.epoch = -1
        self._seq = 0
        self._flying: deque[tuple[int, int]] = deque()
        self._flying_bytes = 0

    def acknowledge(self, seq: int) -> None:
        """Make room: every frame up to this number has been taken in."""
        while self._flying and self._flying[0][0] <= seq:
            self._flying_bytes -= self._flying.popleft()[1]

    async def fill(self, refuse: Callable[[ApiError], None]) -> bool:
        """Send a batch, as far as there is room; tell whether there was anything to send.

        What turns out when it is cut not to be sendable is refused instead.
        """
        busy = self._open and await self._rows.encode(self._frames_left, self._bytes_left)
        while self._open and (rows := self._rows.take()) is not None:
            await self._send_frame(rows)
        while self._open and self._pieces.ready:
            busy = True
            piece = self._pieces.take()
            if isinstance(piece, ApiError):
                refuse(piece)
            else:
                await self._send_frame(piece)
        return busy

    @property
    def _frames_left(self) -> int:
        return self._settings.window_frames - len(self._flying)

    @property
    def _bytes_left(self) -> int:
        return self._settings.window_bytes - self._flying_bytes

    @property
    def _open(self) -> bool:
        return self._frames_left > 0 and self._bytes_left > 0

    async def _send_frame(self, piece: Piece) -> None:
        self._seq += 1
        frame = piece.frame(self._seq, self.epoch)
        self._flying.append((self._seq, len(frame)))
        self._flying_bytes += len(frame)
        await self._send(frame)
