"""What keyboards and screen readers meet: axe-core over every page and panel, and the whole page without a pointer."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .atlas import open_atlas, rest, state, wait_until, walk
from .conftest import ROOT, Server, Watch

pytestmark = [pytest.mark.browser]

_AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("moderate", "serious", "critical")


@pytest.fixture(scope="module")
def examined(browser: Browser, browser_context_args: dict[str, Any]) -> Any:
    """Open a page into which axe-core may be put: what the pages' policy forbids to others."""
    context = browser.new_context(**browser_context_args, bypass_csp=True)
    yield context.new_page()
    context.close()


def _findings(page: Page) -> list[str]:
    """List what axe finds that is at least moderate: rule, how serious, and where."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=Path(_AXE))
    found: dict[str, Any] = page.evaluate(
        """() => axe.run(document, {
            runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
            resultTypes: ["violations"],
        })"""
    )
    return [
        f"{one['id']} ({one['impact']}): {node['target']}"
        for one in found["violations"]
        if one["impact"] in _SERIOUS
        for node in one["nodes"][:3]
    ]


_SORT = "/?model=sort#text=CBABBC"
_VIEWS = {
    "home": _SORT,
    "inspector": "/?model=sort&select=blocks.1.attn.hook_pattern[2_5_0]#text=CBABBC",
    "pass": "/?model=sort&step=blocks.0.attn.hook_q#text=CBABBC",
    "pins": "/?model=sort&panel=pins#text=CBABBC",
    "outline": "/?model=sort&panel=outline&select=blocks.1.attn.hook_pattern[2_5_0]#text=CBABBC",
    "help": "/?model=sort&panel=help#text=CBABBC",
    "matrix": "/?model=sort&panel=attention&attention=self_1_0_hook_pattern#text=CBABBC",
    "arcs": "/?model=sort&panel=attention&attention=self_1_0_hook_pattern_arcs#text=CBABBC",
    "all heads": "/?model=sort&panel=attention&attention=self_1_0_hook_pattern_heads#text=CBABBC",
    "query key": "/?model=sort&panel=attention&attention=self_1_0_hook_pattern_pair#text=CBABBC",
    "rollout": "/?model=sort&panel=attention&attention=self_1_0_hook_pattern_rollout#text=CBABBC",
    "lenses": "/?model=sort&panel=lenses#text=CBABBC&lenses=logit_lens~next_token~contributions",
    "fill": "/?model=fill",
    "translate": "/?model=translate",
}


def test_axe_finds_nothing_on_the_page_and_its_panels(examined: Page, server: Server) -> None:
    open_atlas(examined, server.url, _SORT)
    found = {}
    for name, address in _VIEWS.items():
        walk(examined, address)
        examined.wait_for_timeout(200)
        if findings := _findings(examined):
            found[name] = findings
    examined.keyboard.press("Escape")
    examined.keyboard.press("/")
    expect(examined.get_by_role("dialog")).to_be_visible()
    if findings := _findings(examined):
        found["search"] = findings
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_at_phone_width_and_on_other_pages(examined: Page, server: Server, theme: str) -> None:
    found = {}
    examined.set_viewport_size({"width": 390, "height": 844})
    for address in (_SORT, "/models", "/models/sort", "/api", "/no-such-page"):
        examined.goto(server.url + address)
        examined.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        if address == _SORT:
            wait_until(examined, "() => window.__atlas !== undefined")
            rest(examined)
        if findings := _findings(examined):
            found[address] = findings
    examined.set_viewport_size({"width": 1280, "height": 800})
    assert not found, json.dumps(found, indent=1)


def _focus(page: Page) -> str:
    """Name what has the focus, by its accessible name or words."""
    name: str = page.evaluate(
        """() => {
            const on = document.activeElement;
            return (on.ariaLabel ?? on.labels?.[0]?.innerText ?? (on.innerText || on.title || on.id)).trim();
        }"""
    )
    return name


def _tab_to(page: Page, *names: str, most: int = 60) -> None:
    """Press Tab until something with one of these names has the focus."""
    met = []
    for _ in range(most):
        page.keyboard.press("Tab")
        met.append(_focus(page))
        if any(met[-1].startswith(name) for name in names):
            return
    pytest.fail(f"Tab does not come to {names}, but to {met}")


@pytest.mark.own_page
def test_the_whole_page_is_used_by_keyboard_alone(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, _SORT)
    # The first stop leads past everything to the text.
    page.keyboard.press("Tab")
    assert _focus(page) == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "prompt"
    page.keyboard.press("Control+a")
    page.keyboard.type("ABCABC")
    # Few stops lie between the text and what writes on it.
    _tab_to(page, "Write", most=4)
    page.keyboard.press("Enter")
    wait_until(page, "() => window.__atlas.state().phase === 'done' && window.__atlas.state().tokens.length > 6")
    assert state(page)["tokens"][:6] == [0, 1, 2, 0, 1, 2]
    rest(page)
    # A search leads to a cell of the map; its card is read, walked and left again.
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("L1H2 pattern[4,3]")
    page.keyboard.press("Enter")
    rest(page)
    assert state(page)["selected"] == {"tensor": "blocks.1.attn.hook_pattern", "index": [2, 4, 3]}
    expect(page.locator("[data-follow]").first).to_be_visible()
    page.keyboard.press("g")
    wait_until(page, "() => window.__atlas.state().selected.tensor === 'blocks.1.attn.hook_attn_scores'")
    page.keyboard.press("b")
    wait_until(page, "() => window.__atlas.state().selected.tensor === 'blocks.1.attn.hook_pattern'")
    rest(page)
    # The panels on the right are one stop, and the arrow keys go through them.
    _tab_to(page, "Inspector")
    for name in ("Pinned", "Attention", "Lenses", "Outline"):
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tab", name=name)).to_be_focused()
    # The pass is stepped and left.
    page.keyboard.press("Escape")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowRight")
    wait_until(page, "() => window.__atlas.state().pass !== null")
    page.keyboard.press("PageDown")
    page.keyboard.press("Escape")
    wait_until(page, "() => window.__atlas.state().pass === null")
