"""The command line as a stranger uses it: an address when it answers, one clear line when it cannot."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from tests.conftest import TINY, write_model


def said(code: int, *arguments: str | Path, **environment: str) -> str:
    """Run a command that ends with this exit code; return what it says."""
    ended = CliRunner().invoke(cli, list(map(str, arguments)), env=environment)
    assert ended.exit_code == code, ended.output
    return ended.output


def refusal(*arguments: str | Path, **environment: str) -> str:
    """Run a command that ends with exit code 1; return what it says."""
    output = said(1, *arguments, **environment)
    assert "Traceback" not in output
    lines = output.strip().splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) == 2, "what is wrong, and what to do"
    return output


def test_the_address_it_prints_answers_and_who_else_can_reach_it_is_said(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", TINY)
    arguments = [sys.executable, "-m", "app", "serve", "--port", "0", "--model", str(folder), "--device", "cpu"]
    arguments += ["--host", "0.0.0.0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stderr is not None
        line = server.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line
        models = httpx2.get(f"{address[0]}/api/v1/models").json()["models"]
        assert "tiny" in [model["id"] for model in models]
        with socket.create_connection(("127.0.0.1", int(address[0].rpartition(":")[2]))) as unfinished:
            unfinished.sendall(b"GET / HTTP/1.1\r\n")
            server.terminate()
            assert server.wait(20) in (0, -15)
        complained = server.stderr.read()
    assert "every address of this machine" in complained and "ATLAS_ALLOWED_HOSTS" in complained
    assert "Traceback" not in complained


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = refusal("serve", "--port", str(port))
    assert str(port) in refused
    assert f"--port {port + 1}" in refused


@pytest.mark.parametrize("fault", ["missing", "truncated", "misfit"])
def test_a_model_that_cannot_be_loaded(tmp_path: Path, fault: str) -> None:
    folder = write_model(tmp_path / "tiny", TINY)
    weights, config = folder / "model.safetensors", folder / "config.json"
    if fault == "missing":
        config.unlink()
    elif fault == "truncated":
        weights.write_bytes(weights.read_bytes()[:2000])
    else:
        config.write_text(config.read_text().replace('"n_inner": 40', '"n_inner": 41'))
    refused = refusal("serve", "--port", "0", "--model", folder)
    assert str(folder) in refused
    if fault == "misfit":
        assert "mlp.c_fc.weight" in refused


def test_a_setting_that_is_none() -> None:
    assert "ATLAS_SOCKETS" in refusal("models", ATLAS_SOCKETS="many")


def test_the_models_are_listed() -> None:
    listed = said(0, "models")
    assert re.search(r"^sort +85,584 parameters", listed, re.MULTILINE)
    assert "stories" in listed


def test_training_says_how_it_is_used() -> None:
    usage = said(0, "train", "--help")
    assert "sort" in usage
    assert "stories" in usage
