"""The browser's history: flights are its entries, and Back and Forward retrace them."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from .atlas import (
    SORT,
    STORIES,
    camera,
    find,
    open_atlas,
    reload,
    rest,
    state,
    wait_for_address,
    wait_until,
)
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]


@pytest.mark.own_page
def test_back_and_forward_retrace_flights(page: Page, server: Server) -> None:
    open_atlas(page, server.url, STORIES)
    run, length = state(page)["run"], page.evaluate("history.length")
    home = camera(page)
    find(page, "L3H5 pattern")
    pattern = camera(page)
    find(page, "blocks.2.mlp.W_in[5, 7]")
    page.keyboard.press("Shift+ArrowRight")  # the hands move within an entry
    weight = camera(page)
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
    again = camera(page)
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


@pytest.mark.own_page
def test_a_flight_is_one_entry_however_long_it_takes(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, SORT)
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
    eye = camera(moving)
    assert f"camera={'_'.join(f'{value:.6g}' for value in eye['target'])[:6]}" in on_the_way
    moving.evaluate(_SEE_FLIGHT)
    moving.go_back()
    wait_until(moving, "() => window.onTheWay !== undefined")
    rest(moving)
    assert state(moving)["selected"] is None


def test_writing_outlives_going_back(page: Page, server: Server) -> None:
    open_atlas(page, server.url, SORT)
    home = camera(page)
    find(page, "L1 mlp")
    page.get_by_role("button", name="Step", exact=True).click()
    wait_until(page, "() => window.__atlas.state().tokens.length === 7")
    rest(page)
    page.go_back()
    wait_until(page, "want => JSON.stringify(window.__atlas.camera()) === want", _text(home))
    rest(page)
    assert len(state(page)["tokens"]) == 7
