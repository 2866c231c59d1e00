"""Servers and runs that tests of the API share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.api.plates import LONG, WIDE
from tests.api.test_numbers import TOKENS
from tests.conftest import Server, serving, write_model


@pytest.fixture
def own(tiny_folder: Path) -> Iterator[Server]:
    """Start a server that a test may slow down or fill."""
    with serving(Settings(models=[tiny_folder], default_model="tiny", bad_messages=4)) as running:
        running.services.load("tiny")
        yield running


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a model that has plates of several tiles, and derive attention instead of keeping it."""
    folder = write_model(tmp_path_factory.mktemp("models") / "wide", WIDE)
    with serving(Settings(models=[folder], default_model="wide", attention_bytes=1)) as running:
        yield running


@pytest.fixture(scope="session")
def long_run(wide: Server) -> str:
    return str(wide.make_run(model="wide", tokens=LONG)["id"])


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """Make a run of the tiny model, three tokens long beyond its prompt."""
    return str(server.make_run(model="tiny", tokens=TOKENS, max_new_tokens=3)["id"])


@pytest.fixture(scope="module")
def story(server: Server) -> str:
    """Make a run of the bundled model that tells stories."""
    return str(server.make_run(model="stories", text="Once upon a time, there was a little girl. She")["id"])
