"""What the buttons and the address promise, with motion on: everything is tried once, and the page answers."""

import pytest
from playwright.sync_api import Page, expect

from .atlas import ask, assert_answers, delete, drawn, exact, open_atlas, rest, same, state, wait_until
from .conftest import Server

pytestmark = [pytest.mark.browser]


def test_the_arithmetic_plays_to_its_end_and_the_page_answers(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort&select=blocks.1.attn.hook_pattern[1_4_2]#text=CBABBC")
    play = lively.get_by_role("button", name="Play the arithmetic")
    expect(play).to_be_visible()
    lively.keyboard.press("a")
    lively.locator(".player select:visible").select_option("4")
    slider = lively.locator("[aria-label=Time]:visible")
    before = -1
    while (now := int(slider.input_value())) < 1000:
        assert_answers(lively)
        wait_until(lively, "before => Number(document.querySelector('.player input').value) > before", max(0, before))
        before = now
    expect(
        lively.get_by_role("region", name="The arithmetic, played").get_by_role("button", name="▸ Play")
    ).to_be_visible()
    lively.locator(".player select:visible").select_option("1")
    lively.locator(".map canvas[tabindex]").focus()
    lively.keyboard.press("a")
    expect(play).to_be_visible()


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_write_reads_what_is_typed_and_goes_on(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=stories&temperature=0&top_k=0&top_p=1&seed=0#text=Once+upon+a+time")
    before = state(lively)["run"]
    lively.locator("#prompt").fill("My dog ate the")
    note = lively.get_by_text("Not read yet")
    expect(note).to_be_visible()
    _press(lively, "Put back")
    expect(lively.locator("#prompt")).to_have_value("Once upon a time")
    expect(note).to_have_count(0)
    assert state(lively)["run"] == before
    lively.locator("#prompt").fill("My dog ate the")
    _press(lively, "Write")
    wait_until(lively, "() => window.__atlas.state().tokens.length > 10")
    rest(lively)
    read = ask(server.url, "/models/stories/tokenize", {"text": "My dog ate the"})["tokens"]
    written = state(lively)["tokens"]
    assert written[: len(read)] == [token["id"] for token in read]
    assert len(written) > len(read) + 10
    expect(note).to_have_count(0)
    # Step does the same, with one token.
    lively.locator("#prompt").fill("The cat")
    _press(lively, "Step")
    rest(lively)
    read = ask(server.url, "/models/stories/tokenize", {"text": "The cat"})["tokens"]
    assert state(lively)["tokens"][:-1] == [token["id"] for token in read]


def test_a_refused_text_leaves_the_run_on_show(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=stories&temperature=0&top_k=0&top_p=1&seed=0#text=Once+upon+a+time")
    shown = state(lively)
    problem = lively.locator(".prompt .problem")
    for text, says in (("", "There is nothing to read."), ("word " * 400, "can read. Shorten the text.")):
        lively.locator("#prompt").fill(text)
        _press(lively, "Write")
        expect(problem).to_contain_text(says)
        rest(lively)
        assert {name: state(lively)[name] for name in ("run", "tokens", "phase")} == {
            name: shown[name] for name in ("run", "tokens", "phase")
        }
        expect(lively.get_by_role("button", name="Write", exact=True)).to_be_enabled()
    _press(lively, "Put back")
    expect(problem).to_have_count(0)
    _press(lively, "Step")
    wait_until(lively, "count => window.__atlas.state().tokens.length === count", len(shown["tokens"]) + 1)
    assert state(lively)["tokens"][:-1] == shown["tokens"]
    rest(lively)


def test_writing_can_be_watched_and_paused_by_hand(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort&temperature=0&top_k=0&top_p=1&seed=0#text=CBABBC")
    speed = lively.get_by_role("slider", name="Writing speed")
    speed.press("Home")
    expect(speed).to_have_attribute("aria-valuetext", "1 token/s")
    start = len(state(lively)["tokens"])
    _press(lively, "Write")
    wait_until(lively, "count => window.__atlas.state().tokens.length > count", start)
    assert_answers(lively)
    _press(lively, "Pause")
    wait_until(lively, "() => window.__atlas.state().phase === 'paused'")
    paused = len(state(lively)["tokens"])
    assert start < paused < start + 6
    wait_until(lively, "() => location.search.includes('speed=1')")
    _press(lively, "Write")
    speed.press("End")
    wait_until(lively, "() => window.__atlas.state().phase === 'done'")
    rest(lively)
    assert "".join(state(lively)["texts"][6:]) == "ABBBCC"


def test_a_click_on_a_word_shows_what_may_follow_it(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=stories#text=Once+upon+a+time+there+was+a+little+girl+named+Lily")
    bars = lively.get_by_role("region", name="Next token")
    last = bars.locator("li").all_inner_texts()
    lively.get_by_role("button", name="position 3:").click()
    expect(bars.get_by_role("heading")).to_have_text("After position 3")
    expect(bars.locator("li")).to_have_count(10)
    api = ask(server.url, f"/runs/{state(lively)['run']}/lenses/next_token?pos=3")["candidates"]
    shown = [float(row.locator("span").last.inner_text().removeprefix("<")) for row in bars.locator("li").all()]
    assert shown == pytest.approx([one["probability"] for one in api], abs=1e-4)
    expect(bars.locator("li.on")).to_have_count(1)
    lively.get_by_role("button", name="position 3:").click()
    expect(bars.get_by_role("heading")).to_have_text("Next token")
    assert bars.locator("li").all_inner_texts() == last


def test_keys_reach_the_page_from_sliders_and_lists_and_nothing_scrolls_away(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort&select=blocks.1.attn.hook_pattern[1_4_2]#text=CBABBC")
    search = lively.get_by_role("combobox", name="Tensor, section")
    for control in ("Writing speed", "Compare with"):
        lively.get_by_label(control, exact=True).focus()
        lively.keyboard.press("/")
        expect(search).to_be_visible()
        lively.keyboard.press("Escape")
        expect(search).to_have_count(0)
    lively.get_by_role("button", name="Play the arithmetic").click()
    assert lively.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    lively.locator("[aria-label=Time]:visible").focus()
    lively.keyboard.press("Escape")
    expect(lively.get_by_role("button", name="Play the arithmetic")).to_be_visible()


def test_the_tokens_are_one_stop_of_the_tab_key(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort#text=CBABBC")
    tokens = lively.get_by_role("group", name="Tokens").get_by_role("button")
    assert [one.get_attribute("tabindex") for one in tokens.all()].count("0") == 1
    tokens.first.focus()
    lively.keyboard.press("ArrowRight")
    expect(tokens.nth(1)).to_be_focused()
    lively.keyboard.press("End")
    expect(tokens.last).to_be_focused()
    assert [one.get_attribute("tabindex") for one in tokens.all()] == ["-1"] * 5 + ["0"]
    # The text is one key away, and *Write* one more.
    lively.get_by_role("button", name="Skip to the text").press("Enter")
    expect(lively.locator("#prompt")).to_be_focused()
    lively.keyboard.press("Tab")
    expect(lively.get_by_role("button", name="Write", exact=True)).to_be_focused()


_CHANGE = {"name": "blocks.1.attn.hook_z", "index": ":,1", "action": "set", "value": 0.0}


def test_a_run_made_over_rest_is_opened_with_what_was_changed_in_it(lively: Page, server: Server) -> None:
    made = ask(server.url, "/runs", {"model": "sort", "text": "CBABBC", "interventions": [_CHANGE]})
    open_atlas(lively, server.url, f"/?run={made['id']}")
    wait_until(lively, "id => window.__atlas.state().run === id", made["id"])
    note = lively.get_by_text(f"The run {made['id']}")
    expect(note).to_contain_text("blocks.1.attn.hook_z[0:11,1] set to 0")
    changed = exact(server.url, f"runs/{made['id']}/activations", "logits", [5, 1])
    assert same(drawn(lively, "logits", [5, 1]), changed)
    assert drawn(lively, "blocks.1.attn.hook_z", [3, 1, 2]) == 0
    wait_until(lively, "id => location.search.includes('run=' + id)", made["id"])
    # The same run may be taken from another, and what is written on is the model's own.
    open_atlas(lively, server.url, "/?model=sort#text=CBABBC")
    expect(note).to_have_count(0)
    lively.get_by_label("Compare with").select_option("text")
    lively.get_by_label("Text to compare with").fill(made["id"])
    _press(lively, "Compare")
    wait_until(lively, "() => document.querySelector('.difference-note') !== null")
    rest(lively)
    own = exact(server.url, f"runs/{state(lively)['run']}/activations", "logits", [5, 1])
    assert drawn(lively, "logits", [5, 1]) == pytest.approx(own - changed, rel=2e-3, abs=1e-3)
    lively.locator(".difference-note").get_by_role("button", name="Off").click()
    rest(lively)
    open_atlas(lively, server.url, "/?model=sort&run=0123456789ab#text=CAB")
    expect(lively.get_by_text("The run 0123456789ab cannot be shown")).to_contain_text("was read anew")
    assert "".join(state(lively)["texts"]) == "CAB"
    _press(lively, "Dismiss")


def test_a_forgotten_run_is_made_again_without_a_word(lively: Page, server: Server) -> None:
    made = ask(server.url, "/runs", {"model": "sort", "text": "CBABBC", "interventions": [_CHANGE]})
    for address in ("/?model=sort#text=CBABBC", f"/?run={made['id']}"):
        open_atlas(lively, server.url, address)
        before = state(lively)
        value = drawn(lively, "logits", [5, 1])
        lively.wait_for_timeout(5100 if "run=" in address else 0)
        delete(server.url, f"/runs/{before['run']}")
        # Whatever asks next finds out: here what may follow a word.
        _press(lively, "position 0: “C” · id 2 · bytes 0 to 1")
        wait_until(lively, "old => ![old, null].includes(window.__atlas.state().run)", before["run"])
        rest(lively)
        assert state(lively)["tokens"] == before["tokens"]
        assert drawn(lively, "logits", [5, 1]) == value
        expect(lively.locator(".problem")).to_have_count(0)


def test_pins_are_in_the_address(lively: Page, server: Server) -> None:
    open_atlas(lively, server.url, "/?model=sort&panel=pins&pins=logits[5_1]~.hook_embed[2_3]~nothing[1]#text=CBABBC")
    cards = lively.locator("article.pin")
    expect(cards).to_have_count(2)
    expect(cards.first.locator("header h3")).to_have_text("logits")
    cards.first.get_by_role("button", name="Unpin logits").click()
    wait_until(lively, "() => new URLSearchParams(location.search).get('pins') === '.hook_embed[2_3]'")
    cards.first.get_by_role("button", name="Unpin hook_embed").click()
    wait_until(lively, "() => new URLSearchParams(location.search).get('pins') === null")
