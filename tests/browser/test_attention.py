"""The attention panel in a real browser: its numbers are the API's, in every family; its heads and cells lead on."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from .atlas import ask, eventually, exact, open_atlas, rest, state, wait_until, walk, without_webgl
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]

TEXT = "The+cat+sat+down+on+the+mat."


def _address(model: str, attention: str, text: str | None = TEXT) -> str:
    return f"/?model={model}&panel=attention&attention={attention}{f'#text={text}' if text else ''}"


def _open(page: Page, url: str, model: str, attention: str, text: str | None = TEXT) -> None:
    open_atlas(page, url, _address(model, attention, text))


def _number(text: str) -> float:
    return float(text.strip().replace("−", "-").replace("…", "nan"))


def _becomes(page: Page, where: Locator, wanted: object) -> None:
    """Wait until a number is written there; until it is known, there are dots."""
    eventually(page, lambda: _number(where.inner_text()), wanted)


def _cell(page: Page, keys: list[str]) -> Locator:
    """Move the matrix's cell from its upper left corner; return where its value is read out."""
    matrix = page.get_by_role("application", name="Attention map")
    matrix.focus()
    matrix.press("Home")
    for key in ["PageUp"] * 10 + keys:
        matrix.press(key)
    return page.locator(".readout b")


def _write(page: Page) -> None:
    page.get_by_role("button", name="Write", exact=True).click()
    wait_until(page, "() => window.__atlas.state().phase === 'done'")
    rest(page)


