"""Where one is: the trail above the map, the overview in its corner, and the words on it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .atlas import SORT, STORIES, camera, eventually, find, in_window, open_atlas, reload, rest, wait_until
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]


def _leads_to(page: Page, *names: str) -> None:
    """Wait until the trail begins with these names: it follows the eye once that has rested and been drawn."""
    eventually(page, lambda: page.locator(".crumbs button").all_inner_texts()[: len(names)], list(names))


def _leads_just_to(page: Page, *names: str) -> None:
    """Wait until the trail is these names."""
    expect(page.locator(".crumbs button")).to_have_text(list(names))


def test_the_trail_says_where_one_is_and_each_step_flies(page: Page, server: Server) -> None:
    open_atlas(page, server.url, STORIES)
    _leads_just_to(page, "Model")
    find(page, "L3H5 pattern[2, 1]")
    _leads_just_to(page, "Model", "Block 3", "Attention", "Head 5", "pattern")
    trail = page.get_by_role("navigation", name="Where the chosen cell is")
    expect(trail.get_by_role("button").last).to_have_attribute("aria-current", "location")
    near = camera(page)["distance"]
    distances = []
    for name in ("pattern", "Head 5", "Attention", "Block 3", "Model"):
        trail.get_by_role("button", name=name, exact=True).click()
        rest(page)
        assert in_window(page, "blocks.3.attn.hook_pattern", [5, 2, 1])
        distances.append(camera(page)["distance"])
    assert distances == sorted(distances)
    assert distances[-1] > 10 * near
    page.keyboard.press("Escape")
    wait_until(page, "() => !location.search.includes('select=')")
    find(page, "L4 mlp")
    page.get_by_role("navigation", name="Where the view is").wait_for()
    _leads_to(page, "Model", "Block 4", "MLP")
    page.go_back()
    rest(page)
    _leads_just_to(page, "Model")


def test_the_overview_shows_the_window_and_moves_it(page: Page, server: Server) -> None:
    open_atlas(page, server.url, STORIES)
    plan = page.get_by_role("group", name="Overview of the map")
    expect(plan).not_to_be_visible()  # it would lie over the map, all of which is in the window
    find(page, "L2 mlp")
    expect(plan).to_be_visible()
    box = plan.bounding_box()
    legend = page.get_by_role("list", name="What the colours mean").bounding_box()
    assert box is not None and legend is not None
    assert box["y"] + box["height"] <= legend["y"]
    inked = """canvas => {
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return pixels.filter((value, at) => at % 4 === 3 && value > 0).length / (pixels.length / 4);
    }"""
    eventually(page, lambda: 0.15 < plan.locator("canvas").evaluate(inked) < 0.9, True)
    home = camera(page)

    def frame() -> list[tuple[float, float]]:
        points = plan.locator("polygon").get_attribute("points") or ""
        return [tuple(map(float, point.split(","))) for point in points.split(" ")]  # type: ignore[misc]

    left, right = min(x for x, _ in frame()), max(x for x, _ in frame())
    assert 0 < right - left < 0.7 * box["width"]
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 25)
    page.mouse.up()
    moved = camera(page)
    assert moved["distance"] == home["distance"]

    def middle() -> tuple[float, float]:
        (left, top), _, (right, bottom), *_ = frame()
        return (left + right) / 2, (top + bottom) / 2

    eventually(page, middle, pytest.approx((30, 25), abs=6))
    rest(page)
    _leads_to(page, "Model", "Embedding")
    plan.focus()
    page.keyboard.press("ArrowRight")
    assert camera(page)["target"][0] > moved["target"][0]
    assert page.evaluate("window.__atlas.state().pass ?? null") is None
    page.keyboard.press("Enter")
    _leads_just_to(page, "Model")
    page.keyboard.press("m")
    expect(plan).to_have_count(0)
    reload(page)
    page.get_by_role("button", name="Overview", exact=True).click()
    expect(plan).to_be_visible()
    # A wider window shows more to both sides.
    find(page, "L2 mlp")
    rest(page)
    narrow = frame()
    page.set_viewport_size({"width": 1700, "height": 800})
    eventually(page, lambda: frame()[1][0] - frame()[0][0] > 1.2 * (narrow[1][0] - narrow[0][0]), True)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(plan).to_have_count(0)


def _names(page: Page) -> dict[str, dict[str, Any]]:
    """Read the names on the map, by their texts: the first of each."""
    rest(page)
    found: dict[str, dict[str, Any]] = {}
    for name in page.evaluate("window.__atlas.map.names()"):
        found.setdefault(name["text"], name)
    return found


def test_names_are_plain_from_afar_and_say_what_they_are_for(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    names = _names(page)
    assert {"Block 0", "Attention", "MLP", "running sum", "norm"} <= set(names)
    assert not {"ln1", "resid_mid", "b_O", "attn_out", "norm ln1"} & set(names)
    assert len(page.evaluate("window.__atlas.map.names()")) <= 24
    canvas = page.locator(".map > canvas")
    box = canvas.bounding_box()
    assert box is not None
    at = names["norm"]
    x, y = box["x"] + (at["left"] + at["right"]) / 2, box["y"] + (at["top"] + at["bottom"]) / 2
    page.mouse.move(x - 1, y)
    page.mouse.move(x, y)
    card = page.locator(".label-card")
    expect(card).to_contain_text("brought to a common size")
    expect(card).to_contain_text("blocks.0.ln1.hook_out")
    far = camera(page)["distance"]
    card.get_by_role("button", name="Go there").click()
    rest(page)
    expect(card).to_have_count(0)
    assert camera(page)["distance"] < far / 2
    assert in_window(page, "blocks.0.ln1.hook_out", [0, 0])
    assert "norm ln1" in _names(page)


def test_a_tall_window_has_larger_words(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    open_atlas(page, server.url, SORT)

    def height() -> float:
        at = _names(page)["Block 0"]
        return float(at["bottom"] - at["top"])

    usual = height()
    page.set_viewport_size({"width": 2000, "height": 1440})
    wait_until(
        page,
        "usual => window.__atlas.map.names().some(n => n.text === 'Block 0' && n.bottom - n.top > usual * 1.4)",
        usual,
    )
    assert height() == pytest.approx(1.5 * usual, rel=0.02)


def test_flying_to_a_pattern_leaves_room_for_its_words(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    page.evaluate("window.__atlas.map.flyTo({tensor: 'blocks.1.attn.hook_pattern', index: [0, null, null]}, false)")
    rest(page)
    first = page.evaluate("window.__atlas.map.project({tensor: 'blocks.1.attn.hook_pattern', index: [0, 5, 0]})")
    words = [box for box in page.evaluate("window.__atlas.map.written()") if box["left"] >= 0]
    assert any(box["right"] <= first["x"] and box["top"] < first["y"] < box["bottom"] for box in words)  # its row
    assert any(box["left"] < first["x"] < box["right"] and box["top"] > first["y"] for box in words)  # its column
