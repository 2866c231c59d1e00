"""Embeddings: token and position vectors projected to two or three dimensions, and how alike positions are."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..runs.run import Run
from ..transformer.spec import Spec
from .drawing import Chart, escaped, heat_map, points
from .lens import Lens, Place, View, nullable
from .parameters import LensError, Parameter
from .parts import output_prefix, texts_tokens

_MOST = 1000
_MOST_SQUARE = 256


def why_no_positions(spec: Spec) -> str | None:
    """Say why a model has no vectors for positions, or return None."""
    if spec.position_kind in ("learned", "sinusoidal"):
        return None
    return f"its positions are {spec.position_kind}: they act inside attention and have no vectors of their own"


def principal_components(vectors: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Project centred `vectors [row, d_model]` on their first principal components, `[row, count]`, and the
    share of the variance that each holds (Pearson 1901), by singular values.

    A component's sign is arbitrary; here its largest weight is positive, so that the picture stays the same.
    """
    centred = vectors.double() - vectors.double().mean(0)
    left, singular, right = torch.linalg.svd(centred, full_matrices=False)
    signs = right.gather(1, right.abs().argmax(1, keepdim=True)).sign()[:, 0]
    variance = singular.square()
    share = variance / variance.sum().clamp_min(1e-300)
    return (left * singular * signs)[:, :count], share[:count]


def position_name(run: Run) -> str:
    """Name the table of position vectors."""
    return f"{output_prefix(run.loaded.spec)}W_pos"


def _parameters(run: Run) -> Sequence[Parameter]:
    enough = len({token.id for token in texts_tokens(run)}) > 3
    of = ("tokens", "positions") if why_no_positions(run.loaded.spec) is None else ("tokens",)
    return [
        Parameter("of", "vectors of", "choice", "tokens", choices=of),
        Parameter(
            "which", "which tokens", "choice", "text" if enough else "vocabulary", choices=("text", "vocabulary")
        ),
        Parameter("count", "at most", "count", 300, least=3, most=_MOST),
        Parameter("dimensions", "dimensions", "choice", "2", choices=("2", "3")),
    ]


def _chosen_rows(run: Run, chosen: Mapping[str, Any]) -> list[int]:
    """Choose rows of the table: those of the text, or evenly spread ones where all would be too many."""
    if chosen["of"] == "tokens" and chosen["which"] == "text":
        return sorted({token.id for token in texts_tokens(run)})[: chosen["count"]]
    size = run.loaded.spec.d_vocab if chosen["of"] == "tokens" else run.loaded.spec.positions
    count = min(size, chosen["count"])
    return [size * at // count for at in range(count)]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    tokens, dimensions = chosen["of"] == "tokens", int(chosen["dimensions"])
    rows = _chosen_rows(run, chosen)
    name = "W_E" if tokens else position_name(run)
    if len(rows) <= dimensions:
        raise LensError(
            f"{len(rows)} different tokens are too few for {dimensions} dimensions",
            "Use which=vocabulary, or a longer text.",
        )
    vectors = run.loaded.model.weight(name).detach()[rows].float().cpu()
    where, share = principal_components(vectors, dimensions)
    values = nullable(where.numpy())
    texts = [run.loaded.tokenizer.text_of(row) if tokens else str(row) for row in rows]
    axes = [f"component {at + 1} ({100 * part:.1f} % of the variance)" for at, part in enumerate(share.tolist())]
    numbers = {
        "lens": "embeddings",
        "run": run.id,
        "name": name,
        "rows": rows,
        "texts": texts,
        "points": values,
        "variance": share.tolist(),
    }

    def figure() -> Chart:
        return points(
            where.numpy(), [escaped(text) for text in texts], axes, title=f"{name}: {len(rows)} rows projected",
            ordered=not tokens, shown=len(rows) <= 80,
        )  # fmt: skip

    table = [[row, text, *point] for row, text, point in zip(rows, texts, values, strict=True)]
    header = ["id" if tokens else "pos", "text", *(f"component_{at + 1}" for at in range(dimensions))]
    places: list[Place | None] = [(name, (row, None)) for row in rows]
    return View(numbers, header, lambda: zip(table, places, strict=True), figure)


def _similarity_parameters(run: Run) -> Sequence[Parameter]:
    positions = run.loaded.spec.positions
    default = min(positions, 64)
    return [
        Parameter("first", "from position", "index", 0, of="", size=positions),
        Parameter("count", "positions", "count", default, least=2, most=min(positions, _MOST_SQUARE)),
        Parameter("step", "every", "count", 1, least=1, most=max(1, positions // 2)),
    ]


def _similarity_view(run: Run, chosen: Mapping[str, Any]) -> View:
    name = position_name(run)
    table = run.loaded.model.weight(name).detach()
    rows = list(range(chosen["first"], table.shape[0], chosen["step"]))[: chosen["count"]]
    vectors = table[rows].float().cpu()
    unit = torch.nn.functional.normalize(vectors, dim=-1)
    cosine = (unit @ unit.T).numpy()
    values = nullable(cosine)
    numbers = {"lens": "position_similarity", "run": run.id, "name": name, "positions": rows, "cosine": cosine}

    def figure() -> Chart:
        labels = [str(row) for row in rows]
        return heat_map(
            cosine, labels, labels, "activation", title=f"{name}: cosine of position vectors",
            across="position", down="position", bounds=(-1, 1), unit="cosine",
        )  # fmt: skip

    pairs = [[a, b, values[i][j]] for i, a in enumerate(rows) for j, b in enumerate(rows)]
    places: list[Place | None] = [(name, (a, None)) for a in rows for _ in rows]
    return View(numbers, ["position", "other", "cosine"], lambda: zip(pairs, places, strict=True), figure)


LENS = Lens(
    "embeddings",
    "Projection",
    "Embeddings",
    _view,
    "Vectors of tokens (or positions) put where the first principal components put them: the two or three directions"
    " along which these vectors differ most. The axes say how much of the differences they hold.",
    (
        "Nearness in the picture is not nearness in the model unless the components hold most of the variance; they"
        " rarely do. The nearest neighbours are computed in all dimensions.",
        "Add or leave out tokens and the components turn: positions on the page have no meaning of their own.",
        "The sign of a component is arbitrary.",
    ),
    _parameters,
)
SIMILARITY_LENS = Lens(
    "position_similarity",
    "Positions",
    "Embeddings",
    _similarity_view,
    "The cosine between the vectors of every two positions: 1 points the same way, 0 is unrelated, −1 opposite. A"
    " bright band along the diagonal says that neighbours are alike; stripes show waves in the table.",
    (
        "Positions that training rarely reached keep nearly what they were initialised with.",
        "The vector is added to the token's; how alike two positions act depends on what attention makes of it.",
    ),
    _similarity_parameters,
    why_no_positions,
)
LENSES = (LENS, SIMILARITY_LENS)
