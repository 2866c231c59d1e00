"""The frozen description of an architecture, from which model, graph and map are all derived.

Nothing in it is a family's name: a GPT-2, a Llama, a BERT and a T5 differ in the values of these fields alone.
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Kind = Literal["decoder", "encoder", "encoder_decoder"]
Activation = Literal["gelu_new", "gelu", "relu", "silu"]
PositionKind = Literal["learned", "sinusoidal", "rotary", "relative"]
PairLayout = Literal["half", "interleaved"]
RotaryScaling = Literal["none", "linear", "dynamic", "llama3", "yarn"]
ACTIVATIONS: tuple[Activation, ...] = get_args(Activation)
# No model has more of anything; beyond it a config is a mistake or an attack, refused before memory is taken.
_LARGEST = {"layers": 1_000, "encoder_layers": 1_000, "heads": 1_024, "d_model": 65_536, "d_head": 4_096,
            "d_mlp": 524_288, "d_vocab": 2_000_000, "positions": 16_777_216}  # fmt: skip


class SpecError(ValueError):
    """A description that no transformer can have; the message says which part of it, and why."""


@dataclass(frozen=True)
class Rotary:
    """Rotary positions (Su et al. 2021, eq. 34): which dimensions turn, how fast, and what stretches them.

    The first `dims` of a head's dimensions turn in pairs; `pairs` says whether dimension i goes with i + dims/2
    (`half`, Hugging Face's order) or with its neighbour (`interleaved`, the paper's). `factor` and the fields
    after it belong to the scaling kinds: `linear` divides every frequency, `llama3` only the slow ones, `yarn`
    (Peng et al. 2023, section 3) interpolates between the two, `dynamic` changes nothing within `original`.
    """

    dims: int
    base: float = 10_000.0
    pairs: PairLayout = "half"
    scaling: RotaryScaling = "none"
    factor: float = 1.0
    original: int = 0
    low_frequency: float = 1.0
    high_frequency: float = 4.0
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    attention_factor: float = 1.0


@dataclass(frozen=True)
class Relative:
    """T5's learned bias per head and bucket of distance (Raffel et al. 2020, section 2.1)."""

    buckets: int = 32
    max_distance: int = 128


