"""What keyboards and screen readers meet: axe-core over every page and panel, and the whole page without a pointer."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .atlas import open_atlas, rest, wait_until, walk
from .conftest import ROOT, Server

pytestmark = [pytest.mark.browser]

_AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_SERIOUS = ("moderate", "serious", "critical")


@pytest.fixture(scope="module")
def examined(browser: Browser, browser_context_args: dict[str, Any]) -> Any:
    """A page into which axe-core may be put: what the pages' policy forbids to others."""
    context = browser.new_context(**browser_context_args, bypass_csp=True)
    yield context.new_page()
    context.close()


def _findings(page: Page) -> list[str]:
    """What axe finds that is at least moderate: rule, how serious, and where."""
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
