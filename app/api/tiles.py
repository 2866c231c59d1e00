"""The calls for pieces of plates: tiles at any zoom, statistics of a tensor, and the thumbnails of a whole model."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from ..engine.local_model import LocalModel
from ..engine.values import Measured
from ..runs.pooling import Pool
from ..runs.tiles import Tile
from . import schemas
from .runs import Minus
from .services import ServicesOf

router = APIRouter(tags=["tiles"])
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
    services: ServicesOf,
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
    model = services.model(model_id)
    model.weight(name)
    tag, headers = await _kept_by(model, v)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return _tile(await model.tile(name, level, row, col, _heads(head, kv_head), pool), headers)


@router.get("/runs/{run_id}/activations/{name}/tiles/{level}/{row}/{col}", responses=_NUMBERS)
async def activation_tile(
    services: ServicesOf,
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
    run = services.in_hand(run_id)
    final = minus is None and (run.over or step is not None)
    tile = await run.tile(name, level, row, col, _heads(head, kv_head), pool, step, minus)
    return _tile(tile, {"Cache-Control": "private, max-age=3600" if final else "no-store"})


@router.get("/models/{model_id}/weights/{name}/stats")
async def weight_statistics(services: ServicesOf, model_id: str, name: str) -> schemas.TensorStatistics:
    """Measure all numbers of a weight."""
    return _statistics(await services.model(model_id).statistics(name))


@router.get("/runs/{run_id}/activations/{name}/stats")
async def activation_statistics(
    services: ServicesOf, run_id: str, name: str, minus: Minus = None
) -> schemas.TensorStatistics:
    """Measure all numbers of an activation that have been computed."""
    return _statistics(await services.in_hand(run_id).statistics(name, minus))


@router.get("/models/{model_id}/thumbnails", responses=_NUMBERS)
async def model_thumbnails(
    services: ServicesOf, request: Request, model_id: str, pool: Pool = "mean", v: Version = None
) -> Response:
    """Pool every plate of a model's weights to at most 32 x 32 numbers; docs/reference/tiles.md describes the file."""
    model = services.model(model_id)
    tag, headers = await _kept_by(model, v)
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(await model.thumbnails(pool), media_type="application/octet-stream", headers=headers)


async def _kept_by(model: LocalModel, version: str | None) -> tuple[str, dict[str, str]]:
    """Return a model's tag, and the headers that say how long what is made of its weights may be kept."""
    fingerprint = (await model.loaded()).fingerprint
    tag = f'"{fingerprint}"'
    return tag, {"ETag": tag, "Cache-Control": _FOR_EVER if version == fingerprint else "no-cache"}


def _heads(head: int | None, kv_head: int | None) -> dict[str, int]:
    """Return what was given of a plate."""
    given = {"head": head, "kv_head": kv_head}
    return {axis: index for axis, index in given.items() if index is not None}


def _tile(tile: Tile, headers: dict[str, str]) -> Response:
    described = {"X-Atlas-Scale": repr(tile.scale), "X-Atlas-Shape": ",".join(map(str, tile.shape))}
    return Response(tile.payload, media_type="application/octet-stream", headers={**headers, **described})


def _statistics(found: Measured) -> schemas.TensorStatistics:
    values = {key: value for key, value in asdict(found.statistics).items() if key != "count"}
    return schemas.TensorStatistics(name=found.name, shape=list(found.shape), **values)
