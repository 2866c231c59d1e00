"""The header of a GGUF file: its metadata, and where each tensor lies.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The `gguf` package reads it too, in seconds rather
than in a tenth of one for a vocabulary of 50,000 tokens, and fails on broken files in ways that cannot be explained.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import CheckpointError

_AGAIN = "Fetch the file again, and compare its size with the one it should have."
# Codes of the metadata's plain values, and how struct reads them.
_PLAIN = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9
_MOST_TENSORS, _MOST_ENTRIES, _MOST_AXES = 100_000, 100_000, 4


@dataclass(frozen=True)
class Placed:
    """A tensor: its shape, slowest axis first, the code of its kind of numbers, and the byte where it starts."""

    shape: tuple[int, ...]
    kind: int
    start: int


@dataclass(frozen=True)
class Header:
    """What a GGUF file says of itself."""

    metadata: dict[str, Any]
    tensors: dict[str, Placed]


def read_header(path: Path) -> Header:
    """Read everything but the numbers.

    Raises:
        CheckpointError: no GGUF file, of a version that is not known, or broken.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Reader(content, path).header()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", _AGAIN) from error


class _Reader:
    """Walks through the header; every step is checked against the end of the file."""

    def __init__(self, content: mmap.mmap, path: Path) -> None:
        self._content, self._path, self._at = content, path, 0

    def header(self) -> Header:
        if self._content[:4] != b"GGUF":
            raise CheckpointError(f"{self._path} is not a GGUF file", _AGAIN)
        self._at = 4
        version = self._plain("<I")
        if version not in (2, 3):
            raise CheckpointError(f"{self._path} is GGUF of version {version}", "Versions 2 and 3 are read.")
        tensors, entries = self._count(_MOST_TENSORS), self._count(_MOST_ENTRIES)
        metadata = {}
        for _ in range(entries):
            name = self._string()
            metadata[name] = self._value(self._plain("<I"))
        placed = dict(self._tensor() for _ in range(tensors))
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 1:
            raise self._broken()
        start = -(-self._at // alignment) * alignment
        return Header(metadata, {name: Placed(t.shape, t.kind, start + t.start) for name, t in placed.items()})

    def _tensor(self) -> tuple[str, Placed]:
        name = self._string()
        axes = self._plain("<I")
        if axes > _MOST_AXES:
            raise self._broken()
        shape = tuple(self._plain("<Q") for _ in range(axes))
        return name, Placed(shape[::-1], self._plain("<I"), self._plain("<Q"))

    def _value(self, code: int) -> Any:
        if code in _PLAIN:
            return self._plain(_PLAIN[code])
        if code == _STRING:
            return self._string()
        if code != _ARRAY:
            raise self._broken()
        inner, count = self._plain("<I"), self._count(len(self._content))
        if inner in _PLAIN:
            letter = _PLAIN[inner][1]
            return list(struct.unpack(f"<{count}{letter}", self._bytes(count * struct.calcsize(_PLAIN[inner]))))
        return [self._value(inner) for _ in range(count)]

    def _plain(self, form: str) -> Any:
        return struct.unpack(form, self._bytes(struct.calcsize(form)))[0]

    def _count(self, most: int) -> int:
        count: int = self._plain("<Q")
        if count > most:
            raise self._broken()
        return count

    def _string(self) -> str:
        return self._bytes(self._count(len(self._content))).decode("utf-8", errors="replace")

    def _bytes(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._content):
            raise self._broken()
        self._at, start = end, self._at
        return self._content[start:end]

    def _broken(self) -> CheckpointError:
        return CheckpointError(f"{self._path} is broken at byte {self._at:,} of its header", _AGAIN)
