"""How long a frame of the map takes in headless Chromium's software renderer, for four sizes of model."""

import statistics

from playwright.sync_api import Page, sync_playwright

from tools.browser import find

from .forward import GPT2_SMALL, GPT2_XL
from .server import serving

_VIEWS = ("overview", "tilted", "block", "plate", "cells")
_FRAMES = 60
FLAGS = ("--no-sandbox", "--disable-background-networking", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")


# A model without a tokenizer reads token ids.
_TOKENS = "#tokens=" + "_".join(str(37 * i + 5) for i in range(32))
# The map takes the whole window, as on a page without panels.
_WHOLE_WINDOW = """() => Object.assign(document.querySelector(".map canvas").style,
    {position: "fixed", left: "0", top: "0", width: "1280px", height: "800px", zIndex: "99"})"""


def rows() -> list[tuple[str, str]]:
    """The table's rows: median milliseconds a frame, each ended by reading back a pixel, and bare plates."""
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        with serving({"gpt2-small-shape": GPT2_SMALL}) as served:
            for model in ("sort", "stories", "gpt2-small-shape"):
                found += _frames(page, served.url, model)
        # In half precision: three gigabytes, used where they lie in the file.
        with serving({"gpt2-xl-shape": GPT2_XL}, "bfloat16") as served:
            found += _frames(page, served.url, "gpt2-xl-shape")
        browser.close()
    return found


def _frames(page: Page, url: str, model: str) -> list[tuple[str, str]]:
    page.goto(f"{url}/?model={model}{_TOKENS if model.endswith('-shape') else ''}")
    _settle(page)
    page.evaluate(_WHOLE_WINDOW)
    page.wait_for_timeout(500)
    plates = _settle(page)
    found = []
    for view in _VIEWS:
        full, bare = (
            statistics.median(
                page.evaluate(
                    "([frames, view, bare]) => window.__atlas.map.benchmark(frames, view, bare)", [_FRAMES, view, bare]
                )
            )
            for bare in (False, True)
        )
        found.append(
            (f"{model}, {view} ({plates:,} plates)", f"{full:.1f} ms, {full / bare:.2f} x bare plates ({bare:.1f} ms)")
        )
    return found


def _settle(page: Page) -> int:
    """Wait until the map is laid out and filled; how many plates it has."""
    for _ in range(1200):
        plates = page.evaluate("() => window.__atlas?.stats()?.plates ?? 0")
        if plates and page.evaluate("() => window.__atlas.idle()"):
            return int(plates)
        page.wait_for_timeout(50)
    raise RuntimeError("the map did not come to rest within a minute")
