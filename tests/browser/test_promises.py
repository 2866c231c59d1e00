"""What the README, the help and the buttons promise, with motion on: everything is tried once, and the page answers."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from .atlas import ask, delete, drawn, exact, open_atlas, rest, same, state, wait_until, walk
from .conftest import Server, Watch

pytestmark = pytest.mark.browser

# Counts the frames asked for and not yet shown: a clock that doubles has thousands within a second.
_COUNT_FRAMES = """
const ask = window.requestAnimationFrame, drop = window.cancelAnimationFrame, open = new Set();
window.framesAsked = 0;
window.requestAnimationFrame = callback => {
    const frame = ask.call(window, now => { open.delete(frame); callback(now); });
    open.add(frame);
    window.framesAsked = Math.max(window.framesAsked, open.size);
    return frame;
};
window.cancelAnimationFrame = frame => { open.delete(frame); drop.call(window, frame); };
"""
# The map, the clocks, a matrix, the frameworks' effects and tests may each ask for one at the same time: a handful.
_MOST_FRAMES = 16
_SOON = 0.2


@pytest.fixture(scope="module")
def shared(browser: Browser, browser_context_args: dict[str, Any], server: Server) -> Iterator[tuple[Page, Watch]]:
    """Open one page for all tests here, with motion; it has read a text with `sort`."""
    context = browser.new_context(**{**browser_context_args, "reduced_motion": "no-preference"})
    context.add_init_script(_COUNT_FRAMES)
    page = context.new_page()
    watch = Watch(page)
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    yield page, watch
    context.close()


@pytest.fixture
def lively(shared: tuple[Page, Watch]) -> Iterator[Page]:
    """Lend the shared page; whoever leaves it has made no error, and no clock has doubled."""
    page, watch = shared
    yield page
    # The browser itself logs every refused call, as here the live count of a text that is too long.
    watch.forgive("422", "404")
    assert watch.errors == []
    assert page.evaluate("window.framesAsked") <= _MOST_FRAMES


def assert_answers(page: Page) -> None:
    """Check that the page answers soon: the best of some tries, since a busy machine may be late on its own account."""
    best = float("inf")
    for _ in range(5):
        start = time.monotonic()
        page.evaluate("1")
        best = min(best, time.monotonic() - start)
        if best < _SOON:
            return
    pytest.fail(f"the page takes {best:.2f} s to answer")


def test_the_arithmetic_plays_to_its_end_and_the_page_answers(lively: Page, server: Server) -> None:
    walk(lively, "/?model=sort&select=blocks.1.attn.hook_pattern[1_4_2]#text=CBABBC")
    play = lively.get_by_role("button", name="Play the arithmetic")
    expect(play).to_be_visible()
    lively.keyboard.press("a")
    lively.locator(".player select").select_option("4")
    slider = lively.get_by_label("Time", exact=True)
    before = -1
    while (now := int(slider.input_value())) < 1000:
        assert_answers(lively)
        wait_until(lively, "before => Number(document.querySelector('.player input').value) > before", max(0, before))
        before = now
    expect(
        lively.get_by_role("region", name="The arithmetic, played").get_by_role("button", name="▸ Play")
    ).to_be_visible()
    lively.locator(".player select").select_option("1")
    lively.locator(".map canvas[tabindex]").focus()
    lively.keyboard.press("a")
    expect(play).to_be_visible()


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_write_reads_what_is_typed_and_goes_on(lively: Page, server: Server) -> None:
    walk(lively, "/?model=stories&temperature=0&top_k=0&top_p=1&seed=0#text=Once+upon+a+time")
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
    walk(lively, "/?model=stories&temperature=0&top_k=0&top_p=1&seed=0#text=Once+upon+a+time")
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
    walk(lively, "/?model=sort&temperature=0&top_k=0&top_p=1&seed=0#text=CBABBC")
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
    walk(lively, "/?model=stories#text=Once+upon+a+time+there+was+a+little+girl+named+Lily")
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
    walk(lively, "/?model=sort&select=blocks.1.attn.hook_pattern[1_4_2]#text=CBABBC")
    search = lively.get_by_role("combobox", name="Tensor, section")
    for control in ("Writing speed", "Compare with"):
        lively.get_by_label(control, exact=True).focus()
        lively.keyboard.press("/")
        expect(search).to_be_visible()
        lively.keyboard.press("Escape")
        expect(search).to_have_count(0)
    lively.get_by_role("button", name="Play the arithmetic").click()
    assert lively.evaluate("document.documentElement.scrollHeight <= window.innerHeight")
    lively.get_by_label("Time", exact=True).focus()
    lively.keyboard.press("Escape")
    expect(lively.get_by_role("button", name="Play the arithmetic")).to_be_visible()


def test_the_tokens_are_one_stop_of_the_tab_key(lively: Page, server: Server) -> None:
    walk(lively, "/?model=sort#text=CBABBC")
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
    walk(lively, f"/?run={made['id']}")
    wait_until(lively, "id => window.__atlas.state().run === id", made["id"])
    note = lively.get_by_text(f"The run {made['id']}")
    expect(note).to_contain_text("blocks.1.attn.hook_z[0:11,1] set to 0")
    changed = exact(server.url, f"runs/{made['id']}/activations", "logits", [5, 1])
    assert same(drawn(lively, "logits", [5, 1]), changed)
    assert drawn(lively, "blocks.1.attn.hook_z", [3, 1, 2]) == 0
    wait_until(lively, "id => location.search.includes('run=' + id)", made["id"])
    # The same run may be taken from another, and what is written on is the model's own.
    walk(lively, "/?model=sort#text=CBABBC")
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
    walk(lively, "/?model=sort&run=0123456789ab#text=CAB")
    expect(lively.get_by_text("The run 0123456789ab cannot be shown")).to_contain_text("was read anew")
    assert "".join(state(lively)["texts"]) == "CAB"
    _press(lively, "Dismiss")


def test_a_forgotten_run_is_made_again_without_a_word(lively: Page, server: Server) -> None:
    made = ask(server.url, "/runs", {"model": "sort", "text": "CBABBC", "interventions": [_CHANGE]})
    for address in ("/?model=sort#text=CBABBC", f"/?run={made['id']}"):
        walk(lively, address)
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
    walk(lively, "/?model=sort&panel=pins&pins=logits[5_1]~.hook_embed[2_3]~nothing[1]#text=CBABBC")
    cards = lively.locator("article.pin")
    expect(cards).to_have_count(2)
    expect(cards.first.locator("header h3")).to_have_text("logits")
    cards.first.get_by_role("button", name="Unpin logits").click()
    wait_until(lively, "() => new URLSearchParams(location.search).get('pins') === '.hook_embed[2_3]'")
    cards.first.get_by_role("button", name="Unpin hook_embed").click()
    wait_until(lively, "() => new URLSearchParams(location.search).get('pins') === null")


# ---- every key of the help ---------------------------------------------------------------------------------------

# What is seen to change when a key does something.
_SEEN = """() => JSON.stringify([
    window.__atlas.camera(), window.__atlas.state().selected, window.__atlas.state().pass?.step,
    window.__atlas.state().pass?.running, window.__atlas.state().panel, window.__atlas.state().run,
    document.querySelector(".player")?.innerText, document.querySelector("dialog[open]") !== null,
    document.querySelectorAll("article.pin").length, document.querySelectorAll(".overview").length,
    document.querySelector("#prompt").value, document.activeElement?.getAttribute("aria-label"),
    document.querySelector(".cell")?.innerText,
])"""


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator(".map canvas[tabindex]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _drag(page: Page, button: Literal["left", "right"] = "left") -> None:
    x, y = _middle(page)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + 60, y + 30, steps=3)
    page.mouse.up(button=button)


def _wheel(page: Page) -> None:
    page.mouse.move(*_middle(page))
    page.mouse.wheel(0, -240)


def _click(page: Page, clicks: int) -> None:
    page.evaluate("window.__atlas.map.flyTo({ plateOf: { tensor: 'blocks.1.mlp.W_in', index: [3, 3] } }, false)")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.click(*_middle(page), click_count=clicks)


def _choose(page: Page) -> None:
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Tensor, section").fill("L1H1 pattern[4,2]")
    page.keyboard.press("Enter")
    wait_until(page, "() => document.querySelector('.player') !== null")


def _choose_and_stand_on_it(page: Page) -> None:
    _choose(page)
    page.get_by_role("group", name="Cell").focus()


def _let_go(page: Page) -> None:
    _choose(page)
    page.keyboard.press("Escape")
    wait_until(page, "() => window.__atlas.state().selected === null")


def _leave(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    wait_until(page, "() => window.__atlas.state().pass !== null")
    page.keyboard.press("Escape")
    wait_until(page, "() => window.__atlas.state().pass === null")


def _fill_the_screen(page: Page) -> None:
    page.keyboard.press("Shift+F")
    wait_until(page, "() => document.fullscreenElement !== null")
    page.evaluate("document.exitFullscreen()")
    page.keyboard.press("?")


def _follow(page: Page) -> None:
    _choose(page)
    page.keyboard.press("g")
    wait_until(page, "() => window.__atlas.state().selected.tensor !== 'blocks.1.attn.hook_pattern'")
    page.keyboard.press("b")
    wait_until(page, "() => window.__atlas.state().selected.tensor === 'blocks.1.attn.hook_pattern'")
    page.keyboard.press("g")


def _keys(*keys: str, first: Callable[[Page], None] | None = None) -> Callable[[Page], None]:
    def press(page: Page) -> None:
        if first:
            first(page)
        for key in keys:
            page.keyboard.press(key)

    return press


def _on(label: str, *keys: str) -> Callable[[Page], None]:
    return _keys(*keys, first=lambda page: page.get_by_label(label).first.focus())


def _copied(page: Page) -> None:
    page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", "blocks.2.attn.W_O");
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }"""
    )


