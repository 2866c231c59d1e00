"""A run of this process as one client has it in hand: the `RunHandle` of `port.py`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

import torch
from torch import Tensor

from ..lenses import LENSES, Format, Lens
from ..runs.clients import Client
from ..runs.compare_cells import compare_cells
from ..runs.difference import Difference
from ..runs.explain import explain_cell
from ..runs.explanation import Beside, Direction, Explanation
from ..runs.plates import activation_plate, plate_indices, steps_read
from ..runs.pooling import Pool
from ..runs.recorder import Intervention
from ..runs.run import Event, Run, State
from ..runs.tiles import Tile
from ..transformer.decoding import Sampling
from ..transformer.names import resolve_name
from .errors import EngineError, failed_run, refusals, unknown_tensor
from .events import event_of, so_far
from .making import check_count, check_sampling
from .parts import Parts
from .slices import checked_slice, slice_of
from .tiles import plate_index
from .values import Activation, Change, LensOffer, Measured, Rows, RunDescription, RunEvent

Result = TypeVar("Result")


class LocalRun:
    """A run that is computed here."""

    def __init__(self, parts: Parts, run: Run, client: Client) -> None:
        """Hand a run to a client; `run` itself is for what reads its numbers in this process, row by row."""
        self._parts, self._client, self.run = parts, client, run
        self.id, self.model, self.ahead = run.id, run.loaded.entry.id, 0
        self.source, self.prompt, self.token_types = run.source, run.prompt, run.token_types
        room = run.loaded.spec.positions - len(run.prompt) + 1
        self.capacity, self.max_new_tokens = run.capacity, min(run.max_new_tokens, room)

    @property
    def state(self) -> State:
        """Tell where the run stands."""
        return self.run.state

    @property
    def over(self) -> bool:
        """Tell whether nothing more will be computed."""
        return self.run.finished

    @property
    def failure(self) -> EngineError | None:
        """Say why the run broke off, if it did."""
        return failed_run(self.run) if self.run.state == "failed" else None

    # ---- what happens to it --------------------------------------------------------------------------------------

    def listen(self, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        """Tell `listener` of every event from now on, mostly on the executor's thread; return how to stop."""
        return self.run.listen(lambda kind: listener(event_of(self.run, kind)))

    async def events(self) -> AsyncIterator[RunEvent]:
        """Yield every event from the run's beginning to its end but the `stage`s passed before this was asked."""
        loop, heard = asyncio.get_running_loop(), asyncio.Queue[RunEvent]()

        def hear(event: RunEvent) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                loop.call_soon_threadsafe(heard.put_nowait, event)

        stop = self.listen(hear)
        try:
            prompt_read, written, last = False, 0, None
            for event in so_far(self.run):
                prompt_read, written, last = True, max(written, event.written), event.kind
                yield event
            while last not in ("done", "failed"):
                event = await heard.get()
                # What happened between listening and looking has been told already.
                told = (
                    (event.kind == "token" and event.written <= written)
                    or (event.kind == "prompt" and prompt_read)
                    or (event.kind == "paused" and last == "paused")
                )
                if told:
                    continue
                written, last = max(written, event.written), event.kind
                yield event
        finally:
            stop()

    async def finished(self) -> None:
        """Wait until the run is over."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def hear(kind: Event) -> None:
            if kind in ("done", "failed"):
                with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
                    loop.call_soon_threadsafe(over.set)

        stop = self.run.listen(hear)
        try:
            if not self.run.finished:
                await over.wait()
        finally:
            stop()

    # ---- what is done to it --------------------------------------------------------------------------------------

    def advance(self, count: int | None, sampling: Sampling | None = None) -> None:
        """Write `count` more tokens, or all that fit; new sampling holds from here on.

        Raises:
            EngineError: the run is over, or too much waits.
        """
        if self.run.finished:
            raise EngineError(
                "run_over", f"run {self.id} is over", "Start a new one with its tokens to write on.", run=self.id
            )
        check_count("count", count)
        if sampling is not None:
            check_sampling(sampling)
        with refusals():
            self.ahead = self.run.advance(self._parts.executor, count, sampling)

    def pause(self) -> None:
        """Stop after the token in progress."""
        self.run.pause()

    def cancel(self) -> None:
        """End the run where it is; what it has computed stays readable."""
        self.run.cancel()

    def forget(self) -> None:
        """End the run and let go of everything captured in it."""
        self.run.cancel()
        self._parts.store.forget(self.id)

    # ---- what is read of it --------------------------------------------------------------------------------------

    async def describe(self) -> RunDescription:
        """Describe the run as it stands."""
        return await self.describe_as(lambda described: described)

    async def describe_as(self, then: Callable[[RunDescription], Result]) -> Result:
        """Describe the run in a form of one's own."""
        return await self._parts.workers.read(lambda: then(_described(self.run)), self._client)

    async def activations(self) -> Sequence[Activation]:
        """List what can be read so far."""
        return await self._parts.workers.read(lambda: _activations(self.run), self._client)

    async def rows(self, name: str, index: str = "", minus: str | None = None) -> Rows:
        """Read a slice of an activation.

        Raises:
            EngineError: there is no such activation yet, or the slice cannot be taken.
        """
        return await self.rows_as(lambda rows: rows, name, index, minus, None)

    async def rows_as(
        self, then: Callable[[Rows], Result], name: str, index: str, minus: str | None, most: int | None
    ) -> Result:
        """Read a slice of an activation in a form of one's own, if it has no more than `most` numbers."""
        less = self._less(minus)
        recorder, own = self.run.recorder, self._computed(name)
        axes, shape = recorder.info(own).axes, recorder.shape(own)
        chosen = checked_slice(index, shape, axes, most)
        rows = shape[recorder.row_axis(own)]
        derived = recorder.derived(own)

        def read() -> Tensor:
            # What comes in while the slice is cut takes no part: rows and keys are those counted above.
            tensor = recorder.read(own, 0, rows) if less is None else less.rows(own, 0, rows, torch.nan)
            return tensor[..., : shape[-1]] if axes[-1] == "key_pos" else tensor

        return await self._parts.workers.read(
            lambda: then(slice_of(read(), own, axes, shape, derived, chosen)), self._client
        )

    async def tile(
        self,
        name: str,
        level: int,
        row: int,
        col: int,
        plate: Mapping[str, int] | None = None,
        pool: Pool = "mean",
        step: int | None = None,
        minus: str | None = None,
    ) -> Tile:
        """Read 256 x 256 numbers of a plate, such as `{"head": 3}`, each of 2^level x 2^level cells.

        Raises:
            EngineError: there is no such activation yet, or no such tile of it.
        """
        run, own = self.run, self._computed(name)
        if step is not None and step > (last := steps_read(run, own)):
            hint = f"It has by {last} steps so far."
            raise EngineError("unknown_step", f"{own} has not grown by step {step}", hint)
        index = plate_index(own, run.recorder.info(own).axes, plate or {})
        with refusals():
            if minus is None:
                found = activation_plate(run, own, index, None if step is None else len(run.prompt) + step)
            elif step is not None:
                raise EngineError("invalid", "step and minus cannot be given together", "Leave one of them out.")
            else:
                found = self._parts.difference(run, minus).plate(own, index)
        return await self._parts.tiles.tile(found, level, row, col, pool, self._client)

    async def statistics(self, name: str, minus: str | None = None) -> Measured:
        """Measure all numbers of an activation."""
        run, own, less = self.run, self._computed(name), self._less(minus)
        axes, shape, positions = run.recorder.info(own).axes, run.recorder.shape(own), run.recorder.rows(own)
        indices = plate_indices(axes, shape)
        if less is None:
            plates = [activation_plate(run, own, index, positions) for index in indices]
        else:
            plates = [less.plate(own, index) for index in indices]
        return await self._parts.tiles.measure(own, shape, plates, self._client)

    async def scales(self, by_tensor: bool = False, minus: str | None = None) -> Mapping[str, float]:
        """Return the colour scales of the activations, by kind of tensor or by tensor, from the prompt."""
        less, own = self._less(minus), self.run.scales
        if less is not None:
            return await self._parts.workers.read(lambda: less.scales(by_tensor), self._client)
        return await self._parts.workers.read(own.by_tensor if by_tensor else own.update, self._client)

    async def pairing(self, minus: str) -> tuple[list[int | None], list[int | None]]:
        """Return each position's partner in another run, and each position of the source's."""
        less = self._parts.difference(self.run, minus)

        def pairs(partners: Tensor) -> list[int | None]:
            return [partner if partner >= 0 else None for partner in partners.tolist()]

        return await self._parts.workers.read(lambda: (pairs(less.partners), pairs(less.source_partners)), self._client)

    async def explain(self, name: str, index: str, direction: Direction = "backward", terms: int = 32) -> Explanation:
        """Explain one cell: the arithmetic that made it, or the cells it feeds."""
        own = resolve_name(name, self.run.loaded.spec)
        with refusals():
            return await self._parts.workers.read(
                lambda: explain_cell(self.run, own, index, direction, terms), self._client
            )

    async def compare(self, name: str, index: str, other: str, other_index: str, terms: int = 8) -> Beside:
        """Compare two cells: the first less the second, and the terms in which they differ most."""
        one, two = (resolve_name(given, self.run.loaded.spec) for given in (name, other))
        with refusals():
            return await self._parts.workers.read(
                lambda: compare_cells(self.run, one, index, two, other_index, terms), self._client
            )

    async def lenses(self) -> Sequence[LensOffer]:
        """List what the run can be seen through."""
        return await self._parts.workers.read(
            lambda: [_offer(lens, self.run) for lens in LENSES.values()], self._client
        )

    async def lens(self, name: str, asked: Mapping[str, str] | None = None, form: Format = "json") -> str | bytes:
        """See the run through a lens, with what is `asked` of its parameters."""
        if name not in LENSES:
            raise EngineError("unknown_lens", f"there is no lens {name!r}", f"There are: {', '.join(LENSES)}.")
        with refusals():
            return await self._parts.workers.see(
                lambda: LENSES[name].see(self.run, asked or {}).write(form), self._client
            )

    def _computed(self, name: str) -> str:
        """Return an activation's own name, if any of it has been computed."""
        own = resolve_name(name, self.run.loaded.spec)
        if own not in self.run.recorder.names or not self.run.recorder.rows(own):
            raise unknown_tensor(name, run=self.id)
        return own

    def _less(self, minus: str | None) -> Difference | None:
        return None if minus is None else self._parts.difference(self.run, minus)


