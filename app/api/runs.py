"""The calls about runs: making one, reading every number of it, seeing it through a lens, forgetting it."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from ..engine.port import RunHandle
from ..lenses import Format as LensFormat
from . import schemas
from .answers import activations_answer, lens_answer, run_answer, spec_of
from .numbers import NUMBERS, Format, most_of, numbers_answer
from .services import ServicesOf

router = APIRouter(tags=["runs"])
Minus = Annotated[
    str | None, Query(max_length=100, description="another run: numbers come less that run's, paired by tokens")
]
_PRESENCE_SECONDS = 0.5
# A figure as one file runs its own script; it may reach nothing else, not even this server.
_SANDBOX = "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; " \
    "style-src 'unsafe-inline'; img-src data: blob:"  # fmt: skip
_MEDIA = {"csv": "text/csv", "html": "text/html"}
_SEEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "as `format` says: the lens's numbers, a page's table, or a Plotly figure in JSON; or a file",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            **{f"{media}; charset=utf-8": {"schema": {"type": "string"}} for media in _MEDIA.values()},
        },
    }
}


@router.post("/runs", response_model=schemas.RunAnswer, responses={202: {"model": schemas.RunAnswer}})
async def make_run(services: ServicesOf, request: Request, response: Response, question: schemas.RunQuestion) -> object:
    """Run a model on a text or on tokens, and keep every number it makes; waits for the end unless told not to."""
    run = await services.engine.start(spec_of(question))
    if not question.wait:
        response.status_code = 202
        return await run.describe_as(run_answer)
    await _wait(run, request)
    if run.failure is not None:
        raise run.failure
    return await run.describe_as(run_answer)


async def _wait(run: RunHandle, request: Request) -> None:
    """Wait until the run is over; a client that has gone away takes its run with it."""
    over = asyncio.create_task(run.finished())
    try:
        while not (await asyncio.wait({over}, timeout=_PRESENCE_SECONDS))[0]:
            if await request.is_disconnected():
                run.cancel()
    finally:
        over.cancel()


@router.get("/runs/{run_id}", response_model=schemas.RunAnswer)
async def get_run(services: ServicesOf, run_id: str) -> object:
    """Return a run as it stands."""
    return await services.in_hand(run_id).describe_as(run_answer)


@router.delete("/runs/{run_id}", status_code=204)
async def delete_run(services: ServicesOf, run_id: str) -> None:
    """End a run and forget everything captured of it."""
    services.in_hand(run_id).forget()


@router.get("/runs/{run_id}/activations")
async def activations(services: ServicesOf, run_id: str) -> schemas.Activations:
    """List everything that can be read of a run so far."""
    found = await services.in_hand(run_id).activations()
    return schemas.Activations(activations=activations_answer(found))


@router.get("/runs/{run_id}/activations/{name}", response_model=schemas.Numbers, responses=NUMBERS)
async def activation(
    services: ServicesOf,
    run_id: str,
    name: str,
    index: Annotated[str, Query(max_length=400, description="a slice, such as 0,:,3:9")] = "",
    format: Format = "json",
    minus: Minus = None,
) -> Response:
    """Read numbers of an activation, by its own name, or as `hidden_states[k]` or `attentions[i]`."""
    run, most = services.in_hand(run_id), most_of(format, services.settings)
    return await run.rows_as(lambda rows: numbers_answer(rows, format), name, index, minus, most)


@router.get("/runs/{run_id}/scales")
async def scales(
    services: ServicesOf, run_id: str, by: schemas.ScaleOf = "kind", minus: Minus = None
) -> schemas.Scales:
    """Return the colour scales of a run's activations, by kind of tensor or by tensor, from its prompt."""
    found = await services.in_hand(run_id).scales(by == "tensor", minus)
    return schemas.Scales(scales=dict(found))


@router.get("/runs/{run_id}/pairing")
async def pairing(
    services: ServicesOf, run_id: str, minus: Annotated[str, Query(max_length=100, description="the other run")]
) -> schemas.Pairing:
    """Tell which positions of two runs are compared where one is taken from the other."""
    pairs, source_pairs = await services.in_hand(run_id).pairing(minus)
    return schemas.Pairing(run=run_id, minus=minus, pairs=pairs, source_pairs=source_pairs)


@router.get("/runs/{run_id}/lenses")
async def lenses(services: ServicesOf, run_id: str) -> schemas.Lenses:
    """List what a run can be seen through."""
    offers = await services.in_hand(run_id).lenses()
    return schemas.Lenses(lenses=[lens_answer(lens) for lens in offers])


@router.get("/runs/{run_id}/lenses/{lens}", responses=_SEEN)
async def see(services: ServicesOf, request: Request, run_id: str, lens: str, format: LensFormat = "json") -> Response:
    """See a run through a lens; its parameters are those that `GET /runs/{run_id}/lenses` lists."""
    asked = {key: value for key, value in request.query_params.items() if key != "format"}
    content = await services.in_hand(run_id).lens(lens, asked, format)
    headers = {"Content-Security-Policy": _SANDBOX} if format == "html" else None
    return Response(content, media_type=_MEDIA.get(format, "application/json"), headers=headers)
