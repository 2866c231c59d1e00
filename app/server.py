"""Puts the parts together: settings, catalog, API, pages."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import torch
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import JSONResponse

from . import __version__, pages
from .api import errors, explain, lessons, models, pulls, runs, specification, stream, tiles
from .api.clients import address_of, client
from .api.services import Services
from .checkpoints.catalog import Catalog
from .checkpoints.rendering import Renderer
from .connections import Complaints
from .engine.errors import EngineError
from .engine.local import LocalEngine
from .hosts import Hosts
from .lessons.library import Library
from .runs.clients import Client
from .settings import Settings
from .threads import compute_with, cores

_DESCRIPTION = "Every number in a transformer, under a name: models, their weights, and runs with their activations."
_SWEEP_SECONDS = 15
# Threads on which models are loaded and prompts are made into runs.
_LOADERS = 4
# What every answer says to browsers.
_EVERY = {
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def choose_device(wish: str) -> str:
    """Choose the device to compute on.

    Raises:
        ValueError: CUDA was asked for and is not there.
    """
    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wish == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device can be used here; start with --device cpu")
    return wish


def _room_for_models(settings: Settings, device: str) -> int:
    """Return the bytes that loaded models may take: as set, on a GPU at most three quarters of its memory."""
    if device != "cuda":
        return settings.model_bytes
    return min(settings.model_bytes, torch.cuda.get_device_properties(device).total_memory * 3 // 4)


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the whole application.

    Raises:
        CheckpointError: a model folder that cannot be read.
        ValueError: a device that is not there.
    """
    settings = settings or Settings()
    device = choose_device(settings.device)
    catalog = Catalog(
        settings.bundled_models,
        settings.models,
        device,
        _DTYPES[settings.dtype],
        pulled=settings.data / "models",
        limit_bytes=_room_for_models(settings, device),
        renderer=Renderer(settings.template_seconds, settings.template_bytes),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(Complaints())
        loaders = ThreadPoolExecutor(_LOADERS, "atlas-loader", compute_with, (settings.threads or cores(),))
        asyncio.get_running_loop().set_default_executor(loaders)
        engine = LocalEngine(settings, catalog)
        app.state.services, app.state.pulls = Services(settings, engine), pulls.Pulls(catalog, settings.data / "models")
        # The first page asks for the first model: have it in memory by then.
        loading = asyncio.create_task(asyncio.to_thread(_load_first, engine))
        sweeping = asyncio.create_task(_sweep(engine, settings.idle_seconds))
        yield
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        await loading
        app.state.pulls.close()
        await asyncio.to_thread(engine.close)
        catalog.renderer.close()

    app = FastAPI(
        title="Transformer Atlas",
        description=_DESCRIPTION,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.lessons = Library([settings.bundled_lessons, *settings.lessons])
    errors.install(app)
    api = APIRouter(prefix="/api/v1")
    for part in (pulls, models, tiles, explain, runs, lessons, stream):  # pulls first: `pull` is no model's id
        api.include_router(part.router)
    app.include_router(api)
    pages.install(app, catalog)
    specification.install(app)
    app.add_middleware(Edge, hosts=Hosts(settings.host, settings.allowed_hosts), body_bytes=settings.body_bytes)
    return app


class Edge:
    """What holds for every request: the names that the server answers to, bodies of bounded length, HEAD answered as
    GET without a body, and headers that forbid browsers to guess or to embed elsewhere what an answer is."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], hosts: Hosts, body_bytes: int) -> None:
        self._app, self._hosts, self._body_bytes = app, hosts, body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of any kind."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        host = dict(scope["headers"]).get(b"host")
        if not self._hosts.knows(None if host is None else host.decode("latin-1")):
            return await self._misdirected(scope, receive, send, host or b"")
        if scope["type"] == "websocket":
            return await self._app(scope, receive, send)
        client.set(Client(address_of(scope)))
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        received, only_head = 0, scope["method"] == "HEAD"

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_bytes:
                raise HTTPException(413, f"the body has more than {self._body_bytes} bytes")
            return message

        async def marked(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _marked(message["headers"])
            elif only_head:
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if only_head else scope, bounded, marked)

    async def _misdirected(self, scope: Scope, receive: Receive, send: Send, host: bytes) -> None:
        name = host.decode("latin-1")[:200]
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008, "reason": "this server has another name"})
        body = {
            "type": "unknown_host",
            "message": f"this server does not go by the name {name!r}",
            "hint": "Use the address that it printed, or start it with ATLAS_ALLOWED_HOSTS='[\"the.name\"]'.",
        }
        response = JSONResponse({"error": body}, 421)
        response.raw_headers = _marked(response.raw_headers)
        await response(scope, receive, send)


def _marked(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add to an answer's headers those that every answer has; a redirection stays on whatever name was used."""
    kept = [(name, value) for name, value in headers if name.lower() not in _EVERY]
    return [*((name, _path(value) if name == b"location" else value) for name, value in kept), *_EVERY.items()]


def _path(location: bytes) -> bytes:
    """Return the path of an address, behind which a proxy may stand that has another name."""
    parts = urlsplit(location)
    return urlunsplit((b"", b"", *parts[2:])) if parts.netloc and not parts.path.startswith(b"//") else location


def _load_first(engine: LocalEngine) -> None:
    """Load the default model, and say so in the log if it cannot be: whoever asks for it is told again."""
    first = engine.models.default()
    if first is None:
        return
    try:
        engine.models.load(first)
    except EngineError as error:
        logging.getLogger(__name__).warning("%s %s", error, error.hint)


async def _sweep(engine: LocalEngine, seconds: float) -> None:
    """End runs that have been paused for too long, every now and then."""
    while True:
        await asyncio.sleep(min(_SWEEP_SECONDS, seconds))
        engine.end_idle(seconds)
