"""Finds the Chromium that the browser tests drive, or installs one, and prints its path.

Looked for in this order: `ATLAS_BROWSER`, a Chromium or Chrome on the PATH, Playwright's own. Where there is
none, Playwright downloads its own; where that fails and we are root on a Debian, apt installs one. As root,
Chromium has to be started with `--no-sandbox`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ON_PATH = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")


def find() -> str | None:
    """Find the path of a Chromium that starts, or None."""
    return next((path for path in _candidates() if _starts(path)), None)


def install() -> str | None:
    """Get one in either of two ways, and return its path."""
    print("no Chromium found: installing one", file=sys.stderr)
    ways = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        ways.append([["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]])
    said = ""
    for commands in ways:
        for command in commands:
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            said += f"$ {' '.join(command)}\n{done.stdout[-500:]}{done.stderr[-500:]}\n"
        if path := find():
            return path
    print(said, file=sys.stderr)
    return None


def _candidates() -> Iterator[str]:
    if chosen := os.environ.get("ATLAS_BROWSER"):
        yield chosen
        return
    yield from filter(None, map(shutil.which, ON_PATH))
    # Asking Playwright starts its driver, half a second, so it comes last.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def _starts(path: str) -> bool:
    """Tell whether it runs at all: a download without the system libraries that it needs does not."""
    if not Path(path).is_file():
        return False
    return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0


def main() -> None:
    """Print the path; exit with advice where no browser can be had."""
    path = find() or (None if "ATLAS_BROWSER" in os.environ else install())
    if path is None:
        raise SystemExit("no Chromium: install one, or name it in ATLAS_BROWSER")
    print(path)


if __name__ == "__main__":
    main()
