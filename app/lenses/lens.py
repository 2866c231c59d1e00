"""What every lens is: parameters in, a view out, which can be written as JSON, a table, a Plotly figure or a file.

A lens describes itself (what it takes, how to read it, how it is misread, where it does not apply), so that one
panel, one REST call and one page of documentation serve them all.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
import orjson
import torch
from numpy.typing import NDArray

from ..runs.run import Run
from ..transformer.spec import Spec
from .drawing import Chart, Scale
from .parameters import LensError, Parameter

Format = Literal["json", "csv", "table", "figure", "html"]
# A cell of a tensor, or all along the axes that are None: where the map shows what a row of a table speaks of.
Place = tuple[str, tuple[int | None, ...]]
# Rows that a page shows; a file has them all.
_SHOWN_ROWS = 5000


@dataclass(frozen=True)
class Along:
    """Which columns of a table are a text: a row's token, and the number it is coloured by, on a scale of colours."""

    token: str
    value: str
    scale: Scale


@dataclass(frozen=True)
class View:
    """What a lens shows of one run: numbers for JSON, a table for CSV, and how to draw them.

    `rows` makes the table's rows when they are asked for, each with the cells of the map that it speaks of, if any.
    `along` says that the rows are the text's tokens in order, which a page can show as coloured words.
    """

    numbers: Mapping[str, Any]
    header: Sequence[str]
    rows: Callable[[], Iterable[tuple[Sequence[object], Place | None]]]
    figure: Callable[[], Chart]
    along: Along | None = None

    def write(self, form: Format) -> str | bytes:
        """Write the view in one of its formats."""
        match form:
            case "json":
                return as_json(dict(self.numbers))
            case "csv":
                file = io.StringIO()
                table = csv.writer(file)
                table.writerow(self.header)
                table.writerows(map(_plain, row) for row, _ in self.rows())
                return file.getvalue()
            case "table":
                return self._shown_table()
            case "figure":
                return as_json(self.figure())
            case "html":
                return _as_page(self.figure())

    def _shown_table(self) -> bytes:
        """Return the first rows, as many as a page can show, and the cells they speak of."""
        first = list(islice(self.rows(), _SHOWN_ROWS + 1))
        shown = first[:_SHOWN_ROWS]
        answer = {
            "header": self.header,
            "rows": [row for row, _ in shown],
            "places": [place for _, place in shown],
            "complete": len(first) == len(shown),
            "along": None if self.along is None else vars(self.along),
        }
        return as_json(answer)


def as_json(answer: Mapping[str, Any]) -> bytes:
    """Write the view as JSON, arrays among it; NaN and infinities become null."""
    # Transposed arrays and single numbers of NumPy's go the slower way.
    return orjson.dumps(answer, default=lambda value: value.tolist(), option=orjson.OPT_SERIALIZE_NUMPY)


def _plain(cell: Any) -> Any:
    """Write a cell that no spreadsheet takes for a formula: a text that begins like one gets an apostrophe first."""
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _as_page(chart: Chart) -> str:
    """Write a chart as one file that needs nothing else."""
    from plotly.io import to_html  # takes a second to import, so only when such a file is asked for

    return str(to_html(orjson.loads(as_json(chart)), include_plotlyjs=True, full_html=True, validate=False))


def always(spec: Spec) -> str | None:
    """Accept every model."""
    return None


def no_parameters(run: Run) -> Sequence[Parameter]:
    """Offer nothing to choose."""
    return ()


@dataclass(frozen=True)
class Lens:
    """A way to look at a run.

    `parameters` says what can be chosen for this run; `applies` why the lens says nothing of a kind of model, or
    None. `reading` is how to read the view, `misreadings` what it is usually taken for and is not.
    """

    name: str
    title: str
    group: str
    view: Callable[[Run, Mapping[str, Any]], View]
    reading: str
    misreadings: Sequence[str] = ()
    parameters: Callable[[Run], Sequence[Parameter]] = field(default=no_parameters)
    applies: Callable[[Spec], str | None] = field(default=always)

    def see(self, run: Run, asked: Mapping[str, str]) -> View:
        """Compute the view of a run under the parameters asked for.

        Raises:
            LensError: the lens does not apply to the model, has no such parameter, or not that value.
        """
        reason = self.applies(run.loaded.spec)
        if reason is not None:
            raise LensError(
                f"{self.title} does not apply to {run.loaded.entry.id}: {reason}",
                "The list of the run's lenses says which do.",
            )
        known = {parameter.name: parameter for parameter in self.parameters(run)}
        for name in asked:
            if name not in known:
                raise LensError(f"{self.name} has no parameter {name[:40]!r}", f"It has: {', '.join(known) or 'none'}.")
        chosen = {name: parameter.read(asked.get(name), run) for name, parameter in known.items()}
        with torch.inference_mode():
            return self.view(run, chosen)


def positions_read(run: Run) -> int:
    """Count the positions that have logits.

    Raises:
        LensError: none yet.
    """
    return rows_of(run, "logits")


def rows_of(run: Run, name: str) -> int:
    """Count the positions of a tensor.

    Raises:
        LensError: none yet.
    """
    count = run.recorder.rows(name)
    if count == 0:
        raise LensError(f"{name} has not been computed yet", "Ask again when the run's state is paused or done.")
    return count


def nullable(values: NDArray[np.floating[Any]]) -> list[Any]:
    """Nest an array's numbers in lists, with None for what JSON cannot say."""
    if np.isfinite(values).all():
        return list(values.tolist())
    listed = values.astype(object)
    listed[~np.isfinite(values)] = None
    return list(listed.tolist())
