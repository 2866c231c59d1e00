"""What tests of the server share: a small random model on disk, and a real server on a real port."""

import os
import tempfile

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("ATLAS_DEVICE", "cpu")  # tests/api/test_devices.py asks for the other one
# What the person who runs the tests has pulled is no part of them.
os.environ["ATLAS_DATA"] = tempfile.mkdtemp(prefix="atlas-test-data-")

import asyncio
import atexit
import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
import torch
import uvicorn
from fastapi import FastAPI
from safetensors.torch import save_file

from app.api.services import Services
from app.checkpoints.huggingface import export_config, export_state
from app.connections import server_options
from app.server import create_app
from app.settings import Settings
from app.transformer.model import Transformer
from app.transformer.spec import Spec

# Thumbnails that tests make are not the user's.
os.environ["ATLAS_CACHE_FOLDER"] = tempfile.mkdtemp(prefix="atlas-tests-")
atexit.register(shutil.rmtree, os.environ["ATLAS_CACHE_FOLDER"], ignore_errors=True)

Result = TypeVar("Result")
TINY = Spec(layers=3, heads=2, d_model=16, d_head=8, d_mlp=40, d_vocab=29, positions=24, tied=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests first: where workers share files, none of these is left to one of them at last."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


def write_model(folder: Path, spec: Spec, seed: int = 0) -> Path:
    """Write a random model, its norms and biases random too, as a Hugging Face folder without a tokenizer."""
    model = Transformer(spec)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.3, generator=generator)
    folder.mkdir(parents=True)
    save_file(export_state(model, torch.float32), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(export_config(spec, None)))
    return folder


@dataclass
class Server:
    """A server that runs in a thread of its own."""

    app: FastAPI
    port: int
    client: httpx2.Client

    @property
    def services(self) -> Services:
        """Reach its inner parts, for what no door shows: freed caches, slowed layers."""
        services: Services = self.app.state.services
        return services

    @property
    def stream_address(self) -> str:
        """Return where its stream is."""
        return f"ws://127.0.0.1:{self.port}/api/v1/stream"

    def get(self, path: str, **query: Any) -> Any:
        """Read a JSON answer."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make_run(self, **question: Any) -> Any:
        """Make a run and wait until it is over."""
        answer = self.client.post("/runs", json=question)
        assert answer.status_code == 200, answer.text
        return answer.json()


def run_alone(program: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on a loop of its own, in a thread of its own: a browser that is driven has one in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, program).result()


@contextmanager
def serving(settings: Settings) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    app = create_app(settings)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.listen(64)
    config = uvicorn.Config(app, **server_options(settings))
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=30) as client:
        yield Server(app, port, client)
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive(), "the server did not stop"


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the folder of a small random model called `tiny`."""
    return write_model(tmp_path_factory.mktemp("models") / "tiny", TINY)


@pytest.fixture(scope="session")
def server(tiny_folder: Path) -> Iterator[Server]:
    """Serve all tests that leave the server as they found it: the bundled models, and `tiny`."""
    with serving(Settings(models=[tiny_folder], default_model="tiny")) as running:
        yield running
