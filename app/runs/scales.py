"""Colour scales: for each tensor, or each kind of tensor, the number that the strongest colour stands for.

It is the 99.5th percentile of |x|, over all tensors of a kind, from evenly spaced samples of each. Masked scores and
not-a-number take no part; probabilities always have 1. A scale holds at every level of zoom.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..transformer.model import Transformer
from .recorder import Recorder

PERCENTILE = 99.5
_SAMPLES_PER_TENSOR = 4096
# Rows from which what is derived is sampled: enough to see its size, cheap to compute.
_DERIVED_ROWS = 2

Samples = NDArray[np.float32]


def sample(tensor: Tensor, count: int = _SAMPLES_PER_TENSOR) -> Samples:
    """Sample |x| at no more than `count` evenly spaced finite numbers of a tensor."""
    # An odd stride meets every column of a matrix with an even number of them.
    stride = max(1, tensor.numel() // count) | 1
    # By index, for a flattened view of a part of a matrix would be a copy of all of it. NumPy's `unravel_index`, for
    # torch's imports a system for algebra first, which takes it seconds.
    indices = np.unravel_index(np.arange(0, tensor.numel(), stride), tensor.shape)
    places = tuple(torch.from_numpy(index).to(tensor.device) for index in indices)
    values: Samples = tensor.detach()[places].float().abs().cpu().numpy()
    finite: Samples = values[np.isfinite(values)]
    return finite


def percentile(samples: Iterable[Samples]) -> float:
    """Compute the scale of pooled samples; 1 where there is nothing but zeros."""
    pooled = np.concatenate([np.zeros(0, np.float32), *samples])
    if not pooled.size:
        return 1.0
    scale = float(np.percentile(pooled, PERCENTILE)) or float(pooled.max())
    return scale or 1.0


def weight_samples(model: Transformer, names: Sequence[str]) -> dict[str, Samples]:
    """Sample each of these weights."""
    return {name: sample(model.weight(name)) for name in names}


def scales_by_tensor(samples: Mapping[str, Samples]) -> dict[str, float]:
    """Compute the scale of each tensor alone."""
    return {name: percentile([taken]) for name, taken in samples.items()}


def scales_by_kind(samples: Mapping[str, Samples], kinds: Mapping[str, str]) -> dict[str, float]:
    """Compute the scale of each kind of tensor, `kinds` giving every tensor's."""
    groups: dict[str, list[Samples]] = {}
    for name, taken in samples.items():
        groups.setdefault(kinds[name], []).append(taken)
    return {kind: percentile(group) for kind, group in groups.items()}


class Scales:
    """The scales of a run's activations, from its prompt alone, so that writing on does not change them."""

    def __init__(self, recorder: Recorder, prompt_length: int) -> None:
        """Measure scales of what `recorder` captures of the first `prompt_length` positions."""
        self._recorder, self._rows = recorder, prompt_length
        self._samples: dict[str, Samples] = {}
        self._by_kind: dict[str, list[Samples]] = {}
        self._scales: dict[str, float] = {}
        self._left = list(recorder.names)
        self._lock = threading.Lock()

    def update(self) -> dict[str, float]:
        """Sample what has been computed since the last call; the scales so far, by kind."""
        with self._lock:
            # What has been sampled is not looked at again: this is asked after every layer.
            grown = {kind for name in self._left if (kind := self._take(name))}
            self._left = [name for name in self._left if name not in self._samples]
            for kind in grown:
                self._scales[kind] = percentile(self._by_kind[kind])
            return dict(self._scales)

    def by_tensor(self) -> dict[str, float]:
        """Return the scales so far, of each tensor alone."""
        self.update()
        with self._lock:
            return scales_by_tensor(self._samples)

    def _take(self, name: str) -> str | None:
        """Sample one tensor if it is new; its kind."""
        info, known = self._recorder.info(name), self._recorder.rows(name)
        # A source is read whole, once; of the text itself the prompt counts.
        last = known if self._recorder.of_source(name) else self._rows
        if known < max(last, 1):
            return None
        if info.role == "probability":
            self._samples[name] = np.ones(1, np.float32)
        else:
            rows = min(last, _DERIVED_ROWS) if self._recorder.derived(name) else last
            with torch.inference_mode():
                self._samples[name] = sample(self._recorder.read(name, last - rows, last))
        self._by_kind.setdefault(info.kind, []).append(self._samples[name])
        return info.kind
