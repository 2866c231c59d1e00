"""Two cells of a run side by side: what each is, and which terms make the difference."""

import dataclasses

import torch

from ..transformer.terms import CellArithmetic, Pairing
from .explain import cells_of, explain_cell, finite, reading_of, term_answer
from .explanation import Beside, CellValue, Explanation, RestOfPairs, Sides, TermPair
from .run import Run


def compare_cells(run: Run, name: str, index: str, other: str, other_index: str, limit: int) -> Beside:
    """Subtract the second cell from the first, and list the `limit` terms in which they differ most.

    Raises:
        ExplainError: a cell has not been computed, or what it is made of was not captured.
        SliceError: an index names no cell.
    """
    left = explain_cell(run, name, index, "backward", 0)
    right = explain_cell(run, other, other_index, "backward", 0)
    answer = Beside(_value(left), _value(right), _sides(left.captured, right.captured))
    if left.op is None or right.op is None:
        learned = left if left.op is None else right
        return dataclasses.replace(answer, unpaired=f"{learned.tensor} is learned: it is no sum of terms")
    answer = dataclasses.replace(answer, result=_sides(left.result, right.result))
    if left.masked or right.masked:
        hidden = left if left.masked else right
        return dataclasses.replace(answer, unpaired=f"{hidden.tensor} is masked there: {hidden.masked}")
    with torch.inference_mode():
        found = _made(run, left).beside(_made(run, right), limit)
    if found is None:
        return dataclasses.replace(answer, unpaired=_why_unpaired(left, right))
    return _paired(answer, left, right, found)


def _value(answer: Explanation) -> CellValue:
    return CellValue(answer.tensor, answer.index, answer.captured)


def _sides(left: float | None, right: float | None) -> Sides:
    return Sides(left, right, None if left is None or right is None else finite(left - right))


def _made(run: Run, answer: Explanation) -> CellArithmetic:
    graph = run.loaded.graph
    op = graph.op_making(answer.stored_as)
    assert op is not None
    return CellArithmetic(graph, op, reading_of(run, graph.tensor(answer.tensor)), cells_of(run), answer.index)


def _paired(answer: Beside, left: Explanation, right: Explanation, found: Pairing) -> Beside:
    pairs = [TermPair(term_answer(one), term_answer(two), finite(one.value - two.value)) for one, two in found.pairs]
    rest = _sides(*map(finite, found.rest))
    return dataclasses.replace(
        answer,
        bias=None if left.bias is right.bias is None else _sides(left.bias or 0.0, right.bias or 0.0),
        pairs=pairs,
        rest=RestOfPairs(found.count - len(pairs), rest.left, rest.right, rest.difference),
    )


def _why_unpaired(left: Explanation, right: Explanation) -> str:
    for one in (left, right):
        if one.combine != "sum":
            return f"the terms of {one.tensor} do not add up to it"
    counts = [one.rest.count if one.rest else 0 for one in (left, right)]
    return f"{left.tensor} is made of {counts[0]} terms and {right.tensor} of {counts[1]}, in another way"
