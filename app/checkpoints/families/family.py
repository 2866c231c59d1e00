"""What one family of Hugging Face models is: how its configuration becomes a spec, and what its tensors are called."""

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from ...transformer.spec import Spec
from ..config import Config
from ..tensors import AS_IS, TRANSPOSED, Source

Names = Mapping[str, str | Source]
_LAYER = re.compile(r"\bblocks\.(\d+)\.")
# Parameters that a file keeps as a PyTorch Linear's weight.
_LINEAR = {"W_Q", "W_K", "W_V", "W_QKV", "W_O", "W_gate", "W_in", "W_out", "W_U", "W"}


@dataclass(frozen=True)
class Family:
    """One `model_type`.

    `names` are the file's for ours, `{i}` the layer in both, or a function of the spec that gives them; a matrix is
    taken for a Linear's weight and transposed unless its entry is a `Source` that says otherwise. `prefix` begins
    names in files that were saved with a head and is missing in others. `ignored` are patterns of names that are no
    weights, `copies` names that may repeat another's numbers. `fused`: queries, keys and values are one tensor in the
    file. `config_of` is for writing. `other_prefixes` begin names in files saved with another head.
    """

    model_type: str
    spec_of: Callable[[Config, Set[str]], Spec]
    names: Names | Callable[[Spec], Names]
    prefix: str = ""
    other_prefixes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    # A token that positions are not counted for, where `transformers` counts them by what is read.
    uncounted_id: int | None = None
    copies: Mapping[str, str] = field(default_factory=dict)
    fused: bool = False
    config_of: Callable[[Spec], dict[str, Any]] | None = None

    def source(self, name: str, spec: Spec) -> Source:
        """Find where one of our parameters lies in a file."""
        match = _LAYER.search(name)
        names = self.names(spec) if callable(self.names) else self.names
        entry = names[_LAYER.sub("blocks.{i}.", name)]
        if isinstance(entry, str):
            entry = Source(entry, TRANSPOSED if name.rpartition(".")[2] in _LINEAR else AS_IS)
        return Source(entry.name.replace("{i}", match[1]), entry.transform) if match else entry

    def own_name(self, stored: str) -> str:
        """Return a stored tensor's name as `names` have it, without the prefix of files saved with a head."""
        for prefix in (self.prefix, *self.other_prefixes):
            if prefix and stored.startswith(prefix):
                return stored.removeprefix(prefix)
        return stored

    def ignores(self, stored: str) -> bool:
        """Tell whether a tensor of the file is no weight of the model."""
        return any(re.fullmatch(pattern, stored) for pattern in self.ignored)


def usual_sizes(config: Config) -> dict[str, Any]:
    """Read the sizes that most families' configurations give under the same names, as fields of a spec."""
    return {
        "layers": config.size("num_hidden_layers"),
        "heads": config.size("num_attention_heads"),
        "d_model": config.size("hidden_size"),
        "d_mlp": config.size("intermediate_size"),
        "d_vocab": config.size("vocab_size"),
        "positions": config.size("max_position_embeddings"),
    }


def with_blocks(ours: str, theirs: str, names: Mapping[str, str]) -> dict[str, str | Source]:
    """Put the names of a block's parts after what begins the block's name: ours, and the file's."""
    return {f"{ours}.{name}": f"{theirs}.{stored}" for name, stored in names.items()}


def with_biases(names: Mapping[str, str]) -> dict[str, str]:
    """Add to every matrix that ends in `.weight` its bias."""
    found = dict(names)
    for ours, theirs in names.items():
        head, _, leaf = ours.rpartition(".")
        bias = {"w": "b", "W": "b"}.get(leaf, leaf.replace("W_", "b_"))
        found[f"{head}.{bias}" if head else bias] = theirs.removesuffix("weight") + "bias"
    return found
