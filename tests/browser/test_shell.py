"""What stands around the map: the first screen, the dock's tabs, a phone, a wall, a crowded window, forced colours."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .atlas import ask, eventually, open_atlas, rest, state, wait_until, walk
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]


def _inside(page: Page, one: Locator) -> bool:
    """Tell whether an element lies within the window, all of it."""
    box = one.bounding_box()
    size = page.viewport_size
    assert size is not None
    return (
        box is not None
        and min(box["x"], box["y"]) >= 0
        and box["x"] + box["width"] <= size["width"]
        and box["y"] + box["height"] <= size["height"]
    )


def test_the_first_screen_says_what_this_is_and_what_to_do(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    guide = page.get_by_role("region", name="About this map")
    sizes = ask(server.url, "/models/sort/graph")["sizes"]
    expect(guide).to_contain_text(f"a share for each of the {sizes['d_vocab']} tokens it knows")
    expect(guide).to_contain_text("Blue and amber")

    # A head that does something: where the last letter's share is the farthest above the usual.
    guide.get_by_role("button", name="How one word looks at another").click()
    expect(page.get_by_role("application", name="Attention map")).to_be_visible()
    looks = ask(server.url, f"/runs/{state(page)['run']}/lenses/attention_board")["looks"]
    layer, head = max(
        ((layer, head) for layer, heads in enumerate(looks["above"]) for head in range(len(heads))),
        key=lambda at: looks["above"][at[0]][at[1]],
    )
    index = [head, looks["query"], looks["keys"][layer][head]]
    chosen = {"tensor": f"blocks.{layer}.attn.hook_pattern", "index": index}
    eventually(page, lambda: state(page)["selected"], chosen)
    rest(page)
    share = page.locator(".matrix .readout b, .attention .readout b").first
    eventually(page, lambda: float(share.inner_text()), pytest.approx(looks["shares"][layer][head], rel=1e-3))

    page.get_by_role("tab", name="Inspector").click()
    page.get_by_role("button", name="About this map").click()
    guide.get_by_role("button", name="Where the guess comes from").click()
    expect(page.locator("[data-lens=contributions]")).to_be_visible()

    page.get_by_role("tab", name="Inspector").click()
    guide.get_by_role("button", name="Change the text").click()
    expect(page.locator("#prompt")).to_be_focused()

    guide.get_by_role("button", name="Watch it read").click()
    wait_until(page, "() => window.__atlas.state().pass !== null")
    page.get_by_role("button", name="Step through").click()


@pytest.mark.parametrize("model", ["fill", "translate"])
def test_the_guide_is_true_of_other_kinds(page: Page, server: Server, model: str) -> None:
    open_atlas(page, server.url, f"/?model={model}")
    guide = page.get_by_role("region", name="About this map")
    says = {"fill": "every hidden word", "translate": "encoder block"}[model]
    expect(guide).to_contain_text(says)
    for name in ("How one word looks at another", "Where the guess comes from"):
        guide.get_by_role("button", name=name).click()
        expect(page.get_by_role("tab", name="Inspector")).to_have_attribute("aria-selected", "false")
        page.get_by_role("tab", name="Inspector").click()
        back = page.get_by_role("button", name="About this map")
        expect(guide.or_(back).first).to_be_visible()
        if not guide.is_visible():
            back.click()


def test_attention_opens_on_a_head_that_does_something(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=attention#text=CBABBC")
    looks = ask(server.url, f"/runs/{state(page)['run']}/lenses/attention_board")["looks"]
    best = max(
        ((layer, head) for layer, heads in enumerate(looks["above"]) for head in range(len(heads))),
        key=lambda at: looks["above"][at[0]][at[1]],
    )
    expect(page.get_by_label("block", exact=True)).to_have_value(f"{best[0]}")
    expect(page.get_by_label("head", exact=True)).to_have_value(f"{best[1]}")
    page.get_by_role("button", name="Query · key", exact=True).click()
    expect(page.get_by_label("key", exact=True)).to_have_value(f"{looks['keys'][best[0]][best[1]]}")
    # What was chosen of one model is not asked of another, which has fewer blocks.
    walk(page, "/?model=stories&panel=attention&attention=5_1_hook_pattern#text=The+cat")
    expect(page.get_by_label("block", exact=True)).to_have_value("5")
    walk(page, "/?model=translate&panel=attention")
    expect(page.get_by_text("There is no block")).to_have_count(0)
    assert page.get_by_label("block", exact=True).input_value() in "01"


def test_tabs_stay_in_the_window_and_the_dock_keeps_its_width(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    dock = page.get_by_role("region", name="Reading")
    for width in (1280, 900, 640):
        page.set_viewport_size({"width": width, "height": 700})
        widths = set()
        for tab in page.get_by_role("tab").all():
            tab.click()
            box = dock.bounding_box()
            assert box is not None
            widths.add(box["width"])
            assert all(_inside(page, one) for one in page.get_by_role("tab").all()), (width, tab.inner_text())
        assert len(widths) == 1
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_window_at_two_hundred_percent_is_still_a_desktop(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 640, "height": 400})
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    canvas = page.locator(".map canvas[tabindex]").bounding_box()
    assert canvas is not None and canvas["width"] > 300 and canvas["height"] > 280
    expect(page.get_by_role("region", name="About this map")).to_be_visible()
    text = page.get_by_role("button", name="Text panel")
    expect(text).to_have_attribute("aria-pressed", "false")
    text.click()
    expect(page.locator("#prompt")).to_be_visible()
    expect(page.get_by_role("region", name="About this map")).to_be_hidden()


def test_presenting_gives_the_map_the_window_and_larger_words(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    size = "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
    before = page.evaluate(size)
    page.keyboard.press("Shift+F")
    wait_until(page, "() => document.querySelector('.map canvas').clientWidth === window.innerWidth")
    assert page.evaluate(size) > 1.3 * before
    page.get_by_role("button", name="Back to the page").click()
    expect(page.locator("#prompt")).to_be_visible()
    eventually(page, lambda: page.evaluate(size), before)
    page.locator(".view-menu summary").click()
    slider = page.get_by_role("slider", name="Text size")
    slider.focus()
    slider.press("End")
    eventually(page, lambda: page.evaluate(size), 2 * before)
    page.get_by_role("button", name="as the window").click()
    eventually(page, lambda: page.evaluate(size), before)


def test_the_search_leads_to_lenses_and_fields(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    page.keyboard.press("/")
    page.keyboard.type("what is W_O?")
    first = page.locator("#search-list [role=option]").first
    expect(first).to_contain_text("blocks.0.attn.W_O")
    expect(first.locator(".meaning")).not_to_be_empty()
    page.keyboard.press("Control+a")
    page.keyboard.type("induction")
    expect(first).to_contain_text("Measures of heads")
    page.keyboard.press("Enter")
    expect(page.locator("[data-lens=head_measures] .matrix-window")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Tensor, section, head or token")).to_be_focused()
    page.keyboard.type("temperature")
    expect(first).to_contain_text("temperature")
    page.keyboard.press("Enter")
    expect(page.locator(".sampling input[name=temperature]")).to_be_focused()
    # The browser notes that this vocabulary cannot spell what was typed.
    watch.forgive("422")


def test_a_phone_leads_with_flat_views_and_a_tap_says_what_it_met(
    browser: Browser, server: Server, browser_context_args: dict[str, Any]
) -> None:
    window = {"width": 390, "height": 844}
    context = browser.new_context(**{**browser_context_args, "viewport": window, "has_touch": True})
    page = context.new_page()
    watch = Watch(page)
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    expect(page.locator("#prompt")).to_be_visible()
    expect(page.locator(".bars li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for button in page.locator("button:visible:not(.skip), summary:visible, .phone-bar button").all():
        box = button.bounding_box()
        assert box is not None and box["height"] >= 24 and box["width"] >= 24, button.inner_text()

    page.get_by_role("button", name="Attention", exact=True).first.tap()
    expect(page.get_by_role("application", name="Attention map")).to_be_visible()

    page.get_by_role("button", name="Map", exact=True).tap()
    wait_until(page, "() => document.querySelector('.map canvas[tabindex]').clientHeight > 500")
    rest(page)
    canvas = page.locator(".map canvas[tabindex]").bounding_box()
    assert canvas is not None
    page.evaluate("window.__atlas.map.flyTo({ tensor: 'blocks.0.mlp.W_in' })")
    rest(page)
    at = page.evaluate("window.__atlas.map.project({ tensor: 'blocks.0.mlp.W_in', index: [3, 20] })")
    page.touchscreen.tap(canvas["x"] + at["x"], canvas["y"] + at["y"])
    card = page.get_by_role("region", name="The square that was tapped")
    expect(card).to_contain_text("W_in")
    eventually(page, lambda: _inside(page, card), True)
    page.get_by_role("button", name="How it was computed").tap()
    expect(page.get_by_role("region", name="Inspector")).to_be_visible()

    page.locator(".view-menu summary").tap()
    expect(page.get_by_role("link", name="API").last).to_be_visible()
    assert watch.errors == []
    context.close()


def test_forced_colours_keep_what_colours_mean(page: Page, server: Server) -> None:
    page.emulate_media(forced_colors="active")
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    paint = "one => { const s = getComputedStyle(one); return s.backgroundImage + s.backgroundColor; }"
    ramps = page.locator(".map-legend .ramp").evaluate_all(f"all => all.map({paint})")
    assert len(set(ramps)) == len(ramps) and all("gradient" in ramp for ramp in ramps)
    bar = page.locator(".bars .share i").first.evaluate(paint)
    assert bar != page.locator(".bars").evaluate(paint)
    rule = "one => getComputedStyle(one).borderBottomColor"
    tabs = page.get_by_role("tab")
    assert tabs.nth(0).evaluate(rule) != tabs.nth(1).evaluate(rule)
    walk(page, "/?model=sort#text=CBABBC")
