"""The graph of a model: every tensor and every operation, in order, and which cells each operation reads.

This is the one declaration behind drawing, explaining, animating and testing. An operation says, for one cell
of its output, which cells of which tensors it reads: one index expression per axis of the tensor read. The
printed equation comes from these reads; nothing says the same thing twice. `blocks.py` writes the graphs of
transformers in these words.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Role = Literal["weight", "activation", "probability", "summary"]
OpKind = Literal[
    "embed",
    "add",
    "mean",
    "deviation",
    "root_mean_square",
    "normalize",
    "affine",
    "einsum",
    "rotate",
    "mask",
    "maximum",
    "sum_exponentials",
    "softmax",
    "activation",
    "multiply",
]
TOKEN_AXES = ("pos", "query_pos", "key_pos")


@dataclass(frozen=True)
class Axis:
    """The index of an output axis: reading `pos` of the output's own position.

    `divide` n reads at the index // n: heads that share keys read `head // (heads / kv_heads)`.
    """

    axis: str
    divide: int = 1


@dataclass(frozen=True)
class Free:
    """A contracted axis: every index along it is read."""

    free: str


@dataclass(frozen=True)
class Constant:
    """Always the same index."""

    constant: int


@dataclass(frozen=True)
class Pair:
    """The partner of an index among the first `size`: i and i + size/2 (`half`), or 2i and 2i + 1 (`interleaved`)."""

    pair: str
    size: int
    layout: Literal["half", "interleaved"]


@dataclass(frozen=True)
class Lookup:
    """An index that is itself a number read elsewhere: `token = tokens[pos]`."""

    lookup: str
    index: tuple[Axis, ...]


@dataclass(frozen=True)
class Bucket:
    """T5's bucket of the distance key - query (Raffel et al. 2020, section 2.1; `_relative_position_bucket`).

    Half of the buckets hold one distance each, the rest grow logarithmically up to `max_distance`; when
    `bidirectional`, half of all buckets are for keys that come later.
    """

    bucket: tuple[str, str]
    buckets: int
    max_distance: int
    bidirectional: bool


Index = Axis | Free | Constant | Pair | Lookup | Bucket


@dataclass(frozen=True)
class Read:
    """One tensor read by an operation: what it is to the operation, and at which cells.

    `where` says for which output cells anything is read: comparisons joined by ` and `, each one of
    `axis <= axis`, `axis > axis - N`, `axis < N`.
    """

    tensor: str
    index: tuple[Index, ...]
    part: str = "input"
    where: str | None = None


@dataclass(frozen=True)
class TensorInfo:
    """A named array: its role, its axes, and the kind (`W_Q`, `hook_z`, …) it shares a colour scale with.

    `same_as` names a tensor that holds the very same numbers (the residual stream between two blocks, a tied
    unembedding), `transposed` when its two axes are swapped. `derived` tensors are computed when asked for.
    `source_axes` are those of its token axes that run along the source text of an encoder-decoder. `learned` is
    false for tables that follow from a formula (sinusoids, rotary cosines).
    """

    name: str
    role: Role
    axes: tuple[str, ...]
    kind: str
    layer: int | None = None
    same_as: str | None = None
    transposed: bool = False
    derived: bool = False
    stack: Literal["encoder", "decoder"] | None = None
    source_axes: tuple[str, ...] = ()
    learned: bool = True

    @cached_property
    def row_axis(self) -> int:
        """Return the axis of an activation along which positions are added."""
        return self.axes.index("query_pos") if "query_pos" in self.axes else 0


@dataclass(frozen=True)
class Op:
    """One operation: its kind, the tensor it makes, the cells it reads, and its constants."""

    kind: OpKind
    output: str
    reads: tuple[Read, ...]
    title: str
    equation: str
    layer: int | None = None
    constants: dict[str, float | str] = field(default_factory=dict)
    stack: Literal["encoder", "decoder"] | None = None


@dataclass(frozen=True)
class Graph:
    """All tensors and operations of one model, in the order in which they come to be."""

    tensors: tuple[TensorInfo, ...]
    ops: tuple[Op, ...]
    sizes: dict[str, int]

    @cached_property
    def _by_name(self) -> dict[str, TensorInfo]:
        return {tensor.name: tensor for tensor in self.tensors}

    @cached_property
    def activations(self) -> dict[str, TensorInfo]:
        """Map the names of everything but the weights to tensors, in order."""
        return {tensor.name: tensor for tensor in self.tensors if tensor.role != "weight"}

    @cached_property
    def _by_output(self) -> dict[str, Op]:
        return {op.output: op for op in self.ops}

    def tensor(self, name: str) -> TensorInfo:
        """Find the tensor of that name.

        Raises:
            KeyError: there is none.
        """
        return self._by_name[name]

    def op_making(self, name: str) -> Op | None:
        """Find the operation that makes a tensor; None for weights and for what has the same numbers as another."""
        return self._by_output.get(name)

    def shape(self, tensor: TensorInfo) -> list[int]:
        """Return the tensor's shape; token axes have the context length, their upper bound."""
        return [self.sizes["source_pos" if axis in tensor.source_axes else axis] for axis in tensor.axes]

    @cached_property
    def parameter_count(self) -> int:
        """Count the numbers that were learned; what two tensors share is counted once."""
        learned = [t for t in self.tensors if t.role == "weight" and t.learned and t.same_as is None]
        return sum(math.prod(self.shape(tensor)) for tensor in learned)


def equation(output: str, axes: tuple[str, ...], reads: Sequence[Read]) -> str:
    """Write the reads as one line over named axes, such as `hook_q[query_pos, head, d_head], … -> …[axes]`."""
    inputs = ", ".join(f"{_leaf(read.tensor)}[{', '.join(map(index_text, read.index))}]" for read in reads)
    return f"{inputs} -> {_leaf(output)}[{', '.join(axes)}]"


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def index_text(index: Index) -> str:
    """Write an index expression."""
    match index:
        case Axis(axis=name, divide=1) | Free(free=name):
            return name
        case Axis(axis=name, divide=n):
            return f"{name} // {n}"
        case Constant(constant=value):
            return str(value)
        case Pair(pair=name, layout=layout):
            return f"pair({name}, {layout})"
        case Lookup(lookup=tensor, index=inner):
            return f"{tensor}[{', '.join(map(index_text, inner))}]"
        case Bucket(bucket=(query, key)):
            return f"bucket({key} - {query})"
