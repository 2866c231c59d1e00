"""Colour scales by choice: what the legend says is the API's number, and what the map draws follows it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .atlas import ask, eventually, exact, open_atlas, open_colours, state, wait_until
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]

_PAPER, _PLUS, _MINUS = (0xFA, 0xF8, 0xF4), (0x1F, 0x5F, 0xD6), (0xC7, 0x77, 0x00)
# The middle of a cell of three pixels, where there are no lines yet.
_COLOURS = """([tensor, head, cells]) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [48 * 3, 16 * 3];
    if (!window.__atlas.map.drawPlate(canvas, { tensor, index: [head] })) throw new Error("not drawn");
    const pen = canvas.getContext("2d");
    return cells.map(([down, right]) => [...pen.getImageData(down * 3 + 1, right * 3 + 1, 1, 1).data].slice(0, 3));
}"""


def _legend(page: Page, word: str) -> float:
    open_colours(page)
    row = page.locator(".legend .row", has_text=word)
    return float(row.locator("span").last.inner_text().removeprefix("+"))


def _shares(page: Page, url: str, full: float) -> None:
    """Check that every cell looked at is mixed from paper and its hue by its share of full colour."""
    cells = [[0, 0], [7, 3], [20, 4], [33, 9], [47, 15]]
    wanted = []
    for row, column in cells:
        value = exact(url, "models/sort/weights", "blocks.1.attn.W_Q", [1, row, column])
        share, hue = min(1, abs(value) / full), _PLUS if value > 0 else _MINUS
        wanted.append([paper + share * (end - paper) for paper, end in zip(_PAPER, hue, strict=True)])
    colours = [pytest.approx(colour, abs=3) for colour in wanted]
    eventually(page, lambda: page.evaluate(_COLOURS, ["blocks.1.attn.W_Q", 1, cells]), colours)


def _scales(url: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(url, path)["scales"]
    return found


def test_the_scale_in_force_is_said_drawn_and_kept(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&select=blocks.1.attn.W_Q[1_20_4]#text=CBABBC")
    kinds, tensors = (_scales(server.url, f"/models/sort/scales{query}") for query in ("", "?by=tensor"))
    eventually(page, lambda: _legend(page, "weights: W_Q"), pytest.approx(kinds["W_Q"], rel=5e-3))
    _shares(page, server.url, kinds["W_Q"])

    choice = page.get_by_label("scale", exact=True)
    choice.select_option("tensor")
    wait_until(page, "() => location.search.includes('scale=tensor')")
    own = tensors["blocks.1.attn.W_Q"]
    assert abs(own / kinds["W_Q"] - 1) > 0.01
    expect(page.get_by_label("full colour of W_Q", exact=True)).to_have_value(f"{own:.4g}")
    _shares(page, server.url, own)

    choice.select_option("role")
    eventually(page, lambda: _legend(page, "weights"), pytest.approx(max(kinds.values()), rel=5e-3))

    choice.select_option("fixed")
    full = page.get_by_label("full colour of weights", exact=True)
    full.fill("-2")
    full.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("above 0")
    full.fill("0.02")
    full.press("Enter")
    _shares(page, server.url, 0.02)
    wait_until(page, "() => location.search.includes('weight%3D0.02')")
    page.reload()
    wait_until(page, "() => window.__atlas?.idle() === true")
    eventually(page, lambda: _legend(page, "weights"), 0.02)
    _shares(page, server.url, 0.02)


def test_a_kind_is_pinned_to_its_whole_range_and_let_go(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&select=blocks.0.attn.hook_q[1_2_4]#text=CBABBC")
    kind = _scales(server.url, f"/runs/{state(page)['run']}/scales")["hook_q"]
    eventually(page, lambda: _legend(page, "activations: q"), pytest.approx(kind, rel=5e-3))
    page.get_by_role("button", name="Whole range").click()
    stats = ask(server.url, f"/runs/{state(page)['run']}/activations/blocks.0.attn.hook_q/stats")
    largest = max(abs(stats["min"]), abs(stats["max"]))
    full = page.get_by_label("full colour of q", exact=True)
    expect(full).to_have_value(f"{largest:.4g}")
    expect(page.locator(".legend .row", has_text="activations: q (set)")).to_be_visible()
    slider = page.get_by_label("Full colour of q, dragged")
    slider.focus()
    slider.press("ArrowRight")
    eventually(page, lambda: float(full.input_value()), pytest.approx(largest * 10**0.01, rel=1e-2))
    page.get_by_role("button", name="As measured").click()
    eventually(page, lambda: _legend(page, "activations: q"), pytest.approx(kind, rel=5e-3))
    wait_until(page, "() => !location.search.includes('scale=')")


def test_the_legend_is_never_empty(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories#text=A+cat")
    expect(page.locator(".map-legend li")).to_have_count(4)
    open_colours(page)
    rows = page.locator(".legend .row")
    expect(rows).to_have_count(4)
    assert all(float(row.locator("span").last.inner_text().removeprefix("+")) > 0 for row in rows.all())
    canvas = page.locator(".map canvas[tabindex]").bounding_box()
    assert canvas is not None
    at = page.evaluate("window.__atlas.map.project({ tensor: 'blocks.5.mlp.W_out', index: [3, 3] })")
    page.mouse.move(canvas["x"] + at["x"], canvas["y"] + at["y"])
    expect(page.locator(".legend .row", has_text="weights: W_out")).to_be_visible()
    page.mouse.move(20, 700)
    expect(page.locator(".legend .row", has_text="weights: W_out")).to_be_visible()
