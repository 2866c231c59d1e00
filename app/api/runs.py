"""The calls about runs: making one, reading every number of it, seeing it through a lens, forgetting it."""

import asyncio
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Query, Request, Response
from torch import Tensor

from ..lenses import LENSES, Lens, LensError
from ..lenses import Format as LensFormat
from ..runs.run import Event, Run
from ..transformer.names import resolve_name
from . import schemas
from .atlas import AtlasOf, activations_answer, run_answer
from .errors import ApiError, failed_run, refusals, unknown_tensor
from .numbers import NUMBERS, Format, checked_index, numbers_answer

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
async def make_run(atlas: AtlasOf, request: Request, response: Response, question: schemas.RunQuestion) -> object:
    """Run a model on a text or on tokens, and keep every number it makes; waits for the end unless told not to."""
    run = await asyncio.to_thread(atlas.make_run, question, question.interventions)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    def listen(event: Event) -> None:
        if event in ("done", "failed"):
            loop.call_soon_threadsafe(over.set)

    stop = run.listen(listen)
    atlas.start(run, None)
    if not question.wait:
        stop()
        response.status_code = 202
        return await atlas.read(lambda: run_answer(run))
    await _wait(run, over, request)
    stop()
    if run.state == "failed":
        raise failed_run(run)
    return await atlas.read(lambda: run_answer(run))


async def _wait(run: Run, over: asyncio.Event, request: Request) -> None:
    """Wait until the run is over; a client that has gone away takes its run with it."""
    while not over.is_set():
        try:
            await asyncio.wait_for(over.wait(), _PRESENCE_SECONDS)
        except TimeoutError:
            if await request.is_disconnected():
                run.cancel()


@router.get("/runs/{run_id}", response_model=schemas.RunAnswer)
async def get_run(atlas: AtlasOf, run_id: str) -> object:
    """Return a run as it stands."""
    run = atlas.run(run_id)
    return await atlas.read(lambda: run_answer(run))


@router.delete("/runs/{run_id}", status_code=204)
async def delete_run(atlas: AtlasOf, run_id: str) -> None:
    """End a run and forget everything captured of it."""
    atlas.run(run_id).cancel()
    atlas.store.forget(run_id)


@router.get("/runs/{run_id}/activations")
async def activations(atlas: AtlasOf, run_id: str) -> schemas.Activations:
    """List everything that can be read of a run so far."""
    run = atlas.run(run_id)
    return schemas.Activations(activations=await atlas.read(lambda: activations_answer(run)))


@router.get("/runs/{run_id}/activations/{name}", response_model=schemas.Numbers, responses=NUMBERS)
async def activation(
    atlas: AtlasOf,
    run_id: str,
    name: str,
    index: Annotated[str, Query(max_length=400, description="a slice, such as 0,:,3:9")] = "",
    format: Format = "json",
    minus: Minus = None,
) -> Response:
    """Read numbers of an activation, by its own name, or as `hidden_states[k]` or `attentions[i]`."""
    run = atlas.run(run_id)
    less = None if minus is None else atlas.difference(run, minus)
    recorder, own = run.recorder, computed_name(run, name)
    axes, shape = recorder.info(own).axes, recorder.shape(own)
    chosen = checked_index(index, shape, axes, format, atlas.settings)
    rows = shape[recorder.row_axis(own)]

    def read() -> Tensor:
        # What comes in while the slice is cut takes no part: rows and keys are those counted above.
        tensor = recorder.read(own, 0, rows) if less is None else less.rows(own, 0, rows, torch.nan)
        return tensor[..., : shape[-1]] if axes[-1] == "key_pos" else tensor

    derived = recorder.derived(own)
    return await atlas.read(lambda: numbers_answer(read, own, axes, shape, derived, format, chosen))


def computed_name(run: Run, name: str) -> str:
    """Return an activation's own name, if any of it has been computed, or the refusal."""
    own = resolve_name(name, run.loaded.spec)
    if own not in run.recorder.names or not run.recorder.rows(own):
        raise unknown_tensor(name, f"/api/v1/runs/{run.id}/activations")
    return own


@router.get("/runs/{run_id}/scales")
async def scales(atlas: AtlasOf, run_id: str, by: schemas.ScaleOf = "kind", minus: Minus = None) -> schemas.Scales:
    """Return the colour scales of a run's activations, by kind of tensor or by tensor, from its prompt."""
    run = atlas.run(run_id)
    if minus is not None:
        less = atlas.difference(run, minus)
        return schemas.Scales(scales=await atlas.read(lambda: less.scales(by == "tensor")))
    return schemas.Scales(scales=await atlas.read(run.scales.update if by == "kind" else run.scales.by_tensor))


@router.get("/runs/{run_id}/pairing")
async def pairing(
    atlas: AtlasOf, run_id: str, minus: Annotated[str, Query(max_length=100, description="the other run")]
) -> schemas.Pairing:
    """Tell which positions of two runs are compared where one is taken from the other."""
    less = atlas.difference(atlas.run(run_id), minus)

    def pairs(partners: Tensor) -> list[int | None]:
        return [partner if partner >= 0 else None for partner in partners.tolist()]

    found = await atlas.read(lambda: (pairs(less.partners), pairs(less.source_partners)))
    return schemas.Pairing(run=run_id, minus=minus, pairs=found[0], source_pairs=found[1])


@router.get("/runs/{run_id}/lenses")
async def lenses(atlas: AtlasOf, run_id: str) -> schemas.Lenses:
    """List what a run can be seen through."""
    run = atlas.run(run_id)
    return schemas.Lenses(lenses=await atlas.read(lambda: [_lens_answer(lens, run) for lens in LENSES.values()]))


def _lens_answer(lens: Lens, run: Run) -> schemas.LensInfo:
    """Describe a lens as it stands to a run; what can be chosen is listed where the lens applies."""
    reason = lens.applies(run.loaded.spec)
    parameters = lens.parameters(run) if reason is None else ()
    return schemas.LensInfo(
        name=lens.name,
        title=lens.title,
        group=lens.group,
        applies=reason is None,
        reason=reason,
        reading=lens.reading,
        misreadings=list(lens.misreadings),
        parameters=[
            schemas.LensParameter(**{**vars(parameter), "choices": list(parameter.choices)}) for parameter in parameters
        ],
    )


@router.get("/runs/{run_id}/lenses/{lens}", responses=_SEEN)
async def see(atlas: AtlasOf, request: Request, run_id: str, lens: str, format: LensFormat = "json") -> Response:
    """See a run through a lens; its parameters are those that `GET /runs/{run_id}/lenses` lists."""
    run = atlas.run(run_id)
    if lens not in LENSES:
        raise ApiError(404, "unknown_lens", f"there is no lens {lens!r}", f"There are: {', '.join(LENSES)}.")
    asked = {key: value for key, value in request.query_params.items() if key != "format"}
    try:
        with refusals():
            content = await atlas.look(lambda: LENSES[lens].see(run, asked).write(format))
    except LensError as error:
        raise ApiError(422, "bad_lens", str(error), error.hint) from error
    headers = {"Content-Security-Policy": _SANDBOX} if format == "html" else None
    return Response(content, media_type=_MEDIA.get(format, "application/json"), headers=headers)
