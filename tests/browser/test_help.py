"""Every key that the help lists, and every button, with motion on: each does something, and the page answers."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page

from .atlas import assert_answers, open_atlas, wait_until
from .conftest import Server

pytestmark = pytest.mark.browser


# What is seen to change when a key does something.
_SEEN = """() => JSON.stringify([
    window.__atlas.camera(), window.__atlas.state().selected, window.__atlas.state().pass?.step,
    window.__atlas.state().pass?.running, window.__atlas.state().panel, window.__atlas.state().run,
    document.querySelector(".player")?.innerText, document.querySelector("dialog[open]") !== null,
    document.querySelectorAll("article.pin").length, document.querySelectorAll(".overview").length,
    document.querySelector("#prompt").value, document.activeElement?.getAttribute("aria-label"),
    document.querySelector(".cell")?.innerText,
])"""


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator(".map canvas[tabindex]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _drag(page: Page, button: Literal["left", "right"] = "left") -> None:
    x, y = _middle(page)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + 60, y + 30, steps=3)
    page.mouse.up(button=button)


def _wheel(page: Page) -> None:
    page.mouse.move(*_middle(page))
    page.mouse.wheel(0, -240)


def _click(page: Page, clicks: int) -> None:
    page.evaluate("window.__atlas.map.flyTo({ plateOf: { tensor: 'blocks.1.mlp.W_in', index: [3, 3] } }, false)")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.click(*_middle(page), click_count=clicks)


def _choose(page: Page) -> None:
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Tensor, section").fill("L1H1 pattern[4,2]")
    page.keyboard.press("Enter")
    wait_until(page, "() => document.querySelector('.player') !== null")


def _choose_and_stand_on_it(page: Page) -> None:
    _choose(page)
    page.get_by_role("group", name="Cell").focus()


def _let_go(page: Page) -> None:
    _choose(page)
    page.keyboard.press("Escape")
    wait_until(page, "() => window.__atlas.state().selected === null")


def _leave(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    wait_until(page, "() => window.__atlas.state().pass !== null")
    page.keyboard.press("Escape")
    wait_until(page, "() => window.__atlas.state().pass === null")


def _fill_the_screen(page: Page) -> None:
    page.keyboard.press("Shift+F")
    wait_until(page, "() => document.fullscreenElement !== null")
    page.evaluate("document.exitFullscreen()")
    page.keyboard.press("?")


def _follow(page: Page) -> None:
    _choose(page)
    page.keyboard.press("g")
    wait_until(page, "() => window.__atlas.state().selected.tensor !== 'blocks.1.attn.hook_pattern'")
    page.keyboard.press("b")
    wait_until(page, "() => window.__atlas.state().selected.tensor === 'blocks.1.attn.hook_pattern'")
    page.keyboard.press("g")


def _keys(*keys: str, first: Callable[[Page], None] | None = None) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        if first:
            first(page)
        for key in keys:
            page.keyboard.press(key)

    return press


def _on(label: str, *keys: str) -> Callable[[Page], None]:
    return _keys(*keys, first=lambda page: page.get_by_label(label).first.focus())


def _copied(page: Page) -> None:
    page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "blocks.2.attn.W_O");
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }"""
    )


def _typed(page: Page) -> None:
    page.locator("#prompt").fill("CAB")
    page.locator("#prompt").press("Enter")
    wait_until(page, "() => window.__atlas.state().tokens.length === 3")


# By sheet and keys. Fingers are tried where there is a screen to touch (test_hands.py).
_TOUCH = "Touch"

