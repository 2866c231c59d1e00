"""What models there are, and which are in memory: loaded when first asked for, dropped when memory runs short.

They come from three places: bundled ones, those given by path, and those pulled into the user's data folder. A broken
model that was given by path is refused at once; of the others it is left out and named in `problems`, and whoever
asks for it is told why.
"""

import logging
import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch

from ..transformer.graph import Graph
from ..transformer.model import Transformer
from ..transformer.spec import Spec
from ..transformer.tokenizer import Tokenizer
from .entry import ModelEntry, entry_at, tokenizer_for
from .entry import check_model as check_model  # programs that check a folder know it by this name
from .errors import CheckpointError, NoRoomError
from .files import fingerprint
from .guard import reading
from .rendering import Renderer


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run."""

    entry: ModelEntry
    model: Transformer
    tokenizer: Tokenizer
    graph: Graph
    fingerprint: str

    @property
    def spec(self) -> Spec:
        """Return the model's spec."""
        return self.entry.spec

    @cached_property
    def nbytes(self) -> int:
        """Count the bytes that its numbers take, in memory or mapped."""
        storages = {parameter.untyped_storage().data_ptr(): parameter for parameter in self.model.parameters()}
        return sum(parameter.untyped_storage().nbytes() for parameter in storages.values())


