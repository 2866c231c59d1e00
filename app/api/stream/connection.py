"""One connection of the stream: what the browser says, what it is told, and the runs it started.

Frames leave through `window.py`, which takes them from `rows.py` and `pieces.py`; `events.py` hears what happens to
runs. Everything here lives on the event loop, except the encoding of rows, which readers do, and the cutting of tiles.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import WebSocket

from ...engine.errors import EngineError
from ...runs.run import Run
from .. import schemas
from ..answers import sampling_of, spec_of, token_answer
from ..clients import client
from ..errors import ApiError, api_error, refusals
from ..services import Services
from .events import Events
from .pieces import Pieces
from .rows import Rows
from .window import Window
from .wishes import Pace, Wish, check_size, items_of, rows_wished

# Runs that one connection can keep from being forgotten.
_WATCHED = 6
_BEAT = schemas.BeatMessage().model_dump_json()


@dataclass(frozen=True)
class _Said:
    """A message on its way out; `scales_of` is the run whose colour scales it says."""

    text: str
    scales_of: str | None


class StreamConnection:
    """The server's side of one connection."""

    def __init__(self, services: Services, socket: WebSocket) -> None:
        """Serve a connection that has been accepted."""
        self._services, self._socket = services, socket
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._outbox: deque[_Said] = deque()
        self._outbox_bytes = 0
        self.client, self.opened, self.heard = client.get(), self._loop.time(), False
        # How much has been refused so far.
        self.refusals = 0
        # Set once the connection is to be closed, with the code and the reason.
        self.dismissed = asyncio.Event()
        self.farewell: tuple[int, str] | None = None
        self._spoke = self._loop.time()
        self._events = Events(services, self, self._grown)
        self._rows, self._pieces = Rows(services), Pieces(services, self._wake.set)
        self._window = Window(services.settings, self._rows, self._pieces, self._send_frame)
        self._wish = Wish()
        # The newest wish, if it has not taken effect yet, and what lets it.
        self._newest_epoch, self._pace = -1, Pace()
        self._next_wish: schemas.WantMessage | None = None
        self._applying: asyncio.Task[None] | None = None
        self._own: list[str] = []

    # ---- what the browser says -----------------------------------------------------------------------------------

    async def start(self, message: schemas.StartMessage) -> None:
        """Make a run and queue it."""
        spec = spec_of(message, write=None if message.write else 0, cut_to_fit=True)
        try:
            run = await self._services.engine.start(spec, lambda begun: self._events.listen(begun.run))
        except EngineError as error:
            return self.refuse(api_error(error), request=message.request)
        self._make_way()
        self._own.append(run.id)
        self._watch()
        self.say(
            schemas.AcceptedMessage(
                request=message.request,
                run=run.id,
                model=run.model,
                source=[token_answer(token) for token in run.source],
                tokens=[token_answer(token) for token in run.prompt],
                token_types=list(run.token_types),
                capacity=run.capacity,
                max_new_tokens=run.max_new_tokens,
            )
        )
        self.say(schemas.QueuedMessage(run=run.id, ahead=run.ahead))

    def step(self, message: schemas.StepMessage) -> None:
        """Let a run write on."""
        sampling = None if message.sampling is None else sampling_of(message.sampling)
        try:
            with refusals():
                self._services.in_hand(message.run).advance(message.count, sampling)
        except ApiError as error:
            self.refuse(error, run=message.run)

    def pause(self, message: schemas.PauseMessage) -> None:
        """Let a run rest after the token in progress."""
        try:
            self._services.in_hand(message.run).pause()
        except ApiError as error:
            self.refuse(error, run=message.run)

    def cancel(self, message: schemas.CancelMessage) -> None:
        """End a run."""
        try:
            self._services.in_hand(message.run).cancel()
        except ApiError as error:
            self.refuse(error, run=message.run)

    async def want(self, message: schemas.WantMessage) -> None:
        """Replace the wish that held: at once, or, where very many come, by the newest of them a little later."""
        if message.epoch < self._newest_epoch:
            return
        try:
            check_size(message, self._services.settings)
        except ApiError as error:
            return self.refuse(error)
        self._newest_epoch, self._next_wish = message.epoch, message
        if self._applying is None:
            if self._pace.wait:
                self._applying = self._loop.create_task(self._apply_later())
            else:
                await self._apply()

    async def _apply_later(self) -> None:
        try:
            while self._next_wish is not None:
                await asyncio.sleep(self._pace.wait)
                await self._apply()
        finally:
            self._applying = None

    async def _apply(self) -> None:
        """Let the newest wish hold; unknown parts are refused in one message, the rest is served."""
        message, self._next_wish = self._next_wish, None
        if message is None:
            return
        self._pace.spend(wishes=1, items=items_of(message))
        wish = Wish(message.epoch)
        errors: list[ApiError] = []
        if message.run is not None:
            try:
                run = self._services.run(message.run)
                wish = await rows_wished(message, run, self._services, self._pace, errors)
                self._events.listen(run)
            except ApiError as error:
                errors.append(error)
        for run in self._pieces.wish(message, wish.less, errors):
            self._events.listen(run)
            self._pieces.grown(run)
        self._wish, self._window.epoch = wish, wish.epoch
        self._rows.wish(wish)
        self._watch()
        if errors:
            first = errors[0]
            more = f"; and {len(errors) - 1} more like it" if len(errors) > 1 else ""
            self.refuse(ApiError(first.status, first.type, first.message + more, first.hint), run=message.run)
        self._wake.set()

    def acknowledge(self, message: schemas.AckMessage) -> None:
        """Make room for more frames."""
        self._window.acknowledge(message.seq)
        self._wake.set()

    # ---- what the server says ------------------------------------------------------------------------------------

    def say(self, message: schemas.ServerMessage) -> None:
        """Queue a message; it goes out before any further frame."""
        if self.farewell is not None:
            return
        said = _Said(message.model_dump_json(), message.run if isinstance(message, schemas.ScalesMessage) else None)
        if said.scales_of is not None:
            # Of what changes all the time only the newest matters, however slow the reader.
            for stale in [one for one in self._outbox if one.scales_of == said.scales_of]:
                self._outbox.remove(stale)
                self._outbox_bytes -= len(stale.text)
        self._outbox.append(said)
        self._outbox_bytes += len(said.text)
        settings = self._services.settings
        if len(self._outbox) > settings.outbox_messages or self._outbox_bytes > settings.outbox_bytes:
            self.dismiss(1008, "too many messages are left unread")
        self._wake.set()

    def refuse(self, error: ApiError, request: str | None = None, run: str | None = None) -> None:
        """Say what could not be done."""
        self.refusals += 1
        self.say(schemas.ErrorMessage(request=request, run=run, error=schemas.ErrorDetail(**error.body)))

    async def send(self) -> None:
        """Send messages and frames as they come to be, for as long as the connection lasts."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._send_messages()
            while await self._window.fill(self.refuse):
                await self._send_messages()

    @property
    def silent(self) -> bool:
        """Tell whether this connection has been open for a while and never said anything."""
        return not self.heard and self._loop.time() - self.opened > self._services.settings.silent_seconds

    def dismiss(self, code: int, reason: str) -> None:
        """Say nothing more, and let the connection be closed."""
        self._outbox.clear()
        self.farewell = code, reason
        self.dismissed.set()

    async def beat(self) -> None:
        """Say that the server is there whenever nothing else has been said for a while."""
        pause = self._services.settings.beat_seconds
        while True:
            await asyncio.sleep(max(0.01, self._spoke + pause - self._loop.time()))
            if self._loop.time() >= self._spoke + pause:
                await self._socket.send_text(_BEAT)
                self._spoke = self._loop.time()

    def close(self) -> None:
        """End the runs that were started here; what they computed stays in the store."""
        if self._applying is not None:
            self._applying.cancel()
        self._events.close()
        for run_id in self._own:
            self._if_held(run_id, Run.cancel)
        self._services.store.watch(self, ())
        self._pieces.close()

    async def _send_frame(self, frame: bytes) -> None:
        await self._socket.send_bytes(frame)
        self._spoke = self._loop.time()

    async def _send_messages(self) -> None:
        while self._outbox:
            said = self._outbox.popleft()
            self._outbox_bytes -= len(said.text)
            await self._socket.send_text(said.text)
            self._spoke = self._loop.time()

    # ---- runs ----------------------------------------------------------------------------------------------------

    def _grown(self, run: Run) -> None:
        """Look for what can be sent now that there may be more numbers of a run."""
        self._pieces.grown(run)
        self._wake.set()

    def _watch(self) -> None:
        """Tell the store which runs are looked at here: those of the wish, and the one started last."""
        less = self._wish.less
        looked_at = [self._wish.run, less and less.other.id, *self._own[-1:], *self._pieces.runs]
        self._services.store.watch(self, [run_id for run_id in looked_at if run_id][:_WATCHED])

    def _held(self, run_id: str | None) -> Run | None:
        """Return a run if it is still held."""
        try:
            return None if run_id is None else self._services.store.get(run_id)
        except KeyError:
            return None

    def _if_held(self, run_id: str, do: Callable[[Run], None]) -> None:
        run = self._held(run_id)
        if run is not None:
            do(run)

    def _make_way(self) -> None:
        """End the oldest of the runs that a page left unfinished: it looks at one run at a time."""
        unfinished = [run for run in map(self._held, self._own) if run is not None and not run.finished]
        for run in unfinished[: max(0, len(unfinished) - self._services.settings.runs_per_socket + 1)]:
            run.cancel()
        self._own = [run.id for run in unfinished]


def same_origin(socket: WebSocket, allowed: list[str]) -> bool:
    """Tell whether a page of this server opened the connection; programs that are no browsers send no origin."""
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc == socket.headers.get("host")
    except ValueError:  # an address in brackets that is none
        return False
