"""Thumbnails, statistics and scales of plates, against NumPy on whole tensors."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.settings import Settings
from tests.api.plates import assert_shows, plates
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.conftest import TINY, Server, serving, write_model
from tests.unit.test_tiles import vectorised


def test_statistics_are_exact(server: Server, wide: Server, long_run: str) -> None:
    tensors = [(server, "/models/tiny/weights/W_E"), (server, "/models/tiny/weights/blocks.0.attn.W_Q")]
    names = ("blocks.0.attn.hook_attn_scores", "blocks.1.attn.hook_result", "probabilities", "ln_final.hook_scale")
    tensors += [(wide, f"/runs/{long_run}/activations/{name}") for name in names]
    for on, path in tensors:
        whole = fetch(on, path).astype(np.float64)
        finite = whole[np.isfinite(whole)]
        found = on.get(f"{path}/stats")
        assert found["shape"] == list(whole.shape)
        for field, right in {
            "min": finite.min(), "max": finite.max(), "mean": finite.mean(), "deviation": finite.std(),
            "percentile": np.percentile(np.abs(finite), 99.5),
        }.items():  # fmt: skip
            assert found[field] == pytest.approx(right, rel=1e-4, abs=1e-7), (path, field)
        assert (found["zeros"], found["nan"]) == ((whole == 0).mean(), 0)
        assert found["infinite"] == np.isinf(whole).sum()


def test_scales_by_tensor(server: Server) -> None:
    scales = server.get("/models/tiny/scales", by="tensor")["scales"]
    graph = server.get("/models/tiny/graph")
    assert set(scales) == {tensor["name"] for tensor in graph["tensors"] if tensor["role"] == "weight"}
    for name in ("W_E", "blocks.1.attn.W_Q"):
        whole = fetch(server, f"/models/tiny/weights/{name}")
        assert scales[name] == pytest.approx(np.percentile(np.abs(whole), 99.5), rel=1e-6)
    run = server.make_run(model="tiny", tokens=TOKENS)["id"]
    scales = server.get(f"/runs/{run}/scales", by="tensor")["scales"]
    whole = activation(server, run, "blocks.1.mlp.hook_post")
    assert scales["blocks.1.mlp.hook_post"] == pytest.approx(np.percentile(np.abs(whole), 99.5), rel=1e-6)
    assert scales["blocks.0.attn.hook_pattern"] == 1


def thumbnails(content: bytes) -> tuple[dict[str, Any], dict[tuple[str, tuple[int, ...]], NDArray[np.float64]]]:
    length = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + length])
    found = {}
    for one in header["plates"]:
        start, count = 4 + length + one["offset"], one["rows"] * one["cols"]
        values = np.frombuffer(content, "<f2", count, start).reshape(one["rows"], one["cols"])
        found[one["name"], tuple(one["index"])] = values.astype(np.float64) * one["scale"]
    return header, found


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_thumbnails_are_all_plates_made_small(wide: Server, pool: str) -> None:
    answer = wide.client.get("/models/wide/thumbnails", params={"pool": pool})
    header, found = thumbnails(answer.content)
    assert (header["type"], header["pool"]) == ("thumbnails", pool)
    assert answer.headers["etag"] == f'"{header["fingerprint"]}"'
    levels = {(one["name"], tuple(one["index"])): one["level"] for one in header["plates"]}
    weights = [one for one in wide.get("/models/wide/graph")["tensors"] if one["role"] == "weight"]
    for tensor in weights:
        whole = fetch(wide, f"/models/wide/weights/{tensor['name']}")
        for _, index, plate in plates(whole, tensor["axes"]):
            key = (tensor["name"], tuple(index))
            small, level = found.pop(key), levels[key]
            assert max(small.shape) <= 32
            assert level == 0 or max(plate.shape) > 32 << (level - 1), "as fine as fits"
            assert_shows(small, vectorised(plate, 1 << level, pool), tensor["name"])  # type: ignore[arg-type]
    assert not found


def test_thumbnails_are_kept_on_disk_by_the_weights_they_show(tmp_path: Path) -> None:
    folder, cache = write_model(tmp_path / "m" / "tiny", TINY), tmp_path / "cache"
    settings = Settings(models=[folder], default_model="tiny", cache_folder=cache)
    with serving(settings) as one:
        first = one.client.get("/models/tiny/thumbnails")
    (kept,) = (cache / "thumbnails").iterdir()
    assert kept.read_bytes() == first.content
    kept.write_bytes(b"as kept")
    with serving(settings) as one:
        assert one.client.get("/models/tiny/thumbnails").content == b"as kept"
        tag = first.headers["etag"]
        assert one.client.get("/models/tiny/thumbnails", headers={"If-None-Match": tag}).status_code == 304
    os.rename(folder, tmp_path / "old")
    write_model(folder, TINY, seed=1)
    with serving(settings) as one:
        assert one.client.get("/models/tiny/thumbnails").content not in (b"as kept", first.content)


def test_thumbnails_come_also_where_nothing_can_be_kept(tmp_path: Path, tiny_folder: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with serving(Settings(models=[tiny_folder], cache_folder=blocked)) as one:
        header, _ = thumbnails(one.client.get("/models/tiny/thumbnails").content)
    assert header["plates"]
