"""Names that requests may use beside the graph's own: Hugging Face's for hidden states and attentions, and those
that TransformerLens 4 gives to embeddings and to the parts of an encoder-decoder.

Every door that takes the name of a tensor asks `resolve_name` first: calls, wishes of the stream, interventions.
"""

import re

from .graph import Graph
from .spec import Spec

_ALIAS = re.compile(r"(encoder_|decoder_|cross_)?(hidden_states|attentions)\[(-?\d+)\]")
# TransformerLens 4's names of an encoder-decoder's parts, and ours.
_STACK = re.compile(r"(encoder|decoder)_(blocks|ln_final)\b")
_EMBEDDING = re.compile(r"(decoder_)?(embed|pos_embed|embed_ln)\.(hook_\w+)")
_PARTS = {".self_attn.": ".attn.", ".hook_resid_mid2": ".hook_resid_mid_cross"}


def resolve_name(name: str, spec: Spec) -> str:
    """Find the graph's name for what a request calls `name`; return unknown names unchanged.

    `hidden_states[k]` counts as `transformers` does: 0 is the embedding, the last one is after the final norm
    where there is one; `attentions[i]` is a block's pattern. Negative indices count from the end. Of an
    encoder-decoder they are `encoder_hidden_states`, `decoder_attentions`, `cross_attentions` and so on.
    A name may hold stars where TransformerLens's names differ from ours: `encoder_blocks.*.self_attn.hook_q`.
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
    paired = spec.kind == "encoder_decoder"
    embedding = _EMBEDDING.fullmatch(name)
    if embedding is not None and (paired or not embedding[1]):
        # The decoder's are named so; those without a word before them are the encoder's where there is one.
        prefix = "" if not paired else "decoder." if embedding[1] else "encoder."
        part, hook = embedding[2], embedding[3]
        if part == "embed_ln":
            return f"{prefix}ln_embed.{hook}"
        if part == "embed" and spec.kind == "encoder" and spec.embedding_norm:
            # BERT's `embed` is all of its embeddings there, summed and normed.
            return "ln_embed.hook_out" if hook == "hook_out" else name
        return f"{prefix}hook_{part}" if hook == "hook_out" else name
    if not paired or not _STACK.match(name):
        return name
    name = _STACK.sub(r"\1.\2", name, count=1)
    for theirs, ours in _PARTS.items():
        name = name.replace(theirs, ours)
    return name


def source_name(name: str, graph: Graph) -> str:
    """Return the name under which a tensor's numbers are kept: its own, or that of the tensor it equals."""
    tensor = graph.tensor(name)
    return tensor.same_as if tensor.same_as and not tensor.transposed else name
