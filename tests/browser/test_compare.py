"""The difference of two runs in every plate: what the map draws, prints and says is the API's `minus`."""

import json
import math
import urllib.parse
import urllib.request
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from .atlas import (
    ask,
    drawn,
    eventually,
    exact,
    open_atlas,
    open_colours,
    read,
    rest,
    state,
    wait_for_tokens,
    wait_until,
)
from .conftest import Server, Watch
from .test_digits import hover, is_rounded

pytestmark = [pytest.mark.browser, pytest.mark.small_window, pytest.mark.usefixtures("watch")]

_FIRST, _SECOND = "The dog saw a ball.", "The cat saw a red ball."
_ALONE = 5  # “red”, after the token that begins every text


def _minus(url: str, run: str, other: str, tensor: str) -> NDArray[np.float32]:
    query = urllib.parse.urlencode({"format": "npy", "minus": other})
    address = f"{url}/api/v1/runs/{run}/activations/{urllib.parse.quote(tensor)}?{query}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: NDArray[np.float32] = np.load(BytesIO(answer.read()))
    return found


def _compare(page: Page, label: str) -> None:
    page.get_by_label("Compare with").select_option(label=label)
    expect(page.locator(".difference-note")).to_contain_text(label)
    rest(page)


def _shows(page: Page, expected: NDArray[np.float32], tensor: str, cells: list[list[int]]) -> None:
    for index in cells:
        here, there = drawn(page, tensor, index), float(expected[tuple(index)])
        if math.isnan(there):
            assert here is None, f"{tensor}{index} has no partner, and shows {here}"
        else:
            assert here == pytest.approx(there, rel=1e-3, abs=1e-6), f"{tensor}{index}"


