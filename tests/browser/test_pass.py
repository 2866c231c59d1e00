"""Stepping through a forward pass: by keys, by the clock, by the slider, from an address."""

import io
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Page, expect

from .atlas import ask, open_atlas, rest, state, wait_until, walk
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]


def _computed(url: str, model: str) -> list[dict[str, Any]]:
    """List the operations that a pass goes through: all but those whose output only exists when it is asked for."""
    graph = ask(url, f"/models/{model}/graph")
    asked_for = {tensor["name"] for tensor in graph["tensors"] if tensor["derived"] and tensor["role"] == "activation"}
    return [op for op in graph["ops"] if op["output"] not in asked_for]


def _shape(url: str, page: Page, tensor: str) -> list[int]:
    entries = ask(url, f"/runs/{state(page)['run']}/activations")["activations"]
    (shape,) = [entry["shape"] for entry in entries if entry["name"] == tensor]
    return list(shape)


def _picture(page: Page) -> Image.Image:
    rest(page)
    return Image.open(io.BytesIO(page.locator(".map canvas[tabindex]").screenshot())).convert("RGB")


def _same(one: Image.Image, other: Image.Image) -> bool:
    return one.size == other.size and ImageChops.difference(one, other).getbbox() is None


@pytest.mark.small_window
def test_every_operation_is_lit_once_and_in_order(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories")
    for model in ("sort", "fill", "translate"):
        walk(page, f"/?model={model}")
        _assert_each_lit(page, server, model)


def _assert_each_lit(page: Page, server: Server, model: str) -> None:
    ops = _computed(server.url, model)
    told = {op["output"]: op for op in ask(server.url, f"/models/{model}/ops?count=256")["ops"]}
    assert state(page)["pass"] is None
    for number, op in enumerate(ops):
        page.keyboard.press("ArrowRight")
        now = state(page)["pass"]
        assert (now["step"], now["steps"], now["output"]) == (number, len(ops), op["output"])
        (made,) = now["makes"]
        assert made["tensor"] == op["output"]
        assert {box["tensor"] for box in now["reads"]} == {read["tensor"] for read in op["reads"]}
        if number % 9 == 0:
            assert made["start"] == [0] * len(made["start"])
            assert made["stop"] == _shape(server.url, page, op["output"])
            expect(page.locator(".transport .sentence")).to_have_text(told[op["output"]]["sentence"])
            expect(page.locator(".transport .formula .katex").first).to_be_attached()
            expect(page.locator(".transport [aria-live]")).to_contain_text(f"Operation {number + 1} of {len(ops)}")
    assert ops[-1]["output"] == "probabilities"
    page.keyboard.press("ArrowRight")
    assert state(page)["pass"]["output"] == "probabilities"
    page.keyboard.press("ArrowLeft")
    assert state(page)["pass"]["output"] == ops[-2]["output"]


def test_what_is_made_appears_and_what_is_not_stays_empty(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Follow").click()
    page.evaluate("window.__atlas.map.flyTo({region: 'blocks.0'}, false)")
    names = [op["output"] for op in _computed(server.url, "sort")]
    ink: dict[str, list[float]] = {"blocks.0.ln1.hook_out": [], "blocks.0.hook_attn_out": []}
    for number, name in enumerate(names[: names.index("blocks.0.ln2.hook_mean")]):
        if number > 0:
            page.keyboard.press("ArrowRight")
        if name not in ("blocks.0.attn.hook_q", "blocks.0.ln1.hook_scale", *ink):
            continue
        picture = _picture(page)
        for tensor, seen in ink.items():
            seen.append(_ink(page, picture, tensor))
    page.get_by_role("button", name="Follow").click()  # the next to borrow this page is followed again
    (first, *_, last) = ink["blocks.0.ln1.hook_out"]
    assert first < 12 < max(ink["blocks.0.ln1.hook_out"]), ink
    assert first < last < max(ink["blocks.0.ln1.hook_out"]), ink
    *empty, made = ink["blocks.0.hook_attn_out"]
    assert max(empty) < 12 < made, ink


def _ink(page: Page, picture: Image.Image, tensor: str) -> float:
    """Measure how colourful the numbers of a tensor are drawn: the strongest of forty cells."""
    colours = []
    for feature in range(8, 48):
        at = page.evaluate("([tensor, index]) => window.__atlas.map.project({tensor, index})", [tensor, [2, feature]])
        pixel = picture.getpixel((round(at["x"]), round(at["y"])))
        assert isinstance(pixel, tuple)
        colours.append(max(pixel) - min(pixel))
    return float(sorted(colours)[-8])


def test_play_goes_on_pauses_and_stops_at_the_end(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, "/?model=sort")
    moving.keyboard.press("Space")
    moving.locator(".transport select").select_option("8")
    wait_until(moving, "() => window.__atlas.state().pass.step > 3")
    moving.locator(".map canvas[tabindex]").focus()
    moving.keyboard.press("Space")
    paused = state(moving)["pass"]
    assert not paused["running"]
    moving.wait_for_timeout(250)
    assert state(moving)["pass"] == paused
    moving.keyboard.press("End")
    moving.keyboard.press("ArrowLeft")
    moving.keyboard.press("Space")
    wait_until(moving, "() => !window.__atlas.state().pass.running")
    now = state(moving)["pass"]
    assert (now["step"], now["progress"]) == (now["steps"] - 1, 1)


_SCRUB = """([line, time]) => {
    const slider = document.querySelector(line);
    slider.value = time;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
}"""


def _assert_time_is_picture(page: Page, line: str, times: tuple[int, ...], approach: int) -> None:
    """Check that a time shows the same, to the pixel, whether one scrubs to it forward, backward, or jumps.

    The eye takes up to `approach` milliseconds to follow.
    """
    seen: dict[int, Image.Image] = {}
    for time in (*times, *times[-2::-1], times[-1]):
        page.evaluate(_SCRUB, [line, time])
        page.wait_for_timeout(approach)
        picture = _picture(page)
        assert time not in seen or _same(seen[time], picture), (line, time)
        assert all(not _same(picture, other) for at, other in seen.items() if at != time), (line, time)
        seen[time] = picture
    assert len(seen) == len(times)


def test_the_same_time_is_the_same_picture(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, "/?model=sort&step=hook_embed#text=CBABBC")
    _assert_time_is_picture(moving, ".transport input", (9_000, 23_456, 61_000), approach=800)
    # A cell's arithmetic, over the moment at which the pass stands: the pass is left as it was.
    walk(moving, "/?model=sort&step=blocks.0.attn.hook_q&select=blocks.0.attn.hook_q[2_0_5]#text=CBABBC")
    moving.locator(".map canvas[tabindex]").focus()
    moving.keyboard.press("a")
    moving.keyboard.press("Space")
    _assert_time_is_picture(moving, ".player input", (120, 480, 900), approach=0)
    assert state(moving)["pass"]["output"] == "blocks.0.attn.hook_q"
    expect(moving.locator(".pill-words")).to_have_count(0)
    moving.keyboard.press("Escape")
    expect(moving.locator(".player input")).to_have_count(0)
    assert state(moving)["pass"]["output"] == "blocks.0.attn.hook_q"


# For some seconds of playing: the sentences told, and every frame in which the number named in one was not the number
# beside the cell.
_LISTEN = """seconds => new Promise(done => {
    const stood = [], apart = [];
    const until = performance.now() + 1000 * seconds;
    const look = () => {
        const {output} = window.__atlas.state().pass;
        const said = document.querySelector(".transport .meaning").textContent;
        const beside = document.querySelector(".pill-words")?.textContent;
        const named = said.match(/-?[0-9.]*[0-9](?=, goes)/)?.[0];
        if (beside && named && output.endsWith("hook_pattern") && !beside.endsWith(named)) apart.push([said, beside]);
        if (stood.at(-1)?.said !== said || stood.at(-1).output !== output) stood.push({output, said});
        if (performance.now() < until) requestAnimationFrame(() => setTimeout(look));
        else done({stood, apart});
    };
    look();
})"""


def test_words_stay_to_be_read_and_change_with_the_picture(moving: Page, server: Server) -> None:
    open_atlas(moving, server.url, "/?model=sort&step=blocks.0.attn.hook_pattern-0#text=CBABBC")
    moving.locator(".transport select").select_option("4")
    moving.locator(".map canvas[tabindex]").focus()
    moving.keyboard.press("Space")
    heard = moving.evaluate(_LISTEN, 5)
    assert heard["apart"] == []
    told = [one["said"] for one in heard["stood"] if one["output"] == "blocks.0.attn.hook_pattern"]
    # Of eighteen parts three are told one by one, those between at once, and then the last.
    assert len(told) <= 5, told
    assert told[0].startswith("“C” divides its attention: most of it, 1.00, goes to itself")


def test_blocks_ends_and_the_way_out(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort")
    before = page.evaluate("window.__atlas.camera()")
    page.keyboard.press("PageDown")
    assert state(page)["pass"] is None
    page.keyboard.press("ArrowRight")
    found = []
    for _ in range(5):
        page.keyboard.press("PageDown")
        found.append(state(page)["pass"]["output"])
    assert found == [
        "blocks.0.hook_resid_pre",
        "blocks.1.ln1.hook_mean",
        "blocks.2.ln1.hook_mean",
        "ln_final.hook_mean",
        "probabilities",
    ]
    page.keyboard.press("PageUp")
    assert state(page)["pass"]["output"] == "ln_final.hook_mean"
    page.keyboard.press("Home")
    assert state(page)["pass"]["output"] == "hook_embed"
    assert page.evaluate("window.__atlas.camera()") != before
    page.keyboard.press("Escape")
    assert state(page)["pass"] is None
    assert page.evaluate("window.__atlas.camera()") == before
    expect(page.locator(".transport")).to_have_count(0)


@pytest.mark.own_page
def test_an_address_leads_to_a_step(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=translate&step=decoder.blocks.0.cross_attn.hook_pattern")
    assert state(page)["pass"]["output"] == "decoder.blocks.0.cross_attn.hook_pattern"
    page.keyboard.press("ArrowRight")
    wait_until(page, "() => location.search.includes('step=decoder.blocks.0.cross_attn.hook_z')")
    view = page.evaluate("window.__atlas.camera()")
    address = page.url.removeprefix(server.url)
    page.goto("about:blank")
    open_atlas(page, server.url, address)
    assert state(page)["pass"]["output"] == "decoder.blocks.0.cross_attn.hook_z"
    assert page.evaluate("window.__atlas.camera()") == view
    walk(page, "/?model=sort&step=no.such.tensor")
    assert state(page)["pass"] is None


def test_the_head_that_is_spoken_of_stands_in_front_and_is_told_in_words(page: Page, server: Server) -> None:
    place = "index => window.__atlas.map.place({ tensor: 'blocks.1.attn.hook_pattern', index })"
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    first, behind = page.evaluate(place, [0, 2, 2]), page.evaluate(place, [1, 2, 2])
    assert behind[2] < first[2]
    address = "/?model=sort&step=blocks.1.attn.hook_pattern&panel=attention&attention=1_1_hook_pattern#text=CBABBC"
    walk(page, address)
    now = page.evaluate(place, [1, 2, 2])
    assert now[:2] == first[:2]
    assert now[2] > first[2]
    run = state(page)["run"]
    query = "index=1,5,:"
    shares = ask(server.url, f"/runs/{run}/activations/blocks.1.attn.hook_pattern?{query}")["values"]
    texts = state(page)["texts"]
    best = max(range(6), key=lambda key: shares[key])
    meaning = page.locator(".transport .meaning")
    expect(meaning).to_contain_text(f"“{texts[5]}” divides its attention")
    expect(meaning).to_contain_text(f"{shares[best]:.3g}")
    expect(meaning).to_contain_text("itself" if best == 5 else f"“{texts[best]}”")
    page.get_by_role("button", name="Blocks", exact=True).click()
    expect(meaning).to_contain_text("In every block, attention")
    assert page.evaluate(place, [1, 2, 2]) == behind
    page.keyboard.press("Escape")
    assert page.evaluate(place, [1, 2, 2]) == behind


def test_stepping_stops_the_writing(page: Page, server: Server) -> None:
    # Slowly, so that it still writes when a busy machine comes to look.
    open_atlas(page, server.url, "/?model=stories&speed=3")
    page.get_by_role("button", name="Write").click()
    wait_until(page, "() => window.__atlas.state().phase === 'writing'")
    page.locator(".map canvas[tabindex]").focus()
    page.keyboard.press("ArrowRight")
    wait_until(page, "() => window.__atlas.state().phase !== 'writing'")
    rest(page)
    now = state(page)
    assert now["pass"]["output"] == "hook_embed"
    assert now["pass"]["makes"][0]["stop"][0] in (len(now["tokens"]), len(now["tokens"]) - 1)


def test_keys_that_belong_elsewhere_are_left_alone(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories")
    page.locator("#prompt").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.get_by_role("tab", name="Inspector").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Fit").focus()
    page.keyboard.press("Space")
    assert state(page)["pass"] is None


def test_a_phone_has_room_for_the_bar(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_atlas(page, server.url, "/?model=sort&step=blocks.1.attn.hook_pattern")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    canvas = page.locator(".map canvas[tabindex]").bounding_box()
    bar = page.locator(".transport").bounding_box()
    assert canvas is not None and bar is not None
    assert canvas["height"] > 200
    assert bar["y"] >= canvas["y"] + canvas["height"] - 1
    for button in page.locator(".transport button").all():
        box = button.bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
