"""Prints the option with which pip takes torch's small build, where that is the right one; `make setup` asks.

PyPI's torch for Linux brings NVIDIA's libraries with it, whether there is a GPU or not: 2.7 GB to download for torch
2.13.0. PyTorch's own index has a build without. It is chosen on Linux where `nvidia-smi` lists no GPU, unless pip is
configured to look somewhere of the user's own, and only if it can be reached: else PyPI's is taken. On macOS and
Windows PyPI's build has no such libraries. `make TORCH_INDEX=URL` decides by hand, and `TORCH_INDEX=` takes PyPI's.

Runs before anything is installed, so it needs nothing but Python.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import urllib.request

SMALL = "https://download.pytorch.org/whl/cpu"
_SECONDS = 5.0
# What says that pip looks in places that somebody chose, to which a program should not add one.
_CHOSEN = re.compile(r"^[^=\n]*\.(?:index-url|extra-index-url|find-links|no-index)=", re.MULTILINE)


def has_gpu() -> bool:
    """Ask NVIDIA's own tool whether there is a GPU."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU " in listed.stdout


def pip_is_configured() -> bool:
    """Ask pip whether its files or the environment name an index."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    try:
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return _CHOSEN.search(listed) is not None


def can_be_reached(index: str) -> bool:
    """Ask an index for its list of torch's files, and wait a few seconds for it."""
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{index}/torch/", method="HEAD"), timeout=_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def choose(platform: str) -> tuple[str, str]:
    """Choose torch's build for this machine: the index to add, or nothing, and one line that says why."""
    if platform != "linux":
        return "", "torch comes from PyPI"
    if has_gpu():
        return "", "there is an NVIDIA GPU: torch comes from PyPI, with CUDA (2.7 GB to download)"
    if pip_is_configured():
        return "", "pip has an index of your own: torch comes from there; TORCH_INDEX=URL adds another"
    if can_be_reached(SMALL):
        return SMALL, f"there is no NVIDIA GPU: torch's small build comes from {SMALL}"
    return "", f"{SMALL} cannot be reached: torch comes from PyPI, with CUDA (2.7 GB to download)"


def main() -> None:
    """Print the option on standard output, for the shell, and the reason on standard error, for the reader."""
    index, reason = choose(sys.platform)
    print(reason, file=sys.stderr)
    if index:
        print(f"--extra-index-url {index}")


if __name__ == "__main__":
    main()
