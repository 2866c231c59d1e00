"""Binary frames: numbers as the stream sends them, behind a JSON header.

`u32` little-endian length of the header, the header padded with spaces so that the payload starts at a multiple
of 8, then the raw numbers, row by row in the tensor's own order of axes. Every field: docs/reference/stream.md.
"""

import struct
from typing import Any

import orjson
import torch

from .difference import Difference
from .run import Run
from .tiles import Tile, halves

_LENGTH_BYTES = 4
_ALIGNMENT = 8


def frame(header: dict[str, Any], payload: bytes) -> bytes:
    """A header and what it describes, in one piece."""
    encoded = orjson.dumps(header)
    padding = -(_LENGTH_BYTES + len(encoded)) % _ALIGNMENT
    length = struct.pack("<I", len(encoded) + padding)
    return b"".join((length, encoded, b" " * padding, payload))


def pack(header: dict[str, Any], tile: Tile) -> bytes:
    """One frame; `dtype`, `shape` and `scale` are added to the header."""
    return frame({**header, "dtype": tile.dtype, "shape": tile.shape, "scale": tile.scale}, tile.payload)


def rows_frame(
    run: Run, name: str, start: int, end: int, epoch: int, seq: int, less: Difference | None = None
) -> bytes:
    """Rows `start` to `end` of an activation, along its `pos` or `query_pos` axis; of a difference, if there is one."""
    recorder = run.recorder
    header = {
        "v": 1, "type": "rows", "run": run.id, "model": run.loaded.entry.id, "epoch": epoch, "seq": seq,
        "name": name, "index": [], "level": 0, "row": 0, "col": 0, "offset": start,
        "full_shape": recorder.shape(name), "step": max(0, start - len(run.prompt) + 1),
    }  # fmt: skip
    if less is not None:
        header["minus"] = less.other.id
    with torch.inference_mode():
        rows = recorder.read(name, start, end) if less is None else less.rows(name, start, end, torch.inf)
        return pack(header, halves(rows))


def rows_per_frame(run: Run, name: str, frame_bytes: int) -> int:
    """How many rows of an activation fit into one frame."""
    elements = 1
    for axis, size in enumerate(run.recorder.shape(name)):
        elements *= 1 if axis == run.recorder.row_axis(name) else size
    return max(1, frame_bytes // (2 * max(1, elements)))
