"""Charts in words of Plotly, in one place: a heat map, bars, lines, points, and tokens as labels.

A chart is the JSON of a Plotly figure, written down without the library: importing that takes a second, and the page
needs only the words. Colours are those of the light theme. Every trace says in `meta` what its colours stand for, so
that the page can draw it in its own, and which row of the lens's table a point is: `row + stride · point number`;
where several cells of a matrix are one row, `block` says how many, down and across, and where a matrix is in another
order than the table, `which` has the row of every cell.
"""

import html
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..runs.run import Run
from ..transformer.tokenizer import Token

Scale = Literal["probability", "activation", "summary"]
# A Plotly figure: {"data": [...], "layout": {...}}.
Chart = dict[str, Any]
# Numbers by row and column: lists, or an array of NumPy's, whose not-a-number JSON has as null.
Matrix = Any
COLOURS: dict[str, str] = {
    "probability": "#5b2bbf", "activation": "#00857a", "negative": "#c2185b", "summary": "#5a6068"
}  # fmt: skip
_PAPER = "#faf8f4"
_SPACES = {" ": "␣", "\n": "⏎", "\t": "⇥"}
# Beyond it a text for every cell would weigh more than the numbers.
MOST_TEXTS = 20_000


def escaped(text: str) -> str:
    """Write one token's text as a chart shows it: white space visible, nothing that Plotly takes for markup.

    Quotes stay as they are: Plotly would show an entity for them as it is written.
    """
    return html.escape("".join(_SPACES.get(character, character) for character in text), quote=False)


def quoted(text: str) -> str:
    """Quote a token's text within a sentence."""
    return f"“{escaped(text)}”"


def labels_of(tokens: Sequence[Token]) -> list[str]:
    """Write tokens as a chart shows them."""
    return [escaped(token.text) for token in tokens]


def token_labels(run: Run, count: int) -> list[str]:
    """Write the first tokens of a run as a chart shows them."""
    return labels_of(run.tokens[:count])


def heat_map(
    values: Matrix,
    columns: Sequence[str],
    rows: Sequence[str],
    scale: Scale,
    *,
    title: str,
    across: str,
    down: str,
    unit: str = "",
    texts: Sequence[Sequence[str]] | None = None,
    notes: Sequence[Sequence[str]] | None = None,
    bounds: tuple[float, float] | None = None,
    meta: Mapping[str, object] | None = None,
) -> Chart:
    """Draw a matrix, first row on top. `texts` are written into the cells, above their numbers; `notes` are what a cell
    says besides when pointed at. `meta` adds to what the page is told, and takes away what it gives None for."""
    few = len(rows) * len(columns) <= MOST_TEXTS
    square = list(rows) == list(columns)
    told: dict[str, object] = {
        "scale": scale,
        "row": 0,
        "stride": [len(columns), 1],
        "unit": unit,
        "columns": columns,
        "rows": rows,
        "square": square,
        **(meta or {}),
    }
    heat: dict[str, Any] = {
        "type": "heatmap",
        "z": values,
        "colorscale": _colours(scale),
        "colorbar": {"thickness": 8, "outlinewidth": 0, "title": {"text": unit, "side": "right"}},
        "hoverongaps": False,
        "meta": {name: value for name, value in told.items() if value is not None},
    }
    said = f"{down} %{{y}}, {across} %{{x}}: %{{z:.4g}} {unit}<extra></extra>"
    if bounds is not None:
        heat |= {"zmin": bounds[0], "zmax": bounds[1]}
    elif scale == "activation":
        heat |= {"zmid": 0}
    if notes is not None and few:
        heat |= {"customdata": notes}
        said = "%{customdata}<br>" + said
    if texts is not None and few:
        heat |= {"text": texts, "texttemplate": "%{text}<br>%{z:.2f}", "textfont": {"size": 11}}
    layout = {
        "xaxis": {"title": {"text": across}, **ticks(columns)},
        "yaxis": {"title": {"text": down}, **ticks(rows), "autorange": "reversed"},
    }
    if square:
        layout["xaxis"] |= {"constrain": "domain"}
        layout["yaxis"] |= {"constrain": "domain", "scaleanchor": "x"}
    return finished([{**heat, "hovertemplate": said}], layout, title)


