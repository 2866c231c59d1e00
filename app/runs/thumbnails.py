"""Thumbnails: every plate of a model's weights in at most 32 x 32 numbers, all of them in one file.

Made once, in steps of a few milliseconds, and kept on disk under the fingerprint of the weights they show; a model's
own folder may be read-only, so they lie in the user's cache.
"""

import logging
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from .frames import frame
from .headers import PlateThumbnail, ThumbnailsHeader
from .plates import plate_axes, plate_indices, plate_shape
from .pooling import Means, Pool, join_means, pool_extremes, pool_means
from .tiles import halves

SIDE = 32
# Cells pooled between two pauses, and the level to which they are pooled at once.
_PIECE_CELLS = 2**19
_FIRST_LEVEL = 5
# Part of the file's name: raise it when what is in the file changes.
_VERSION = 1


def level_of(rows: int, cols: int) -> int:
    """Return the lowest level at which a plate has at most 32 x 32 numbers."""
    return max(0, (-(-max(rows, cols) // SIDE) - 1).bit_length())


def thumbnails(loaded: LoadedModel, pool: Pool) -> Generator[None, None, bytes]:
    """Frame all thumbnails of a model: a header that lists them, and half floats."""
    plates: list[PlateThumbnail] = []
    payloads: list[bytes] = []
    offset = 0
    made: dict[str, list[Tensor]] = {}
    for info in loaded.graph.tensors:
        if info.role != "weight":
            continue
        shape = loaded.graph.shape(info)
        level = level_of(*plate_shape(info.axes, shape))
        if info.same_as in made:
            made[info.name] = [small.T if info.transposed else small for small in made[info.same_as]]
        else:
            weight = loaded.model.weight(info.name).detach()
            made[info.name] = list((yield from _pooled(_stacked(weight, info.axes), level, pool)))
        for index, small in zip(plate_indices(info.axes, shape), made[info.name], strict=True):
            tile = halves(small)
            plates.append(
                {
                    "name": info.name, "index": index, "rows": tile.shape[0], "cols": tile.shape[1],
                    "level": level, "offset": offset, "scale": tile.scale,
                }
            )  # fmt: skip
            payloads.append(tile.payload)
            offset += len(tile.payload)
    header: ThumbnailsHeader = {
        "v": 1, "type": "thumbnails", "model": loaded.entry.id, "fingerprint": loaded.fingerprint, "pool": pool,
        "dtype": "f16", "plates": plates,
    }  # fmt: skip
    return frame(header, b"".join(payloads))


def _stacked(weight: Tensor, axes: tuple[str, ...]) -> Tensor:
    """Stack all plates of a weight, `[plates, rows, cols]`, without copying more than must be."""
    named = plate_axes(axes)
    stacked = weight.movedim(named, tuple(range(len(named))))
    if weight.dim() - len(named) == 1:
        stacked = stacked.unsqueeze(-2)  # [plates…, cols] -> [plates…, 1, cols]
    return stacked.flatten(0, -3) if stacked.dim() > 2 else stacked.unsqueeze(0)


def _pooled(stacked: Tensor, level: int, pool: Pool) -> Generator[None, None, Tensor]:
    """Pool `[plates, rows, cols]` by 2^level: at first a little, a band of rows at a time, then the rest."""
    if level == 0:
        return stacked
    first = min(level, _FIRST_LEVEL)
    factor = 1 << first
    count, rows, cols = stacked.shape
    band = max(1, _PIECE_CELLS // (factor * count * cols)) * factor
    means, extremes = [], []
    for top in range(0, rows, band):
        cells = stacked[:, top : top + band]
        if pool == "mean":
            means.append(pool_means(cells, factor))
        else:
            extremes.append(pool_extremes(cells, factor))
        yield
    rest = 1 << (level - first)
    if extremes:
        return pool_extremes(torch.cat(extremes, -2), rest)
    whole = Means(*(torch.cat([getattr(part, name) for part in means], -2) for name in ("total", "square", "count")))
    return join_means(whole, rest).values


class ThumbnailCache:
    """Thumbnails on disk. A cache: what cannot be written or read is made again."""

    def __init__(self, folder: Path) -> None:
        """Keep them in this folder, which is made when needed."""
        self._folder = folder

    def take(self, loaded: LoadedModel, pool: Pool) -> bytes | None:
        """Return the thumbnails of a model, if they have been made before."""
        try:
            return self._path(loaded, pool).read_bytes()
        except OSError:
            return None

    def put(self, loaded: LoadedModel, pool: Pool, content: bytes) -> None:
        """Keep thumbnails; whoever reads meanwhile sees the whole file or none."""
        path = self._path(loaded, pool)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(content)
            os.replace(file.name, path)
        except OSError as error:
            logging.getLogger(__name__).warning("thumbnails are not kept: %s", error)

    def _path(self, loaded: LoadedModel, pool: Pool) -> Path:
        dtype = str(loaded.model.weight("W_E").dtype).removeprefix("torch.")
        return self._folder / "thumbnails" / f"{loaded.entry.id}-{loaded.fingerprint}-{dtype}-{pool}-{_VERSION}.bin"
