"""What stays in memory: of the page over ten texts of 200 written tokens, of the server when runs are forgotten."""

import json
import urllib.request
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tools.browser import find

from .scene import FLAGS, until
from .server import Served, serving

_TOKENS, _RESTARTS = 200, 10


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows: heap and textures after each restart, and the bytes that runs hold on the server."""
    with sync_playwright() as playwright, serving({}) as served:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        # Temperature 1 and a seed of its own each time, so that the texts differ.
        page.goto(f"{served.url}/?model=stories&temperature=1&top_k=0&top_p=1#text=Once")
        profiler = page.context.new_cdp_session(page)
        found = [_write(page, profiler, restart) for restart in range(_RESTARTS)]
        browser.close()
        heaps = [heap / 2**20 for heap, _, _ in found]
        return [
            ("tokens written, ten times over", ", ".join(str(written) for _, _, written in found)),
            ("heap of the page after each, MiB", ", ".join(f"{heap:.1f}" for heap in heaps)),
            ("last / second", f"{heaps[-1] / heaps[1]:.3f}"),
            ("textures after each, MiB", ", ".join(f"{size / 2**20:.1f}" for _, size, _ in found)),
            ("bytes that a run holds on the server, then forgotten", _forgotten(served)),
        ]


def _write(page: Page, profiler: CDPSession, restart: int) -> tuple[int, int, int]:
    """Write 200 tokens; bytes of heap after a collection, bytes of textures, tokens written.

    A story that ends sooner is followed by another one.
    """
    written = 0
    page.locator("input[name=seed]").fill(str(restart))
    while written < _TOKENS:
        _read(page, f"Once upon a time, story {restart} after {written} tokens")
        written += _write_on(page, _TOKENS - written)
    for _ in range(2):  # what the first collection finalises, the second frees
        profiler.send("HeapProfiler.collectGarbage")
    heap, textures = page.evaluate("[performance.memory.usedJSHeapSize, window.__atlas.stats().textureBytes]")
    return int(heap), int(textures), written


def _read(page: Page, text: str) -> None:
    until(page, "() => window.__atlas?.idle() === true")
    before = page.evaluate("window.__atlas.state().run")
    page.locator("#prompt").fill(text)
    page.locator("#prompt").press("Enter")
    until(page, "before => ![before, null].includes(window.__atlas.state().run)", before)
    until(page, "() => window.__atlas.idle() === true")


def _write_on(page: Page, count: int) -> int:
    """Press the button that writes until `count` more tokens are there, or the story ends; return how many came."""
    came, before = 0, int(page.evaluate("window.__atlas.state().tokens.length"))
    ended = False
    while came < count and not ended:
        page.locator("button.write").click()
        until(page, "() => window.__atlas.state().phase === 'done'")
        until(page, "() => window.__atlas.idle() === true")
        came = int(page.evaluate("window.__atlas.state().tokens.length")) - before
        ended = page.evaluate("window.__atlas.state().reason") != "max_new_tokens"
    return came


def _forgotten(served: Served) -> str:
    """Read what `run_bytes` says before a run, with it, and after it was deleted."""
    before = _ask(served, "GET", "/capabilities")["run_bytes"]
    run = _ask(served, "POST", "/runs", {"model": "stories", "text": "Once upon a time", "max_new_tokens": _TOKENS})[
        "id"
    ]
    held = _ask(served, "GET", "/capabilities")["run_bytes"]
    _ask(served, "DELETE", f"/runs/{run}")
    after = _ask(served, "GET", "/capabilities")["run_bytes"]
    return f"{held - before:,}, then {after - before:,}"


def _ask(served: Served, method: str, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    content = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{served.url}/api/v1{path}", content, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read()
    found: dict[str, Any] = json.loads(text) if text else {}
    return found