def _typed(page: Page) -> None:
    page.locator("#prompt").fill("CAB")
    page.locator("#prompt").press("Enter")
    wait_until(page, "() => window.__atlas.state().tokens.length === 3")


# By sheet and keys. Fingers are tried where there is a screen to touch (test_way.py).
_TOUCH = "Touch"
_DOES: dict[tuple[str, str], Callable[[Page], None]] = {
    ("Pointer", "drag"): _drag,
    ("Pointer", "right-drag, Shift-drag"): lambda page: _drag(page, "right"),
    ("Pointer", "wheel, trackpad pinch"): _wheel,
    ("Pointer", "click"): lambda page: _click(page, 1),
    ("Pointer", "double-click"): lambda page: _click(page, 2),
    ("Finding one's way", "/"): _keys("/"),
    ("Finding one's way", "Ctrl+V"): _copied,
    ("Finding one's way", "F"): _keys("f", first=_choose),
    ("Finding one's way", "Shift+F"): _fill_the_screen,
    ("Finding one's way", "0, Home"): _keys("+", "+", "0"),
    ("Finding one's way", "Shift + arrow keys"): _keys("Shift+ArrowRight", "Shift+ArrowDown"),
    ("Finding one's way", "+, −"): _keys("+", "+", "-"),
    ("Finding one's way", "Q E, R V"): _keys("q", "q", "e", "r", "r", "v"),
    ("Finding one's way", "M"): _keys("m"),
    ("Reading numbers", "arrow keys, on the cell"): _keys("ArrowDown", first=_choose_and_stand_on_it),
    ("Reading numbers", "G, B"): _follow,
    ("Reading numbers", "P"): _keys("p", first=_choose),
    ("Reading numbers", "A"): _keys("a", first=_choose),
    ("Reading numbers", "Esc"): _let_go,
    ("The forward pass, step by step", "← →"): _keys("ArrowRight", "ArrowRight", "ArrowLeft"),
    ("The forward pass, step by step", "Space"): _keys("Space"),
    ("The forward pass, step by step", "Page Up, Page Down"): _keys("ArrowRight", "PageDown", "PageUp", "PageDown"),
    ("The forward pass, step by step", "Home, End"): _keys("ArrowRight", "End", "Home"),
    ("The forward pass, step by step", "Esc"): _leave,
    ("Text", "Enter, in the text"): _typed,
    ("Text", "arrow keys, on a token"): _on("position 1:", "ArrowRight", "Enter"),
    ("Text", "?"): _keys("?"),
}
# Esc brings back what was before; whoever tries it sees to that. Back and Forward are the browser's (test_way.py).
_BROWSERS = {("Finding one's way", "Alt+← →")}


