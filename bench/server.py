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
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file

from app.checkpoints.huggingface import export_config, export_state
from app.transformer.model import Transformer
from app.transformer.spec import Spec


@dataclass(frozen=True)
class Served:
    """A server that runs: where, and as which process."""

    url: str
    process: int

    @property
    def peak_bytes(self) -> int:
        """Read the most memory that was resident, mapped files included (Linux, `VmHWM`)."""
        return self._counted("VmHWM")

    @property
    def resident_bytes(self) -> int:
        """Read the memory that is resident now, mapped files included."""
        return self._counted("VmRSS")

    @property
    def own_bytes(self) -> int:
        """Read the memory that is resident now and its own; the rest are file pages, which the system may take back."""
        return self._counted("RssAnon")

    def _counted(self, name: str) -> int:
        status = Path(f"/proc/{self.process}/status").read_text(encoding="utf-8")
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith(name)))


def write_model(folder: Path, spec: Spec, dtype: torch.dtype = torch.float32) -> None:
    """Write a model folder with random weights."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(export_config(spec, None)), encoding="utf-8")
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        model = Transformer(spec)
    finally:
        torch.set_default_dtype(usual)
    model.initialise(0)
    save_file(export_state(model, dtype), folder / "model.safetensors")


@contextmanager
def serving(models: Mapping[str, Spec], dtype: Literal["float32", "bfloat16"] = "float32") -> Iterator[Served]:
    """Serve the bundled models and these, which are written in the precision the server computes in."""
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as name:
        folder = Path(name)
        for model, spec in models.items():
            write_model(folder / model, spec, getattr(torch, dtype))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = {
            "ATLAS_MODELS": json.dumps([str(folder / model) for model in models]),
            "ATLAS_DTYPE": dtype,
            "ATLAS_CACHE_FOLDER": str(folder / "cache"),
        }
        command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url)
            yield Served(url, process.pid)
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
