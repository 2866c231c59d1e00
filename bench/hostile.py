"""What honest viewers notice of hostile ones: how long their requests take beside them, to how long without.

On loopback alone. Hostile are 64 connections of the stream, a third silent, a third with four paused runs each, a third
with wishes for a run of their own that are as full of stars as is allowed, and 300 requests over HTTP that are begun
and never finished. They have a process of their own, whose time on the two cores is a row too.
"""

import asyncio
import json
import multiprocessing
import os
import statistics
import string
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .server import serving

_VIEWERS, _SOCKETS, _HALVES, _SECONDS = 8, 64, 300, 60
_GREEDY = {"temperature": 0, "top_k": 0, "top_p": 1, "seed": 0}


def _stars(number: int) -> list[str]:
    """Write about as many names with stars as a wish may have, others in every wish.

    The first mean no tensor, so that an answer comes; of the others many do.
    """
    none = [f"*b*l*o*c*k*.*.*_{number}_{other}" for other in range(34)]
    return none + [
        f"*b*o*c*k*.{'' if number % 2 else '*'}{number % 6}.*_{letter}*" for letter in string.ascii_lowercase
    ]


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows."""
    with serving({}) as served:
        asyncio.run(_view(served.url, 5))
        alone = asyncio.run(_view(served.url, _SECONDS))
        hostile = multiprocessing.get_context("spawn").Process(target=_annoy, args=(served.url,), daemon=True)
        hostile.start()
        time.sleep(5)
        spent = _cpu_seconds(hostile.pid)
        beside = asyncio.run(_view(served.url, _SECONDS))
        spent = _cpu_seconds(hostile.pid) - spent
        hostile.kill()
        hostile.join()
    found = [("the hostile ones' own process, of one core", f"{spent / _SECONDS:.0%}")]
    for what in alone:
        apart, together = _p95(alone[what]), _p95(beside[what])
        found.append((f"{what}, p95 alone", f"{apart * 1e3:.0f} ms of {len(alone[what])}"))
        found.append((f"{what}, p95 beside hostile ones", f"{together * 1e3:.0f} ms of {len(beside[what])}"))
        found.append((f"{what}, beside / alone", f"{together / apart:.2f}"))
    return found


def _cpu_seconds(process: int | None) -> float:
    """Count the seconds that a process has computed so far (Linux, `/proc/PID/stat`)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _read(address: str) -> None:
    with urllib.request.urlopen(address, timeout=60) as answer:
        answer.read()


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


async def _view(url: str, seconds: float) -> dict[str, list[float]]:
    """Let honest viewers work; return how long each of their runs and requests took."""
    measured: dict[str, list[float]] = {"a run of 8 tokens": [], "a slice": []}
    until = time.perf_counter() + seconds
    await asyncio.gather(*(_viewer(url, number, until, measured) for number in range(_VIEWERS)))
    return measured


async def _viewer(url: str, number: int, until: float, measured: dict[str, list[float]]) -> None:
    async with connect(_stream(url), max_size=None, compression=None) as socket:
        epoch = 0
        while time.perf_counter() < until:
            epoch += 1
            started = time.perf_counter()
            await _start(socket, f"Once upon a time {number}", 8, write=True)
            run = await _watched(socket, epoch)
            measured["a run of 8 tokens"].append(time.perf_counter() - started)
            started = time.perf_counter()
            path = f"{url}/api/v1/runs/{run}/activations/blocks.0.hook_resid_post?index=0"
            await asyncio.to_thread(_read, path)
            measured["a slice"].append(time.perf_counter() - started)
            await asyncio.sleep(0.5)


async def _watched(socket: ClientConnection, epoch: int) -> str:
    """Take a run in to its end; its id."""
    run = ""
    while True:
        data = await socket.recv()
        if isinstance(data, bytes):
            header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
            await socket.send(json.dumps({"type": "ack", "seq": header["seq"]}))
            continue
        message = json.loads(data)
        if message["type"] == "error":
            raise RuntimeError(message["error"]["message"])
        if message["type"] == "accepted":
            run = str(message["run"])
            wish = ["blocks.*.hook_resid_post", "blocks.*.attn.hook_pattern"]
            await socket.send(json.dumps({"type": "want", "epoch": epoch, "run": run, "activations": wish}))
        if message["type"] == "done" and message["run"] == run:
            return run


async def _start(socket: ClientConnection, text: str, tokens: int, write: bool) -> None:
    question = {"model": "stories", "text": text, "max_new_tokens": tokens, "sampling": _GREEDY, "write": write}
    await socket.send(json.dumps({"type": "start", "request": text, **question}))


def _stream(url: str) -> str:
    return url.replace("http", "ws") + "/api/v1/stream"


def _annoy(url: str) -> None:
    asyncio.run(_all_hostile(url))


async def _all_hostile(url: str) -> None:
    halves = (_half(urlsplit(url).port or 80) for _ in range(_HALVES))
    await asyncio.gather(*(_hostile(url, number % 3) for number in range(_SOCKETS)), *halves)


async def _hostile(url: str, kind: int) -> None:
    """Keep one connection busy, made again whenever it is closed."""
    while True:
        with suppress(ConnectionClosed, OSError, TimeoutError):
            async with connect(_stream(url), max_size=None, compression=None) as socket:
                if kind == 1:
                    for number in range(4):
                        await _start(socket, f"paused {number}", 200, write=False)
                epoch, run = 0, await _own_run(socket) if kind == 2 else ""
                while True:
                    if kind == 2:
                        epoch += 1
                        wish = {"type": "want", "epoch": epoch, "run": run, "activations": _stars(epoch)}
                        await socket.send(json.dumps(wish))
                    with suppress(TimeoutError):
                        await asyncio.wait_for(socket.recv(), 1)
        await asyncio.sleep(1)


async def _own_run(socket: ClientConnection) -> str:
    """Make a run that reads its prompt and waits; its id."""
    await _start(socket, "wished for", 8, write=False)
    while True:
        message = json.loads(await socket.recv())
        if message["type"] == "accepted":
            return str(message["run"])


async def _half(port: int) -> None:
    """Send a request whose head never ends, made again whenever it is cut."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
            await reader.read()
            writer.close()
        await asyncio.sleep(1)
