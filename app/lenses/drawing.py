"""Charts in words of Plotly, in one place: a heat map, bars, lines, and tokens as labels.

Colours are those of the light theme; every trace says in `meta` what its colours stand for, so that the page can
draw it in its own. `meta.row` and `meta.stride` say which row of the table a point is: row + stride · point number.
"""

import html
from collections.abc import Sequence
from typing import Any, Literal

from app.runs.run import Run
from app.transformer.tokenizer import Token

Scale = Literal["probability", "activation", "summary"]
COLOURS: dict[str, str] = {
    "probability": "#5b2bbf", "activation": "#00857a", "negative": "#c2185b", "summary": "#5a6068"
}  # fmt: skip
_PAPER = "#faf8f4"
_SPACES = {" ": "␣", "\n": "⏎", "\t": "⇥"}
# Beyond it a text for every cell would weigh more than the numbers.
_MOST_TEXTS = 20_000


def escaped(text: str) -> str:
    """One token's text as a chart shows it: white space visible, nothing that Plotly takes for markup.

    Quotes stay as they are: Plotly would show an entity for them as it is written.
    """
    return html.escape("".join(_SPACES.get(character, character) for character in text), quote=False)


def labels_of(tokens: Sequence[Token]) -> list[str]:
    """Tokens as a chart shows them."""
    return [escaped(token.text) for token in tokens]


def token_labels(run: Run, count: int) -> list[str]:
    """The first tokens of a run as a chart shows them."""
    return labels_of(run.tokens[:count])


def heat_map(
    values: Sequence[Sequence[float | None]],
    columns: Sequence[str],
    rows: Sequence[str],
    scale: Scale,
    *,
    title: str,
    across: str,
    down: str,
    texts: Sequence[Sequence[str]] | None = None,
    bounds: tuple[float, float] | None = None,
    square: bool = False,
    upward: bool = False,
    shown: bool = False,
) -> Any:
    """A matrix, first row on top (below, when `upward`); `texts` are what a cell says when pointed at, and are
    written into the cells when `shown`."""
    import plotly.graph_objects as plotly  # takes a second to import, so only when a chart is asked for

    few = len(rows) * len(columns) <= _MOST_TEXTS
    colours = {"colorscale": _colours(scale), **({"zmid": 0} if scale == "activation" else {})}
    if bounds is not None:
        colours = {"colorscale": _colours(scale), "zmin": bounds[0], "zmax": bounds[1]}
    heat = plotly.Heatmap(
        z=values,
        meta={"scale": scale, "row": 0, "stride": [len(columns), 1]},
        colorbar={"thickness": 8, "outlinewidth": 0},
        hoverongaps=False,
        **({"text": texts} if texts is not None and few else {}),
        **({"texttemplate": "%{text}"} if texts is not None and shown and few else {}),
        hovertemplate=f"{'%{text}<br>' if texts is not None and few else ''}"
        f"{down} %{{y}}, {across} %{{x}}: %{{z:.4g}}<extra></extra>",
        **colours,
    )
    chart = plotly.Figure(heat)
    fixed = {"scaleanchor": "x", "constrain": "domain"} if square else {}
    chart.update_xaxes(title=across, **ticks(columns), **({"constrain": "domain"} if square else {}))
    chart.update_yaxes(title=down, **ticks(rows), **({} if upward else {"autorange": "reversed"}), **fixed)
    return finished(chart, title)


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
) -> Any:
    """One bar a name, the first on top when `lying`; negative ones in their own colour."""
    import plotly.graph_objects as plotly

    places = list(range(len(names)))
    negative = COLOURS["negative"] if scale == "activation" else COLOURS[scale]
    said = "%{customdata}<br>" if notes is not None else ""
    bar = plotly.Bar(
        orientation="h" if lying else "v",
        x=values if lying else places,
        y=places if lying else values,
        marker={"color": [negative if value is not None and value < 0 else COLOURS[scale] for value in values]},
        meta={"scale": scale, "row": 0, "stride": [1]},
        hovertemplate=f"{said}%{{{'x' if lying else 'y'}:.4g}} {unit}<extra></extra>",
        **({"customdata": notes} if notes is not None else {}),
    )
    chart = plotly.Figure(bar)
    if lying:
        chart.update_xaxes(title=unit)
        chart.update_yaxes(autorange="reversed", **ticks(names))
    else:
        chart.update_yaxes(title=unit)
        chart.update_xaxes(title=along, **ticks(names))
    return finished(chart, title)


def lines(
    series: Sequence[tuple[str, Sequence[float | None]]],
    names: Sequence[str],
    *,
    title: str,
    unit: str,
    along: str,
    logarithmic: bool = False,
    reversed_unit: bool = False,
) -> Any:
    """One line a series over the same places."""
    import plotly.graph_objects as plotly

    places = list(range(len(names)))
    chart = plotly.Figure(
        [
            plotly.Scatter(
                x=places,
                y=values,
                name=name,
                mode="lines+markers",
                marker={"size": 4},
                meta={"row": number * len(names), "stride": [1]},
                hovertemplate=f"%{{y:.4g}} {unit}<extra>{name}</extra>",
            )
            for number, (name, values) in enumerate(series)
        ]
    )
    chart.update_xaxes(title=along, **ticks(names))
    chart.update_yaxes(title=unit, **({"type": "log"} if logarithmic else {}))
    if reversed_unit:
        chart.update_yaxes(autorange="reversed")
    chart.update_layout(showlegend=len(series) > 1)
    return finished(chart, title)


def ticks(names: Sequence[str]) -> dict[str, Any]:
    """Names along an axis, thinned where there would be too many to read."""
    every = max(1, -(-len(names) // 64))
    places = list(range(0, len(names), every))
    return {"tickmode": "array", "tickvals": places, "ticktext": [names[place] for place in places]}


def finished(chart: Any, title: str) -> Any:
    """A chart with what all charts share."""
    chart.update_layout(title=title, plot_bgcolor="rgba(0,0,0,0)", template="none")
    return chart


def _colours(scale: Scale) -> list[list[float | str]]:
    if scale == "activation":
        return [[0, COLOURS["negative"]], [0.5, _PAPER], [1, COLOURS["activation"]]]
    return [[0, _PAPER], [1, COLOURS[scale]]]
