"""The recorder: a tap that keeps each tensor of a run under its name.

Keeping costs a reference, no copy. When text is generated each step adds its rows; whole tensors are put
together when they are read. What was never formed (scores of queries with keys that came later, results of
single heads, probabilities) is derived from what was, by the model's own code.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.transformer.graph import Graph, TensorInfo
from app.transformer.model import Transformer

# A view is cloned when it would keep alive a buffer this many times its own size.
_WASTE = 8


@dataclass(frozen=True)
class Intervention:
    """A change made to a tensor while the model runs: its cells at `index` are set, scaled or added to."""

    name: str
    index: tuple[int | slice, ...]
    action: str
    value: float

    def apply(self, tensor: Tensor) -> Tensor:
        """The changed tensor, `[batch, …]`; the original is left as it was."""
        changed = tensor.clone()
        cells = changed[(0, *self.index)]
        match self.action:
            case "set":
                cells.fill_(self.value)
            case "scale":
                cells.mul_(self.value)
            case _:
                cells.add_(self.value)
        return changed


class Recorder:
    """Everything captured of one run. Written by the executor's thread, read by any."""

    def __init__(self, model: Transformer, graph: Graph, interventions: Sequence[Intervention] = ()) -> None:
        """Watch runs of `model`, whose tensors are `graph`'s."""
        self._model, self._graph = model, graph
        self._info = {tensor.name: tensor for tensor in graph.tensors}
        self._chunks: dict[str, list[Tensor]] = {}
        self._interventions: dict[str, list[Intervention]] = {}
        for intervention in interventions:
            self._interventions.setdefault(intervention.name, []).append(intervention)
        self._lock = threading.Lock()

    def tap(self, name: str, tensor: Tensor) -> Tensor:
        """Keep a tensor `[batch, …]`, and return what the computation is to go on with."""
        for intervention in self._interventions.get(name, ()):
            tensor = intervention.apply(tensor)
        if not self._info[name].same_as:
            kept = tensor.detach()[0]
            if kept.dim() > len(self._info[name].axes):
                kept = kept.squeeze(-1)  # [pos, 1] -> [pos]
            if kept.untyped_storage().nbytes() > _WASTE * kept.nbytes:
                kept = kept.clone()
            with self._lock:
                self._chunks.setdefault(name, []).append(kept)
        return tensor

    def rows(self, name: str) -> int:
        """Positions of a tensor known so far."""
        info = self._info[self._source(name)]
        with self._lock:
            chunks = self._chunks.get("logits" if name == "probabilities" else info.name, ())
            if info.name.endswith("hook_result"):
                chunks = self._chunks.get(info.name.replace("hook_result", "hook_z"), ())
            return sum(chunk.shape[_row_axis(info)] for chunk in chunks)

    def read(self, name: str, start: int = 0, end: int | None = None) -> Tensor:
        """Rows `start` to `end` of a tensor, with all its other axes.

        Raises:
            KeyError: there is no such tensor in the graph, or nothing of it has been computed yet.
        """
        source = self._source(name)
        info = self._info[source]
        last = self.rows(source)
        end = last if end is None else min(end, last)
        if last == 0:
            raise KeyError(name)
        if source == "probabilities":
            return torch.softmax(self.read("logits", start, end).float(), -1)
        if source.endswith("hook_result"):
            z = self.read(source.replace("hook_result", "hook_z"), start, end)
            weight = self._model.weight(source.replace("hook_result", "W_O")).to(z.device)
            # [pos, head, d_head] x [head, d_head, d_model] -> [pos, head, d_model]
            return torch.einsum("phd,hdm->phm", z, weight)
        if source.endswith("hook_attn_scores_raw"):
            return self._raw_scores(source, start, end, last)
        with self._lock:
            chunks = list(self._chunks[source])
        return _assemble(chunks, info, start, end, last)

    def storages(self) -> dict[int, int]:
        """Bytes of every piece of memory held, by its address: shared memory counts once."""
        with self._lock:
            kept = [chunk.untyped_storage() for chunks in self._chunks.values() for chunk in chunks]
        return {storage.data_ptr(): storage.nbytes() for storage in kept}

    def first_non_finite(self) -> str | None:
        """The first tensor with a not-a-number or an infinity that masking does not explain."""
        for info in self._graph.tensors:
            with self._lock:
                chunks = list(self._chunks.get(info.name, ()))
            masked = info.kind == "hook_attn_scores"
            if any(bool((chunk.isnan() if masked else ~chunk.isfinite()).any()) for chunk in chunks):
                return info.name
        return None

    def _source(self, name: str) -> str:
        info = self._info[name]
        if info.role == "weight":
            raise KeyError(name)
        return info.same_as or name

    def _raw_scores(self, name: str, start: int, end: int, last: int) -> Tensor:
        """Scores before the mask. While text is generated, queries meet only the keys read so far; the rest of
        a full pass's matrix is derived from the same queries and keys."""
        with self._lock:
            chunks = list(self._chunks[name])
        if len(chunks) == 1:
            return chunks[0][:, start:end]
        query = self.read(name.replace("hook_attn_scores_raw", "hook_q"), start, end)
        key = self.read(name.replace("hook_attn_scores_raw", "hook_k"), 0, last)
        # [head, query_pos, d_head] @ [head, d_head, key_pos] -> [head, query_pos, key_pos]
        return query.transpose(0, 1) @ key.permute(1, 2, 0) / math.sqrt(query.shape[-1])


def _row_axis(info: TensorInfo) -> int:
    """Along which axis of a tensor positions are added."""
    return info.axes.index("query_pos") if "query_pos" in info.axes else 0


def _assemble(chunks: list[Tensor], info: TensorInfo, start: int, end: int, last: int) -> Tensor:
    """Rows `start` to `end` out of chunks of rows; ragged rows of keys are filled with what a mask leaves."""
    axis = _row_axis(info)
    pieces, position = [], 0
    for chunk in chunks:
        size = chunk.shape[axis]
        first, stop = max(start - position, 0), min(end - position, size)
        if first < stop:
            piece = chunk.narrow(axis, first, stop - first)
            if info.axes[-1] == "key_pos" and piece.shape[-1] < last:
                fill = 0.0 if info.role == "probability" else -math.inf
                piece = torch.nn.functional.pad(piece, (0, last - piece.shape[-1]), value=fill)
            pieces.append(piece)
        position += size
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces, axis)
