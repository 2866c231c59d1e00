"""What models there are, and which are in memory: loaded when first asked for, dropped when memory runs short.

They come from three places: bundled ones, those given by path, and those pulled into the user's data folder. A broken
model that was given by path is refused at once; one in the data folder is left out and named in `problems`.
"""

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from app.transformer.blocks import build_graph
from app.transformer.graph import Graph
from app.transformer.model import Transformer
from app.transformer.rules import Rules
from app.transformer.spec import Spec
from app.transformer.tokenizer import IdTokenizer, Tokenizer

from .config import read_json
from .errors import CheckpointError
from .files import Checkpoint, fingerprint, name_of, open_checkpoint
from .rendering import Renderer
from .vocabulary import Frame, TextSource, frame_of, text_tokenizer

# Read when the page opens, where a model does not come with a text of its own (Vaswani et al. 2017's examples).
_SENTENCE = "The animal didn't cross the street because it was too tired."


@dataclass(frozen=True, eq=False)
class ModelEntry:
    """What is known of a model without reading its weights."""

    id: str
    checkpoint: Checkpoint = field(repr=False)
    about: dict[str, Any] = field(repr=False)
    bundled: bool
    renderer: Renderer = field(default_factory=Renderer, repr=False)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        path = self.checkpoint.path
        return path if path.is_dir() else path.parent

    @property
    def spec(self) -> Spec:
        """Its architecture."""
        return self.checkpoint.spec

    @cached_property
    def graph(self) -> Graph:
        """All tensors and operations, known without weights."""
        return build_graph(self.spec)

    @property
    def title(self) -> str:
        """What the page calls it."""
        return str(self.about.get("title", self.id))

    @property
    def description(self) -> str:
        """What it is, in a line."""
        layers = f"{self.spec.encoder_layers} + {self.spec.layers}" if self.spec.encoder_layers else self.spec.layers
        told = f"{self.checkpoint.kind}: {layers} layers, width {self.spec.d_model}."
        return str(self.about.get("description", told))

    @property
    def size_bytes(self) -> int:
        """Bytes of its weights on the disk."""
        try:
            return sum(path.stat().st_size for path in self.checkpoint.files)
        except (OSError, CheckpointError):
            return 0

    @property
    def has_tokenizer(self) -> bool:
        """Whether it reads text, or only token ids."""
        return not self.no_tokenizer

    @property
    def no_tokenizer(self) -> str:
        """Why it has none; empty where it has."""
        return self.checkpoint.no_text

    @cached_property
    def text_source(self) -> TextSource | None:
        """Its tokenizer, read once.

        Raises:
            CheckpointError: it is broken.
        """
        return self.checkpoint.text_source() if self.has_tokenizer else None

    @cached_property
    def frame(self) -> Frame:
        """What stands around a text. The first time, this takes as long as reading the tokenizer.

        Raises:
            CheckpointError: the tokenizer is broken.
        """
        source = self.text_source
        if source is not None:
            return frame_of(source, self.about, self.spec.d_vocab, self.renderer)
        named = self.about.get("end_of_text_id")
        ends = (named,) if isinstance(named, int) else self.checkpoint.end_ids
        ends = tuple(token for token in ends if 0 <= token < self.spec.d_vocab)
        return Frame(end_of_text=next(iter(ends), None), ends=ends)

    @property
    def prefix_ids(self) -> tuple[int, ...]:
        """Token ids before every text."""
        return self.frame.prefix

    @property
    def suffix_ids(self) -> tuple[int, ...]:
        """Token ids after every text."""
        return self.frame.suffix

    @property
    def end_of_text_id(self) -> int | None:
        """The token after which writing stops."""
        return self.frame.end_of_text

    @cached_property
    def rules(self) -> Rules:
        """What its files ask of writing, and where it stops.

        Raises:
            CheckpointError: one of them is broken.
        """
        return replace(self.checkpoint.generation.rules, ends=self.frame.ends)

    @property
    def not_obeyed(self) -> tuple[str, ...]:
        """What its files ask of text and writing and is not done, in sentences.

        Raises:
            CheckpointError: one of them is broken.
        """
        return (*self.frame.notes, *self.checkpoint.generation.not_obeyed)

    @property
    def mask_id(self) -> int | None:
        """The token that hides another, of a model that fills in; None where its tokenizer is broken."""
        if self.spec.writes:
            return None
        try:
            return self.frame.mask
        except CheckpointError:
            return None

    @property
    def start_ids(self) -> tuple[int, ...]:
        """What an encoder-decoder's own text begins with."""
        if self.spec.kind != "encoder_decoder":
            return ()
        start = self.checkpoint.start_id
        named = self.about.get("start_ids", () if start is None else (start,))
        return tuple(token for token in named if 0 <= token < self.spec.d_vocab)

    @property
    def default_text(self) -> str:
        """What the page shows first: what `atlas.json` says, or a sentence, or token ids where no text can be read."""
        room = self.spec.source_positions or self.spec.positions
        ids = " ".join(map(str, range(1, min(9, self.spec.d_vocab, room + 1))))
        unasked = ids if not self.has_tokenizer else _SENTENCE if room > len(_SENTENCE) else ""
        return str(self.about.get("default_text", unasked))

    @property
    def default_temperature(self) -> float | None:
        """The temperature that suits the model where a reader has chosen none; None where it does not matter."""
        temperature = self.about.get("default_temperature")
        return None if temperature is None else float(temperature)

    @property
    def default_new_tokens(self) -> int:
        """How much it writes at first."""
        return int(self.about.get("default_new_tokens", min(64, max(1, self.spec.positions // 2))))

    @property
    def card(self) -> str | None:
        """The model's card in Markdown, if it has one."""
        path = self.folder / "card.md"
        return path.read_text(encoding="utf-8") if path.is_file() else None


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
        """The model's spec."""
        return self.entry.spec

    @cached_property
    def nbytes(self) -> int:
        """Bytes that its numbers take, in memory or mapped."""
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
        self._loaded: OrderedDict[str, LoadedModel] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()
        self._in_use: Callable[[str], bool] = lambda model_id: False
        self._dropped: Callable[[str], None] = lambda model_id: None
        for folder in sorted(path.parent for path in bundled.glob("*/config.json")):
            self.add(folder, bundled=True)
        for path in given:
            self.add(path)
        for path in sorted(pulled.iterdir()) if pulled is not None and pulled.is_dir() else ():
            if path.name.startswith(".") or not (path.is_dir() or path.suffix in (".gguf", ".pt")):
                continue
            try:
                self.add(path, check=True)
            except CheckpointError as error:
                self.problems.append(error)
                logging.getLogger(__name__).warning("left out: %s. %s", error, error.hint)

    def watch(self, in_use: Callable[[str], bool], dropped: Callable[[str], None]) -> None:
        """Ask `in_use` before a model is dropped to make room, and tell `dropped` after."""
        self._in_use, self._dropped = in_use, dropped

    def add(self, path: Path, *, bundled: bool = False, check: bool = False) -> ModelEntry:
        """Take a model into the catalog; with `check`, only if its weights fit its configuration.

        Raises:
            CheckpointError: it cannot be read, or its id is taken.
        """
        entry = _entry(path, bundled, self.renderer)
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
        """Every model, the bundled ones first."""
        with self._lock:
            return list(self._entries.values())

    def entry(self, model_id: str) -> ModelEntry:
        """One model's entry.

        Raises:
            KeyError: there is no such model.
        """
        with self._lock:
            return self._entries[model_id]

    def is_loaded(self, model_id: str) -> bool:
        """Whether its weights are in memory."""
        with self._lock:
            return model_id in self._loaded

    @property
    def nbytes(self) -> int:
        """Bytes that all loaded models take."""
        with self._lock:
            return sum(loaded.nbytes for loaded in self._loaded.values())

    def load(self, model_id: str) -> LoadedModel:
        """The model, loaded the first time it is asked for; safe to call from several threads.

        Raises:
            KeyError: there is no such model.
            CheckpointError: its files cannot be loaded, or there is no room for it.
        """
        entry = self.entry(model_id)
        found = self._found(model_id)
        if found is not None:
            return found
        with self._loading:
            found = self._found(model_id)
            if found is None:
                self._make_room(entry)
                found = _load(entry, self.device, self.dtype)
                with self._lock:
                    self._loaded[model_id] = found
        return found

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
            raise CheckpointError(
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
            raise CheckpointError(
                f"there is no room for {entry.id}: unfinished runs use the models that are loaded",
                "Wait until they are done or cancel them, or set ATLAS_MODEL_BYTES higher.",
            )


def _table_count(graph: Graph) -> int:
    """Numbers of a model's tables that follow from a formula, which are made when somebody looks at them."""
    tables = (tensor for tensor in graph.tensors if tensor.role == "weight" and not tensor.learned)
    return sum(math.prod(graph.shape(tensor)) for tensor in tables)


def check_model(path: Path) -> None:
    """Look for everything that can be wrong with a model and be found without reading its numbers.

    Raises:
        CheckpointError: something is, its tokenizer included.
    """
    renderer = Renderer()
    entry = _entry(path, False, renderer)
    entry.checkpoint.check()
    try:
        _ = entry.frame
    finally:
        renderer.close()


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2g} GB"


def _load(entry: ModelEntry, device: str, dtype: torch.dtype) -> LoadedModel:
    frame, source = entry.frame, entry.text_source
    tokenizer: Tokenizer
    if source is None:
        tokenizer = IdTokenizer(frame.end_of_text, entry.no_tokenizer, frame.ends)
    else:
        tokenizer = text_tokenizer(source, frame, entry.spec.d_vocab)
    model = entry.checkpoint.load(device, dtype)
    return LoadedModel(entry, model, tokenizer, entry.graph, fingerprint(entry.checkpoint.files, dtype))


def _entry(path: Path, bundled: bool, renderer: Renderer) -> ModelEntry:
    path = path.expanduser().resolve()
    checkpoint = open_checkpoint(path)
    entry = ModelEntry(name_of(path), checkpoint, _about(path) if path.is_dir() else {}, bundled, renderer)
    _ = entry.spec  # whatever is wrong with it is found now
    return entry


def _about(folder: Path) -> dict[str, Any]:
    """What only we say of a model, in `atlas.json`: title, default text, prefix. Most folders have none."""
    path = folder / "atlas.json"
    if not path.is_file():
        return {}
    about = read_json(path)
    for name in ("prefix_ids", "suffix_ids", "start_ids"):
        ids = about.get(name, [])
        if not (isinstance(ids, list) and all(isinstance(token, int) for token in ids)):
            raise CheckpointError(f"{path}: {name} is no list of token ids", "Mend the file or remove it.")
    if not isinstance(about.get("mask_id"), int | None):
        raise CheckpointError(f"{path}: mask_id is no token id", "Mend the file or remove it.")
    temperature = about.get("default_temperature", 0)
    if not (isinstance(temperature, int | float) and 0 <= temperature <= 10):
        raise CheckpointError(f"{path}: default_temperature is not from 0 to 10", "Mend the file or remove it.")
    new_tokens = about.get("default_new_tokens", 1)
    if not (isinstance(new_tokens, int) and new_tokens > 0):
        raise CheckpointError(f"{path}: default_new_tokens is no positive whole number", "Mend the file or remove it.")
    return about
