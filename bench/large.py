"""A model of GPT-2 XL's shape, 1.5 billion numbers in bfloat16: how much memory reading and continuing a text takes."""

import json
import time
import urllib.request
from typing import Any

from .forward import GPT2_XL
from .server import Served, serving

_MODEL, _TOKENS, _NEW_TOKENS = "gpt2-xl-shape", 16, 8
_GIGABYTES = 1e9


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows; memory is the server's, the bundled model that it starts with included."""
    with serving({_MODEL: GPT2_XL}, "bfloat16") as served:
        started = time.perf_counter()
        run = _answer(served, "runs", {"model": _MODEL, "tokens": list(range(_TOKENS)), "max_new_tokens": _NEW_TOKENS})
        seconds = time.perf_counter() - started
        model = _answer(served, f"models/{_MODEL}")
        written = len(run["tokens"]) - _TOKENS
        return [
            ("parameters, bytes on the disk", f"{model['parameters']:,}, {model['size_bytes'] / _GIGABYTES:.2f} GB"),
            (f"{_TOKENS} tokens read and {written} written, loading included", f"{seconds:.1f} s"),
            ("most memory resident, the mapped file included", f"{served.peak_bytes / _GIGABYTES:.2f} GB"),
            ("of what is resident, not pages of a file", f"{served.own_bytes / _GIGABYTES:.2f} GB"),
            ("captured numbers held", f"{_answer(served, 'capabilities')['run_bytes'] / 1e6:.0f} MB"),
        ]


def _answer(served: Served, path: str, question: dict[str, Any] | None = None) -> Any:
    body = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(f"{served.url}/api/v1/{path}", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return json.load(answer)
