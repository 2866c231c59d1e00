"""The graph of a model: every tensor and every operation, in order, and which cells each operation reads.

This is the one declaration behind drawing, explaining, animating and testing. An operation says, for one cell
of its output, which cells of which tensors it reads: one index expression per axis of the tensor read. The
printed equation comes from these reads; nothing says the same thing twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from .spec import Spec

Role = Literal["weight", "activation", "probability", "summary"]
OpKind = Literal[
    "embed",
    "add",
    "mean",
    "deviation",
    "normalize",
    "affine",
    "einsum",
    "mask",
    "maximum",
    "sum_exponentials",
    "softmax",
    "activation",
]


@dataclass(frozen=True)
class Axis:
    """The index of an output axis: reading `pos` of the output's own position."""

    axis: str


@dataclass(frozen=True)
class Free:
    """A contracted axis: every index along it is read."""

    free: str


@dataclass(frozen=True)
class Lookup:
    """An index that is itself a number read elsewhere: `token = tokens[pos]`."""

    lookup: str
    index: tuple[Axis, ...]


Index = Axis | Free | Lookup


@dataclass(frozen=True)
class Read:
    """One tensor read by an operation: what it is to the operation, and at which cells."""

    tensor: str
    index: tuple[Index, ...]
    part: str = "input"
    where: str | None = None


@dataclass(frozen=True)
class TensorInfo:
    """A named array: its role, its axes, and the kind (`W_Q`, `hook_z`, …) it shares a colour scale with.

    `same_as` names a tensor that holds the very same numbers (the residual stream between two blocks, a tied
    unembedding), `transposed` when its two axes are swapped. `derived` tensors are computed when asked for.
    """

    name: str
    role: Role
    axes: tuple[str, ...]
    kind: str
    layer: int | None = None
    same_as: str | None = None
    transposed: bool = False
    derived: bool = False


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


@dataclass(frozen=True)
class Graph:
    """All tensors and operations of one model, in the order in which they come to be."""

    tensors: tuple[TensorInfo, ...]
    ops: tuple[Op, ...]
    sizes: dict[str, int]

    def tensor(self, name: str) -> TensorInfo:
        """The tensor of that name.

        Raises:
            KeyError: there is none.
        """
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        raise KeyError(name)


def build_graph(spec: Spec) -> Graph:
    """The graph of a decoder with this spec."""
    tensors = [*_embedding_tensors(spec)]
    ops = [*_embedding_ops()]
    for layer in range(spec.layers):
        tensors += _block_tensors(layer)
        ops += _block_ops(layer, spec)
    tensors += _output_tensors(spec)
    ops += _output_ops(spec)
    axes = {tensor.name: tensor.axes for tensor in tensors}
    written = tuple(
        Op(op.kind, op.output, op.reads, op.title, _equation(op, axes), op.layer, op.constants) for op in ops
    )
    return Graph(tuple(tensors), written, spec.axis_sizes)


def _weight(name: str, *axes: str, layer: int | None = None) -> TensorInfo:
    return TensorInfo(name, "weight", axes, name.rpartition(".")[2], layer)


def _activation(name: str, *axes: str, layer: int | None = None, role: Role = "activation") -> TensorInfo:
    return TensorInfo(name, role, axes, name.rpartition(".")[2], layer)


def _norm_tensors(name: str, layer: int | None = None) -> Iterator[TensorInfo]:
    kind = name.rpartition(".")[2]
    yield TensorInfo(f"{name}.w", "weight", ("d_model",), f"{kind}.w", layer)
    yield TensorInfo(f"{name}.b", "weight", ("d_model",), f"{kind}.b", layer)
    yield _activation(f"{name}.hook_mean", "pos", layer=layer, role="summary")
    yield _activation(f"{name}.hook_scale", "pos", layer=layer, role="summary")
    yield _activation(f"{name}.hook_normalized", "pos", "d_model", layer=layer)
    yield TensorInfo(f"{name}.hook_out", "activation", ("pos", "d_model"), f"{kind}.hook_out", layer)


