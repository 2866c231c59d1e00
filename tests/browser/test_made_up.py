"""A graph that somebody made up, with numbers of its own: the page draws it, steps through it and explains it through
the port of `frontend/src/sources/port.ts`. No server of ours is there, no socket, and no model."""

import functools
import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from .atlas import rest, state, wait_until
from .conftest import ROOT, Watch

Numbers = NDArray[np.float64]


class _Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a word."""

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the page of the made-up graph, and serve its files alone."""
    folder: Path = tmp_path_factory.mktemp("made-up")
    build = [sys.executable, str(ROOT / "tools/node.py"), "npm", "run", "--silent", "made-up", "--", "--outDir"]
    subprocess.run([*build, str(folder)], cwd=ROOT / "frontend", check=True, timeout=300)
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{files.server_port}/index.html"
        files.shutdown()


def numbers() -> dict[str, Numbers]:
    """Compute the graph's tensors anew: weights by the rule of `frontend/tests/made-up/numbers.ts`."""

    def weight(salt: int, rows: int, columns: int) -> Numbers:
        return ((7 * np.arange(rows)[:, None] + 3 * np.arange(columns) + salt) % 11 - 5) / 4

    embed, into, out, unembed = weight(0, 5, 4), weight(2, 4, 6), weight(5, 6, 4), weight(8, 4, 5)
    words = embed[[2, 4, 0]]
    before = words @ into
    after = np.maximum(before, 0)
    added = after @ out
    stream = words + added
    logits = stream @ unembed
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return {
        "W_E": embed,
        "hook_embed": words,
        "blocks.0.mlp.W_in": into,
        "blocks.0.mlp.hook_pre": before,
        "blocks.0.mlp.hook_post": after,
        "blocks.0.mlp.W_out": out,
        "blocks.0.hook_mlp_out": added,
        "blocks.0.hook_resid_post": stream,
        "W_U": unembed,
        "logits": logits,
        "probabilities": shares,
    }


def test_a_made_up_graph_is_drawn_stepped_through_and_explained(page: Page, watch: Watch, made_up: str) -> None:
    sockets: list[str] = []
    asked: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(made_up)
    wait_until(page, "() => window.__atlas !== undefined")
    rest(page)
    _is_drawn(page)
    _is_stepped_through(page)
    _is_explained(page)
    assert state(page)["run"] is None and state(page)["model"] is None
    assert sockets == []
    assert [url for url in asked if "/api/" in url] == []


def _is_drawn(page: Page) -> None:
    """Find every number of every tensor on the map, and the hue of its sign."""
    for tensor, expected in numbers().items():
        held = page.evaluate(
            """([tensor, rows, columns]) => Array.from({ length: rows }, (_, row) =>
                Array.from({ length: columns }, (_, column) => window.__atlas.value(tensor, [row, column])))""",
            [tensor, *expected.shape],
        )
        assert np.array(held, float) == pytest.approx(expected, rel=1e-3, abs=1e-6), tensor
    page.evaluate("() => { window.__atlas.map.flyTo({ tensor: 'logits' }, false); window.__atlas.map.faceOn(false); }")
    rest(page)
    picture = Image.open(io.BytesIO(page.locator(".map canvas[tabindex]").screenshot())).convert("RGB")
    for index, value in np.ndenumerate(numbers()["logits"]):
        pixel = picture.getpixel(_beside_the_middle(page, index))
        assert isinstance(pixel, tuple)  # as of every picture in RGB
        red, green, _ = pixel
        assert (green > red) == (value > 0), (index, value, red, green)


def _beside_the_middle(page: Page, index: tuple[int, ...]) -> tuple[int, int]:
    """Find a point within a cell of the logits, off the digits in its middle."""
    here, right = (
        page.evaluate("at => window.__atlas.map.project({ tensor: 'logits', index: at })", [index[0], column])
        for column in (index[1], (index[1] + 1) % 5)
    )
    size = abs(right["x"] - here["x"]) / (4 if index[1] == 4 else 1)
    return round(here["x"]), round(here["y"] - 0.4 * size)


def _is_stepped_through(page: Page) -> None:
    """Step through the graph's seven operations: the bar says of each what the source says of it."""
    page.get_by_role("button", name="Step through").click()
    bar = page.get_by_label("The forward pass, step by step")
    made = []
    for title in ("look up each word", "six questions to each word", "only what is above zero"):
        expect(bar).to_contain_text(title)
        expect(bar).to_contain_text(f"Made up for a test: {title}.")
        made.append(state(page)["pass"]["output"])
        page.keyboard.press("ArrowRight")
    for _ in range(3):
        made.append(state(page)["pass"]["output"])
        page.keyboard.press("ArrowRight")
    last = state(page)["pass"]
    activations = [name for name in numbers() if "W_" not in name]
    assert [*made, last["output"]] == activations and last["steps"] == 7
    assert [box["tensor"] for box in last["reads"]] == ["logits", "logits"]
    page.keyboard.press("Escape")
    wait_until(page, "() => window.__atlas.state().pass === null")


def _is_explained(page: Page) -> None:
    """Click a cell: the source explains it by its number, its terms, and the way to what it reads."""
    page.evaluate("window.__atlas.map.flyTo({ tensor: 'logits', index: [1, 2] }, false)")
    rest(page)
    at = page.evaluate("window.__atlas.map.project({ tensor: 'logits', index: [1, 2] })")
    page.locator(".map canvas[tabindex]").click(position=at)
    found = numbers()
    inspector = page.get_by_role("region", name="Inspector")
    expect(inspector).to_contain_text("1 “four”")
    expect(inspector).to_contain_text(f"= {found['logits'][1, 2]:.7f}".replace("-", "−"))
    expect(inspector).to_contain_text("Made up for a test: a score for every word.")
    terms = found["blocks.0.hook_resid_post"][1] * found["W_U"][:, 2]
    said = re.findall(r"^([+−])([\d.]+)$", inspector.inner_text(), re.MULTILINE)
    assert [float(number) * (1 if sign == "+" else -1) for sign, number in said[:4]] == pytest.approx(terms, abs=1e-4)
    page.get_by_role("button", name="Follow to resid_post").click()
    expect(inspector).to_contain_text("added to the word")
    page.get_by_role("button", name="Where it goes").click()
    expect(inspector.get_by_role("button", name="go to logits, 5 cells")).to_be_visible()
