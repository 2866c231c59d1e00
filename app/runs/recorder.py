"""The recorder: a tap that keeps each tensor of a run under its name.

Keeping costs a reference, no copy. When text is generated each step adds its rows; whole tensors are put
together when they are read. What was never formed (scores of queries with keys that came later, results of
single heads, probabilities, and the squares of attention where they would not fit) is derived from what was,
by the model's own code.
"""

import math
import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ..transformer.graph import TOKEN_AXES, Graph, TensorInfo
from ..transformer.model import Transformer
from .pinned_copies import PinnedCopies

# A view is cloned when it would keep alive a buffer more than this many times its own size.
_WASTE = 8
# Views of tables that are part of the model: kept as copies, so that a run does not hold on to weights.
_TABLES = ("hook_pos_embed", "hook_token_type_embed")
_SOFTMAX = ("hook_attn_scores_raw", "hook_attn_scores", "hook_max", "hook_sum", "hook_pattern")

Action = Literal["set", "scale", "add"]


@dataclass(frozen=True)
class Intervention:
    """A change made to a tensor while the model runs: its cells at `index` are set, scaled or added to.

    Along `pos` and `query_pos` an index counts from the run's first position, also for rows computed later.
    """

    name: str
    index: tuple[int | slice, ...]
    action: Action
    value: float

    def apply(self, tensor: Tensor, row_axis: int, first_row: int) -> Tensor:
        """Return the changed tensor `[batch, …]`, whose rows start at `first_row`; the original is left as it was."""
        index = list(self.index)
        if row_axis < len(index):
            shifted = _shift(index[row_axis], first_row, tensor.shape[row_axis + 1])
            if shifted is None:
                return tensor
            index[row_axis] = shifted
        last = index[-1] if len(index) == tensor.dim() - 1 else None
        if isinstance(last, int) and last >= tensor.shape[-1]:
            return tensor  # a key that these queries come before
        changed = tensor.clone()
        place = (0, *index)
        if self.action == "set":
            changed[place] = self.value
        elif self.action == "scale":
            changed[place] = changed[place] * self.value
        else:
            changed[place] = changed[place] + self.value
        return changed


def _shift(index: int | slice, first: int, count: int) -> int | slice | None:
    """Turn an index along all rows into one along the `count` rows from `first`; None when it meets none of them."""
    if isinstance(index, int):
        return index - first if first <= index < first + count else None
    rows = range(first + count)[index]
    inside = [row - first for row in rows if row >= first]
    return slice(inside[0], inside[-1] + 1, rows.step) if inside else None


@dataclass(slots=True)
class _Kept:
    """The chunks of rows of one tensor, and the row at which each starts."""

    chunks: list[Tensor] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    rows: int = 0


