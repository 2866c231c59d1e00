"""A run seen through a lens, as a test asks for it."""

import csv
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.api.test_numbers import fetch
from tests.conftest import Server


def see(server: Server, run: str, lens: str, **query: Any) -> Any:
    return server.get(f"/runs/{run}/lenses/{lens}", **query)


def table(server: Server, run: str, lens: str, **query: Any) -> list[dict[str, str]]:
    answer = server.client.get(f"/runs/{run}/lenses/{lens}", params={**query, "format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def weight(server: Server, name: str, model: str = "tiny") -> NDArray[np.float64]:
    return fetch(server, f"/models/{model}/weights/{name}").astype(np.float64)
