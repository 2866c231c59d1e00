"""A run of its own on a random sequence read twice: what shows whether a head copies from an earlier occurrence."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from ..transformer.spec import Spec
from .measures import in_repetition

_LONGEST = 24
_REMEMBERED = 32


@dataclass(frozen=True)
class Repetition:
    """What every head does on the repeated sequence, each `[layer, head]`, and how long the sequence was."""

    length: int
    measures: Mapping[str, Tensor]


def repetition_length(spec: Spec, prefix: int) -> int:
    """Count the different tokens that can be read twice; what a window hides cannot be found again."""
    window = min((spec.window_of(layer) for layer in range(spec.layers) if spec.window_of(layer)), default=_LONGEST + 1)
    return min(_LONGEST, spec.d_vocab - prefix - 1, (spec.positions - prefix) // 2, window - 1)


def why_not(spec: Spec) -> str | None:
    """Say why a model has no induction: it must read from left to right, and have room for two tokens twice."""
    if spec.kind != "decoder":
        return "finding what followed an earlier occurrence is what a decoder needs to write on"
    return "there is no room for a sequence of two tokens, twice" if repetition_length(spec, 0) < 2 else None


class Repetitions:
    """The measures of models that were asked for, the last few remembered."""

    def __init__(self) -> None:
        """Begin with no measures."""
        self._found: OrderedDict[tuple[str, str, int], Repetition] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, loaded: LoadedModel, seed: int) -> Repetition:
        """Measure a model on the sequence of this seed."""
        key = (loaded.entry.id, loaded.fingerprint, seed)
        with self._lock:
            if key not in self._found:
                self._found[key] = _measure(loaded, seed)
                if len(self._found) > _REMEMBERED:
                    self._found.popitem(last=False)
            return self._found[key]


def _measure(loaded: LoadedModel, seed: int) -> Repetition:
    prefix = list(loaded.tokenizer.prefix_ids)
    length = repetition_length(loaded.spec, len(prefix))
    special = {*prefix, *loaded.tokenizer.end_ids}
    order = torch.randperm(loaded.spec.d_vocab, generator=torch.Generator().manual_seed(seed)).tolist()
    drawn = [token_id for token_id in order if token_id not in special][:length]
    found: dict[str, list[Tensor]] = {"induction": [], "duplicate": []}

    def tap(name: str, tensor: Tensor) -> Tensor:
        """Measure each pattern as it goes by; nothing is kept of it."""
        if name.endswith("hook_pattern"):
            for measure, value in in_repetition(tensor[0].float(), len(prefix), length).items():
                found[measure].append(value.cpu())
        return tensor

    tokens = torch.tensor([[*prefix, *drawn, *drawn]], device=loaded.model.W_E.device)
    with torch.inference_mode():
        for _ in loaded.model.stages(tokens, tap):
            pass
    return Repetition(length, {measure: torch.stack(layers) for measure, layers in found.items()})


REPETITIONS = Repetitions()
