"""Printed digits: what stands in a cell is what the hover card says and what the API says, to the digits printed."""

import json
import random
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect
from safetensors.numpy import load_file, save_file

from .atlas import open_atlas, rest, state
from .conftest import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("watch")]

# Before the plate, straight on: a cell has so many pixels.
_FLY = """([tensor, index, distance]) => {
    const map = window.__atlas.map;
    map.setCamera({ target: map.place({ tensor, index }), distance, azimuth: 0, elevation: 0 }, false);
}"""
_GLYPHS = "0123456789−.e∞Na"


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve also `loud`: `sort` with numbers far beyond what half precision holds."""
    folder = tmp_path_factory.mktemp("models") / "loud"
    folder.mkdir()
    for file in (ROOT / "models" / "sort").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    for name, factor in (("ln_f.weight", 3e6), ("h.0.mlp.c_fc.weight", 2e7), ("h.1.attn.c_attn.weight", 1e-7)):
        weights[f"transformer.{name}"] = weights[f"transformer.{name}"] * np.float32(factor)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATLAS_MODELS", json.dumps([str(folder)]))
        server = Server()
        server.start()
    yield server
    server.stop()


def _fly(page: Page, tensor: str, index: list[int], distance: float) -> list[dict[str, Any]]:
    """Go before a cell, wait for the numbers, and give what is printed of its tensor."""
    page.evaluate(_FLY, [tensor, index, distance])
    rest(page)
    printed: list[dict[str, Any]] = page.evaluate("window.__atlas.map.printed()")
    return [cell for cell in printed if cell["tensor"] == tensor]


def _numbers(url: str, page: Page, tensor: str) -> NDArray[np.float32]:
    """Read all numbers of a tensor, by REST, as they are."""
    now = state(page)
    weight = re.search(r"(^|\.)[Wb]_|\.[wb]$", tensor) is not None
    where = f"models/{now['model']}/weights" if weight else f"runs/{now['run']}/activations"
    address = f"{url}/api/v1/{where}/{urllib.parse.quote(tensor)}?format=npy"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: NDArray[np.float32] = np.load(BytesIO(answer.read()))
    return found


def is_rounded(text: str, value: np.float32) -> bool:
    """Tell whether a text is this very number, rounded to the digits that it has."""
    if np.isnan(value):
        return text in ("NaN", "not a number")
    if np.isinf(value):
        return text == ("∞" if value > 0 else "−∞")
    said = Decimal(text.replace("−", "-"))
    exact = Decimal(float(value))
    if not exact:
        return text == "0"
    last = Decimal(1).scaleb(int(said.as_tuple().exponent))
    return exact.quantize(last, ROUND_HALF_UP) == said


def alone(page: Page) -> None:
    """Take away what may lie over a cell: the trail and the overview."""
    page.evaluate(
        """() => document.querySelectorAll(".map nav, .map .overview, .map .overview-shut")
            .forEach(element => { element.style.display = "none"; })"""
    )


def hover(page: Page, tensor: str, index: list[int]) -> str:
    """Read what the card says when a cell is pointed at."""
    at = page.evaluate("([tensor, index]) => window.__atlas.map.project({ tensor, index })", [tensor, index])
    box = page.locator(".map canvas[tabindex]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
    result = page.locator(".hover-card .result")
    expect(result).to_contain_text("= ")
    return result.inner_text().split("= ")[1].strip()


def _agree(one: str, other: str) -> bool:
    """Tell whether two texts of a number say the same, as far as the shorter one goes."""
    if one == other:
        return True
    a, b = (Decimal(text.replace("−", "-")) for text in (one, other))
    coarse = max(int(a.as_tuple().exponent), int(b.as_tuple().exponent))
    unit = Decimal(1).scaleb(coarse)
    return abs(a - b) <= unit / 2


def test_a_thousand_printed_numbers_are_those_of_hover_and_api(page: Page, loud: Server) -> None:
    places = random.Random(7)
    seen: set[tuple[str, str, tuple[int, ...]]] = set()
    kinds = {"masked": 0, "huge": 0, "tiny": 0}
    for model, text, tensors in (
        (
            "loud",
            "CBABBC",
            ["blocks.0.mlp.W_in", "blocks.1.attn.W_K", "blocks.0.attn.hook_attn_scores", "logits",
             "blocks.0.mlp.hook_pre", "blocks.1.attn.hook_q", "blocks.2.hook_resid_post"],
        ),
        (
            "stories",
            "The little dog saw a red ball and",
            ["W_E", "blocks.3.attn.W_O", "blocks.2.attn.hook_pattern", "blocks.5.ln1.hook_scale", "probabilities",
             "blocks.4.attn.hook_max"],
        ),
    ):  # fmt: skip
        open_atlas(page, loud.url, f"/?model={model}&heads=board#text={urllib.parse.quote(text)}")
        alone(page)
        for tensor in tensors:
            numbers = _numbers(loud.url, page, tensor)
            for _ in range(2):
                index = [places.randrange(size) for size in numbers.shape]
                if tensor.endswith("hook_pattern"):
                    index[2] = min(index[1:])  # a share that no mask hides
                printed = _fly(page, tensor, index, places.choice([34.0, 22.0, 12.0]))
                assert any(cell["index"] == index for cell in printed), f"{tensor}{index} is not printed"
                if tensor.endswith("hook_pattern"):
                    hidden = [cell["index"] for cell in printed if cell["index"][2] > cell["index"][1]]
                    assert hidden == [], "a share whose score is masked is hatched, and no zero like any other"
                for cell in places.sample(printed, min(80, len(printed))):
                    value = numbers[tuple(cell["index"])]
                    assert is_rounded(cell["text"], value), f"{tensor}{cell['index']}: {cell['text']}, not {value!r}"
                    assert len(cell["text"]) <= cell["room"]
                    seen.add((model, tensor, tuple(cell["index"])))
                    kinds["masked"] += bool(np.isneginf(value))
                    kinds["huge"] += bool(65504 < abs(value) < np.inf)
                    kinds["tiny"] += bool(0 < abs(value) < 2**-24)
            said = next(cell["text"] for cell in printed if cell["index"] == index)
            assert _agree(hover(page, tensor, index), said)
            page.mouse.move(2, 2)
    assert len(seen) >= 1000
    assert len({tensor for _, tensor, _ in seen}) >= 10
    assert min(kinds.values()) >= 20, kinds


def _templates(page: Page, em: float) -> dict[str, NDArray[np.float64]]:
    """Draw each character as the browser itself writes it, dark on light, in a box as wide as it advances."""
    found = page.evaluate(
        """async ([glyphs, em]) => {
            const font = `600 ${em}px "IBM Plex Mono"`;
            await document.fonts.load(font, glyphs);
            const [width, height] = [Math.round(em * 38 / 64), Math.round(em)];
            return [...glyphs].map(glyph => {
                const canvas = new OffscreenCanvas(width, height);
                const pen = canvas.getContext("2d");
                pen.font = font;
                pen.textAlign = "center";
                pen.fillText(glyph, width / 2, height / 2 + pen.measureText("0").actualBoundingBoxAscent / 2);
                const pixels = pen.getImageData(0, 0, width, height).data;
                return [width, height, Array.from({ length: width * height }, (_, i) => pixels[i * 4 + 3])];
            });
        }""",
        [_GLYPHS, em],
    )
    return {
        glyph: np.array(pixels, float).reshape(height, width) / 255
        for glyph, (width, height, pixels) in zip(_GLYPHS, found, strict=True)
    }


def _likeness(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) or 1))


def _recognise(ink: NDArray[np.float64], left: float, middle: float, templates: dict[str, NDArray[np.float64]]) -> str:
    """Find the character whose picture is most like the pixels here, a pixel to either side."""
    best = (-2.0, "")
    for glyph, template in templates.items():
        height, width = template.shape
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                x, y = round(left) + dx, round(middle - height / 2) + dy
                if x < 0 or y < 0:
                    continue
                patch = ink[y : y + height, x : x + width]
                if patch.shape == template.shape:
                    best = max(best, (_likeness(patch, template), glyph))
    return best[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pixels_of_a_cell_are_its_digits(page: Page, loud: Server, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    open_atlas(page, loud.url, "/?model=loud#text=CBABBC")
    alone(page)
    read = 0
    for tensor, index in (
        ("blocks.0.mlp.W_in", [5, 9]),
        ("blocks.0.attn.hook_attn_scores", [0, 4, 3]),
        ("blocks.1.attn.W_K", [1, 20, 6]),
        ("blocks.0.mlp.hook_pre", [3, 60]),
    ):
        printed = _fly(page, tensor, index, 14.0)
        numbers = _numbers(loud.url, page, tensor)
        places = page.evaluate(
            "cells => cells.map(({ tensor, index }) => window.__atlas.map.project({ tensor, index }))", printed
        )
        canvas = page.locator(".map canvas[tabindex]")
        box = canvas.bounding_box()
        assert box is not None
        picture = np.asarray(Image.open(BytesIO(page.screenshot(clip=box))).convert("RGB"), float) / 255
        # Ink is dark (light, in the dark theme) in all three colours; no hue of a cell is.
        ink = picture.min(2) if theme == "dark" else 1 - picture.max(2)
        columns = np.unique(np.round([at["x"] for at in places], 2))
        cell = float(np.diff(columns).min())  # pixels
        em = cell * 0.86 * 64 / (printed[0]["room"] * 38)
        templates = _templates(page, em)
        for one, at in zip(printed, places, strict=True):
            text, advance = one["text"], em * 38 / 64
            left = at["x"] - advance * len(text) / 2
            if not (cell < at["x"] < box["width"] - cell and cell < at["y"] < box["height"] - cell):
                continue
            seen = "".join(_recognise(ink, left + k * advance, at["y"], templates) for k in range(len(text)))
            assert seen == text, f"{tensor}{one['index']} shows {seen}, says {text}"
            assert is_rounded(seen, numbers[tuple(one["index"])])
            read += 1
    assert read >= 40


@pytest.mark.own_page
def test_nothing_is_asked_for_or_drawn_that_is_not_shown(page: Page, loud: Server) -> None:
    wished: list[dict[str, Any]] = []

    def hear(payload: str | bytes) -> None:
        message = json.loads(payload)
        if message["type"] == "want":
            wished.append(message)

    page.on("websocket", lambda socket: socket.on("framesent", hear))
    open_atlas(page, loud.url, "/?model=sort#text=CBABBC")
    far = page.evaluate("window.__atlas.stats()")
    assert far["digits"] == 0
    assert all(not message["cells"] for message in wished)
    assert page.evaluate("window.__atlas.map.printed()") == []
    _fly(page, "blocks.1.attn.W_Q", [1, 20, 4], 20.0)
    near = page.evaluate("window.__atlas.stats()")
    assert near["digits"] > 50
    asked = {cells["name"] for cells in wished[-1]["cells"]}
    assert "blocks.1.attn.W_Q" in asked
    assert {cells["index"][0] for cells in wished[-1]["cells"] if cells["name"] == "blocks.1.attn.W_Q"} == {1}
    page.evaluate("window.__atlas.map.fit(false)")
    rest(page)
    again = page.evaluate("window.__atlas.stats()")
    assert (again["digits"], again["drawCalls"]) == (0, far["drawCalls"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hidden_empty_and_zero_look_different_from_afar_and_near(page: Page, loud: Server, theme: str) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    open_atlas(page, loud.url, "/?model=sort#text=CBABBC")
    alone(page)
    tensor = "blocks.1.attn.hook_pattern"
    shares = _numbers(loud.url, page, tensor)[0]
    low = min(((q, k) for q in range(2, 6) for k in range(q)), key=lambda at: float(shares[at]))
    assert shares[0, 4] == 0 and 0 < shares[low] < 0.02
    for distance in (24.0, 80.0, 260.0):
        _fly(page, tensor, [0, 3, 4], distance)
        box = page.locator(".map canvas[tabindex]").bounding_box()
        assert box is not None
        picture = np.asarray(Image.open(BytesIO(page.screenshot(clip=box))).convert("RGB"), float)
        paper = picture[-3, 3]

        def away(index: list[int], picture: NDArray[np.float64] = picture, paper: Any = paper) -> NDArray[np.float64]:
            """Measure how far from paper a cell's pixels are, those of its middle left out where a number stands."""
            middle, corner = (
                page.evaluate("([tensor, index]) => window.__atlas.map.project({ tensor, index })", [tensor, at])
                for at in (index, [index[0], index[1] + 1, index[2] + 1])
            )
            half = max(1.0, (corner["x"] - middle["x"]) * 0.4)
            rows = slice(round(middle["y"] - half), round(middle["y"] + half) + 1)
            columns = slice(round(middle["x"] - half), round(middle["x"] + half) + 1)
            found: NDArray[np.float64] = np.abs(picture[rows, columns] - paper).max(2)
            return found

        hidden, zero = away([0, 0, 4]), away([0, *low])
        empty = np.concatenate([away([0, row, 8]).ravel() for row in range(6)])
        assert np.median(hidden) > np.median(zero) + 4, (distance, "hidden is grey")
        assert np.percentile(empty, 98) > np.percentile(zero, 60) + 6, (distance, "room is striped")
        assert np.median(empty) < np.median(hidden), (distance, "room is paper between its stripes")
