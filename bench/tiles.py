"""What tiles cost: cutting and building them, thirty-two viewers at once, and the memory of a long text explored."""

import asyncio
import json
import random
import statistics
import struct
import time
import urllib.request
from collections.abc import Generator
from typing import Any

import torch
from websockets.asyncio.client import ClientConnection, connect

from app.runs.plates import Plate
from app.runs.tiles import Pyramids, Tile

from .forward import GPT2_SMALL
from .server import Served, serving

MODEL = "gpt2-small-shape"
_ROWS, _COLS, _TOKENS = GPT2_SMALL.d_vocab, GPT2_SMALL.d_model, GPT2_SMALL.positions
_BLOCKS = ("0.", "5.", "11")
_VIEWERS, _FLIGHT_SECONDS, _TILES_IN_VIEW = 32, 15, 8


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows."""
    found = [*_building()]
    with serving({MODEL: GPT2_SMALL}) as served:
        found += _thumbnails(served)
        found += asyncio.run(_flying(served.url))
    with serving({MODEL: GPT2_SMALL}) as served:
        found += asyncio.run(_exploring(served))
    return found


def _finish(steps: Generator[None, None, Tile]) -> tuple[float, float]:
    """Measure the seconds that this thread worked for all steps, and for the longest."""
    longest, started = 0.0, time.thread_time()
    last = started
    while True:
        try:
            next(steps)
        except StopIteration:
            now = time.thread_time()
            return now - started, max(longest, now - last)
        now = time.thread_time()
        longest, last = max(longest, now - last), now


def _building() -> list[tuple[str, str]]:
    """Build tiles of a matrix as large as GPT-2's embedding, on one thread, with no server. Times are that thread's."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    cells = torch.randn(_ROWS, _COLS)
    plate = Plate("bench", "W_E", (), _ROWS, _COLS, lambda top, bottom, left, right: cells[top:bottom, left:right])
    first: dict[int, list[float]] = {}
    again, longest = [], 0.0
    with torch.inference_mode():
        for _ in range(5):
            for level in range(_ROWS.bit_length()):
                pyramids = Pyramids(2**28)  # empty: nothing has been built
                seconds, step = _finish(pyramids.tile(plate, level, 0, 0, "mean"))
                first.setdefault(level, []).append(seconds)
                longest = max(longest, step)
                again.append(_finish(pyramids.tile(plate, level, 0, 0, "mean"))[0])
    torch.set_num_threads(threads)
    medians = {level: 1e3 * statistics.median(seconds) for level, seconds in first.items()}
    size = f"{_ROWS:,} x {_COLS}"
    return [
        (f"first tile of {size}, level 0", f"{medians[0]:.2f} ms"),
        (f"first tile of {size}, levels 1 to 3", ", ".join(f"{medians[level]:.1f}" for level in (1, 2, 3)) + " ms"),
        (f"first tile of {size}, slowest of all levels", f"{max(medians.values()):.0f} ms"),
        ("longest step of building them", f"{1e3 * longest:.1f} ms"),
        ("tile of a level that has been built, median and worst", f"{_middle_and_worst(again)}"),
    ]


def _middle_and_worst(seconds: list[float]) -> str:
    return f"{1e3 * statistics.median(seconds):.2f} ms, {1e3 * max(seconds):.2f} ms"


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:
        content: bytes = answer.read()
    return content


def _thumbnails(served: Served) -> list[tuple[str, str]]:
    found = []
    for words in ("made", "from disk"):
        started = time.perf_counter()
        content = _get(f"{served.url}/api/v1/models/{MODEL}/thumbnails")
        seconds = time.perf_counter() - started
        found.append((f"thumbnails of GPT-2 small, {words} ({len(content) / 1e6:.1f} MB)", f"{1e3 * seconds:.0f} ms"))
    return found


# ---- viewers --------------------------------------------------------------------------------------------------------


def _shapes(url: str) -> list[tuple[str, int, int, int]]:
    """List every weight: its name, its heads (0: none), rows and columns of its plates."""
    found = []
    for tensor in json.loads(_get(f"{url}/api/v1/models/{MODEL}/graph"))["tensors"]:
        if tensor["role"] != "weight":
            continue
        shape = list(tensor["shape"])
        heads = shape.pop(0) if tensor["axes"][0] == "head" else 0
        rows, cols = shape if len(shape) == 2 else (1, shape[0])
        found.append((tensor["name"], heads, rows, cols))
    return found


