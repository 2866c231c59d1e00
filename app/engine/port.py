"""What an engine is: runs are started from a `RunSpec`, and followed and read through a `RunHandle`; models are read.

    run = await engine.start(RunSpec(model="sort", text="CBABBC", max_new_tokens=6))
    async for event in run.events():
        print(event.kind, event.token)
    first = await run.rows("hook_embed", "0")

`values.py` has what is said and answered. Whoever serves runs stands on this alone: REST, the stream, a program in this
process. `local.py` computes in this process; an engine that hands runs to another machine would be a second one.

Calls with `then` do that with what was read, on the thread that read it, so that the caller's event loop need not.

Everything here raises `EngineError`s (`errors.py`), which know nothing of HTTP.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from ..lenses import Format
from ..runs.clients import Client
from ..runs.explanation import Beside, Direction, Explanation
from ..runs.pooling import Pool
from ..runs.run import State
from ..runs.self_check import Parity
from ..runs.tiles import Tile
from ..transformer.decoding import Sampling
from ..transformer.tokenizer import Token
from .errors import EngineError
from .values import NOBODY, Activation, LensOffer, Measured, Rows, RunDescription, RunEvent, RunSpec

Result = TypeVar("Result")


class RunHandle(Protocol):
    """A run as one client has it in hand: what it asks for is computed in its turn among all clients.

    Tensors answer to their own names and to those of other libraries. With `minus`, the id of another run of the same
    model, numbers come less that run's, paired by tokens.
    """

    id: str
    model: str
    # Jobs that took turns with it when it was started or last told to write on.
    ahead: int

    # What it reads: an encoder-decoder's source, what its own text begins with, and the kinds of text of that.
    source: tuple[Token, ...]
    prompt: tuple[Token, ...]
    token_types: tuple[int, ...]
    # Positions that may be filled in all, and tokens that may be written.
    capacity: int
    max_new_tokens: int

    @property
    def state(self) -> State:
        """Tell where the run stands."""

    @property
    def over(self) -> bool:
        """Tell whether nothing more will be computed."""

    @property
    def failure(self) -> EngineError | None:
        """Say why the run broke off, if it did."""

    # ---- what happens to it

    def listen(self, listener: Callable[[RunEvent], None]) -> Callable[[], None]:
        """Tell `listener` of every event from now on, on any thread; return how to stop listening."""

    def events(self) -> AsyncIterator[RunEvent]:
        """Yield every event from the run's beginning to its end but the `stage`s passed before this was asked."""

    async def finished(self) -> None:
        """Wait until the run is over."""

    # ---- what is done to it

    def advance(self, count: int | None, sampling: Sampling | None = None) -> None:
        """Write `count` more tokens, or all that fit; new sampling holds from here on."""

    def pause(self) -> None:
        """Stop after the token in progress."""

    def cancel(self) -> None:
        """End the run where it is; what it has computed stays readable."""

    def forget(self) -> None:
        """End the run and let go of everything captured in it."""

    # ---- what is read of it

    async def describe(self) -> RunDescription:
        """Describe the run as it stands."""

    async def describe_as(self, then: Callable[[RunDescription], Result]) -> Result:
        """Describe the run in a form of one's own."""

    async def activations(self) -> Sequence[Activation]:
        """List what can be read so far."""

    async def rows(
        self,
        name: str,
        index: str = "",
        minus: str | None = None,
    ) -> Rows:
        """Read a slice of an activation."""

    async def rows_as(
        self, then: Callable[[Rows], Result], name: str, index: str, minus: str | None, most: int
    ) -> Result:
        """Read a slice of an activation in a form of one's own, if it has no more than `most` numbers."""

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

        With `step`, as it was once so many written tokens had been read.
        """

    async def statistics(self, name: str, minus: str | None = None) -> Measured:
        """Measure all numbers of an activation."""

    async def scales(self, by_tensor: bool = False, minus: str | None = None) -> Mapping[str, float]:
        """Return the colour scales of the activations, by kind of tensor or by tensor, from the prompt."""

    async def pairing(self, minus: str) -> tuple[list[int | None], list[int | None]]:
        """Return each position's partner in another run, and each position of the source's."""

    async def explain(self, name: str, index: str, direction: Direction = "backward", terms: int = 32) -> Explanation:
        """Explain one cell: the arithmetic that made it, or the cells it feeds."""

    async def compare(self, name: str, index: str, other: str, other_index: str, terms: int = 8) -> Beside:
        """Compare two cells: the first less the second, and the terms in which they differ most."""

    async def lenses(self) -> Sequence[LensOffer]:
        """List what the run can be seen through."""

    async def lens(self, name: str, asked: Mapping[str, str] | None = None, form: Format = "json") -> str | bytes:
        """See the run through a lens."""


class ModelHandle(Protocol):
    """A model as one client has it in hand, to be read without a run; its weights are loaded when they are needed."""

    id: str

    async def tokenize(self, text: str) -> Sequence[Token]:
        """Tokenize a text as the model reads it, its prefix included."""

    async def rows(self, name: str, index: str = "") -> Rows:
        """Read a slice of a weight."""

    async def rows_as(self, then: Callable[[Rows], Result], name: str, index: str, most: int | None) -> Result:
        """Read a slice of a weight in a form of one's own, if it has no more than `most` numbers."""

    async def tile(
        self,
        name: str,
        level: int,
        row: int,
        col: int,
        plate: Mapping[str, int] | None = None,
        pool: Pool = "mean",
    ) -> Tile:
        """Read 256 x 256 numbers of a plate of a weight, each of 2^level x 2^level cells."""

    async def statistics(self, name: str) -> Measured:
        """Measure all numbers of a weight."""

    async def scales(self, by_tensor: bool = False) -> Mapping[str, float]:
        """Return the colour scales of the weights, by kind of tensor or by tensor."""

    async def explain(self, name: str, index: str, direction: Direction = "forward") -> Explanation:
        """Explain one cell of a weight: its number, the lines through it, and what it acts on."""

    async def thumbnails(self, pool: Pool = "mean") -> bytes:
        """Pool every plate of the weights to at most 32 x 32 numbers, in one file."""

    async def parity(self) -> Parity:
        """Compare the model with a float64 recomputation of its graph."""


class Engine(Protocol):
    """Where models are, and where runs are computed and kept."""

    def model(self, model_id: str, client: Client = NOBODY) -> ModelHandle:
        """Return a model, for this client."""

    async def start(self, spec: RunSpec, begun: Callable[[RunHandle], None] | None = None) -> RunHandle:
        """Make a run and let it read its prompt and write.

        `begun` is called once there is a place for the run, before anything happens to it. Where it is refused, it is
        as if it had never been: nothing is told of it, and no other run gives way to it.
        """

    def run(self, run_id: str, client: Client = NOBODY) -> RunHandle:
        """Return a run that is held, for this client."""
