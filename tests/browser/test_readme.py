"""What the README says under *Try* is tried, with motion on; tests/unit/test_readme.py binds its sentences to tests."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import ask, assert_answers, drawn, eventually, exact, open_atlas, rest, same, state, wait_until
from .conftest import Server
from .test_explained_cells import boxes, card_number, explained, point_at

pytestmark = [pytest.mark.browser]


def test_a_story_grows_by_columns(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=stories&temperature=0&top_k=0&top_p=1&seed=0#text=Once+upon+a+time")
    last = len(state(lively)["tokens"]) - 1
    cell = ("blocks.3.hook_resid_post", [last + 1, 7])
    assert drawn(lively, *cell) is None
    lively.locator("input[name=temperature]").fill("0.5")
    for count in (2, 3):
        lively.get_by_role("button", name="Step", exact=True).click()
        wait_until(lively, "count => window.__atlas.state().tokens.length === count", last + count)
        assert_answers(lively)
    rest(lively)
    now = state(lively)
    assert same(drawn(lively, *cell), exact(server.url, f"runs/{now['run']}/activations", *cell))
    sampling = {"temperature": 0.5, "top_k": 0, "top_p": 1, "seed": 0}
    question = {"model": "stories", "text": "Once upon a time", "max_new_tokens": 2, "sampling": sampling}
    assert now["tokens"] == [token["id"] for token in ask(server.url, "/runs", question)["tokens"]]


def test_a_cell_leads_to_what_it_was_made_of(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=stories#text=The little dog saw a red ball.")
    cell = ("blocks.2.attn.hook_q", [4, 3, 7])
    assert point_at(lively, cell)
    assert_answers(lively)
    answer = explained(server.url, state(lively)["run"], cell, terms=4096)
    eventually(lively, lambda: boxes(lively.evaluate("window.__atlas.lit()")), boxes(answer["operands"]))
    expect(lively.locator(".hover-card .formula math").first).to_be_attached()
    assert float(card_number(lively)) == pytest.approx(answer["captured"], rel=5.1e-4)
    lively.mouse.down()
    lively.mouse.up()
    expect(lively.locator("[data-follow]").first).to_be_visible()
    lively.keyboard.press("g")
    wait_until(lively, "() => window.__atlas.state().selected.tensor !== 'blocks.2.attn.hook_q'")
    assert_answers(lively)
    largest = max(answer["terms"], key=lambda term: abs(term["value"]))
    assert state(lively)["selected"] in [
        {"tensor": one["tensor"], "index": one["index"]} for one in largest["operands"]
    ]
    lively.keyboard.press("b")
    wait_until(lively, "() => window.__atlas.state().selected.tensor === 'blocks.2.attn.hook_q'")
    lively.keyboard.press("a")
    expect(lively.get_by_role("region", name="The arithmetic, played")).to_be_visible()
    assert_answers(lively)
    lively.keyboard.press("a")
    rest(lively)
    lively.evaluate(
        """([tensor, index]) => window.__atlas.map.setCamera(
            { target: window.__atlas.map.place({ tensor, index }), distance: 20, azimuth: 0, elevation: 0 }, true)""",
        list(cell),
    )
    assert_answers(lively)
    rest(lively)
    printed = {(one["tensor"], *one["index"]): one["text"] for one in lively.evaluate("window.__atlas.map.printed()")}
    said = float(printed[(cell[0], *cell[1])].replace("−", "-"))
    assert said == pytest.approx(answer["captured"], rel=5e-2)


def test_the_pass_plays_and_a_head_is_found_by_name(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=stories#text=The+cat+sat.")
    lively.keyboard.press("Space")
    lively.locator(".transport select").select_option("8")
    for step in (0, 1):
        wait_until(lively, "step => window.__atlas.state().pass?.step > step", step)
        assert_answers(lively)
    lively.locator(".transport select").select_option("1")
    lively.keyboard.press("Escape")
    wait_until(lively, "() => window.__atlas.state().pass === null")
    lively.keyboard.press("/")
    lively.get_by_role("combobox", name="Tensor, section").fill("L3H5 pattern")
    lively.keyboard.press("Enter")
    assert_answers(lively)
    found = {"tensor": "blocks.3.attn.hook_pattern", "index": [5, 0, 0]}
    eventually(lively, lambda: state(lively)["selected"], found)


def _choose_model(page: Page, name: str) -> None:
    page.locator(".model-picker > button").click()
    page.locator(".popover li", has_text=name).get_by_role("button").first.click()
    wait_until(page, "name => window.__atlas.state().model === name && window.__atlas.state().run !== null", name)
    rest(page)


def test_it_becomes_il(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort#text=CAB")
    _choose_model(lively, "translate")
    assert " it " in lively.locator("#prompt").input_value()
    assert_answers(lively)
    wait_until(lively, "() => window.__atlas.state().phase === 'done' && window.__atlas.state().tokens.length > 8")
    rest(lively)
    assert "il" in "".join(state(lively)["texts"]).replace("'", " ").split()
    for tensor in ("encoder.blocks.0.hook_resid_post", "decoder.blocks.0.hook_resid_post"):
        value = exact(server.url, f"runs/{state(lively)['run']}/activations", tensor, [2, 3])
        assert same(drawn(lively, tensor, [2, 3]), value), tensor


def test_a_hidden_word_is_guessed(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=fill#text=Lily was very sad because she lost her toy.")
    at = next(place for place, text in enumerate(state(lively)["texts"]) if text.strip() == "sad")
    lively.get_by_role("button", name=f"position {at}:").click()
    assert_answers(lively)
    mask = ask(server.url, "/models/fill")["mask_id"]
    wait_until(lively, "([at, mask]) => window.__atlas.state().tokens[at] === mask", [at, mask])
    rest(lively)
    bars = lively.get_by_role("region", name="In place of the mask").locator("li")
    guesses = ask(server.url, f"/runs/{state(lively)['run']}/lenses/next_token?pos={at}")["candidates"]
    expect(bars).to_have_count(len(guesses))
    expect(bars.first).to_contain_text(guesses[0]["text"].strip())
