"""Writing in a real browser: by steps and at once, sampled and by beams, paused and stopped, in view."""

import json
import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from .atlas import (
    GREEDY,
    ask,
    assert_cells,
    open_atlas,
    read,
    rest,
    state,
    wait_for_tokens,
    wait_until,
    walk,
)
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]


# From now on, presses Pause as soon as there are so many tokens: from outside, the page would be done first.
_PAUSE_AT = """count => {
    const timer = setInterval(() => {
        const pause = [...document.querySelectorAll("button")].find(button => button.textContent === "Pause");
        if (window.__atlas.state().tokens.length < count || !pause) return;
        clearInterval(timer);
        pause.click();
    }, 2);
}"""


def test_write_pause_step_and_stop(page: Page, server: Server) -> None:
    open_atlas(page, server.url, f"/?model=stories&{GREEDY}#text=Once+upon+a+time")
    start = len(state(page)["tokens"])
    # Where drawing takes all of the processor, the click may come after the last token: then once more.
    for _ in range(3):
        page.evaluate(_PAUSE_AT, start + 3)
        page.get_by_role("button", name="Write", exact=True).click()
        wait_for_tokens(page, start + 3)
        rest(page)
        paused = len(state(page)["tokens"])
        if state(page)["phase"] == "paused":
            break
        read(page, "Once upon a time")
    assert start + 3 <= paused < start + 64
    expect(page.locator(".chip.new")).to_have_count(paused - start)
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, paused + 1)
    rest(page)
    assert len(state(page)["tokens"]) == paused + 1
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_until(page, "() => window.__atlas.state().phase === 'done'")
    tokens = state(page)["tokens"]
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, len(tokens) + 1)
    rest(page)
    assert state(page)["tokens"][: len(tokens)] == tokens
    same_text = ask(
        server.url,
        "/runs",
        {"model": "stories", "tokens": tokens[:start], "max_new_tokens": len(tokens) + 1 - start},
    )
    assert [token["id"] for token in same_text["tokens"]] == state(page)["tokens"]


def test_sampling_is_bounded_and_seeded(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories&temperature=1&top_k=40&top_p=1&seed=3#text=Tom+had+a")
    temperature = page.locator("input[name=temperature]")
    temperature.fill("-1")
    expect(page.get_by_role("alert")).to_contain_text("Temperature goes from 0")
    temperature.fill("0")
    expect(page.get_by_text("Greedy: always the likeliest")).to_be_visible()
    temperature.fill("1")
    start = len(state(page)["tokens"])
    for count in range(1, 4):
        page.get_by_role("button", name="Step", exact=True).click()
        wait_for_tokens(page, start + count)
        rest(page)
    answer = ask(
        server.url,
        "/runs",
        {
            "model": "stories",
            "text": "Tom had a",
            "max_new_tokens": 3,
            "sampling": {"temperature": 1, "top_k": 40, "top_p": 1, "seed": 3},
        },
    )
    assert state(page)["tokens"] == [token["id"] for token in answer["tokens"]]


def test_what_was_just_written_is_in_view_after_a_long_text(page: Page, server: Server) -> None:
    open_atlas(page, server.url, f"/?model=stories&{GREEDY}#text={'+'.join(['Lily+ran+home'] * 25)}")
    chips = page.locator(".chips button")
    expect(chips.first).to_be_in_viewport()
    expect(chips.last).not_to_be_in_viewport()
    before = len(state(page)["tokens"])
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, before + 1)
    expect(chips.last).to_be_in_viewport()
    expect(chips.first).not_to_be_in_viewport()


