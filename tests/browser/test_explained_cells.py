"""Every cell explains itself, in a real browser: pointed at, walked, pinned, compared, copied; also by keyboard."""

import json
import math
import random
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .atlas import ask, eventually, exact, open_atlas, rest, state, wait_until, walk
from .conftest import Server

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]

Cell = tuple[str, list[int]]

_FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
_TEXTS = {"stories": "The little dog saw a red ball.", "sort": "CBABBC"}


def explained(url: str, run: str, cell: Cell, **query: Any) -> Any:
    """Read what REST says of a cell."""
    tensor, index = cell
    asked = urllib.parse.urlencode({"index": ",".join(map(str, index)), **query})
    return ask(url, f"/runs/{run}/explain/{urllib.parse.quote(tensor)}?{asked}")


def one_of_each_kind(url: str, model: str, run: dict[str, Any], shown: Iterable[str]) -> list[Cell]:
    """Choose a random cell of an output of every kind of operation, of those that the map draws."""
    graph, chance = ask(url, f"/models/{model}/graph"), random.Random(model)
    shapes = {entry["name"]: entry["shape"] for entry in run["activations"]}
    drawn = set(shown)
    found: dict[str, Cell] = {}
    for op in graph["ops"]:
        name = op["output"]
        if op["kind"] not in found and name in shapes and name in drawn:
            found[op["kind"]] = (name, [chance.randrange(size) for size in shapes[name]])
    return list(found.values())


def point_at(page: Page, cell: Cell) -> bool:
    """Fly to a cell and put the pointer on it; False where it has no plate of its own."""
    tensor, index = cell
    where = {"tensor": tensor, "index": index}
    if page.evaluate("cell => window.__atlas.map.place(cell)", where) is None:
        return False
    page.mouse.move(1, 1)
    page.evaluate("cell => window.__atlas.map.flyTo(cell, false)", where)
    rest(page)
    at = page.evaluate(
        """cell => {
            const at = window.__atlas.map.project(cell);
            const box = document.querySelector(".map canvas[tabindex]").getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        }""",
        where,
    )
    page.mouse.move(*at)
    hit = page.evaluate(
        """([x, y]) => {
            const box = document.querySelector(".map canvas[tabindex]").getBoundingClientRect();
            const hit = window.__atlas.map.pick(x - box.left, y - box.top);
            return hit && {tensor: hit.tensor, index: hit.index};
        }""",
        at,
    )
    assert hit == where, f"the pointer is on {hit}"
    return True


def card_number(page: Page) -> str:
    """Read the number on the card at the pointer, once it is the exact one."""
    result = page.locator(".hover-card .result")
    expect(result).to_contain_text(re.compile(r"^= "))
    return result.inner_text().removeprefix("= ").replace("−", "-").strip()


def boxes(entries: Iterable[dict[str, Any]]) -> list[tuple[str, list[int], list[int]]]:
    """Sort boxes of cells into one order."""
    return sorted((entry["tensor"], list(entry["start"]), list(entry["stop"])) for entry in entries)


