"""The calls for pieces of plates: tiles at any zoom, statistics of a tensor, and the thumbnails of a whole model."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from ..runs.plates import (
    HEAD_AXES,
    Plate,
    activation_plate,
    plate_axes,
    plate_indices,
    steps_read,
    weight_plate,
)
from ..runs.pooling import Pool
from ..runs.run import Run
from ..runs.statistics import statistics
from ..runs.thumbnails import thumbnails
from ..runs.tiles import Tile, check_tile
from . import schemas
from .atlas import Atlas, AtlasOf
from .errors import ApiError, refusals
from .models import weight_info
from .runs import Minus, computed_name

router = APIRouter(tags=["tiles"])
_STATISTICS_KEPT = 4096
_FOR_EVER = "public, max-age=31536000, immutable"
_NUMBERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "description": "little-endian half floats, row by row",
    }
}

Place = Annotated[int, Path(description="counted from 0")]
Head = Annotated[int | None, Query(description="the plate of a tensor with this axis")]
Version = Annotated[str | None, Query(max_length=64, description="the model's fingerprint: then cached for ever")]


@router.get("/models/{model_id}/weights/{name}/tiles/{level}/{row}/{col}", responses=_NUMBERS)
async def weight_tile(
    atlas: AtlasOf,
    request: Request,
    model_id: str,
    name: str,
    level: Place,
    row: Place,
    col: Place,
    head: Head = None,
    kv_head: Head = None,
    pool: Pool = "mean",
    v: Version = None,
) -> Response:
    """Read 256 x 256 numbers of a plate of a weight, each of 2^level x 2^level cells; less at its edges."""
    info = weight_info(atlas.entry(model_id), name)
    loaded = await atlas.loaded(model_id)
    with refusals():
        plate = weight_plate(loaded, name, _index(name, info.axes, head, kv_head))
        tag = f'"{loaded.fingerprint}"'
        headers = {"ETag": tag, "Cache-Control": _FOR_EVER if v == loaded.fingerprint else "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return await _tile(atlas, plate, level, row, col, pool, headers)


@router.get("/runs/{run_id}/activations/{name}/tiles/{level}/{row}/{col}", responses=_NUMBERS)
async def activation_tile(
    atlas: AtlasOf,
    run_id: str,
    name: str,
    level: Place,
    row: Place,
    col: Place,
    head: Head = None,
    kv_head: Head = None,
    step: Annotated[int | None, Query(ge=0, description="as it was once this many written tokens were read")] = None,
    pool: Pool = "mean",
    minus: Minus = None,
) -> Response:
    """Read 256 x 256 numbers of a plate of an activation, as far as it has been computed."""
    run = atlas.run(run_id)
    own = computed_name(run, name)
    positions = None if step is None else len(run.prompt) + step
    if step is not None and step > (last := steps_read(run, own)):
        raise ApiError(404, "unknown_step", f"{own} has not grown by step {step}", f"It has by {last} steps so far.")
    with refusals():
        index = _index(own, run.recorder.info(own).axes, head, kv_head)
        if minus is None:
            plate = activation_plate(run, own, index, positions)
            final = run.finished or step is not None
        else:
            plate, final = _difference(atlas, run, own, index, step, minus), False
        headers = {"Cache-Control": "private, max-age=3600" if final else "no-store"}
        return await _tile(atlas, plate, level, row, col, pool, headers)


@router.get("/models/{model_id}/weights/{name}/stats")
async def weight_statistics(atlas: AtlasOf, model_id: str, name: str) -> schemas.TensorStatistics:
    """Measure all numbers of a weight."""
    entry = atlas.entry(model_id)
    info, loaded = weight_info(entry, name), await atlas.loaded(model_id)
    shape = entry.graph.shape(info)
    plates = [weight_plate(loaded, name, index) for index in plate_indices(info.axes, shape)]
    return await _statistics(atlas, name, shape, plates)


@router.get("/runs/{run_id}/activations/{name}/stats")
async def activation_statistics(
    atlas: AtlasOf, run_id: str, name: str, minus: Minus = None
) -> schemas.TensorStatistics:
    """Measure all numbers of an activation that have been computed."""
    run = atlas.run(run_id)
    own = computed_name(run, name)
    axes, shape, positions = run.recorder.info(own).axes, run.recorder.shape(own), run.recorder.rows(own)
    indices = plate_indices(axes, shape)
    if minus is None:
        plates = [activation_plate(run, own, index, positions) for index in indices]
    else:
        less = atlas.difference(run, minus)
        plates = [less.plate(own, index) for index in indices]
    return await _statistics(atlas, own, shape, plates)


@router.get("/models/{model_id}/thumbnails", responses=_NUMBERS)
async def model_thumbnails(
    atlas: AtlasOf, request: Request, model_id: str, pool: Pool = "mean", v: Version = None
) -> Response:
    """Pool every plate of a model's weights to at most 32 x 32 numbers; docs/reference/tiles.md describes the file."""
    atlas.entry(model_id)
    loaded = await atlas.loaded(model_id)
    tag = f'"{loaded.fingerprint}"'
    headers = {"ETag": tag, "Cache-Control": _FOR_EVER if v == loaded.fingerprint else "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    content = await atlas.read(lambda: atlas.thumbnails.take(loaded, pool))
    if content is None:
        content = await atlas.cut(thumbnails(loaded, pool))
        assert content is not None
        made = content
        await atlas.read(lambda: atlas.thumbnails.put(loaded, pool, made))
    return Response(content, media_type="application/octet-stream", headers=headers)


def _difference(atlas: Atlas, run: Run, name: str, index: list[int], step: int | None, minus: str) -> Plate:
    if step is not None:
        raise ApiError(422, "invalid", "step and minus cannot be given together", "Leave one of them out.")
    return atlas.difference(run, minus).plate(name, index)


def _index(name: str, axes: Sequence[str], head: int | None, kv_head: int | None) -> list[int]:
    """Read the plate's index among a tensor's plates from the parameters that were given."""
    given = {"head": head, "kv_head": kv_head}
    named = [axes[place] for place in plate_axes(axes)]
    for axis, part in given.items():
        if part is not None and axis not in named:
            hint = f"Give {', '.join(named)}." if named else "Leave it out: this tensor is one plate."
            raise ApiError(422, "unknown_plate", f"{name} [{', '.join(axes)}] has no axis {axis}", hint)
    return [part for axis in named if axis in HEAD_AXES and (part := given[axis]) is not None]


async def _tile(
    atlas: Atlas, plate: Plate, level: int, row: int, col: int, pool: Pool, headers: dict[str, str]
) -> Response:
    check_tile(plate.name, plate.rows, plate.cols, level, row, col)
    tile: Tile | None = await atlas.cut(atlas.pyramids.tile(plate, level, row, col, pool))
    assert tile is not None
    described = {"X-Atlas-Scale": repr(tile.scale), "X-Atlas-Shape": ",".join(map(str, tile.shape))}
    return Response(tile.payload, media_type="application/octet-stream", headers={**headers, **described})


async def _statistics(
    atlas: Atlas, name: str, shape: Sequence[int], plates: Sequence[Plate]
) -> schemas.TensorStatistics:
    key = (plates[0].key, tuple(shape))
    found = atlas.statistics.get(key)
    if found is None:
        found = await atlas.cut(statistics(plates, atlas.pyramids.cells))
        assert found is not None
        atlas.statistics[key] = found
        if len(atlas.statistics) > _STATISTICS_KEPT:
            atlas.statistics.popitem(last=False)
    values = {key: value for key, value in asdict(found).items() if key != "count"}
    return schemas.TensorStatistics(name=name, shape=list(shape), **values)
