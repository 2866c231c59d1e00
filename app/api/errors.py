"""Errors as answers: every one is `{"error": {"type", "message", "hint"}}`, and the hint says what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..checkpoints.errors import CheckpointError
from ..engine.errors import EngineError, Kind, checkpoint_refused, no_memory
from ..engine.errors import refusals as engine_refusals
from ..runs.failures import out_of_memory

_GUIDE = "GET /api/v1/capabilities lists the limits, GET /openapi.json every call."
_HINTS = {
    400: "Send one JSON object; GET /openapi.json describes it.",
    413: "Send less at once; GET /api/v1/capabilities lists the limits.",
}


class ApiError(Exception):
    """A refusal: an HTTP status, a machine-readable type, what is wrong, and what to do."""

    def __init__(self, status: int, type: str, message: str, hint: str) -> None:
        """Say what is wrong, and what to do about it."""
        super().__init__(message)
        self.status, self.type, self.message, self.hint = status, type, message, hint

    @property
    def body(self) -> dict[str, str]:
        """Return what goes under `error`."""
        return {"type": self.type, "message": self.message, "hint": self.hint}


# What a refusal of the engine means over HTTP; 422 where nothing else is said.
_STATUS: dict[Kind, int] = {
    "unknown_model": 404,
    "unknown_run": 404,
    "forgotten_run": 404,
    "unknown_tensor": 404,
    "unknown_lens": 404,
    "unknown_step": 404,
    "unknown_tile": 404,
    "inputs_missing": 409,
    "not_computed": 409,
    "run_over": 409,
    "busy": 429,
    "parity_failed": 500,
    "run_failed": 500,
    "broken_model": 503,
    "no_room": 503,
    "out_of_memory": 503,
    "runs_full": 503,
}
# The calls with which a hint is followed, for the engine knows of none; {model}, {run}, {tensor} are what it is about.
_CALLS: dict[Kind, str] = {
    "forgotten_run": "POST /api/v1/runs makes one.",
    "inputs_missing": "POST /api/v1/runs with capture all makes one.",
    "needs_run": "POST /api/v1/runs makes one, GET /api/v1/runs/RUN/explain/{tensor} explains it.",
    "not_computed": "GET /api/v1/runs/{run} says how far it is, POST /api/v1/runs makes another.",
    "too_long": "GET /api/v1/capabilities lists the limits.",
    "too_many_numbers": "?index=0 is one, and ?format=npy may hold more than JSON.",
    "unknown_model": "GET /api/v1/models lists what there is.",
    "unknown_run": "POST /api/v1/runs makes one.",
}


def api_error(error: EngineError) -> ApiError:
    """Say a refusal of the engine as an answer: its status, and what to do."""
    call = _CALLS.get(error.kind, "").format_map(_Named(error.about))
    if error.kind == "unknown_tensor":
        call = f"GET /api/v1/{_names_listed_at(_Named(error.about))} lists the names."
    hint = " ".join(part for part in (error.hint, call) if part)
    return ApiError(_STATUS.get(error.kind, 422), error.kind, error.message, hint)


class _Named(dict[str, str]):
    """What a refusal is about; what is not known of it stays a word to be filled in, such as RUN."""

    def __missing__(self, key: str) -> str:
        return key.upper()


def _names_listed_at(about: _Named) -> str:
    """Return where the tensors are listed that there are: of a run, or of a model."""
    return f"runs/{about['run']}/activations" if "run" in about else f"models/{about['model']}/graph"


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refusals of the engine into answers."""
    try:
        with engine_refusals():
            yield
    except EngineError as error:
        raise api_error(error) from error


def install(app: FastAPI) -> None:
    """Answer every error of `app` in the one shape."""

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> JSONResponse:
        headers = {"Retry-After": "1"} if error.status in (429, 503) else None
        return JSONResponse({"error": error.body}, error.status, headers)

    @app.exception_handler(EngineError)
    async def engine_refused(request: Request, error: EngineError) -> JSONResponse:
        return await refused(request, api_error(error))

    @app.exception_handler(CheckpointError)
    async def broken_model(request: Request, error: CheckpointError) -> JSONResponse:
        return await refused(request, api_error(checkpoint_refused(error)))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": _invalid(error).body}, 422)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> JSONResponse:
        types = {400: "invalid", 404: "not_found", 405: "method_not_allowed", 413: "too_long"}
        body = {
            "type": types.get(error.status_code, "http"),
            "message": f"{request.method} {request.url.path}: {str(error.detail).lower()}",
            "hint": _HINTS.get(error.status_code, "Check the address; GET /openapi.json lists every call."),
        }
        return JSONResponse({"error": body}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def broken(request: Request, error: Exception) -> JSONResponse:
        if out_of_memory(error):
            return await refused(request, api_error(no_memory()))
        logging.getLogger(__name__).error("%s %s", request.method, request.url.path, exc_info=error)
        body = {
            "type": "internal",
            "message": "the server failed on this request",
            "hint": "Try again; if it happens again, the server's log says where.",
        }
        return JSONResponse({"error": body}, 500)


def _invalid(error: RequestValidationError) -> ApiError:
    """List all that is wrong with a request, each with its place."""
    complaints = []
    for problem in error.errors()[:5]:
        place = ".".join(str(part) for part in problem["loc"] if part not in ("body", "query", "path"))
        complaints.append(f"{place}: {problem['msg']}" if place else str(problem["msg"]))
    return ApiError(422, "invalid", "; ".join(complaints) or "the request is not valid", _GUIDE)
