"""The main job in a real browser: read, write, look, come back."""

import json
import re

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from .atlas import (
    ask,
    drawn,
    eventually,
    exact,
    open_atlas,
    read,
    reload,
    rest,
    same,
    state,
    wait_for_address,
    wait_for_tokens,
    wait_until,
    walk,
    without_webgl,
)
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]

# From now on, presses Pause as soon as there are so many tokens: from outside, the page would be done first.
_PAUSE_AT = """count => {
    const timer = setInterval(() => {
        const pause = [...document.querySelectorAll("button")].find(button => button.textContent === "Pause");
        if (window.__atlas.state().tokens.length < count || !pause) return;
        clearInterval(timer);
        pause.click();
    }, 2);
}"""

GREEDY = "temperature=0&top_k=0&top_p=1&seed=0"


def _assert_cells(page: Page, url: str, cells: list[tuple[str, list[int]]]) -> None:
    now = state(page)
    for tensor, index in cells:
        weight = re.search(r"(^|\.)[Wb]_|\.[wb]$", tensor) is not None
        where = f"models/{now['model']}/weights" if weight else f"runs/{now['run']}/activations"
        here, there = drawn(page, tensor, index), exact(url, where, tensor, index)
        assert same(here, there), f"{tensor}{index}: the map draws {here}, the API says {there}"


def test_typed_sentence_is_drawn_with_the_numbers_of_the_api(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories")
    read(page, "The little dog saw a red ball.")
    now = state(page)
    reply = ask(server.url, "/runs", {"model": "stories", "text": "The little dog saw a red ball."})
    assert now["tokens"] == [token["id"] for token in reply["tokens"]]
    last = len(now["tokens"]) - 1
    _assert_cells(
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
    _assert_cells(
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
    _assert_cells(page, server.url, [("blocks.0.attn.hook_v", [10, 1, 2]), ("logits", [10, 1])])


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


def test_the_front_door_shows_a_story_written(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/")
    wait_until(page, "() => window.__atlas.state().phase === 'paused' && window.__atlas.state().tokens.length > 40")
    rest(page)
    now = state(page)
    model = next(one for one in ask(server.url, "/models")["models"] if one["id"] == now["model"])
    written = len(now["tokens"]) - now["promptLength"]
    assert model["default_new_tokens"] * 0.7 < written < model["default_new_tokens"]
    last = len(now["tokens"]) - 1
    _assert_cells(
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


def test_lenses_are_drawn_asked_closed_and_remembered(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=lenses#text=CBABBC&lenses=surprisal")
    surprisal = page.locator("[data-lens=surprisal]")
    expect(surprisal.locator(".main-svg").first).to_be_attached(timeout=15_000)
    page.get_by_label("Open a lens").select_option("logit_lens")
    lens = page.locator("[data-lens=logit_lens]")
    lens.get_by_label("colour").select_option("entropy")
    expect(lens.locator(".caption")).to_contain_text("entropy", timeout=15_000)
    expect(lens.locator(".problem")).to_have_count(0)
    wait_until(page, "() => location.hash.includes('logit_lens%3Fshow%3Dentropy%7Esurprisal')")
    surprisal.get_by_role("button", name="Close").click()
    page.goto(server.url + "/?model=sort&panel=lenses#text=CBABBC")
    expect(page.locator("[data-lens]")).to_have_count(1, timeout=15_000)
    expect(page.locator("[data-lens=logit_lens]")).to_be_visible()


def test_rows_of_a_lens_and_cells_of_the_map_are_each_others(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=lenses#text=CBABBC&lenses=neuron%3Flayer%3D1%26neuron%3D7!table")
    table = page.get_by_role("table", name="One neuron")
    row = table.get_by_role("row").nth(3)
    row.click()
    assert state(page)["selected"] == {"tensor": "blocks.1.mlp.hook_post", "index": [2, 7]}
    expect(row).to_have_class("on")
    value = exact(server.url, f"runs/{state(page)['run']}/activations", "blocks.1.mlp.hook_post", [2, 7])
    shown = row.get_by_role("cell").nth(2).inner_text().replace("−", "-")
    assert float(shown) == pytest.approx(value, rel=1e-3)
    row.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert state(page)["selected"]["index"] == [3, 7]


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


def test_a_lens_is_a_picture_and_a_table_of_what_the_api_says(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=charts#text=CBABBC")
    lens = page.locator('[data-lens="next_token"]')
    expect(lens.locator(".plot .main-svg").first).to_be_attached(timeout=15_000)
    expect(page.locator(".lens .problem")).to_have_count(0)
    with page.expect_download() as png:
        lens.get_by_role("button", name="png").click()
    assert png.value.path().read_bytes().startswith(b"\x89PNG")
    lens.get_by_role("button", name="Table").click()
    api = ask(server.url, f"/runs/{state(page)['run']}/lenses/next_token?format=table")
    expect(lens.locator("tbody tr")).to_have_count(len(api["rows"]))
    column = api["header"].index("probability")
    shown = [row.locator("td").nth(column).inner_text() for row in lens.locator("tbody tr").all()]
    assert [float(text) for text in shown] == pytest.approx([row[column] for row in api["rows"]], rel=1e-2)
    sort = lens.get_by_role("columnheader", name="probability")
    sort.get_by_role("button").press("Enter")
    expect(sort).to_have_attribute("aria-sort", "descending")
    sort.get_by_role("button").press("Enter")
    expect(sort).to_have_attribute("aria-sort", "ascending")
    least = min(row[column] for row in api["rows"])
    first = lens.locator("tbody tr").first.locator("td").nth(column).inner_text()
    assert float(first) == pytest.approx(least, rel=1e-2)


def test_a_lens_refuses_with_a_hint_and_keeps_what_it_was_asked(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=lenses#text=CBABBC")
    page.get_by_label("Open a lens").select_option("contributions")
    lens = page.locator('[data-lens="contributions"]')
    lens.get_by_label("token", exact=True).fill("nowhere to be found")
    lens.get_by_label("token", exact=True).press("Enter")
    expect(lens.get_by_role("alert")).to_contain_text("#")
    lens.get_by_label("token", exact=True).fill("#1")
    lens.get_by_label("token", exact=True).press("Enter")
    expect(lens.get_by_role("alert")).to_have_count(0)
    wait_until(page, "() => decodeURIComponent(decodeURIComponent(location.hash)).includes('contributions?token=#1')")
    page.reload()
    expect(page.locator('[data-lens="contributions"]').get_by_label("token", exact=True)).to_have_value("#1")
    watch.forgive("422")


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
