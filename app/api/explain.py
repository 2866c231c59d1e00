"""The calls that explain: where one number comes from, where it goes, and whether the model computes what it should."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from ..runs.compare_cells import compare_cells
from ..runs.explain import ExplainError, explain_cell, explain_weight
from ..runs.explanation import Beside, Explanation
from ..runs.self_check import Parity
from ..transformer.names import resolve_name
from . import schemas
from .atlas import AtlasOf
from .errors import ApiError, refusals

router = APIRouter(tags=["explaining"])
Answered = TypeVar("Answered")
_STATUS = {"unknown_tensor": 404, "not_computed": 409, "inputs_missing": 409, "needs_run": 422}
CellIndex = Annotated[str, Query(max_length=200, description="one index per axis, such as 3,1,5")]
Direction = Annotated[Literal["backward", "forward"], Query(description="what made the cell, or what it feeds")]
Terms = Annotated[int, Query(ge=0, le=4096, description="terms listed, and values of an operand at most")]


@router.get("/runs/{run_id}/explain/{name}")
async def explain(
    atlas: AtlasOf,
    run_id: str,
    name: str,
    index: CellIndex = "",
    direction: Direction = "backward",
    terms: Terms = 32,
) -> Explanation:
    """Explain one cell of a run, an activation's or a weight's: the arithmetic that made it, or the cells it feeds."""
    run = atlas.run(run_id)
    own = resolve_name(name, run.loaded.spec)
    return await atlas.read(lambda: _answer(lambda: explain_cell(run, own, index, direction, terms)))


@router.get("/runs/{run_id}/explain/{name}/beside/{other}")
async def explain_beside(
    atlas: AtlasOf,
    run_id: str,
    name: str,
    other: str,
    index: CellIndex = "",
    other_index: CellIndex = "",
    terms: Annotated[int, Query(ge=0, le=4096, description="pairs of terms listed")] = 8,
) -> Beside:
    """Compare two cells of a run: the first less the second, and the terms in which they differ most."""
    run = atlas.run(run_id)
    one, two = (resolve_name(given, run.loaded.spec) for given in (name, other))
    return await atlas.read(lambda: _answer(lambda: compare_cells(run, one, index, two, other_index, terms)))


@router.get("/models/{model_id}/explain/{name}")
async def explain_of_weight(
    atlas: AtlasOf, model_id: str, name: str, index: CellIndex = "", direction: Direction = "forward"
) -> Explanation:
    """Explain one cell of a weight, without a run: its number, the lines through it, and what it acts on."""
    atlas.entry(model_id)
    return await atlas.read(lambda: _answer(lambda: explain_weight(atlas.load(model_id), name, index, direction)))


@router.get("/models/{model_id}/parity", response_model=Parity, responses={202: {"model": schemas.ParityProgress}})
async def parity(
    atlas: AtlasOf,
    model_id: str,
    wait: Annotated[bool, Query(description="until it is done; otherwise 202 says how far it is")] = True,
) -> object:
    """Measure how far a model is from a float64 recomputation of its graph; made when first asked for, then kept."""
    atlas.entry(model_id)
    loaded = await atlas.read(lambda: atlas.load(model_id))
    with refusals():
        check = atlas.self_checks.of(loaded)
    if not wait and not check.report.done():
        progress = schemas.ParityProgress(model=model_id, done=check.done, operations=check.operations)
        return JSONResponse(progress.model_dump(), 202)
    try:
        report = await asyncio.shield(asyncio.wrap_future(check.report))
    except Exception as error:
        raise ApiError(
            500, "parity_failed", f"the comparison broke off: {type(error).__name__}: {error}", "Ask again."
        ) from error
    return report


def _answer(explained: Callable[[], Answered]) -> Answered:
    """Return what was asked for, or the refusal."""
    with refusals():
        try:
            return explained()
        except ExplainError as error:
            raise ApiError(_STATUS[error.kind], error.kind, str(error), error.hint) from error
