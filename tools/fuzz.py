"""Calls a running server some ten thousand times by its own OpenAPI document, with schemathesis, which is not installed
with the project: `pip install schemathesis==4.32.5` somewhere, and give its `st`.

    python -m app serve --port 8377 &        # with ATLAS_RUNS_HELD=100000: the run asked about must not be forgotten
    python tools/fuzz.py /tmp/venv/bin/st http://127.0.0.1:8377 240

The first half makes up every value; the second asks about a model and a run that are there, so that answers are
checked and not only refusals. Pulling is left out. Exits with schemathesis's code: any 5xx, any status or content type
that the document does not name, and any body of another shape is a failure.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

_CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def _run(base: str) -> str:
    """Make a run to ask about."""
    body = json.dumps({"model": "sort", "text": "CBA", "max_new_tokens": 3}).encode()
    request = urllib.request.Request(f"{base}/api/v1/runs", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        made: str = json.load(answer)["id"]
    return made


def _there(run: str) -> str:
    """Write a configuration that names models, runs and tensors that are there."""
    said = {"model_id": "sort", "run_id": run, "lens": "attention", "other": "logits"}
    lines = ["[parameters]", *(f'"path.{name}" = "{value}"' for name, value in said.items())]
    for part, name in (("models", "W_E"), ("runs", "blocks.0.attn.hook_pattern")):
        lines += ["[[operations]]", f'include-path-regex = "{part}/.*name"']
        lines.append(f'parameters = {{ "path.name" = "{name}" }}')
    return "\n".join(lines) + "\n"


def main(schemathesis: str, base: str, examples: str) -> int:
    """Make both halves."""
    common = [
        "run", f"{base}/openapi.json", "--exclude-path", "/api/v1/models/pull", "--seed", "7",
        "--max-examples", examples, "--continue-on-failure", "--generation-database", "none",
        "--no-color", "--warnings", "off", "-c", _CHECKS,
    ]  # fmt: skip
    made_up = subprocess.run([schemathesis, *common, "--phases", "coverage,fuzzing,stateful"], check=False)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text(_there(_run(base)))
        there = [schemathesis, "--config-file", str(config), *common, "--phases", "coverage,fuzzing"]
        asked = subprocess.run([*there, "--exclude-method", "DELETE"], check=False)
    return made_up.returncode or asked.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
