"""A server of a test's own, for tests of the API that slow it down or fill it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.conftest import Server, serving


@pytest.fixture
def own(tiny_folder: Path) -> Iterator[Server]:
    """Start a server that a test may slow down or fill."""
    with serving(Settings(models=[tiny_folder], default_model="tiny", bad_messages=4)) as running:
        running.services.load("tiny")
        yield running
