"""What is spoken of can be seen: the card keeps off a cell's row and column, a column is marked at any distance, the
sheet of a played cell lies beside it, and a step of the pass names the number that it makes."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import eventually, open_atlas, rest, state, wait_until, walk
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]

_PLACE = """cell => {
    const at = window.__atlas.map.project(cell);
    const box = document.querySelector(".map canvas[tabindex]").getBoundingClientRect();
    return [at.x + box.left, at.y + box.top];
}"""


def _place(page: Page, tensor: str, index: list[int]) -> tuple[float, float]:
    """Return where the middle of a cell is in the window."""
    x, y = page.evaluate(_PLACE, {"tensor": tensor, "index": index})
    return x, y


def _covers(page: Page, selector: str, at: tuple[float, float]) -> bool:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["x"] < at[0] < box["x"] + box["width"] and box["y"] < at[1] < box["y"] + box["height"]


def test_what_is_spoken_of_can_be_seen(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    # From home a column of the stream is a pixel or two wide: an arrow stands over each of its plates, and its token.
    marks = page.locator(".position-marks")
    expect(marks.locator("path")).to_have_count(0)
    chip = page.locator(".chips .chip").nth(2)
    chip.click()
    expect(marks.locator("path")).to_have_count(8)
    expect(marks.locator("text")).to_have_text(["“A”"])
    chip.click()
    expect(marks.locator("path")).to_have_count(0)

    # The card at the pointer covers no neighbour in the row or the column, and a line leads from it to the cell.
    scores = "blocks.0.attn.hook_attn_scores"
    page.evaluate("tensor => window.__atlas.map.flyTo({tensor, index: [0, 4, 2]}, false)", scores)
    rest(page)
    page.mouse.move(*_place(page, scores, [0, 4, 2]))
    expect(page.locator(".hover-card .formula .katex").first).to_be_attached()
    expect(page.locator(".callouts path.ink").first).to_be_attached()
    for query, key in [(at, 2) for at in range(6)] + [(4, at) for at in range(6)]:
        assert not _covers(page, ".hover-card", _place(page, scores, [0, query, key])), (query, key)
    page.mouse.move(2, 2)

    # Played, a cell's sheet has a line to the cell and to each of what it reads; the overview steps aside meanwhile.
    walk(page, "/?model=sort&select=blocks.1.attn.hook_q[3_2_9]#text=CBABBC")
    page.get_by_role("button", name="Play the arithmetic").click()
    leaders = page.locator(".callouts path.leader")
    wait_until(page, "() => document.querySelector('.leader.ink').getAttribute('d').includes('a')")
    for role, lines in (("weight", 2), ("activation", 1)):
        (path,) = [
            leader.get_attribute("d") or "" for leader in leaders.all() if role in str(leader.get_attribute("class"))
        ]
        assert path.count("M") == lines, role
    expect(page.locator(".map .overview")).to_have_count(0)
    page.get_by_role("button", name="Close the player").click()
    expect(page.locator(".map .overview")).to_have_count(1)

    # A step of the pass singles a cell out: what it reads is lit, and its number is named.
    walk(page, "/?model=sort&step=blocks.0.attn.hook_z#text=CBABBC")
    told = page.locator(".callouts .pill-words")
    made = {"tensor": "blocks.0.attn.hook_z", "index": [5, 0, 8]}
    number = page.evaluate("({tensor, index}) => window.__atlas.value(tensor, index)", made)
    expect(told).to_contain_text("6 products")
    head = state(page)["pass"]["makes"][0]
    assert head["tensor"] == made["tensor"]
    # What a pill says is set a moment after it is placed.
    wanted = pytest.approx(number, rel=6e-3)
    eventually(page, lambda: float((told.text_content() or "").split("= ")[-1].replace("−", "-")), wanted)
    assert {box["tensor"] for box in page.evaluate("window.__atlas.lit()")} == {
        "blocks.0.attn.hook_pattern",
        "blocks.0.attn.hook_v",
    }
    expect(page.locator(".callouts path.arc-share")).to_have_count(6)
