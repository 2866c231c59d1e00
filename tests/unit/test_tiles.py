"""Plates, pooling, pyramids and statistics against NumPy in float64, written the slow and obvious way."""

import math
import warnings
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.runs.plates import Box, Plate, PlateError, check_plate, plate_axes, plate_indices, plate_of, plate_shape
from app.runs.pooling import Pool, pool_extremes, pool_means
from app.runs.statistics import statistics
from app.runs.thumbnails import level_of
from app.runs.tiles import Pyramids, Tile, TileError, check_tile, halves

Array = NDArray[np.float64]


def finish(steps: Generator[None, None, Any]) -> Any:
    """Return what comes of steps."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def numbers(tile: Tile) -> Array:
    values = np.frombuffer(tile.payload, "<f2" if tile.dtype == "f16" else "<f4").astype(np.float64)
    return values.reshape(tile.shape) * tile.scale


def plate(cells: Tensor, reads: list[Box] | None = None) -> Plate:
    """Make a plate of these cells, which notes what is read of it."""

    def read(top: int, bottom: int, left: int, right: int) -> Tensor:
        if reads is not None:
            reads.append((top, bottom, left, right))
        return cells[top:bottom, left:right]

    return Plate("plate", "x", (), cells.shape[0], cells.shape[1], read)


def patch(cells: Array, pool: Pool) -> float:
    """Compute one patch as docs/reference/tiles.md says: in words, not in vectors."""
    if np.isnan(cells).any():
        return math.nan
    finite = cells[np.isfinite(cells)]
    if not finite.size:
        return math.inf if (cells > 0).any() else -math.inf
    if pool == "max":
        return float(max(finite.tolist(), key=lambda x: (abs(x), x)))
    return float(np.sign(finite.mean()) * np.sqrt((finite**2).mean()))


def pooled(cells: Array, factor: int, pool: Pool) -> Array:
    rows, cols = cells.shape
    return np.array(
        [
            [patch(cells[r : r + factor, c : c + factor], pool) for c in range(0, cols, factor)]
            for r in range(0, rows, factor)
        ]
    )


def cells_with(rows: int, cols: int, unusual: bool) -> Tensor:
    generator = torch.Generator().manual_seed(rows * cols)
    cells = torch.randn(rows, cols, generator=generator) + 0.3
    if unusual:
        cells[torch.rand(rows, cols, generator=generator) < 0.02] = -torch.inf
        cells[0, cols // 2] = torch.inf
        cells[rows // 3 : rows // 2, cols // 3 : cols // 2] = -torch.inf
        cells[-1, -1] = torch.nan
        cells[rows // 2, 0] = 1e25  # its square is beyond float32
    return cells


@pytest.mark.parametrize("rows, cols", [(1, 1), (1, 700), (37, 53), (64, 64), (129, 31)])
@pytest.mark.parametrize("unusual", [False, True])
@pytest.mark.parametrize("factor", [2, 8, 64])
def test_pooling_is_the_definition(rows: int, cols: int, unusual: bool, factor: int) -> None:
    cells = cells_with(rows, cols, unusual)
    exact = cells.double().numpy()
    np.testing.assert_allclose(pool_means(cells, factor).values, pooled(exact, factor, "mean"), rtol=2e-5)
    np.testing.assert_array_equal(pool_extremes(cells, factor), pooled(exact, factor, "max"))


def vectorised(cells: Array, factor: int, pool: Pool) -> Array:
    """Compute the same for large plates, masked or finite: not-a-number marks cells that take no part."""
    rows, cols = (-(-size // factor) * factor for size in cells.shape)
    wide = np.full((rows, cols), np.nan)
    wide[: cells.shape[0], : cells.shape[1]] = np.where(np.isfinite(cells), cells, np.nan)
    split = wide.reshape(rows // factor, factor, cols // factor, factor).swapaxes(1, 2)
    patches = split.reshape(rows // factor, cols // factor, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        if pool == "mean":
            shown = np.sign(np.nanmean(patches, -1)) * np.sqrt(np.nanmean(patches**2, -1))
        else:
            high, low = np.nanmax(patches, -1), np.nanmin(patches, -1)
            shown = np.where(high >= -low, high, low)
    return np.where(np.isnan(patches).all(-1), -np.inf, shown)


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("rows, cols, masked", [(1, 900, 0.0), (1100, 600, 0.0), (531, 1301, 0.4)])
def test_every_tile_of_every_level_is_pooled_from_the_cells(rows: int, cols: int, masked: float, pool: Pool) -> None:
    cells = torch.randn(rows, cols, generator=torch.Generator().manual_seed(7)) + 0.05
    cells[torch.rand(rows, cols, generator=torch.Generator().manual_seed(8)) < masked] = -torch.inf
    exact, pyramids = cells.double().numpy(), Pyramids(2**26)
    for level in range(max(rows, cols).bit_length()):
        whole = exact if level == 0 else vectorised(exact, 1 << level, pool)
        side = 256
        for row in range(-(-whole.shape[0] // side)):
            for col in range(-(-whole.shape[1] // side)):
                found = numbers(finish(pyramids.tile(plate(cells), level, row, col, pool)))
                expected = whole[row * side : (row + 1) * side, col * side : (col + 1) * side]
                # The sign of a mean of nearly nothing is anyone's.
                np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-3, atol=1e-6)
                assert (np.sign(found) == np.sign(expected)).mean() > 0.999


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_what_is_not_finite_reaches_the_top(pool: Pool) -> None:
    cells = torch.full((5000, 700), -torch.inf)
    cells[4096:, 300:] = 2.0
    cells[100, 650] = torch.nan
    pyramids = Pyramids(2**26)
    found = numbers(finish(pyramids.tile(plate(cells), 7, 0, 0, pool)))
    expected = vectorised(cells.double().numpy(), 128, "max")
    expected[0, 5] = np.nan
    np.testing.assert_allclose(found, expected)
    assert math.isnan(numbers(finish(pyramids.tile(plate(cells), 13, 0, 0, pool)))[0, 0])


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_a_mirrored_plate_is_the_other_turned(pool: Pool) -> None:
    cells = torch.randn(3000, 900)
    one = plate(cells)
    turned = cells.T
    other = Plate("y", "y", (), 900, 3000, lambda a, b, c, d: turned[a:b, c:d], mirror=one)
    for level, row, col in [(0, 1, 4), (1, 1, 5), (3, 0, 1), (5, 0, 0)]:
        pyramids = Pyramids(2**26)
        found = numbers(finish(pyramids.tile(other, level, row, col, pool)))
        alone = Plate("z", "z", (), 900, 3000, other.read)
        np.testing.assert_allclose(found, numbers(finish(pyramids.tile(alone, level, row, col, pool))), rtol=1e-3)


def test_a_tile_reads_its_own_cells_and_nothing_else() -> None:
    read: list[Box] = []
    watched = plate(torch.randn(4000, 4000), read)
    pyramids = Pyramids(2**26)
    finish(pyramids.tile(watched, 0, 3, 2, "mean"))
    assert read == [(768, 1024, 512, 768)]
    read.clear()
    finish(pyramids.tile(watched, 3, 1, 0, "mean"))
    assert (min(r[0] for r in read), max(r[1] for r in read)) == (2048, 4000)
    assert {r[2:] for r in read} == {(0, 2048)}
    read.clear()
    finish(pyramids.tile(watched, 3, 1, 0, "mean"))
    assert not read, "what has been built is kept"


def test_the_cache_is_bounded_and_forgets_what_was_used_longest_ago() -> None:
    cells = torch.randn(2048, 2048)
    pyramids = Pyramids(300_000)
    for place in (0, 1, 0, 2):
        finish(pyramids.tile(plate(cells), 1, 0, place, "max"))
        assert pyramids.nbytes <= 300_000
    reads: list[Box] = []
    again = plate(cells, reads)
    finish(pyramids.tile(again, 1, 0, 0, "max"))
    assert not reads
    finish(pyramids.tile(again, 1, 0, 1, "max"))
    assert reads


def test_two_who_want_the_same_build_it_once() -> None:
    reads: list[Box] = []
    watched = plate(torch.randn(4096, 512), reads)
    pyramids = Pyramids(2**26)
    jobs = [pyramids.tile(watched, 5, 0, 0, "mean") for _ in range(3)]
    results = []
    while jobs:
        for job in list(jobs):
            try:
                next(job)
            except StopIteration as stop:
                results.append(stop.value)
                jobs.remove(job)
    assert len(reads) == len(set(reads))
    assert len({tile.payload for tile in results}) == 1


def test_who_gives_up_halfway_leaves_the_rest_to_others() -> None:
    pyramids, whole = Pyramids(2**26), plate(torch.randn(8192, 512))
    first = pyramids.tile(whole, 6, 0, 0, "mean")
    next(first)
    first.close()
    assert finish(pyramids.tile(whole, 6, 0, 0, "mean")).shape == (128, 8)


@pytest.mark.parametrize("level, row, col", [(-1, 0, 0), (0, -1, 0), (0, 4, 0), (0, 0, 3), (1, 2, 0), (11, 0, 0)])
def test_tiles_that_do_not_exist(level: int, row: int, col: int) -> None:
    with pytest.raises(TileError) as refused:
        check_tile("x", 1000, 700, level, row, col)
    assert "1000 x 700" in refused.value.hint
    check_tile("x", 1000, 700, 10, 0, 0)


PLATES: list[tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...], tuple[int, int]]] = [
    (("d_vocab", "d_model"), (29, 16), (), (29, 16)),
    (("d_model",), (16,), (), (1, 16)),
    (("head", "d_model", "d_head"), (2, 16, 8), (0,), (16, 8)),
    (("kv_head", "d_model", "d_head"), (2, 16, 8), (0,), (16, 8)),
    (("head", "d_head"), (2, 8), (0,), (1, 8)),
    (("pos", "head", "d_head"), (5, 2, 8), (1,), (5, 8)),
    (("bucket", "head"), (32, 2), (1,), (1, 32)),
    (("head", "query_pos", "key_pos"), (2, 5, 5), (0,), (5, 5)),
    (("pos",), (5,), (), (1, 5)),
]


@pytest.mark.parametrize("axes, shape, named, size", PLATES)
def test_what_the_plates_of_a_tensor_are(
    axes: tuple[str, ...], shape: tuple[int, ...], named: tuple[int, ...], size: tuple[int, int]
) -> None:
    assert plate_axes(axes) == named
    assert plate_shape(axes, shape) == size
    tensor = torch.arange(math.prod(shape)).reshape(shape)
    indices = list(plate_indices(axes, shape))
    found = [plate_of(tensor, axes, index) for index in indices]
    assert {tuple(one.shape) for one in found} == {size}
    assert sorted(int(x) for one in found for x in one.flatten()) == list(range(tensor.numel())), "every number once"
    check_plate("x", axes, shape, indices[-1])
    for wrong in ([*indices[-1], 0], [shape[place] for place in named] or [0], [-1] * max(1, len(named))):
        with pytest.raises(PlateError) as refused:
            check_plate("x", axes, shape, wrong)
        assert refused.value.hint


@pytest.mark.parametrize("kind", ["normal", "zeros", "ties", "far", "unusual", "tiny", "one"])
def test_statistics_are_numpys(kind: str) -> None:
    generator = torch.Generator().manual_seed(3)
    cells = torch.randn(1500, 900, generator=generator)
    if kind == "zeros":
        cells[torch.rand(cells.shape, generator=generator) < 0.999] = 0.0
    elif kind == "ties":
        cells = (cells * 3).round()
    elif kind == "far":
        cells = cells * 0.001 + 300.0
    elif kind == "unusual":
        cells[:700] = -torch.inf
        cells[3, 4], cells[5, 6] = torch.nan, torch.inf
    elif kind == "tiny":
        cells *= 1e-41
    elif kind == "one":
        cells = torch.tensor([[-2.5]])
    found = finish(statistics([plate(part) for part in cells.split(600)], Pyramids(1).cells))
    exact = cells.double().numpy()
    finite = exact[np.isfinite(exact)]
    assert (found.min, found.max) == (finite.min(), finite.max())
    assert found.mean == pytest.approx(finite.mean(), rel=1e-9)
    assert found.deviation == pytest.approx(finite.std(), rel=1e-9)
    assert found.percentile == pytest.approx(np.percentile(np.abs(finite), 99.5), rel=1e-12)
    assert found.zeros == (exact == 0).mean()
    assert (found.nan, found.infinite) == (np.isnan(exact).sum(), np.isinf(exact).sum())


def test_statistics_of_nothing_but_infinities() -> None:
    found = finish(statistics([plate(torch.full((3, 4), -torch.inf))], Pyramids(1).cells))
    assert (found.min, found.mean, found.percentile, found.infinite, found.zeros) == (None, None, None, 12, 0.0)


@pytest.mark.parametrize(
    "rows, cols, level", [(32, 32, 0), (33, 1, 1), (768, 768, 5), (768, 3072, 7), (50257, 768, 11)]
)
def test_a_thumbnail_is_as_fine_as_fits(rows: int, cols: int, level: int) -> None:
    assert level_of(rows, cols) == level
    assert max(math.ceil(rows / 2**level), math.ceil(cols / 2**level)) <= 32


def test_halves_of_large_numbers_are_scaled() -> None:
    tile = halves(torch.tensor([[3e6, -1.0, math.inf]]))
    assert tile.scale == 64
    np.testing.assert_allclose(numbers(tile), [[3e6, -1.0, math.inf]], rtol=1e-3)