class Catalog:
    """Every model by its id, and those that are loaded, the least recently used first."""

    def __init__(
        self,
        bundled: Path,
        given: Sequence[Path] = (),
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        *,
        pulled: Path | None = None,
        limit_bytes: int | None = None,
        renderer: Renderer | None = None,
    ) -> None:
        """Read every configuration; no weights yet. `pulled` is the folder with the user's own models.

        Chat templates are rendered by `renderer`.

        Raises:
            CheckpointError: a path given that holds no supported model, or an id given twice.
        """
        self.device, self.dtype, self._limit = device, dtype, limit_bytes
        self.renderer = renderer or Renderer()
        self.problems: list[CheckpointError] = []
        self._entries: dict[str, ModelEntry] = {}
        self._broken: dict[str, CheckpointError] = {}
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._trying_again: set[str] = set()
        self._in_use: Callable[[str], bool] = lambda model_id: False
        self._dropped: Callable[[str], None] = lambda model_id: None
        for folder in sorted(path.parent for path in bundled.glob("*/config.json")):
            self._try(folder, bundled=True)
        for path in given:
            self.add(path)
        for path in self._pulled(pulled):
            self._try(path, check=True)

    def watch(self, in_use: Callable[[str], bool], dropped: Callable[[str], None]) -> None:
        """Ask `in_use` before a model is dropped to make room, and tell `dropped` after."""
        self._in_use, self._dropped = in_use, dropped

    def _pulled(self, folder: Path | None) -> list[Path]:
        """List what may be models in the user's own folder."""
        if folder is None or not os.path.isdir(folder):
            return []
        try:
            with reading(folder):
                found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except CheckpointError as error:
            self._leave_out(folder, error)
            return []
        return [path for path in found if os.path.isdir(path) or path.suffix in (".gguf", ".pt")]

    def _try(self, path: Path, *, bundled: bool = False, check: bool = False) -> None:
        """Take a model in, or leave it out and say why."""
        try:
            self.add(path, bundled=bundled, check=check)
        except CheckpointError as error:
            self._leave_out(path, error)

    def _leave_out(self, path: Path, error: CheckpointError) -> None:
        self.problems.append(error)
        self._broken.setdefault(path.name if os.path.isdir(path) else path.stem, error)
        logging.getLogger(__name__).warning("left out: %s. %s", error, error.hint)

    def add(self, path: Path, *, bundled: bool = False, check: bool = False) -> ModelEntry:
        """Take a model into the catalog; with `check`, only if its weights fit its configuration.

        Raises:
            CheckpointError: it cannot be read, or its id is taken.
        """
        entry = entry_at(path, bundled, self.renderer)
        if check:
            entry.checkpoint.check()
        with self._lock:
            if entry.id in self._entries:
                raise CheckpointError(
                    f"two models are called {entry.id!r}: {self._entries[entry.id].checkpoint.path} and {path}",
                    "A folder's or file's name is its model's id: rename one of them.",
                )
            self._entries[entry.id] = entry
        return entry

    def entries(self) -> list[ModelEntry]:
        """List every model, the bundled ones first."""
        with self._lock:
            return list(self._entries.values())

    def entry(self, model_id: str) -> ModelEntry:
        """Return one model's entry.

        Raises:
            KeyError: there is no such model.
            CheckpointError: there is one that was left out.
        """
        with self._lock:
            if model_id not in self._entries and (error := self._broken.get(model_id)) is not None:
                raise CheckpointError(str(error), error.hint)
            return self._entries[model_id]

    def is_loaded(self, model_id: str) -> bool:
        """Tell whether its weights are in memory."""
        with self._lock:
            return model_id in self._loaded

    @property
    def nbytes(self) -> int:
        """Count the bytes that all loaded models take."""
        with self._lock:
            return sum(loaded.nbytes for loaded in self._loaded.values())

    def load(self, model_id: str) -> LoadedModel:
        """Load the model the first time it is asked for; safe to call from several threads.

        A chat template that took too long before is tried again meanwhile: whoever asks later has it.

        Raises:
            KeyError: there is no such model.
            CheckpointError: its files cannot be loaded.
            NoRoomError: there is no room for it.
        """
        entry = self.entry(model_id)
        found = self._found(model_id)
        if found is not None:
            self._try_frame_again(found)
            return found
        with self._loading:
            found = self._found(model_id)
            if found is None:
                self._make_room(entry)
                found = _load(entry, self.device, self.dtype)
                with self._lock:
                    self._loaded[model_id] = found
        return found

    def _try_frame_again(self, loaded: LoadedModel) -> None:
        """Render a chat template that took too long once more, in a thread of its own, where it is time to."""
        entry = loaded.entry
        if entry.frame.again is None or time.monotonic() < entry.frame.again:
            return
        with self._lock:
            if entry.id in self._trying_again:
                return
            self._trying_again.add(entry.id)
        threading.Thread(target=self._frame_again, args=(loaded,), name="frame again", daemon=True).start()

    def _frame_again(self, loaded: LoadedModel) -> None:
        """Put an entry with what its chat template writes now in the place of the old one."""
        old = loaded.entry
        try:
            entry = replace(old)
            tokenizer = tokenizer_for(entry)
            with self._lock:
                if self._entries.get(old.id) is old:
                    self._entries[old.id] = entry
                    if self._loaded.get(old.id) is loaded:
                        self._loaded[old.id] = replace(loaded, entry=entry, tokenizer=tokenizer)
        except CheckpointError as error:
            logging.getLogger(__name__).warning("%s stays as it was read: %s", old.id, error)
        finally:
            with self._lock:
                self._trying_again.discard(old.id)

    def _found(self, model_id: str) -> LoadedModel | None:
        with self._lock:
            found = self._loaded.get(model_id)
            if found is not None:
                self._loaded.move_to_end(model_id)
            return found

    def _make_room(self, entry: ModelEntry) -> None:
        """Drop models that nothing uses, the least recently used first, until `entry` fits under the limit."""
        if self._limit is None:
            return
        needed = entry.graph.parameter_count * self.dtype.itemsize
        most = needed + _table_count(entry.graph) * self.dtype.itemsize
        if most > self._limit:
            raise NoRoomError(
                f"{entry.id} needs {_gigabytes(most)}, more than the {_gigabytes(self._limit)} that models may take",
                "Start with --dtype bfloat16 for half of that, or set ATLAS_MODEL_BYTES higher.",
            )
        for model_id in list(self._loaded):
            if self.nbytes + needed <= self._limit:
                return
            if not self._in_use(model_id):
                with self._lock:
                    self._loaded.pop(model_id, None)
                self._dropped(model_id)
        if self.nbytes + needed > self._limit:
            raise NoRoomError(
                f"there is no room for {entry.id}: unfinished runs use the models that are loaded",
                "Wait until they are done or cancel them, or set ATLAS_MODEL_BYTES higher.",
            )


def _table_count(graph: Graph) -> int:
    """Count the numbers of a model's tables that follow from a formula, made when somebody looks at them."""
    tables = (tensor for tensor in graph.tensors if tensor.role == "weight" and not tensor.learned)
    return sum(math.prod(graph.shape(tensor)) for tensor in tables)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2g} GB"


def _load(entry: ModelEntry, device: str, dtype: torch.dtype) -> LoadedModel:
    tokenizer = tokenizer_for(entry)
    model = entry.checkpoint.load(device, dtype)
    with reading(entry.checkpoint.path):
        return LoadedModel(entry, model, tokenizer, entry.graph, fingerprint(entry.checkpoint.files, dtype))
