"""Names that requests may use beside the graph's own: Hugging Face's for hidden states and attentions, and those
that TransformerLens 4 gives to the parts of an encoder-decoder."""

import re

from .graph import Graph
from .spec import Spec

_ALIAS = re.compile(r"(encoder_|decoder_|cross_)?(hidden_states|attentions)\[(-?\d+)\]")
# TransformerLens 4's names of an encoder-decoder's parts, and ours.
_STACK = re.compile(r"(encoder|decoder)_(blocks|ln_final)\b")
_PARTS = {".self_attn.": ".attn.", ".hook_resid_mid2": ".hook_resid_mid_cross"}


def resolve_name(name: str, spec: Spec) -> str:
    """Find the graph's name for what a request calls `name`; return unknown names unchanged.

    `hidden_states[k]` counts as `transformers` does: 0 is the embedding, the last one is after the final norm
    where there is one; `attentions[i]` is a block's pattern. Negative indices count from the end. Of an
    encoder-decoder they are `encoder_hidden_states`, `decoder_attentions`, `cross_attentions` and so on.
    """
    match = _ALIAS.fullmatch(name)
    if match is None:
        return _of_transformer_lens(name, spec)
    which, family, index = match[1] or "", match[2], int(match[3])
    paired = spec.kind == "encoder_decoder"
    if paired != bool(which) or (which == "cross_" and family == "hidden_states"):
        return name
    prefix = {"encoder_": "encoder.", "decoder_": "decoder.", "cross_": "decoder."}.get(which, "")
    layers = spec.encoder_layers if which == "encoder_" else spec.layers
    count = layers + 1 if family == "hidden_states" else layers
    index += count if index < 0 else 0
    if not 0 <= index < count:
        return name
    if family == "attentions":
        return f"{prefix}blocks.{index}.{'cross_attn' if which == 'cross_' else 'attn'}.hook_pattern"
    if index < layers:
        return f"{prefix}blocks.{index}.hook_resid_pre"
    return f"{prefix}ln_final.hook_out" if spec.final_norm else f"{prefix}blocks.{layers - 1}.hook_resid_post"


def _of_transformer_lens(name: str, spec: Spec) -> str:
    """Find the graph's name for what TransformerLens 4 calls otherwise."""
    if name == "unembed.hook_out":
        return "logits"
    if spec.kind != "encoder_decoder" or not _STACK.match(name):
        return name
    name = _STACK.sub(r"\1.\2", name, count=1)
    for theirs, ours in _PARTS.items():
        name = name.replace(theirs, ours)
    return name


def source_name(name: str, graph: Graph) -> str:
    """Return the name under which a tensor's numbers are kept: its own, or that of the tensor it equals."""
    tensor = graph.tensor(name)
    return tensor.same_as if tensor.same_as and not tensor.transposed else name
