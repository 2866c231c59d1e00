"""What models there are, and loading them: once each, when first asked for."""

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from app.transformer.blocks import build_graph
from app.transformer.graph import Graph
from app.transformer.model import Transformer
from app.transformer.spec import Spec
from app.transformer.tokenizer import IdTokenizer, TextTokenizer, Tokenizer

from .errors import CheckpointError
from .huggingface import load_model, read_config, read_spec


@dataclass(frozen=True)
class ModelEntry:
    """What is known of a model without reading its weights."""

    id: str
    folder: Path
    title: str
    description: str
    spec: Spec
    size_bytes: int
    bundled: bool
    has_tokenizer: bool
    prefix_ids: tuple[int, ...]
    end_of_text_id: int | None
    default_text: str
    default_new_tokens: int

    @cached_property
    def graph(self) -> Graph:
        """All tensors and operations, known without weights."""
        return build_graph(self.spec)

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


class Catalog:
    """The bundled models and those in folders given by path; a folder's name is its model's id."""

    def __init__(
        self, bundled: Path, folders: Sequence[Path] = (), device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        """Read every config; no weights yet.

        Raises:
            CheckpointError: a folder that holds no supported model, or an id given twice.
        """
        self.device, self.dtype = device, dtype
        own = sorted(path.parent for path in bundled.glob("*/config.json"))
        self._entries: dict[str, ModelEntry] = {}
        for folder, is_bundled in [*((folder, True) for folder in own), *((folder, False) for folder in folders)]:
            entry = _read_entry(folder, is_bundled)
            if entry.id in self._entries:
                raise CheckpointError(
                    f"two models are called {entry.id!r}: {self._entries[entry.id].folder} and {folder}",
                    "A folder's name is its model's id: rename one of them.",
                )
            self._entries[entry.id] = entry
        self._loaded: dict[str, LoadedModel] = {}
        self._lock = threading.Lock()

    def entries(self) -> list[ModelEntry]:
        """Every model, the bundled ones first."""
        return list(self._entries.values())

    def entry(self, model_id: str) -> ModelEntry:
        """One model's entry.

        Raises:
            KeyError: there is no such model.
        """
        return self._entries[model_id]

    def is_loaded(self, model_id: str) -> bool:
        """Whether its weights are in memory."""
        return model_id in self._loaded

    def load(self, model_id: str) -> LoadedModel:
        """The model, loaded the first time it is asked for; safe to call from several threads.

        Raises:
            KeyError: there is no such model.
            CheckpointError: its files cannot be loaded.
        """
        entry = self._entries[model_id]
        if model_id in self._loaded:
            return self._loaded[model_id]  # without waiting for another model's file
        with self._lock:
            if model_id not in self._loaded:
                self._loaded[model_id] = _load(entry, self.device, self.dtype)
            return self._loaded[model_id]


def _load(entry: ModelEntry, device: str, dtype: torch.dtype) -> LoadedModel:
    model = load_model(entry.folder, entry.spec, device, dtype)
    return LoadedModel(entry, model, _tokenizer(entry), entry.graph, _fingerprint(entry.folder))


def _tokenizer(entry: ModelEntry) -> Tokenizer:
    if not entry.has_tokenizer:
        return IdTokenizer(entry.end_of_text_id)
    path = entry.folder / "tokenizer.json"
    try:
        return TextTokenizer.from_file(path, entry.prefix_ids, entry.end_of_text_id)
    except ValueError as error:
        raise CheckpointError(str(error), "Fetch the file again, or remove it to run on token ids.") from error


def _read_entry(folder: Path, bundled: bool) -> ModelEntry:
    folder = folder.resolve()
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is not a folder", "Give the path of a folder with config.json in it.")
    config, spec, extra = read_config(folder), read_spec(folder), _read_extra(folder)
    end_of_text = extra.get("end_of_text_id", config.get("eos_token_id"))
    weights = folder / "model.safetensors"
    return ModelEntry(
        id=folder.name,
        folder=folder,
        title=str(extra.get("title", folder.name)),
        description=str(extra.get("description", f"GPT-2 style, {spec.layers} layers, width {spec.d_model}.")),
        spec=spec,
        size_bytes=weights.stat().st_size if weights.is_file() else 0,
        bundled=bundled,
        has_tokenizer=(folder / "tokenizer.json").is_file(),
        prefix_ids=tuple(extra.get("prefix_ids", ())),
        end_of_text_id=end_of_text if isinstance(end_of_text, int) and end_of_text < spec.d_vocab else None,
        default_text=str(extra.get("default_text", "")),
        default_new_tokens=int(extra.get("default_new_tokens", min(64, max(1, spec.positions // 2)))),
    )


def _read_extra(folder: Path) -> dict[str, Any]:
    """What only we say of a model, in `atlas.json`: title, default text, prefix. Most folders have none."""
    path = folder / "atlas.json"
    if not path.is_file():
        return {}
    try:
        extra = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}", "Mend the file or remove it.") from error
    if not isinstance(extra, dict):
        raise CheckpointError(f"{path} holds no JSON object", "Mend the file or remove it.")
    prefix, new_tokens = extra.get("prefix_ids", []), extra.get("default_new_tokens", 1)
    if not (isinstance(prefix, list) and all(isinstance(token, int) for token in prefix)):
        raise CheckpointError(f"{path}: prefix_ids is no list of token ids", "Mend the file or remove it.")
    if not (isinstance(new_tokens, int) and new_tokens > 0):
        raise CheckpointError(f"{path}: default_new_tokens is no positive whole number", "Mend the file or remove it.")
    return extra


def _fingerprint(folder: Path) -> str:
    """What identifies the numbers: a hash of the weights file, for addresses that may be cached for ever."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
