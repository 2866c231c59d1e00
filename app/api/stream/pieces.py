"""What one connection wishes to see of plates: tiles, and cells to be printed. Cut on the tile thread, nearest first.

A piece of an activation is sent once any of its numbers exists, and again when there have come to be more of them,
for as long as it is wished for. A newer wish drops everything that was still to come for an older one.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field

from ...checkpoints.catalog import LoadedModel
from ...engine.errors import unknown_tensor
from ...runs.difference import Difference
from ...runs.frames import Piece
from ...runs.headers import CellsHeader, TileHeader
from ...runs.plates import Box, Plate, check_plate, plate_shape, steps_read
from ...runs.run import Run
from ...runs.tiles import TILE, Tile, check_cells, check_tile, singles
from ...transformer.names import resolve_name
from .. import schemas
from ..errors import ApiError, api_error, refusals
from ..services import Services

# Pieces cut in one go, and those that may wait for the reader.
_BATCH, _READY = 16, 32
_BUSY_SECONDS = 0.05
Wish = schemas.TileWish | schemas.CellsWish


@dataclass
class _Wanted:
    """A piece that is wished for: whose it is, and which cells of it were there when it was last cut."""

    wish: Wish
    model: str
    run: str | None
    extent: Box | None = None
    queued: bool = True


@dataclass
class _Wishes:
    """All pieces that are wished for now."""

    epoch: int = -1
    # What is of a run comes less another's.
    less: Difference | None = None
    queue: deque[_Wanted] = field(default_factory=deque)
    # Pieces of runs that may still grow, by run and name, and the positions known when they were last looked at.
    growing: dict[tuple[str, str], list[_Wanted]] = field(default_factory=dict)
    positions: dict[tuple[str, str], int] = field(default_factory=dict)
    # What has been refused: once of each kind is enough.
    refused: set[str] = field(default_factory=set)


class Pieces:
    """The tiles and cells of one connection. Lives on the event loop."""

    def __init__(self, services: Services, wake: Callable[[], None]) -> None:
        """Cut pieces as they are wished for; `wake` is called when some are ready."""
        self._services, self._wake = services, wake
        self._loop = asyncio.get_running_loop()
        self._wishes = _Wishes()
        self._more = asyncio.Event()
        self.ready: deque[Piece | ApiError] = deque()
        self._task = self._loop.create_task(self._cut())

    def wish(self, message: schemas.WantMessage, less: Difference | None, errors: list[ApiError]) -> list[Run]:
        """Replace what was wished for; the runs that it is of. What cannot be is added to `errors`."""
        wishes = _Wishes(message.epoch, less)
        runs: dict[str, Run] = {}
        forms: dict[tuple[str | None, str], _Form] = {}
        every: list[Wish] = [*message.cells, *message.tiles]
        for wish in every:
            if message.minus is not None and wish.run is not None and (less is None or wish.run != less.run.id):
                continue  # refused with the rest of the run, or of a run that nothing is taken from
            try:
                form = self._checked(wish, message.model, runs, forms)
            except ApiError as error:
                errors.append(error)
                continue
            wish = wish.model_copy(update={"name": form.name})
            there = _extent(wish, *form.there) is not None
            wanted = _Wanted(wish, str(message.model), wish.run, queued=there)
            if there:
                wishes.queue.append(wanted)
            if wish.run is not None:
                wishes.growing.setdefault((wish.run, wish.name), []).append(wanted)
                wishes.positions[wish.run, wish.name] = form.positions
        self._wishes = wishes
        self.ready.clear()
        self._more.set()
        return list(runs.values())

    def grown(self, run: Run) -> None:
        """Queue those pieces of a run of which there is something new."""
        wishes = self._wishes
        for (run_id, name), pieces in wishes.growing.items():
            if run_id != run.id or wishes.positions.get((run_id, name)) == (known := run.recorder.rows(name)):
                continue
            wishes.positions[run_id, name] = known
            rows, cols = plate_shape(run.recorder.info(name).axes, run.recorder.shape(name))
            for wanted in pieces:
                extent = _extent(wanted.wish, rows, cols)
                if extent is not None and extent != wanted.extent and not wanted.queued:
                    wanted.queued = True
                    wishes.queue.append(wanted)
        self._more.set()

    @property
    def runs(self) -> list[str]:
        """List the runs of whose tensors pieces are wished for."""
        return list(dict.fromkeys(run for run, _ in self._wishes.growing))

    def take(self) -> Piece | ApiError:
        """Take the next piece to send, or say why it cannot be."""
        self._more.set()
        return self.ready.popleft()

    def close(self) -> None:
        """Cut nothing more."""
        self._wishes = _Wishes()
        self._task.cancel()

    def _checked(
        self, wish: Wish, model: str | None, runs: dict[str, Run], forms: "dict[tuple[str | None, str], _Form]"
    ) -> "_Form":
        """Refuse a wish that can never be fulfilled; runs and forms are looked up once for all wishes."""
        if wish.run is not None and wish.run not in runs:
            runs[wish.run] = self._services.run(wish.run)
        if wish.run is None and model is None:
            raise ApiError(422, "invalid", "tiles of weights are wished for without a model", "Name the model.")
        form = forms.get((wish.run, wish.name))
        if form is None:
            form = self._form(wish.name, None if wish.run is None else runs[wish.run], str(model))
            forms[wish.run, wish.name] = form
        with refusals():
            check_plate(wish.name, form.axes, form.shape, wish.index)
            rows, cols = plate_shape(form.axes, form.shape)
            if isinstance(wish, schemas.TileWish):
                check_tile(wish.name, rows, cols, wish.level, wish.row, wish.col)
            else:
                check_cells(wish.name, rows, cols, wish.row, wish.col)
        return form

    def _form(self, name: str, run: Run | None, model_id: str) -> "_Form":
        """Return a tensor's axes, the sizes that they may have at most and those of today, or the refusal."""
        entry = self._services.entry(model_id) if run is None else run.loaded.entry
        graph, own = entry.graph, resolve_name(name, entry.spec)
        try:
            info = graph.tensor(own)
        except KeyError:
            info = None
        if info is None or (info.role == "weight") != (run is None):
            raise api_error(unknown_tensor(name, model=entry.id))
        shape = graph.shape(info)
        if run is None:
            return _Form(own, info.axes, shape, plate_shape(info.axes, shape), 0)
        positions = run.recorder.rows(own)
        return _Form(own, info.axes, shape, plate_shape(info.axes, run.recorder.shape(own)), positions)

    async def _cut(self) -> None:
        """Cut whatever is queued, a few pieces at a time, as long as the reader keeps up."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._wishes.queue and len(self.ready) < _READY:
                wishes = self._wishes
                batch = [wishes.queue.popleft() for _ in range(min(_BATCH, len(wishes.queue)))]
                try:
                    await self._cut_batch(wishes, batch)
                except ApiError as error:
                    if error.status == 429:  # everyone wants tiles now: a little later, then
                        wishes.queue.extendleft(reversed(batch))
                        await asyncio.sleep(_BUSY_SECONDS)
                    else:
                        self._deliver(wishes, error)

    async def _cut_batch(self, wishes: _Wishes, batch: list[_Wanted]) -> None:
        models = {one.model: await self._services.loaded(one.model) for one in batch if one.run is None}
        await self._services.cut(self._steps(wishes, batch, models), lambda: self._wishes is wishes)

    def _steps(
        self, wishes: _Wishes, batch: list[_Wanted], models: dict[str, LoadedModel]
    ) -> Generator[None, None, None]:
        """Cut a batch, on the tile thread; each piece is handed over as soon as it is cut."""
        for wanted in batch:
            piece: Piece | ApiError
            try:
                # Looked at before it is cut: what comes in meanwhile is cut again.
                wanted.queued = False
                run = None if wanted.run is None else self._services.run(wanted.run)
                loaded = models[wanted.model] if run is None else run.loaded
                less = None if run is None else wishes.less
                plate = self._services.plate(run, loaded, wanted.wish.name, wanted.wish.index, less)
                wanted.extent = _extent(wanted.wish, plate.rows, plate.cols)
                tile = yield from self._tile(plate, wanted.wish)
                header = _header(wishes.epoch, wanted.wish, run, loaded, tile)
                if less is not None:
                    header["minus"] = less.other.id
                piece = Piece(header, tile.payload)
            except ApiError as error:
                piece = error
            with suppress(RuntimeError):  # the loop is closed: nobody is left to send to
                self._loop.call_soon_threadsafe(self._deliver, wishes, piece)
            yield

    def _tile(self, plate: Plate, wish: Wish) -> Generator[None, None, Tile]:
        if isinstance(wish, schemas.TileWish):
            return (yield from self._services.pyramids.tile(plate, wish.level, wish.row, wish.col, wish.pool))
        bottom, right = min(wish.row + wish.rows, plate.rows), min(wish.col + wish.cols, plate.cols)
        return singles((yield from self._services.pyramids.cells(plate, (wish.row, bottom, wish.col, right))))

    def _deliver(self, wishes: _Wishes, piece: Piece | ApiError) -> None:
        if wishes is not self._wishes:
            return
        if isinstance(piece, ApiError):
            if piece.type in wishes.refused:
                return
            wishes.refused.add(piece.type)
        self.ready.append(piece)
        self._wake()


@dataclass(frozen=True)
class _Form:
    """A tensor by its own name: the sizes it may have, rows and columns of its plates that are there, and positions
    known of it."""

    name: str
    axes: tuple[str, ...]
    shape: list[int]
    there: tuple[int, int]
    positions: int


def _extent(wish: Wish, rows: int, cols: int) -> Box | None:
    """Find the first and last row and column of a piece's cells that are there; None if there are none."""
    if isinstance(wish, schemas.TileWish):
        height = width = TILE << wish.level
        top, left = wish.row * height, wish.col * width
    else:
        top, left, height, width = wish.row, wish.col, wish.rows, wish.cols
    bottom, right = min(top + height, rows), min(left + width, cols)
    return (top, bottom, left, right) if top < bottom and left < right else None


def _header(epoch: int, wish: Wish, run: Run | None, loaded: LoadedModel, tile: Tile) -> TileHeader | CellsHeader:
    if run is None:
        shape, step = loaded.graph.shape(loaded.graph.tensor(wish.name)), 0
    else:
        shape, step = run.recorder.shape(wish.name), steps_read(run, wish.name)
    cells: CellsHeader = {
        "v": 1, "type": "cells", "run": None if run is None else run.id, "model": loaded.entry.id, "epoch": epoch,
        "seq": 0, "name": wish.name, "index": wish.index, "level": 0, "row": wish.row, "col": wish.col, "offset": 0,
        "full_shape": shape, "step": step, "dtype": tile.dtype, "shape": tile.shape, "scale": tile.scale,
    }  # fmt: skip
    if isinstance(wish, schemas.TileWish):
        return {**cells, "type": "tile", "level": wish.level, "pool": wish.pool}
    return cells
