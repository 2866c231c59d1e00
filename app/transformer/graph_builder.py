"""Collects the tensors and operations of a graph while it is written.

    builder.op("add", "hook_embed", ("pos", "d_model"), "token and position", [cell("tok", "pos", "d_model"), …])

Every operation brings the tensor that it makes, so that none is without its maker; a norm is several operations.
"""

from collections.abc import Sequence
from typing import Literal

from .graph import TOKEN_AXES, Axis, Free, Op, OpKind, Read, Role, TensorInfo, equation
from .spec import Spec

_NORM_WORDS = ("ln", "q_norm", "k_norm")


def at(*axes: str) -> tuple[Axis, ...]:
    """Index a tensor by the output's own indices along these axes."""
    return tuple(Axis(axis) for axis in axes)


def cell(tensor: str, *axes: str, part: str = "input") -> Read:
    """Read the one cell of a tensor at the output's own indices."""
    return Read(tensor, at(*axes), part)


class GraphBuilder:
    """Collects tensors and operations; every operation brings the tensor that it makes."""

    def __init__(self, spec: Spec) -> None:
        """Begin with no tensors and no operations."""
        self.spec = spec
        self.tensors: list[TensorInfo] = []
        self.ops: list[Op] = []
        self.stack: Literal["encoder", "decoder"] | None = None
        self.layer: int | None = None

    def weight(self, name: str, *axes: str, learned: bool = True) -> None:
        """Add a weight, or a table that follows from a formula."""
        self._tensor(name, "weight", axes, learned=learned)

    def op(
        self,
        kind: OpKind,
        output: str,
        axes: tuple[str, ...],
        title: str,
        reads: Sequence[Read],
        *,
        role: Role = "activation",
        derived: bool = False,
        source_axes: tuple[str, ...] = (),
        constants: dict[str, float | str] | None = None,
    ) -> str:
        """Add an operation and its output; return the output's name."""
        self._tensor(output, role, axes, derived=derived, source_axes=source_axes)
        written = equation(output, axes, reads)
        self.ops.append(Op(kind, output, tuple(reads), title, written, self.layer, constants or {}, self.stack))
        return output

    def alias(self, name: str, same_as: str, axes: tuple[str, ...], *, transposed: bool = False) -> None:
        """Add a second name for a tensor's numbers."""
        role: Role = "weight" if transposed else "activation"
        self._tensor(name, role, axes, same_as=same_as, transposed=transposed)

    def _tensor(
        self,
        name: str,
        role: Role,
        axes: tuple[str, ...],
        *,
        derived: bool = False,
        learned: bool = True,
        same_as: str | None = None,
        transposed: bool = False,
        source_axes: tuple[str, ...] = (),
    ) -> None:
        if self.stack == "encoder" and role != "weight":
            source_axes = tuple(axis for axis in axes if axis in TOKEN_AXES)
        elif self.stack == "encoder":
            source_axes = tuple(axis for axis in axes if axis == "pos")
        self.tensors.append(
            TensorInfo(
                name,
                role,
                axes,
                _kind(name),
                self.layer,
                same_as,
                transposed,
                derived,
                self.stack,
                source_axes,
                learned,
            )
        )

    def norm(self, name: str, source: str, axes: tuple[str, ...], output: str | None = None) -> str:
        """Add a norm over the last of `axes`; return the name of its output, `output` or its own `hook_out`."""
        spec, width = self.spec, axes[-1]
        centred = spec.norm == "layer" and not name.endswith(("q_norm", "k_norm"))
        rows = axes[:-1]
        gained = "d_model" if width == "d_model" else width
        self.weight(f"{name}.w", gained)
        if centred and spec.norm_bias:
            self.weight(f"{name}.b", gained)
        row = Read(source, (*at(*rows), Free(width)))
        mean, scale = f"{name}.hook_mean", f"{name}.hook_scale"
        parts = [cell(scale, *rows, part="scale")]
        epsilon: dict[str, float | str] = {"epsilon": spec.norm_epsilon}
        if centred:
            self.op("mean", mean, rows, "mean of each vector", [row], role="summary")
            mean_read = cell(mean, *rows, part="mean")
            parts.insert(0, mean_read)
            title = "spread of each vector"
            self.op("deviation", scale, rows, title, [row, mean_read], role="summary", constants=epsilon)
        else:
            title = "root mean square of each vector"
            self.op("root_mean_square", scale, rows, title, [row], role="summary", constants=epsilon)
        title = "centre and divide by the spread" if centred else "divide by the root mean square"
        normalized = self.op("normalize", f"{name}.hook_normalized", axes, title, [cell(source, *axes), *parts])
        reads = [cell(normalized, *axes), cell(f"{name}.w", width, part="gain")]
        if centred and spec.norm_bias:
            reads.append(cell(f"{name}.b", width, part="bias"))
        constants: dict[str, float | str] = {"offset": spec.norm_offset} if spec.norm_offset else {}
        title = "learned gain and bias" if len(reads) == 3 else "learned gain"
        result = self.op("affine", output or f"{name}.hook_out", axes, title, reads, constants=constants)
        if output is not None:
            self.alias(f"{name}.hook_out", output, axes)
        return result


def _kind(name: str) -> str:
    """Name what a tensor shares its colour scale with: its last name, with the norm's where it is part of one."""
    *_, owner, leaf = ("", *name.split("."))
    own = leaf in ("w", "b", "hook_out") and owner.startswith(_NORM_WORDS)
    return f"{owner}.{leaf}" if own else leaf
