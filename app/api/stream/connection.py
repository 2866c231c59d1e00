"""One connection of the stream: what it wants to see, what it has been sent, and the runs it started.

Everything here lives on the event loop, except the encoding of rows, which readers do, and the cutting of tiles
(`pieces.py`). The executor's thread reaches it only through `call_soon_threadsafe`.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import WebSocket

from ...engine.errors import EngineError, unknown_tensor
from ...engine.events import event_of
from ...engine.values import RunEvent
from ...runs.difference import Difference
from ...runs.explain import finite
from ...runs.frames import rows_frame, rows_per_frame
from ...runs.patterns import Names, PatternError, names_of, patterns
from ...runs.run import Event, Generated, Run
from ...transformer.names import resolve_name
from ...transformer.spec import Spec
from .. import schemas
from ..answers import candidates_answer, predictions_answer, sampling_of, spec_of, token_answer
from ..clients import client
from ..errors import ApiError, api_error, refusals
from ..services import Services
from .pieces import TileScheduler

# Frames encoded in one go: large enough to be worth handing to a thread, small enough to change one's mind after.
_BATCH_FRAMES = 16
_BATCH_BYTES = 512 * 1024
# Wishes with stars, times the names of a run, that are matched on the event loop: a few milliseconds.
_MATCHED_AT_ONCE = 8_000
# Runs, and differences of two, of which a connection remembers what it has sent, and runs that it has measured.
_SENT_OF, _MEASURED = 32, 256
# Runs that one connection can keep from being forgotten.
_WATCHED = 6
_BEAT = schemas.BeatMessage().model_dump_json()


@dataclass(frozen=True)
class _Rows:
    """Rows of an activation that are to be sent."""

    run: Run
    name: str
    start: int
    end: int


@dataclass
class _Want:
    """The wish that holds now."""

    epoch: int = -1
    run: str | None = None
    names: list[str] = field(default_factory=list)
    # The run's numbers are sent less another's.
    less: Difference | None = None

    @property
    def sent_under(self) -> tuple[str, str]:
        """Return the run, or difference, under which it is kept how many rows of each name have been sent."""
        return str(self.run), "" if self.less is None else self.less.other.id


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
        self._want = _Want()
        self._tiles = TileScheduler(services, self._wake.set)
        # Rows sent so far, by run and run subtracted, then name; wishes come and go, what has been sent stays sent.
        self._sent: OrderedDict[tuple[str, str], dict[str, int]] = OrderedDict()
        self._seq = 0
        self._spoke = self._loop.time()
        self._flying: deque[tuple[int, int]] = deque()
        self._flying_bytes = 0
        self._own: list[str] = []
        self._stops: dict[str, Callable[[], None]] = {}
        self._measuring: set[str] = set()
        self._measured: OrderedDict[str, None] = OrderedDict()
        self._measure_again: set[str] = set()
        self._measurements: set[asyncio.Task[None]] = set()

    # ---- what the browser says -----------------------------------------------------------------------------------

    async def start(self, message: schemas.StartMessage) -> None:
        """Make a run and queue it."""
        spec = spec_of(message, write=None if message.write else 0, cut_to_fit=True)
        try:
            run = await self._services.engine.start(spec, lambda begun: self._listen(begun.run))
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
        """Replace the wish that held; unknown parts are refused in one message, the rest is served."""
        if message.epoch < self._want.epoch:
            return
        limit = self._services.settings.wished_items
        names, pieces = len(message.activations) + len(message.resend), len(message.tiles) + len(message.cells)
        if names + pieces > limit:
            self.refuse(ApiError(422, "too_much", f"the wish names more than {limit} things", "Wish for less."))
            return
        starred = patterns([*message.activations, *message.resend])
        if starred > self._services.settings.wished_patterns:
            said = f"the wish has {starred} names with a *, more than {self._services.settings.wished_patterns}"
            self.refuse(ApiError(422, "too_much", said, "Write fewer of them, or the names themselves."))
            return
        want = _Want(message.epoch)
        errors: list[ApiError] = []
        if message.run is not None:
            try:
                await self._want_rows(want, message, starred, errors)
            except ApiError as error:
                errors.append(error)
        for run in self._tiles.wish(message, want.less, errors):
            self._listen(run)
            self._tiles.grown(run)
        self._want = want
        self._watch()
        if errors:
            first = errors[0]
            more = f"; and {len(errors) - 1} more like it" if len(errors) > 1 else ""
            self.refuse(ApiError(first.status, first.type, first.message + more, first.hint), run=message.run)
        self._wake.set()

    def acknowledge(self, message: schemas.AckMessage) -> None:
        """Make room for more frames."""
        while self._flying and self._flying[0][0] <= message.seq:
            self._flying_bytes -= self._flying.popleft()[1]
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
            while (batch := self._next_batch()) or self._may_send_pieces:
                await self._send_batch(batch)
                await self._send_pieces()
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
        for stop in self._stops.values():
            stop()
        for run_id in self._own:
            self._if_held(run_id, Run.cancel)
        for task in self._measurements:
            task.cancel()
        self._services.store.watch(self, ())
        self._tiles.close()

    async def _send_messages(self) -> None:
        while self._outbox:
            said = self._outbox.popleft()
            self._outbox_bytes -= len(said.text)
            await self._socket.send_text(said.text)
            self._spoke = self._loop.time()

    def _next_batch(self) -> list[_Rows]:
        """Choose what rows to send next, most wanted first, as far as the reader has acknowledged."""
        frames = min(_BATCH_FRAMES, self._frames_left)
        room = min(_BATCH_BYTES, self._bytes_left)
        batch: list[_Rows] = []
        if frames <= 0 or room <= 0:
            return batch
        for item, size in self._pending_rows():
            batch.append(item)
            frames, room = frames - 1, room - size
            if frames <= 0 or room <= 0:
                break
        return batch

    @property
    def _frames_left(self) -> int:
        return self._services.settings.window_frames - len(self._flying)

    @property
    def _bytes_left(self) -> int:
        return self._services.settings.window_bytes - self._flying_bytes

    @property
    def _may_send_pieces(self) -> bool:
        return bool(self._tiles.ready) and self._frames_left > 0 and self._bytes_left > 0

    def _pending_rows(self) -> Iterator[tuple[_Rows, int]]:
        """Find every row that exists, is wanted and has not been sent, with its size in bytes."""
        run = self._held(self._want.run)
        if run is None:
            return
        sent_so_far = self._sent.get(self._want.sent_under, {})
        for name in self._want.names:
            known, sent = run.recorder.rows(name), sent_so_far.get(name, 0)
            if sent >= known:
                continue
            count = rows_per_frame(run, name, self._services.settings.frame_bytes)
            row_bytes = self._services.settings.frame_bytes // count
            for start in range(sent, known, count):
                end = min(known, start + count)
                yield _Rows(run, name, start, end), (end - start) * row_bytes

    async def _send_batch(self, batch: list[_Rows]) -> None:
        """Encode off the loop, then send, unless the wish has changed meanwhile."""
        if not batch:
            return
        epoch, less, first = self._want.epoch, self._want.less, self._seq + 1
        frames = await self._services.read(
            lambda: [
                rows_frame(rows.run, rows.name, rows.start, rows.end, epoch, first + n, less)
                for n, rows in enumerate(batch)
            ]
        )
        for rows, frame in zip(batch, frames, strict=True):
            if self._want.epoch != epoch:
                return
            self._sent_of(self._want)[rows.name] = rows.end
            await self._send_frame(frame)

    async def _send_pieces(self) -> None:
        """Send tiles and cells that have been cut, as far as the reader has acknowledged."""
        while self._may_send_pieces:
            piece = self._tiles.take()
            if isinstance(piece, ApiError):
                self.refuse(piece)
            else:
                await self._send_frame(piece.frame(self._seq + 1))

    async def _send_frame(self, frame: bytes) -> None:
        self._seq += 1
        self._flying.append((self._seq, len(frame)))
        self._flying_bytes += len(frame)
        await self._socket.send_bytes(frame)
        self._spoke = self._loop.time()

    # ---- wishes --------------------------------------------------------------------------------------------------

    async def _want_rows(self, want: _Want, message: schemas.WantMessage, starred: int, errors: list[ApiError]) -> None:
        run = self._run(str(message.run))
        if message.minus is not None:
            want.less = self._services.difference(run, message.minus)
        self._listen(run)
        known = names_of(tuple(run.recorder.names))
        spec, model = run.loaded.spec, run.loaded.entry.id

        def match() -> tuple[dict[str, None], dict[str, None]]:
            chosen = _matching(known, spec, message.activations, model, errors)
            return chosen, _matching(known, spec, message.resend, model, [])

        chosen, again = match() if starred * len(known) <= _MATCHED_AT_ONCE else await asyncio.to_thread(match)
        want.run, want.names = run.id, list(chosen)
        sent = self._sent_of(want)
        for name in again:
            sent.pop(name, None)

    def _sent_of(self, want: _Want) -> dict[str, int]:
        """Return the rows sent by name under a wish; what was sent under wishes of long ago is sent again."""
        sent = self._sent.setdefault(want.sent_under, {})
        self._sent.move_to_end(want.sent_under)
        while len(self._sent) > _SENT_OF:
            self._sent.popitem(last=False)
        return sent

    def _watch(self) -> None:
        """Tell the store which runs are looked at here: those of the wish, and the one started last."""
        less = self._want.less
        looked_at = [self._want.run, less and less.other.id, *self._own[-1:], *self._tiles.runs]
        self._services.store.watch(self, [run_id for run_id in looked_at if run_id][:_WATCHED])

    # ---- runs ----------------------------------------------------------------------------------------------------

    def _run(self, run_id: str) -> Run:
        return self._services.run(run_id)

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

    def _listen(self, run: Run) -> None:
        if run.id in self._stops:
            return
        if run.finished:  # nothing will be heard of it, and a listener would hold on to its numbers
            return self._measure(run)

        def hear(kind: Event) -> None:
            # What the run is now is written down here, on its own thread: the loop may get to it later.
            try:
                self._loop.call_soon_threadsafe(self._hear, run, event_of(run, kind))
            except RuntimeError:
                stop()  # the loop is closed: nobody is left to tell

        stop = run.listen(hear)
        self._stops[run.id] = stop
        if run.finished:  # just now: whether or not it has been heard, nothing more will be
            self._loop.call_soon(self._stop_listening, run.id)
        if run.fed:
            self._measure(run)

    def _hear(self, run: Run, event: RunEvent) -> None:
        """Hear that something happened to a run."""
        if event.kind == "stage":
            if event.read <= len(run.prompt):
                self._measure(run)
        elif event.kind == "prompt":
            predictions = predictions_answer(event.predictions)
            self.say(schemas.PromptMessage(run=run.id, top=candidates_answer(event.top), predictions=predictions))
        elif event.token is not None:
            self._say_token(run, event.written, event.token)
        elif event.kind == "paused":
            self.say(schemas.PausedMessage(run=run.id, top=candidates_answer(event.top)))
        elif event.reason is not None:
            score = finite(event.beam_score) if event.beam_score is not None else None
            top = candidates_answer(event.top)
            self.say(schemas.DoneMessage(run=run.id, reason=event.reason, top=top, beam_score=score))
        elif event.failure is not None:
            self.refuse(api_error(event.failure), run=run.id)
        if event.kind in ("done", "failed"):
            self._stop_listening(run.id)
        self._tiles.grown(run)
        self._wake.set()

    def _stop_listening(self, run_id: str) -> None:
        stop = self._stops.pop(run_id, None)
        if stop is not None:
            stop()

    def _say_token(self, run: Run, count: int, latest: Generated) -> None:
        self.say(
            schemas.TokenMessage(
                run=run.id,
                step=count,
                position=latest.position,
                token=token_answer(latest.token),
                probability=finite(latest.choice.probability),
                sampled_probability=finite(latest.choice.sampled_probability),
                top=candidates_answer(latest.top),
            )
        )

    def _measure(self, run: Run) -> None:
        """Work out colour scales beside everything else; at most one measurement of a run at a time."""
        if run.id in self._measured:
            return
        if run.id in self._measuring:
            self._measure_again.add(run.id)
            return
        self._measuring.add(run.id)
        task = self._loop.create_task(self._send_scales(run))
        self._measurements.add(task)
        task.add_done_callback(self._measurements.discard)

    async def _send_scales(self, run: Run) -> None:
        while True:
            self._measure_again.discard(run.id)
            frozen = run.fed >= len(run.prompt)
            scales = await self._services.read(run.scales.update)
            if scales:
                self.say(schemas.ScalesMessage(run=run.id, scales=scales, frozen=frozen))
            if frozen:
                self._measured[run.id] = None
                if len(self._measured) > _MEASURED:
                    self._measured.popitem(last=False)
            if frozen or run.id not in self._measure_again:
                break
        self._measuring.discard(run.id)


def _matching(known: Names, spec: Spec, wishes: list[str], model: str, errors: list[ApiError]) -> dict[str, None]:
    """List the names that wishes mean, each once, in their order; add wishes that mean none to `errors`."""
    chosen: dict[str, None] = {}
    for wish in dict.fromkeys(wishes):
        try:
            names = known.matching(resolve_name(wish, spec))
        except PatternError as error:
            hint = f"GET /api/v1/models/{model}/graph lists the names."
            errors.append(ApiError(422, "too_many_stars", str(error), hint))
            continue
        if not names:
            errors.append(api_error(unknown_tensor(wish, model=model)))
        chosen.update(dict.fromkeys(names))
    return chosen


def same_origin(socket: WebSocket, allowed: list[str]) -> bool:
    """Tell whether a page of this server opened the connection; programs that are no browsers send no origin."""
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    try:
        return urlsplit(origin).netloc == socket.headers.get("host")
    except ValueError:  # an address in brackets that is none
        return False
