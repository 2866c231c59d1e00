"""Next token: the most probable continuations after one position."""

from collections.abc import Mapping
from typing import Any

from app.runs.run import Run, candidates

from .lens import Lens, LensError, View, escaped, positions_read, token_labels, within

_MOST = 1000


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    count = positions_read(run)
    pos, k = within("pos", chosen["pos"], count), chosen["k"]
    if not 1 <= k <= _MOST:
        raise LensError(f"k is {k}", f"Use 1 to {_MOST}.")
    logits = run.recorder.read("logits", pos, pos + 1)[0].float().cpu()
    top = candidates(logits, run.loaded, k)
    numbers = {
        "lens": "next_token",
        "run": run.id,
        "pos": pos,
        "after": run.tokens[pos].text,
        "candidates": [
            {"id": one.id, "text": one.text, "logit": one.logit, "probability": one.probability} for one in top
        ],
    }

    def figure() -> Any:
        import plotly.graph_objects as plotly  # takes a second to import, so only when a chart is asked for

        places = list(range(len(top)))
        bars = plotly.Bar(
            x=[one.probability for one in top],
            y=places,
            orientation="h",
            marker={"color": "#6b4fa0"},
            customdata=[[one.id, one.logit] for one in top],
            hovertemplate="probability %{x:.4f}<br>id %{customdata[0]}, logit %{customdata[1]:.4f}<extra></extra>",
        )
        chart = plotly.Figure(bars)
        chart.update_layout(title=f"after “{token_labels(run, count)[pos]}” at pos {pos}")
        chart.update_xaxes(title="probability", rangemode="tozero")
        chart.update_yaxes(
            autorange="reversed", tickmode="array", tickvals=places, ticktext=[escaped(one.text) for one in top]
        )
        return chart

    rows = [[place + 1, one.id, one.text, one.logit, one.probability] for place, one in enumerate(top)]
    return View(numbers, ["rank", "id", "text", "logit", "probability"], rows, figure)


LENS = Lens("next_token", "Next token", {"pos": -1, "k": 10}, _view)
