"""Runs the server and Vite together, both reloading: open Vite's address, edit, look.

Vite hands the browser the TypeScript modules and passes every other request on to the Python server. The
pages need not know: the manifest they read is written here with the sources in place of the built files.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "static" / "dist"
ENTRIES = ("src/main.ts", "src/pages.ts")


def main() -> None:
    """Start both and end both, whichever stops first."""
    parser = argparse.ArgumentParser(description="serve with reloading")
    parser.add_argument("--port", default="8000", help="of the Python server")
    port = parser.parse_args().port
    # Without its stamp the front end counts as not built, so the next `make run` puts the real manifest back.
    (DIST / ".built").unlink(missing_ok=True)
    manifest = {entry: {"file": entry, "src": entry, "isEntry": True} for entry in ENTRIES}
    (DIST / ".vite" / "manifest.json").write_text(json.dumps(manifest))

    environment = {**os.environ, "ATLAS_DEV_SERVER": f"http://127.0.0.1:{port}"}
    reload = [f"--reload-{kind}" for kind in ("dir=app", "dir=templates", "include=*.html")]
    server = [
        sys.executable,
        "-m",
        "uvicorn",
        "app.server:create_app",
        "--factory",
        "--reload",
        *reload,
        "--port",
        port,
    ]
    vite = [sys.executable, str(ROOT / "tools" / "node.py"), "npm", "run", "dev"]
    running = [subprocess.Popen(command, cwd=ROOT, env=environment) for command in (server, vite)]
    print("open http://127.0.0.1:5173/", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        os.wait()
    except KeyboardInterrupt:
        pass
    finally:
        for process in running:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