def _described(run: Run) -> RunDescription:
    """Describe a run; looks through its tensors."""
    return RunDescription(
        id=run.id,
        model=run.loaded.entry.id,
        state=run.state,
        reason=run.reason,
        prompt_length=len(run.prompt),
        capacity=run.capacity,
        source=run.source,
        tokens=run.tokens,
        token_types=run.token_types,
        generated=list(run.generated),
        top=run.top,
        predictions=run.predictions,
        interventions=[_change(one) for one in run.interventions],
        activations=_activations(run),
        beam_score=run.beam_score,
        first_non_finite=run.first_non_finite(),
        bytes=run.recorder.nbytes,
    )


def _activations(run: Run) -> list[Activation]:
    """List what can be read of a run."""
    dtype = str(run.loaded.model.W_E.dtype).removeprefix("torch.")
    recorder = run.recorder
    return [
        Activation(name, tuple(recorder.shape(name)), dtype, tuple(info.axes), info.role, recorder.derived(name))
        for name in recorder.names
        if recorder.rows(name)
        for info in [recorder.info(name)]
    ]


def _change(made: Intervention) -> Change:
    """Write an intervention in a form that can be asked for again."""
    return Change(made.name, ",".join(map(_index_text, made.index)), made.action, made.value)


def _index_text(part: int | slice) -> str:
    if isinstance(part, int):
        return str(part)
    ends = ("" if end is None else str(end) for end in (part.start, part.stop))
    return ":".join(ends) + ("" if part.step in (None, 1) else f":{part.step}")


def _offer(lens: Lens, run: Run) -> LensOffer:
    """Describe a lens as it stands to a run; what can be chosen is listed where the lens applies."""
    reason = lens.applies(run.loaded.spec)
    parameters = lens.parameters(run) if reason is None else ()
    return LensOffer(lens.name, lens.title, lens.group, reason, lens.reading, lens.misreadings, parameters)
