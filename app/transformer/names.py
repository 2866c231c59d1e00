"""Names that requests may use beside the graph's own: Hugging Face's for hidden states and attentions."""

import re

from .graph import Graph
from .spec import Spec

_ALIAS = re.compile(r"(hidden_states|attentions)\[(-?\d+)\]")


def resolve_name(name: str, spec: Spec) -> str:
    """The graph's name for what a request calls `name`; unknown names come back unchanged.

    `hidden_states[k]` counts as `transformers` does for GPT-2: 0 is the embedding, the last one is after the
    final norm; `attentions[i]` is a block's pattern. Negative indices count from the end.
    """
    match = _ALIAS.fullmatch(name)
    if match is None:
        return name
    family, index = match[1], int(match[2])
    count = spec.layers + 1 if family == "hidden_states" else spec.layers
    index += count if index < 0 else 0
    if not 0 <= index < count:
        return name
    if family == "attentions":
        return f"blocks.{index}.attn.hook_pattern"
    if index == spec.layers:
        return "ln_final.hook_out"
    return f"blocks.{index}.hook_resid_pre"


def source_name(name: str, graph: Graph) -> str:
    """The name under which a tensor's numbers are kept: its own, or that of the tensor it equals."""
    tensor = graph.tensor(name)
    return tensor.same_as if tensor.same_as and not tensor.transposed else name
