"""The self-check: a model against the float64 recomputation of its graph, operation by operation.

One pass on a fixed input is captured; then every operation is recomputed from the captured numbers that it reads,
so that an error shows where it is made and does not add up along the way. Both are jobs for the executor, in stages,
so that runs take their turns in between.
"""

import math
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from ..transformer.cells import Box, Reading, read_box
from ..transformer.equations import evaluate
from ..transformer.graph import Graph, Op, OpKind
from ..transformer.model import Transformer
from .cell_reader import CellReader
from .executor import Executor, Job, QueueFullError
from .recorder import Recorder

_TOKENS = 16
# Float64 numbers that one stage may bring together; beyond it an operation is recomputed in parts.
_PIECE = 2**23


@dataclass(frozen=True)
class OperationParity:
    """One operation, or all of one kind: the largest difference, absolute and relative to max(1, largest
    reference), and where it is."""

    kind: OpKind
    output: str
    operations: int
    cells: int
    difference: float
    relative: float


@dataclass(frozen=True)
class Parity:
    """A model against the float64 recomputation of its graph, operation by operation, on one fixed input.

    Every operation is recomputed from its captured inputs, so that errors do not add up along the way. `not_finite`
    names the tensors whose infinities or not-a-numbers differ from the reference.
    """

    model: str
    dtype: str
    device: str
    text: str | None
    tokens: list[int]
    source_tokens: list[int]
    operations: int
    cells: int
    difference: float
    relative: float
    worst: OperationParity | None
    kinds: list[OperationParity]
    not_finite: list[str]
    seconds: float


@dataclass
class SelfCheck:
    """A report on its way: how many operations have been compared, of how many."""

    operations: int
    done: int = 0
    report: Future[Parity] = field(default_factory=Future)


class SelfChecks:
    """Reports by model: made when first asked for, and kept for as long as the model is loaded."""

    def __init__(self, executor: Executor) -> None:
        """Compute on `executor`."""
        self._executor = executor
        self._checks: WeakKeyDictionary[Transformer, SelfCheck] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, loaded: LoadedModel) -> SelfCheck:
        """Return the model's check, under way or done; one that failed is tried again.

        Raises:
            QueueFullError: too much waits on the executor already.
        """
        with self._lock:
            check = self._checks.get(loaded.model)
            if check is None or (check.report.done() and check.report.exception()):
                check = self._checks[loaded.model] = SelfCheck(len(loaded.graph.ops))
                try:
                    self._executor.submit(_work(loaded, check))
                except QueueFullError:
                    del self._checks[loaded.model]
                    raise
            return check


def _work(loaded: LoadedModel, check: SelfCheck) -> Job:
    """Run the job: whatever breaks it is told to who waits, and to nothing else."""
    try:
        report = yield from _stages(loaded, check)
    except Exception as error:
        check.report.set_exception(error)
    else:
        check.report.set_result(report)


@dataclass(frozen=True)
class _Example:
    """What is read: the model's own example, or token ids from a fixed seed where it has none."""

    text: str | None
    tokens: list[int]
    source: list[int]


def _example(loaded: LoadedModel) -> _Example:
    spec, entry = loaded.spec, loaded.entry
    text = str(entry.about.get("default_text", "")) if entry.has_tokenizer else ""
    ids = [token.id for token in loaded.tokenizer.encode(text)] if text else []
    seeded = _seeded(spec.d_vocab, spec.positions)
    if spec.kind == "encoder_decoder":
        source = ids or _seeded(spec.d_vocab, spec.source_positions)
        begun = [*entry.start_ids, *seeded][: len(seeded)]
        return _Example(text or None, begun, source[: spec.source_positions][:_TOKENS])
    return _Example(text or None, (ids or seeded)[: spec.positions][:_TOKENS], [])


def _seeded(vocabulary: int, positions: int) -> list[int]:
    generator = torch.Generator().manual_seed(0)
    ids: list[int] = torch.randint(vocabulary, (min(positions, _TOKENS),), generator=generator).tolist()
    return ids


