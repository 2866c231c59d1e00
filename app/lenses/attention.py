"""Attention: how much each query looks at each key, for one head of one layer."""

from collections.abc import Mapping
from typing import Any

from app.runs.run import Run

from .lens import Lens, LensError, View, nullable, token_labels, within

_STAGES = {"pattern": "hook_pattern", "scores": "hook_attn_scores", "scores_raw": "hook_attn_scores_raw"}


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    spec = run.loaded.spec
    layer, head = within("layer", chosen["layer"], spec.layers), within("head", chosen["head"], spec.heads)
    stage = chosen["stage"]
    if stage not in _STAGES:
        raise LensError(f"there is no stage {stage[:40]!r}", f"Use one of: {', '.join(_STAGES)}.")
    name = f"blocks.{layer}.attn.{_STAGES[stage]}"
    count = run.recorder.rows(name)
    if count == 0:
        raise LensError(f"{name} has not been computed yet", "Ask again when the run's state is paused or done.")
    matrix = run.recorder.read(name, 0, count)[head, :, :count].float().cpu().numpy()
    values = nullable(matrix)
    labels = token_labels(run, count)
    tokens = [token.text for token in run.tokens[:count]]
    numbers = {
        "lens": "attention",
        "run": run.id,
        "name": name,
        "layer": layer,
        "head": head,
        "stage": stage,
        "axes": ["query_pos", "key_pos"],
        "tokens": tokens,
        "matrix": values,
    }

    def figure() -> Any:
        import plotly.graph_objects as plotly  # takes a second to import, so only when a chart is asked for

        scale = {"zmin": 0, "zmax": 1, "colorscale": "Purples"} if stage == "pattern" else {"colorscale": "Tealrose"}
        places = list(range(count))
        heat = plotly.Heatmap(
            z=values,
            customdata=[[[labels[query], labels[key]] for key in places] for query in places],
            hovertemplate="%{customdata[0]} looks at %{customdata[1]}<br>"
            "query_pos %{y}, key_pos %{x}<br>%{z:.4f}<extra></extra>",
            **({"zmid": 0} if stage != "pattern" else {}),
            **scale,
        )
        chart = plotly.Figure(heat)
        ticks = {"tickmode": "array", "tickvals": places, "ticktext": labels}
        chart.update_layout(title=f"{name}, head {head}", plot_bgcolor="rgba(0,0,0,0)")
        chart.update_xaxes(title="key_pos: looked at", constrain="domain", **ticks)
        chart.update_yaxes(title="query_pos: looks", autorange="reversed", scaleanchor="x", constrain="domain", **ticks)
        return chart

    header = ["query_pos", "query_token", "key_pos", "key_token", stage]
    rows = [
        [query, tokens[query], key, tokens[key], values[query][key]] for query in range(count) for key in range(count)
    ]
    return View(numbers, header, rows, figure)


LENS = Lens("attention", "Attention", {"layer": 0, "head": 0, "stage": "pattern"}, _view)