def _embedding_tensors(spec: Spec) -> Iterator[TensorInfo]:
    yield _weight("W_E", "d_vocab", "d_model")
    yield _weight("W_pos", "pos", "d_model")
    yield _activation("hook_embed", "pos", "d_model")
    yield _activation("hook_pos_embed", "pos", "d_model")


def _block_tensors(layer: int) -> Iterator[TensorInfo]:
    block, attn, mlp = f"blocks.{layer}", f"blocks.{layer}.attn", f"blocks.{layer}.mlp"
    before = None if layer == 0 else f"blocks.{layer - 1}.hook_resid_post"
    yield TensorInfo(
        f"{block}.hook_resid_pre", "activation", ("pos", "d_model"), "hook_resid_pre", layer, same_as=before
    )
    yield from _norm_tensors(f"{block}.ln1", layer)
    for letter in "QKV":
        yield _weight(f"{attn}.W_{letter}", "head", "d_model", "d_head", layer=layer)
        yield _weight(f"{attn}.b_{letter}", "head", "d_head", layer=layer)
    for letter in "qkv":
        yield _activation(f"{attn}.hook_{letter}", "pos", "head", "d_head", layer=layer)
    square = ("head", "query_pos", "key_pos")
    yield _activation(f"{attn}.hook_attn_scores_raw", *square, layer=layer)
    yield _activation(f"{attn}.hook_attn_scores", *square, layer=layer)
    yield _activation(f"{attn}.hook_max", "head", "query_pos", layer=layer, role="summary")
    yield _activation(f"{attn}.hook_sum", "head", "query_pos", layer=layer, role="summary")
    yield _activation(f"{attn}.hook_pattern", *square, layer=layer, role="probability")
    yield _activation(f"{attn}.hook_z", "pos", "head", "d_head", layer=layer)
    yield TensorInfo(
        f"{attn}.hook_result", "activation", ("pos", "head", "d_model"), "hook_result", layer, derived=True
    )
    yield _weight(f"{attn}.W_O", "head", "d_head", "d_model", layer=layer)
    yield _weight(f"{attn}.b_O", "d_model", layer=layer)
    yield _activation(f"{block}.hook_attn_out", "pos", "d_model", layer=layer)
    yield _activation(f"{block}.hook_resid_mid", "pos", "d_model", layer=layer)
    yield from _norm_tensors(f"{block}.ln2", layer)
    yield _weight(f"{mlp}.W_in", "d_model", "d_mlp", layer=layer)
    yield _weight(f"{mlp}.b_in", "d_mlp", layer=layer)
    yield _activation(f"{mlp}.hook_pre", "pos", "d_mlp", layer=layer)
    yield _activation(f"{mlp}.hook_post", "pos", "d_mlp", layer=layer)
    yield _weight(f"{mlp}.W_out", "d_mlp", "d_model", layer=layer)
    yield _weight(f"{mlp}.b_out", "d_model", layer=layer)
    yield _activation(f"{block}.hook_mlp_out", "pos", "d_model", layer=layer)
    yield _activation(f"{block}.hook_resid_post", "pos", "d_model", layer=layer)


def _output_tensors(spec: Spec) -> Iterator[TensorInfo]:
    yield from _norm_tensors("ln_final")
    tied = "W_E" if spec.tied else None
    yield TensorInfo("W_U", "weight", ("d_model", "d_vocab"), "W_U", same_as=tied, transposed=spec.tied)
    yield _activation("logits", "pos", "d_vocab")
    yield TensorInfo("probabilities", "probability", ("pos", "d_vocab"), "probabilities", derived=True)


def _at(*axes: str) -> tuple[Axis, ...]:
    return tuple(Axis(axis) for axis in axes)


def _op(kind: OpKind, output: str, title: str, *reads: Read, layer: int | None = None, **constants: float | str) -> Op:
    return Op(kind, output, reads, title, "", layer, constants)


def _cell(tensor: str, *axes: str, part: str = "input") -> Read:
    return Read(tensor, _at(*axes), part)


def _row(tensor: str, axis: str, free: str) -> Read:
    return Read(tensor, (Axis(axis), Free(free)))


