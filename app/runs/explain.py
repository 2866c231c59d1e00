"""One cell explained: the arithmetic that made it, with the numbers of a run, or the cells that it goes into.

Everything follows from the graph's reads (`app/transformer/cells.py`, `equations.py`, `wording.py`); this module
brings the captured numbers and puts the answer together; `explanation.py` says what its fields mean.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from ..transformer.cells import Box, CellBox, Reading, cells_fed, cells_read, stored_as, turned
from ..transformer.graph import Graph, Op, TensorInfo, index_text
from ..transformer.operations.inputs import Cells
from ..transformer.operations.operation import Playback
from ..transformer.operations.summands import Term
from ..transformer.terms import Arithmetic, CellArithmetic
from ..transformer.wording import why_masked, word
from .cell_reader import CellReader, NotHeldError, slices, weight_of
from .explanation import (
    CellValue,
    Direction,
    ExplainedOperation,
    ExplainedPlayback,
    ExplainedStep,
    ExplainedTerm,
    Explanation,
    Fed,
    Line,
    Operand,
    Rest,
)
from .run import Run
from .slices import SliceError

_FEEDS = 256
# Relative to the sum of the terms' sizes: what float32 may lose on the way, and what every coarser type does.
_TOLERANCE, _FLOOR, _ROUNDINGS = 1e-5, 1e-6, 4

Unexplained = Literal["unknown_tensor", "not_computed", "inputs_missing", "needs_run"]


class ExplainError(ValueError):
    """A cell that cannot be explained here; `hint` says what would help, `about` of what `model`, `run`, `tensor`."""

    def __init__(self, kind: Unexplained, message: str, hint: str = "", **about: str) -> None:
        """Keep what is wrong, what to do and what it is about apart."""
        super().__init__(message)
        self.kind, self.hint, self.about = kind, hint, about


def parse_cell(text: str, shape: Sequence[int], axes: Sequence[str]) -> tuple[int, ...]:
    """Parse the cell that `3,1,5` names: one index per axis, negative ones counting from the end.

    Raises:
        SliceError: too few or too many indices, one that is no number, or one outside its axis.
    """
    example = ",".join("0" for _ in axes)
    hint = f"Give one index for each of {', '.join(axes)}, such as ?index={example}."
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if len(parts) != len(shape):
        raise SliceError(f"{len(parts)} indices for the {len(shape)} axes {', '.join(axes)}", hint)
    found = []
    for part, size, axis in zip(parts, shape, axes, strict=True):
        digits = part.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            raise SliceError(f"{part[:40]!r} is not an index along {axis}", hint)
        if not -size <= int(part) < size:
            raise SliceError(f"{axis} has {size} entries, so {part} is outside", f"Use {-size} to {size - 1}.")
        found.append(int(part) % size)
    return tuple(found)


# ---- a cell of a run --------------------------------------------------------------------------------------------


def explain_cell(run: Run, name: str, index_given: str, direction: Direction, limit: int) -> Explanation:
    """Explain a cell of an activation or of a weight, with a run's numbers.

    Raises:
        ExplainError: it has not been computed, or what it is made of was not captured.
        SliceError: the index names no cell.
    """
    graph = run.loaded.graph
    tensor = _tensor(graph, name, run.loaded.entry.id)
    if tensor.role == "weight":
        answer = _weight_cell(run.loaded, tensor, index_given, direction)
        answer.run = run.id
        if direction == "forward":
            _add_feeds(answer, graph, reading_of(run, tensor))
        return answer
    index = _computed_cell(run, tensor, index_given)
    reading = reading_of(run, tensor)
    shape = reading.shape(graph, tensor)
    try:
        captured = float(cells_of(run)(stored_as(graph, name).name, _box(index)))
        answer = _cell(run.loaded, tensor, index, shape, direction, captured)
        answer.run = run.id
        if direction == "forward":
            _add_feeds(answer, graph, reading)
        else:
            _add_arithmetic(answer, run, tensor, index, captured, reading, limit)
    except NotHeldError as error:
        raise ExplainError(
            "inputs_missing",
            f"run {run.id!r} does not hold {error.args[0]}, from which {name} is computed",
            f"A run of {run.loaded.entry.id} on the same tokens keeps everything.",
            run=run.id,
        ) from error
    answer.masked = why_masked(graph, name, dict(zip(tensor.axes, index, strict=True)))
    return answer


def _tensor(graph: Graph, name: str, model: str) -> TensorInfo:
    try:
        return graph.tensor(name)
    except KeyError as error:
        raise ExplainError("unknown_tensor", f"there is no tensor {name[:80]!r} here", model=model) from error


def _computed_cell(run: Run, tensor: TensorInfo, text: str) -> tuple[int, ...]:
    """Return the cell that was asked for, if the run has come that far."""
    rows = run.recorder.rows(tensor.name)
    whole = run.loaded.graph.shape(tensor)
    again = f"A run of {run.loaded.entry.id} on the same tokens computes everything."
    later = "Ask again when the run is paused or done."
    if not rows:
        parse_cell(text, whole, tensor.axes)
        raise ExplainError(
            "not_computed",
            f"the run has not come to {tensor.name}; its state is {run.state}",
            again if run.finished else later,
            run=run.id,
        )
    shape = run.recorder.shape(tensor.name)
    try:
        return parse_cell(text, shape, tensor.axes)
    except SliceError as error:
        inside = parse_cell(text, whole, tensor.axes)  # beyond the context it is the index that is wrong
        axis = next(axis for axis, i, size in zip(tensor.axes, inside, shape, strict=True) if i >= size)
        raise ExplainError(
            "not_computed",
            f"{error}: the run has read {rows} positions so far, and {tensor.name} has no more",
            f"Use {axis} 0 to {rows - 1}, or a longer text" + (", or write on." if not run.finished else "."),
            run=run.id,
        ) from error


def reading_of(run: Run, tensor: TensorInfo) -> Reading:
    """Measure how much text is behind a tensor; a weight, or the encoder's, meets all that has been read."""
    own = tensor.role != "weight" and not run.recorder.of_source(tensor.name)
    rows = run.recorder.rows(tensor.name) if own else run.fed
    source = [token.id for token in run.source]
    tokens = {"tokens": [token.id for token in run.tokens], "source_tokens": source}
    return Reading(rows, run.recorder.source_rows, tokens | {"token_types": list(run.token_types)})


