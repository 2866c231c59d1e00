"""The OpenAPI document as the server answers: every call with each of its errors, and their one shape.

FastAPI documents what functions return, and a validation error of a shape that is never sent here. The errors follow
from what a call takes and does, so they are derived from the document itself and stand in one place.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from . import schemas

Document = dict[str, Any]

_ERROR = {"$ref": "#/components/schemas/ErrorBody"}
_WHY = {
    400: "the body is no JSON",
    404: "there is no such model, run, tensor, tile or lens, or the run has been forgotten",
    408: "the request was not complete in time",
    413: "the body is too long",
    421: "the server does not go by the name in Host",
    422: "a value is of the wrong type, out of range, or does not fit the model or run",
    429: "as much waits as the server allows; try again",
    500: "the server failed on this request",
    503: "the model's files are broken, or there is no room or memory for it at the moment",
}
# Parts of addresses behind which something is computed, in turns with others.
_COMPUTED = ("/tiles/", "/stats", "/thumbnails", "/lenses/{", "/explain/", "/parity", "/pairing", "/scales")
# Calls that answer 304 to `If-None-Match`.
_TAGGED = (
    "/models/{model_id}/weights/{name}",
    "/models/{model_id}/thumbnails",
    "/models/{model_id}/weights/{name}/tiles",
)


def install(app: FastAPI) -> None:
    """Let the app describe itself as it answers."""
    described = app.openapi

    def openapi() -> Document:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(described())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def mark_whole(shapes: dict[str, Document]) -> None:
    """Mark every field of these shapes of answers as required, since one with a default is sent as well."""
    for shape in shapes.values():
        if "properties" in shape:
            shape["required"] = list(shape["properties"])


def shapes_in(schema: object, components: dict[str, Document]) -> dict[str, Document]:
    """List all components that a schema refers to, directly or through others."""
    found: dict[str, Document] = {}
    waiting = list(_references(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = components[name]
            waiting += _references(components[name])
    return found


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def _completed(document: Document) -> Document:
    components = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    described = schemas.ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}")
    components |= described.pop("$defs")
    components["ErrorBody"] = described
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            _complete(path, method, call)
            mark_whole(shapes_in(call["responses"], components))
    return document


def _complete(path: str, method: str, call: Document) -> None:
    responses = call["responses"]
    for status in _errors(path, method, call):
        content = {"application/json": {"schema": _ERROR}}
        responses[str(status)] = {"description": f"{HTTPStatus(status).phrase}: {_WHY[status]}", "content": content}
    if method == "get" and path.removeprefix("/api/v1").startswith(_TAGGED) and not path.endswith("/stats"):
        responses["304"] = {"description": "Not Modified: the tag in If-None-Match still holds"}
    content = responses.get("200", {}).get("content", {})
    if content.get("application/json") == {"schema": {}} and len(content) > 1:
        del content["application/json"]  # what FastAPI puts where a function says nothing
    call["responses"] = dict(sorted(responses.items()))


def _errors(path: str, method: str, call: Document) -> Iterator[int]:
    """List the statuses that a call may answer with beside its success."""
    yield from (408, 421, 500, 503)
    if "requestBody" in call:
        yield from (400, 413)
    if "requestBody" in call or call.get("parameters"):
        yield 422
    makes_run = method == "post" and path.endswith("/runs")
    if "{" in path or "requestBody" in call:
        yield 404
    if makes_run or any(part in path for part in _COMPUTED):
        yield 429