def _norm_ops(source: str, name: str, spec: Spec, layer: int | None = None) -> Iterator[Op]:
    mean, scale, normalized = f"{name}.hook_mean", f"{name}.hook_scale", f"{name}.hook_normalized"
    yield _op("mean", mean, "mean of each residual vector", _row(source, "pos", "d_model"), layer=layer)
    yield _op(
        "deviation",
        scale,
        "spread of each residual vector",
        _row(source, "pos", "d_model"),
        _cell(mean, "pos", part="mean"),
        layer=layer,
        epsilon=spec.norm_epsilon,
    )
    yield _op(
        "normalize",
        normalized,
        "centre and divide by the spread",
        _cell(source, "pos", "d_model"),
        _cell(mean, "pos", part="mean"),
        _cell(scale, "pos", part="scale"),
        layer=layer,
    )
    yield _op(
        "affine",
        f"{name}.hook_out",
        "learned gain and bias",
        _cell(normalized, "pos", "d_model"),
        _cell(f"{name}.w", "d_model", part="gain"),
        _cell(f"{name}.b", "d_model", part="bias"),
        layer=layer,
    )


def _embedding_ops() -> Iterator[Op]:
    token = Lookup("tokens", _at("pos"))
    yield _op("embed", "hook_embed", "look up each token", Read("W_E", (token, Axis("d_model"))))
    yield _op("embed", "hook_pos_embed", "look up each position", _cell("W_pos", "pos", "d_model"))
    yield _op(
        "add",
        "blocks.0.hook_resid_pre",
        "token plus position",
        _cell("hook_embed", "pos", "d_model"),
        _cell("hook_pos_embed", "pos", "d_model"),
        layer=0,
    )


def _block_ops(layer: int, spec: Spec) -> Iterator[Op]:
    block = f"blocks.{layer}"
    # The stream between two blocks is one tensor: it is read under the name it was written under.
    stream = f"{block}.hook_resid_pre" if layer == 0 else f"blocks.{layer - 1}.hook_resid_post"
    yield from _norm_ops(stream, f"{block}.ln1", spec, layer)
    yield from _attention_ops(layer, spec)
    yield _op(
        "add",
        f"{block}.hook_resid_mid",
        "add attention to the residual stream",
        _cell(stream, "pos", "d_model"),
        _cell(f"{block}.hook_attn_out", "pos", "d_model"),
        layer=layer,
    )
    yield from _norm_ops(f"{block}.hook_resid_mid", f"{block}.ln2", spec, layer)
    yield from _mlp_ops(layer, spec)
    yield _op(
        "add",
        f"{block}.hook_resid_post",
        "add the MLP to the residual stream",
        _cell(f"{block}.hook_resid_mid", "pos", "d_model"),
        _cell(f"{block}.hook_mlp_out", "pos", "d_model"),
        layer=layer,
    )


