"""What lies at a path, whatever its format: a Hugging Face folder, a GGUF file, or nanoGPT's checkpoint."""

import errno
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch

from ..transformer.model import Transformer
from ..transformer.spec import Spec
from .config import read_json
from .errors import CheckpointError
from .generation import Generation
from .huggingface import HuggingFaceFolder
from .nanogpt import NanoGPT
from .vocabulary import TextSource

_READ = (
    "A model is a folder with config.json and model.safetensors, a .gguf file, or nanoGPT's ckpt.pt; "
    "docs/guide/models.md says more."
)
_HASHED_WHOLE = 512 * 2**20


class Checkpoint(Protocol):
    """What every format offers."""

    path: Path

    @property
    def spec(self) -> Spec:
        """Return the architecture, from the header alone."""
        ...

    @property
    def kind(self) -> str:
        """Return what to call its family and precision."""
        ...

    @property
    def class_name(self) -> str:
        """Return the class that the configuration says it was saved from; empty where it names none."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """List the files with the weights."""
        ...

    @property
    def left_out(self) -> Mapping[str, tuple[int, ...]]:
        """List weights of the files that are not part of the map, such as a classifier's, with their shapes."""
        ...

    @property
    def no_text(self) -> str:
        """Say why there is no tokenizer; empty where there is one."""
        ...

    @property
    def start_id(self) -> int | None:
        """Return the token with which an encoder-decoder's own text begins."""
        ...

    @property
    def end_ids(self) -> tuple[int, ...]:
        """List the tokens after which writing stops."""
        ...

    @property
    def generation(self) -> Generation:
        """Return what the files ask of writing."""
        ...

    def text_source(self) -> TextSource:
        """Return the tokenizer and what goes around a text."""
        ...

    def check(self) -> None:
        """Compare the weights' headers with the spec."""
        ...

    def load(self, device: str, dtype: torch.dtype) -> Transformer:
        """Load the model on the file's numbers."""
        ...


def open_checkpoint(path: Path) -> Checkpoint:
    """Open what lies at `path`; no weights are read.

    Raises:
        CheckpointError: nothing that can be read.
        OSError: what lies there may not be read.
    """
    if path.exists() and not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0), effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise CheckpointError(f"{path} does not exist", _READ)
    if path.suffix == ".gguf":
        return _open_gguf(path)
    if path.suffix in (".pt", ".pth"):
        return NanoGPT(path)
    if path.name == "config.json" or path.suffix == ".safetensors":
        raise CheckpointError(f"{path} is only part of a model", f"Give its folder: {path.parent}")
    raise CheckpointError(f"{path} is neither a folder nor a file that can be read", _READ)


def _open_folder(folder: Path) -> Checkpoint:
    folder = _in_hub_cache(folder)
    # A model's picture encoder lies beside it under this name.
    quantised = sorted(path for path in folder.glob("*.gguf") if not path.name.startswith("mmproj"))
    weights = any(folder.glob("*.safetensors"))
    if len(quantised) == 1 and not weights:
        return _open_gguf(quantised[0])
    if (folder / "config.json").is_file():
        return HuggingFaceFolder(folder)
    if (folder / "adapter_config.json").is_file():
        base = read_json(folder / "adapter_config.json").get("base_model_name_or_path")
        raise CheckpointError(
            f"{folder} holds an adapter, only what was changed of the model {str(base)[:100]!r}",
            "Merge it into its base with peft's `merge_and_unload()` and `save_pretrained()`, and give that folder.",
        )
    if len(quantised) > 1:
        if re.fullmatch(r".*-\d{5}-of-\d{5}\.gguf", quantised[0].name):
            return _open_gguf(quantised[0])  # which says that it is in parts
        names = ", ".join(path.name for path in quantised[:4])
        raise CheckpointError(f"{folder} holds several models: {names}", "Give the path of one of them.")
    if (folder / "ckpt.pt").is_file():
        return NanoGPT(folder / "ckpt.pt")
    if weights:
        raise CheckpointError(f"{folder / 'config.json'} does not exist", _READ)
    raise CheckpointError(f"{folder} holds no model", _READ)


def _in_hub_cache(folder: Path) -> Path:
    """Return the model's own folder where `folder` is the hub's cache, `models--owner--name`; else `folder`."""
    snapshots = folder / "snapshots"
    if not folder.name.startswith("models--") or not snapshots.is_dir():
        return folder
    named = folder / "refs" / "main"
    if named.is_file() and (snapshots / named.read_text(encoding="utf-8").strip()).is_dir():
        return snapshots / named.read_text(encoding="utf-8").strip()
    found = sorted((path for path in snapshots.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else folder


def _open_gguf(path: Path) -> Checkpoint:
    from .gguf import GGUF  # its package takes a second to import, which only those who have such a file should wait

    return GGUF(path)


def name_of(path: Path) -> str:
    """Return the id of the model at a path: the folder's name, or the file's."""
    if path.is_dir():
        return path.name
    return path.parent.name if path.name == "ckpt.pt" else path.stem


def fingerprint(files: Sequence[Path], dtype: torch.dtype) -> str:
    """Identify the numbers: a hash of the precision they are read in, and of the weights' files, or of the
    sizes, times and beginnings of big ones."""
    digest = hashlib.sha256(str(dtype).encode())
    whole = sum(path.stat().st_size for path in files) <= _HASHED_WHOLE
    for path in files:
        with path.open("rb") as file:
            if whole:
                digest.update(hashlib.file_digest(file, "sha256").digest())
            else:
                status = path.stat()
                digest.update(f"{status.st_size} {status.st_mtime_ns}".encode() + file.read(2**20))
    return digest.hexdigest()[:16]