def cells_of(run: Run) -> Cells:
    """Read the numbers of a run and of its model."""
    return CellReader(run.loaded.model, run.loaded.graph, run.recorder)


def _box(index: Sequence[int]) -> Box:
    return tuple(map(_one, index))


def _one(i: int) -> range:
    return range(i, i + 1)


def _cell(
    loaded: LoadedModel,
    tensor: TensorInfo,
    index: Sequence[int],
    shape: Sequence[int],
    direction: Direction,
    value: float,
) -> Explanation:
    return Explanation(
        model=loaded.entry.id,
        run=None,
        tensor=tensor.name,
        stored_as=stored_as(loaded.graph, tensor.name).name,
        role=tensor.role,
        index=list(index),
        axes=list(tensor.axes),
        shape=list(shape),
        direction=direction,
        captured=finite(value),
    )


def _add_arithmetic(
    answer: Explanation,
    run: Run,
    tensor: TensorInfo,
    index: tuple[int, ...],
    captured: float,
    reading: Reading,
    limit: int,
) -> None:
    graph, cells = run.loaded.graph, cells_of(run)
    op = graph.op_making(answer.stored_as)
    if op is None:
        return
    boxes = cells_read(graph, tensor.name, index, reading)
    operands = [_operand(graph, box, cells, limit) for box in boxes]
    with torch.inference_mode():
        made = CellArithmetic(graph, op, reading, cells, index)
        sums, playback = made.summary(limit), made.playback()
    answer.op = _operation(graph, op, sums, index, operands)
    answer.playback = _playback(playback)
    answer.operands = operands
    answer.combine = sums.combine
    answer.terms = [term_answer(term) for term in sums.terms]
    if sums.combine:
        shown = [term.value for term in sums.terms]
        rest = sums.total - math.fsum(shown) if sums.count > len(shown) else 0.0
        answer.rest = Rest(sums.count - len(shown), finite(rest))
    answer.bias, answer.scale, answer.result = sums.bias, sums.scale, finite(sums.result)
    answer.tolerance = tolerance(sums, run.loaded.model.W_E.dtype)
    same = captured == sums.result or (math.isnan(captured) and math.isnan(sums.result))
    difference = 0.0 if same else sums.result - captured
    answer.difference = finite(difference)
    answer.agrees = abs(difference) <= answer.tolerance
    if run.recorder.changed(tensor.name):
        answer.changed = "an intervention changed this tensor while the model ran"


def _playback(found: Playback) -> ExplainedPlayback:
    steps = [ExplainedStep(step.joins, step.sign, finite(step.becomes), step.words) for step in found.steps]
    return ExplainedPlayback(found.merging, found.sign, steps)


