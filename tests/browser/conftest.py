"""A real server and a real Chromium. Without a browser these tests fail: they never skip."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request

from tools.browser import find

from .shared_page import SharedPage

ROOT = Path(__file__).resolve().parents[2]
# The map, the clocks, a matrix, the frameworks' effects and tests may each ask for one at the same time: a handful.
_MOST_FRAMES = 16
_FAILED = pytest.StashKey[bool]()
_ARGUMENTS = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    # Only the map's own canvas needs WebGL: putting the rest of the page together in SwiftShader too took a third of
    # all the processor's time that the browser tests used.
    "--disable-gpu-compositing",
    "--force-color-profile=srgb",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
)


class Server:
    """The atlas in a process of its own, on a port that stays its own across restarts."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """Pick a free port; nothing runs yet. `settings` are variables of its environment."""
        self._settings = settings or {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", **self._settings}
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), "--device", "cpu"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/health", timeout=2):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self._process.poll() is not None:
                    break
                time.sleep(0.1)
        self.stop()
        pytest.fail("the server did not start")

    def freeze(self, frozen: bool) -> None:
        """Let it do nothing at all, its connections open, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def stop(self) -> None:
        """Take it away, as a crash would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start one server for all tests that leave it alone."""
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_server() -> Iterator[Server]:
    """Start a server that a test may take away."""
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Choose Debian's Chromium, or whichever there is, drawing in software."""
    path = find()
    if path is None:
        pytest.fail("no Chromium to drive: `make browser` installs one")
    return {**browser_type_launch_args, "executable_path": path, "headless": True, "args": list(_ARGUMENTS)}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Set the window that the design is drawn for, without motion."""
    window = {"width": 1280, "height": 800}
    return {**browser_context_args, "viewport": window, "device_scale_factor": 1, "reduced_motion": "reduce"}


class Watch:
    """What a page said and asked for while a test ran."""

    def __init__(self, page: Page) -> None:
        """Listen to everything from now on."""
        self.errors: list[str] = []
        self.outside: list[str] = []
        self._page = page
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("request", self._request)

    def forgive(self, *words: str) -> None:
        """Leave out errors with one of these words in them, such as those that the browser logs of refused calls."""
        self.errors[:] = [error for error in self.errors if not any(word in error.lower() for word in words)]

    def stop(self) -> None:
        """Listen no more: what another test does with the page is its own."""
        self._page.remove_listener("console", self._console)
        self._page.remove_listener("pageerror", self._error)
        self._page.remove_listener("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _request(self, request: Request) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", request.url):
            self.outside.append(request.url)


@pytest.fixture(scope="session")
def shared_page(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[SharedPage]:
    """Keep one page for all tests that leave nothing behind that cannot be put back."""
    shared = SharedPage(browser, browser_context_args)
    yield shared
    shared.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed: nobody borrows its page."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


def _borrowed(request: pytest.FixtureRequest, still: bool) -> Iterator[Page]:
    """Lend the shared page, or one of its own to a test marked so."""
    small = request.node.get_closest_marker("small_window") is not None
    if request.node.get_closest_marker("own_page"):
        own = SharedPage(request.getfixturevalue("browser"), request.getfixturevalue("browser_context_args"))
        yield own.borrow(still, small)
        own.close()
        return
    shared: SharedPage = request.getfixturevalue("shared_page")
    yield shared.borrow(still, small)
    if request.node.stash.get(_FAILED, False):
        shared.close()


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Lend a page without motion."""
    yield from _borrowed(request, still=True)


@pytest.fixture
def moving(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Lend a page where motion is welcome; it made no error."""
    for page in _borrowed(request, still=False):
        watch = Watch(page)
        yield page
        watch.stop()
        assert watch.errors == []


@pytest.fixture
def lively(request: pytest.FixtureRequest) -> Iterator[Page]:
    """Lend a page with motion on which everything is tried; it made no error, and no clock has doubled."""
    for page in _borrowed(request, still=False):
        watch = Watch(page)
        yield page
        watch.stop()
        # The browser itself logs every refused call, as here the live count of a text that is too long.
        watch.forgive("422", "404")
        assert watch.errors == []
        assert page.evaluate("window.framesAsked") <= _MOST_FRAMES


@pytest.fixture
def watch(page: Page) -> Iterator[Watch]:
    """Fail the test if the page logged an error or asked another machine for anything."""
    watch = Watch(page)
    yield watch
    watch.stop()
    assert watch.errors == []
    assert watch.outside == []
