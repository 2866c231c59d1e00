"""A model with plates of several tiles, and what tiles of a tensor hold by NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.transformer.spec import Spec
from tests.conftest import Server
from tests.unit.test_tiles import vectorised

WIDE = Spec(layers=2, heads=2, d_model=96, d_head=48, d_mlp=300, d_vocab=1111, positions=400)


LONG = [token * 7 % WIDE.d_vocab for token in range(300)]


def tile(server: Server, path: str, **query: Any) -> NDArray[np.float64]:
    answer = server.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    shape = [int(size) for size in answer.headers["x-atlas-shape"].split(",")]
    values = np.frombuffer(answer.content, "<f2").reshape(shape).astype(np.float64)
    return values * float(answer.headers["x-atlas-scale"])


def plates(tensor: NDArray[Any], axes: list[str]) -> list[tuple[dict[str, int], list[int], NDArray[np.float64]]]:
    """List every plate of a tensor: the parameters and the index that name it, and its numbers."""
    heads = [place for place, axis in enumerate(axes) if axis in ("head", "kv_head")]
    whole = tensor.astype(np.float64)
    if not heads:
        return [({}, [], np.atleast_2d(whole))]
    count = whole.shape[heads[0]]
    return [({axes[heads[0]]: h}, [h], np.atleast_2d(whole.take(h, heads[0]))) for h in range(count)]


def expected(plate: NDArray[np.float64], level: int, row: int, col: int, pool: str) -> NDArray[np.float64]:
    shown = plate if level == 0 else vectorised(plate, 1 << level, pool)  # type: ignore[arg-type]
    return shown[row * 256 : (row + 1) * 256, col * 256 : (col + 1) * 256]


def assert_shows(found: NDArray[Any], right: NDArray[np.float64], name: str) -> None:
    assert found.shape == right.shape, name
    np.testing.assert_allclose(np.abs(found), np.abs(right), rtol=2e-3, atol=2e-4, err_msg=name)
    assert (np.sign(found) == np.sign(right))[np.abs(right) > 1e-3].mean() > 0.99
