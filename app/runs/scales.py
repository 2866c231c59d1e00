"""Colour scales: for each kind of tensor, the number that the strongest colour stands for.

It is the 99.5th percentile of |x| over all tensors of the kind, from evenly spaced samples of each. Masked
scores and not-a-number take no part; probabilities always have 1.
"""

import threading
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.transformer.model import Transformer

from .recorder import Recorder

PERCENTILE = 99.5
_SAMPLES_PER_TENSOR = 4096
# Rows from which what is derived is sampled: enough to see its size, cheap to compute.
_DERIVED_ROWS = 2

Samples = NDArray[np.float32]


def sample(tensor: Tensor, count: int = _SAMPLES_PER_TENSOR) -> Samples:
    """|x| of at most `count` evenly spaced finite numbers of a tensor."""
    flat = tensor.detach().flatten()
    # An odd stride meets every column of a matrix with an even number of them.
    stride = max(1, flat.numel() // count) | 1
    values: Samples = flat[::stride].float().abs().cpu().numpy()
    finite: Samples = values[np.isfinite(values)]
    return finite


def percentile(samples: Iterable[Samples]) -> float:
    """The scale of pooled samples; 1 where there is nothing but zeros."""
    pooled = np.concatenate([np.zeros(0, np.float32), *samples])
    if not pooled.size:
        return 1.0
    scale = float(np.percentile(pooled, PERCENTILE)) or float(pooled.max())
    return scale or 1.0


def weight_scales(model: Transformer, kinds: dict[str, list[str]]) -> dict[str, float]:
    """The scale of each kind of weight, `kinds` naming the tensors of each."""
    return {kind: percentile(sample(model.weight(name)) for name in names) for kind, names in kinds.items()}


class Scales:
    """The scales of a run's activations, from its prompt alone, so that writing on does not change them."""

    def __init__(self, recorder: Recorder, prompt_length: int) -> None:
        """Scales of what `recorder` captures of the first `prompt_length` positions."""
        self._recorder, self._rows = recorder, prompt_length
        self._samples: dict[str, Samples] = {}
        self._scales: dict[str, float] = {}
        self._lock = threading.Lock()

    def update(self) -> dict[str, float]:
        """Sample what has been computed since the last call; the scales so far, by kind."""
        with self._lock:
            grown = {kind for name in self._recorder.names if (kind := self._take(name))}
            for kind in grown:
                self._scales[kind] = percentile(
                    samples for name, samples in self._samples.items() if self._recorder.info(name).kind == kind
                )
            return dict(self._scales)

    def _take(self, name: str) -> str | None:
        """Sample one tensor if it is new; its kind."""
        info = self._recorder.info(name)
        if name in self._samples or self._recorder.rows(name) < self._rows:
            return None
        if info.role == "probability":
            self._samples[name] = np.ones(1, np.float32)
        else:
            rows = min(self._rows, _DERIVED_ROWS) if self._recorder.derived(name) else self._rows
            with torch.inference_mode():
                self._samples[name] = sample(self._recorder.read(name, self._rows - rows, self._rows))
        return info.kind
