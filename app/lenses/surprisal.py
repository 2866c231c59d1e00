"""Surprisal: at every position, how many bits the token that came next was worth to the model."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..runs.run import Run
from ..transformer.spec import Spec
from .distributions import TEMPERATURE, surprisals
from .drawing import Chart, bars, token_labels
from .lens import Along, Lens, Place, View
from .parameters import Parameter
from .readout import needs_head


def _why_not(spec: Spec) -> str | None:
    if spec.writes or not spec.head:
        return needs_head(spec)
    return "it reads every token before it names it, so what the text cost it has no meaning"


def _summed(values: Sequence[float | None]) -> float | None:
    """Sum numbers; None where one is not a number."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _parameters(run: Run) -> Sequence[Parameter]:
    return [TEMPERATURE]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    tokens = run.tokens
    values = surprisals(run, chosen["temperature"])
    count = len(values)
    total = _summed(values)
    # What stands for no byte was put there by the model's own habit: it is no part of what the text cost.
    sizes = [token.end - token.start for token in tokens[1 : count + 1]]
    # What the vocabulary's normaliser swallowed, such as an accent put on its letter, is part of the text too.
    size = tokens[count].end - tokens[0].end
    cost = _summed([value for value, long in zip(values, sizes, strict=True) if long > 0])
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
        "per_token": None if total is None or count == 0 else total / count,
        "bytes": size,
        # Bits of the tokens that stand for bytes; ids taken verbatim without a tokenizer stand for none.
        "text": cost if size else None,
        "per_byte": None if cost is None or size == 0 else cost / size,
    }

    def figure() -> Chart:
        labels = token_labels(run, count + 1)
        said = "" if total is None else f", {total:.2f} bits in all"
        if count == 0:
            said = ": nothing stands before the first token to foretell it; read or write more"
        if numbers["per_byte"] is not None:
            said += f"; the text's {size} bytes cost {cost:.2f}, {numbers['per_byte']:.3f} a byte"
        return bars(
            values, labels[1:], notes=[f"after {label}" for label in labels[:count]], lying=False, scale="summary",
            title=f"surprisal{said}", unit="bits", along="token that came",
        )  # fmt: skip

    rows: list[list[object]] = [[pos, tokens[pos].text, tokens[pos + 1].text, values[pos]] for pos in range(count)]
    places: list[Place | None] = [("logits", (pos, tokens[pos + 1].id)) for pos in range(count)]
    header, along = ["pos", "token", "next_token", "surprisal"], Along("next_token", "surprisal", "summary")
    return View(numbers, header, lambda: zip(rows, places, strict=True), figure, along)


LENS = Lens(
    "surprisal",
    "Surprisal",
    "Tokens",
    _view,
    "A bar for every token: minus the logarithm to base 2 of the probability that the model gave it, in bits. One bit"
    " is a coin's toss, ten bits one in a thousand. The sum over the text is what it would cost to send with this model"
    " as the code; divided by its bytes it can be compared between models with different tokens.",
    (
        "The first token is not counted: nothing comes before it.",
        "What a model puts around a text (a system's words, marks of turns) has bars of its own, and is left out of the"
        " cost of the text and of what a byte costs.",
        "Bits per token cannot be compared between vocabularies, bits per byte can.",
        "A text that the model wrote itself is cheap to it; that says nothing about other texts.",
    ),
    _parameters,
    _why_not,
)
LENSES = (LENS,)
