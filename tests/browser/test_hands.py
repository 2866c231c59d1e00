"""Moving the map in a real browser: by wheel, keys, double clicks, throws and fingers."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from .atlas import SORT, camera, find, fitted, in_window, on_screen, open_atlas, rest, state, wait_until
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]


def _hit(page: Page, x: float, y: float) -> Any:
    return page.evaluate("([x, y]) => { const hit = window.__atlas.map.pick(x, y); return hit && hit.point }", [x, y])


def test_the_wheel_zooms_at_the_pointer(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    box = page.locator(".map > canvas").bounding_box()
    assert box is not None
    at = {axis: round(value) for axis, value in on_screen(page, "blocks.1.mlp.W_in", [10, 100]).items()}
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    before = camera(page)["distance"]
    point = _hit(page, at["x"], at["y"])
    for _ in range(4):
        page.mouse.wheel(0, -300)
    rest(page)
    assert camera(page)["distance"] < before / 3
    assert _hit(page, at["x"], at["y"]) == pytest.approx(point, abs=0.1)


def test_keys_move_turn_zoom_and_fit(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    home = camera(page)
    page.keyboard.press("Shift+ArrowRight")
    moved = camera(page)
    assert moved["target"][0] > home["target"][0]
    page.keyboard.press("+")
    assert camera(page)["distance"] < 0.85 * home["distance"]
    page.keyboard.press("e")
    assert camera(page)["azimuth"] == pytest.approx(home["azimuth"] + 6)
    page.keyboard.press("r")
    assert camera(page)["elevation"] == pytest.approx(home["elevation"] + 6)
    page.keyboard.press("0")
    assert camera(page) == home
    find(page, "blocks.1.attn.hook_pattern[2, 3, 1]")
    page.keyboard.press("Home")
    assert camera(page) == home
    page.keyboard.press("f")
    rest(page)
    assert in_window(page, "blocks.1.attn.hook_pattern", [2, 5, 5])
    assert camera(page)["distance"] < home["distance"] / 3
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    assert camera(page) == home


def test_double_click_flies_to_the_plate_and_then_to_the_cell(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    box = page.locator(".map > canvas").bounding_box()
    assert box is not None
    at = on_screen(page, "blocks.2.mlp.W_out", [150, 20])
    page.mouse.dblclick(box["x"] + at["x"], box["y"] + at["y"])
    rest(page)
    for corner in ([0, 0], [191, 0], [0, 47], [191, 47]):
        assert in_window(page, "blocks.2.mlp.W_out", corner)
    far = camera(page)["distance"]
    at = on_screen(page, "blocks.2.mlp.W_out", [150, 20])
    page.mouse.dblclick(box["x"] + at["x"], box["y"] + at["y"])
    rest(page)
    assert camera(page)["distance"] < min(far, 41)
    assert on_screen(page, "blocks.2.mlp.W_out", [150, 20])["x"] == pytest.approx(box["width"] / 2, abs=15)


def _throw(page: Page) -> dict[str, Any]:
    """Drag the map and let go on the way; return the camera at that moment."""
    box = page.locator(".map > canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + 120, box["y"] + 30
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 25 * step, y)
        page.wait_for_timeout(8)
    page.mouse.up()
    return camera(page)


def test_the_map_glides_on_and_stops_at_a_touch(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, SORT)
    # A hand that a busy machine held up may have stood still when it let go: then it throws once more.
    for _ in range(5):
        let_go = _throw(moving)
        rest(moving)
        glided = camera(moving)
        if glided != let_go:
            break
    assert glided["target"][0] < let_go["target"][0]  # the map goes right, so the eye goes left over it
    assert glided["distance"] == let_go["distance"]
    _throw(moving)
    moving.mouse.down()
    held = camera(moving)
    moving.wait_for_timeout(250)
    assert camera(moving) == held
    moving.mouse.up()


def test_nothing_glides_where_motion_is_unwelcome(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    let_go = _throw(page)
    page.wait_for_timeout(300)
    assert camera(page) == let_go


@pytest.fixture
def touching(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """Open a phone's page."""
    window = {"width": 390, "height": 844}
    context = browser.new_context(**{**browser_context_args, "viewport": window, "has_touch": True})
    page = context.new_page()
    watch = Watch(page)
    yield page
    assert watch.errors == []
    context.close()


def _gesture(cdp: CDPSession, *paths: list[tuple[float, float]]) -> None:
    """Move fingers along these paths together."""

    def points(at: int) -> list[dict[str, float]]:
        return [{"x": path[at][0], "y": path[at][1], "id": finger} for finger, path in enumerate(paths)]

    cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points(0)})
    for at in range(1, len(paths[0])):
        cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points(at)})
    cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _line(x: float, y: float, to_x: float, to_y: float, steps: int = 8) -> list[tuple[float, float]]:
    return [(x + (to_x - x) * at / steps, y + (to_y - y) * at / steps) for at in range(steps + 1)]


def test_fingers_move_pinch_tilt_and_fly(touching: Page, server: Server) -> None:
    open_atlas(touching, server.url, SORT)
    touching.get_by_role("button", name="Map", exact=True).tap()
    cdp = touching.context.new_cdp_session(touching)
    home = fitted(touching)
    _gesture(cdp, _line(200, 250, 260, 300))
    panned = camera(touching)
    assert panned["target"][0] < home["target"][0]
    assert panned["target"][1] < home["target"][1]
    assert (panned["distance"], panned["azimuth"]) == (home["distance"], home["azimuth"])
    _gesture(cdp, _line(180, 250, 130, 250), _line(220, 250, 270, 250))
    pinched = camera(touching)
    assert pinched["distance"] < panned["distance"] / 2.5
    assert (pinched["azimuth"], pinched["elevation"]) == (home["azimuth"], home["elevation"])
    _gesture(cdp, _line(150, 200, 150, 260), _line(240, 200, 240, 260))
    tilted = camera(touching)
    assert tilted["elevation"] == pytest.approx(home["elevation"] + 18, abs=1)
    assert tilted["distance"] == pytest.approx(pinched["distance"])
    touching.keyboard.press("0")
    box = touching.locator(".map > canvas").bounding_box()
    assert box is not None
    # Names lie over plates in so small a window: a finger means what is under them.
    rest(touching)
    under = touching.evaluate(
        """() => {
            const { map } = window.__atlas;
            const found = map.names().flatMap(({ left, right, top, bottom }) =>
                [0.1, 0.3, 0.5, 0.7, 0.9].flatMap(across => [0.2, 0.5, 0.85].map(down => {
                    const [x, y] = [left + (right - left) * across, top + (bottom - top) * down];
                    return { x, y, tensor: map.pick(x, y)?.tensor };
                })));
            return found.find(({ tensor }) => tensor);
        }"""
    )
    touching.touchscreen.tap(box["x"] + under["x"], box["y"] + under["y"])
    assert state(touching)["selected"]["tensor"] == under["tensor"]
    at = on_screen(touching, "blocks.1.mlp.W_in", [20, 100])
    x, y = box["x"] + at["x"], box["y"] + at["y"]
    touching.touchscreen.tap(x, y)
    wait_until(touching, "() => window.__atlas.state().selected?.tensor === 'blocks.1.mlp.W_in'")
    # Twice on a plate flies to the plate, and once more to the cell.
    for share in (1, 4):
        at = on_screen(touching, "blocks.1.mlp.W_in", [20, 100])
        x, y = box["x"] + at["x"], box["y"] + at["y"]
        for count in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                press = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": count}
                cdp.send("Input.dispatchMouseEvent", press)
        rest(touching)
        assert camera(touching)["distance"] < home["distance"] / share
