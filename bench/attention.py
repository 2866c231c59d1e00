"""How soon the board of all heads is up in a page, and any of its heads at full size: SmolLM2 reading 512 tokens, and
60 heads reading 1,024. Drawn by headless Chromium's software renderer, with the map beside it."""

import json
import statistics
import urllib.request

from playwright.sync_api import Page, sync_playwright

from app.transformer.spec import Rotary, Spec
from tools.browser import find

from .scene import FLAGS, until
from .server import serving

# What `transformer-atlas pull smollm2` gets; random weights of its shape where it has not been pulled.
SMOLLM2 = "smollm2"
_SMOLLM2_SHAPE = Spec(
    layers=30, heads=9, kv_heads=3, d_model=576, d_head=64, d_mlp=1536, d_vocab=49152, positions=8192, norm="rms",
    position_kind="rotary", rotary=Rotary(64, 100_000), qkv_bias=False, attention_bias=False, mlp_bias=False,
    gated=True, activation="silu",
)  # fmt: skip
_SIXTY = Spec(layers=5, heads=12, d_model=768, d_head=64, d_mlp=3072, d_vocab=50257, positions=1024)
_OPENED = 12

# Presses a button and waits for what it brings; milliseconds, and the longest that no frame was drawn meanwhile.
_TIMED = """([press, here]) => new Promise(done => {
    const start = performance.now();
    let last = start, longest = 0;
    const look = now => {
        longest = Math.max(longest, now - last);
        last = now;
        if (document.querySelector(here)) done([performance.now() - start, longest]);
        else requestAnimationFrame(look);
    };
    document.querySelector(press).click();
    requestAnimationFrame(look);
})"""
_TAB = ".attention .faces button:nth-child({})"


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows."""
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        with serving({"sixty-heads": _SIXTY}) as served:
            with urllib.request.urlopen(f"{served.url}/api/v1/models") as answer:
                pulled = SMOLLM2 in [model["id"] for model in json.load(answer)["models"]]
            if pulled:
                found += _board(page, served.url, SMOLLM2, 512, 30, 9)
            found += _board(page, served.url, "sixty-heads", 1024, 5, 12)
        if not pulled:
            with serving({"smollm2-shape": _SMOLLM2_SHAPE}) as served:
                found += _board(page, served.url, "smollm2-shape", 512, 30, 9)
        browser.close()
    return found


def _board(page: Page, url: str, model: str, tokens: int, layers: int, heads: int) -> list[tuple[str, str]]:
    ids = "_".join(str((37 * i + 5) % 40000) for i in range(tokens))
    page.goto(f"{url}/?model={model}&panel=attention&attention=self_0_0_hook_pattern_pair#tokens={ids}")
    settle(page)
    last = f'[data-head="{layers - 1}.{heads - 1}"] canvas'
    board, stall = page.evaluate(_TIMED, [_TAB.format(3), last])
    opened = []
    for number in range(_OPENED):
        place = f"{number * 7 % layers}.{number * 5 % heads}"
        opened.append(page.evaluate(_TIMED, [f'[data-head="{place}"]', '.matrix-scroll[data-shown="all"]']))
        page.evaluate(_TIMED, [_TAB.format(3), last])
    times = [milliseconds for milliseconds, _ in opened]
    stall = max(stall, *(longest for _, longest in opened))
    name = f"{model}, {layers * heads} heads, {tokens} tokens"
    return [
        (f"{name}: the board is up after", f"{board:.0f} ms"),
        (f"{name}: a head at full size, median and worst", f"{statistics.median(times):.0f} ms, {max(times):.0f} ms"),
        (f"{name}: longest without a frame", f"{stall:.0f} ms"),
    ]


def settle(page: Page) -> None:
    """Wait until the run has been read and the map has come to rest."""
    until(page, "() => window.__atlas?.idle?.() === true")
    page.wait_for_timeout(1000)
