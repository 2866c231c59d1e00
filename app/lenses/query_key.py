"""Query times key, number by number: where the score of one pair comes from."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ..runs.run import Run
from ..transformer.graph import Axis, Bucket, Graph, Op
from ..transformer.positions import distance_buckets
from .attention import module_named
from .drawing import Chart, bars, quoted
from .lens import Lens, Place, View, nullable, rows_of
from .parameters import Parameter, within, within_shorter
from .parts import attention_parameters, axis_tokens, head_parameter


def _scores_op(graph: Graph, module: str) -> Op:
    """Find the operation that multiplies queries with keys."""
    op = graph.op_making(f"{module}.hook_attn_scores_raw") or graph.op_making(f"{module}.hook_attn_scores")
    assert op is not None, f"{module} has no scores"
    return op


def _bias(run: Run, op: Op, head: int, query: int, key: int) -> float | None:
    """Return what the distance between the two adds to their score; None where it adds nothing."""
    for read in op.reads[2:]:
        bucket = read.index[0]
        if isinstance(bucket, Bucket):
            distance = torch.tensor([[key - query]])
            row = distance_buckets(distance, bucket.buckets, bucket.max_distance, bucket.bidirectional)
            return float(run.loaded.model.weight(read.tensor)[int(row), head])
    return None


def _parameters(run: Run) -> Sequence[Parameter]:
    longest = max(len(run.tokens), len(run.source))
    return [
        *attention_parameters(run),
        head_parameter(run.loaded.spec),
        Parameter("query", "query", "index", -1, of="pos", size=longest),
        Parameter("key", "key", "index", 0, of="key_pos", size=longest),
    ]


def _view(run: Run, chosen: Mapping[str, Any]) -> View:
    module, head = module_named(run, chosen), chosen["head"]
    op = _scores_op(run.loaded.graph, module)
    query_read, key_read = op.reads[0], op.reads[1]
    rows_of(run, op.output)
    queries, keys = axis_tokens(run, op.output, "query_pos"), axis_tokens(run, op.output, "key_pos")
    query = within_shorter("query", chosen["query"], max(len(run.tokens), len(run.source)), len(queries))
    key = within("key", chosen["key"], len(keys))
    shared = key_read.index[1]
    key_head = head // shared.divide if isinstance(shared, Axis) else head
    scale = float(op.constants.get("scale", 1.0))
    left = run.recorder.read(query_read.tensor, query, query + 1)[0, head].double().cpu().numpy()
    right = run.recorder.read(key_read.tensor, key, key + 1)[0, key_head].double().cpu().numpy()
    products = left * right * scale
    bias = _bias(run, op, head, query, key)
    score = float(run.recorder.read(op.output, query, query + 1)[head, 0, key])
    numbers = {
        "lens": "query_key",
        "run": run.id,
        "module": module,
        "head": head,
        "query_pos": query,
        "key_pos": key,
        "query_token": queries[query].text,
        "key_token": keys[key].text,
        "scale": scale,
        "query": {"name": query_read.tensor, "values": nullable(left)},
        "key": {"name": key_read.tensor, "head": key_head, "values": nullable(right)},
        "products": nullable(products),
        "sum": float(products.sum()),
        "score": score,
        # What the distance adds to the product, where positions are relative.
        "bias": bias,
        "difference": float(products.sum()) + (bias or 0.0) - score,
    }

    def figure() -> Chart:
        notes = [f"{a:.4f} · {b:.4f} · {scale:.4f}" for a, b in zip(left, right, strict=True)]
        said = f"{products.sum():.4f}"
        said += "" if bias is None else f", with {bias:.4f} for the distance {products.sum() + bias:.4f}"
        return bars(
            numbers["products"], [str(at) for at in range(len(products))], notes=notes, unit="query · key · scale",
            title=f"{module}, head {head}: {quoted(queries[query].text)} · {quoted(keys[key].text)} = {said}",
            lying=False, along="d_head",
        )  # fmt: skip

    rows = [[at, *triple] for at, triple in enumerate(zip(left, right, products, strict=True))]
    places: list[Place | None] = [(query_read.tensor, (query, head, at)) for at in range(len(products))]
    return View(numbers, ["d_head", "query", "key", "product"], lambda: zip(rows, places, strict=True), figure)


LENS = Lens(
    "query_key",
    "One score, number by number",
    "Attention",
    _view,
    "A score is a sum of products, one for each number of the query and the key: bars above zero bring the pair"
    " together, bars below keep it apart. They add up to the score before the mask and the softmax; with relative"
    " positions the bias of the distance comes on top, with rotary ones both vectors are shown after turning.",
    (
        "Single numbers of a query have no meaning of their own: a rotation of the head's axes leaves every score.",
        "A high score wins only against the other keys of its row; look at the pattern for what is left of it.",
    ),
    _parameters,
)
LENSES = (LENS,)
