"""Pulling from the Hugging Face hub: a small hub of our own on a port, asked by the real client in its own process."""

import hashlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

import pytest

from tests.conftest import TINY, write_model

_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_MODEL = "someone/tiny-gpt2"


class Hub(http.server.BaseHTTPRequestHandler):
    """Of the hub's endpoints those three that its client needs: what a model is, its files, and one of them."""

    protocol_version = "HTTP/1.1"
    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []
    broken = ""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        Hub.asked.append(self.path)
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == f"/api/models/{_MODEL}/revision/main":
            return self._json({"id": _MODEL, "sha": _COMMIT, "siblings": []})
        if path == f"/api/models/{_MODEL}/tree/{_COMMIT}":
            return self._json([
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for name, content in self.files.items()
            ])  # fmt: skip
        name = path.removeprefix(f"/{_MODEL}/resolve/{_COMMIT}/")
        if name not in self.files:
            return self._send(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
        content = self.files[name]
        sent = content[:100] if name == self.broken and with_body else content
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": _COMMIT}
        return self._send(200, sent, headers, len(content), with_body)

    def _json(self, answer: object) -> None:
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str], length: int = 0, with_body: bool = True) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length or len(body)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    folder = write_model(tmp_path / "offered", TINY)
    Hub.files = {path.name: path.read_bytes() for path in folder.iterdir()}
    Hub.files |= {"pytorch_model.bin": b"a pickle", "onnx/config.json": b"{}", "README.md": b"A model."}
    Hub.asked, Hub.broken = [], ""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def command(data: Path, endpoint: str, *arguments: str) -> tuple[int, str]:
    """Run `python -m app` where the hub is at `endpoint`; return its exit code, and everything it says."""
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(data / "client"), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": "",
                "ATLAS_DATA": str(data), "COLUMNS": "400", "NO_PROXY": "127.0.0.1"}  # fmt: skip
    asked = [sys.executable, "-m", "app", *arguments]
    ended = subprocess.run(asked, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr


def test_a_model_of_the_hub_is_pulled_and_listed(hub: str, tmp_path: Path) -> None:
    code, said = command(tmp_path / "data", hub, "pull", _MODEL)
    assert code == 0, said
    assert "kB" in said, "how much has come is told"
    folder = tmp_path / "data" / "models" / "someone--tiny-gpt2"
    assert str(folder) in said
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == Hub.files["model.safetensors"]
    assert not any("pytorch_model" in path or "onnx" in path for path in Hub.asked)
    code, listed = command(tmp_path / "data", hub, "models")
    assert code == 0 and "someone--tiny-gpt2" in listed


def test_a_model_that_does_not_fit_is_not_kept(hub: str, tmp_path: Path) -> None:
    Hub.files["config.json"] = Hub.files["config.json"].replace(b'"n_inner": 40', b'"n_inner": 41')
    code, said = command(tmp_path / "data", hub, "pull", _MODEL)
    assert code == 1 and "mlp.c_fc.weight has shape" in said
    assert list((tmp_path / "data" / "models").iterdir()) == []


@pytest.mark.parametrize("fault", ["unreachable", "unknown", "cut off"])
def test_a_hub_that_does_not_give_it(hub: str, tmp_path: Path, fault: str) -> None:
    model = "someone/else" if fault == "unknown" else _MODEL
    Hub.broken = "model.safetensors" if fault == "cut off" else ""
    code, said = command(tmp_path / "data", "http://127.0.0.1:9" if fault == "unreachable" else hub, "pull", model)
    assert code == 1 and "Traceback" not in said
    assert f"error: the Hugging Face hub does not give {model}" in said
    assert "serve --model PATH" in said
    assert [path for path in (tmp_path / "data" / "models").iterdir() if not path.name.startswith(".")] == []
    shutil.rmtree(tmp_path / "data")
