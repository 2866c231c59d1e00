"""Measures of heads: one number a head, from the text that was read or from a random sequence read twice."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..runs.run import Run
from .attention import square
from .drawing import Chart, heat_map
from .lens import Lens, Place, View, nullable
from .measures import TITLES, in_text, table
from .parameters import LensError, Parameter
from .parts import attentions, fullest
from .repetition import REPETITIONS, Repetition, why_not


def _parameters(run: Run) -> Sequence[Parameter]:
    parts = [part for part in attentions(run.loaded.graph) if part != "cross"]
    return [
        Parameter("part", "attention", "choice", fullest(run, parts), choices=parts),
        Parameter("measure", "measure", "choice", "entropy", choices=tuple(TITLES)),
        Parameter("seed", "seed of the sequence", "count", 0, least=0, most=2**31 - 1),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    modules, measure = attentions(run.loaded.graph)[chosen["part"]], chosen["measure"]
    reason = why_not(run.loaded.spec)
    found = [in_text(square(run, f"{module}.hook_pattern")) for module in modules]
    measures = {name: np.stack([layer[name].numpy() for layer in found]) for name in found[0]}  # [layer, head]
    repetition: Repetition | None = None
    if reason is None:
        repetition = REPETITIONS.of(run.loaded, chosen["seed"])
        measures |= {name: value.numpy() for name, value in repetition.measures.items()}
    if measure not in measures:
        said = reason if measure in ("induction", "duplicate") else "it takes two tokens or more"
        raise LensError(f"{measure} cannot be measured here: {said}", f"Use one of: {', '.join(measures)}.")
    values = {name: nullable(value) for name, value in measures.items()}
    numbers = {
        "lens": "head_measures",
        "run": run.id,
        "part": chosen["part"],
        "measure": measure,
        "axes": ["layer", "head"],
        "measures": values,
        "sequence": None
        if repetition is None
        else {"seed": chosen["seed"], "tokens": repetition.length, "times": 2, "drawn": "without replacement"},
        "sequence_reason": reason,
    }

    def figure() -> Chart:
        layers, heads = measures[measure].shape
        shares = measure not in ("entropy", "distance")
        return heat_map(
            values[measure], [str(head) for head in range(heads)], [str(layer) for layer in range(layers)],
            "probability" if shares else "summary",
            title=f"{TITLES[measure]} of every head", across="head", down="block",
            bounds=(0, 1) if shares else None, unit={"entropy": "bits", "distance": "positions"}.get(measure, "share"),
        )  # fmt: skip

    rows: list[list[object]] = []
    places = list[Place | None]()
    for layer, module in enumerate(modules):
        for head in range(run.loaded.spec.heads):
            rows.append([layer, head, *(values[name][layer][head] for name in values)])
            places.append((f"{module}.hook_pattern", (head, None, None)))
    return View(numbers, table(list(values)), lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "head_measures",
    "Measures of heads",
    "Attention",
    _view,
    "Blocks downward, heads to the right, one number a head. Entropy, mean distance and the shares given to the"
    " previous and to the first token are means over the queries of the text that was read. Induction and duplicate"
    " token are measured in a run of their own, on random tokens read twice: the share that a token of the second"
    " copy gives to what followed it, or to itself, in the first copy. A perfect head scores 1.",
    (
        "Entropy says how widely a head looks, not how much it matters.",
        "A high induction score on random tokens shows that a head can copy, not that it does in this text.",
        "The first query of a causal head has one key, so its entropy and distance are 0 and lower the means.",
    ),
    _parameters,
)
LENSES = (LENS,)
