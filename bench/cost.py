"""What the README says a server costs: its resident memory at rest and after texts. tests/api/test_readme.py holds the
README to the light rows."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from .forward import GPT2_SMALL
from .server import Served, serving


def rows() -> list[tuple[str, str]]:
    """Measure the table's rows, each text on a server that has read nothing else but the rows of its model above."""
    found = [(what, f"{size / 1e6:.0f} MB") for what, size in light()]
    with serving({"gpt2": GPT2_SMALL}) as served:
        for count in (64, 1024):
            tokens = [7 * at % GPT2_SMALL.d_vocab for at in range(count)]
            _run(served, {"model": "gpt2", "tokens": tokens, "max_new_tokens": 0})
            what = f"a model of GPT-2 small's shape, {count} tokens read"
            found.append((what, f"{served.resident_bytes / 1e6:.0f} MB"))
    return found


def light() -> Iterator[tuple[str, int]]:
    """Yield what takes a second: bytes at rest, and after `stories` wrote 100 tokens."""
    with serving({}) as served:
        yield "memory of the server at rest", served.resident_bytes
        _run(served, {"model": "stories", "text": "Once upon a time", "max_new_tokens": 100})
        yield "after stories wrote 100 tokens", served.resident_bytes


def _run(served: Served, question: dict[str, Any]) -> None:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{served.url}/api/v1/runs", json.dumps(question).encode(), headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        answer.read()
