"""What the engine refuses, as the API says it: every kind has a status, and every call that a hint names is one."""

import re
from pathlib import Path
from typing import get_args

import pytest

from app.api.errors import api_error
from app.engine.errors import EngineError, Kind
from app.server import create_app
from app.settings import Settings


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, re.Pattern[str]]]:
    """List the method and the address of every call there is."""
    data: Path = tmp_path_factory.mktemp("data")
    paths = create_app(Settings(models=[], data=data, device="cpu")).openapi()["paths"]
    return [
        (method.upper(), re.compile(re.sub(r"\{\w+\}", r"[^/ ]+", path)))
        for path, methods in paths.items()
        for method in methods
    ]


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("about", [{}, {"run": "5f2a"}, {"model": "{odd} name", "tensor": "logits"}])
def test_every_kind_is_an_answer_whose_hint_names_calls_there_are(
    kind: Kind, about: dict[str, str], calls: list[tuple[str, re.Pattern[str]]]
) -> None:
    answer = api_error(EngineError(kind, "it cannot be", **about))
    assert answer.type == kind and 400 <= answer.status < 600
    for method, address in re.findall(r"(GET|POST) (/\S+?)(?=[ ,.;]|$)", answer.hint.replace("{odd} name", "odd")):
        assert any(known == method and path.fullmatch(address) for known, path in calls), answer.hint
