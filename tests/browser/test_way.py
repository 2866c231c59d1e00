"""Finding one's way in a real browser: the search, the hands, flights and the history, the overview and the trail."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from .atlas import ask, eventually, open_atlas, reload, rest, state, wait_for_address, wait_until
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]

_SORT = "/?model=sort#text=CBABBC"
_STORIES = "/?model=stories#text=The+cat+sat+on+the+mat."


def _camera(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("window.__atlas.camera()")
    return found


def _fitted(page: Page) -> dict[str, Any]:
    """Return the camera once the map has fitted the window just given, and what stands over it."""
    rest(page)
    before, now = None, _camera(page)
    while now != before:
        page.wait_for_timeout(400)
        before, now = now, _camera(page)
    return now


def _find(page: Page, text: str) -> None:
    """Type a search and take the first answer."""
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Tensor, section").fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    rest(page)


def _on_screen(page: Page, tensor: str, index: list[int]) -> dict[str, float]:
    """Find where a cell is within the map's window."""
    place: dict[str, float] | None = page.evaluate(
        "([tensor, index]) => window.__atlas.map.project({tensor, index})", [tensor, index]
    )
    assert place is not None, f"{tensor}{index} is not before the eye"
    return place


def _in_window(page: Page, tensor: str, index: list[int]) -> bool:
    box = page.locator(".map > canvas").bounding_box()
    place = _on_screen(page, tensor, index)
    return box is not None and 0 < place["x"] < box["width"] and 0 < place["y"] < box["height"]


# ---- the search -------------------------------------------------------------------------------------------------


def test_search_is_a_combobox_that_flies_and_selects(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _STORIES)
    before = _camera(page)
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Tensor, section")
    expect(box).to_be_focused()
    options = page.get_by_role("listbox").get_by_role("option")
    expect(page.get_by_text("Type a name, or take one of these:")).to_be_visible()
    expect(options.nth(3)).to_be_visible()
    box.fill("W_Q")
    expect(options).to_have_count(6)
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    box.press("ArrowDown")
    box.press("ArrowDown")
    box.press("ArrowUp")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == options.nth(1).get_attribute("id")
    expect(options.nth(1).locator("mark")).to_have_text("W_Q")
    # The pointer chooses as the arrows do: one row is chosen, and a sentence stands under one.
    options.nth(3).hover()
    expect(page.locator("#search-list [aria-selected=true]")).to_have_count(1)
    expect(options.nth(3)).to_have_attribute("aria-selected", "true")
    assert len({options.nth(at).evaluate("one => getComputedStyle(one).backgroundColor") for at in (0, 1, 2)}) == 1
    assert page.locator("#search-list .meaning").count() == 1
    box.fill("L3H5 pattern[2]")
    expect(options).to_have_count(1)
    expect(options.first).to_contain_text("blocks.3.attn.hook_pattern[5, 2]")
    expect(options.first).to_contain_text("query_pos 2 “␣cat”")
    box.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    rest(page)
    assert state(page)["selected"] == {"tensor": "blocks.3.attn.hook_pattern", "index": [5, 2, 0]}
    assert _camera(page) != before
    assert _in_window(page, "blocks.3.attn.hook_pattern", [5, 2, 0])
    assert _in_window(page, "blocks.3.attn.hook_pattern", [5, 6, 6])


def test_what_is_flown_to_is_not_hidden_by_the_heads_before_it(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _STORIES)
    for name, index in (("pattern", [5, 3, 1]), ("W_Q", [5, 90, 16]), ("z", [3, 5, 16])):
        _find(page, f"L2H5 {name}")
        tensor = f"blocks.2.attn.{name if name == 'W_Q' else f'hook_{name}'}"
        place = _on_screen(page, tensor, index)
        hit = page.evaluate("({x, y}) => window.__atlas.map.pick(x, y)?.tensor", place)
        assert hit == tensor


