"""How soon the first layer is with the reader, and what streaming everything adds to the forward pass."""

import asyncio
import json
import statistics
import struct
import time
import urllib.request

from websockets.asyncio.client import ClientConnection, connect

from .forward import GPT2_SMALL
from .server import serving

_TOKENS, _REPETITIONS = 64, 12


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows for streaming."""
    with serving({"gpt2-small-shape": GPT2_SMALL}) as served:
        measured = asyncio.run(_measure(served.url))
    return [
        ("forward pass over REST, nothing sent", f"{statistics.median(measured['alone']) * 1e3:.0f} ms"),
        ("first layer at the reader / that", _ratio(measured["first"], measured["alone"])),
        ("everything at the reader / that", _ratio(measured["all"], measured["alone"])),
        ("megabytes streamed", f"{measured['bytes'][0] / 1e6:.1f}"),
    ]


def _ratio(numerators: list[float], denominators: list[float]) -> str:
    ratios = [a / b for a, b in zip(numerators, denominators, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


async def _measure(url: str) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {"alone": [], "first": [], "all": [], "bytes": []}
    tokens = [token * 7 for token in range(_TOKENS)]
    names = await asyncio.to_thread(_activations, url)
    async with connect(url.replace("http", "ws") + "/api/v1/stream", max_size=None, compression=None) as socket:
        for repetition in range(-1, _REPETITIONS):
            alone = await asyncio.to_thread(_run_alone, url, tokens)
            first, everything, size = await _run_streamed(socket, tokens, names, repetition + 2)
            if repetition >= 0:
                for name, value in {"alone": alone, "first": first, "all": everything, "bytes": size}.items():
                    measured[name].append(value)
    return measured


def _activations(url: str) -> list[str]:
    """List every activation that is kept or drawn, in the order of computing."""
    with urllib.request.urlopen(f"{url}/api/v1/models/gpt2-small-shape/graph") as answer:
        tensors = json.load(answer)["tensors"]
    return [
        tensor["name"]
        for tensor in tensors
        if tensor["role"] != "weight" and not tensor["same_as"] and tensor["kind"] != "hook_result"
    ]


def _run_alone(url: str, tokens: list[int]) -> float:
    body = json.dumps({"model": "gpt2-small-shape", "tokens": tokens}).encode()
    request = urllib.request.Request(f"{url}/api/v1/runs", body, {"content-type": "application/json"})
    started = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        answer.read()
    return time.perf_counter() - started


async def _run_streamed(
    socket: ClientConnection, tokens: list[int], names: list[str], epoch: int
) -> tuple[float, float, float]:
    """Measure seconds to the first block's output and to everything's last row, and the bytes of all frames."""
    started = time.perf_counter()
    start = {"type": "start", "request": "bench", "model": "gpt2-small-shape", "tokens": tokens, "max_new_tokens": 0}
    await socket.send(json.dumps(start))
    first, size, run, missing = 0.0, 0, None, set(names)
    while missing:
        message = await socket.recv()
        if isinstance(message, str):
            content = json.loads(message)
            if content["type"] == "error":
                raise RuntimeError(content["error"]["message"])
            if content["type"] == "accepted":
                run = content["run"]
                await socket.send(json.dumps({"type": "want", "epoch": epoch, "run": run, "activations": names}))
            continue
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length])
        size += len(message)
        await socket.send(json.dumps({"type": "ack", "seq": header["seq"]}))
        if header["run"] != run:
            continue
        if header["name"] == "blocks.0.hook_resid_post" and not first:
            first = time.perf_counter() - started
        rows_axis = 1 if len(header["shape"]) == 3 and header["shape"][0] == GPT2_SMALL.heads else 0
        rows_axis = 1 if header["name"].endswith(("hook_max", "hook_sum")) else rows_axis
        if header["offset"] + header["shape"][rows_axis] == len(tokens):
            missing.discard(header["name"])
    return first, time.perf_counter() - started, float(size)
