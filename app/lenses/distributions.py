"""The distribution at every position: what was thought likely, and how likely what came was thought to be."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..runs.run import Run
from .drawing import Chart, escaped, heat_map, token_labels
from .lens import Along, Lens, Place, View, nullable, positions_read
from .parameters import Parameter
from .readout import needs_head, rows_at_once

TEMPERATURE = Parameter("temperature", "temperature", "number", 1.0, least=0.05, most=10.0)


def log_probabilities(run: Run, count: int, temperature: float) -> Iterator[tuple[int, Tensor]]:
    """Compute `log(softmax(logits / temperature))`, a few positions `[pos, d_vocab]` at a time."""
    batch = rows_at_once(run.loaded.spec)
    for start in range(0, count, batch):
        logits = run.recorder.read("logits", start, min(count, start + batch)).float().cpu()
        yield start, torch.log_softmax(logits / temperature, -1)


def _parameters(run: Run) -> Sequence[Parameter]:
    return [Parameter("k", "candidates", "count", 5, least=1, most=50), TEMPERATURE]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    count, k = positions_read(run), min(chosen["k"], run.loaded.spec.d_vocab)
    tokens, text_of = run.tokens, run.loaded.tokenizer.text_of
    ahead = run.loaded.spec.writes
    entries: list[dict[str, Any]] = []
    for start, logs in log_probabilities(run, count, chosen["temperature"]):
        entropy = -torch.special.xlogy(logs.exp(), logs.exp()).sum(-1) / math.log(2)
        best = logs.topk(k)
        for row in range(len(logs)):
            pos = start + row
            # What a decoder says is about the next token, what an encoder says about this one.
            came = tokens[pos + 1] if ahead and pos + 1 < len(tokens) else None if ahead else tokens[pos]
            own = None if came is None else float(logs[row, came.id])
            entries.append(
                {
                    "pos": pos,
                    "token": tokens[pos].text,
                    "entropy": float(entropy[row]),
                    "came": None if came is None else came.text,
                    "probability": None if own is None else math.exp(own),
                    "rank": None if own is None else int((logs[row] > own).sum()) + 1,
                    "top": [
                        {"id": int(token), "text": text_of(int(token)), "probability": math.exp(float(value))}
                        for value, token in zip(best.values[row], best.indices[row], strict=True)
                    ],
                }
            )
    numbers = {
        "lens": "distributions",
        "run": run.id,
        "temperature": chosen["temperature"],
        "about": "next token" if ahead else "this token",
        "positions": entries,
    }

    def figure() -> Chart:
        shares = [[entry["top"][place]["probability"] for entry in entries] for place in range(k)]
        texts = [[escaped(entry["top"][place]["text"]) for entry in entries] for place in range(k)]
        return heat_map(
            shares, token_labels(run, count), [str(place + 1) for place in range(k)], "probability",
            title=f"the {k} likeliest {'after' if ahead else 'at'} every position", down="place",
            across="after" if ahead else "at", texts=texts, bounds=(0, 1), unit="probability", meta={"stride": [0, 1]},
        )  # fmt: skip

    named = ["pos", "token", "entropy", "came", "probability", "rank"]
    header = [*named, *(name for at in range(1, k + 1) for name in (f"top_{at}", f"probability_{at}"))]
    rows = [
        [entry[name] for name in named] + [cell for one in entry["top"] for cell in (one["text"], one["probability"])]
        for entry in entries
    ]
    places: list[Place | None] = [("logits", (entry["pos"], None)) for entry in entries]
    along = Along("token", "entropy", "summary")
    return View(numbers, header, lambda: zip(rows, places, strict=True), figure, along)


def surprisals(run: Run, temperature: float) -> list[float | None]:
    """Measure the bits of every token but the first, given those before it, at a temperature."""
    tokens = run.tokens
    count = min(positions_read(run), len(tokens) - 1)
    pieces = []
    for start, logs in log_probabilities(run, count, temperature):
        following = torch.tensor([token.id for token in tokens[start + 1 : start + 1 + len(logs)]]).unsqueeze(1)
        pieces.append(-logs.gather(1, following)[:, 0].double() / math.log(2))
    return nullable(torch.cat(pieces).numpy()) if pieces else []


LENS = Lens(
    "distributions",
    "Every position",
    "Tokens",
    _view,
    "For every position the likeliest tokens, from the top down, with their probabilities; how uncertain the"
    " distribution is (entropy, in bits); and the rank and probability of what came. A temperature below 1 sharpens the"
    " distributions, one above flattens them, as sampling does.",
    (
        "The likeliest token is often far from likely; read the probability, not the place.",
        "Low entropy is certainty, not truth.",
    ),
    _parameters,
    needs_head,
)
LENSES = (LENS,)
