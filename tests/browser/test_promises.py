"""What the README, the help and the buttons promise, with motion on: everything is tried once, and the page answers."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .atlas import open_atlas, wait_until, walk
from .conftest import Server, Watch

pytestmark = pytest.mark.browser

# Counts the frames asked for and not yet shown: a clock that doubles has thousands within a second.
_COUNT_FRAMES = """
const ask = window.requestAnimationFrame, drop = window.cancelAnimationFrame, open = new Set();
window.framesAsked = 0;
window.requestAnimationFrame = callback => {
    const frame = ask.call(window, now => { open.delete(frame); callback(now); });
    open.add(frame);
    window.framesAsked = Math.max(window.framesAsked, open.size);
    return frame;
};
window.cancelAnimationFrame = frame => { open.delete(frame); drop.call(window, frame); };
"""
# The map, the pass, the arithmetic and a matrix may each ask for one.
_MOST_FRAMES = 4
_SOON = 0.2


@pytest.fixture(scope="module")
def shared(browser: Browser, browser_context_args: dict[str, Any], server: Server) -> Iterator[tuple[Page, Watch]]:
    """One page for all tests here, with motion; it has read a text with `sort`."""
    context = browser.new_context(**{**browser_context_args, "reduced_motion": "no-preference"})
    context.add_init_script(_COUNT_FRAMES)
    page = context.new_page()
    watch = Watch(page)
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    yield page, watch
    context.close()


@pytest.fixture
def lively(shared: tuple[Page, Watch]) -> Iterator[Page]:
    """The shared page; whoever leaves it has made no error, and no clock has doubled."""
    page, watch = shared
    yield page
    assert watch.errors == []
    assert page.evaluate("window.framesAsked") <= _MOST_FRAMES


def assert_answers(page: Page) -> None:
    """The page answers soon: the best of some tries, since a busy machine may be late on its own account."""
    best = float("inf")
    for _ in range(5):
        start = time.monotonic()
        page.evaluate("1")
        best = min(best, time.monotonic() - start)
        if best < _SOON:
            return
    pytest.fail(f"the page takes {best:.2f} s to answer")


def test_the_arithmetic_plays_to_its_end_and_the_page_answers(lively: Page, server: Server) -> None:
    walk(lively, "/?model=sort&select=blocks.1.attn.hook_pattern[1_4_2]#text=CBABBC")
    play = lively.get_by_role("button", name="Play the arithmetic")
    expect(play).to_be_visible()
    lively.keyboard.press("a")
    slider = lively.get_by_label("Time", exact=True)
    before = -1
    while (now := int(slider.input_value())) < 1000:
        assert_answers(lively)
        wait_until(lively, "before => Number(document.querySelector('.player input').value) > before", max(0, before))
        before = now
    expect(
        lively.get_by_role("region", name="The arithmetic, played").get_by_role("button", name="▸ Play")
    ).to_be_visible()
    lively.keyboard.press("a")
    expect(play).to_be_visible()
