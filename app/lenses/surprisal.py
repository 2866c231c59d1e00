"""Surprisal: at every position, how many bits the token that came next was worth to the model."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.runs.run import Run
from app.transformer.spec import Spec

from .distributions import TEMPERATURE, surprisals
from .drawing import bars, token_labels
from .lens import Lens, Place, View
from .parameters import Parameter


def _why_not(spec: Spec) -> str | None:
    if spec.writes:
        return None
    return "it reads every token before it names it, so what the text cost it has no meaning"


def _parameters(run: Run) -> Sequence[Parameter]:
    return [TEMPERATURE]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    tokens = run.tokens
    values = surprisals(run, chosen["temperature"])
    count = len(values)
    known = [value for value in values if value is not None]
    total = sum(known) if len(known) == count else None
    size = sum(token.end - token.start for token in tokens[1 : count + 1])
    numbers = {
        "lens": "surprisal",
        "run": run.id,
        "unit": "bits",
        "temperature": chosen["temperature"],
        "positions": [
            {"pos": pos, "token": tokens[pos].text, "next_token": tokens[pos + 1].text, "surprisal": values[pos]}
            for pos in range(count)
        ],
        "total": total,
        "bytes": size,
        "per_token": None if total is None or count == 0 else total / count,
        # Ids taken verbatim without a tokenizer stand for no bytes.
        "per_byte": None if total is None or size == 0 else total / size,
    }

    def figure() -> Any:
        labels = token_labels(run, count + 1)
        said = "" if total is None else f", {total:.2f} bits in all"
        said += "" if numbers["per_byte"] is None else f", {numbers['per_byte']:.3f} a byte"
        return bars(
            values, labels[1:], notes=[f"after {label}" for label in labels[:count]], lying=False,
            title=f"surprisal{said}", unit="bits", along="token that came",
        )  # fmt: skip

    rows: list[list[object]] = [[pos, tokens[pos].text, tokens[pos + 1].text, values[pos]] for pos in range(count)]
    places: list[Place | None] = [("logits", (pos, tokens[pos + 1].id)) for pos in range(count)]
    return View(numbers, ["pos", "token", "next_token", "surprisal"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "surprisal",
    "Surprisal",
    "Tokens",
    _view,
    "A bar for every token: minus the logarithm to base 2 of the probability that the model gave it, in bits. One bit"
    " is a coin's toss, ten bits one in a thousand. The sum is what the text would cost to send with this model as the"
    " code; divided by its bytes it can be compared between models with different tokens.",
    (
        "The first token is not counted: nothing comes before it.",
        "Bits per token cannot be compared between vocabularies, bits per byte can.",
        "A text that the model wrote itself is cheap to it; that says nothing about other texts.",
    ),
    _parameters,
    _why_not,
)
LENSES = (LENS,)
