"""How long a frame of the map takes in headless Chromium's software renderer, for four sizes of model; how soon the
first picture of a large one is there, how soon the tiles of a view, and what a flight through it leaves in memory."""

import json
import random
import statistics
import time

from playwright.sync_api import Browser, Page, sync_playwright

from tools.browser import find

from .forward import GPT2_SMALL, GPT2_XL
from .server import Served, serving

_VIEWS = ("overview", "tilted", "block", "plate", "cells")
_FRAMES = 60
_HOPS = 60
FLAGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--enable-precise-memory-info",
)

# A model without a tokenizer reads token ids.
_TOKENS = "#tokens=" + "_".join(str(37 * i + 5) for i in range(32))
# The map takes the whole window, as on a page without panels.
_WHOLE_WINDOW = """() => Object.assign(document.querySelector(".map canvas").style,
    {position: "fixed", left: "0", top: "0", width: "1280px", height: "800px", zIndex: "99"})"""
# Looks at every refresh of the display: when all weights in view had some number, and when the right tiles.
_WATCH = """
window.__seen = {picture: null, tiles: null};
requestAnimationFrame(function look() {
  const stats = window.__atlas?.stats();
  if (stats?.plates && stats.framesDrawn && stats.weightsMissing === 0) {
    window.__seen.picture ??= performance.now();
    if (stats.tilesWanted === 0 && window.__atlas.map.idle()) window.__seen.tiles ??= performance.now();
  }
  if (window.__seen.tiles === null) requestAnimationFrame(look);
});"""
# From the moment the eye jumps to a view until all its tiles are drawn.
_JUMP = """camera => new Promise(done => {
    const { map } = window.__atlas, start = performance.now();
    map.setCamera(camera);
    let frames = map.stats().framesDrawn;
    requestAnimationFrame(function look() {
        const stats = map.stats();
        if (stats.framesDrawn > frames && stats.tilesWanted === 0 && map.idle()) done(performance.now() - start);
        else requestAnimationFrame(look);
    });
})"""


def rows() -> list[tuple[str, str]]:
    """Measure the rows: median milliseconds a frame, each ended by reading back a pixel, and bare plates; then times
    of pictures and sizes in memory."""
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        with serving({"gpt2-small-shape": GPT2_SMALL}) as served:
            found += _cold(browser, served)
            for model in ("sort", "stories", "gpt2-small-shape"):
                found += _frames(page, served.url, model)
            found += _views(page) + _flight(page)
        # In half precision: three gigabytes, used where they lie in the file.
        with serving({"gpt2-xl-shape": GPT2_XL}, "bfloat16") as served:
            found += _frames(page, served.url, "gpt2-xl-shape")
        browser.close()
    return found


def _cold(browser: Browser, served: Served) -> list[tuple[str, str]]:
    """Open a new browser's page of a model that nobody has looked at; then once more, its thumbnails on disk."""
    found = []
    for when in ("first, thumbnails made", "again, thumbnails kept"):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(f"{served.url}/?model=gpt2-small-shape{_TOKENS}")
        until(page, "() => window.__seen.tiles !== null")
        seen = page.evaluate("window.__seen")
        context.close()
        found.append(
            (
                f"gpt2-small-shape, from opening the page, {when}",
                f"all weights drawn after {seen['picture']:.0f} ms, at the right level after {seen['tiles']:.0f} ms",
            )
        )
    return found


def _frames(page: Page, url: str, model: str) -> list[tuple[str, str]]:
    """Draw frames of the page as it is, and of a map that takes the whole window: over twice as many pixels."""
    page.goto(f"{url}/?model={model}{_TOKENS if model.endswith('-shape') else ''}")
    until(page, "() => window.__atlas?.idle() && window.__atlas.stats().plates > 0")
    found = [(f"{model}, plates", f"{page.evaluate('window.__atlas.stats().plates'):,}")]
    found += [(f"{model}, {view}, in the page", f"{_median(page, view, False):.1f} ms") for view in _VIEWS]
    page.evaluate(_WHOLE_WINDOW)
    # The view that is measured follows from the window's shape: wait until the map has taken it in.
    until(page, "() => document.querySelector('.map canvas').width === 1280 && window.__atlas.idle()")
    for view in _VIEWS:
        full, bare = (_median(page, view, bare) for bare in (False, True))
        text = f"{full:.1f} ms, {full / bare:.2f} x bare plates ({bare:.1f} ms)"
        found.append((f"{model}, {view}, in the whole window", text))
    return found


def _median(page: Page, view: str, bare: bool) -> float:
    """Measure milliseconds a frame while the view pans."""
    measure = "([frames, view, bare]) => window.__atlas.map.benchmark(frames, view, bare)"
    times: list[float] = page.evaluate(measure, [_FRAMES, view, bare])
    return statistics.median(times)


def _views(page: Page) -> list[tuple[str, str]]:
    """Jump to every block of the model shown, and measure how long until all tiles of the view are drawn."""
    times = []
    for layer in range(GPT2_SMALL.layers):
        page.evaluate("name => window.__atlas.map.flyTo({region: name}, false)", f"Block {layer}")
        camera = page.evaluate("window.__atlas.camera()")
        page.evaluate("() => window.__atlas.map.fit(false)")
        until(page, "() => window.__atlas.idle()")
        times.append(page.evaluate(_JUMP, camera))
    return [
        (
            "gpt2-small-shape, all tiles of a block from the jump on",
            f"median {statistics.median(times):.0f} ms, at most {max(times):.0f} ms",
        )
    ]


def _flight(page: Page) -> list[tuple[str, str]]:
    """Hop to cells anywhere in the model shown: bytes of textures, and of the heap after a collection."""
    chance = random.Random(1)
    profiler = page.context.new_cdp_session(page)
    heaps, textures = [], []
    for hop in range(_HOPS):
        tensor = f"blocks.{chance.randrange(GPT2_SMALL.layers)}.mlp.{chance.choice(('W_in', 'W_out'))}"
        index = [chance.randrange(GPT2_SMALL.d_model), chance.randrange(GPT2_SMALL.d_model)]
        page.evaluate("([tensor, index]) => window.__atlas.map.flyTo({tensor, index}, false)", [tensor, index])
        page.wait_for_timeout(100)
        until(page, "() => window.__atlas.idle()")
        if hop % (_HOPS // 6) == 0:
            profiler.send("HeapProfiler.collectGarbage")
            heaps.append(page.evaluate("performance.memory.usedJSHeapSize") / 2**20)
            textures.append(page.evaluate("window.__atlas.stats().textureBytes") / 1e6)
    return [
        (f"gpt2-small-shape, textures over {_HOPS} random hops, MB", ", ".join(f"{size:.1f}" for size in textures)),
        ("heap of the page meanwhile, MiB", ", ".join(f"{size:.1f}" for size in heaps)),
    ]


def until(page: Page, condition: str, argument: object = None, patience: float = 120) -> None:
    """Wait for the page.

    Raises:
        RuntimeError: it takes too long; what the page says of itself is in the message.
    """
    deadline = time.monotonic() + patience
    while not page.evaluate(condition, argument):
        if time.monotonic() > deadline:
            about = page.evaluate("() => ({state: window.__atlas?.state(), stats: window.__atlas?.stats()})")
            raise RuntimeError(f"still not after {patience} s: {condition} {json.dumps(about)}")
        page.wait_for_timeout(30)
