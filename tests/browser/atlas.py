"""The page as a test handles it: open, wait until it rests, read, and ask the API for the same numbers."""

import json
import math
import os
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

import pytest
from playwright.sync_api import Page, expect

from .shared_page import tidied

PATIENCE = 30_000
# Two texts to come to, of a model that sorts letters and of one that tells stories.
SORT = "/?model=sort#text=CBABBC"
STORIES = "/?model=stories#text=The+cat+sat+on+the+mat."
# The sampling that always takes the likeliest token.
GREEDY = "temperature=0&top_k=0&top_p=1&seed=0"
# How soon a page answers, in seconds, where nothing holds it up.
_SOON = 0.2
# ATLAS_SLOW=300:3 lets every answer take 300 ms more and the page's script three times as long: whatever a test reads
# before it has come is then found out at once, not on the one busy day.
_SLOW = [float(number) for number in os.environ.get("ATLAS_SLOW", "").split(":") if number]
_slowed: WeakSet[Page] = WeakSet()


def _slow_down(page: Page) -> None:
    """Make a page as slow as ATLAS_SLOW says, once."""
    if not _SLOW or page in _slowed:
        return
    _slowed.add(page)
    devtools = page.context.new_cdp_session(page)
    latency, *rate = _SLOW
    line = {"offline": False, "latency": latency, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", line)
    if rate:
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": rate[0]})


def eventually(page: Page, read: Callable[[], Any], wanted: object) -> None:
    """Wait until what is read is what is wanted (`pytest.approx` too); what it was at last is said otherwise."""
    deadline = time.monotonic() + PATIENCE / 1000
    while (found := read()) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(30)
    assert found == wanted


def wait_until(page: Page, condition: str, argument: object = None, patience: float = PATIENCE / 1000) -> None:
    """Wait until a function of the page is true. Playwright's own waiting evaluates text, which the page forbids."""
    deadline = time.monotonic() + patience
    while not page.evaluate(condition, argument):
        assert time.monotonic() < deadline, (
            f"still not: {condition} ({argument}); {page.evaluate('window.__atlas?.state()')}"
        )
        page.wait_for_timeout(30)


def open_atlas(page: Page, url: str, address: str = "/") -> None:
    """Come to an address of the atlas as if nobody had been there, and wait until everything is drawn."""
    _slow_down(page)
    if tidied(page, url):
        walk(page, address)
        return
    page.goto(url + address)
    wait_until(page, "() => window.__atlas !== undefined")
    rest(page)


def wait_for_address(page: Page) -> None:
    """Wait until the address says where the eye is, as it does a moment after the eye has come to rest."""
    wait_until(
        page,
        """() => {
            const said = (new URLSearchParams(location.search).get("camera") ?? "").split("_").map(Number);
            const { target, distance, azimuth, elevation } = window.__atlas.camera();
            return [...target, distance, azimuth, elevation].every(
                (value, at) => Math.abs(value - said[at]) <= 1e-4 * Math.max(1, Math.abs(value)));
        }""",
    )


def reload(page: Page) -> None:
    """Load the same address again and wait until everything is drawn."""
    page.reload()
    wait_until(page, "() => window.__atlas !== undefined")
    rest(page)


def walk(page: Page, address: str) -> None:
    """Come to another address of the same page, as Back and Forward do: nothing is loaded anew."""
    page.evaluate("to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }", address)
    rest(page)


def without_webgl(page: Page) -> None:
    """Open from now on as in a browser without WebGL."""
    page.add_init_script(
        """const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            return kind.startsWith("webgl") ? null : get.call(this, kind, ...rest);
        };"""
    )


def rest(page: Page) -> None:
    """Wait until there is nothing left to compute, send or draw."""
    page.evaluate(
        """patience => Promise.race([
            window.__atlas.whenIdle(),
            new Promise((_, fail) => setTimeout(() => fail(new Error(
                "the page does not come to rest: " + JSON.stringify(window.__atlas.state()))), patience)),
        ])""",
        PATIENCE,
    )


def state(page: Page) -> dict[str, Any]:
    """Read what the page says of itself."""
    found: dict[str, Any] = page.evaluate("window.__atlas.state()")
    return found


def open_colours(page: Page) -> None:
    """Show the numbers behind the colours."""
    colours = page.locator("details.colours")
    if colours.get_attribute("open") is None:
        colours.locator("summary").click()


def wait_for_tokens(page: Page, count: int) -> None:
    """Wait until the page shows at least so many tokens."""
    wait_until(page, "count => window.__atlas.state().tokens.length >= count", count)


def drawn(page: Page, tensor: str, index: Sequence[int]) -> float | None:
    """Read the number that the map holds for a cell."""
    value: float | None = page.evaluate(
        "([tensor, index]) => window.__atlas.value(tensor, index)", [tensor, list(index)]
    )
    return value


def read(page: Page, prompt: str) -> None:
    """Type a text and read it."""
    before = state(page)["run"]
    page.locator("#prompt").fill(prompt)
    page.locator("#prompt").press("Enter")
    wait_until(page, "before => ![before, null].includes(window.__atlas.state().run)", before)
    rest(page)


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make a REST call."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/v1{path}", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


def delete(url: str, path: str) -> None:
    """Take something away over REST."""
    request = urllib.request.Request(f"{url}/api/v1{path}", method="DELETE")
    with urllib.request.urlopen(request, timeout=30):
        pass


def exact(url: str, where: str, tensor: str, index: Sequence[int]) -> float:
    """Read the API's number of one cell; `where` is `models/ID/weights` or `runs/ID/activations`."""
    query = urllib.parse.urlencode({"index": ",".join(map(str, index))})
    value = ask(url, f"/{where}/{urllib.parse.quote(tensor)}?{query}")["values"]
    return -math.inf if value is None else float(value)


def same(drawn_value: float | None, exact_value: float) -> bool:
    """Tell whether a half-precision number is the given one."""
    if drawn_value is None:
        return False
    return math.isclose(drawn_value, exact_value, rel_tol=1e-3, abs_tol=1e-6)


def camera(page: Page) -> dict[str, Any]:
    """Read where the eye is."""
    found: dict[str, Any] = page.evaluate("window.__atlas.camera()")
    return found


def fitted(page: Page) -> dict[str, Any]:
    """Return the camera once the map has fitted the window just given, and what stands over it."""
    rest(page)
    before, now = None, camera(page)
    while now != before:
        page.wait_for_timeout(400)
        before, now = now, camera(page)
    return now


def find(page: Page, text: str) -> None:
    """Type a search and take the first answer."""
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Tensor, section").fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    rest(page)


def on_screen(page: Page, tensor: str, index: list[int]) -> dict[str, float]:
    """Find where a cell is within the map's window."""
    place: dict[str, float] | None = page.evaluate(
        "([tensor, index]) => window.__atlas.map.project({tensor, index})", [tensor, index]
    )
    assert place is not None, f"{tensor}{index} is not before the eye"
    return place


def in_window(page: Page, tensor: str, index: list[int]) -> bool:
    """Tell whether a cell lies within the map's window."""
    box = page.locator(".map > canvas").bounding_box()
    place = on_screen(page, tensor, index)
    return box is not None and 0 < place["x"] < box["width"] and 0 < place["y"] < box["height"]


def assert_cells(page: Page, url: str, cells: list[tuple[str, list[int]]]) -> None:
    """Check that the map holds the numbers of these cells that the API gives."""
    now = state(page)
    for tensor, index in cells:
        weight = re.search(r"(^|\.)[Wb]_|\.[wb]$", tensor) is not None
        where = f"models/{now['model']}/weights" if weight else f"runs/{now['run']}/activations"
        here, there = drawn(page, tensor, index), exact(url, where, tensor, index)
        assert same(here, there), f"{tensor}{index}: the map draws {here}, the API says {there}"


def assert_answers(page: Page) -> None:
    """Check that the page answers soon: the best of some tries, since a busy machine may be late on its own account."""
    best = float("inf")
    for _ in range(30):
        start = time.monotonic()
        page.evaluate("1")
        best = min(best, time.monotonic() - start)
        if best < _SOON:
            return
    pytest.fail(f"the page takes {best:.2f} s to answer")
