"""Getting models over REST: what is offered, what is refused, and what is said of a pull that fails."""

import time
from pathlib import Path

import pytest

from app.checkpoints import pull as pulling
from app.settings import Settings

from ..conftest import serving


def test_what_is_offered_and_what_is_not(tmp_path: Path) -> None:
    with serving(Settings(data=tmp_path, default_model="sort")) as server:
        offered = server.client.get("/models/pull").json()["pulls"]
        assert [(pull["id"], pull["state"], pull["licence"]) for pull in offered] == [
            ("smollm2", "offered", "Apache-2.0")
        ]
        refused = server.client.post("/models/pull", json={"id": "../etc"})
        assert refused.status_code == 404 and refused.json()["error"]["hint"]


def test_a_pull_that_fails_says_why_and_registers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_pip_settings", lambda: {"index-url": "http://127.0.0.1:9/simple"})
    with serving(Settings(data=tmp_path, default_model="sort")) as server:
        assert server.client.post("/models/pull", json={"id": "smollm2"}).status_code == 202
        for _ in range(100):
            state = server.client.get("/models/pull").json()["pulls"][0]
            if state["state"] == "failed":
                break
            time.sleep(0.05)
        assert "cannot be reached" in state["message"] and state["hint"]
        ids = [model["id"] for model in server.client.get("/models").json()["models"]]
        assert "smollm2" not in ids
