"""Writes `constraints.txt`: the exact version of every package in the running interpreter's environment."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

OURS = {"pip", "transformer-atlas"}
HEADER = """\
# Every package that an install may take, exactly; written by `make constraints`.
# torch stands without its build (+cpu, +cu130), so that one file serves all of them.
"""


def main() -> None:
    """Print the versions, names normalised and sorted, so that a new version is one changed line."""
    pins = {re.sub(r"[-_.]+", "-", found.name).lower(): found.version.partition("+")[0] for found in distributions()}
    lines = [f"{name}=={version}\n" for name, version in sorted(pins.items()) if name not in OURS]
    Path("constraints.txt").write_text(HEADER + "".join(lines))


if __name__ == "__main__":
    main()