def bars(
    values: Sequence[float | None],
    names: Sequence[str],
    *,
    title: str,
    unit: str,
    notes: Sequence[str] | None = None,
    scale: Scale = "activation",
    lying: bool = True,
    along: str = "",
    sums: Sequence[tuple[str, float]] = (),
) -> Chart:
    """Draw one bar a name, the first on top when `lying`; negative ones in their own colour. `sums` are bars of another
    kind after them, which stand for no row of the table."""
    negative = COLOURS["negative"] if scale == "activation" else COLOURS[scale]
    said = "%{customdata}<br>" if notes is not None else ""
    ends = f"%{{{'x' if lying else 'y'}:.4g}} {unit}<extra></extra>"

    def trace(places: range, heights: Sequence[float | None], colours: Sequence[str] | str) -> dict[str, Any]:
        return {
            "type": "bar",
            "orientation": "h" if lying else "v",
            "x": heights if lying else list(places),
            "y": list(places) if lying else heights,
            "marker": {"color": colours},
        }

    labels = [*names, *(name for name, _ in sums)]
    first = trace(
        range(len(names)), values, [negative if value is not None and value < 0 else COLOURS[scale] for value in values]
    )
    first |= {"meta": {"scale": scale, "row": 0, "stride": [1], "names": labels}, "hovertemplate": said + ends}
    data = [first if notes is None else {**first, "customdata": notes}]
    if sums:
        after = range(len(names), len(names) + len(sums))
        data.append(
            {**trace(after, [value for _, value in sums], COLOURS["summary"]), "hovertemplate": ends,
             "meta": {"scale": "summary"}}
        )  # fmt: skip
    upright = {"xaxis": {"title": {"text": along}, **ticks(labels)}, "yaxis": {"title": {"text": unit}}}
    level = {"xaxis": {"title": {"text": unit}}, "yaxis": {**ticks(labels), "autorange": "reversed"}}
    return finished(data, {**(level if lying else upright), "showlegend": False}, title)


def lines(
    series: Sequence[tuple[str, Sequence[float | None]]],
    names: Sequence[str],
    *,
    title: str,
    unit: str,
    along: str,
    notes: Sequence[str] | None = None,
    ranks: bool = False,
) -> Chart:
    """Draw one line a series over the same places; `ranks` have a logarithmic axis with 1 on top."""
    said = "%{customdata}<br>" if notes is not None else ""
    data = [
        {
            "type": "scatter",
            "x": list(range(len(names))),
            "y": values,
            "name": name,
            "mode": "lines+markers",
            "marker": {"size": 4},
            **({"line": {"color": COLOURS["activation"]}} if len(series) == 1 else {}),
            "meta": {"row": number * len(names), "stride": [1], "names": names},
            "hovertemplate": f"{said}{unit} %{{y:.4g}}<extra>{name}</extra>",
            **({} if notes is None else {"customdata": notes}),
        }
        for number, (name, values) in enumerate(series)
    ]
    scale = {"type": "log", "autorange": "reversed", "dtick": 1} if ranks else {}
    layout = {
        "xaxis": {"title": {"text": along}, **ticks(names)},
        "yaxis": {"title": {"text": unit}, **scale},
        "showlegend": len(series) > 1,
    }
    return finished(data, layout, title)


def points(
    where: Matrix, names: Sequence[str], axes: Sequence[str], *, title: str, ordered: bool, shown: bool
) -> Chart:
    """Draw points in two or three dimensions, `where [point, 2 or 3]`, each named; `ordered` ones differ in colour."""
    deep = len(axes) == 3
    letters = "xyz"[: len(axes)]
    trace = {
        "type": "scatter3d" if deep else "scatter",
        **{letter: where[:, at] for at, letter in enumerate(letters)},
        "text": names,
        "mode": "markers+text" if shown else "markers",
        "textposition": "top center",
        "hovertext": names,
        "hoverinfo": "text",
        "marker": {
            "size": 3 if deep else 5,
            "color": list(range(len(names))) if ordered else COLOURS["activation"],
            **({"colorscale": "Viridis"} if ordered else {}),
        },
        "meta": {"row": 0, "stride": [1], "scale": "activation"},
    }
    titles = {f"{letter}axis": {"title": {"text": axis}} for letter, axis in zip(letters, axes, strict=True)}
    if not deep:
        titles["yaxis"]["scaleanchor"] = "x"  # type: ignore[assignment]
    return finished([trace], {"scene": titles} if deep else titles, title)


def ticks(names: Sequence[str]) -> dict[str, Any]:
    """Label an axis with names, thinned where there would be too many to read."""
    every = max(1, -(-len(names) // 64))
    places = list(range(0, len(names), every))
    named = [names[place] for place in places]
    return {"tickmode": "array", "tickvals": places, "ticktext": named, "zeroline": False}


def finished(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], title: str) -> Chart:
    """Give a chart what all charts share."""
    return {"data": list(data), "layout": {**layout, "title": {"text": title}, "plot_bgcolor": "rgba(0,0,0,0)"}}


def _colours(scale: Scale) -> list[list[float | str]]:
    if scale == "activation":
        return [[0, COLOURS["negative"]], [0.5, _PAPER], [1, COLOURS["activation"]]]
    return [[0, _PAPER], [1, COLOURS[scale]]]
