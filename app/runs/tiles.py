"""Tiles: pieces of 256 x 256 numbers of a plate, at any level of zoom, built when first asked for and kept for a while.

At level n a number is a patch of 2^n x 2^n cells. Tiles of levels 0 to 3 are made from the cells; those above from the
four below them, of which sums are kept (`pooling.py`). Everything here is a generator that pauses every few
milliseconds, so that many viewers share one thread and nobody waits behind a big matrix.
"""

from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from .headers import NumberFormat
from .plates import Box, Derivation, Plate
from .pooling import Means, Pool, join_means, pool_extremes, pool_means

TILE = 256
# The lowest level of which sums are kept: the levels below would cost as much memory as the weights.
BASE = 3
# Cells pooled between two pauses: one or two milliseconds.
_PIECE_CELLS = 2**19
_HALF_MAX = 65504.0

Sums = Means | Tensor
Steps = Generator[None, None, "Tile"]


class TileError(LookupError):
    """A tile that does not exist; `hint` says which do."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Tile:
    """Numbers as they are sent: half floats times `scale`, or float32."""

    payload: bytes
    shape: tuple[int, ...]
    scale: float = 1.0
    dtype: NumberFormat = "f16"

    @property
    def nbytes(self) -> int:
        """Count the bytes of memory."""
        return len(self.payload)


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Kept = TypeVar("Kept", bound=_Sized)


def halves(numbers: Tensor) -> Tile:
    """Write numbers as half floats.

    `scale` is a power of two, above 1 only where half precision could not hold them.
    """
    values = numbers.detach().float()
    largest = float(values.nan_to_num(0.0, 0.0, 0.0).abs().max()) if values.numel() else 0.0
    scale = 1.0
    while largest / scale > _HALF_MAX:
        scale *= 2.0
    payload = (values / scale if scale != 1 else values).half().contiguous().cpu().numpy().tobytes()
    return Tile(payload, tuple(numbers.shape), scale)


def singles(numbers: Tensor) -> Tile:
    """Write numbers as float32, for digits that are printed."""
    payload = numbers.detach().float().contiguous().cpu().numpy().tobytes()
    return Tile(payload, tuple(numbers.shape), dtype="f32")


def highest_level(rows: int, cols: int) -> int:
    """Return the level at which a plate is a single number."""
    return max(0, (max(rows, cols) - 1).bit_length())


def check_tile(name: str, rows: int, cols: int, level: int, row: int, col: int) -> None:
    """Refuse a tile that a plate of this size does not have.

    Raises:
        TileError: the level is too high, or the place lies outside the plate.
    """
    highest = highest_level(rows, cols)
    if not 0 <= level <= highest:
        raise TileError(f"{name} has no level {level}", f"A plate of {rows} x {cols} has levels 0 to {highest}.")
    side = TILE << level
    down, right = -(-rows // side), -(-cols // side)
    if not (0 <= row < down and 0 <= col < right):
        raise TileError(
            f"{name} has no tile at row {row}, column {col} of level {level}",
            f"A plate of {rows} x {cols} has {down} x {right} tiles there, counted from 0.",
        )


def check_cells(name: str, rows: int, cols: int, row: int, col: int) -> None:
    """Refuse a rectangle of cells that begins outside a plate of this size.

    Raises:
        TileError: it does.
    """
    if not (0 <= row < rows and 0 <= col < cols):
        raise TileError(
            f"{name} has no cell at row {row}, column {col}", f"A plate of it has {rows} x {cols} cells, from 0."
        )


class Pyramids:
    """Cuts tiles. Used by one thread; what it builds stays in memory up to a number of bytes, last used last out."""

    def __init__(self, limit_bytes: int) -> None:
        """Keep at most so many bytes."""
        self._limit = limit_bytes
        self._kept: OrderedDict[Hashable, _Sized] = OrderedDict()
        self._nbytes = 0
        self._building: set[Hashable] = set()

    @property
    def nbytes(self) -> int:
        """Count the bytes kept."""
        return self._nbytes

    def tile(self, plate: Plate, level: int, row: int, col: int, pool: Pool) -> Steps:
        """Make a tile of a plate, which must be there (`check_tile`), in steps of a few milliseconds."""
        if level == 0:
            return halves((yield from self.cells(plate, _extent(plate, 0, row, col))))
        key = ("tile", plate.key, pool, level, row, col, _extent(plate, level, row, col))
        found = self._get(key, Tile)
        if found is None:
            sums = yield from self._sums(plate, level, row, col, pool)
            found = self._keep(key, halves(sums.values if isinstance(sums, Means) else sums))
        return found

    def cells(self, plate: Plate, box: Box) -> Generator[None, None, Tensor]:
        """Read cells of a plate; derive in steps what has to be, and keep what was made for it for a while."""
        derivation = plate.derivation
        if derivation is None:
            return plate.read(*box)
        top, bottom, left, right = box
        start, end = (left, right) if derivation.along_columns else (top, bottom)
        last = plate.cols if derivation.along_columns else plate.rows
        parts = []
        for first in range(start - start % derivation.count, end, derivation.count):
            stop = min(first + derivation.count, last)
            made = yield from self._made(derivation, first, stop)
            inside = max(start, first), min(end, stop)
            part = (top, bottom, *inside) if derivation.along_columns else (*inside, left, right)
            parts.append(derivation.finish(made, first, part))
        return torch.cat(parts, -1 if derivation.along_columns else -2)

    def _made(self, derivation: Derivation, first: int, stop: int) -> Generator[None, None, Tensor]:
        key = ("made", derivation.key, first, stop)
        made = self._get(key, Tensor)
        if made is None:
            made = self._keep(key, derivation.make(first, stop))
            yield
        return made

    def _sums(self, plate: Plate, level: int, row: int, col: int, pool: Pool) -> Generator[None, None, Sums]:
        """Sum what a tile is made of, kept from the base level up. Whoever comes second waits for the first."""
        if plate.mirror is not None:
            return _turned((yield from self._sums(plate.mirror, level, col, row, pool)))
        if level < BASE:
            return (yield from self._from_cells(plate, level, row, col, pool))
        key = ("sums", plate.key, pool, level, row, col, _extent(plate, level, row, col))
        while key in self._building:
            yield
        found: Sums | None = self._get(key, Means) if pool == "mean" else self._get(key, Tensor)
        if found is not None:
            return found
        with self._claim(key):
            if level == BASE:
                found = yield from self._from_cells(plate, level, row, col, pool)
            else:
                found = yield from self._from_below(plate, level, row, col, pool)
        return self._keep(key, found)

    def _from_cells(self, plate: Plate, level: int, row: int, col: int, pool: Pool) -> Generator[None, None, Sums]:
        """Pool the cells under a tile, a band of rows at a time."""
        top, bottom, left, right = _extent(plate, level, row, col)
        factor = 1 << level
        band = max(1, _PIECE_CELLS // (factor * (right - left))) * factor
        parts: list[Sums] = []
        for start in range(top, bottom, band):
            cells = yield from self.cells(plate, (start, min(start + band, bottom), left, right))
            parts.append(pool_means(cells, factor) if pool == "mean" else pool_extremes(cells, factor))
            yield
        return _join(parts, -2)

    def _from_below(self, plate: Plate, level: int, row: int, col: int, pool: Pool) -> Generator[None, None, Sums]:
        """Pool the four tiles of the level below; at the edges there are fewer."""
        side = TILE << (level - 1)
        bands: list[Sums] = []
        for below_row in (2 * row, 2 * row + 1):
            if below_row * side >= plate.rows:
                continue
            parts = []
            for below_col in (2 * col, 2 * col + 1):
                if below_col * side < plate.cols:
                    parts.append((yield from self._sums(plate, level - 1, below_row, below_col, pool)))
            bands.append(_join(parts, -1))
        whole = _join(bands, -2)
        yield
        return join_means(whole, 2) if isinstance(whole, Means) else pool_extremes(whole, 2)

    @contextmanager
    def _claim(self, key: Hashable) -> Iterator[None]:
        self._building.add(key)
        try:
            yield
        finally:
            self._building.discard(key)

    def _get(self, key: Hashable, kind: type[Kept]) -> Kept | None:
        found = self._kept.get(key)
        if not isinstance(found, kind):
            return None
        self._kept.move_to_end(key)
        return found

    def _keep(self, key: Hashable, value: Kept) -> Kept:
        if key not in self._kept:
            self._kept[key] = value
            self._nbytes += value.nbytes
            while self._nbytes > self._limit and len(self._kept) > 1:
                self._nbytes -= self._kept.popitem(last=False)[1].nbytes
        return value


def _extent(plate: Plate, level: int, row: int, col: int) -> Box:
    """Find the first and last row, first and last column of the cells under a tile."""
    side = TILE << level
    bottom, right = min((row + 1) * side, plate.rows), min((col + 1) * side, plate.cols)
    return row * side, bottom, col * side, right


def _turned(sums: Sums) -> Sums:
    """Turn rows into columns."""
    return Means(sums.total.T, sums.square.T, sums.count.T) if isinstance(sums, Means) else sums.T


def _join(parts: list[Sums], axis: int) -> Sums:
    """Put neighbours side by side."""
    if len(parts) == 1:
        return parts[0]
    means = [part for part in parts if isinstance(part, Means)]
    if not means:
        return torch.cat([part for part in parts if isinstance(part, Tensor)], axis)
    return Means(
        torch.cat([part.total for part in means], axis),
        torch.cat([part.square for part in means], axis),
        torch.cat([part.count for part in means], axis),
    )
