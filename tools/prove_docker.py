"""Carries out the Dockerfile without a Docker engine: `python tools/prove_docker.py`.

Each stage is an empty folder with its own virtual environment in place of the base image. COPY takes from the
files git tracks, RUN runs in the stage's folder, and at the end the image's CMD is started and its
HEALTHCHECK has to succeed, both on a free port.

All of it is read from the Dockerfile, so the proof cannot drift from it. What it cannot show is that the base
image has what this machine has; USER and EXPOSE are passed over.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Stage:
    """One image in the making: its folder stands for the image's root."""

    root: Path
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def path(self, name: str) -> Path:
        """Find where a path of the image lies here; a relative one is under the WORKDIR."""
        return self.root / os.path.join(self.workdir, name).lstrip("/")

    def variables(self) -> dict[str, str]:
        """Return what a process of the stage sees: this machine's environment with the stage's Python first."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        path = f"{self.root / 'venv' / 'bin'}{os.pathsep}{inherited['PATH']}"
        return {**inherited, **self.environment, "PATH": path}


def instructions(text: str) -> list[tuple[str, str]]:
    """Read the Dockerfile as (instruction, argument), comments dropped and continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = lines.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined if line.strip())]


def new_stage(root: Path) -> Stage:
    """Make an empty stage with a fresh virtual environment."""
    venv.create(root / "venv", with_pip=True)
    return Stage(root)


def copy(context: Path, stage: Stage, sources: list[str], target: str) -> None:
    """Carry out COPY: a folder's contents go into the target, files by their names; a missing source is an error."""
    for pattern in sources:
        found = glob.glob(str(context / pattern.lstrip("/")))
        if not found:
            raise SystemExit(f"COPY: {pattern} is not there")
        for source in map(Path, found):
            destination = stage.path(target)
            if source.is_dir():
                shutil.copytree(source, destination, dirs_exist_ok=True)
            else:
                into = destination / source.name if target.endswith(("/", ".")) else destination
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, into)


def build(scratch: Path, context: Path, arguments: dict[str, str]) -> Stage:
    """Carry out every instruction and return the last stage."""
    stages: dict[str, Stage] = {}
    stage = Stage(scratch)
    for word, rest in instructions((ROOT / "Dockerfile").read_text()):
        if word not in ("USER", "EXPOSE"):
            print(f"{word} {rest}", flush=True)
        match word:
            case "FROM":
                name = rest.partition(" AS ")[2] or str(len(stages))
                stage = stages[name] = new_stage(scratch / name)
            case "WORKDIR":
                stage.workdir = rest
                stage.path(".").mkdir(parents=True, exist_ok=True)
            case "ARG":
                name, _, default = rest.partition("=")
                stage.environment[name] = arguments.get(name, default)
            case "ENV":
                stage.environment.update(dict(pair.split("=", 1) for pair in shlex.split(rest)))
            case "COPY":
                flags = [part for part in rest.split() if part.startswith("--from=")]
                *sources, target = (part for part in rest.split() if not part.startswith("--"))
                copy(
                    stages[flags[0].removeprefix("--from=")].root if flags else context,
                    stage,
                    sources,
                    target,
                )
            case "RUN":
                subprocess.run(
                    ["sh", "-c", rest],
                    cwd=stage.path("."),
                    env=stage.variables(),
                    stdin=subprocess.DEVNULL,
                    check=True,
                )
            case "HEALTHCHECK":
                stage.health = json.loads(rest.partition("CMD")[2])
            case "CMD":
                stage.command = json.loads(rest)
            case "USER" | "EXPOSE":
                pass
            case _:
                raise SystemExit(f"this proof does not know {word}")
    return stage


def serve(stage: Stage, seconds: int) -> None:
    """Start CMD and repeat HEALTHCHECK until it succeeds."""
    environment, folder = stage.variables(), stage.path(".")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [part.replace("8000", port) for part in stage.command]
    health = [part.replace("8000", port) for part in stage.health]
    started = time.monotonic()
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        while time.monotonic() < started + seconds:
            if server.poll() is not None:
                raise SystemExit(f"CMD ended with {server.returncode}")
            if subprocess.run(health, cwd=folder, env=environment, stderr=subprocess.DEVNULL).returncode == 0:
                print(f"healthy after {time.monotonic() - started:.1f} s")
                return
            time.sleep(0.5)
        raise SystemExit(f"not healthy after {seconds} s")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Build in a temporary folder, start, probe, clean up."""
    parser = argparse.ArgumentParser(description="carry out the Dockerfile without Docker")
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--build-only", action="store_true", help="do not start the result")
    options = parser.parse_args()
    arguments = dict(pair.split("=", 1) for pair in options.build_arg)
    with tempfile.TemporaryDirectory(prefix="atlas-image-") as folder:
        scratch = Path(folder)
        context = scratch / "context"
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
        for name in filter(None, tracked.decode().split("\0")):
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, context / name)
        stage = build(scratch, context, arguments)
        if not options.build_only:
            serve(stage, seconds=120)


if __name__ == "__main__":
    main()
