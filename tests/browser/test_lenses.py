"""Every lens in a real browser, on a model of every kind: it opens, is not empty, and shows what the API says."""

import urllib.parse
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .atlas import ask, eventually, exact, open_atlas, state, wait_until, walk
from .conftest import Server, Watch

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]

# Which lenses say nothing of which model, and what of their reason is to be read.
SILENT = {
    "stories": {},
    "fill": {"contributions": "nonlinearity", "surprisal": "no meaning"},
    "translate": {"contributions": "ends in a norm"},
}
TEXTS = {
    "stories": "Once upon a time, there was a little girl.",
    "fill": "Once upon a time there was a [MASK] dog.",
    "translate": "the cat sees the dog",
}
# As many as the dock holds at once, and fewer.
_AT_ONCE = 9
_COLOURS = """canvas => new Set(new Uint32Array(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"""
_TRACES = "plot => plot.data.map(({x, y, orientation, meta}) => ({x, y, orientation, meta}))"


def address(server: Server, model: str, lenses: list[str]) -> str:
    """Return the page with these lenses open; of a model that translates, with what it wrote."""
    fragment = {"text": TEXTS[model], "lenses": "~".join(lenses)}
    if model == "translate":
        run = ask(server.url, "/runs", {"model": model, "text": TEXTS[model], "max_new_tokens": 5})
        written = [token["id"] for token in run["tokens"]]
        fragment |= {"tokens": "_".join(map(str, written)), "prompt": "1"}
    return f"/?model={model}&panel=lenses#{urllib.parse.urlencode(fragment, quote_via=urllib.parse.quote)}"


def number(text: str) -> float:
    """Read a number as the page writes it, with what it counts."""
    return float(text.split(" ")[0].replace("−", "-"))


def assert_in_row(row: list[Any], value: float, where: str) -> None:
    numbers = [cell for cell in row if isinstance(cell, int | float)]
    assert any(value == pytest.approx(cell, rel=2e-3, abs=1e-6) for cell in numbers), f"{where}: {value} not in {row}"


def check_matrix(lens: Locator, figure: dict[str, Any], rows: list[list[Any]], name: str) -> None:
    """Check that it is not one colour, and that its first and last cell are the table's."""
    eventually(lens.page, lambda: lens.locator("canvas").evaluate(_COLOURS) > 5, True)
    trace = figure["data"][0]
    window = lens.get_by_role("application")
    window.focus()
    for keys, at in ((("Home",), (0, 0)), (("End", "PageDown"), (-1, -1))):
        for key in keys:
            window.press(key)
        if "block" in trace["meta"]:
            expect(lens.locator(".matrix-tip")).to_contain_text("head")
            continue
        value = trace["z"][at[0]][at[1]]
        shown = lens.locator(".matrix-tip .tip-value").inner_text()
        assert shown == "nothing: masked" if value is None else number(shown) == pytest.approx(value, rel=2e-3)
        down, across = trace["meta"]["stride"]
        row = down * (at[0] % len(trace["z"])) + across * (at[1] % len(trace["z"][0]))
        if value is not None and name != "residual_norms":  # whose colours are logarithms
            assert_in_row(rows[row], value, name)


def check_plotly(lens: Locator, rows: list[list[Any]], name: str) -> None:
    """Check that its points are the table's rows."""
    expect(lens.locator("div.plot .main-svg .trace").first).to_be_attached(timeout=15_000)
    for trace in lens.locator("div.plot").evaluate(_TRACES):
        if "row" not in trace["meta"]:
            continue
        values = trace["x"] if trace.get("orientation") == "h" else trace["y"]
        assert values, f"{name} is empty"
        for at, value in enumerate(values):
            assert_in_row(rows[trace["meta"]["row"] + at * trace["meta"]["stride"][0]], value, name)


@pytest.mark.parametrize("model", TEXTS)
def test_every_lens_shows_what_the_api_says(page: Page, server: Server, model: str) -> None:
    everything = ask(server.url, f"/runs/{ask(server.url, '/runs', {'model': model, 'text': 'a'})['id']}/lenses")
    names = [lens["name"] for lens in everything["lenses"]]
    assert len(names) == 17
    open_atlas(page, server.url, address(server, model, []))
    for opened in (names[:_AT_ONCE], names[_AT_ONCE:]):
        walk(page, address(server, model, opened))
        run = state(page)["run"]
        for name in opened:
            lens = page.locator(f"[data-lens={name}]")
            if name in SILENT[model]:
                expect(lens).to_contain_text("Does not apply")
                expect(lens).to_contain_text(SILENT[model][name])
                continue
            expect(lens.locator("div.plot, .matrix-window, svg.scatter")).to_have_count(1, timeout=15_000)
            expect(lens.get_by_role("alert")).to_have_count(0)
            figure = ask(server.url, f"/runs/{run}/lenses/{name}?format=figure")
            rows = ask(server.url, f"/runs/{run}/lenses/{name}?format=table")["rows"]
            if figure["data"][0]["type"] == "heatmap":
                check_matrix(lens, figure, rows, name)
            else:
                check_plotly(lens, rows, name)


