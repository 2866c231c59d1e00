"""The main job in a real browser: read, look, come back; and what is said where something cannot be had."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from .atlas import (
    GREEDY,
    ask,
    assert_cells,
    eventually,
    exact,
    open_atlas,
    read,
    reload,
    rest,
    state,
    wait_for_address,
    wait_for_tokens,
    wait_until,
    walk,
    without_webgl,
)
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]


def test_typed_sentence_is_drawn_with_the_numbers_of_the_api(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories")
    read(page, "The little dog saw a red ball.")
    now = state(page)
    reply = ask(server.url, "/runs", {"model": "stories", "text": "The little dog saw a red ball."})
    assert now["tokens"] == [token["id"] for token in reply["tokens"]]
    last = len(now["tokens"]) - 1
    assert_cells(
        page,
        server.url,
        [
            ("W_E", [now["tokens"][2], 7]),
            ("W_pos", [3, 11]),
            ("blocks.0.attn.W_Q", [2, 100, 5]),
            ("blocks.5.mlp.W_out", [700, 30]),
            ("hook_embed", [1, 4]),
            ("blocks.0.attn.hook_q", [last, 3, 9]),
            ("blocks.2.attn.hook_pattern", [1, last, 0]),
            ("blocks.3.mlp.hook_post", [2, 600]),
            ("blocks.5.hook_resid_post", [last, 191]),
            ("logits", [last, 1000]),
        ],
    )
    bars = page.locator(".bars li")
    expect(bars).to_have_count(10)
    likeliest = pytest.approx(reply["top"][0]["probability"], abs=6e-5)
    eventually(page, lambda: float(bars.first.locator("span").last.inner_text()), likeliest)


def test_sort_is_drawn_and_sorts(page: Page, server: Server) -> None:
    open_atlas(page, server.url, f"/?model=sort&{GREEDY}")
    read(page, "CBABBC")
    assert_cells(
        page,
        server.url,
        [
            ("W_E", [1, 3]),
            ("blocks.1.attn.W_O", [2, 7, 40]),
            ("blocks.0.attn.hook_v", [4, 1, 2]),
            ("blocks.2.attn.hook_attn_scores", [0, 5, 2]),
            ("blocks.2.attn.hook_z", [3, 2, 15]),
            ("logits", [5, 1]),
        ],
    )
    page.get_by_role("button", name="Write", exact=True).click()
    wait_for_tokens(page, 12)
    rest(page)
    assert "".join(state(page)["texts"][6:]) == "ABBBCC"
    # Nothing has read the last letter: what is shown is what it was chosen from, and says so.
    following = page.get_by_role("region", name="Next token")
    expect(following.get_by_role("heading")).to_have_text("After position 10")
    expect(following.locator("li.on")).to_contain_text("C")
    expect(following).to_contain_text("The run has ended")
    assert_cells(page, server.url, [("blocks.0.attn.hook_v", [10, 1, 2]), ("logits", [10, 1])])


def test_another_model_and_back(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories#text=A+cat")
    page.locator(".model-picker > button").click()
    page.locator(".popover li", has_text="sort").get_by_role("button").click()
    wait_until(page, "() => window.__atlas.state().model === 'sort' && window.__atlas.state().run !== null")
    rest(page)
    expect(page).to_have_url(re.compile("model=sort"))
    page.go_back()
    wait_until(page, "() => window.__atlas.state().model === 'stories'")
    rest(page)
    expect(page.locator("#prompt")).to_have_value("A cat")


def test_address_brings_the_view_back(page: Page, server: Server) -> None:
    open_atlas(page, server.url, f"/?model=stories&{GREEDY}#text=A+cat")
    for _ in range(2):
        before = len(state(page)["tokens"])
        page.get_by_role("button", name="Step", exact=True).click()
        wait_for_tokens(page, before + 1)
        rest(page)
    page.evaluate("window.__atlas.map.flyTo({tensor: 'blocks.2.attn.W_K', index: [1, 0, 0]}, false)")
    page.get_by_role("tab", name="Attention").click()
    tokens, camera = state(page)["tokens"], page.evaluate("window.__atlas.camera()")
    written = f"tokens={'_'.join(map(str, tokens))}"
    wait_until(page, "text => location.hash.includes(text) && location.search.includes('panel=attention')", written)
    wait_for_address(page)
    reload(page)
    assert state(page)["tokens"] == tokens
    assert state(page)["panel"] == "attention"
    again = page.evaluate("window.__atlas.camera()")
    assert again["target"] == pytest.approx(camera["target"], rel=1e-3, abs=0.1)
    assert again["distance"] == pytest.approx(camera["distance"], rel=1e-3)


def test_attention_panel_reads_what_the_api_says(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories&panel=attention&attention=2_4_hook_pattern#text=The+cat+sat+down.")
    run = state(page)["run"]
    heat = page.get_by_role("application", name="Attention map")
    heat.focus()
    # The keyboard begins where the head looks at something; the row's first cell is one key away.
    heat.press("Home")
    heat.press("ArrowRight")
    last = len(state(page)["tokens"]) - 1
    value = exact(server.url, f"runs/{run}/activations", "blocks.2.attn.hook_pattern", [4, last, 1])
    expect(page.locator(".readout")).to_contain_text(f"{float(f'{value:.4g}'):.3g}"[:4])
    page.get_by_label("stage", exact=True).select_option("hook_attn_scores")
    heat.focus()
    heat.press("ArrowUp")
    heat.press("ArrowRight")
    for _ in range(last):
        heat.press("ArrowRight")
    expect(page.locator(".readout")).to_contain_text("masked")


def test_a_cell_by_keyboard(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Tensor, section").fill("blocks.1.attn.W_Q")
    page.keyboard.press("Enter")
    cell = page.get_by_role("group", name="Cell")
    cell.focus()
    cell.press("ArrowDown")
    cell.press("ArrowRight")
    assert state(page)["selected"] == {"tensor": "blocks.1.attn.W_Q", "index": [0, 1, 1]}
    value = exact(server.url, "models/sort/weights", "blocks.1.attn.W_Q", [0, 1, 1])
    expect(page.locator(".cell .value")).to_contain_text("= ")
    shown = page.locator(".cell .value").inner_text().removeprefix("= ").replace("−", "-")
    assert float(shown) == pytest.approx(value, rel=1e-6)


def test_the_dock_is_pulled_by_keyboard(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=lenses#text=CBABBC")
    dock = page.get_by_role("region", name="Reading")
    before = dock.bounding_box()
    splitter = page.get_by_role("separator")
    splitter.focus()
    page.keyboard.press("ArrowLeft")
    assert before is not None
    eventually(page, lambda: (dock.bounding_box() or before)["width"] > before["width"], True)
    page.keyboard.press("Enter")
    eventually(page, dock.bounding_box, before)


def test_bad_input_is_answered_in_place(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=stories")
    problem = page.locator(".prompt .problem")
    for model, text, says in (
        ("stories", "", "nothing to read"),
        ("stories", "word " * 400, "256"),
        ("sort", "XYZ", ""),
    ):
        if model == "sort":
            walk(page, "/?model=sort")
        page.locator("#prompt").fill(text)
        page.locator("#prompt").press("Enter")
        expect(problem).to_be_visible()
        expect(problem).to_contain_text(says)
        read(page, "ABC" if model == "sort" else "A dog")
        expect(problem).to_have_count(0)
    # The browser itself logs every refused call, as here the live count of the tokens.
    watch.forgive("422")


def test_unknown_model_is_said(page: Page, server: Server, watch: Watch) -> None:
    page.goto(f"{server.url}/?model=nobody")
    expect(page.locator(".banner")).to_contain_text("no model “nobody”")
    # The browser notes the graph that was asked for early, and is not there.
    watch.forgive("404")


def test_without_webgl2_the_rest_works(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    watch = Watch(page)
    without_webgl(page)
    open_atlas(page, server.url, "/?model=sort&panel=attention#text=CBABBC")
    expect(page.locator(".notice")).to_contain_text("WebGL 2")
    expect(page.locator(".bars li").first).to_be_visible()
    expect(page.locator(".readout")).to_contain_text("looks at")
    assert watch.errors == []
    page.close()


@pytest.mark.own_page
def test_memory_of_the_page_does_not_grow(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories&temperature=1&top_k=0&top_p=1&seed=1#text=Once")
    session = page.context.new_cdp_session(page)

    def heap() -> int:
        session.send("HeapProfiler.collectGarbage")
        return int(page.evaluate("performance.memory.usedJSHeapSize"))

    def once() -> tuple[int, int]:
        read(page, "Once upon a time")
        page.get_by_role("button", name="Write", exact=True).click()
        wait_until(page, "() => window.__atlas.state().phase === 'done'")
        rest(page)
        return heap(), page.evaluate("window.__atlas.stats().textureBytes")

    once()
    first_heap, first_texture = once()
    for _ in range(2):
        last_heap, last_texture = once()
    assert last_texture == first_texture
    assert last_heap < first_heap * 1.1 + 2_000_000
