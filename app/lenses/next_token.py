"""Next token: the most probable continuations after one position (an encoder's: the tokens for the position)."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..runs.run import Run, candidates
from .distributions import TEMPERATURE
from .drawing import Chart, bars, escaped, quoted
from .lens import Lens, Place, View, positions_read
from .parameters import Parameter
from .parts import output_position
from .readout import needs_head


def _parameters(run: Run) -> Sequence[Parameter]:
    return [
        output_position(run),
        Parameter("k", "candidates", "count", 10, least=1, most=1000),
        TEMPERATURE,
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    positions_read(run)
    pos = chosen["pos"]
    word = "after" if run.loaded.spec.writes else "at"
    logits = run.recorder.read("logits", pos, pos + 1)[0].float().cpu()
    top = candidates(logits / chosen["temperature"], run.loaded, chosen["k"])
    own = [float(logits[one.id]) for one in top]
    numbers = {
        "lens": "next_token",
        "run": run.id,
        "pos": pos,
        "temperature": chosen["temperature"],
        word: run.tokens[pos].text,
        "candidates": [
            {"id": one.id, "text": one.text, "logit": logit, "probability": one.probability}
            for one, logit in zip(top, own, strict=True)
        ],
    }

    def figure() -> Chart:
        return bars(
            [one.probability for one in top], [escaped(one.text) for one in top], scale="probability",
            notes=[f"id {one.id}, logit {logit:.4f}" for one, logit in zip(top, own, strict=True)],
            title=f"{word} {quoted(run.tokens[pos].text)}, pos {pos}", unit="probability",
        )  # fmt: skip

    rows: list[list[object]] = [
        [place + 1, one.id, one.text, logit, one.probability]
        for place, (one, logit) in enumerate(zip(top, own, strict=True))
    ]
    places: list[Place | None] = [("logits", (pos, one.id)) for one in top]
    return View(numbers, ["rank", "id", "text", "logit", "probability"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "next_token",
    "Likeliest tokens",
    "Tokens",
    _view,
    "The likeliest tokens after one position, with the probabilities of the softmax over the whole vocabulary; at a"
    " temperature, the logits are divided by it first. An encoder's are the tokens for the position itself.",
    (
        "Probabilities are the model's, before any cutting to the top-k or top-p that sampling may do.",
        "Several tokens may spell the same word (with and without a space); none alone is the word's probability.",
    ),
    _parameters,
    needs_head,
)
LENSES = (LENS,)
