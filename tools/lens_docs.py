"""Writes `docs/reference/lenses.md` from what every lens says of itself, so that page, API and text cannot differ.

A Python test keeps the file equal to what the lenses say.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path

from app.lenses import LENSES, Lens
from app.transformer.spec import Relative, Rotary, Spec

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "lenses.md"
_HEAD = """# Lenses

A lens is a view of one run: attention, predictions through the layers, who made a logit. Each is one call,

```bash
curl "$API/runs/$RUN/lenses"                                         # which apply, what each takes, how to read it
curl "$API/runs/$RUN/lenses/contributions?token=%20girl&minus=%20boy"  # numbers
```

with `format=json` (numbers), `csv` or `table` (rows; `table` is JSON and says which cells of the map a row speaks of),
`figure` (a Plotly figure) or `html` (the figure as one file). Parameters are chosen from what the list offers; what
cannot be is refused with the choices. Tokens are named by their text (a space in front counts) or as `#id`; positions
count from 0, negative ones from the end. All numbers come from the run's own tensors and the model's weights.

`figure` is written in Plotly's words and reads in a notebook as `plotly.graph_objects.Figure(answer.json())`; its
traces say in `meta` which row of the table a point is.

## In the page

Every lens is a panel in the dock beside the map, up to twelve at once, with four faces: the chart, the text in colours
(where there is one number a token), the table, and the notes below. What is open, what it was asked and the dock's
width are in the address or remembered (what a lens was asked only in the address: it may name words of the text).

* **Linked both ways.** A point, cell, token or row pointed at is lit in the map, and chosen there by a click or Enter;
  what is chosen in the map is framed in the chart and marked in the table. Block, head, neuron and positions that were
  not chosen in the lens follow the cell or token chosen on the page (`chosen (3)`).
* **Heat maps** keep their labels in view and scroll where written cells need the room; `+` and `-` change the size.
* **Keyboard**: in a heat map the arrows move the cell, Home, End, Page Up and Page Down go to the ends, Enter shows the
  cell in the map; in a text the arrows go from token to token; in three dimensions they turn the points. What is
  reached is read out.
* **To take away**: `csv`, `json`, `html`, and the chart for paper, dark on white whatever the theme, as `svg` or as
  `png` at 288 dots an inch, which is said in the file.


A new lens is one module in `app/lenses/`, named in `app/lenses/__init__.py`; this page is made from what it says of
itself by `python -m tools.lens_docs`.
"""
_PLAIN = Spec(layers=2, heads=2, d_model=8, d_head=4, d_mlp=16, d_vocab=32, positions=32)
# What kinds of model there are, each by a spec of its kind.
_KINDS = {
    "GPT-2 kind": _PLAIN,
    "Llama kind": replace(_PLAIN, norm="rms", position_kind="rotary", rotary=Rotary(4)),
    "BERT kind": replace(
        _PLAIN, kind="encoder", norm_place="post", final_norm=False, embedding_norm=True, head_transform=True
    ),
    "T5 kind": replace(
        _PLAIN, kind="encoder_decoder", encoder_layers=2, norm="rms", position_kind="relative", relative=Relative()
    ),
}


def page_text() -> str:
    """Write the page: a section a lens, in groups."""
    parts = [_HEAD]
    for group, lenses in groupby(LENSES.values(), key=lambda lens: lens.group):
        parts.append(f"\n## {group}\n")
        parts.extend(_section(lens) for lens in lenses)
    return "".join(parts)


def _section(lens: Lens) -> str:
    reasons: dict[str, list[str]] = {}
    for kind, spec in _KINDS.items():
        reason = lens.applies(spec)
        if reason is not None:
            reasons.setdefault(reason, []).append(kind)
    lines = [f"\n### {lens.title} (`{lens.name}`)\n", f"\n{lens.reading}\n", "\nMisreadings:\n\n"]
    lines += [f"* {misreading}\n" for misreading in lens.misreadings]
    for reason, kinds in reasons.items():
        lines.append(f"\nDoes not apply to models of the {' and '.join(kinds)}: {reason}.\n")
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