def _view(dice: random.Random, shapes: list[tuple[str, int, int, int]]) -> list[dict[str, Any]]:
    """Choose neighbouring tiles of one plate, at any level; large plates as often as their share of the model."""
    name, heads, rows, cols = dice.choices(shapes, [max(1, heads) * rows * cols for _, heads, rows, cols in shapes])[0]
    level = dice.randrange((max(rows, cols) - 1).bit_length())
    side = 256 << level
    down, right = -(-rows // side), -(-cols // side)
    row, col = dice.randrange(down), dice.randrange(right)
    index = [dice.randrange(heads)] if heads else []
    places = sorted(
        ((r, c) for r in range(down) for c in range(right)), key=lambda place: abs(place[0] - row) + abs(place[1] - col)
    )[:_TILES_IN_VIEW]
    return [{"name": name, "index": index, "level": level, "row": r, "col": c} for r, c in places]


async def _fly(url: str, shapes: list[tuple[str, int, int, int]], seed: int, until: float) -> list[float]:
    """Fly as one viewer: seconds from each wish to each of its tiles."""
    dice, waits = random.Random(seed), []
    async with connect(url.replace("http", "ws") + "/api/v1/stream", max_size=None, compression=None) as socket:
        epoch = 0
        while time.perf_counter() < until:
            view, epoch = _view(dice, shapes), epoch + 1
            started = time.perf_counter()
            want = {"type": "want", "epoch": epoch, "run": None, "model": MODEL, "tiles": view}
            await socket.send(json.dumps(want))
            for _ in view:
                await _tile(socket)
                waits.append(time.perf_counter() - started)
            await asyncio.sleep(dice.uniform(0.2, 0.6))
    return waits


async def _tile(socket: ClientConnection) -> None:
    """Receive the next tile, past the colour scales that a watched run says too."""
    while isinstance(message := await socket.recv(), str):
        if json.loads(message)["type"] == "error":
            raise RuntimeError(message)
    (length,) = struct.unpack_from("<I", message)
    await socket.send(json.dumps({"type": "ack", "seq": json.loads(message[4 : 4 + length])["seq"]}))


async def _flying(url: str) -> list[tuple[str, str]]:
    shapes = await asyncio.to_thread(_shapes, url)
    until = time.perf_counter() + _FLIGHT_SECONDS
    flights = await asyncio.gather(*(_fly(url, shapes, seed, until) for seed in range(_VIEWERS)))
    waits = sorted(wait for flight in flights for wait in flight)
    middle, late = waits[len(waits) // 2], waits[int(0.95 * len(waits))]
    return [
        (f"{_VIEWERS} viewers at random, no error, tiles a second", f"{len(waits) / _FLIGHT_SECONDS:.0f}"),
        ("from wish to tile, median and 95th percentile", f"{1e3 * middle:.0f} ms, {1e3 * late:.0f} ms"),
    ]


# ---- a long text ----------------------------------------------------------------------------------------------------


async def _exploring(served: Served) -> list[tuple[str, str]]:
    """Run 1,024 tokens, then look at tiles of every kind of tensor at every level, and at statistics of some."""
    run, seconds = await asyncio.to_thread(_long_run, served.url)
    after_run = served.peak_bytes
    seen = [one for one in run["activations"] if not one["name"].startswith("blocks.") or one["name"][7:9] in _BLOCKS]
    waits: dict[str, list[float]] = {"kept": [], "derived": []}
    async with connect(served.url.replace("http", "ws") + "/api/v1/stream", max_size=None, compression=None) as socket:
        for epoch, activation in enumerate(seen):
            tiles = _everywhere(random.Random(epoch), run["id"], activation)
            started = time.perf_counter()
            want = {"type": "want", "epoch": epoch, "run": None, "tiles": tiles}
            await socket.send(json.dumps(want))
            for _ in tiles:
                await _tile(socket)
            kind = "derived" if activation["derived"] else "kept"
            waits[kind].append((time.perf_counter() - started) / len(tiles))
    for name in ("blocks.5.attn.hook_pattern", "blocks.5.attn.hook_result", "probabilities"):
        await asyncio.to_thread(_get, f"{served.url}/api/v1/runs/{run['id']}/activations/{name}/stats")
    return [
        (f"a run of {_TOKENS:,} tokens, GPT-2 small's shape", f"{seconds:.1f} s, {run['bytes'] / 1e6:.0f} MB kept"),
        ("mean time of a tile of what is kept, of what is derived",
         ", ".join(f"{1e3 * statistics.mean(waits[kind]):.1f} ms" for kind in ("kept", "derived"))),
        ("peak memory of the server: after the run, explored",
         f"{after_run / 1e9:.2f} GB, {served.peak_bytes / 1e9:.2f} GB"),
    ]  # fmt: skip


def _long_run(url: str) -> tuple[Any, float]:
    body = json.dumps({"model": MODEL, "tokens": [token * 7 for token in range(_TOKENS)]}).encode()
    request = urllib.request.Request(f"{url}/api/v1/runs", body, {"content-type": "application/json"})
    started = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        run = json.load(answer)
    return run, time.perf_counter() - started


def _everywhere(dice: random.Random, run: str, activation: Any) -> list[dict[str, Any]]:
    """Choose some tiles of each level of every plate of a tensor."""
    axes, shape = list(activation["axes"]), list(activation["shape"])
    heads = shape.pop(axes.index("head")) if "head" in axes else 0
    rows, cols = shape if len(shape) == 2 else (1, shape[0])
    tiles = []
    for level in range((max(rows, cols) - 1).bit_length()):
        side = 256 << level
        for head in range(max(1, heads)):
            row, col = dice.randrange(-(-rows // side)), dice.randrange(-(-cols // side))
            index = [head] if heads else []
            tiles.append(
                {"run": run, "name": activation["name"], "index": index, "level": level, "row": row, "col": col}
            )
    return tiles