@dataclass(frozen=True)
class Spec:
    """Sizes and choices of a transformer. The defaults are GPT-2's.

    Every size counts cells along the axis of the same name: `d_model` numbers make one residual vector.
    `positions` is the context length, the most tokens that can be read at once; `source_positions` is that of an
    encoder-decoder's source. `layers` are the decoder's (or the only stack's), `encoder_layers` the encoder's of
    an encoder-decoder.

    Norms: `norm` layer (with mean and bias) or rms (neither); `norm_bias` false drops a layer norm's bias;
    `norm_offset` is added to every gain (Gemma: 1); `norm_place` before or after each sub-layer; `final_norm`
    after the last block; `embedding_norm` right after the embeddings (BERT); `query_key_norm` an RMS norm of each
    head's queries and keys (Qwen3).

    Attention: `kv_heads` keys and values are shared by `heads / kv_heads` queries each; `attention_scale`
    multiplies the scores (None: 1 / sqrt(d_head)), and with `scale_by_layer` a block's scores are also divided by its
    number, counted from one; `window` is how far back a query may look (0: all the way), in the layers `windowed`
    (empty: all).

    MLP: `gated` multiplies the activation by a second linear map. `parallel` blocks add attention and MLP to the
    same residual vector; with `shared_norm` both read one norm.

    Output: `head_transform` puts a dense layer, the activation and a norm before the unembedding (BERT);
    `unembed_bias` and `unembed_scale` apply to the logits. Without a `head` there are no logits: the model is a body
    whose last hidden states another head reads, one that is not drawn here (a classifier, or none).
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
    kind: Kind = "decoder"
    encoder_layers: int = 0
    source_positions: int = 0
    kv_heads: int = 0
    norm: Literal["layer", "rms"] = "layer"
    norm_place: Literal["pre", "post"] = "pre"
    norm_bias: bool = True
    norm_offset: float = 0.0
    final_norm: bool = True
    embedding_norm: bool = False
    query_key_norm: bool = False
    position_kind: PositionKind = "learned"
    sinusoid_pairs: Literal["concatenated", "interleaved"] = "interleaved"
    rotary: Rotary | None = None
    relative: Relative | None = None
    embedding_scale: float = 1.0
    token_types: int = 0
    qkv_bias: bool = True
    attention_bias: bool = True
    mlp_bias: bool = True
    attention_scale: float | None = None
    scale_by_layer: bool = False
    window: int = 0
    windowed: tuple[int, ...] = ()
    gated: bool = False
    parallel: bool = False
    shared_norm: bool = False
    head_transform: bool = False
    unembed_bias: bool = False
    unembed_scale: float = 1.0
    head: bool = True

    def __post_init__(self) -> None:
        """Refuse what could not be built.

        Raises:
            SpecError: a size that is impossible, or choices that contradict each other.
        """
        if self.kv_heads == 0:
            object.__setattr__(self, "kv_heads", self.heads)
        if self.kind == "encoder_decoder" and self.source_positions == 0:
            object.__setattr__(self, "source_positions", self.positions)
        self._check_sizes()
        if self.activation not in ACTIVATIONS:
            raise SpecError(f"unknown activation {self.activation!r}; known are {', '.join(ACTIVATIONS)}")
        if self.kv_heads < 0 or self.heads % self.kv_heads:
            raise SpecError(f"{self.heads} heads cannot share {self.kv_heads} key-value heads evenly")
        if (self.position_kind == "rotary") != (self.rotary is not None):
            raise SpecError("rotary positions and their description go together")
        if (self.position_kind == "relative") != (self.relative is not None):
            raise SpecError("relative positions and their description go together")
        if self.rotary is not None and (self.rotary.dims % 2 or not 0 < self.rotary.dims <= self.d_head):
            raise SpecError(f"{self.rotary.dims} rotary dimensions: an even number from 2 to {self.d_head} is needed")
        if self.relative is not None and not 4 <= self.relative.buckets < 2 * self.relative.max_distance:
            raise SpecError(f"{self.relative.buckets} buckets for distances up to {self.relative.max_distance}")
        self._check_numbers()
        if self.parallel and (self.norm_place == "post" or self.kind == "encoder_decoder"):
            raise SpecError("parallel blocks are known for decoders and encoders with norms before them only")
        if self.scale_by_layer and self.kind == "encoder_decoder":
            raise SpecError("scores divided by the block's number are known for one stack of blocks only")
        own = not self.tied or self.head_transform or self.unembed_bias or self.unembed_scale != 1
        if own and not self.head:
            raise SpecError("a model without a language head has no parts of one")

    def _check_sizes(self) -> None:
        for name, largest in _LARGEST.items():
            least = 0 if name == "encoder_layers" and self.kind != "encoder_decoder" else 1
            size = getattr(self, name)
            if not least <= size <= largest:
                raise SpecError(f"{name} is {size}; it must be at least {least} and at most {largest}")

    def _check_numbers(self) -> None:
        """Refuse numbers with which nothing could be computed."""
        numbers = {**vars(self), **({} if self.rotary is None else vars(self.rotary))}
        for name, value in numbers.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise SpecError(f"{name} is {value}, no finite number")
        if self.norm_epsilon < 0:
            raise SpecError(f"norm_epsilon is {self.norm_epsilon}; it must not be negative")
        if self.rotary is not None and not (self.rotary.base > 0 and self.rotary.factor > 0):
            raise SpecError(f"rotary positions of base {self.rotary.base} and factor {self.rotary.factor} do not exist")
        if self.window < 0 or self.token_types < 0:
            raise SpecError(f"window is {self.window} and token_types {self.token_types}; neither may be negative")

    def score_scale_of(self, layer: int) -> float:
        """Return the factor of query times key in a layer."""
        scale = self.d_head**-0.5 if self.attention_scale is None else self.attention_scale
        return scale / (layer + 1) if self.scale_by_layer else scale

    @property
    def causal(self) -> bool:
        """Tell whether a position of the (last) stack sees only what came before it."""
        return self.kind != "encoder"

    @property
    def writes(self) -> bool:
        """Tell whether it can write: an encoder alone only fills in, a body without a language head names nothing."""
        return self.head and self.kind != "encoder"

    def body(self) -> "Spec":
        """Return the same without the language head."""
        return replace(self, head=False, tied=True, head_transform=False, unembed_bias=False, unembed_scale=1.0)

    def window_of(self, layer: int) -> int:
        """Count the positions back that a query of this layer may look, itself included; 0 is all of them."""
        return self.window if not self.windowed or layer in self.windowed else 0

    @property
    def axis_sizes(self) -> dict[str, int]:
        """Count the cells along each named axis. Token axes have the context length, their upper bound; `source_pos` is
        the length of those token axes that a tensor lists as its `source_axes`."""
        sizes = {
            "pos": self.positions,
            "query_pos": self.positions,
            "key_pos": self.positions,
            "head": self.heads,
            "kv_head": self.kv_heads,
            "d_head": self.d_head,
            "d_model": self.d_model,
            "d_mlp": self.d_mlp,
            "d_vocab": self.d_vocab,
        }
        if self.kind == "encoder_decoder":
            sizes["source_pos"] = self.source_positions
        if self.token_types:
            sizes["token_type"] = self.token_types
        if self.relative:
            sizes["bucket"] = self.relative.buckets
        if self.head_transform:
            sizes["d_transform"] = self.d_model
        return sizes

    def as_dict(self) -> dict[str, Any]:
        """Return the same description as JSON-ready values."""
        return asdict(self)