def test_search_leads_to_sections_positions_and_the_vocabulary(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _STORIES)
    _find(page, "L3 mlp")
    assert state(page)["selected"] is None
    assert _in_window(page, "blocks.3.mlp.W_in", [0, 0])
    assert _in_window(page, "blocks.3.mlp.W_out", [767, 191])
    _find(page, "@2")
    assert state(page)["selected"] == {"tensor": "hook_embed", "index": [2, 0]}
    expect(page.locator(".chip").nth(2)).to_have_attribute("aria-pressed", "true")
    token = ask(server.url, "/models/stories/tokenize", {"text": " dog"})["tokens"][-1]
    assert token["text"] == " dog"
    # Enter comes before the server's answer, and waits for it.
    _find(page, "W_E ' dog'")
    assert state(page)["selected"] == {"tensor": "W_E", "index": [token["id"], 0]}
    assert _in_window(page, "W_E", [token["id"], 191])


def test_search_says_why_it_finds_nothing_and_lets_go(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, _SORT)
    page.locator("#prompt").focus()
    page.get_by_role("button", name="Search (key: /)").click()
    box = page.get_by_role("combobox", name="Tensor, section")
    box.fill("L7 pattern")
    expect(page.get_by_role("status").filter(has_text="no block 7")).to_contain_text("Blocks go from 0 to 2.")
    box.fill("W_E 'Z'")
    expect(page.get_by_role("status").filter(has_text="Nothing here answers")).to_be_visible()
    page.get_by_role("listbox").get_by_role("option").filter(has_text="mlp").click()
    assert "mlp" in box.input_value()
    box.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Search (key: /)")).to_be_focused()
    assert state(page)["selected"] is None
    # The vocabulary was asked for Z, which it cannot spell.
    watch.forgive("422")