def test_an_earlier_text_is_taken_away_and_given_back(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=stories#text=" + urllib.parse.quote(_FIRST))
    first = state(page)["run"]
    read(page, _SECOND)
    second = state(page)["run"]
    weight = drawn(page, "blocks.3.mlp.W_in", [10, 20])
    _compare(page, _FIRST)
    assert ask(server.url, f"/runs/{second}/pairing?minus={first}")["pairs"][:8] == [0, 1, 2, 3, 4, None, 5, 6]
    last = len(state(page)["tokens"]) - 1
    for tensor, cells in {
        "blocks.2.hook_resid_post": [[0, 5], [2, 7], [_ALONE, 7], [last, 191]],
        "blocks.4.attn.hook_pattern": [[1, last, 2], [3, last, _ALONE], [5, 2, 2]],
        "blocks.1.attn.hook_attn_scores": [[1, 2, 4], [0, last, 1]],
        "probabilities": [[last, 3], [_ALONE, 3]],
        "blocks.5.ln1.hook_scale": [[last], [_ALONE]],
    }.items():
        _shows(page, _minus(server.url, second, first, tensor), tensor, cells)
    assert drawn(page, "blocks.3.mlp.W_in", [10, 20]) == weight

    # The card says both numbers, and the digits in the cells are the difference.
    scores = _minus(server.url, second, first, "blocks.1.attn.hook_attn_scores")
    index = [0, last, 1]
    page.evaluate(
        "([tensor, index]) => window.__atlas.map.setCamera("
        "{target: window.__atlas.map.place({tensor, index}), distance: 20, azimuth: 0, elevation: 0}, false)",
        ["blocks.1.attn.hook_attn_scores", index],
    )
    rest(page)
    printed = [
        cell
        for cell in page.evaluate("window.__atlas.map.printed()")
        if cell["tensor"] == "blocks.1.attn.hook_attn_scores" and cell["index"][0] == 0
    ]
    assert len(printed) >= 20
    assert all(is_rounded(cell["text"], scores[tuple(cell["index"])]) for cell in printed)
    assert not any(_ALONE in cell["index"][1:] for cell in printed)
    said = hover(page, "blocks.1.attn.hook_attn_scores", index)
    partner = [0, last - 1, 1]
    numbers = [
        exact(server.url, f"runs/{run}/activations", "blocks.1.attn.hook_attn_scores", at)
        for run, at in ((second, index), (first, partner))
    ]
    words = said.replace("−", "-").split()
    assert float(words[0]) == pytest.approx(float(scores[tuple(index)]), rel=1e-3)
    assert [float(words[1]), float(words[4])] == pytest.approx(numbers, rel=1e-3)

    kinds = ask(server.url, f"/runs/{second}/scales?minus={first}")["scales"]
    open_colours(page)
    full = page.locator(".legend .row", has_text="Δ activations: scores").locator("span").last
    wanted = pytest.approx(kinds["hook_attn_scores"], rel=5e-3)
    eventually(page, lambda: float(full.inner_text().removeprefix("+")), wanted)
    status = page.locator(".compare [role=status]")
    expect(status).to_contain_text("6 tokens are the same, 1 is compared with another, 1 has no partner")

    page.locator(".difference-note").get_by_role("button", name="Off").click()
    rest(page)
    own = exact(server.url, f"runs/{second}/activations", "blocks.2.hook_resid_post", [_ALONE, 7])
    assert drawn(page, "blocks.2.hook_resid_post", [_ALONE, 7]) == pytest.approx(own, rel=1e-3)
    expect(page.locator(".difference-note")).to_have_count(0)


def test_a_second_text_has_its_colours_grows_and_is_kept_in_the_address(page: Page, server: Server) -> None:
    open_atlas(page, server.url, "/?model=sort&temperature=0&top_k=0&top_p=1&seed=0#text=CBABBC")
    page.get_by_label("Compare with").select_option("text")
    page.get_by_label("Text to compare with").fill("CBABBA")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".difference-note")).to_contain_text("CBABBA")
    rest(page)
    wait_until(page, "() => location.hash.includes('minus=')")
    page.reload()
    expect(page.locator(".difference-note")).to_contain_text("CBABBA")
    rest(page)
    run = state(page)["run"]
    other = ask(server.url, "/runs", {"model": "sort", "text": "CBABBA"})["id"]
    pattern = _minus(server.url, run, other, "blocks.1.attn.hook_pattern")
    _shows(page, pattern, "blocks.1.attn.hook_pattern", [[0, 5, key] for key in range(6)])
    # A share that became smaller has the hue of negative activations, as no share alone ever has.
    row = int(pattern[0, 5].argmin())
    red, green, blue = page.evaluate(
        """key => {
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [11 * 3, 11 * 3];
            window.__atlas.map.drawPlate(canvas, { tensor: "blocks.1.attn.hook_pattern", index: [0] });
            return [...canvas.getContext("2d").getImageData(key * 3 + 1, 16, 1, 1).data].slice(0, 3);
        }""",
        row,
    )
    assert pattern[0, 5, row] < 0 and red > max(green, blue), (red, green, blue)

    page.get_by_role("button", name="Step", exact=True).click()
    wait_for_tokens(page, 7)
    rest(page)
    # What is written has no partner in a text that was only read.
    assert drawn(page, "blocks.0.hook_resid_mid", [5, 3]) is not None
    assert drawn(page, "blocks.0.hook_resid_mid", [6, 3]) is None
    page.locator(".difference-note").get_by_role("button", name="Off").click()
    rest(page)
    assert drawn(page, "blocks.0.hook_resid_mid", [6, 3]) is not None
    wait_until(page, "() => !location.hash.includes('minus=')")


def test_what_cannot_be_compared_is_said(page: Page, server: Server, watch: Watch) -> None:
    open_atlas(page, server.url, "/?model=sort#text=CBABBC&minus=7_7")
    expect(page.locator(".compare").get_by_role("alert")).to_contain_text("vocabulary")
    page.get_by_label("Compare with").select_option("text")
    page.get_by_label("Text to compare with").fill("hello")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".compare").get_by_role("alert")).to_contain_text("'h'")
    expect(page.locator(".difference-note")).to_have_count(0)
    # The run that is taken away is forgotten: the page goes back to the text alone, and says so.
    page.get_by_label("Compare with").select_option("text")
    page.get_by_label("Text to compare with").fill("CCC")
    with page.expect_response("**/api/v1/runs") as made:
        page.get_by_role("button", name="Compare", exact=True).click()
    rest(page)
    other = json.loads(made.value.body())["id"]
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/api/v1/runs/{other}", method="DELETE"))
    read(page, "CBA")
    expect(page.locator(".compare").get_by_role("alert")).to_contain_text("forgotten")
    expect(page.locator(".difference-note")).to_have_count(0)
    assert drawn(page, "hook_embed", [2, 3]) is not None
    # The browser itself logs every refused call.
    watch.forgive("422", "404")
