"""What every call stands on: the engine, the settings, and the open connections of the stream."""

from collections.abc import Callable, Generator, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection

from ..checkpoints.catalog import LoadedModel
from ..checkpoints.entry import ModelEntry
from ..engine.errors import unknown_tensor
from ..engine.local import LocalEngine
from ..engine.local_model import LocalModel
from ..engine.local_run import LocalRun
from ..runs.clients import Client
from ..runs.difference import Difference
from ..runs.plates import Plate, activation_plate, weight_plate
from ..runs.run import Run
from ..runs.store import RunStore
from ..runs.tiles import Pyramids
from ..settings import Settings
from .clients import client
from .errors import refusals

Result = TypeVar("Result")


class Connection(Protocol):
    """One open connection of the stream, as far as finding room for another needs to know it."""

    client: Client
    opened: float

    @property
    def silent(self) -> bool:
        """Tell whether it has been open for a while and never said anything."""

    def dismiss(self, code: int, reason: str) -> None:
        """Let it be closed."""


class Services:
    """The parts of a server that calls share; what the engine refuses, its methods refuse in the API's words."""

    def __init__(self, settings: Settings, engine: LocalEngine) -> None:
        """Serve an engine."""
        self.settings, self.engine = settings, engine
        self.sockets = 0
        # Open connections of the stream, by the address they come from.
        self.sessions: dict[str, list[Connection]] = {}

    @property
    def store(self) -> RunStore:
        """Return where runs are held."""
        return self.engine.store

    @property
    def pyramids(self) -> Pyramids:
        """Return what has been pooled."""
        return self.engine.tiles.pyramids

    def in_hand(self, run_id: str) -> LocalRun:
        """Return a run as this client has it in hand, or the refusal."""
        with refusals():
            return self.engine.run(run_id, client.get())

    def model(self, model_id: str) -> LocalModel:
        """Return a model as this client has it in hand, or the refusal."""
        with refusals():
            return self.engine.model(model_id, client.get())

    def run(self, run_id: str) -> Run:
        """Return a run, or the refusal."""
        with refusals():
            return self.engine.parts.held(run_id)

    def difference(self, run: Run, minus: str) -> Difference:
        """Return a run less another, or the refusal."""
        with refusals():
            return self.engine.parts.difference(run, minus)

    def entry(self, model_id: str) -> ModelEntry:
        """Return a model's entry, or the refusal."""
        with refusals():
            return self.engine.models.entry(model_id)

    def load(self, model_id: str) -> LoadedModel:
        """Load a model's weights into memory, or refuse; takes as long as reading the file."""
        with refusals():
            return self.engine.models.load(model_id)

    async def loaded(self, model_id: str) -> LoadedModel:
        """Return a model with its weights in memory, or the refusal, without holding up the event loop."""
        with refusals():
            return await self.engine.models.loaded(model_id)

    def plate(
        self, run: Run | None, loaded: LoadedModel, name: str, index: Sequence[int], less: Difference | None = None
    ) -> Plate:
        """Return a plate of a run's activation (or of its difference), or of a model's weight, or the refusal."""
        with refusals():
            try:
                if run is None:
                    return weight_plate(loaded, name, index)
                return activation_plate(run, name, index) if less is None else less.plate(name, index)
            except KeyError as error:
                raise unknown_tensor(name, model=loaded.entry.id) from error

    async def read(self, function: Callable[[], Result]) -> Result:
        """Compute something short off the event loop, in turns with other clients."""
        return await self.engine.workers.read(function, client.get())

    async def see(self, function: Callable[[], Result]) -> Result:
        """Compute something that takes as long as a lens, in turns with those; or refuse, where too much waits."""
        with refusals():
            return await self.engine.workers.see(function, client.get())

    async def cut(
        self, steps: Generator[None, None, Result], wanted: Callable[[], bool] = lambda: True
    ) -> Result | None:
        """Carry out the steps of something on the tile thread, in turns with others; None once it is not `wanted`."""
        with refusals():
            return await self.engine.workers.cut(steps, client.get(), wanted)


def _services(connection: HTTPConnection) -> Services:
    services: Services = connection.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(_services)]
