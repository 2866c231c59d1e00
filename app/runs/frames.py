"""Binary frames: numbers as the stream sends them, half floats behind a JSON header.

`u32` little-endian length of the header, the header padded with spaces so that the payload starts at a multiple
of 8, then the raw numbers, row by row in the tensor's own order of axes. docs/stream.md describes every field.
"""

import struct
from typing import Any

import orjson
import torch
from torch import Tensor

from app.transformer.model import Transformer

from .run import Run

TILE = 256
_HALF_MAX = 65504.0
_LENGTH_BYTES = 4
_ALIGNMENT = 8


class TileError(ValueError):
    """A tile that does not exist; the message says why."""


def pack(header: dict[str, Any], numbers: Tensor) -> bytes:
    """One frame; `dtype`, `shape` and `scale` are added to the header.

    `scale` is a power of two, above 1 only where half precision could not hold the numbers.
    """
    values = numbers.detach().float()
    largest = float(values.nan_to_num(0.0, 0.0, 0.0).abs().max()) if values.numel() else 0.0
    scale = 1.0
    while largest / scale > _HALF_MAX:
        scale *= 2.0
    payload = (values / scale if scale != 1 else values).half().contiguous().cpu().numpy().tobytes()
    encoded = orjson.dumps({**header, "dtype": "f16", "shape": list(numbers.shape), "scale": scale})
    padding = -(_LENGTH_BYTES + len(encoded)) % _ALIGNMENT
    length = struct.pack("<I", len(encoded) + padding)
    return b"".join((length, encoded, b" " * padding, payload))


def rows_frame(run: Run, name: str, start: int, end: int, epoch: int, seq: int) -> bytes:
    """Rows `start` to `end` of an activation, along its `pos` or `query_pos` axis."""
    recorder = run.recorder
    header = {
        "v": 1, "type": "rows", "run": run.id, "model": run.loaded.entry.id, "epoch": epoch, "seq": seq,
        "name": name, "index": [], "level": 0, "row": 0, "col": 0, "offset": start,
        "full_shape": recorder.shape(name), "step": max(0, start - len(run.prompt) + 1),
    }  # fmt: skip
    with torch.inference_mode():
        return pack(header, recorder.read(name, start, end))


def rows_per_frame(run: Run, name: str, frame_bytes: int) -> int:
    """How many rows of an activation fit into one frame."""
    elements = 1
    for axis, size in enumerate(run.recorder.shape(name)):
        elements *= 1 if axis == run.recorder.row_axis(name) else size
    return max(1, frame_bytes // (2 * max(1, elements)))


def tile_frame(
    model: Transformer, model_id: str, name: str, index: tuple[int, ...], row: int, col: int, epoch: int, seq: int
) -> bytes:
    """A 256 x 256 piece (less at the edges) of one plate of a weight; a plate of one axis is one row.

    Raises:
        KeyError: there is no such weight.
        TileError: it has no such plate or tile.
    """
    weight = model.weight(name).detach()
    if len(index) != max(0, weight.dim() - 2) and len(index) != weight.dim() - 1:
        raise TileError(f"{name} has axes {list(weight.shape)}; a plate of it is named by all but the last two")
    for size, place in zip(weight.shape, index, strict=False):
        if not 0 <= place < size:
            raise TileError(f"{name} has no plate {list(index)}; its shape is {list(weight.shape)}")
    plate = weight[index]
    plate = plate.unsqueeze(0) if plate.dim() == 1 else plate
    tile = plate[row * TILE : (row + 1) * TILE, col * TILE : (col + 1) * TILE]
    if row < 0 or col < 0 or not tile.numel():
        raise TileError(f"{name} has no tile at row {row}, column {col}: a plate of it is {list(plate.shape)}")
    header = {
        "v": 1, "type": "tile", "run": None, "model": model_id, "epoch": epoch, "seq": seq,
        "name": name, "index": list(index), "level": 0, "row": row, "col": col, "offset": 0,
        "full_shape": list(weight.shape), "step": 0,
    }  # fmt: skip
    with torch.inference_mode():
        return pack(header, tile)