def test_pointing_at_a_cell_of_every_kind_lights_what_it_reads(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort")
    for model in ("stories", "sort", "fill", "translate"):
        walk(page, f"/?model={model}{f'#text={urllib.parse.quote(_TEXTS[model])}' if model in _TEXTS else ''}")
        _assert_lit(page, server, model)


def _assert_lit(page: Page, server: Server, model: str) -> None:
    """Check of a cell of every kind: what it reads, its formula and its number are those of the API."""
    run = ask(server.url, f"/runs/{state(page)['run']}")
    names = [entry["name"] for entry in run["activations"]]
    cells = one_of_each_kind(server.url, model, run, names)
    pointed = 0
    for cell in cells:
        if not point_at(page, cell):
            continue
        pointed += 1
        answer = explained(server.url, run["id"], cell)
        card = page.locator(".hover-card")
        if answer["masked"]:
            expect(card.locator(".why")).to_contain_text("Masked")
            eventually(page, lambda: page.evaluate("window.__atlas.lit()"), [])
            continue
        eventually(page, lambda: boxes(page.evaluate("window.__atlas.lit()")), boxes(answer["operands"]))
        # A share whose score is masked has no formula but that reason.
        expect(card.locator(".formula").or_(card.locator(".why"))).to_be_visible()
        shown = card_number(page)
        value = answer["captured"]
        assert value is None or float(shown) == pytest.approx(value, rel=5.1e-4, abs=1e-12), cell
        expect(page.locator(".callouts path.arc").first).to_be_attached()
    assert pointed >= 8, cells


def test_a_masked_score_says_why_and_a_bracket_names_the_axes(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    assert point_at(page, ("blocks.0.attn.hook_attn_scores", [1, 2, 4]))
    card = page.locator(".hover-card")
    expect(card.locator(".why")).to_have_text(
        "Masked: key 4 “B” comes after query 2 “A”, and no query sees what comes later."
    )
    expect(card.locator(".result")).to_have_text("= −∞")
    assert point_at(page, ("blocks.0.attn.hook_pattern", [1, 2, 4]))
    expect(card.locator(".why")).to_contain_text("Its score is masked, so its share is 0.")
    assert point_at(page, ("blocks.0.attn.hook_attn_scores", [1, 4, 2]))
    expect(page.locator(".callouts text", has_text=re.compile("^query_pos 6")).first).to_be_attached()
    # What the pointer rests on is said to screen readers too.
    value = exact(server.url, f"runs/{state(page)['run']}/activations", "blocks.0.attn.hook_attn_scores", [1, 4, 2])
    said = page.locator(".unseen[aria-live]").first
    expect(said).to_contain_text("blocks.0.attn.hook_attn_scores, head 1 · query_pos 4 “B” · key_pos 2 “A”: ")
    wanted = pytest.approx(value, rel=2e-3)
    eventually(page, lambda: float(said.inner_text().rpartition(" ")[2].replace("−", "-")), wanted)


def choose(page: Page, tensor: str, index: Sequence[int]) -> None:
    """Choose a cell by its address, as a link does."""
    page.keyboard.press("Escape")
    now = state(page)
    at = "_".join(map(str, index))
    walk(page, f"/?model={now['model']}&select={tensor}[{at}]#{page.url.partition('#')[2]}")
    assert state(page)["selected"] == {"tensor": tensor, "index": list(index)}


def test_following_a_logit_ends_at_the_row_of_its_token(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    for by_keyboard in (False, True):
        _follow_and_return(page, server, by_keyboard)


def _follow_and_return(page: Page, server: Server, by_keyboard: bool) -> None:
    choose(page, "logits", [5, 1])
    now = state(page)
    longest = longest_path(ask(server.url, "/models/sort/graph"))
    steps = 0
    while True:
        cell = state(page)["selected"]
        answer = explained(server.url, now["run"], (cell["tensor"], cell["index"]), terms=4096)
        if answer["op"] is None:
            break
        assert_adds_up(answer)
        # The page says the same of this step: what the terms sum up to, and that they are the run's own number.
        sums = page.locator(".sums")
        expect(sums).to_contain_text("the run's own number")
        expect(page.locator(".explanation .note").last).to_contain_text(re.compile("rounding|No difference"))
        if by_keyboard:
            page.keyboard.press("g")
        else:
            page.locator("[data-follow]").click()
        wait_until(page, "before => JSON.stringify(window.__atlas.state().selected) !== before", compact(cell))
        steps += 1
        assert steps <= longest
    assert cell["tensor"] == "W_E"
    assert cell["index"][0] == now["tokens"][5]
    assert steps >= 3 * 2, "through every block"
    # And back again, step by step.
    for _ in range(steps):
        before = compact(state(page)["selected"])
        if by_keyboard:
            page.keyboard.press("b")
        else:
            page.get_by_role("button", name="Back", exact=True).click()
        wait_until(page, "before => JSON.stringify(window.__atlas.state().selected) !== before", before)
    assert state(page)["selected"] == {"tensor": "logits", "index": [5, 1]}


def compact(cell: dict[str, Any]) -> str:
    """Write a cell as the page's JSON does."""
    return json.dumps(cell, separators=(",", ":"))


def longest_path(graph: dict[str, Any]) -> int:
    """Count the operations on the longest way from a weight to the logits."""
    lengths: dict[str, int] = {}
    names = {tensor["name"]: tensor["same_as"] for tensor in graph["tensors"]}
    for op in graph["ops"]:
        reads = [names[read["tensor"]] or read["tensor"] for read in op["reads"]]
        lengths[op["output"]] = 1 + max(lengths.get(name, 0) for name in reads)
    return lengths["logits"]


def assert_adds_up(answer: dict[str, Any]) -> None:
    """Check that the terms, and the bias, come to the recomputed number, which is the run's own."""
    assert answer["agrees"], answer
    if answer["combine"] != "sum":
        return
    total = math.fsum([*(term["value"] for term in answer["terms"]), answer["rest"]["sum"], answer["bias"] or 0.0])
    assert total == pytest.approx(answer["result"], abs=1e-9)


def test_an_operand_is_walked_to_by_a_click(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories#text=The little dog saw a red ball.")
    choose(page, "blocks.2.attn.hook_q", [4, 3, 7])
    answer = explained(server.url, state(page)["run"], ("blocks.2.attn.hook_q", [4, 3, 7]))
    page.locator(".terms li").first.get_by_role("button").nth(1).click()
    weight = answer["terms"][0]["operands"][1]
    wait_until(page, "tensor => window.__atlas.state().selected.tensor === tensor", weight["tensor"])
    assert state(page)["selected"] == {"tensor": weight["tensor"], "index": weight["index"]}
    # A weight has no operands, but rows and columns, and it acts on something.
    lines = page.locator(".explanation")
    expect(lines).to_contain_text("a learned number")
    expect(lines).to_contain_text("Along d_model, 192 cells")
    numbers = ask(server.url, f"/models/stories/weights/{weight['tensor']}?index={weight['index'][0]},:,7")["values"]
    mean = page.locator(".sums").nth(1).locator("dd").first
    wanted = pytest.approx(sum(numbers) / len(numbers), rel=1e-3)
    eventually(page, lambda: float(mean.inner_text().replace("−", "-")), wanted)
    page.get_by_role("button", name="Where it goes").click()
    fed = page.locator(".operand-list li")
    expect(fed).to_have_count(1)
    expect(fed).to_contain_text("9 cells")
    fed_by_it = [("blocks.2.attn.hook_q", [0, 3, 7], [9, 4, 8])]
    eventually(page, lambda: boxes(page.evaluate("window.__atlas.lit()")), fed_by_it)
    fed.get_by_role("button").click()
    wait_until(page, "() => window.__atlas.state().selected.tensor === 'blocks.2.attn.hook_q'")


def test_cells_are_pinned_three_ways_and_two_compared(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories#text=The little dog saw a red ball.")
    one, two = ("blocks.1.attn.hook_q", [4, 3, 7]), ("blocks.1.attn.hook_q", [2, 3, 7])
    assert point_at(page, one)
    page.keyboard.press("p")
    cards = page.locator(".pin")
    expect(cards).to_have_count(1)
    assert state(page)["panel"] == "pins"
    page.get_by_role("tab", name="Inspector").click()
    assert point_at(page, two)
    page.mouse.down()
    page.mouse.up()
    page.get_by_role("button", name="Pin", exact=True).click()
    page.get_by_role("tab", name=re.compile("Pinned")).click()
    expect(cards).to_have_count(2)
    run = state(page)["run"]
    path = f"/runs/{run}/explain/{one[0]}/beside/{two[0]}?index=4,3,7&other_index=2,3,7&terms=8"
    answer = ask(server.url, path)
    table = page.get_by_role("region", name="The last two compared").get_by_role("row")
    expect(table).to_have_count(1 + 1 + 1 + 8 + 1)  # heading, value, bias, terms, the others
    shown = [[cell.inner_text() for cell in row.get_by_role("cell").all()] for row in table.all()[1:]]
    rows = [[float(text.replace("−", "-").replace("+", "")) for text in row] for row in shown]
    expected = [answer["captured"], answer["bias"]]
    expected += [
        {"left": pair["left"]["value"], "right": pair["right"]["value"], "difference": pair["difference"]}
        for pair in answer["pairs"]
    ] + [answer["rest"]]
    for row, sides in zip(rows, expected, strict=True):
        assert row == pytest.approx([sides["left"], sides["right"], sides["difference"]], rel=1e-3, abs=1e-8)
    # All rows but the first make up the first, and not only the largest terms.
    assert sum(row[2] for row in rows[1:]) == pytest.approx(rows[0][2], rel=2e-3, abs=2e-4)
    cards.first.locator("[data-follow]").click()
    expect(cards.first.get_by_role("heading", level=3).first).to_have_text("blocks.1.ln1.hook_out")
    cards.first.get_by_role("button", name="Back", exact=True).click()
    expect(cards.first.get_by_role("heading", level=3).first).to_have_text("blocks.1.attn.hook_q")
    cards.first.get_by_role("button", name="Unpin blocks.1.attn.hook_q").click()
    expect(cards).to_have_count(1)


def copied(page: Page, name: str) -> str:
    """Return what "Copy as" shows under a name."""
    group = page.locator(".copy-as")
    group.get_by_role("button", name=name, exact=True).click()
    text = group.locator("pre").inner_text()
    group.get_by_role("button", name=name, exact=True).click()
    return text


def test_what_is_copied_runs_and_gives_the_number(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    for tensor, index in (
        ("blocks.0.attn.hook_pattern", [1, 4, 2]),
        ("blocks.1.mlp.W_in", [3, 9]),
        ("ln_final.hook_scale", [3]),
    ):
        choose(page, tensor, index)
        expect(page.locator(".cell .value")).to_contain_text("= ")
        weight = tensor.startswith("blocks.1.mlp")
        where = "models/sort/weights" if weight else f"runs/{state(page)['run']}/activations"
        value = exact(server.url, where, tensor, index)
        assert float(copied(page, "Value")) == pytest.approx(value, rel=1e-6)
        called = subprocess.run(["sh", "-c", copied(page, "curl")], capture_output=True, check=True, timeout=30)
        assert json.loads(called.stdout)["captured"] == pytest.approx(value, rel=1e-6)
        run = [sys.executable, "-c", copied(page, "Python")]
        printed = subprocess.run(run, capture_output=True, check=True, timeout=30, text=True).stdout
        assert float(printed) == pytest.approx(value, rel=1e-6)
        lens = copied(page, "TransformerLens")
        assert 'TransformerBridge.boot_transformers("models/sort")' in lens
        compile(lens, "snippet", "exec")
    walk(page, "/?model=translate")
    choose(page, "decoder.blocks.0.cross_attn.hook_q", [0, 1, 2])
    assert copied(page, "TransformerLens").startswith("# TransformerLens names the parts of models with an encoder")


def test_a_cell_that_is_not_computed_says_so_and_asks_nothing(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert point_at(page, ("blocks.0.attn.hook_q", [8, 1, 2]))
    expect(page.locator(".hover-card .result")).to_have_text("room for 5 more tokens")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".explanation")).to_contain_text("Not computed yet: the text does not reach so far.")
    page.wait_for_timeout(300)
    assert [url for url in asked if "/explain/" in url] == []


def test_an_explanation_is_text_for_a_screen_reader(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC")
    choose(page, "blocks.0.attn.hook_q", [3, 1, 5])
    expect(page.locator(".terms li")).to_have_count(8)
    # What sets formulas is loaded when the first one is wanted: until then there is no formula in the tree.
    expect(page.locator(".explanation math").first).to_be_attached()
    tree = page.get_by_role("region", name="Reading").aria_snapshot()
    for words in (
        'tab "Inspector" [selected]',
        'group "Cell: the arrow keys move it"',
        'button "Where it comes from" [pressed]',
        "queries of every head",
        'group "Formula"',
        "math",
        "The sum over d_model of ln1.hook_out times attn.W_Q, plus attn.b_Q.",
        'button "go to blocks.0.ln1.hook_out, input 48 cells"',
        "Terms, largest first",
        "the run's own number",
        'group "Copy as"',
    ):
        assert words in tree, f"{words} is not in\n{tree}"
    # The whole panel is reached by the Tab key, in the order in which it is read.
    page.get_by_role("tab", name="Inspector").focus()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_FOCUSED))
    for label in ("Cell: the arrow keys move it", "Follow to ln1", "Pin", "Where it goes", "curl"):
        assert label in reached, reached