def _stages(loaded: LoadedModel, check: SelfCheck) -> Generator[None, None, Parity]:
    """Capture a pass, then compare every operation: a pause after every layer and after every part of one."""
    started = time.perf_counter()
    example, model, graph = _example(loaded), loaded.model, loaded.graph
    recorder = Recorder(model, graph)
    source = torch.tensor([example.source], device=model.W_E.device) if example.source else None
    yield from model.stages(torch.tensor([example.tokens], device=model.W_E.device), recorder.tap, source=source)
    reading = Reading(
        len(example.tokens), len(example.source), {"tokens": example.tokens, "source_tokens": example.source}
    )
    cells = CellReader(model, graph, recorder)
    found: list[OperationParity] = []
    not_finite = []
    for op in graph.ops:
        tally = _Tally(op)
        for box in pieces(graph, op, reading):
            tally.compare(cells(op.output, box).double(), evaluate(graph, op, reading, cells, box))
            yield
        found.append(tally.parity)
        if not tally.same_kind:
            not_finite.append(op.output)
        check.done += 1
    return _report(loaded, example, found, not_finite, time.perf_counter() - started)


@dataclass
class _Tally:
    """The comparison of one operation, part by part."""

    op: Op
    cells: int = 0
    difference: float = 0.0
    largest: float = 0.0
    same_kind: bool = True

    def compare(self, ours: Tensor, reference: Tensor) -> None:
        """Take in a part. Infinities and not-a-numbers must stand where the reference has them."""
        finite = reference.isfinite() & ours.isfinite()
        odd = ~finite
        same = (ours[odd] == reference[odd]) | (ours[odd].isnan() & reference[odd].isnan())
        self.same_kind &= bool(same.all())
        self.cells += ours.numel()
        if bool(finite.any()):
            self.difference = max(self.difference, float((ours - reference)[finite].abs().max()))
            self.largest = max(self.largest, float(reference[finite].abs().max()))

    @property
    def parity(self) -> OperationParity:
        """Return what came out."""
        relative = self.difference / max(1.0, self.largest)
        return OperationParity(self.op.kind, self.op.output, 1, self.cells, self.difference, relative)


def pieces(graph: Graph, op: Op, reading: Reading, limit: int = _PIECE) -> Iterator[Box]:
    """Cut an operation's output into boxes that each bring together at most `limit` numbers, where possible."""
    axes = graph.tensor(op.output).axes

    def cut(box: Box) -> Iterator[Box]:
        at = dict(zip(axes, box, strict=True))
        read = sum(math.prod(map(len, read_box(graph, read, at, reading))) for read in op.reads)
        longest = max(range(len(box)), key=lambda number: len(box[number]))
        length = len(box[longest])
        if length == 1 or read + math.prod(map(len, box)) <= limit:
            yield box
            return
        start, middle, stop = box[longest].start, box[longest].start + length // 2, box[longest].stop
        for half in (range(start, middle), range(middle, stop)):
            yield from cut((*box[:longest], half, *box[longest + 1 :]))

    yield from cut(tuple(range(size) for size in reading.shape(graph, graph.tensor(op.output))))


def _report(
    loaded: LoadedModel, example: _Example, found: list[OperationParity], not_finite: list[str], seconds: float
) -> Parity:
    worst = max(found, key=_order, default=None)
    kinds = [_together([one for one in found if one.kind == kind]) for kind in dict.fromkeys(op.kind for op in found)]
    return Parity(
        model=loaded.entry.id,
        dtype=str(loaded.model.W_E.dtype).removeprefix("torch."),
        device=str(loaded.model.W_E.device),
        text=example.text,
        tokens=example.tokens,
        source_tokens=example.source,
        operations=len(found),
        cells=sum(one.cells for one in found),
        difference=max((one.difference for one in found), default=0.0),
        relative=worst.relative if worst else 0.0,
        worst=worst,
        kinds=kinds,
        not_finite=not_finite,
        seconds=seconds,
    )


def _order(one: OperationParity) -> tuple[float, float]:
    return one.relative, one.difference


def _together(ops: list[OperationParity]) -> OperationParity:
    """Report a kind's operations as one line: the worst of them."""
    worst = max(ops, key=_order)
    cells = sum(one.cells for one in ops)
    return OperationParity(worst.kind, worst.output, len(ops), cells, worst.difference, worst.relative)