def test_every_key_of_the_help_does_something_and_the_page_answers(lively: Page, server: Server) -> None:
    start = "/?model=sort#text=CBABBC"
    walk(lively, start + "&x=")
    lively.get_by_role("tab", name="Help").click()
    listed = lively.evaluate(
        """() => [...document.querySelectorAll("[aria-label=Help] section")].flatMap(sheet =>
            [...sheet.querySelectorAll("dt")].map(row => [sheet.querySelector("h3").textContent, row.textContent]))"""
    )
    keys = {(sheet, row) for sheet, row in listed if sheet != _TOUCH} - _BROWSERS
    assert keys == set(_DOES), "a key of the help has no test here, or a test no key"
    for where, act in _DOES.items():
        lively.keyboard.press("Escape")
        lively.get_by_role("tab", name="Inspector").click()
        lively.get_by_role("button", name="Step through").focus()
        before = lively.evaluate(_SEEN)
        act(lively)
        if where[1] != "Esc":
            wait_until(lively, f"([before]) => ({_SEEN})() !== before", [before, where])
        assert_answers(lively)
        for _ in range(2):
            lively.keyboard.press("Escape")


def test_every_button_is_pressed_and_the_page_answers(lively: Page, server: Server) -> None:
    walk(lively, "/?model=sort#text=CBABBC")
    find = """() => [...document.querySelectorAll("header button, .left button, footer button, [role=tab]")]
        .filter(one => !one.disabled && one.offsetParent !== null)
        .map(one => one.getAttribute("aria-label") ?? one.textContent.trim())"""
    press = """name => {
        const found = [...document.querySelectorAll("header button, .left button, footer button, [role=tab]")]
            .find(one => (one.getAttribute("aria-label") ?? one.textContent.trim()) === name && !one.disabled);
        found?.click();
        return found !== undefined;
    }"""
    pressed = []
    for name in dict.fromkeys(lively.evaluate(find)):
        if lively.evaluate(press, name):
            pressed.append(name)
        assert_answers(lively)
        lively.keyboard.press("Escape")
    assert {"Write", "Fit", "Face me", "Step through", "Attention"} <= set(pressed)
