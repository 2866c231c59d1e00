"""The calls about models: what there is, how they are built, and their weights."""

from dataclasses import asdict
from functools import cache
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from .. import __version__
from ..checkpoints.entry import ModelEntry
from ..lenses import LENSES
from ..transformer.graph import Graph
from ..transformer.wording import formula
from . import schemas
from .answers import token_answer
from .errors import refusals
from .numbers import FORMATS, NUMBERS, Format, most_of, numbers_answer
from .services import Services, ServicesOf

router = APIRouter(tags=["models"])
_LIMITS = (
    "connections", "connections_per_address", "header_seconds", "body_seconds", "answer_seconds",
    "body_bytes", "text_bytes", "interventions", "slice_elements", "json_elements", "attention_bytes",
    "tile_cache_bytes", "tile_queue", "run_store_bytes", "runs_held", "runs_per_socket", "idle_seconds",
    "queue_length", "client_queue", "sockets", "client_sockets", "message_bytes", "wished_items",
    "wished_patterns", "beat_seconds", "window_frames", "window_bytes", "frame_bytes",
)  # fmt: skip


@router.get("/health")
async def health() -> schemas.Health:
    """Tell whether the server is alive."""
    return schemas.Health(version=__version__)


@router.get("/capabilities")
async def capabilities(services: ServicesOf) -> schemas.Capabilities:
    """Describe what this server can do, and its limits."""
    return schemas.Capabilities(
        version=__version__,
        device=services.engine.models.catalog.device,
        dtype=str(services.engine.models.catalog.dtype).removeprefix("torch."),
        threads=services.engine.executor.threads,
        default_model=services.engine.models.default(),
        lenses=list(LENSES),
        formats=list(FORMATS),
        limits={name: getattr(services.settings, name) for name in _LIMITS},
        runs_held=len(services.engine.store.runs()),
        run_bytes=services.engine.store.nbytes,
    )


@router.get("/models")
async def models(services: ServicesOf) -> schemas.Models:
    """List every model, the default one first."""
    default = services.engine.models.default()
    entries = sorted(services.engine.models.catalog.entries(), key=lambda entry: entry.id != default)
    return schemas.Models(models=[schemas.ModelSummary(**_summary(services, entry)) for entry in entries])


@router.get("/models/{model_id}")
async def model(services: ServicesOf, model_id: str) -> schemas.ModelDetail:
    """Describe a model: its spec and card."""
    entry = services.entry(model_id)
    return schemas.ModelDetail(
        **_summary(services, entry),
        spec=entry.spec,
        card=await services.read(lambda: entry.card),
        **await services.read(lambda: _frame(entry)),
        start_ids=list(entry.start_ids),
        fingerprint=services.load(model_id).fingerprint if services.engine.models.catalog.is_loaded(model_id) else None,
    )


@router.get("/models/{model_id}/graph", response_model=schemas.Graph)
async def graph(services: ServicesOf, model_id: str) -> Response:
    """List all tensors and operations of a model; token axes have the context length, their upper bound."""
    entry = services.entry(model_id)
    return Response(await services.read(lambda: _graph_json(entry)), media_type="application/json")


@router.get("/models/{model_id}/ops")
async def ops(
    services: ServicesOf,
    model_id: str,
    start: Annotated[int, Query(ge=0, description="the first, in the order of computing")] = 0,
    count: Annotated[int, Query(ge=1, le=256, description="how many")] = 64,
) -> schemas.Operations:
    """Describe what a model computes, operation by operation: formula and sentence of each."""
    graph = services.entry(model_id).graph
    return await services.read(lambda: _worded(graph, start, count))


@router.get("/models/{model_id}/scales")
async def scales(services: ServicesOf, model_id: str, by: schemas.ScaleOf = "kind") -> schemas.Scales:
    """Return the colour scales of the weights, by kind of tensor or by tensor."""
    return schemas.Scales(scales=dict(await services.model(model_id).scales(by == "tensor")))


@router.get("/models/{model_id}/weights/{name}", response_model=schemas.Numbers, responses=NUMBERS)
async def weights(
    services: ServicesOf,
    request: Request,
    model_id: str,
    name: str,
    index: Annotated[str, Query(max_length=400, description="a slice, such as 0,:,3:9")] = "",
    format: Format = "json",
) -> Response:
    """Read numbers of a weight."""
    model, most = services.model(model_id), most_of(format, services.settings)
    model.slice(name, index, most)
    tag = f'"{(await model.loaded()).fingerprint}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    answer = await model.rows_as(lambda rows: numbers_answer(rows, format), name, index, most)
    answer.headers["ETag"], answer.headers["Cache-Control"] = tag, "no-cache"
    return answer


@router.post("/models/{model_id}/tokenize")
async def tokenize(services: ServicesOf, model_id: str, question: schemas.TokenizeQuestion) -> schemas.Tokens:
    """Tokenize a text as the model reads it, its prefix included."""
    tokens = await services.model(model_id).tokenize(question.text)
    return schemas.Tokens(tokens=[token_answer(token) for token in tokens])


def _frame(entry: ModelEntry) -> dict[str, Any]:
    """Describe what stands around a text, and what is not done or drawn; known once the tokenizer has been read."""
    with refusals():
        frame, not_obeyed, left_out = entry.frame, entry.not_obeyed, entry.left_out
    return {
        "prefix_ids": list(frame.prefix),
        "suffix_ids": list(frame.suffix),
        "end_of_text_id": frame.end_of_text,
        "end_ids": list(frame.ends),
        "not_obeyed": list(not_obeyed),
        "left_out": [schemas.LeftOut(name=name, shape=list(shape)) for name, shape in left_out.items()],
    }


def _summary(services: Services, entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "description": entry.description,
        "kind": entry.spec.kind,
        "parameters": entry.graph.parameter_count,
        "size_bytes": entry.size_bytes,
        "loaded": services.engine.models.catalog.is_loaded(entry.id),
        "bundled": entry.bundled,
        "has_tokenizer": entry.has_tokenizer,
        "no_tokenizer": entry.no_tokenizer,
        "no_head": entry.no_head,
        "positions": entry.spec.positions,
        "source_positions": entry.spec.source_positions,
        "mask_id": entry.mask_id,
        "default_text": entry.default_text,
        "default_new_tokens": entry.default_new_tokens,
        "default_temperature": entry.default_temperature,
    }


@cache
def _graph_json(entry: ModelEntry) -> bytes:
    graph = entry.graph
    tensors = [{**asdict(tensor), "shape": graph.shape(tensor)} for tensor in graph.tensors]
    return orjson.dumps({"tensors": tensors, "ops": [asdict(op) for op in graph.ops], "sizes": graph.sizes})


def _worded(graph: Graph, start: int, count: int) -> schemas.Operations:
    """Put some operations into words, none where `start` lies beyond the last."""
    return schemas.Operations(
        ops=[
            schemas.Operation(
                number=number, output=op.output, kind=op.kind, title=op.title, equation=op.equation,
                constants=dict(op.constants), **vars(formula(graph, op)),
            )
            for number, op in enumerate(graph.ops[start : start + count], start)
        ],
        count=len(graph.ops),
    )  # fmt: skip
