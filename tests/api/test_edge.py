"""The server's edge: half-sent requests, names it does not go by, HEAD, and the headers of every answer."""

import socket
import time
from collections.abc import Iterator

import httpx2
import pytest

from app.hosts import Hosts
from app.settings import Settings
from tests.api.test_command_line import refusal
from tests.conftest import Server, serving

HEAD = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve with little room and less patience, without models."""
    settings = Settings(
        bundled_models=tmp_path_factory.mktemp("none"), connections=12, header_seconds=0.6, body_seconds=0.6
    )
    with serving(settings) as running:
        yield running


def _open(server: Server, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(sent)
    return connection


def _rest(connection: socket.socket) -> bytes:
    """Read what is said until the connection is closed."""
    found = b""
    try:
        while part := connection.recv(4096):
            found += part
    except ConnectionResetError:
        pass
    return found


def test_half_sent_requests_shut_nobody_out(small: Server) -> None:
    halves = [_open(small, HEAD) for _ in range(40)]
    for _ in range(3):  # each on a connection of its own, while as many as there is room for wait
        assert httpx2.get(f"http://127.0.0.1:{small.port}/api/v1/health").status_code == 200
    for half in halves:
        half.close()


def test_a_request_must_be_complete_in_time(small: Server) -> None:
    head = _open(small, HEAD)
    body = _open(small, b"POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    silent = _open(small, b"")
    for connection, part in ((head, b"header"), (body, b"body"), (silent, b"header")):
        answer = _rest(connection)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"too_slow" in answer and part in answer
        connection.close()


def test_a_connection_that_dribbles_is_closed_too(small: Server) -> None:
    connection, until = _open(small, HEAD), time.monotonic() + 20
    with pytest.raises(OSError):
        while time.monotonic() < until:
            connection.sendall(b"X-A: b\r\n")
            time.sleep(0.05)


def test_requests_one_after_another_are_no_half_ones(small: Server) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{small.port}") as client:
        for _ in range(3):
            assert client.get("/api/v1/health").status_code == 200
            time.sleep(0.3)


def test_the_bounds_are_told(small: Server) -> None:
    limits = small.get("/capabilities")["limits"]
    assert (limits["connections"], limits["header_seconds"], limits["body_seconds"]) == (12, 0.6, 0.6)


@pytest.mark.parametrize("path", ["/", "/api/v1/models", "/openapi.json", "/static/icon.svg"])
def test_another_name_is_refused(server: Server, path: str) -> None:
    address = f"http://127.0.0.1:{server.port}{path}"
    answer = httpx2.get(address, headers={"Host": f"evil.example:{server.port}"})
    assert answer.status_code == 421
    error = answer.json()["error"]
    assert error["type"] == "unknown_host" and "ATLAS_ALLOWED_HOSTS" in error["hint"]
    for host in (f"localhost:{server.port}", f"[::1]:{server.port}", "127.0.0.1", "LOCALHOST"):
        assert httpx2.get(address, headers={"Host": host}).status_code in (200, 503)


def test_the_stream_asks_for_name_and_origin(server: Server) -> None:
    host = f"evil.example:{server.port}"
    for headers in ({"Host": host, "Origin": f"http://{host}"}, {"Origin": "http://["}, {"Origin": "null"}):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            lines = {"Host": f"127.0.0.1:{server.port}", **headers}
            said = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
            connection.sendall(
                f"GET /api/v1/stream HTTP/1.1\r\n{said}Connection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            assert b" 403 " in connection.recv(100), headers


@pytest.mark.parametrize(
    ("host", "allowed", "known", "unknown"),
    [
        (
            "127.0.0.1",
            [],
            ["localhost:8", "127.0.0.1", "[::1]:8", "a.localhost"],
            ["10.0.0.1", "evil.example", "[", ""],
        ),
        ("0.0.0.0", [], ["10.0.0.1:8", "[fe80::1]", "localhost", socket.gethostname()], ["evil.example", "1.evil"]),
        ("0.0.0.0", ["atlas.example"], ["atlas.example:443", "ATLAS.example.", "localhost"], ["evil.example"]),
        ("127.0.0.1", ["*"], ["anything.example"], []),
    ],
)
def test_names_that_a_server_goes_by(host: str, allowed: list[str], known: list[str], unknown: list[str]) -> None:
    hosts = Hosts(host, allowed)
    assert [name for name in known if not hosts.knows(name)] == []
    assert [name for name in unknown if hosts.knows(name)] == []


@pytest.mark.parametrize(
    "path", ["/models", "/api/v1/health", "/api/v1/models/tiny/graph", "/static/icon.svg", "/none"]
)
def test_head_is_answered_as_get_is_without_a_body(server: Server, path: str) -> None:
    address = f"http://127.0.0.1:{server.port}{path}"
    head, whole = httpx2.head(address), httpx2.get(address)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "content-length"):
        assert head.headers[name] == whole.headers[name]
    for name, value in {
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
    }.items():
        assert whole.headers.get_list(name) == [value]


def test_a_slash_too_many_leads_to_the_same_server(server: Server) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{server.port}/api/v1/models/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/api/v1/models")


def test_a_setting_that_is_no_list() -> None:
    assert "ATLAS_MODELS is no JSON list" in refusal("models", ATLAS_MODELS="notjson")
