"""What pointing at a cell costs in headless Chromium: script for every cell the pointer comes to, whether it is lit in
the next frame, and how long its exact number and formula take to come, beside the bare REST call for them."""

import statistics
import time
import urllib.parse
import urllib.request
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tools.browser import find

from .attention import settle
from .forward import GPT2_SMALL
from .scene import FLAGS
from .server import serving

_CELLS = 12
# A model without a tokenizer reads token ids.
_TOKENS = "#tokens=" + "_".join(str(37 * i + 5) for i in range(32))
# Where to point, each with room for a dozen neighbours along its last axis.
_TENSORS: dict[str, list[int]] = {
    "blocks.0.attn.hook_q": [4, 2, 3],
    "blocks.0.attn.hook_z": [4, 1, 5],
    "blocks.0.ln1.hook_out": [4, 30],
    "blocks.0.mlp.hook_post": [4, 9],
    "blocks.0.hook_mlp_out": [4, 30],
    "logits": [4, 100],
    "blocks.0.attn.W_Q": [1, 3, 4],
}
# Goes from cell to cell and waits each time until the exact number stands on the card.
_POINT = """async (cells) => {
    const map = window.__atlas.map, canvas = document.querySelector(".map canvas");
    const box = canvas.getBoundingClientRect();
    const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
    const found = [];
    for (const cell of cells) {
        const at = map.project(cell);
        await frame();
        await frame();
        const drawn = window.__atlas.stats().framesDrawn;
        const began = performance.now();
        canvas.dispatchEvent(new PointerEvent("pointermove", {
            clientX: at.x + box.left, clientY: at.y + box.top, bubbles: true, pointerId: 1, pointerType: "mouse",
        }));
        await frame();
        const lit = window.__atlas.stats().framesDrawn > drawn;
        let came = null;
        while (came === null && performance.now() < began + 2000) {
            await new Promise((done) => setTimeout(done, 2));
            if (document.querySelector(".hover-card .result")?.textContent.startsWith("="))
                came = performance.now() - began;
        }
        found.push({ lit, came: came ?? 2000 });
    }
    return found;
}"""
# The same without looking, for that is script too; and as many frames without a pointer.
_GO = """async (cells) => {
    const map = window.__atlas.map, canvas = document.querySelector(".map canvas");
    const box = canvas.getBoundingClientRect();
    for (const cell of cells) {
        const at = cell && map.project(cell);
        if (!at) map.select(null);
        else canvas.dispatchEvent(new PointerEvent("pointermove", {
            clientX: at.x + box.left, clientY: at.y + box.top, bubbles: true, pointerId: 1, pointerType: "mouse",
        }));
        await new Promise((done) => setTimeout(done, 250));
    }
}"""


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows."""
    found = []
    with sync_playwright() as playwright, serving({"gpt2-small-shape": GPT2_SMALL}) as served:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        for model in ("stories", "gpt2-small-shape"):
            page.goto(f"{served.url}/?model={model}{_TOKENS if model.endswith('-shape') else ''}")
            settle(page)
            found += _hover(page, served.url, model)
        browser.close()
    return found


def _hover(page: Page, url: str, model: str) -> list[tuple[str, str]]:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    pointing: list[float] = []
    drawing: list[float] = []
    answers: list[dict[str, Any]] = []
    calls: list[float] = []
    for tensor, index in _TENSORS.items():
        page.evaluate("cell => window.__atlas.map.flyTo(cell, false)", {"tensor": tensor, "index": index})
        settle(page)
        cells = [{"tensor": tensor, "index": [*index[:-1], index[-1] + i]} for i in range(2 * _CELLS)]
        page.evaluate(_POINT, cells[:1])  # brings the formula's typesetting
        answers += page.evaluate(_POINT, cells[1:_CELLS])
        for found, going in ((pointing, cells[_CELLS:]), (drawing, [None] * _CELLS)):
            before = _script(session)
            page.evaluate(_GO, going)
            found.append((_script(session) - before) / _CELLS)
        calls += [_call(url, page.evaluate("window.__atlas.state().run"), cell) for cell in cells[:_CELLS]]
    script, drawn = statistics.median(pointing), statistics.median(drawing)
    came, call = statistics.median(answer["came"] for answer in answers), statistics.median(calls)
    lit = sum(answer["lit"] for answer in answers)
    return [
        (f"{model}, script for a cell pointed at", f"{script - drawn:.1f} ms, and {drawn:.1f} ms to draw a frame"),
        (f"{model}, lit in the next frame", f"{lit} of {len(answers)}"),
        (f"{model}, until the exact number shows", f"{came:.0f} ms, {came / call:.1f} x the bare call ({call:.1f} ms)"),
    ]


def _script(session: CDPSession) -> float:
    """Read the milliseconds of script so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return 1000 * next(float(metric["value"]) for metric in metrics if metric["name"] == "ScriptDuration")


def _call(url: str, run: str, cell: dict[str, Any]) -> float:
    query = urllib.parse.urlencode({"index": ",".join(map(str, cell["index"]))})
    began = time.perf_counter()
    with urllib.request.urlopen(f"{url}/api/v1/runs/{run}/explain/{cell['tensor']}?{query}", timeout=30) as answer:
        answer.read()
    return 1000 * (time.perf_counter() - began)