_DOES: dict[tuple[str, str], Callable[[Page], None]] = {
    ("Pointer", "drag"): _drag,
    ("Pointer", "right-drag, Shift-drag"): lambda page: _drag(page, "right"),
    ("Pointer", "wheel, trackpad pinch"): _wheel,
    ("Pointer", "click"): lambda page: _click(page, 1),
    ("Pointer", "double-click"): lambda page: _click(page, 2),
    ("Finding one's way", "/"): _keys("/"),
    ("Finding one's way", "Ctrl+V"): _copied,
    ("Finding one's way", "F"): _keys("f", first=_choose),
    ("Finding one's way", "Shift+F"): _fill_the_screen,
    ("Finding one's way", "0, Home"): _keys("+", "+", "0"),
    ("Finding one's way", "Shift + arrow keys"): _keys("Shift+ArrowRight", "Shift+ArrowDown"),
    ("Finding one's way", "+, −"): _keys("+", "+", "-"),
    ("Finding one's way", "Q E, R V"): _keys("q", "q", "e", "r", "r", "v"),
    ("Finding one's way", "M"): _keys("m"),
    ("Reading numbers", "arrow keys, on the cell"): _keys("ArrowDown", first=_choose_and_stand_on_it),
    ("Reading numbers", "G, B"): _follow,
    ("Reading numbers", "P"): _keys("p", first=_choose),
    ("Reading numbers", "A"): _keys("a", first=_choose),
    ("Reading numbers", "Esc"): _let_go,
    ("The forward pass, step by step", "← →"): _keys("ArrowRight", "ArrowRight", "ArrowLeft"),
    ("The forward pass, step by step", "Space"): _keys("Space"),
    ("The forward pass, step by step", "Page Up, Page Down"): _keys("ArrowRight", "PageDown", "PageUp", "PageDown"),
    ("The forward pass, step by step", "Home, End"): _keys("ArrowRight", "End", "Home"),
    ("The forward pass, step by step", "Esc"): _leave,
    ("Text", "Enter, in the text"): _typed,
    ("Text", "arrow keys, on a token"): _on("position 1:", "ArrowRight", "Enter"),
    ("Text", "?"): _keys("?"),
}

# Esc brings back what was before; whoever tries it sees to that. Back and Forward are the browser's (test_history.py).
_BROWSERS = {("Finding one's way", "Alt+← →")}


def test_every_key_of_the_help_does_something_and_the_page_answers(lively: Page, server: Server) -> None:
    start = "/?model=sort#text=CBABBC"
    open_atlas(lively, server.url, start + "&x=")
    lively.get_by_role("tab", name="Help").click()
    listed = lively.evaluate(
        """() => [...document.querySelectorAll("[aria-label=Help] section")].flatMap(sheet =>
            [...sheet.querySelectorAll("dt")].map(row => [sheet.querySelector("h3").textContent, row.textContent]))"""
    )
    keys = {(sheet, row) for sheet, row in listed if sheet != _TOUCH} - _BROWSERS
    assert keys == set(_DOES), "a key of the help has no test here, or a test no key"
    for where, act in _DOES.items():
        lively.keyboard.press("Escape")
        lively.get_by_role("tab", name="Inspector").click()
        lively.get_by_role("button", name="Step through").focus()
        before = lively.evaluate(_SEEN)
        act(lively)
        if where[1] != "Esc":
            wait_until(lively, f"([before]) => ({_SEEN})() !== before", [before, where])
        assert_answers(lively)
        for _ in range(2):
            lively.keyboard.press("Escape")


def test_every_button_is_pressed_and_the_page_answers(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort#text=CBABBC")
    find = """() => [...document.querySelectorAll("header button, .left button, footer button, [role=tab]")]
        .filter(one => !one.disabled && one.offsetParent !== null)
        .map(one => one.getAttribute("aria-label") ?? one.textContent.trim())"""
    press = """name => {
        const found = [...document.querySelectorAll("header button, .left button, footer button, [role=tab]")]
            .find(one => (one.getAttribute("aria-label") ?? one.textContent.trim()) === name && !one.disabled);
        found?.click();
        return found !== undefined;
    }"""
    pressed = []
    for name in dict.fromkeys(lively.evaluate(find)):
        if lively.evaluate(press, name):
            pressed.append(name)
        assert_answers(lively)
        lively.keyboard.press("Escape")
    assert {"Write", "Fit", "Face me", "Step through", "Attention"} <= set(pressed)
