"""Surprisal: at every position, how many bits the token that came next was worth to the model."""

import math
from collections.abc import Mapping
from typing import Any

import torch

from app.runs.run import Run

from .lens import Lens, View, nullable, positions_read, token_labels

# Rows of logits turned into probabilities at once, so that a long text does not need twice its memory.
_ROWS = 64


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    tokens = run.tokens
    count = min(positions_read(run), len(tokens) - 1)
    pieces = []
    for start in range(0, count, _ROWS):
        end = min(count, start + _ROWS)
        following = torch.tensor([token.id for token in tokens[start + 1 : end + 1]]).unsqueeze(1)
        logits = run.recorder.read("logits", start, end).double().cpu()
        pieces.append(-torch.log_softmax(logits, -1).gather(1, following)[:, 0] / math.log(2))
    bits = torch.cat(pieces).numpy() if pieces else torch.zeros(0).numpy()
    values = nullable(bits)
    total = float(bits.sum())
    numbers = {
        "lens": "surprisal",
        "run": run.id,
        "unit": "bits",
        "positions": [
            {"pos": pos, "token": tokens[pos].text, "next_token": tokens[pos + 1].text, "surprisal": values[pos]}
            for pos in range(count)
        ],
        "total": total if math.isfinite(total) else None,
    }

    def figure() -> Any:
        import plotly.graph_objects as plotly  # takes a second to import, so only when a chart is asked for

        labels = token_labels(run, count + 1)
        places = list(range(1, count + 1))
        bars = plotly.Bar(
            x=places,
            y=values,
            marker={"color": "#2c7a7b"},
            customdata=labels[:count],
            hovertemplate="after %{customdata}: %{y:.3f} bits<extra></extra>",
        )
        chart = plotly.Figure(bars)
        chart.update_layout(title=f"surprisal, {total:.2f} bits in all")
        chart.update_xaxes(title="pos", tickmode="array", tickvals=places, ticktext=labels[1:])
        chart.update_yaxes(title="bits", rangemode="tozero")
        return chart

    rows = [[pos, tokens[pos].text, tokens[pos + 1].text, values[pos]] for pos in range(count)]
    return View(numbers, ["pos", "token", "next_token", "surprisal"], rows, figure)


LENS = Lens("surprisal", "Surprisal", {}, _view)