def test_lenses_follow_the_map_and_the_map_a_lens(page: Page, server: Server) -> None:
    """A cell chosen elsewhere chooses block, head and positions; a cell of a lens chosen by keyboard is the map's."""
    lenses = urllib.parse.quote("attention~query_key~neuron")
    where = "select=blocks.1.attn.hook_pattern[2_4_3]"
    open_atlas(page, server.url, f"/?model=sort&panel=lenses&{where}#text=CBABBC&lenses={lenses}")
    attention = page.locator("[data-lens=attention]")
    expect(attention.locator(".caption")).to_contain_text("blocks.1.attn.hook_pattern, head 2")
    expect(attention.get_by_label("head", exact=True)).to_have_value("")
    window = attention.get_by_role("application")
    window.focus()
    for key in ("Home", "PageDown", "ArrowRight", "Enter"):
        window.press(key)
    assert state(page)["selected"] == {"tensor": "blocks.1.attn.hook_pattern", "index": [2, 5, 1]}
    wait_until(page, "() => location.search.includes('hook_pattern%5B2_5_1%5D')")
    expect(page.locator("[data-lens=query_key] .caption")).to_contain_text("blocks.1.attn, head 2")
    run = state(page)["run"]
    asked = ask(server.url, f"/runs/{run}/lenses/query_key?layer=1&head=2&query=5&key=1")
    expect(page.locator("[data-lens=query_key] .caption")).to_contain_text(f"= {asked['sum']:.4f}")
    # What is chosen in the lens itself stays, whatever is chosen in the map.
    attention.get_by_label("head", exact=True).select_option("0")
    expect(attention.locator(".caption")).to_contain_text("head 0")


def test_a_text_in_colours_is_read_by_keyboard(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=lenses#text=CBABBC&lenses=surprisal!text")
    lens = page.locator("[data-lens=surprisal]")
    tokens = lens.get_by_role("group", name="Surprisal: the text").get_by_role("button")
    rows = ask(server.url, f"/runs/{state(page)['run']}/lenses/surprisal?format=table")["rows"]
    expect(tokens).to_have_count(len(rows))
    tokens.first.focus()
    page.keyboard.press("ArrowRight")
    token, value = str(tokens.nth(1).get_attribute("aria-label")).split(": ")
    assert token == rows[1][2] and number(value) == pytest.approx(rows[1][3], rel=1e-3)
    page.keyboard.press("Enter")
    assert state(page)["selected"] == {"tensor": "logits", "index": [1, ask_id(server, page, 2)]}


def ask_id(server: Server, page: Page, pos: int) -> int:
    return int(ask(server.url, f"/runs/{state(page)['run']}")["tokens"][pos]["id"])


def test_pictures_for_paper_are_whole(page: Page, server: Server) -> None:
    open_atlas(page, server.url, address(server, "stories", ["embeddings?dimensions=3", "logit_lens"]))
    for name in ("embeddings", "logit_lens"):
        exports = page.locator(f"[data-lens={name}] .exports")
        with page.expect_download() as png:
            exports.get_by_role("button", name="png").click()
        content = png.value.path().read_bytes()
        assert content.startswith(b"\x89PNG") and b"pHYs" in content[:64]
        with page.expect_download() as svg:
            exports.get_by_role("button", name="svg").click()
        drawing = svg.value.path().read_text(encoding="utf-8")
        assert drawing.startswith("<svg") and drawing.count("<text") > 6


def test_what_does_not_exist_is_said_with_the_choices(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=sort&panel=lenses#text=CBABBC")
    alert = page.locator("[data-lens]").get_by_role("alert")
    for lens, says, hint in (
        ("attention?head=99", "head 99 does not exist", "0 to 2"),
        ("next_token?pos=99", "pos 99 does not exist", "0 to 5"),
        ("token_rank?token=word", "'w', is not in this model's vocabulary", "#0 to #2"),
    ):
        walk(page, f"/?model=sort&panel=lenses#text=CBABBC&lenses={urllib.parse.quote(lens)}")
        expect(alert).to_contain_text(says)
        expect(alert).to_contain_text(hint)
    watch.forgive("422")


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
