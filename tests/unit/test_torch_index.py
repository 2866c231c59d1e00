"""Which build of torch an install takes: the small one where there is no GPU, and never a wait for a missing index."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import torch_index


@pytest.fixture
def index() -> Iterator[str]:
    """Serve an index on this machine that has torch."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200 if self.path == "/cpu/torch/" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/cpu"
    server.shutdown()
    server.server_close()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make a machine without `nvidia-smi` and without settings of pip's; the folder is its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _smi(folder: Path, said: str, code: int = 0) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n", encoding="utf-8")
    tool.chmod(0o755)


def test_the_small_build_without_a_gpu(bare: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_index, "SMALL", index)
    assert torch_index.choose("linux")[0] == index
    _smi(bare, "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.", 9)
    assert torch_index.choose("linux")[0] == index


def test_pypis_build_with_a_gpu(bare: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_index, "SMALL", index)
    _smi(bare, "GPU 0: NVIDIA H200 (UUID: GPU-0)")
    assert torch_index.choose("linux")[0] == ""


def test_pypis_build_where_the_index_is_missing(bare: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (f"{index}/elsewhere", "http://127.0.0.1:9", "http://nowhere.invalid"):
        monkeypatch.setattr(torch_index, "SMALL", missing)
        found, reason = torch_index.choose("linux")
        assert found == "" and "cannot be reached" in reason


def test_an_index_of_the_users_own_is_left_alone(bare: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_index, "SMALL", index)
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example.org/simple")
    assert torch_index.choose("linux")[0] == ""


def test_elsewhere_pypis_build_is_small(bare: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_index, "SMALL", index)
    assert torch_index.choose("darwin") == ("", "torch comes from PyPI")
