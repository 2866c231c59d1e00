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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from tools.browser import find

ROOT = Path(__file__).resolve().parents[2]
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
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def forgive(self, *words: str) -> None:
        """Leave out errors with one of these words in them, such as those that the browser logs of refused calls."""
        self.errors[:] = [error for error in self.errors if not any(word in error.lower() for word in words)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1[:/]|data:|blob:", request.url):
            self.outside.append(request.url)


@pytest.fixture
def watch(page: Page) -> Iterator[Watch]:
    """Fail the test if the page logged an error or asked another machine for anything."""
    watch = Watch(page)
    yield watch
    assert watch.errors == []
    assert watch.outside == []


@pytest.fixture
def moving(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Page]:
    """Open a page where motion is welcome."""
    context = browser.new_context(**{**browser_context_args, "reduced_motion": "no-preference"})
    page = context.new_page()
    watch = Watch(page)
    yield page
    assert watch.errors == []
    context.close()