def test_beams_write_the_likeliest_text(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort")
    for model, text in (("translate", "The animal was too tired."), ("stories", "Tom had a")):
        walk(page, f"/?model={model}&{GREEDY}#text={text.replace(' ', '+')}")
        _assert_beams(page, server, model, text)


def _assert_beams(page: Page, server: Server, model: str, text: str) -> None:
    before = len(state(page)["tokens"])
    beams = page.get_by_label("beams")
    beams.fill("17")
    expect(page.get_by_role("alert")).to_contain_text("from 1 to 16")
    beams.fill("4")
    expect(page.get_by_text("Beam search: 4 texts grow side by side")).to_be_visible()
    for count in range(1, 5):
        page.get_by_role("button", name="Step", exact=True).click()
        wait_for_tokens(page, before + count)
        rest(page)
    described = ask(server.url, f"/models/{model}")
    question = {"model": model, "text": text, "max_new_tokens": described["default_new_tokens"]}
    found, greedy = (
        [token["id"] for token in ask(server.url, "/runs", question | {"sampling": sampling})["tokens"]]
        for sampling in ({"beams": 4}, {"temperature": 0})
    )
    assert state(page)["tokens"] == found[: before + 4]
    assert model == "translate" or found[: before + 4] != greedy[: before + 4], "or greedy writing would do"
    wait_until(page, "() => location.search.includes('beams=4')")


def test_the_writer_says_what_it_will_do(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&temperature=0#text=CBABBC")
    write = page.locator("button.write")
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(write).to_have_text("Write")
    expect(stop).to_be_disabled()
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, 7)
    rest(page)
    expect(write).to_have_attribute("title", re.compile("Goes on after what is written"))
    stop.click()
    expect(write).to_have_text("Go on")
    write.click()
    wait_until(page, "() => window.__atlas.state().phase === 'done' && window.__atlas.state().tokens.length > 7")
    rest(page)
    written = state(page)["tokens"]
    # Nothing fits after the sorted letters: the text is read again.
    expect(write).to_have_text("Write anew")
    expect(stop).to_be_disabled()
    page.locator("input[name=beams]").fill("2")
    write.click()
    wait_until(page, "() => window.__atlas.state().phase === 'done'")
    rest(page)
    assert state(page)["tokens"] == written
    score = ask(server.url, "/runs", {"model": "sort", "text": "CBABBC", "max_new_tokens": 6, "sampling": {"beams": 2}})
    said = page.get_by_text("The beams chose this text at").inner_text()
    assert float(re.search(r"[−-]?[\d.]+(e[−-]?\d+)?", said)[0].replace("−", "-")) == pytest.approx(  # type: ignore[index]
        score["beam_score"], rel=1e-3
    )


@pytest.mark.own_page
def test_what_may_not_be_written_is_struck_through(page: Page, server: Server) -> None:
    def route(to_page: WebSocketRoute) -> None:
        def forbid(message: str | bytes) -> None:
            said = json.loads(message) if isinstance(message, str) else {}
            if said.get("type") in ("prompt", "paused"):
                said["top"][1]["forbidden"] = True
                message = json.dumps(said)
            to_page.send(message)

        to_page.connect_to_server().on_message(forbid)

    page.route_web_socket(re.compile("/api/v1/stream"), route)
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    bars = page.get_by_role("region", name="Next token")
    expect(bars.locator("li s")).to_have_count(1)
    expect(bars.locator("li").nth(1)).to_have_attribute("title", re.compile(r"generation_config\.json"))
    expect(bars).to_contain_text("Struck through")


def test_an_address_keeps_the_sampling_that_the_server_takes(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&temperature=100&top_k=0&top_p=1&seed=4294967296#text=CBABBC")
    fields = {name: page.locator(f"input[name={name}]") for name in ("temperature", "seed")}
    expect(fields["temperature"]).to_have_value("100")
    expect(fields["seed"]).to_have_value(str(2**32))
    # A field alone, of a model that is on show already.
    walk(page, f"/?model=sort&seed={2**53 - 1}#text=CBABBC")
    expect(fields["seed"]).to_have_value(str(2**53 - 1))
    expect(fields["temperature"]).to_have_value("0")
    # What is refused is said.
    walk(page, "/?model=sort&temperature=101#text=CBABBC")
    expect(page.get_by_text("The sampling in the address is left out")).to_contain_text("to 100.")


def test_the_front_door_shows_a_story_written(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/")
    wait_until(page, "() => window.__atlas.state().phase === 'paused' && window.__atlas.state().tokens.length > 40")
    rest(page)
    now = state(page)
    model = next(one for one in ask(server.url, "/models")["models"] if one["id"] == now["model"])
    written = len(now["tokens"]) - now["promptLength"]
    assert model["default_new_tokens"] * 0.7 < written < model["default_new_tokens"]
    last = len(now["tokens"]) - 1
    assert_cells(
        page,
        server.url,
        [
            ("blocks.3.attn.hook_pattern", [5, last, 9]),
            ("blocks.3.attn.hook_pattern", [5, last - 1, last]),
            ("blocks.5.hook_resid_post", [last, 7]),
        ],
    )
    # What is left is room and says so (nothing reads the last of 64); the map stays when more is written.
    for index, words in (([last + 1, 7], "room for 15 more tokens"), ([last, 7], "= ")):
        page.evaluate(
            """index => window.__atlas.map.setCamera({
                target: window.__atlas.map.place({ tensor: 'blocks.5.hook_resid_post', index }),
                distance: 30, azimuth: 0, elevation: 0 })""",
            index,
        )
        box = page.locator(".map canvas[tabindex]").bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2 - 3, box["y"] + box["height"] / 2)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator(".hover-card .result")).to_contain_text(words)
    place = "window.__atlas.map.place({ tensor: 'blocks.2.attn.hook_z', index: [3, 1, 2] })"
    before = page.evaluate(place)
    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, last + 2)
    assert page.evaluate(place) == before
