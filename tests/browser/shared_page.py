"""One page for most tests: loading one costs two seconds of the processor, coming to another address of it a tenth.

A test that asks for `page` borrows it, and `open_atlas` walks to an address instead of loading it. What an address does
not say is put back between tests: the window, media, permissions, storage, what is open, chosen or focused. A page is
loaded anew after a failure, after a test has stored something in the browser, for another server, and in a context of
its own for tests marked `own_page`, which change what cannot be put back.
"""

import socket
import urllib.parse
from typing import Any
from weakref import WeakSet

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

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
# Closes what is open, lets go of what is chosen, and goes home. Says whether the browser was left as a new one.
_TIDY = """async () => {
    const atlas = window.__atlas;
    if (!atlas || document.querySelector(".banner, .notice, .problem")) return false;
    const first = "next_token~surprisal";
    const kept = Object.entries(localStorage).filter(([name, value]) => name !== "atlas-lenses" || value !== first);
    localStorage.clear();
    sessionStorage.clear();
    if (kept.length > 0) return false;
    document.activeElement?.blur();
    for (const open of document.querySelectorAll("details[open]")) open.open = false;
    for (const scrolled of document.querySelectorAll("*")) if (scrolled.scrollTop) scrolled.scrollTop = 0;
    getSelection()?.removeAllRanges();
    return true;
}"""
_SMALL: ViewportSize = {"width": 900, "height": 600}
_shared: WeakSet[Page] = WeakSet()
_ESCAPES = 4  # the search or a dialog, a played cell, a step of the pass, the chosen cell


class SharedPage:
    """The page that tests of one process borrow in turn."""

    def __init__(self, browser: Browser, arguments: dict[str, Any]) -> None:
        """Open nothing yet; `arguments` are those of a new context."""
        self._browser, self._arguments = browser, arguments
        self._context: BrowserContext | None = None
        self._page: Page | None = None

    def borrow(self, still: bool, small: bool) -> Page:
        """Lend the page, without motion if `still`, in the window that the design is drawn for unless `small`."""
        if self._page is None or self._page.is_closed():
            self.close()
            self._context = self._browser.new_context(**self._arguments)
            self._context.add_init_script(_COUNT_FRAMES)
            self._page = self._context.new_page()
            _shared.add(self._page)
        page = self._page
        if not _is_served(page.url):
            # Its server is gone, which it would say again and again.
            page.goto("about:blank")
        window = _SMALL if small else self._arguments["viewport"]
        if page.viewport_size != window:
            page.set_viewport_size(window)
        page.emulate_media(
            color_scheme="light", forced_colors="none", reduced_motion="reduce" if still else "no-preference"
        )
        page.evaluate("window.framesAsked = 0")
        return page

    def close(self) -> None:
        """Close it; the next to ask gets a new one."""
        if self._context is not None:
            self._context.close()
        self._context = self._page = None


def _is_served(url: str) -> bool:
    """Tell whether somebody listens where a page came from; a blank one came from nowhere."""
    where = urllib.parse.urlsplit(url)
    if where.hostname is None or where.port is None:
        return True
    try:
        socket.create_connection((where.hostname, where.port), timeout=5).close()
    except OSError:
        return False
    return True


def tidied(page: Page, url: str) -> bool:
    """Put a page back to where a test may begin; False where it has to be loaded instead."""
    if page not in _shared or not page.url.startswith(f"{url}/"):
        return False
    page.mouse.move(1, 1)
    if not page.evaluate(_TIDY):
        return False
    for _ in range(_ESCAPES):
        page.keyboard.press("Escape")
    page.evaluate("window.__atlas.map?.fit(false)")
    return True
