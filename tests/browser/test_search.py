"""The search in a real browser: what it finds, where it flies, what it says where it finds nothing."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import SORT, STORIES, ask, camera, eventually, find, in_window, on_screen, open_atlas, rest, state
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]


def test_search_is_a_combobox_that_flies_and_selects(page: Page, server: Server) -> None:
    open_atlas(page, server.url, STORIES)
    before = camera(page)
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
    assert camera(page) != before
    assert in_window(page, "blocks.3.attn.hook_pattern", [5, 2, 0])
    assert in_window(page, "blocks.3.attn.hook_pattern", [5, 6, 6])


def test_what_is_flown_to_is_not_hidden_by_the_heads_before_it(page: Page, server: Server) -> None:
    open_atlas(page, server.url, STORIES)
    for name, index in (("pattern", [5, 3, 1]), ("W_Q", [5, 90, 16]), ("z", [3, 5, 16])):
        find(page, f"L2H5 {name}")
        tensor = f"blocks.2.attn.{name if name == 'W_Q' else f'hook_{name}'}"
        place = on_screen(page, tensor, index)
        hit = page.evaluate("({x, y}) => window.__atlas.map.pick(x, y)?.tensor", place)
        assert hit == tensor


def test_search_leads_to_sections_positions_and_the_vocabulary(page: Page, server: Server) -> None:
    open_atlas(page, server.url, STORIES)
    find(page, "L3 mlp")
    assert state(page)["selected"] is None
    assert in_window(page, "blocks.3.mlp.W_in", [0, 0])
    assert in_window(page, "blocks.3.mlp.W_out", [767, 191])
    find(page, "@2")
    assert state(page)["selected"] == {"tensor": "hook_embed", "index": [2, 0]}
    expect(page.locator(".chip").nth(2)).to_have_attribute("aria-pressed", "true")
    token = ask(server.url, "/models/stories/tokenize", {"text": " dog"})["tokens"][-1]
    assert token["text"] == " dog"
    # Enter comes before the server's answer, and waits for it.
    find(page, "W_E ' dog'")
    assert state(page)["selected"] == {"tensor": "W_E", "index": [token["id"], 0]}
    assert in_window(page, "W_E", [token["id"], 191])


def test_search_says_why_it_finds_nothing_and_lets_go(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, SORT)
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


@pytest.mark.own_page
def test_a_pasted_name_is_flown_to(page: Page, server: Server) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_atlas(page, server.url, SORT)
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
