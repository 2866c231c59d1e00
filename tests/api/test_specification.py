"""The OpenAPI document against what is answered: every error has the documented status, type and shape."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.lenses.lens import _plain
from tests.conftest import Server

_THERE = {"model_id": "tiny", "lens": "attention", "level": "0", "row": "0", "col": "0", "other": "logits",
          "lesson_id": "first-steps", "step_id": "next"}  # fmt: skip
_SENSELESS = {
    "model_id": "no model", "run_id": "no-run", "name": "no", "lens": "x", "level": "x", "row": "-1", "col": "0",
    "lesson_id": "no", "step_id": "no",
}  # fmt: skip
_BODIES = (None, b"{", b"[]", b'{"model": "tiny", "tokens": [1]}', b'{"text": "a"}', b" " * (2**20 + 1))


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    return httpx2.get(f"http://127.0.0.1:{server.port}/openapi.json").json()


def _calls(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, calls in document["paths"].items():
        if not path.endswith("/pull"):
            yield from ((path, method, call) for method, call in calls.items())


def _held(document: Any, call: Any, answer: httpx2.Response) -> None:
    """Check that the answer is one that the document describes."""
    assert str(answer.status_code) in call["responses"], (answer.url, answer.status_code, answer.text[:200])
    said = call["responses"][str(answer.status_code)].get("content", {})
    if not answer.content:
        return
    kind = answer.headers["content-type"]
    assert kind in said, (answer.url, kind, list(said))
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert set(error) == {"type", "message", "hint"} and all(error.values()), error


def test_every_error_is_documented_in_its_one_shape(document: Any) -> None:
    assert "HTTPValidationError" not in json.dumps(document)
    for path, method, call in _calls(document):
        for status, response in call["responses"].items():
            if int(status) >= 400:
                assert response["content"] == {
                    "application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}
                }, (path, method, status)


def test_what_is_answered_is_documented(server: Server, document: Any) -> None:
    """Every call three times: about what is there, about what is not, and with values that mean nothing."""
    run = server.make_run(model="tiny", tokens=[1, 2, 3], max_new_tokens=2)["id"]
    with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
        for path, method, call in sorted(_calls(document), key=lambda found: found[1] == "delete"):
            name = "W_E" if path.startswith("/api/v1/models") else "logits"
            good = {**_THERE, "run_id": run, "name": name}
            for values in (good, {**good, "name": "nothing", "row": "99"}, _SENSELESS):
                for query in ("", f"?run={values['run_id']}", "?index=x&minus=x&head=x&v=x&by=x&format=x&count=0"):
                    address = path.format(**{"other": "x", **values}) + query
                    for body in _BODIES if "requestBody" in call else (None,):
                        headers = {"Content-Type": "application/json"} if body else {}
                        _held(document, call, client.request(method, address, content=body, headers=headers))
            _held(document, call, client.request(method, path, headers={"Host": "evil.example"}))


@pytest.mark.parametrize("form", ["json", "csv", "table", "figure", "html"])
def test_a_lens_answers_in_the_documented_types(server: Server, document: Any, form: str) -> None:
    run = server.make_run(model="tiny", tokens=[1, 2, 3])["id"]
    call = document["paths"]["/api/v1/runs/{run_id}/lenses/{lens}"]["get"]
    _held(document, call, server.client.get(f"/runs/{run}/lenses/next_token", params={"format": form}))


@pytest.mark.parametrize("form", ["json", "npy", "safetensors"])
def test_numbers_come_in_the_documented_types(server: Server, document: Any, form: str) -> None:
    call = document["paths"]["/api/v1/models/{model_id}/weights/{name}"]["get"]
    _held(document, call, server.client.get("/models/tiny/weights/W_E", params={"format": form}))


def test_docs_lead_to_the_guide(server: Server) -> None:
    assert httpx2.get(f"http://127.0.0.1:{server.port}/docs", follow_redirects=True).url.path == "/api"


def test_a_cell_that_a_spreadsheet_would_compute_is_text(server: Server) -> None:
    cells = ["=1+1", "@a", "+x", "-x", "-1.5", -1.5, " =1", "x=1", None, "-"]
    assert [_plain(cell) for cell in cells] == ["'=1+1", "'@a", "'+x", "'-x", "-1.5", -1.5, " =1", "x=1", None, "'-"]
    run = server.make_run(model="tiny", tokens=[1, 2, 3])["id"]
    text = server.client.get(f"/runs/{run}/lenses/next_token", params={"format": "csv"}).text
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) > 1 and not any(cell.startswith(("=", "@")) for row in rows for cell in row)
