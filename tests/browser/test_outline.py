"""The scene as a tree and a table, and the whole page by keyboard alone, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import ask, exact, open_atlas, rest, state, wait_until
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]

_SORT = "/?model=sort#text=CBABBC"


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def _focused(page: Page) -> str:
    """Read the accessible words of what has the focus."""
    text: str = page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText.trim()")
    return text


def _open_down_to(page: Page, *names: str) -> None:
    """Open each node named, from the root of the tree, which stands open, and stop at the last one."""
    page.keyboard.press("Home")
    for name in names:
        for _ in range(80):
            if _focused(page).lstrip("▾▸ \n").startswith(name):
                break
            page.keyboard.press("ArrowDown")
        else:
            pytest.fail(f"the tree has no {name!r} below")
        if name != names[-1]:
            page.keyboard.press("ArrowRight")


def test_a_row_of_a_pattern_is_reached_and_read_by_keyboard(page: Page, server: Server) -> None:
    open_atlas(page, server.url, _SORT)
    page.get_by_role("tab", name="Outline").click()
    tree = page.get_by_role("tree", name="Parts of the model")
    expect(tree.get_by_role("treeitem")).to_have_count(6)
    page.keyboard.press("Tab")
    expect(page.locator("[role=treeitem]:focus")).to_have_count(1)
    _open_down_to(page, "Block 1", "Attention", "Head 2", "pattern", "query_pos 5 “C”")
    item = page.locator("[role=treeitem]:focus")
    expect(item).to_have_attribute("aria-level", "6")
    assert (item.get_attribute("aria-posinset"), item.get_attribute("aria-setsize")) == ("6", "6")
    page.keyboard.press("Enter")
    rest(page)
    expect(item).to_have_attribute("aria-selected", "true")
    assert state(page)["selected"] == {"tensor": "blocks.1.attn.hook_pattern", "index": [2, 5, 0]}
    # The table below holds the row's numbers; the arrow keys walk it, and the map follows.
    page.keyboard.press("Tab")
    _press(page, "ArrowRight", "ArrowRight", "ArrowUp")
    assert state(page)["selected"] == {"tensor": "blocks.1.attn.hook_pattern", "index": [2, 4, 2]}
    cell = page.locator("[role=gridcell]:focus")
    expect(cell).to_have_attribute("aria-selected", "true")
    where = f"runs/{state(page)['run']}/activations"
    number = exact(server.url, where, "blocks.1.attn.hook_pattern", [2, 4, 2])
    wait_until(page, "() => !/[≈…]/.test(document.activeElement.innerText)")
    assert float(cell.inner_text().replace("−", "-")) == pytest.approx(number, rel=1e-3)
    # What a query may not see is said to be masked, not to be a zero.
    _press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    expect(page.locator("[role=gridcell]:focus")).to_have_text("masked")
    # Enter explains the number, and the outline comes back to the same cell.
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Inspector")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_label("Inspector").get_by_text("blocks.1.attn.hook_pattern")).to_be_visible()
    page.get_by_role("tab", name="Outline").click()
    expect(page.locator("[role=gridcell][tabindex='0']")).to_have_text("masked")


def test_a_cell_chosen_on_the_map_opens_its_branch(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=translate&panel=outline&select=decoder.blocks.0.cross_attn.hook_k[1_0_3]")
    chosen = page.get_by_role("treeitem", selected=True)
    expect(chosen).to_contain_text("cross k")
    expect(chosen).to_be_in_viewport()
    expect(page.get_by_role("treeitem", name="Cross-attention")).to_have_attribute("aria-expanded", "true")
    # A large table is walked in windows, and its last cell is one press away.
    page.evaluate("window.__atlas.map.fit(false)")
    page.get_by_role("treeitem", name="Embedding", exact=False).first.click()
    page.keyboard.press("ArrowRight")
    _press(page, "ArrowDown", "Enter")
    rest(page)
    shape = ask(server.url, "/models/translate/weights/W_E?index=0,0")["shape"]
    page.keyboard.press("Tab")
    page.keyboard.press("Control+End")
    found = state(page)["selected"]
    assert found["tensor"] == "W_E"
    sizes = next(one["shape"] for one in ask(server.url, "/models/translate/graph")["tensors"] if one["name"] == "W_E")
    assert found["index"] == [size - 1 for size in sizes], shape
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(sizes[0] + 1))
