"""The models of an engine: their entries, their weights in memory, and what is sampled of these once.

loaded = await models.loaded("sort")
"""

import asyncio

from ..checkpoints.catalog import Catalog, LoadedModel
from ..checkpoints.entry import ModelEntry
from ..runs.scales import Samples, weight_samples
from .errors import refusals, unknown_model


class Models:
    """The catalog as the engine's clients meet it: what is not there is refused."""

    def __init__(self, catalog: Catalog, default: str) -> None:
        """Serve the models of `catalog`; the one called `default` is shown first."""
        self.catalog, self._default = catalog, default
        self._samples: dict[str, dict[str, Samples]] = {}

    def default(self) -> str | None:
        """Return the model that is shown first."""
        ids = [entry.id for entry in self.catalog.entries()]
        return self._default if self._default in ids else next(iter(ids), None)

    def entry(self, model_id: str) -> ModelEntry:
        """Return a model's entry.

        Raises:
            EngineError: there is no such model, or its files cannot be read.
        """
        with refusals():
            try:
                return self.catalog.entry(model_id)
            except KeyError as error:
                raise unknown_model(model_id) from error

    def load(self, model_id: str) -> LoadedModel:
        """Load a model's weights into memory; takes as long as reading the file.

        Raises:
            EngineError: there is no such model, its files are broken, or there is no room for it.
        """
        self.entry(model_id)
        with refusals():
            return self.catalog.load(model_id)

    async def loaded(self, model_id: str) -> LoadedModel:
        """Return a model with its weights in memory, without holding up the event loop."""
        if self.catalog.is_loaded(model_id):
            return self.load(model_id)
        return await asyncio.to_thread(self.load, model_id)

    def samples(self, model_id: str) -> dict[str, Samples]:
        """Sample every weight of a model, for its scales; taken once."""
        loaded = self.load(model_id)
        if model_id not in self._samples:
            weights = [tensor for tensor in loaded.graph.tensors if tensor.role == "weight"]
            samples = weight_samples(loaded.model, [tensor.name for tensor in weights if tensor.same_as is None])
            samples |= {tensor.name: samples[tensor.same_as] for tensor in weights if tensor.same_as is not None}
            self._samples[model_id] = samples
        return self._samples[model_id]
