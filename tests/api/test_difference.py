"""One run less another: by REST and through the stream, against NumPy on the two runs' own numbers."""

from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.api.client import StreamClient
from tests.api.test_numbers import TOKENS, activation, fetch
from tests.conftest import Server

# One token put in, one replaced: 3 28 [5] 0 3 17 9 4 beside 3 28 0 3 21 9 4.
LONGER = [3, 28, 5, 0, 3, 17, 9, 4]
OTHER = [3, 28, 0, 3, 21, 9, 4]
PAIRS = [0, 1, None, 2, 3, 4, 5, 6]
NAMES = (
    "hook_embed", "blocks.1.hook_resid_post", "blocks.0.attn.hook_q", "blocks.0.attn.hook_attn_scores",
    "blocks.2.attn.hook_pattern", "blocks.1.ln1.hook_scale", "blocks.0.attn.hook_result", "probabilities",
    "blocks.1.attn.hook_max",
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(server: Server) -> tuple[str, str]:
    first, second = (server.make_run(model="tiny", tokens=tokens, max_new_tokens=0) for tokens in (LONGER, OTHER))
    return first["id"], second["id"]


def _expected(server: Server, runs: tuple[str, str], name: str) -> NDArray[np.float32]:
    """Compute with NumPy what comes of the two runs' numbers; not-a-number where there is no partner."""
    mine, theirs = (activation(server, run, name) for run in runs)
    listed = server.get(f"/runs/{runs[0]}/activations")["activations"]
    axes = next(one["axes"] for one in listed if one["name"] == name)
    lone = np.zeros(mine.shape, bool)
    for number, axis in enumerate(axes):
        if axis in ("pos", "query_pos", "key_pos"):
            theirs = np.take(theirs, [0 if partner is None else partner for partner in PAIRS], number)
            at: list[Any] = [slice(None)] * mine.ndim
            at[number] = PAIRS.index(None)
            lone[tuple(at)] = True
    with np.errstate(invalid="ignore"):
        less = np.where(np.isneginf(mine) | np.isneginf(theirs), -np.inf, mine - theirs).astype(np.float32)
    less[lone] = np.nan
    return less


def test_pairs_are_said(server: Server, runs: tuple[str, str]) -> None:
    said = server.get(f"/runs/{runs[0]}/pairing", minus=runs[1])
    assert said["pairs"][: len(PAIRS)] == PAIRS
    assert (said["run"], said["minus"], said["source_pairs"]) == (*runs, [])


@pytest.mark.parametrize("name", NAMES)
def test_every_difference_is_numpys_to_the_bit(server: Server, runs: tuple[str, str], name: str) -> None:
    found = fetch(server, f"/runs/{runs[0]}/activations/{quote(name)}", minus=runs[1])
    np.testing.assert_array_equal(found, _expected(server, runs, name))
    assert np.isfinite(found).any()


def test_a_run_less_itself_is_nothing(server: Server, runs: tuple[str, str]) -> None:
    found = fetch(server, f"/runs/{runs[0]}/activations/blocks.2.hook_resid_post", minus=runs[0])
    assert not found.any()
    scales = server.get(f"/runs/{runs[0]}/scales", minus=runs[0])["scales"]
    assert set(scales.values()) == {1.0}


def test_scales_of_differences_are_their_size(server: Server, runs: tuple[str, str]) -> None:
    scales = server.get(f"/runs/{runs[0]}/scales", minus=runs[1])["scales"]
    every = [np.abs(_expected(server, runs, f"blocks.{layer}.hook_resid_post")) for layer in range(3)]
    pooled = np.concatenate([values[np.isfinite(values)] for values in every])
    assert scales["hook_resid_post"] == pytest.approx(np.percentile(pooled, 99.5), rel=0.05)
    own = server.get(f"/runs/{runs[0]}/scales", by="tensor", minus=runs[1])["scales"]
    finite = every[1][np.isfinite(every[1])]
    assert own["blocks.1.hook_resid_post"] == pytest.approx(np.percentile(finite, 99.5), rel=0.05)


def test_statistics_of_a_difference_are_of_what_has_partners(server: Server, runs: tuple[str, str]) -> None:
    name = "blocks.0.attn.hook_q"
    said = server.get(f"/runs/{runs[0]}/activations/{name}/stats", minus=runs[1])
    less = _expected(server, runs, name)
    finite = less[np.isfinite(less)]
    assert (said["min"], said["max"]) == (finite.min(), finite.max())
    assert said["mean"] == pytest.approx(finite.mean(dtype=np.float64), rel=1e-5, abs=1e-9)
    assert said["infinite"] == less[0].size


def test_rows_tiles_and_cells_of_the_stream_are_differences(server: Server, runs: tuple[str, str]) -> None:
    names = [name for name in NAMES if name != "blocks.1.attn.hook_max"]
    place = {"run": runs[0], "row": 0, "col": 0}
    score: dict[str, Any] = {"name": "blocks.0.attn.hook_attn_scores", "index": [1], **place}
    with StreamClient.open(server) as client:
        wish: dict[str, Any] = {"minus": runs[1], "model": "tiny"}
        client.want(
            1, runs[0], *names, **wish,
            tiles=[{**score, "level": 0}, {**score, "level": 1}],
            cells=[{**score, "rows": 20, "cols": 20}, {"name": "W_E", "index": [], "row": 0, "col": 0, "rows": 2,
                                                       "cols": 2}],
        )  # fmt: skip
        while len(client.frames) < len(names) + 4:
            client.next()
        rows = [frame for frame in client.frames if frame.header["type"] == "rows"]
        assert {frame.header["name"] for frame in rows} == set(names)
        for frame in rows:
            assert frame.header["minus"] == runs[1]
            expected = _expected(server, runs, frame.header["name"])
            # Plus infinity stands where there is no partner.
            np.testing.assert_allclose(
                frame.values, np.where(np.isnan(expected), np.inf, expected), rtol=1e-3, atol=1e-6
            )
        scores = _expected(server, runs, score["name"])[1]
        cells = next(frame for frame in client.frames if frame.header["type"] == "cells" and frame.header["run"])
        np.testing.assert_array_equal(cells.values, np.where(np.isnan(scores), np.inf, scores))
        tile = next(frame for frame in client.frames if frame.header["type"] == "tile" and frame.header["level"] == 1)
        patch = scores[6:8, :2]
        assert tile.values[3, 0] == pytest.approx(
            np.sign(patch.mean()) * np.sqrt((patch.astype(np.float64) ** 2).mean()), rel=2e-3
        )
        weight = next(frame for frame in client.frames if frame.header["name"] == "W_E")
        np.testing.assert_array_equal(weight.values, fetch(server, "/models/tiny/weights/W_E")[:2, :2])
        # Back to the run alone: what was sent as a difference does not count as sent.
        client.frames.clear()
        client.want(2, runs[0], "hook_embed")
        while not client.frames:
            client.next()
        np.testing.assert_allclose(
            client.frames[0].values, activation(server, runs[0], "hook_embed"), rtol=1e-3, atol=1e-6
        )


def test_what_is_written_is_paired_in_order(server: Server, runs: tuple[str, str]) -> None:
    first, second = (
        server.make_run(model="tiny", tokens=tokens, max_new_tokens=count)
        for tokens, count in ((LONGER, 4), (TOKENS, 3))
    )
    pairs = server.get(f"/runs/{first['id']}/pairing", minus=second["id"])["pairs"]
    assert pairs[8:] == [7, 8, None]
    found = fetch(server, f"/runs/{first['id']}/activations/hook_embed", minus=second["id"])
    mine, theirs = (activation(server, one["id"], "hook_embed") for one in (first, second))
    np.testing.assert_array_equal(found[8:10], mine[8:10] - theirs[7:9])
    assert np.isnan(found[10:]).all()


def test_what_cannot_be_compared_is_refused(server: Server, runs: tuple[str, str]) -> None:
    def refused(path: str, **query: str) -> tuple[int, str]:
        answer = server.client.get(path, params=query)
        error = answer.json()["error"]
        assert error["hint"]
        return answer.status_code, error["type"]

    assert refused(f"/runs/{runs[0]}/activations/hook_embed", minus="nobody") == (404, "unknown_run")
    assert refused(f"/runs/{runs[0]}/pairing") == (422, "invalid")
    other = server.make_run(model="sort", tokens=[0, 1, 2], max_new_tokens=0)["id"]
    for path in ("pairing", "activations/hook_embed", "scales", "activations/hook_embed/tiles/0/0/0"):
        assert refused(f"/runs/{runs[0]}/{path}", minus=other) == (422, "another_model")
    tile = f"/runs/{runs[0]}/activations/hook_embed/tiles/0/0/0"
    assert refused(tile, minus=runs[1], step="0") == (422, "invalid")
    with StreamClient.open(server) as client:
        client.want(1, runs[0], "hook_embed", minus=other, tiles=[
            {"run": runs[0], "name": "hook_embed", "index": [], "level": 0, "row": 0, "col": 0}
        ])  # fmt: skip
        assert client.take("error")["error"]["type"] == "another_model"
        client.read_until_quiet()
        assert client.frames == []
