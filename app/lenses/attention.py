"""Attention: how much each query looks at each key, for one head of one layer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

from ..runs.run import Run
from .drawing import Chart, heat_map, labels_of
from .lens import Lens, Place, View, nullable, rows_of
from .parameters import LensError, Parameter, within
from .parts import attention_parameters, attentions, axis_tokens, head_parameter

_STAGES = {"pattern": "hook_pattern", "scores": "hook_attn_scores", "scores_raw": "hook_attn_scores_raw"}


def module_named(run: Run, chosen: Mapping[str, Any]) -> str:
    """Name the attention module of the part and layer chosen, such as `blocks.3.attn`.

    Raises:
        LensError: that part has fewer layers.
    """
    modules = attentions(run.loaded.graph)[chosen["part"]]
    return modules[within("layer", chosen["layer"], len(modules))]


def square(run: Run, name: str) -> Tensor:
    """Return scores or a pattern, `[head, query_pos, key_pos]`, of the positions read so far.

    Raises:
        LensError: none yet.
    """
    count = rows_of(run, name)
    tensor = run.recorder.read(name, 0, count).float().cpu()
    crossed = set(run.recorder.info(name).source_axes) == {"key_pos"}
    # Keys that came in meanwhile take no part.
    return tensor if crossed else tensor[..., :count]


def _parameters(run: Run) -> Sequence[Parameter]:
    stage = Parameter("stage", "stage", "choice", "pattern", choices=tuple(_STAGES))
    return [*attention_parameters(run), head_parameter(run.loaded.spec), stage]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    head, stage, module = chosen["head"], chosen["stage"], module_named(run, chosen)
    name = f"{module}.{_STAGES[stage]}"
    if name not in run.recorder.names:
        raise LensError(f"{module} masks nothing, so it has no scores before a mask", "Use stage=scores.")
    matrix = square(run, name)[head].numpy()
    queries, keys = axis_tokens(run, name, "query_pos"), axis_tokens(run, name, "key_pos")
    queries, keys = queries[: matrix.shape[0]], keys[: matrix.shape[1]]
    numbers = {
        "lens": "attention",
        "run": run.id,
        "name": name,
        "part": chosen["part"],
        "layer": chosen["layer"],
        "head": head,
        "stage": stage,
        "axes": ["query_pos", "key_pos"],
        "tokens": [token.text for token in queries],
        "key_tokens": [token.text for token in keys],
        "matrix": matrix,
    }

    def figure() -> Chart:
        return heat_map(
            matrix, labels_of(keys), labels_of(queries), "probability" if stage == "pattern" else "activation",
            title=f"{name}, head {head}; rows are queries", across="key_pos", down="query_pos",
            bounds=(0, 1) if stage == "pattern" else None, unit="share" if stage == "pattern" else "score",
        )  # fmt: skip

    header = ["query_pos", "query_token", "key_pos", "key_token", stage]

    def rows() -> Iterator[tuple[Sequence[object], Place]]:
        values = nullable(matrix)
        for query, query_token in enumerate(queries):
            for key, key_token in enumerate(keys):
                row = [query, query_token.text, key, key_token.text, values[query][key]]
                yield row, (name, (head, query, key))

    return View(numbers, header, rows, figure)


LENS = Lens(
    "attention",
    "Attention of one head",
    "Attention",
    _view,
    "A row is a query: the token that looks. A column is a key: the token looked at. In the pattern every row sums to"
    " one, the shares of what the query takes in; the scores are what the softmax made the shares of, before and"
    " after the mask that hides the future.",
    (
        "A large share is not importance: what moves is the value of the key, which may be small or be undone later.",
        "Heads that put nearly everything on the first token are usually resting, not interested in it.",
        "Patterns of deep layers mix vectors that already hold other tokens; a column is a place, not a word.",
    ),
    _parameters,
)
LENSES = (LENS,)