def test_a_cell_says_what_the_api_says(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort")
    for model, attention, tensor in (
        ("stories", "self_2_4_hook_pattern", "blocks.2.attn.hook_pattern"),
        ("stories", "self_1_5_hook_attn_scores_raw", "blocks.1.attn.hook_attn_scores_raw"),
        ("fill", "3_2_hook_pattern", "blocks.3.attn.hook_pattern"),
        ("translate", "encoder_1_3_hook_pattern", "encoder.blocks.1.attn.hook_pattern"),
        ("translate", "decoder_0_1_hook_pattern", "decoder.blocks.0.attn.hook_pattern"),
        ("translate", "cross_1_2_hook_pattern", "decoder.blocks.1.cross_attn.hook_pattern"),
    ):
        if state(page)["model"] != model or model != "translate":
            walk(page, _address(model, attention, None if model == "translate" else TEXT))
        else:  # what is written stays
            walk(page, re.sub(r"attention=\w+", f"attention={attention}", page.url))
        if model == "translate" and len(state(page)["tokens"]) < 2:
            _write(page)
            wait_until(page, "() => location.hash.includes('tokens=')")
        value = _cell(page, ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"])
        head = int(attention.split("_hook")[0].split("_")[-1])
        number = exact(server.url, f"runs/{state(page)['run']}/activations", tensor, [head, 3, 1])
        # The exact number follows the map's.
        _becomes(page, value, pytest.approx(number, rel=5e-4))


def test_masked_cells_are_said_and_scores_before_the_mask_are_not(page: Page, server: Server) -> None:
    _open(page, server.url, "stories", "self_0_0_hook_pattern")
    expect(_cell(page, ["ArrowRight", "ArrowRight"])).to_contain_text("masked")
    page.get_by_label("stage", exact=True).select_option("hook_attn_scores")
    expect(page.locator(".readout b")).to_contain_text("masked (−∞)")
    page.get_by_label("stage", exact=True).select_option("hook_attn_scores_raw")
    expect(page.locator(".readout b")).not_to_contain_text("masked")
    walk(page, "/?model=fill&panel=attention")
    expect(page.get_by_label("stage", exact=True).locator("option")).to_have_text(["scores", "softmax"])
    expect(_cell(page, ["ArrowRight", "ArrowRight"])).not_to_contain_text("masked")


def test_a_cell_chosen_here_is_chosen_in_the_map_and_back(page: Page, server: Server) -> None:
    _open(page, server.url, "stories", "self_2_4_hook_pattern")
    _cell(page, ["ArrowDown", "ArrowDown"])
    page.keyboard.press("Enter")
    assert state(page)["selected"] == {"tensor": "blocks.2.attn.hook_pattern", "index": [4, 2, 0]}
    other = {"tensor": "blocks.3.attn.hook_pattern", "index": [1, 4, 2]}
    page.evaluate("cell => window.__atlas.map.flyTo(cell, false)", other)
    rest(page)
    where = page.evaluate("cell => window.__atlas.map.project(cell)", other)
    box = page.locator(".map canvas[tabindex]").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + where["x"], box["y"] + where["y"])
    assert state(page)["selected"] == other
    expect(page.get_by_label("block", exact=True)).to_have_value("3")
    expect(page.get_by_label("head", exact=True)).to_have_value("1")
    page.mouse.move(5, 5)
    expect(page.locator(".readout")).to_contain_text("(4) looks at")
    expect(page.locator(".readout")).to_contain_text("(2):")


def test_arcs_are_switched_isolated_and_numbered(page: Page, server: Server) -> None:
    _open(page, server.url, "translate", "cross_1_0_hook_pattern_arcs", None)
    _write(page)
    heads = page.get_by_role("group", name=re.compile("Heads"))
    switch = [heads.get_by_role("button", name=f"head {head}") for head in range(4)]
    page.locator(".arcs .query li").nth(3).hover()
    run = state(page)["run"]
    path = f"/runs/{run}/activations/decoder.blocks.1.cross_attn.hook_pattern?index=:,3,:"
    weights = ask(server.url, path)["values"]
    weights = weights if isinstance(weights[0], list) else [weights[at : at + 14] for at in range(0, 56, 14)]

    def largest(shown: list[int]) -> list[float]:
        return sorted((weight for head in shown for weight in weights[head]), reverse=True)[:8]

    def listed() -> list[float]:
        return [_number(row.locator("span").last.inner_text()) for row in page.locator(".weights li").all()]

    expect(page.locator(".weights li")).to_have_count(8)
    eventually(page, listed, pytest.approx(largest([0, 1, 2, 3]), abs=6e-5))
    switch[2].click()
    expect(switch[2]).to_have_attribute("aria-pressed", "false")
    page.locator(".arcs .query li").nth(3).hover()
    eventually(page, listed, pytest.approx(largest([0, 1, 3]), abs=6e-5))
    switch[1].dblclick()
    assert [one.get_attribute("aria-pressed") for one in switch] == ["false", "true", "false", "false"]
    wait_until(page, "() => location.search.includes('arcs-1')")
    page.locator(".arcs .query li").nth(3).hover()
    eventually(page, listed, pytest.approx(largest([1]), abs=6e-5))
    switch[1].dblclick()
    assert [one.get_attribute("aria-pressed") for one in switch] == ["true"] * 4
    arcs = page.get_by_role("application", name=re.compile("Arcs"))
    page.mouse.move(1, 1)  # what it rests on may move, and would be pointed at
    arcs.focus()
    arcs.press("Home")
    arcs.press("ArrowRight")
    expect(page.locator(".weights")).to_contain_text("(0) is looked at by")


def test_the_board_is_sorted_as_the_measures_of_the_api(page: Page, server: Server) -> None:
    _open(page, server.url, "stories", "0_0_hook_pattern_heads")
    _assert_sorted(page, server, "induction")
    walk(page, _address("stories", "0_0_hook_pattern_heads"))
    _assert_sorted(page, server, "entropy")
    walk(page, _address("fill", "0_0_hook_pattern_heads"))
    _assert_sorted(page, server, "distance")


def _assert_sorted(page: Page, server: Server, measure: str) -> None:
    """Check both directions: sorted, and the best head is the last that the slider leaves, and leads to its map."""
    maps = page.locator(".small-maps button")
    found = ask(server.url, f"/runs/{state(page)['run']}/lenses/head_measures")["measures"][measure]
    values = {f"{layer}.{head}": value for layer, row in enumerate(found) for head, value in enumerate(row)}
    expect(maps).to_have_count(len(values))
    page.get_by_label("sorted by", exact=True).select_option(measure)

    def shown() -> list[float]:
        heads = maps.evaluate_all("all => all.map(one => one.dataset.head)")
        return [values[head] for head in heads]

    eventually(page, shown, sorted(values.values(), reverse=True))
    page.get_by_role("button", name="largest first").click()
    eventually(page, shown, sorted(values.values()))
    slider = page.locator(".least input")
    slider.focus()
    slider.press("End")
    expect(maps).to_have_count(1)
    best = max(values, key=lambda name: values[name])
    expect(maps.first).to_have_attribute("data-head", best)
    maps.first.click()
    layer, head = best.split(".")
    expect(page.get_by_label("block", exact=True)).to_have_value(layer)
    expect(page.get_by_label("head", exact=True)).to_have_value(head)
    expect(page.get_by_role("application", name="Attention map")).to_be_visible()


def test_the_board_is_walked_by_keyboard_and_says_what_is_not_measured(page: Page, server: Server) -> None:
    _open(page, server.url, "fill", "0_0_hook_pattern_heads-induction")
    expect(page.get_by_role("alert")).to_contain_text("no measure “induction” here")
    page.get_by_label("sorted by", exact=True).select_option("")
    expect(page.get_by_text("Not measured for induction")).to_be_visible()
    first = page.locator(".small-maps button").first
    first.focus()
    first.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_label("block", exact=True)).to_have_value("1")
    expect(page.get_by_label("head", exact=True)).to_have_value("1")


