"""From a file's tensors to a model: checked by their headers alone, then read one by one.

A format says what its file holds (`StoredTensor`) and, for each of our parameters, which of them it is and how it is
turned (`Source`). Everything that does not fit is named before a single number is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..transformer.model import Transformer
from ..transformer.spec import Spec
from .errors import CheckpointError

_SHOWN = 8
# How safetensors, PyTorch and GGUF call numbers that can be weights; GGUF's quantised kinds are judged by its module.
_DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
FLOATING = frozenset(_DTYPES)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file: its shape, how its numbers are kept, and a way to read them."""

    shape: tuple[int, ...]
    kind: str
    read: Callable[[], Tensor]


@dataclass(frozen=True)
class Transform:
    """How a stored tensor becomes a parameter, as a view where it can, and back."""

    read: Callable[[Tensor, Spec], Tensor]
    write: Callable[[Tensor, Spec], Tensor]

    def stored_shape(self, shape: tuple[int, ...], spec: Spec) -> tuple[int, ...]:
        """Return the shape in the file of what has `shape` as a parameter."""
        return tuple(self.write(torch.empty(shape, device="meta"), spec).shape)


AS_IS = Transform(lambda stored, spec: stored, lambda ours, spec: ours)
# PyTorch's Linear keeps [out, in]; our matrices are [in, out].
TRANSPOSED = Transform(lambda stored, spec: stored.t(), lambda ours, spec: ours.t())


@dataclass(frozen=True)
class Source:
    """Where a parameter lies: the name of a stored tensor, and how it is turned."""

    name: str
    transform: Transform = AS_IS


class Plan:
    """A model to be built: its spec, the source of each of its parameters, and what the file holds."""

    def __init__(
        self,
        place: str,
        spec: Spec,
        source_of: Callable[[str], Source],
        stored: Mapping[str, StoredTensor],
        fused: bool,
        floating: frozenset[str] = FLOATING,
    ) -> None:
        """Hold a file's tensors: `place` names the file in complaints; `stored` has weights only, nothing ignorable.

        `fused`: in the file, a block's queries, keys and values are one tensor.
        """
        self.place, self.spec, self.stored, self._floating, self._fused = place, spec, stored, floating, fused
        shapes = {name: tuple(parameter.shape) for name, parameter in _empty(spec, fused).named_parameters()}
        self._shapes = shapes
        self.sources = {name: source_of(name) for name in shapes}

    def check(self) -> None:
        """Compare names, shapes and kinds of numbers.

        Raises:
            CheckpointError: something is missing, extra, misshapen or no fraction; every misfit is named.
        """
        wanted = {
            source.name: source.transform.stored_shape(self._shapes[name], self.spec)
            for name, source in self.sources.items()
        }
        complaints = [f"missing {name}" for name in sorted(wanted.keys() - self.stored.keys())]
        complaints += [f"extra {name}" for name in sorted(self.stored.keys() - wanted.keys())]
        for name in sorted(wanted.keys() & self.stored.keys()):
            found = self.stored[name]
            if found.shape != wanted[name]:
                complaints.append(f"{name} has shape {list(found.shape)}, not {list(wanted[name])}")
            if found.kind not in self._floating:
                complaints.append(f"{name} holds {found.kind}, not floating point numbers")
        if complaints:
            more = f"; and {len(complaints) - _SHOWN} more" if len(complaints) > _SHOWN else ""
            raise CheckpointError(
                f"{self.place}: the weights do not fit the configuration: {'; '.join(complaints[:_SHOWN])}{more}",
                "Use the configuration that belongs to the weights.",
            )

    def build(self, device: str, dtype: torch.dtype) -> Transformer:
        """Build the model on the file's numbers; views into the file where device and precision allow.

        Raises:
            CheckpointError: the file does not fit the spec.
        """
        self.check()
        state = {}
        for name, source in self.sources.items():
            stored = self.stored[source.name].read()
            state[name] = source.transform.read(stored, self.spec).to(device, dtype)
        joining = not self._fused and self._copies(dtype)
        model = _empty(self.spec, self._fused or joining)
        model.load_state_dict(_joined(state) if joining else state, assign=True)
        return model.requires_grad_(False).eval()

    def _copies(self, dtype: torch.dtype) -> bool:
        """Tell whether reading makes new numbers: then the three projections may as well become one."""
        queries = [self.stored[source.name].kind for name, source in self.sources.items() if name.endswith("attn.W_Q")]
        return all(_DTYPES.get(kind) != dtype for kind in queries)


def _empty(spec: Spec, fused: bool) -> Transformer:
    with torch.device("meta"):
        return Transformer(spec, fused=fused)


def _joined(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join each self-attention's queries, keys and values side by side, as one matrix product makes them."""
    found = {}
    for name, tensor in state.items():
        parent, _, leaf = name.rpartition(".")
        if not parent.endswith(".attn") or leaf[2:] not in ("Q", "K", "V"):
            found[name] = tensor
        elif leaf.endswith("Q"):
            parts = [state[f"{parent}.{leaf[0]}_{letter}"] for letter in "QKV"]
            # laid out as a Linear's weight is, [out, in], which the processor multiplies fastest
            found[f"{parent}.{leaf[0]}_QKV"] = torch.cat([part.t() for part in parts]).t()
    return found


def unfused(model: Transformer, fused: bool) -> dict[str, Tensor]:
    """Return the model's parameters by name, its joint projections cut apart unless `fused`, as views."""
    spec, parameters = model.spec, {}
    widths = [spec.heads * spec.d_head, *[spec.kv_heads * spec.d_head] * 2]
    for name, parameter in model.named_parameters():
        parent, _, leaf = name.rpartition(".")
        if leaf in ("W_QKV", "b_QKV") and not fused:
            for letter, part in zip("QKV", parameter.detach().split(widths, -1), strict=True):
                parameters[f"{parent}.{leaf[0]}_{letter}"] = part
        else:
            parameters[name] = parameter.detach()
    return parameters
