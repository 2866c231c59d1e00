"""What happens to the runs that a connection listens to, said as messages; and what their colours mean so far.

A run computes on the executor's thread, which gets here only through `call_soon_threadsafe`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from ...engine.events import event_of
from ...engine.values import RunEvent
from ...runs.explain import finite
from ...runs.run import Event, Generated, Run
from .. import schemas
from ..answers import candidates_answer, predictions_answer, token_answer
from ..errors import ApiError, api_error
from ..services import Services

# Runs of which a connection remembers that it has measured them.
_MEASURED = 256


class Speaker(Protocol):
    """Whoever takes messages to the other side."""

    def say(self, message: schemas.ServerMessage) -> None:
        """Queue a message."""

    def refuse(self, error: ApiError, request: str | None = None, run: str | None = None) -> None:
        """Say what could not be done."""


class Events:
    """The runs that one connection listens to. Lives on the event loop."""

    def __init__(self, services: Services, speaker: Speaker, grown: Callable[[Run], None]) -> None:
        """Tell `speaker` what happens; `grown` is called whenever there may be more numbers of a run."""
        self._services, self._speaker, self._grown = services, speaker, grown
        self._loop = asyncio.get_running_loop()
        self._stops: dict[str, Callable[[], None]] = {}
        self._measuring: set[str] = set()
        self._measured: OrderedDict[str, None] = OrderedDict()
        self._measure_again: set[str] = set()
        self._measurements: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        """Listen to nothing more."""
        for stop in self._stops.values():
            stop()
        for task in self._measurements:
            task.cancel()

    def listen(self, run: Run) -> None:
        """Listen to a run from now on, if it is not over; its colour scales are said in any case."""
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
            self._speaker.say(
                schemas.PromptMessage(run=run.id, top=candidates_answer(event.top), predictions=predictions)
            )
        elif event.token is not None:
            self._say_token(run, event.written, event.token)
        elif event.kind == "paused":
            self._speaker.say(schemas.PausedMessage(run=run.id, top=candidates_answer(event.top)))
        elif event.reason is not None:
            score = finite(event.beam_score) if event.beam_score is not None else None
            top = candidates_answer(event.top)
            self._speaker.say(schemas.DoneMessage(run=run.id, reason=event.reason, top=top, beam_score=score))
        elif event.failure is not None:
            self._speaker.refuse(api_error(event.failure), run=run.id)
        if event.kind in ("done", "failed"):
            self._stop_listening(run.id)
        self._grown(run)

    def _stop_listening(self, run_id: str) -> None:
        stop = self._stops.pop(run_id, None)
        if stop is not None:
            stop()

    def _say_token(self, run: Run, count: int, latest: Generated) -> None:
        self._speaker.say(
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
                self._speaker.say(schemas.ScalesMessage(run=run.id, scales=scales, frozen=frozen))
            if frozen:
                self._measured[run.id] = None
                if len(self._measured) > _MEASURED:
                    self._measured.popitem(last=False)
            if frozen or run.id not in self._measure_again:
                break
        self._measuring.discard(run.id)