def test_a_score_is_the_sum_of_its_products(page: Page, server: Server) -> None:
    _open(page, server.url, "stories", "self_2_4_hook_attn_scores")
    _cell(page, ["ArrowDown"] * 5 + ["ArrowRight"] * 2)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="query · key", exact=True).click()
    expect(page.get_by_label("query", exact=True)).to_have_value("5")
    expect(page.get_by_label("key", exact=True)).to_have_value("2")
    run = state(page)["run"]
    there = exact(server.url, f"runs/{run}/activations", "blocks.2.attn.hook_attn_scores_raw", [4, 5, 2])
    share = exact(server.url, f"runs/{run}/activations", "blocks.2.attn.hook_pattern", [4, 5, 2])
    lines = page.locator(".arithmetic tfoot tr")
    expect(lines).to_have_count(4)
    wanted = pytest.approx([there * 32**0.5, there, there, share], rel=1e-3)
    eventually(page, lambda: [_number(line.locator("td").inner_text()) for line in lines.all()], wanted)
    total = _number(lines.first.locator("td").inner_text())
    products = [_number(row.locator("td").last.inner_text()) for row in page.locator(".arithmetic tbody tr").all()]
    assert sum(products) == pytest.approx(total, abs=2e-2)


def test_rollout_is_the_lens_and_says_what_it_cannot_mean(page: Page, server: Server) -> None:
    _open(page, server.url, "stories", "self_5_0_hook_pattern_rollout")
    matrix = ask(server.url, f"/runs/{state(page)['run']}/lenses/rollout?layer=5")["matrix"]
    value = page.locator(".readout b")
    expect(value).to_have_count(1)
    _becomes(page, value, pytest.approx(matrix[-1][0], rel=1e-3))
    expect(page.get_by_text("It cannot mean influence")).to_be_visible()
    walk(page, "/?model=translate&panel=attention&attention=cross_0_0_hook_pattern_rollout")
    expect(page.get_by_text("Rollout multiplies the patterns of one stack")).to_be_visible()


def test_what_does_not_exist_is_said_with_the_choices(page: Page, server: Server) -> None:
    _open(page, server.url, "stories", "self_0_0_hook_pattern")
    alert = page.locator(".attention").get_by_role("alert")
    for model, attention, says in (
        ("stories", "self_0_99_hook_pattern", "no head 99 in stories. Choose head 0 to 5."),
        ("stories", "self_42_0_hook_pattern", "no block 42 in stories (self). Choose block 0 to 5."),
        ("fill", "cross_0_0_hook_pattern", "fill has no attention called “cross”. It has: self."),
        ("translate", "0_0_hook_pie", "the attention “0_0_hook_pie”, which names none"),
    ):
        walk(page, _address(model, attention, None))
        expect(alert).to_contain_text(says)
        page.get_by_label("block", exact=True).select_option("1")
        if "head 99" in says:
            page.get_by_label("head", exact=True).select_option("2")
        if "cross" in attention:
            continue
        expect(alert).to_have_count(0)
        expect(page.get_by_role("application", name="Attention map")).to_be_visible()


@pytest.mark.own_page
def test_without_webgl2_the_matrix_is_drawn_all_the_same(page: Page, server: Server, watch: Watch) -> None:
    without_webgl(page)
    _open(page, server.url, "sort", "self_0_1_hook_pattern", "CBABBC")
    drawn = """() => {
        const canvas = document.querySelector(".matrix canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size > 3;
    }"""
    wait_until(page, drawn)
    assert watch.errors == []
