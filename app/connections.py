"""The server's connections, bounded: how many there are, and how long one may take to say what it wants.

uvicorn waits for a request for ever, and accepts as many connections as come. Here a request has to be complete in
time; and when all places are taken, the one that has waited longest without a request makes room, first of all one of
whoever has the most. Requests that are half sent can therefore shut nobody out.
"""

import asyncio
import ipaddress
import logging
import resource
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from .settings import Settings

# Connections that wait to be accepted; asyncio tries so many at once, and complains of each when files run out.
_BACKLOG = 128
# Files that are no connections: models, logs, threads' pipes.
_OTHER_FILES = 64
_COMPLAINT_SECONDS = 60.0


@dataclass(frozen=True)
class Bounds:
    """How many connections there may be and may wait to be accepted, and how long each may take, in seconds."""

    connections: int
    per_address: int
    header_seconds: float
    body_seconds: float
    answer_seconds: float
    backlog: int


def _files(wanted: int) -> int:
    """Return how many files this process may open, once it has asked for as many as it wants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def bounds_of(settings: Settings) -> Bounds:
    """Return the bounds as set, with no more connections than this process may open files.

    asyncio takes in as many as wait before it tells anybody, so these need room beside the others.
    """
    files = _files(settings.connections + _OTHER_FILES + _BACKLOG)
    backlog = min(_BACKLOG, max(files // 8, 1))
    return Bounds(
        min(settings.connections, max(files - _OTHER_FILES - backlog, 8)),
        settings.connections_per_address,
        settings.header_seconds,
        settings.body_seconds,
        settings.answer_seconds,
        backlog,
    )


def server_options(settings: Settings) -> dict[str, Any]:
    """Return the options that uvicorn is started with, wherever it is."""
    bounds = bounds_of(settings)
    return {
        "http": type("BoundedHttp", (BoundedHttp,), {"bounds": bounds}),
        "backlog": bounds.backlog,
        "ws_per_message_deflate": False,
        # The stream refuses long messages itself, with a hint; far beyond its bound the connection is cut.
        "ws_max_size": 4 * settings.message_bytes,
        "log_level": "warning",
        "timeout_graceful_shutdown": 3,
    }


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is this machine's own; a proxy on it speaks for many."""
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _address(connection: Any) -> str:
    """Return a connection's address as uvicorn noted it down: to ask the system again, of each, takes milliseconds."""
    return str(connection.client[0]) if connection.client else ""


class BoundedHttp(HttpToolsProtocol):
    """One connection until it becomes a stream."""

    bounds: ClassVar[Bounds]
    # When it began to wait for a request; None while one is answered.
    waiting_since: float | None = None
    _timer: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it where there is no room."""
        super().connection_made(transport)
        address, bounds = _address(self), self.bounds
        shares = Counter(map(_address, self.connections))
        if shares[address] > bounds.per_address and not is_loopback(address):
            return self._refuse(
                503, "too_many_connections", f"more than {bounds.per_address} connections of one address"
            )
        if len(self.connections) > bounds.connections and not self._make_room(shares):
            return self._refuse(503, "too_many_connections", f"more than {bounds.connections} connections at once")
        self._wait()

    def _make_room(self, shares: Counter[str]) -> bool:
        """Close the one that has waited longest for a request, of the address with the most; false: none waits."""
        waiting = [
            other
            for other in self.connections
            if isinstance(other, BoundedHttp) and other is not self and other.waiting_since is not None
        ]
        if not waiting:
            return False
        victim = min(waiting, key=lambda other: (-shares[_address(other)], other.waiting_since))
        victim.end()
        return True

    def end(self) -> None:
        """Close the connection at once, and give its place to others."""
        self.waiting_since = None
        self._cancel()
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self) -> None:
        self.waiting_since = time.monotonic()
        self._limit(self.bounds.header_seconds, "the request's header")

    def _limit(self, seconds: float, part: str) -> None:
        """Close the connection unless something else happens within so many seconds."""
        self._cancel()
        self._timer = self.loop.call_later(seconds, self._late, seconds, part)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self, seconds: float, part: str) -> None:
        if not self.transport.is_closing():
            self._refuse(408, "too_slow", f"{part} was not complete after {seconds:g} seconds")

    def _refuse(self, status: int, kind: str, message: str) -> None:
        """Answer without a request, unless an answer has begun, and close."""
        self.waiting_since = None
        self._cancel()
        cycle: RequestResponseCycle | None = self.cycle  # none before the first request, whatever uvicorn's types say
        if cycle is None or not cycle.response_started or cycle.response_complete:
            hint = "Close connections that are not used, or send faster; GET /api/v1/capabilities lists the limits."
            body = orjson.dumps({"error": {"type": kind, "message": message, "hint": hint}})
            length = str(len(body)).encode()
            head = b"content-type: application/json\r\nconnection: close\r\nretry-after: 1\r\n"
            self.transport.write(STATUS_LINE[status] + head + b"content-length: " + length + b"\r\n\r\n" + body)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the connection has been refused."""
        if self.transport.is_closing():
            return
        if self.waiting_since is not None and self._timer is None:
            self._limit(self.bounds.header_seconds, "the request's header")
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """Give the body its own time."""
        self._limit(self.bounds.body_seconds, "the request's body")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Let the answer take the time that it takes."""
        self.waiting_since = None
        self._cancel()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request; uvicorn itself closes a connection that says nothing more."""
        super().on_response_complete()
        if not self.pipeline:
            self.waiting_since = time.monotonic()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on to the stream."""
        self._cancel()
        self.waiting_since = None
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Give a reader who takes nothing in a limited time."""
        super().pause_writing()
        self._writing = self.loop.call_later(self.bounds.answer_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection's times."""
        self._cancel()
        if self._writing is not None:
            self._writing.cancel()
        self.waiting_since = None
        super().connection_lost(exc)


class Complaints:
    """The event loop's complaints, each sort at most once a minute: when files run out there are thousands a second."""

    def __init__(self) -> None:
        """Begin with nothing said yet."""
        self._said: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what went wrong, unless it has been logged a moment ago."""
        message, now = str(context.get("message", "")), time.monotonic()
        if "accept" not in message:
            return loop.default_exception_handler(context)
        if now - self._said.get(message, -_COMPLAINT_SECONDS) >= _COMPLAINT_SECONDS:
            self._said[message] = now
            logging.getLogger(__name__).error("%s: %s", message, context.get("exception"))


def without_cancelled(record: logging.LogRecord) -> bool:
    """Tell whether a record of uvicorn's is worth a line: requests that the server's end cuts off are no failures."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
