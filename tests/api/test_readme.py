"""What the README says outside the page: its call and answer, its tensors, and what a server costs."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from app.settings import Settings
from bench.cost import light
from tests.conftest import Server

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def question() -> Any:
    """Read the question that the README's command asks."""
    (command,) = re.findall(r"^curl -s \S+/api/v1/runs .*?(?=\n```)", README, re.MULTILINE | re.DOTALL)
    words = shlex.split(command)
    return json.loads(words[words.index("-d") + 1])


@pytest.fixture(scope="module")
def answer(server: Server, question: Any) -> Any:
    """Ask it."""
    return server.make_run(**question)


def test_the_call_answers_what_is_printed(answer: Any) -> None:
    (printed,) = re.findall(r'^\{"id": .*?\}$', README, re.MULTILINE | re.DOTALL)
    shown = json.loads(re.sub(r",?\s*…", "", printed))
    del shown["id"]  # every run has its own
    assert shown["generated"][0].pop("probability") == pytest.approx(answer["generated"][0]["probability"], rel=1e-6)
    for name, value in shown.items():
        if not isinstance(value, list):
            assert answer[name] == value, name
            continue
        first, said = answer[name][0], value[0]
        for key, one in said.items():
            if isinstance(one, dict):
                assert {inner: first[key][inner] for inner in one} == one, (name, key)
            else:
                assert first[key] == one, (name, key)


def test_every_tensor_listed_is_one_more_call(server: Server, answer: Any) -> None:
    (count,) = re.findall(r"any of the (\d+) tensors", README)
    listed = [entry["name"] for entry in answer["activations"]]
    assert len(listed) == int(count)
    for name in listed:
        assert server.client.get(f"/runs/{answer['id']}/activations/{name}").status_code == 200, name
    ((name, index),) = re.findall(r"`/api/v1/runs/\w+/activations/([^?`]+)\?index=([^`]+)`", README)
    shares = server.get(f"/runs/{answer['id']}/activations/{name}", index=index)["values"]
    assert len(shares) == len(answer["tokens"]) - 1  # nothing has read the last
    assert sum(shares) == pytest.approx(1, abs=1e-5)


def test_interventions_set_scale_and_add(server: Server, question: Any, answer: Any) -> None:
    name, place = "blocks.1.attn.hook_z", "0,0,0"
    before = server.get(f"/runs/{answer['id']}/activations/{name}", index=place)["values"]
    for action, wanted in (("set", 0.5), ("scale", before * 0.5), ("add", before + 0.5)):
        change = {"name": name, "index": place, "action": action, "value": 0.5}
        run = server.make_run(**{**question, "max_new_tokens": 0}, interventions=[change])
        assert server.get(f"/runs/{run['id']}/activations/{name}", index=place)["values"] == pytest.approx(wanted)


def test_runs_are_forgotten_beyond_what_is_said() -> None:
    (said,) = re.findall(r"runs are\s+forgotten beyond (\d+) GB", README)
    assert Settings().run_store_bytes == int(said) * 2**30


def test_the_models_take_what_is_said() -> None:
    (said,) = re.findall(r"(\d+) MB of models", README)
    size = sum(file.stat().st_size for file in (ROOT / "models").rglob("*") if file.is_file())
    assert round(size / 1e6) == int(said)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells how much memory a process takes")
@pytest.mark.skipif(torch.version.cuda is not None, reason="the README measured torch's small build")
def test_the_server_takes_the_memory_that_is_said() -> None:
    said = {what: int(size) for what, size in re.findall(r"^\| ([^|]+) \| (\d+) MB \|$", README.replace("`", ""), re.M)}
    for what, size in light():
        # The allocator and the versions of libraries move it a little; a model held twice would move it more.
        assert size / 1e6 == pytest.approx(said[what], rel=0.15), what