class Recorder:
    """Everything captured of one run. Written by the executor's thread, read by any."""

    def __init__(
        self,
        model: Transformer,
        graph: Graph,
        interventions: Sequence[Intervention] = (),
        keep_attention: bool = True,
    ) -> None:
        """Watch runs of `model`, whose tensors are `graph`'s.

        Without `keep_attention` the tensors that grow with the square of the text are derived when read.
        """
        self._model, self._graph = model, graph
        self._info = graph.activations
        self._kept = {name: _Kept() for name in self._info}
        self._interventions: dict[str, list[Intervention]] = {}
        for intervention in interventions:
            self._interventions.setdefault(intervention.name, []).append(intervention)
        self._keep_attention = keep_attention
        self._device = model.W_E.device
        self._copies = PinnedCopies(self._device) if self._device.type == "cuda" else None
        self._storages: set[int] = set()
        self._nbytes = 0
        self._lock = threading.Lock()

    def tap(self, name: str, tensor: Tensor) -> Tensor:
        """Keep a tensor `[batch, …]`, and return what the computation is to go on with."""
        kept, info = self._kept[name], self._info[name]
        if name in self._interventions:
            tensor = self._intervene(name, tensor, kept.rows)
        if info.same_as:
            return tensor
        row = (tensor.detach() if tensor.requires_grad else tensor)[0]
        if row.dim() > len(info.axes):
            row = row.squeeze(-1)  # [pos, 1] -> [pos]
        keep = self._keep_attention or info.kind not in _SOFTMAX
        storage = row.untyped_storage()
        if keep and self._copies is not None:
            row = self._copies.take(row)
            storage = row.untyped_storage()
        elif keep and (storage.nbytes() > _WASTE * row.nbytes or info.kind in _TABLES):
            row = row.clone()
            storage = row.untyped_storage()
        with self._lock:
            if keep:
                kept.chunks.append(row)
                kept.starts.append(kept.rows)
                if storage.data_ptr() not in self._storages:
                    self._storages.add(storage.data_ptr())
                    self._nbytes += storage.nbytes()
            kept.rows += row.shape[info.row_axis]
        return tensor

    @property
    def nbytes(self) -> int:
        """Count the bytes of memory held; what two tensors share counts once."""
        return self._nbytes

    @property
    def names(self) -> list[str]:
        """List every activation of the graph, in order."""
        return list(self._info)

    def info(self, name: str) -> TensorInfo:
        """Return what the graph says of an activation.

        Raises:
            KeyError: it has none of that name.
        """
        return self._info[name]

    def derived(self, name: str) -> bool:
        """Tell whether a tensor is recomputed when read."""
        info = self._info[name]
        return info.derived or (not self._keep_attention and info.kind in _SOFTMAX)

    def changed(self, name: str) -> bool:
        """Tell whether an intervention made a tensor other than it was computed."""
        return self._source(name) in self._interventions

    def rows(self, name: str) -> int:
        """Count the positions of a tensor known so far."""
        source = self._source(name)
        if source == "probabilities":
            source = "logits"
        elif source.endswith("hook_result"):
            source = source.replace("hook_result", "hook_z")
        return self._kept[source].rows

    def shape(self, name: str) -> list[int]:
        """Return the shape of what is known so far of a tensor, positions included."""
        info, rows = self._info[name], self.rows(name)
        return [self._length(info, axis, rows) for axis in info.axes]

    def _length(self, info: TensorInfo, axis: str, rows: int) -> int:
        """Count the cells along an axis of a tensor of which `rows` positions are known."""
        if axis not in TOKEN_AXES:
            return self._graph.sizes[axis]
        return self.source_rows if axis in info.source_axes else rows

    @property
    def source_rows(self) -> int:
        """Count the positions of an encoder-decoder's source that have been read."""
        kept = self._kept.get("encoder.hook_embed")
        return kept.rows if kept else 0

    def of_source(self, name: str) -> bool:
        """Tell whether a tensor's rows are positions of an encoder-decoder's source, all of which are read at once."""
        info = self._info[name]
        return info.axes[info.row_axis] in info.source_axes

    def row_axis(self, name: str) -> int:
        """Return the axis of a tensor along which positions are added."""
        return self._info[name].row_axis

    def read(self, name: str, start: int = 0, end: int | None = None) -> Tensor:
        """Read rows `start` to `end` of a tensor, with all its other axes, on the model's device.

        Raises:
            KeyError: there is no such activation in the graph, or nothing of it has been computed yet.
        """
        source = self._source(name)
        last = self.rows(source)
        end = last if end is None else min(end, last)
        if start >= end:
            raise KeyError(name)
        self._wait()
        with torch.inference_mode():
            if source == "probabilities":
                # In float64: in float32 the small shares of a large vocabulary are lost beside a large one.
                return torch.softmax(self.read("logits", start, end).double(), -1).float()
            if source.endswith("hook_result"):
                return self._results(source, start, end)
            if source.endswith("hook_attn_scores_raw"):
                return self._raw_scores(source, start, end, last)
            if self.derived(source):
                return self._derive_attention(source, start, end, last)
            return self._assemble(source, start, end, last)

    def first_non_finite(self) -> str | None:
        """Name the first tensor with a not-a-number or an infinity that masking does not explain."""
        self._wait()
        for name, info in self._info.items():
            with self._lock:
                chunks = list(self._kept[name].chunks)
            masked = info.kind == "hook_attn_scores"
            if any(bool((chunk.isnan() if masked else ~chunk.isfinite()).any()) for chunk in chunks):
                return name
        return None

    def _wait(self) -> None:
        if self._copies is not None:
            self._copies.wait()

    def _source(self, name: str) -> str:
        return self._info[name].same_as or name

    def _intervene(self, name: str, tensor: Tensor, first_row: int) -> Tensor:
        for intervention in self._interventions.get(name, ()):
            tensor = intervention.apply(tensor, self._info[name].row_axis, first_row)
        return tensor

    def _results(self, name: str, start: int, end: int) -> Tensor:
        """Compute what each head adds to the residual stream, `[pos, head, d_model]`."""
        z = self.read(name.replace("hook_result", "hook_z"), start, end)
        weight = self._model.weight(name.replace("hook_result", "W_O"))
        # [pos, head, d_head] x [head, d_head, d_model] -> [pos, head, d_model]
        return torch.einsum("phd,hdm->phm", z, weight)

    def _raw_scores(self, name: str, start: int, end: int, last: int) -> Tensor:
        """Compute scores before the mask. While text is generated, queries meet only the keys read so far; the rest of
        a full pass's matrix is derived from the same queries and keys."""
        with self._lock:
            whole = self._kept[name].chunks[0] if len(self._kept[name].chunks) == 1 else None
        if whole is not None:
            return whole[:, start:end].to(self._device)
        query, key = self._query_and_key(name.rpartition(".")[0], start, end, last)
        attention, relative = self._model.attention(name.rpartition(".")[0])
        return self._intervene(name, attention.match(query, key, relative, start), start)[0]

    def _query_and_key(self, attention: str, start: int, end: int, keys: int) -> tuple[Tensor, Tensor]:
        """Return what is matched: queries of these rows `[1, query_pos, head, d_head]`, the first `keys` keys."""
        raw = self._graph.op_making(f"{attention}.hook_attn_scores_raw")
        op = raw or self._graph.op_making(f"{attention}.hook_attn_scores")
        assert op is not None
        query, key = op.reads[0].tensor, op.reads[1].tensor
        return self.read(query, start, end).unsqueeze(0), self.read(key, 0, keys).unsqueeze(0)

    def _derive_attention(self, name: str, start: int, end: int, last: int) -> Tensor:
        """Compute a tensor of the softmax, from the queries of these rows and the keys that they see."""
        attention = name.rpartition(".")[0]
        module, relative = self._model.attention(attention)
        keys = self.source_rows if module.crossed else end if module.causal else last
        query, key = self._query_and_key(attention, start, end, keys)
        found: dict[str, Tensor] = {}

        def tap(tapped: str, tensor: Tensor) -> Tensor:
            found[tapped] = self._intervene(tapped, tensor, start)
            return found[tapped]

        module.pattern(query, key, attention, tap, relative, first=start)
        return _fill_keys(found[name][0], self._info[name], last)

    def _assemble(self, name: str, start: int, end: int, last: int) -> Tensor:
        """Join rows `start` to `end` out of chunks of rows; ragged rows of keys are filled up."""
        info, kept = self._info[name], self._kept[name]
        axis = info.row_axis
        with self._lock:
            first = bisect_right(kept.starts, start) - 1
            stop = bisect_right(kept.starts, end - 1)
            chunks, starts = kept.chunks[first:stop], kept.starts[first:stop]
        pieces = []
        for chunk, position in zip(chunks, starts, strict=True):
            begin = max(start - position, 0)
            count = min(end - position, chunk.shape[axis]) - begin
            pieces.append(_fill_keys(chunk.narrow(axis, begin, count), info, last))
        return (pieces[0] if len(pieces) == 1 else torch.cat(pieces, axis)).to(self._device)


def _fill_keys(rows: Tensor, info: TensorInfo, last: int) -> Tensor:
    """Fill rows over keys up to the length of the text, with what the mask leaves of a key that comes later."""
    if info.axes[-1] != "key_pos" or info.source_axes or rows.shape[-1] == last:
        return rows
    fill = 0.0 if info.role == "probability" else -math.inf
    return torch.nn.functional.pad(rows, (0, last - rows.shape[-1]), value=fill)
