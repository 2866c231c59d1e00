"""Nearest neighbours of a token's vector by cosine, and sums and differences of tokens' vectors."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..runs.run import Run
from .drawing import Chart, bars, escaped, quoted
from .lens import Lens, Place, View
from .parameters import LensError, Parameter, spelled, token_named
from .parts import texts_tokens

_MOST_TERMS = 12


def terms_of(run: Run, expression: str) -> list[tuple[int, int]]:
    """Split `king - man + woman` into terms: sign and token of each. A plus or minus stands between two spaces.

    A word is looked for with a space in front, as it stands in a text, then without; in double quotes it is taken
    as it is.

    Raises:
        LensError: a term is empty or several tokens, or there are too many.
    """
    terms, sign, words = list[tuple[int, int]](), 1, list[str]()
    for word in [*expression.split(), "+"]:
        if word not in ("+", "-", "−"):
            words.append(word)
            continue
        if words:
            terms.append((sign, _term(run, " ".join(words))))
        elif terms:
            raise LensError("two signs follow each other", "Write a word between any two, as in: king - man + woman.")
        sign, words = 1 if word == "+" else -1, []
    if not 1 <= len(terms) <= _MOST_TERMS:
        raise LensError(f"there are {len(terms)} terms", f"Use 1 to {_MOST_TERMS}, as in: king - man + woman.")
    return terms


def _term(run: Run, word: str) -> int:
    if len(word) > 2 and word[0] == word[-1] == '"':
        return token_named(run, word[1:-1])
    if not word.startswith("#"):
        try:
            ids = spelled(run, f" {word}")
        except LensError:
            ids = []
        if len(ids) == 1:
            return ids[0]
    return token_named(run, word)


def _parameters(run: Run) -> Sequence[Parameter]:
    return [
        Parameter("words", "words", "text", "", empty="the last token of the text; or: king - man + woman"),
        Parameter("k", "neighbours", "count", 15, least=1, most=200),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    words = chosen["words"]
    terms = terms_of(run, words) if words.strip() else [(1, texts_tokens(run)[-1].id)]
    table = run.loaded.model.weight("W_E").detach()
    target = sum((sign * table[token].float() for sign, token in terms), torch.zeros(()))
    assert isinstance(target, torch.Tensor)
    length = float(target.norm())
    if length == 0:
        raise LensError("these vectors add up to nothing, which has no direction", "Use other words.")
    # norms of all rows in one pass; a row of zeros is like nothing
    cosine = (table @ target.to(table.dtype)).float() / (table.float().norm(dim=-1) * length).clamp_min(1e-12)
    cosine = cosine.cpu()
    given = {token for _, token in terms}
    best = cosine.topk(min(chosen["k"] + len(given), len(cosine))).indices.tolist()
    found = [token for token in best if token not in given][: chosen["k"]]
    text_of = run.loaded.tokenizer.text_of
    said = " ".join(f"{'+' if sign > 0 else '−'} {quoted(text_of(token))}" for sign, token in terms).removeprefix("+ ")
    numbers = {
        "lens": "neighbours",
        "run": run.id,
        "name": "W_E",
        "terms": [{"sign": sign, "id": token, "text": text_of(token)} for sign, token in terms],
        "left_out": [{"id": token, "text": text_of(token), "cosine": float(cosine[token])} for token in sorted(given)],
        "neighbours": [{"id": token, "text": text_of(token), "cosine": float(cosine[token])} for token in found],
    }

    def figure() -> Chart:
        return bars(
            [float(cosine[token]) for token in found], [escaped(text_of(token)) for token in found],
            title=f"nearest to {said}", unit="cosine",
        )  # fmt: skip

    rows = [[place + 1, token, text_of(token), float(cosine[token])] for place, token in enumerate(found)]
    places: list[Place | None] = [("W_E", (token, None)) for token in found]
    return View(numbers, ["place", "id", "text", "cosine"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "neighbours",
    "Neighbours",
    "Embeddings",
    _view,
    "The tokens whose embedding points most nearly the same way (cosine, all dimensions). Give several words with plus"
    " and minus, as in king - man + woman, for the neighbours of the sum of their vectors.",
    (
        "The words given are left out, as is the custom; without that the nearest to king - man + woman is usually king"
        " itself. Their own cosines are in the numbers.",
        "Embeddings of rare tokens moved little in training and are neighbours of each other for that reason alone.",
        "A model reads these vectors through its layers; nearness here is only where it starts from.",
    ),
    _parameters,
)
LENSES = (LENS,)
