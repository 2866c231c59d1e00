"""What of a graph a lens can look at: its attention modules, its residual stream, and the tokens along an axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..runs.run import Run
from ..transformer.blocks import stack_prefix
from ..transformer.graph import Graph
from ..transformer.spec import Spec
from ..transformer.tokenizer import Token
from .parameters import Parameter

_PATTERN = ".hook_pattern"


def attentions(graph: Graph) -> dict[str, list[str]]:
    """List the attention modules by part, `self`, or `encoder`, `decoder` and `cross`; one name a layer."""
    found: dict[str, list[str]] = {}
    for tensor in graph.tensors:
        if tensor.kind == "hook_pattern":
            name = tensor.name.removesuffix(_PATTERN)
            part = "cross" if name.endswith("cross_attn") else tensor.stack or "self"
            found.setdefault(part, []).append(name)
    return found


def attention_parameters(run: Run, *parts: str) -> list[Parameter]:
    """Offer `part` (one of `parts`, all by default) and `layer` of an attention module."""
    there = attentions(run.loaded.graph)
    choices = [part for part in there if not parts or part in parts]
    first = choices[-1] if "cross" not in choices else "cross"
    return [
        Parameter("part", "attention", "choice", first, choices=choices),
        layer_parameter(max(len(there[part]) for part in choices)),
    ]


def fullest(run: Run, parts: Sequence[str]) -> str:
    """Choose the part to look at unasked: the last, or the encoder while a decoder has only what it starts from."""
    return "encoder" if "encoder" in parts and len(run.tokens) < 2 else parts[-1]


def layer_parameter(layers: int) -> Parameter:
    """Offer a block."""
    return Parameter("layer", "block", "index", 0, of="layer", size=layers)


def head_parameter(spec: Spec) -> Parameter:
    """Offer a head."""
    return Parameter("head", "head", "index", 0, of="head", size=spec.heads)


def position_parameter(run: Run, count: int, title: str = "position") -> Parameter:
    """Offer a position of the text: by default the first that is masked, or the last."""
    mask = run.loaded.tokenizer.mask_id
    masked = [at for at, token in enumerate(run.tokens[:count]) if mask is not None and token.id == mask]
    return Parameter("pos", title, "index", masked[0] if masked else -1, of="pos", size=count)


def output_position(run: Run) -> Parameter:
    """Offer a position that has logits: one after which, or of an encoder at which, a token is named."""
    writes = run.loaded.spec.writes
    return position_parameter(run, run.recorder.rows("logits"), "after position" if writes else "position")


def texts_tokens(run: Run) -> list[Token]:
    """List the tokens that stand for text, the source's first; all of them where none does (ids alone)."""
    everything = [*run.source, *run.tokens]
    return [token for token in everything if token.end > token.start] or everything


def axis_tokens(run: Run, name: str, axis: str) -> list[Token]:
    """List the tokens along a token axis of a tensor: the text's, or those of an encoder-decoder's source."""
    info = run.recorder.info(name)
    tokens: Sequence[Token] = run.tokens
    if axis in info.source_axes:
        tokens = run.source
    size = run.recorder.shape(name)[info.axes.index(axis)]
    return list(tokens[:size])


def output_prefix(spec: Spec) -> str:
    """Return the prefix of the names of the stack that makes the logits."""
    return stack_prefix("decoder") if spec.kind == "encoder_decoder" else ""


@dataclass(frozen=True)
class Stop:
    """A place of the residual stream: its tensor, how it is called, and which block it belongs to."""

    name: str
    label: str
    layer: int


def stream(spec: Spec, graph: Graph, prefix: str = "") -> list[Stop]:
    """List the residual stream of a stack from the embeddings down, after every sub-layer.

    In a post-norm block the stream after a sub-layer is what its norm gives out.
    """
    names = {tensor.name for tensor in graph.tensors}
    layers = spec.encoder_layers if prefix == "encoder." else spec.layers
    stops = [Stop(f"{prefix}blocks.0.hook_resid_pre", "embedding", -1)]
    for layer in range(layers):
        block = f"{prefix}blocks.{layer}"
        middle = (
            [f"{block}.ln1.hook_out", f"{block}.ln2.hook_out" if f"{block}.ln3.w" in names else ""]
            if spec.norm_place == "post"
            else [f"{block}.hook_resid_mid", f"{block}.hook_resid_mid_cross"]
        )
        for name, word in zip(middle, ("attention", "cross-attention"), strict=True):
            if name in names:
                stops.append(Stop(name, f"{layer} {word}", layer))
        stops.append(Stop(f"{block}.hook_resid_post", f"{layer} MLP", layer))
    return stops


_ADDED = {"hook_attn_out": "attention", "hook_cross_attn_out": "cross-attention", "hook_mlp_out": "MLP"}


def added(graph: Graph, prefix: str, *words: str) -> list[Stop]:
    """List what sub-layers (`attention`, `cross-attention`, `MLP`) of every block add to the stream, in
    order."""
    kinds = {kind: word for kind, word in _ADDED.items() if word in words}
    return [
        Stop(tensor.name, f"{tensor.layer} {kinds[tensor.kind]}", tensor.layer or 0)
        for tensor in graph.tensors
        if tensor.kind in kinds and tensor.name.startswith(f"{prefix}blocks.")
    ]
