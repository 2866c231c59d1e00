"""What every lens is: parameters in, a view out, which can be written as JSON, CSV, a Plotly figure or a file."""

import csv
import html
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from app.runs.run import Run

Format = Literal["json", "csv", "figure", "html"]
_SPACES = {" ": "␣", "\n": "⏎", "\t": "⇥"}


class LensError(ValueError):
    """A lens that cannot be used so; `hint` says how it can."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class View:
    """What a lens shows of one run: numbers for JSON, a table for CSV, and how to draw them."""

    numbers: Mapping[str, Any]
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    figure: Callable[[], Any]

    def write(self, form: Format) -> str | bytes:
        """The view in one of its formats."""
        match form:
            case "json":
                return orjson.dumps(dict(self.numbers), option=orjson.OPT_SERIALIZE_NUMPY)
            case "csv":
                file = io.StringIO()
                csv.writer(file).writerows([self.header, *self.rows])
                return file.getvalue()
            case "figure":
                return str(self.figure().to_json())
            case "html":
                return str(self.figure().to_html(include_plotlyjs=True, full_html=True))


@dataclass(frozen=True)
class Lens:
    """A way to look at a run: its name, its title, and its parameters with their defaults."""

    name: str
    title: str
    parameters: Mapping[str, int | str]
    view: Callable[[Run, Mapping[str, Any]], View]

    def see(self, run: Run, asked: Mapping[str, str]) -> View:
        """The view of a run under the parameters asked for.

        Raises:
            LensError: a parameter that this lens does not have, or a value it cannot take.
        """
        chosen: dict[str, Any] = dict(self.parameters)
        for name, text in asked.items():
            if name not in self.parameters:
                raise LensError(f"{self.name} has no parameter {name!r}", f"It has: {', '.join(self.parameters)}.")
            chosen[name] = _whole(name, text) if isinstance(self.parameters[name], int) else text
        return self.view(run, chosen)


def _whole(name: str, text: str) -> int:
    try:
        if len(text) > 10:
            raise ValueError
        return int(text)
    except ValueError as error:
        raise LensError(f"{name} is {text[:40]!r}, not a whole number", f"Send a number, such as {name}=0.") from error


def within(name: str, value: int, size: int) -> int:
    """An index along an axis, counted from 0; negative ones count from the end.

    Raises:
        LensError: it lies outside.
    """
    if not -size <= value < size:
        raise LensError(f"{name} {value} does not exist", f"Use 0 to {size - 1}.")
    return value % size


def positions_read(run: Run) -> int:
    """How many positions have logits.

    Raises:
        LensError: none yet.
    """
    count = run.recorder.rows("logits")
    if count == 0:
        raise LensError("the run has not read its prompt yet", "Ask again when its state is paused or done.")
    return count


def token_labels(run: Run, count: int) -> list[str]:
    """The first tokens as a chart shows them: white space visible, nothing that Plotly takes for markup."""
    return [escaped(token.text) for token in run.tokens[:count]]


def escaped(text: str) -> str:
    """One token's text as a chart shows it."""
    return html.escape("".join(_SPACES.get(character, character) for character in text))


def nullable(values: NDArray[np.floating[Any]]) -> list[Any]:
    """Nested lists with None for what JSON cannot say."""
    listed = values.astype(object)
    listed[~np.isfinite(values)] = None
    return list(listed.tolist())
