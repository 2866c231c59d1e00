"""A client of the stream, as a test needs one: it acknowledges what it takes in, unless told to be slow."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Server

GREEDY = {"temperature": 0, "top_k": 0, "top_p": 1, "seed": 0}


@dataclass
class Frame:
    """A binary frame taken apart as docs/reference/stream.md describes it."""

    header: dict[str, Any]
    values: NDArray[np.float32]
    size: int


@dataclass
class StreamClient:
    """One connection, and everything it has been sent."""

    socket: ClientConnection
    acknowledges: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    arrivals: list[tuple[float, Frame]] = field(default_factory=list)
    beats: int = 0

    @classmethod
    @contextmanager
    def open(cls, server: Server, acknowledges: bool = True) -> "Iterator[StreamClient]":
        """Open a new connection, for as long as the block lasts."""
        with connect(server.stream_address, max_size=None, compression=None) as socket:
            yield cls(socket, acknowledges)

    def send(self, **message: Any) -> None:
        """Say something."""
        self.socket.send(json.dumps(message))

    def start(self, **message: Any) -> dict[str, Any]:
        """Start a run; what the server said to that."""
        request = f"request {len(self.messages)}"
        options = {"model": "tiny", "max_new_tokens": 0, "sampling": GREEDY, "write": False}
        self.send(type="start", request=request, **{**options, **message})
        while True:
            answer = self.take("accepted", "error")
            if answer["request"] == request:
                return answer

    def want(self, epoch: int, run: str | None = None, *names: str, **message: Any) -> None:
        """Wish for something."""
        plain: dict[str, Any] = {"resend": [], "model": None, "tiles": [], "cells": []}
        self.send(type="want", epoch=epoch, run=run, activations=list(names), **{**plain, **message})

    def take(self, *types: str, timeout: float = 10) -> dict[str, Any]:
        """Read on until a message of one of these types comes."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.next(max(0.001, deadline - time.monotonic()))
            if isinstance(message, dict) and message["type"] in types:
                return message

    def next(self, timeout: float = 10) -> "dict[str, Any] | Frame":
        """Receive the next message or frame."""
        deadline = time.monotonic() + timeout
        data = self.socket.recv(timeout=timeout)
        if isinstance(data, str):
            message: dict[str, Any] = json.loads(data)
            if message["type"] == "beat":
                self.beats += 1
                return self.next(max(0.0, deadline - time.monotonic()))
            self.messages.append(message)
            return message
        frame = parse(data)
        self.frames.append(frame)
        self.arrivals.append((time.monotonic(), frame))
        if self.acknowledges:
            self.send(type="ack", seq=frame.header["seq"])
        return frame

    def read_frames(self, count: int, timeout: float = 30) -> None:
        """Read on until so many frames have come altogether."""
        while len(self.frames) < count:
            self.next(timeout)

    def read_until_quiet(self, seconds: float = 0.3) -> None:
        """Read on until nothing comes for a while."""
        while True:
            try:
                self.next(seconds)
            except TimeoutError:
                return

    def tensor(self, name: str) -> NDArray[np.float32]:
        """Return the rows of a tensor that have come, in the places they name."""
        frames = [frame for frame in self.frames if frame.header["name"] == name]
        shape = frames[-1].header["full_shape"]
        square = len(shape) == 3 and shape[1] == shape[2]
        # A query does not see keys that come later: their share is 0 before they are there, and after.
        found = np.full(shape, 0 if square else np.nan, np.float32)
        for frame in frames:
            offset, part = frame.header["offset"], frame.values
            if square:
                found[:, offset : offset + part.shape[1], : part.shape[2]] = part
            else:
                found[offset : offset + len(part)] = part
        return found


def parse(data: bytes) -> Frame:
    """Read a frame's header and its numbers."""
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    start = 4 + length
    assert start % 8 == 0
    assert header["dtype"] == ("f32" if header["type"] == "cells" else "f16")
    kind = "<f2" if header["dtype"] == "f16" else "<f4"
    values = np.frombuffer(data, kind, offset=start).astype(np.float32) * np.float32(header["scale"])
    return Frame(header, values.reshape(header["shape"]), len(data))