def _attention_ops(layer: int, spec: Spec) -> Iterator[Op]:
    attn = f"blocks.{layer}.attn"
    source = f"blocks.{layer}.ln1.hook_out"
    for letter, word in zip("qkv", ("queries", "keys", "values"), strict=True):
        yield _op(
            "einsum",
            f"{attn}.hook_{letter}",
            f"{word} of every head",
            _row(source, "pos", "d_model"),
            Read(f"{attn}.W_{letter.upper()}", (Axis("head"), Free("d_model"), Axis("d_head"))),
            _cell(f"{attn}.b_{letter.upper()}", "head", "d_head", part="bias"),
            layer=layer,
        )
    square = ("head", "query_pos", "key_pos")
    yield _op(
        "einsum",
        f"{attn}.hook_attn_scores_raw",
        "match of each query with each key",
        Read(f"{attn}.hook_q", (Axis("query_pos"), Axis("head"), Free("d_head"))),
        Read(f"{attn}.hook_k", (Axis("key_pos"), Axis("head"), Free("d_head"))),
        layer=layer,
        scale=spec.d_head**-0.5,
    )
    yield _op(
        "mask",
        f"{attn}.hook_attn_scores",
        "hide the future",
        Read(f"{attn}.hook_attn_scores_raw", _at(*square), where="key_pos <= query_pos"),
        layer=layer,
    )
    scores_row = Read(f"{attn}.hook_attn_scores", (Axis("head"), Axis("query_pos"), Free("key_pos")))
    largest = _cell(f"{attn}.hook_max", "head", "query_pos", part="maximum")
    total = _cell(f"{attn}.hook_sum", "head", "query_pos", part="sum")
    yield _op("maximum", f"{attn}.hook_max", "largest score of each query", scores_row, layer=layer)
    yield _op("sum_exponentials", f"{attn}.hook_sum", "softmax's divisor", scores_row, largest, layer=layer)
    yield _op(
        "softmax",
        f"{attn}.hook_pattern",
        "share of attention",
        _cell(f"{attn}.hook_attn_scores", *square),
        largest,
        total,
        layer=layer,
        axis="key_pos",
    )
    yield _op(
        "einsum",
        f"{attn}.hook_z",
        "values, weighed by attention",
        Read(f"{attn}.hook_pattern", (Axis("head"), Axis("pos"), Free("key_pos"))),
        Read(f"{attn}.hook_v", (Free("key_pos"), Axis("head"), Axis("d_head"))),
        layer=layer,
    )
    yield _op(
        "einsum",
        f"blocks.{layer}.hook_attn_out",
        "heads back into the stream's axes",
        Read(f"{attn}.hook_z", (Axis("pos"), Free("head"), Free("d_head"))),
        Read(f"{attn}.W_O", (Free("head"), Free("d_head"), Axis("d_model"))),
        _cell(f"{attn}.b_O", "d_model", part="bias"),
        layer=layer,
    )


def _mlp_ops(layer: int, spec: Spec) -> Iterator[Op]:
    mlp = f"blocks.{layer}.mlp"
    yield _op(
        "einsum",
        f"{mlp}.hook_pre",
        "neurons before the nonlinearity",
        _row(f"blocks.{layer}.ln2.hook_out", "pos", "d_model"),
        Read(f"{mlp}.W_in", (Free("d_model"), Axis("d_mlp"))),
        _cell(f"{mlp}.b_in", "d_mlp", part="bias"),
        layer=layer,
    )
    yield _op(
        "activation",
        f"{mlp}.hook_post",
        spec.activation,
        _cell(f"{mlp}.hook_pre", "pos", "d_mlp"),
        layer=layer,
        function=spec.activation,
    )
    yield _op(
        "einsum",
        f"blocks.{layer}.hook_mlp_out",
        "neurons back into the stream's axes",
        _row(f"{mlp}.hook_post", "pos", "d_mlp"),
        Read(f"{mlp}.W_out", (Free("d_mlp"), Axis("d_model"))),
        _cell(f"{mlp}.b_out", "d_model", part="bias"),
        layer=layer,
    )


def _output_ops(spec: Spec) -> Iterator[Op]:
    yield from _norm_ops(f"blocks.{spec.layers - 1}.hook_resid_post", "ln_final", spec)
    yield _op(
        "einsum",
        "logits",
        "score of every token to come next",
        _row("ln_final.hook_out", "pos", "d_model"),
        Read("W_U", (Free("d_model"), Axis("d_vocab"))),
    )
    yield _op(
        "softmax",
        "probabilities",
        "probability of every token to come next",
        _cell("logits", "pos", "d_vocab"),
        Read("logits", (Axis("pos"), Free("d_vocab")), part="row"),
        axis="d_vocab",
    )


def _equation(op: Op, axes: dict[str, tuple[str, ...]]) -> str:
    """The reads as one line over named axes, such as `hook_q[query_pos, head, d_head], … -> …`."""
    inputs = ", ".join(f"{_leaf(read.tensor)}[{', '.join(map(_index_text, read.index))}]" for read in op.reads)
    return f"{inputs} -> {_leaf(op.output)}[{', '.join(axes[op.output])}]"


def _leaf(name: str) -> str:
    return name.rpartition(".")[2]


def _index_text(index: Index) -> str:
    match index:
        case Axis(axis=name) | Free(free=name):
            return name
        case Lookup(lookup=tensor, index=inner):
            return f"{tensor}[{', '.join(_index_text(part) for part in inner)}]"
