"""What lies in the safetensors of a folder, one file or many: names, shapes, and numbers mapped from the disk."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from .errors import CheckpointError
from .tensors import StoredTensor

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")
_AGAIN = "Fetch or write the file again."


def weight_files(folder: Path) -> list[Path]:
    """List the safetensors files of a folder.

    Raises:
        CheckpointError: there are none, or one that the index names is not there.
    """
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    if (folder / INDEX).is_file():
        return sorted({folder / name for name in _index(folder).values()})
    others = sorted(path.name for path in folder.glob("*.safetensors") if path.name != "adapter_model.safetensors")
    if others:
        raise CheckpointError(
            f"{folder} has no {SINGLE}, but {', '.join(others[:4])}",
            f"If that holds the whole model under transformers' names, call it {SINGLE}.",
        )
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if pickles:
        raise CheckpointError(
            f"{folder} has its weights in {pickles[0]}, which is not read: unpickling a file can run any program in it",
            "Get the repository's model.safetensors, or load it with transformers and call save_pretrained().",
        )
    raise CheckpointError(f"{folder / SINGLE} does not exist", f"Point to a folder with config.json and {SINGLE}.")


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """List every tensor in a folder's safetensors, by the file's own names; only headers are read.

    Raises:
        CheckpointError: a file is missing or broken, or lacks what the index says it has.
        OSError: a file may not be read.
    """
    found: dict[str, StoredTensor] = {}
    for path in weight_files(folder):
        found |= _tensors_of(path)
    if not (folder / SINGLE).is_file():
        lost = sorted(_index(folder).keys() - found.keys())
        if lost:
            raise CheckpointError(f"{folder / INDEX} names {lost[0]}, which none of its files holds", _AGAIN)
    return found


def _tensors_of(path: Path) -> dict[str, StoredTensor]:
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist", "Fetch every file that the index names.")
    path.open("rb").close()  # the library says of a file that may not be read that there is none
    _refuse_pointer(path)
    try:
        file: Any = safe_open(path, "pt")
        slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
        return {
            name: StoredTensor(tuple(part.get_shape()), part.get_dtype(), partial(file.get_tensor, name))
            for name, part in slices.items()
        }
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is broken or not a safetensors file: {error}", _AGAIN) from error


_POINTER = b"version https://git-lfs"


def _refuse_pointer(path: Path) -> None:
    """Refuse the few lines that Git LFS leaves in a file's place where the file itself was not fetched."""
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise CheckpointError(
                f"{path} is a Git LFS pointer: the file itself was not fetched", "Run `git lfs pull` in its folder."
            )


def _index(folder: Path) -> dict[str, str]:
    """Read which file holds which tensor."""
    path = folder / INDEX
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        if not all(isinstance(name, str) and Path(name).name == name for name in names.values()):
            raise ValueError("a file's name is no plain name")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} is no index of safetensors files: {error}", _AGAIN) from error
    return dict(names)
