"""The frozen description of an architecture, from which model, graph and map are all derived."""

from dataclasses import asdict, dataclass
from typing import Literal

Activation = Literal["gelu_new", "gelu", "relu"]
ACTIVATIONS: tuple[Activation, ...] = ("gelu_new", "gelu", "relu")


class SpecError(ValueError):
    """A description that no transformer can have; the message says which part of it, and why."""


@dataclass(frozen=True)
class Spec:
    """Sizes and choices of a decoder: pre-norm, learned positions, multi-head attention (GPT-2's family).

    Every size counts cells along the axis of the same name: `d_model` numbers make one residual vector.
    `positions` is the context length, the most tokens that can be read at once.
    """

    layers: int
    heads: int
    d_model: int
    d_head: int
    d_mlp: int
    d_vocab: int
    positions: int
    activation: Activation = "gelu_new"
    norm_epsilon: float = 1e-5
    tied: bool = True
    kind: Literal["decoder"] = "decoder"
    norm: Literal["layer"] = "layer"
    position_kind: Literal["learned"] = "learned"

    def __post_init__(self) -> None:
        """Refuse what could not be built.

        Raises:
            SpecError: a size below one, or an activation that is not known.
        """
        for name in ("layers", "heads", "d_model", "d_head", "d_mlp", "d_vocab", "positions"):
            if getattr(self, name) < 1:
                raise SpecError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.activation not in ACTIVATIONS:
            raise SpecError(f"unknown activation {self.activation!r}; known are {', '.join(ACTIVATIONS)}")

    @property
    def axis_sizes(self) -> dict[str, int]:
        """Cells along each named axis. The token axes have the context length, their upper bound."""
        return {
            "pos": self.positions,
            "query_pos": self.positions,
            "key_pos": self.positions,
            "head": self.heads,
            "d_head": self.d_head,
            "d_model": self.d_model,
            "d_mlp": self.d_mlp,
            "d_vocab": self.d_vocab,
        }

    @property
    def parameter_count(self) -> int:
        """How many numbers were learned; a tied unembedding is counted once."""
        heads_width = self.heads * self.d_head
        attention = 4 * self.d_model * heads_width + 3 * heads_width + self.d_model
        mlp = 2 * self.d_model * self.d_mlp + self.d_mlp + self.d_model
        norms = 2 * self.d_model
        embeddings = (self.d_vocab + self.positions) * self.d_model
        unembedding = 0 if self.tied else self.d_vocab * self.d_model
        return embeddings + self.layers * (attention + mlp + 2 * norms) + norms + unembedding

    def as_dict(self) -> dict[str, int | float | str | bool]:
        """The same description as JSON-ready values."""
        return asdict(self)
