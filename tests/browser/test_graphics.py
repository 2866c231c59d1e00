"""The map and its graphics card: a context that is taken away comes back, and a model larger than the textures is
drawn from its thumbnails on, within their bound."""

import io
import json
import random
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, Request, WebSocket, expect

from app.transformer.spec import Spec
from bench.server import write_model

from .atlas import drawn, exact, open_atlas, rest, same, state, wait_until
from .conftest import Server, Watch

pytestmark = pytest.mark.browser

# Twice as many numbers as the textures have room for.
LARGE = Spec(layers=4, heads=8, d_model=512, d_head=64, d_mlp=2048, d_vocab=20_000, positions=256)
MOST_BYTES = 80e6


def picture(page: Page) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Take a picture of the map as it is seen."""
    page.mouse.move(2, 2)
    rest(page)
    return np.asarray(
        Image.open(io.BytesIO(page.locator(".map canvas[tabindex]").screenshot())).convert("RGB"), np.int16
    )


def lose_context(page: Page, milliseconds: int) -> None:
    """Take the graphics context away for a while, as a driver may."""
    page.evaluate("milliseconds => window.__atlas.map.loseContext(milliseconds)", milliseconds)
    expect(page.locator(".notice")).to_contain_text("graphics driver")


def test_a_lost_context_comes_back_as_it_was(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    page.evaluate("window.__atlas.map.flyTo({tensor: 'blocks.1.mlp.W_in', index: [3, 5]}, false)")
    before, camera = picture(page), page.evaluate("window.__atlas.camera()")
    lose_context(page, 300)
    expect(page.locator(".notice")).to_have_count(0)
    after = picture(page)
    assert page.evaluate("window.__atlas.camera()") == camera
    assert np.abs(before - after).mean() < 0.01
    assert np.ptp(after) > 100, "nothing is drawn"
    # What comes while there is no context is drawn once there is one.
    count = len(state(page)["tokens"])
    lose_context(page, 1500)
    page.get_by_role("button", name="Step", exact=True).click()
    wait_until(page, "count => window.__atlas.state().tokens.length > count", count)
    expect(page.locator(".notice")).to_have_count(0)
    rest(page)
    run = state(page)["run"]
    for tensor, index in (("hook_embed", [count - 1, 7]), ("blocks.2.attn.hook_pattern", [1, count - 1, 2])):
        value = exact(server.url, f"runs/{run}/activations", tensor, index)
        assert same(drawn(page, tensor, index), value), (tensor, index)
    # Chromium says in its console that the context was lost; that is no mistake of the page.
    watch.forgive("context")


@pytest.fixture(scope="module")
def large_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a model that does not fit into the textures."""
    folder = tmp_path_factory.mktemp("large")
    write_model(folder / "large", LARGE)
    server = Server({"ATLAS_MODELS": json.dumps([str(folder / "large")]), "ATLAS_CACHE_FOLDER": str(folder / "cache")})
    server.start()
    yield server
    server.stop()


def thumbnail_levels(server: Server) -> dict[str, int]:
    """Return the level of every weight's thumbnails."""
    with urllib.request.urlopen(f"{server.url}/api/v1/models/large/thumbnails", timeout=30) as answer:
        content = answer.read()
    header = json.loads(content[4 : 4 + int.from_bytes(content[:4], "little")])
    return {plate["name"]: plate["level"] for plate in header["plates"]}


@pytest.mark.own_page
def test_a_large_model_begins_with_its_thumbnails(page: Page, large_server: Server, watch: Watch) -> None:
    asked: list[str] = []
    wishes: list[dict[str, Any]] = []

    def heard(payload: str | bytes) -> None:
        message = json.loads(payload)
        if message["type"] == "want":
            wishes.extend(message["tiles"])

    def connected(socket: WebSocket) -> None:
        socket.on("framesent", heard)

    def requested(request: Request) -> None:
        asked.append(request.url)

    # They are made when first asked for; the page would not wait for a busy server for ever.
    levels = thumbnail_levels(large_server)
    page.on("websocket", connected)
    page.on("request", requested)
    open_atlas(page, large_server.url, "/?model=large#tokens=" + "_".join(str(7 * i) for i in range(24)))
    assert sum("/thumbnails" in url for url in asked) == 1
    weights = [tile for tile in wishes if not tile.get("run")]
    assert weights, "no tile was asked for"
    assert [tile for tile in weights if tile["level"] >= levels[tile["name"]]] == []
    stats = page.evaluate("window.__atlas.stats()")
    assert (stats["weightsMissing"], stats["tilesWanted"]) == (0, 0)
    assert stats["plateDrawCalls"] == 1
    expect(page.locator(".layers")).to_have_text("all 4 blocks computed")


def test_a_flight_through_a_large_model_stays_within_its_textures(page: Page, large_server: Server) -> None:
    open_atlas(page, large_server.url, "/?model=large#tokens=1_2_3_4")
    chance = random.Random(5)
    sizes = []
    for _ in range(6):
        layer, row, column = chance.randrange(LARGE.layers), chance.randrange(LARGE.d_model), chance.randrange(2048)
        tensor, index = f"blocks.{layer}.mlp.W_in", [row, column]
        page.evaluate("([tensor, index]) => window.__atlas.map.flyTo({tensor, index}, false)", [tensor, index])
        rest(page)
        assert same(drawn(page, tensor, index), exact(large_server.url, "models/large/weights", tensor, index))
        sizes.append(page.evaluate("window.__atlas.stats().textureBytes"))
    assert max(sizes) <= MOST_BYTES
