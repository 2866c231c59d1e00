"""What a lens can be asked for: every parameter with its kind, bounds, choices and default, and how it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..runs.run import Run
from ..transformer.tokenizer import TokenizeError

Kind = Literal["index", "count", "number", "choice", "token", "text"]
_LONGEST = 400


class LensError(ValueError):
    """A lens that cannot be used so; `hint` says how it can."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Parameter:
    """One thing to choose.

    An `index` runs along an axis (`of`: pos, source_pos, key_pos, layer, head, neuron) of `size` entries, negative
    ones count from the end; a `count` and a `number` lie between `least` and `most`; a `choice` is one of
    `choices`; a `token` is one of the vocabulary, by its text or as `#id`, and empty means what `empty` says.
    """

    name: str
    title: str
    kind: Kind
    default: int | float | str
    of: str = ""
    size: int = 0
    least: float | None = None
    most: float | None = None
    choices: Sequence[str] = ()
    empty: str = ""

    def read(self, text: str | None, run: Run) -> Any:
        """Return the value that was asked for, or the default.

        Raises:
            LensError: it is none that can be had; the hint lists what can.
        """
        if text is None:
            text = str(self.default)
        if len(text) > _LONGEST:
            raise LensError(f"{self.name} is {len(text)} characters long", f"Use at most {_LONGEST}.")
        match self.kind:
            case "index":
                return within(self.name, self._whole(text), self.size)
            case "count":
                return self._bounded(self._whole(text))
            case "number":
                return self._bounded(self._number(text))
            case "choice":
                if text not in self.choices:
                    raise LensError(f"there is no {self.name} {text[:40]!r}", f"Use one of: {', '.join(self.choices)}.")
                return text
            case "token":
                return token_named(run, text) if text else None
            case "text":
                return text

    def _whole(self, text: str) -> int:
        try:
            if len(text) > 10:
                raise ValueError
            return int(text)
        except ValueError as error:
            hint = f"Send a number, such as {self.name}=0."
            raise LensError(f"{self.name} is {text[:40]!r}, not a whole number", hint) from error

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError as error:
            hint = f"Send a number, such as {self.name}=1."
            raise LensError(f"{self.name} is {text[:40]!r}, not a number", hint) from error

    def _bounded(self, value: float) -> float:
        least, most = self.least, self.most
        if (least is not None and not value >= least) or (most is not None and not value <= most):
            raise LensError(f"{self.name} is {value}", f"Use {least:g} to {most:g}.")
        return value


def within(name: str, value: int, size: int) -> int:
    """Read an index along an axis, counted from 0; negative ones count from the end.

    Raises:
        LensError: it lies outside.
    """
    if size == 0:
        raise LensError(f"there is no {name} yet", "Ask again when the run's state is paused or done.")
    if not -size <= value < size:
        raise LensError(f"{name} {value} does not exist", f"Use 0 to {size - 1}; -1 is the last.")
    return value % size


def within_shorter(name: str, value: int, longest: int, size: int) -> int:
    """Read an index along the longest of several axes on one of them: the last there is the last of every one.

    Raises:
        LensError: it lies outside of this one.
    """
    return within(name, -1 if value == longest - 1 else value, size)


def token_named(run: Run, text: str) -> int:
    """Find the id of the one token that `text` spells, or of `#id`.

    Raises:
        LensError: there is no such id, or the text is several tokens, or none; the hint lists them.
    """
    size = run.loaded.spec.d_vocab
    if text.startswith("#") and text[1:].isdecimal() and len(text) < 12:
        if int(text[1:]) >= size:
            raise LensError(f"there is no token {text}", f"Use #0 to #{size - 1}.")
        return int(text[1:])
    ids = spelled(run, text)
    if len(ids) == 1:
        return ids[0]
    pieces = ", ".join(repr(run.loaded.tokenizer.text_of(token_id)) for token_id in ids[:6])
    several = f"{text[:40]!r} is {len(ids)} tokens to this model, not one"
    raise LensError(several, f"Name one of: {pieces}; a space in front counts, and #id names a token by number.")


def spelled(run: Run, text: str) -> list[int]:
    """Find the ids of a text's tokens, without what the model puts around every text.

    Raises:
        LensError: the vocabulary cannot spell it.
    """
    tokenizer = run.loaded.tokenizer
    try:
        tokens = tokenizer.encode(text)
    except TokenizeError as error:
        raise LensError(str(error), f"{error.hint} Or name a token by number: #0 to #{_last(run)}.") from error
    # What was not in the text stands for none of its bytes.
    return [token.id for token in tokens if token.end > token.start]


def _last(run: Run) -> int:
    return run.loaded.spec.d_vocab - 1
