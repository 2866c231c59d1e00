"""The calls that explain: where one number comes from, where it goes, and whether the model computes what it should."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from ..runs.explanation import Beside, Explanation
from ..runs.self_check import Parity
from . import schemas
from .services import ServicesOf

router = APIRouter(tags=["explaining"])
CellIndex = Annotated[str, Query(max_length=200, description="one index per axis, such as 3,1,5")]
Direction = Annotated[Literal["backward", "forward"], Query(description="what made the cell, or what it feeds")]
Terms = Annotated[int, Query(ge=0, le=4096, description="terms listed, and values of an operand at most")]


@router.get("/runs/{run_id}/explain/{name}")
async def explain(
    services: ServicesOf,
    run_id: str,
    name: str,
    index: CellIndex = "",
    direction: Direction = "backward",
    terms: Terms = 32,
) -> Explanation:
    """Explain one cell of a run, an activation's or a weight's: the arithmetic that made it, or the cells it feeds."""
    return await services.in_hand(run_id).explain(name, index, direction, terms)


@router.get("/runs/{run_id}/explain/{name}/beside/{other}")
async def explain_beside(
    services: ServicesOf,
    run_id: str,
    name: str,
    other: str,
    index: CellIndex = "",
    other_index: CellIndex = "",
    terms: Annotated[int, Query(ge=0, le=4096, description="pairs of terms listed")] = 8,
) -> Beside:
    """Compare two cells of a run: the first less the second, and the terms in which they differ most."""
    return await services.in_hand(run_id).compare(name, index, other, other_index, terms)


@router.get("/models/{model_id}/explain/{name}")
async def explain_of_weight(
    services: ServicesOf, model_id: str, name: str, index: CellIndex = "", direction: Direction = "forward"
) -> Explanation:
    """Explain one cell of a weight, without a run: its number, the lines through it, and what it acts on."""
    return await services.model(model_id).explain(name, index, direction)


@router.get("/models/{model_id}/parity", response_model=Parity, responses={202: {"model": schemas.ParityProgress}})
async def parity(
    services: ServicesOf,
    model_id: str,
    wait: Annotated[bool, Query(description="until it is done; otherwise 202 says how far it is")] = True,
) -> object:
    """Measure how far a model is from a float64 recomputation of its graph; made when first asked for, then kept."""
    model = services.model(model_id)
    check = await model.self_check()
    if not wait and not check.report.done():
        progress = schemas.ParityProgress(model=model_id, done=check.done, operations=check.operations)
        return JSONResponse(progress.model_dump(), 202)
    return await model.parity()