def tolerance(sums: Arithmetic, dtype: torch.dtype) -> float:
    """Bound how far a number may be from its recomputation: the terms' sizes times what the precision loses."""
    size = sums.magnitude + abs(sums.bias or 0.0) if sums.combine == "sum" else abs(sums.result)
    size = size if math.isfinite(size) else 0.0
    return max(_TOLERANCE, _ROUNDINGS * torch.finfo(dtype).eps) * size + _FLOOR


def _operation(
    graph: Graph,
    op: Op,
    sums: Arithmetic,
    index: Sequence[int],
    operands: Sequence[Operand],
) -> ExplainedOperation:
    single: dict[int, float] = {}
    for operand in operands:
        if operand.count == 1 and operand.values is not None:
            value = operand.values[0]
            single[operand.read] = -math.inf if value is None else value
    words = word(graph, op, sums, index, single)
    return ExplainedOperation(
        kind=op.kind, title=op.title, equation=op.equation, constants=dict(op.constants), **vars(words)
    )


def _operand(graph: Graph, found: CellBox, cells: Cells, limit: int) -> Operand:
    tensor = graph.tensor(found.tensor)
    count = math.prod(len(part) for part in found.box)
    values = None
    if count <= max(limit, 1):
        values = [finite(value) for value in cells(found.tensor, found.box).double().flatten().tolist()]
    return Operand(
        read=found.op.reads.index(found.read),
        part=found.part,
        tensor=tensor.name,
        role=tensor.role,
        axes=list(tensor.axes),
        start=[part.start for part in found.box],
        stop=[part.stop for part in found.box],
        count=count,
        index_text=", ".join(map(index_text, found.read.index)),
        stored_as=stored_as(graph, tensor.name).name,
        transposed=turned(graph, tensor.name),
        values=values,
    )


def term_answer(term: Term) -> ExplainedTerm:
    """Write a term as it is answered."""
    cells = [CellValue(cell.tensor, list(cell.index), finite(cell.value)) for cell in term.cells]
    return ExplainedTerm(cells, finite(term.value))


def finite(number: float) -> float | None:
    """Return the number, or None for an infinity or not-a-number, which JSON does not have."""
    return number if math.isfinite(number) else None


# ---- a cell of a weight -----------------------------------------------------------------------------------------


def explain_weight(loaded: LoadedModel, name: str, index_given: str, direction: Direction) -> Explanation:
    """Explain a weight's cell without a run: the number, the lines through it, and what it acts on.

    Raises:
        ExplainError: there is no such tensor, or it is an activation.
        SliceError: the index names no cell.
    """
    graph = loaded.graph
    tensor = _tensor(graph, name, loaded.entry.id)
    if tensor.role != "weight":
        raise ExplainError(
            "needs_run",
            f"{name} has no numbers until the model runs",
            f"Run {loaded.entry.id} on a text, and ask of that run.",
            tensor=name,
        )
    answer = _weight_cell(loaded, tensor, index_given, direction)
    spec = loaded.spec
    _add_feeds(answer, graph, Reading(spec.positions, spec.source_positions))
    return answer


def _weight_cell(loaded: LoadedModel, tensor: TensorInfo, text: str, direction: Direction) -> Explanation:
    shape = loaded.graph.shape(tensor)
    index = parse_cell(text, shape, tensor.axes)
    weight = weight_of(loaded.model, loaded.graph, tensor.name)
    answer = _cell(loaded, tensor, index, shape, direction, float(weight[index]))
    for axis in tensor.axes:
        places = zip(tensor.axes, index, shape, strict=True)
        box = [range(size) if other == axis else _one(i) for other, i, size in places]
        answer.lines.append(_line(axis, weight[slices(box)].flatten().double()))
    return answer


def _line(axis: str, values: Tensor) -> Line:
    return Line(
        axis,
        len(values),
        finite(float(values.mean())),
        finite(float(values.std(correction=0))),
        finite(float(values.norm())),
        finite(float(values.min())),
        finite(float(values.max())),
    )


# ---- what a cell feeds ------------------------------------------------------------------------------------------


def _add_feeds(answer: Explanation, graph: Graph, reading: Reading) -> None:
    found = cells_fed(graph, answer.tensor, answer.index, reading)
    answer.feeds = [_fed(graph, box) for box in found[:_FEEDS]]
    answer.feeds_left_out = len(found) - len(answer.feeds)


def _fed(graph: Graph, found: CellBox) -> Fed:
    return Fed(
        tensor=found.tensor,
        part=found.part,
        kind=found.op.kind,
        title=found.op.title,
        axes=list(graph.tensor(found.tensor).axes),
        start=[part.start for part in found.box],
        stop=[part.stop for part in found.box],
        count=math.prod(len(part) for part in found.box),
        condition=found.condition,
    )
