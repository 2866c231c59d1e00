"""A server of its own for measuring, with models of any shape in folders made for the occasion."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import save_file

from app.checkpoints.huggingface import export_config, export_state
from app.transformer.model import Transformer
from app.transformer.spec import Spec


def write_shape(folder: Path, spec: Spec) -> None:
    """A model folder with a config and no weights: enough to lay out the map, its plates stay empty."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(export_config(spec, None)), encoding="utf-8")


def write_model(folder: Path, spec: Spec) -> None:
    """A model folder with random weights."""
    write_shape(folder, spec)
    model = Transformer(spec)
    model.initialise(0)
    save_file(export_state(model, torch.float32), folder / "model.safetensors")


@contextmanager
def serving(shapes: Mapping[str, Spec], models: Mapping[str, Spec]) -> Iterator[str]:
    """A running server with the bundled models and these; its address."""
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        for shape, spec in shapes.items():
            write_shape(folder / shape, spec)
        for model, spec in models.items():
            write_model(folder / model, spec)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
        # By the environment: folders given on the command line must have weights, and shapes have none.
        folders = json.dumps([str(folder / model) for model in [*shapes, *models]])
        process = subprocess.Popen(command, env={**os.environ, "ATLAS_MODELS": folders}, stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"{url}/api/v1/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
