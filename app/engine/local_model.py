"""A model of this process as one client has it in hand: what can be read of it without a run.

model = engine.model("sort")
embedding = await model.rows("W_E", "0")
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from ..checkpoints.catalog import LoadedModel
from ..checkpoints.entry import ModelEntry
from ..runs.clients import Client
from ..runs.explain import explain_weight
from ..runs.explanation import Direction, Explanation
from ..runs.plates import plate_indices, weight_plate
from ..runs.pooling import Pool
from ..runs.scales import scales_by_kind, scales_by_tensor
from ..runs.self_check import Parity, SelfCheck
from ..runs.slices import Index
from ..runs.thumbnails import thumbnails
from ..runs.tiles import Tile
from ..transformer.graph import TensorInfo
from ..transformer.tokenizer import Token
from .errors import EngineError, refusals, unknown_tensor
from .parts import Parts
from .prompts import tokenize
from .slices import checked_slice, slice_of
from .tiles import plate_index
from .values import Measured, Rows

Result = TypeVar("Result")


class LocalModel:
    """A model that is computed here; its weights are loaded when they are first needed."""

    def __init__(self, parts: Parts, entry: ModelEntry, client: Client) -> None:
        """Hand a model to a client."""
        self._parts, self._client, self.entry = parts, client, entry
        self.id = entry.id

    async def loaded(self) -> LoadedModel:
        """Return it with its weights in memory.

        Raises:
            EngineError: its files are broken, or there is no room for it.
        """
        return await self._parts.models.loaded(self.id)

    def weight(self, name: str) -> TensorInfo:
        """Return what the graph says of a weight.

        Raises:
            EngineError: there is no such weight.
        """
        for tensor in self.entry.graph.tensors:
            if tensor.name == name and tensor.role == "weight":
                return tensor
        raise unknown_tensor(name, model=self.id)

    def slice(self, name: str, index: str, most: int | None = None) -> Index:
        """Return the slice of a weight that is meant, if it has no more than `most` numbers; loads nothing.

        Raises:
            EngineError: there is no such weight, or the slice cannot be taken.
        """
        info = self.weight(name)
        return checked_slice(index, self.entry.graph.shape(info), info.axes, most)

    async def tokenize(self, text: str) -> Sequence[Token]:
        """Tokenize a text as the model reads it, its prefix included.

        Raises:
            EngineError: it is too long, no Unicode, or not of the model's vocabulary.
        """
        loaded = await self.loaded()
        return await self._parts.workers.read(
            lambda: tokenize(loaded, text, self._parts.settings.text_bytes), self._client
        )

    async def rows(self, name: str, index: str = "") -> Rows:
        """Read a slice of a weight.

        Raises:
            EngineError: there is no such weight, or the slice cannot be taken.
        """
        return await self.rows_as(lambda rows: rows, name, index, None)

    async def rows_as(self, then: Callable[[Rows], Result], name: str, index: str, most: int | None) -> Result:
        """Read a slice of a weight in a form of one's own, if it has no more than `most` numbers."""
        chosen = self.slice(name, index, most)
        info, loaded = self.weight(name), await self.loaded()
        shape = self.entry.graph.shape(info)
        return await self._parts.workers.read(
            lambda: then(slice_of(loaded.model.weight(name).detach(), name, info.axes, shape, False, chosen)),
            self._client,
        )

    async def tile(
        self,
        name: str,
        level: int,
        row: int,
        col: int,
        plate: Mapping[str, int] | None = None,
        pool: Pool = "mean",
    ) -> Tile:
        """Read 256 x 256 numbers of a plate, such as `{"head": 3}`, each of 2^level x 2^level cells.

        Raises:
            EngineError: there is no such weight, or no such tile of it.
        """
        info, loaded = self.weight(name), await self.loaded()
        with refusals():
            found = weight_plate(loaded, name, plate_index(name, info.axes, plate or {}))
        return await self._parts.tiles.tile(found, level, row, col, pool, self._client)

    async def statistics(self, name: str) -> Measured:
        """Measure all numbers of a weight."""
        info, loaded = self.weight(name), await self.loaded()
        shape = self.entry.graph.shape(info)
        plates = [weight_plate(loaded, name, index) for index in plate_indices(info.axes, shape)]
        return await self._parts.tiles.measure(name, shape, plates, self._client)

    async def scales(self, by_tensor: bool = False) -> Mapping[str, float]:
        """Return the colour scales of the weights, by kind of tensor or by tensor."""
        await self.loaded()
        samples = await self._parts.workers.read(lambda: self._parts.models.samples(self.id), self._client)
        if by_tensor:
            return scales_by_tensor(samples)
        return scales_by_kind(samples, {tensor.name: tensor.kind for tensor in self.entry.graph.tensors})

    async def explain(self, name: str, index: str, direction: Direction = "forward") -> Explanation:
        """Explain one cell of a weight: its number, the lines through it, and what it acts on.

        Raises:
            EngineError: there is no such cell, or it has no number until the model runs.
        """
        loaded = await self.loaded()
        with refusals():
            return await self._parts.workers.read(lambda: explain_weight(loaded, name, index, direction), self._client)

    async def thumbnails(self, pool: Pool = "mean") -> bytes:
        """Pool every plate of the weights to at most 32 x 32 numbers, in one file; made once and kept on disk."""
        loaded, parts = await self.loaded(), self._parts
        content = await parts.workers.read(lambda: parts.thumbnails.take(loaded, pool), self._client)
        if content is not None:
            return content
        made = await parts.workers.cut(thumbnails(loaded, pool), self._client)
        assert made is not None
        await parts.workers.read(lambda: parts.thumbnails.put(loaded, pool, made), self._client)
        return made

    async def self_check(self) -> SelfCheck:
        """Begin to compare the model with a float64 recomputation of its graph, unless that has begun.

        Raises:
            EngineError: too much waits.
        """
        loaded = await self.loaded()
        with refusals():
            return self._parts.self_checks.of(loaded)

    async def parity(self) -> Parity:
        """Wait for the report of the model's self-check.

        Raises:
            EngineError: too much waits, or the comparison broke off.
        """
        check = await self.self_check()
        try:
            return await asyncio.shield(asyncio.wrap_future(check.report))
        except Exception as error:
            said = f"the comparison broke off: {type(error).__name__}: {error}"
            raise EngineError("parity_failed", said, "Ask again.") from error