def test_a_pasted_name_is_flown_to(page: Page, server: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_atlas(page, server.url, _SORT)
    copy = "text => navigator.clipboard.writeText(text)"
    page.evaluate(copy, "blocks.1.attn.hook_pattern[2, 3, 1]")
    page.keyboard.press("Control+v")
    pasted = {"tensor": "blocks.1.attn.hook_pattern", "index": [2, 3, 1]}
    eventually(page, lambda: state(page)["selected"], pasted)
    rest(page)
    page.get_by_role("button", name="TransformerLens").click()
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.press("Control+v")
    expect(page.get_by_role("dialog")).to_have_count(0)
    rest(page)
    assert state(page)["selected"] == {"tensor": "blocks.1.attn.hook_pattern", "index": [2, 3, 1]}


# ---- the hands --------------------------------------------------------------------------------------------------


def _hit(page: Page, x: float, y: float) -> Any:
    return page.evaluate("([x, y]) => { const hit = window.__atlas.map.pick(x, y); return hit && hit.point }", [x, y])


def test_the_wheel_zooms_at_the_pointer(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
    box = page.locator(".map > canvas").bounding_box()
    assert box is not None
    at = {axis: round(value) for axis, value in _on_screen(page, "blocks.1.mlp.W_in", [10, 100]).items()}
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    before = _camera(page)["distance"]
    point = _hit(page, at["x"], at["y"])
    for _ in range(4):
        page.mouse.wheel(0, -300)
    rest(page)
    assert _camera(page)["distance"] < before / 3
    assert _hit(page, at["x"], at["y"]) == pytest.approx(point, abs=0.1)


def test_keys_move_turn_zoom_and_fit(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
    home = _camera(page)
    page.keyboard.press("Shift+ArrowRight")
    moved = _camera(page)
    assert moved["target"][0] > home["target"][0]
    page.keyboard.press("+")
    assert _camera(page)["distance"] < 0.85 * home["distance"]
    page.keyboard.press("e")
    assert _camera(page)["azimuth"] == pytest.approx(home["azimuth"] + 6)
    page.keyboard.press("r")
    assert _camera(page)["elevation"] == pytest.approx(home["elevation"] + 6)
    page.keyboard.press("0")
    assert _camera(page) == home
    _find(page, "blocks.1.attn.hook_pattern[2, 3, 1]")
    page.keyboard.press("Home")
    assert _camera(page) == home
    page.keyboard.press("f")
    rest(page)
    assert _in_window(page, "blocks.1.attn.hook_pattern", [2, 5, 5])
    assert _camera(page)["distance"] < home["distance"] / 3
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    assert _camera(page) == home


def test_double_click_flies_to_the_plate_and_then_to_the_cell(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
    box = page.locator(".map > canvas").bounding_box()
    assert box is not None
    at = _on_screen(page, "blocks.2.mlp.W_out", [150, 20])
    page.mouse.dblclick(box["x"] + at["x"], box["y"] + at["y"])
    rest(page)
    for corner in ([0, 0], [191, 0], [0, 47], [191, 47]):
        assert _in_window(page, "blocks.2.mlp.W_out", corner)
    far = _camera(page)["distance"]
    at = _on_screen(page, "blocks.2.mlp.W_out", [150, 20])
    page.mouse.dblclick(box["x"] + at["x"], box["y"] + at["y"])
    rest(page)
    assert _camera(page)["distance"] < min(far, 41)
    assert _on_screen(page, "blocks.2.mlp.W_out", [150, 20])["x"] == pytest.approx(box["width"] / 2, abs=15)


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
    return _camera(page)


def test_the_map_glides_on_and_stops_at_a_touch(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, _SORT)
    # A hand that a busy machine held up may have stood still when it let go: then it throws once more.
    for _ in range(5):
        let_go = _throw(moving)
        rest(moving)
        glided = _camera(moving)
        if glided != let_go:
            break
    assert glided["target"][0] < let_go["target"][0]  # the map goes right, so the eye goes left over it
    assert glided["distance"] == let_go["distance"]
    _throw(moving)
    moving.mouse.down()
    held = _camera(moving)
    moving.wait_for_timeout(250)
    assert _camera(moving) == held
    moving.mouse.up()


def test_nothing_glides_where_motion_is_unwelcome(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
    let_go = _throw(page)
    page.wait_for_timeout(300)
    assert _camera(page) == let_go


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
    open_atlas(touching, server.url, _SORT)
    touching.get_by_role("button", name="Map", exact=True).tap()
    cdp = touching.context.new_cdp_session(touching)
    home = _fitted(touching)
    _gesture(cdp, _line(200, 250, 260, 300))
    panned = _camera(touching)
    assert panned["target"][0] < home["target"][0]
    assert panned["target"][1] < home["target"][1]
    assert (panned["distance"], panned["azimuth"]) == (home["distance"], home["azimuth"])
    _gesture(cdp, _line(180, 250, 130, 250), _line(220, 250, 270, 250))
    pinched = _camera(touching)
    assert pinched["distance"] < panned["distance"] / 2.5
    assert (pinched["azimuth"], pinched["elevation"]) == (home["azimuth"], home["elevation"])
    _gesture(cdp, _line(150, 200, 150, 260), _line(240, 200, 240, 260))
    tilted = _camera(touching)
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
    at = _on_screen(touching, "blocks.1.mlp.W_in", [20, 100])
    x, y = box["x"] + at["x"], box["y"] + at["y"]
    touching.touchscreen.tap(x, y)
    wait_until(touching, "() => window.__atlas.state().selected?.tensor === 'blocks.1.mlp.W_in'")
    # Twice on a plate flies to the plate, and once more to the cell.
    for share in (1, 4):
        at = _on_screen(touching, "blocks.1.mlp.W_in", [20, 100])
        x, y = box["x"] + at["x"], box["y"] + at["y"]
        for count in (1, 2):
            for kind in ("mousePressed", "mouseReleased"):
                press = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": count}
                cdp.send("Input.dispatchMouseEvent", press)
        rest(touching)
        assert _camera(touching)["distance"] < home["distance"] / share


# ---- the history ------------------------------------------------------------------------------------------------


def test_back_and_forward_retrace_flights(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _STORIES)
    run, length = state(page)["run"], page.evaluate("history.length")
    home = _camera(page)
    _find(page, "L3H5 pattern")
    pattern = _camera(page)
    _find(page, "blocks.2.mlp.W_in[5, 7]")
    page.keyboard.press("Shift+ArrowRight")  # the hands move within an entry
    weight = _camera(page)
    wait_for_address(page)
    assert page.evaluate("history.length") == length + 2
    page.go_back()
    wait_until(page, "want => JSON.stringify(window.__atlas.camera()) === want", _text(pattern))
    assert state(page)["selected"] == {"tensor": "blocks.3.attn.hook_pattern", "index": [5, 0, 0]}
    page.go_back()
    wait_until(page, "want => JSON.stringify(window.__atlas.camera()) === want", _text(home))
    assert state(page)["selected"] is None
    page.go_forward()
    page.go_forward()
    wait_until(page, "want => JSON.stringify(window.__atlas.camera()) === want", _text(weight))
    assert state(page)["selected"] == {"tensor": "blocks.2.mlp.W_in", "index": [5, 7]}
    assert state(page)["run"] == run  # nothing was read anew
    wait_for_address(page)
    reload(page)
    again = _camera(page)
    assert again["target"] == pytest.approx(weight["target"], abs=0.01)
    assert again["distance"] == pytest.approx(weight["distance"], rel=1e-4)
    assert state(page)["selected"] == {"tensor": "blocks.2.mlp.W_in", "index": [5, 7]}


def _text(camera: dict[str, Any]) -> str:
    return json.dumps(camera, separators=(",", ":"))


# Notes the address of the first frame in which the eye is under way; from outside the flight may be over when asked.
_SEE_FLIGHT = """() => {
    window.onTheWay = undefined;
    const look = () => {
        if (window.__atlas.map.flying) window.onTheWay = location.href;
        else requestAnimationFrame(look);
    };
    look();
}"""


def test_a_flight_is_one_entry_however_long_it_takes(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, _SORT)
    length = moving.evaluate("history.length")
    moving.evaluate(_SEE_FLIGHT)
    moving.keyboard.press("/")
    moving.keyboard.type("W_U")
    moving.keyboard.press("Enter")
    wait_until(moving, "() => window.onTheWay !== undefined")
    on_the_way = moving.evaluate("window.onTheWay")
    rest(moving)
    wait_for_address(moving)
    assert moving.evaluate("history.length") == length + 1
    assert "select=W_U" in on_the_way
    camera = _camera(moving)
    assert f"camera={'_'.join(f'{value:.6g}' for value in camera['target'])[:6]}" in on_the_way
    moving.evaluate(_SEE_FLIGHT)
    moving.go_back()
    wait_until(moving, "() => window.onTheWay !== undefined")
    rest(moving)
    assert state(moving)["selected"] is None


def test_writing_outlives_going_back(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
    home = _camera(page)
    _find(page, "L1 mlp")
    page.get_by_role("button", name="Step", exact=True).click()
    wait_until(page, "() => window.__atlas.state().tokens.length === 7")
    rest(page)
    page.go_back()
    wait_until(page, "want => JSON.stringify(window.__atlas.camera()) === want", _text(home))
    rest(page)
    assert len(state(page)["tokens"]) == 7


# ---- where one is -----------------------------------------------------------------------------------------------


def _leads_to(page: Page, *names: str) -> None:
    """Wait until the trail begins with these names: it follows the eye once that has rested and been drawn."""
    eventually(page, lambda: page.locator(".crumbs button").all_inner_texts()[: len(names)], list(names))


def _leads_just_to(page: Page, *names: str) -> None:
    """Wait until the trail is these names."""
    expect(page.locator(".crumbs button")).to_have_text(list(names))


def test_the_trail_says_where_one_is_and_each_step_flies(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _STORIES)
    _leads_just_to(page, "Model")
    _find(page, "L3H5 pattern[2, 1]")
    _leads_just_to(page, "Model", "Block 3", "Attention", "Head 5", "pattern")
    trail = page.get_by_role("navigation", name="Where the chosen cell is")
    expect(trail.get_by_role("button").last).to_have_attribute("aria-current", "location")
    near = _camera(page)["distance"]
    distances = []
    for name in ("pattern", "Head 5", "Attention", "Block 3", "Model"):
        trail.get_by_role("button", name=name, exact=True).click()
        rest(page)
        assert _in_window(page, "blocks.3.attn.hook_pattern", [5, 2, 1])
        distances.append(_camera(page)["distance"])
    assert distances == sorted(distances)
    assert distances[-1] > 10 * near
    page.keyboard.press("Escape")
    wait_until(page, "() => !location.search.includes('select=')")
    _find(page, "L4 mlp")
    page.get_by_role("navigation", name="Where the view is").wait_for()
    _leads_to(page, "Model", "Block 4", "MLP")
    page.go_back()
    rest(page)
    _leads_just_to(page, "Model")


def test_the_overview_shows_the_window_and_moves_it(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _STORIES)
    plan = page.get_by_role("group", name="Overview of the map")
    expect(plan).not_to_be_visible()  # it would lie over the map, all of which is in the window
    _find(page, "L2 mlp")
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
    home = _camera(page)

    def frame() -> list[tuple[float, float]]:
        points = plan.locator("polygon").get_attribute("points") or ""
        return [tuple(map(float, point.split(","))) for point in points.split(" ")]  # type: ignore[misc]

    left, right = min(x for x, _ in frame()), max(x for x, _ in frame())
    assert 0 < right - left < 0.7 * box["width"]
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 25)
    page.mouse.up()
    moved = _camera(page)
    assert moved["distance"] == home["distance"]

    def middle() -> tuple[float, float]:
        (left, top), _, (right, bottom), *_ = frame()
        return (left + right) / 2, (top + bottom) / 2

    eventually(page, middle, pytest.approx((30, 25), abs=6))
    rest(page)
    _leads_to(page, "Model", "Embedding")
    plan.focus()
    page.keyboard.press("ArrowRight")
    assert _camera(page)["target"][0] > moved["target"][0]
    assert page.evaluate("window.__atlas.state().pass ?? null") is None
    page.keyboard.press("Enter")
    _leads_just_to(page, "Model")
    page.keyboard.press("m")
    expect(plan).to_have_count(0)
    reload(page)
    page.get_by_role("button", name="Overview", exact=True).click()
    expect(plan).to_be_visible()
    # A wider window shows more to both sides.
    _find(page, "L2 mlp")
    rest(page)
    narrow = frame()
    page.set_viewport_size({"width": 1700, "height": 800})
    eventually(page, lambda: frame()[1][0] - frame()[0][0] > 1.2 * (narrow[1][0] - narrow[0][0]), True)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(plan).to_have_count(0)


# ---- words on the map --------------------------------------------------------------------------------------------


def _names(page: Page) -> dict[str, dict[str, Any]]:
    """Read the names on the map, by their texts: the first of each."""
    rest(page)
    found: dict[str, dict[str, Any]] = {}
    for name in page.evaluate("window.__atlas.map.names()"):
        found.setdefault(name["text"], name)
    return found


def test_names_are_plain_from_afar_and_say_what_they_are_for(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
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
    far = _camera(page)["distance"]
    card.get_by_role("button", name="Go there").click()
    rest(page)
    expect(card).to_have_count(0)
    assert _camera(page)["distance"] < far / 2
    assert _in_window(page, "blocks.0.ln1.hook_out", [0, 0])
    assert "norm ln1" in _names(page)


def test_a_tall_window_has_larger_words(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    open_atlas(page, server.url, _SORT)

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
    open_atlas(page, server.url, _SORT)
    page.evaluate("window.__atlas.map.flyTo({tensor: 'blocks.1.attn.hook_pattern', index: [0, null, null]}, false)")
    rest(page)
    first = page.evaluate("window.__atlas.map.project({tensor: 'blocks.1.attn.hook_pattern', index: [0, 5, 0]})")
    words = [box for box in page.evaluate("window.__atlas.map.written()") if box["left"] >= 0]
    assert any(box["right"] <= first["x"] and box["top"] < first["y"] < box["bottom"] for box in words)  # its row
    assert any(box["left"] < first["x"] < box["right"] and box["top"] > first["y"] for box in words)  # its column
