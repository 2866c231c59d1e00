"""Errors as answers: every one is `{"error": {"type", "message", "hint"}}`, and the hint says what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..checkpoints.errors import CheckpointError, NoRoomError
from ..runs.difference import DifferenceError
from ..runs.executor import QueueFullError
from ..runs.failures import out_of_memory
from ..runs.plates import PlateError
from ..runs.run import Run
from ..runs.slices import SliceError
from ..runs.store import ForgottenError, StoreFullError
from ..runs.tiles import TileError
from ..transformer.tokenizer import TokenizeError

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


def unknown_model(model_id: str) -> ApiError:
    """Refuse: there is no such model."""
    return ApiError(404, "unknown_model", f"there is no model {model_id!r}", "GET /api/v1/models lists what there is.")


def unknown_tensor(name: str, listed_at: str) -> ApiError:
    """Refuse: a model or run has no such tensor, or has not computed it yet."""
    return ApiError(404, "unknown_tensor", f"there is no tensor {name!r} here", f"GET {listed_at} lists the names.")


def no_memory() -> ApiError:
    """Refuse: the machine has no memory left for this."""
    return ApiError(
        503,
        "out_of_memory",
        "there was not enough memory for this",
        "Ask for a shorter text, fewer beams or a smaller slice, or wait until others are done.",
    )


def failed_run(run: Run) -> ApiError:
    """Refuse: a run broke off."""
    if run.out_of_memory:
        return no_memory()
    return ApiError(500, "run_failed", f"the run broke off: {run.failure}", "Try again, or try another text.")


def unusable(error: CheckpointError) -> ApiError:
    """Refuse a model that is not to be had: its files are broken, or there is no room for it."""
    return ApiError(503, "no_room" if isinstance(error, NoRoomError) else "broken_model", str(error), error.hint)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the refusals of the layers below into answers."""
    try:
        yield
    except SliceError as error:
        raise ApiError(422, "bad_index", str(error), error.hint) from error
    except PlateError as error:
        raise ApiError(422, "unknown_plate", str(error), error.hint) from error
    except DifferenceError as error:
        raise ApiError(422, "another_model", str(error), error.hint) from error
    except TileError as error:
        raise ApiError(404, "unknown_tile", str(error), error.hint) from error
    except TokenizeError as error:
        raise ApiError(422, "untokenizable", str(error), error.hint) from error
    except CheckpointError as error:
        raise unusable(error) from error
    except QueueFullError as error:
        raise ApiError(
            429, "busy", "as many computations wait as the server allows", "Wait until one is done, then try again."
        ) from error
    except StoreFullError as error:
        raise ApiError(
            503, "runs_full", "every run the server can hold is still unfinished", "Cancel one, or wait for it."
        ) from error
    except ForgottenError as error:
        raise ApiError(
            404,
            "forgotten_run",
            f"run {error.args[0]!r} has been forgotten, to make room or by request",
            "POST /api/v1/runs with the same model, tokens, sampling and seed makes it again.",
        ) from error


def install(app: FastAPI) -> None:
    """Answer every error of `app` in the one shape."""

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> JSONResponse:
        headers = {"Retry-After": "1"} if error.status in (429, 503) else None
        return JSONResponse({"error": error.body}, error.status, headers)

    @app.exception_handler(CheckpointError)
    async def broken_model(request: Request, error: CheckpointError) -> JSONResponse:
        return JSONResponse({"error": unusable(error).body}, 503, {"Retry-After": "1"})

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
            return await refused(request, no_memory())
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
