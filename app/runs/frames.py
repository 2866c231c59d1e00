"""Binary frames: numbers as the stream sends them, behind a JSON header.

`u32` little-endian length of the header, the header padded with spaces so that the payload starts at a multiple
of 8, then the raw numbers, row by row in the tensor's own order of axes. Every field: docs/reference/stream.md.
"""

import struct
from dataclasses import dataclass

import orjson
import torch

from .difference import Difference
from .headers import CellsHeader, FrameHeader, RowsHeader, ThumbnailsHeader, TileHeader
from .run import Run
from .tiles import halves

_LENGTH_BYTES = 4
_ALIGNMENT = 8


def frame(header: FrameHeader | ThumbnailsHeader, payload: bytes) -> bytes:
    """Join a header and what it describes in one piece."""
    encoded = orjson.dumps(header)
    padding = -(_LENGTH_BYTES + len(encoded)) % _ALIGNMENT
    length = struct.pack("<I", len(encoded) + padding)
    return b"".join((length, encoded, b" " * padding, payload))


@dataclass(frozen=True)
class Piece:
    """What has been cut and encoded for a connection, and is framed when it is sent."""

    header: RowsHeader | TileHeader | CellsHeader
    payload: bytes

    def frame(self, seq: int, epoch: int) -> bytes:
        """Frame it as the connection's frame of this number, under the wish of this epoch."""
        header = self.header.copy()
        header["seq"], header["epoch"] = seq, epoch
        return frame(header, self.payload)


def rows_piece(run: Run, name: str, start: int, end: int, less: Difference | None = None) -> Piece:
    """Encode rows `start` to `end` of an activation, along its `pos` or `query_pos` axis, or of a difference."""
    recorder = run.recorder
    with torch.inference_mode():
        tile = halves(recorder.read(name, start, end) if less is None else less.rows(name, start, end, torch.inf))
    header: RowsHeader = {
        "v": 1, "type": "rows", "run": run.id, "model": run.loaded.entry.id, "epoch": -1, "seq": 0,
        "name": name, "index": [], "level": 0, "row": 0, "col": 0, "offset": start,
        "full_shape": recorder.shape(name), "step": max(0, start - len(run.prompt) + 1),
        "dtype": tile.dtype, "shape": tile.shape, "scale": tile.scale,
    }  # fmt: skip
    if less is not None:
        header["minus"] = less.other.id
    return Piece(header, tile.payload)


def rows_per_frame(run: Run, name: str, frame_bytes: int) -> int:
    """Count the rows of an activation that fit into one frame."""
    elements = 1
    for axis, size in enumerate(run.recorder.shape(name)):
        elements *= 1 if axis == run.recorder.row_axis(name) else size
    return max(1, frame_bytes // (2 * max(1, elements)))
