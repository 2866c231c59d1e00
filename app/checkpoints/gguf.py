"""GGUF files, llama.cpp's: metadata for a configuration, and tensors that are quantised in blocks.

Quantised numbers are widened by the `gguf` package when the model is loaded; others are mapped from the file.
llama.cpp's `llama` files keep each head's query and key rows in another order, in which rotary pairs are neighbours.
They are put back here, so that the same model has the same numbers from either kind of file.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants
from torch import Tensor

from ..transformer.model import Transformer
from ..transformer.positions import rotary_frequencies
from ..transformer.spec import Kind, Rotary, Spec, SpecError
from .config import Config
from .errors import CheckpointError, shown
from .families.family import Family, Names, with_biases, with_blocks
from .generation import Generation, read_generation
from .gguf_ends import end_ids
from .gguf_header import Header, Placed, read_header
from .gguf_tokenizer import adds_bos, adds_eos, named_tokens, tokenizer_of, why_not
from .tensors import Plan, Source, StoredTensor, Transform
from .vocabulary import TextSource

_PLAIN = {
    GGMLQuantizationType.F32: torch.float32,
    GGMLQuantizationType.F16: torch.float16,
    GGMLQuantizationType.F64: torch.float64,
}
_QUANTISED = {
    kind
    for name in ("BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
                 "IQ4_NL", "IQ4_XS", "MXFP4")
    if (kind := GGMLQuantizationType[name])
}  # fmt: skip
_KINDS = {int(kind): kind for kind in (*_PLAIN, *_QUANTISED)}
_READ = ", ".join(kind.name for kind in _KINDS.values())
# Llama 3's frequencies are stretched by a table in the file; these are the constants that every Llama 3 was made with.
_LLAMA3_CONTEXT, _LLAMA3_TABLE = 8192, "rope_freqs.weight"
_RANK = 4  # the pooling of models that rank
_CLASSIFIER = ("cls.", "cls_")
_NEVER_WRITTEN = "tokenizer.ggml.suppress_tokens"
# What a file may ask of choosing tokens beyond what a reader chooses, and the value that asks for nothing.
_SAMPLING = {
    f"general.sampling.{name}": neutral
    for name, neutral in (("min_p", 0), ("xtc_probability", 0), ("penalty_repeat", 1), ("mirostat", 0))
}


class GGUF:
    """A GGUF file."""

    def __init__(self, path: Path) -> None:
        """Read the header.

        Raises:
            CheckpointError: it is broken, or of an architecture that is not supported.
        """
        self.path = path
        if not path.is_file():
            raise CheckpointError(f"{path} does not exist", "Point to a .gguf file.")
        self.header: Header = read_header(path)
        kind = self.header.metadata.get("general.architecture")
        parts = self.header.metadata.get("split.count")
        if isinstance(parts, int) and parts > 1:
            raise CheckpointError(
                f"{path} is one of {parts} parts of a model",
                "Join them with llama.cpp's `llama-gguf-split --merge`, and give the one file that makes.",
            )
        if self.header.metadata.get("general.type") == "mmproj" or kind == "clip":
            raise CheckpointError(
                f"{path} holds the picture encoder of a model, not its language model", "Give the other file."
            )
        if not isinstance(kind, str) or kind not in _ARCHITECTURES:
            raise CheckpointError(
                f"{path} is of the architecture {shown(kind)}", f"Supported are {', '.join(_ARCHITECTURES)}."
            )
        self._kind: _Architecture = _ARCHITECTURES[kind]
        prefix = f"{kind}."
        values = {
            name.removeprefix(prefix): value
            for name, value in self.header.metadata.items()
            if name.startswith(prefix) and value is not None
        }
        self.config = Config(values, path)

    @cached_property
    def spec(self) -> Spec:
        """Return the spec that the metadata describe.

        Raises:
            CheckpointError: a value is missing or impossible.
        """
        try:
            spec = self._kind.spec_of(self)
            # A classifier reads the last hidden states in the language head's place.
            return spec.body() if self.config.get("pooling_type") == _RANK and spec.tied else spec
        except SpecError as error:
            raise self.config.wrong(str(error), "A model that can exist is needed.") from error

    @property
    def files(self) -> list[Path]:
        """Return the file."""
        return [self.path]

    @property
    def kind(self) -> str:
        """Return what to call it."""
        return f"{self.header.metadata['general.architecture']}, {self.precision}"

    start_id = None
    class_name = ""

    @cached_property
    def generation(self) -> Generation:
        """Return what the file asks of writing: where it stops, and tokens that are never written."""
        metadata = self.header.metadata
        values = {"eos_token_id": list(self.end_ids), "suppress_tokens": metadata.get(_NEVER_WRITTEN)}
        read = read_generation(values, self.path.name, self.spec.d_vocab, own_file=False)
        passed_over = [
            f"{self.path.name} says {name}: {str(metadata[name])[:80]}, which is not known here: it is not obeyed"
            for name, neutral in _SAMPLING.items()
            if name in metadata and metadata[name] != neutral
        ]
        return replace(read, not_obeyed=(*read.not_obeyed, *passed_over))

    @cached_property
    def end_ids(self) -> tuple[int, ...]:
        """List the tokens after which writing stops."""
        return tuple(token for token in end_ids(self.header.metadata) if 0 <= token < self.spec.d_vocab)

    @property
    def no_text(self) -> str:
        """Say why there is no tokenizer, or none that can be rebuilt."""
        return why_not(self.header.metadata)

    def text_source(self) -> TextSource:
        """Rebuild the tokenizer from the metadata, with what they say goes around a text.

        Raises:
            CheckpointError: it cannot be rebuilt.
        """
        metadata = self.header.metadata
        try:
            library = tokenizer_of(metadata)
        except Exception as error:  # the library raises bare Exception for merges that do not fit
            raise CheckpointError(f"{self.path}: its tokenizer cannot be rebuilt: {error}", _AGAIN) from error
        template = metadata.get("tokenizer.chat_template")
        return TextSource(
            library,
            self.path,
            template if isinstance(template, str) else None,
            named_tokens(metadata, library),
            adds_bos(metadata),
            adds_eos(metadata),
            self.end_ids,
        )

    @cached_property
    def left_out(self) -> dict[str, tuple[int, ...]]:
        """List weights of the file that are not part of the map, a classifier's, with their shapes."""
        return {name: placed.shape for name, placed in self.header.tensors.items() if name.startswith(_CLASSIFIER)}

    @property
    def precision(self) -> str:
        """Return the kind of numbers that most of it is made of."""
        sizes: dict[str, int] = {}
        for placed in self.header.tensors.values():
            name = _KINDS[placed.kind].name if placed.kind in _KINDS else f"kind {placed.kind}"
            sizes[name] = sizes.get(name, 0) + math.prod(placed.shape)
        return max(sizes, key=sizes.__getitem__) if sizes else "none"

    def check(self) -> None:
        """Compare the tensors' names, shapes and kinds with the spec.

        Raises:
            CheckpointError: they do not fit.
        """
        self._plan().check()

    def load(self, device: str, dtype: torch.dtype) -> Transformer:
        """Load the model on the file's numbers, widened.

        Raises:
            CheckpointError: they do not fit.
        """
        return self._plan().build(device, dtype)

    def has(self, name: str) -> bool:
        """Tell whether the file holds a tensor of this name."""
        return name in self.header.tensors

    def read(self, name: str) -> Tensor:
        """Read a tensor as floating point numbers."""
        placed = self.header.tensors[name]
        kind = _KINDS[placed.kind]
        if kind in _PLAIN:
            numbers = np.memmap(self.path, _PLAIN_NUMPY[kind], "c", placed.start, placed.shape)
            return torch.from_numpy(numbers)
        block, size = GGML_QUANT_SIZES[kind]
        row = placed.shape[-1] // block * size
        packed = np.memmap(self.path, np.uint8, "r", placed.start, (*placed.shape[:-1], row))
        if kind == GGMLQuantizationType.BF16:
            return torch.from_numpy(np.array(packed).view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(quants.dequantize(packed, kind))

    def _plan(self) -> Plan:
        size, spec = self.path.stat().st_size, self.spec
        names = self._kind.names
        stored = {
            name: self._stored(name, placed, size)
            for name, placed in self.header.tensors.items()
            if name != _LLAMA3_TABLE and name not in self.left_out
        }
        kinds = frozenset(kind.name for kind in _KINDS.values())
        family = Family("gguf", lambda config, stored: spec, names)
        return Plan(str(self.path), spec, lambda name: family.source(name, spec), stored, self._kind.fused, kinds)

    def _stored(self, name: str, placed: Placed, size: int) -> StoredTensor:
        if placed.kind not in _KINDS:
            try:
                called = GGMLQuantizationType(placed.kind).name
            except ValueError:
                called = f"unknown kind {placed.kind}"
            raise CheckpointError(
                f"{self.path}: {name} is quantised as {called}, which is not supported", f"Supported are {_READ}."
            )
        kind = _KINDS[placed.kind]
        block, block_size = GGML_QUANT_SIZES[kind]
        if not placed.shape or placed.shape[-1] % block:
            raise CheckpointError(f"{self.path}: {name} has rows that are no whole blocks of {kind.name}", _AGAIN)
        if placed.start + math.prod(placed.shape) // block * block_size > size:
            raise CheckpointError(f"{self.path} ends before {name} does: it was not fetched whole", _AGAIN)
        return StoredTensor(placed.shape, kind.name, lambda: self.read(name))


_PLAIN_NUMPY = {
    GGMLQuantizationType.F32: np.float32,
    GGMLQuantizationType.F16: np.float16,
    GGMLQuantizationType.F64: np.float64,
}
_AGAIN = "Fetch the file again, and compare its size with the one it should have."


@dataclass(frozen=True)
class _Architecture:
    """How one of llama.cpp's architectures becomes a spec, and its tensors' names."""

    spec_of: Callable[[GGUF], Spec]
    names: Names
    fused: bool = False


def _sizes(file: GGUF) -> dict[str, Any]:
    config, embedding = file.config, file.header.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise CheckpointError(f"{file.path} has no token_embd.weight", "A language model is needed.")
    if config.get("expert_count"):
        raise config.wrong("it has a mixture of experts", "Only dense models are supported.")
    _refuse_unknown(config)
    heads = config.size("attention.head_count")
    return {
        "layers": config.size("block_count"),
        "heads": heads,
        "kv_heads": config.size("attention.head_count_kv", heads),
        "d_model": config.size("embedding_length"),
        "d_head": config.size("attention.key_length", None)
        if config.get("attention.key_length")
        else config.divided("embedding_length", "attention.head_count"),
        "d_mlp": config.size("feed_forward_length"),
        "d_vocab": embedding.shape[0],
        "positions": config.size("context_length"),
        "tied": not file.has("output.weight"),
        "qkv_bias": file.has("blk.0.attn_q.bias"),
        "attention_bias": file.has("blk.0.attn_output.bias"),
    }


# Keys under `attention.` and `rope.` that are read, and those that llama.cpp's loaders of these architectures pass over
# (its YaRN takes their defaults).
_KNOWN = {
    "attention.head_count", "attention.head_count_kv", "attention.key_length", "attention.value_length",
    "attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.causal",
    "rope.dimension_count", "rope.freq_base", "rope.scaling.type", "rope.scaling.factor", "rope.scale_linear",
    "rope.scaling.original_context_length", "rope.scaling.attn_factor", "rope.scaling.finetuned",
    "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow", "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier",
}  # fmt: skip
# Keys elsewhere that change the numbers of architectures that have them.
_CHANGING = {
    "logit_scale", "residual_scale", "embedding_scale", "attn_logit_softcapping", "final_logit_softcapping",
    "pooling_type", "nextn_predict_layers", "use_parallel_residual",
}  # fmt: skip


def _refuse_unknown(config: Config) -> None:
    """Refuse by name a key that changes what is computed and is not read here, unless its value says "none of it"."""
    for name, value in config.values.items():
        changes = name.startswith(("attention.", "rope.")) and name not in _KNOWN
        if not (changes or name in _CHANGING) or value in (0, False, "none", ""):
            continue
        if name.endswith("scale") and value == 1:
            continue
        if name == "pooling_type" and value in (1, 2, 3, _RANK):
            continue  # what an embedding model does with its last hidden states, which are shown themselves
        if name == "attention.sliding_window" and isinstance(value, int) and value >= config.size("context_length"):
            continue
        raise config.wrong(f"{name} is {value!r}, which is not supported", "Supported are files without it.")
    width = config.get("attention.key_length")
    if width is not None and config.get("attention.value_length") not in (None, width):
        raise config.wrong("its values are not as wide as its keys", "Supported are equal widths.")


def _llama(file: GGUF) -> Spec:
    sizes = _sizes(file)
    return Spec(
        **sizes,
        kind="decoder" if file.config.flag("attention.causal", True) else "encoder",
        activation="silu",
        gated=True,
        norm="rms",
        norm_epsilon=file.config.number("attention.layer_norm_rms_epsilon", 1e-6),
        position_kind="rotary",
        rotary=_rotary(file, sizes["d_head"]),
        mlp_bias=False,
        query_key_norm=file.has("blk.0.attn_q_norm.weight"),
    )


def _gpt2(file: GGUF) -> Spec:
    sizes = _sizes(file) | {"qkv_bias": True, "attention_bias": True}
    kind: Kind = "decoder" if file.config.flag("attention.causal", True) else "encoder"
    return Spec(**sizes, kind=kind, norm_epsilon=file.config.number("attention.layer_norm_epsilon", 1e-5))


def _rotary(file: GGUF, d_head: int) -> Rotary:
    config = file.config
    dims, base = config.size("rope.dimension_count", d_head), config.number("rope.freq_base", 10_000.0)
    if dims != d_head:
        raise config.wrong(f"{dims} of {d_head} dimensions turn", "Supported is that all of a head's do.")
    # As llama.cpp's loader reads them: the factor under its old name too, where 0 is none, and without a type it is
    # linear. `attn_factor` multiplies cosine and sine whatever the type is.
    factor = config.number("rope.scaling.factor", config.number("rope.scale_linear", 0.0)) or 1.0
    attention = config.number("rope.scaling.attn_factor", 1.0)
    kind = config.get("rope.scaling.type") or "linear"
    if kind not in ("none", "linear", "yarn"):
        raise config.wrong(
            f"rope.scaling.type is {shown(kind)}", "Supported are none, linear, yarn, and Llama 3's table."
        )
    if factor < 0:
        raise config.wrong(f"rope.scaling.factor is {factor}", "A positive factor is needed.")
    factor = 1.0 if kind == "none" else factor
    if file.has(_LLAMA3_TABLE):
        if factor != 1:
            raise config.wrong(
                f"rope.scaling.factor is {factor} beside {_LLAMA3_TABLE}", "Supported is one of the two."
            )
        return _llama3(file, Rotary(dims, base, attention_factor=attention))
    if factor == 1:
        return Rotary(dims, base, attention_factor=attention)
    if kind == "linear":
        return Rotary(dims, base, scaling="linear", factor=factor, attention_factor=attention)
    original = config.size("rope.scaling.original_context_length", config.size("context_length"))
    attention *= 0.1 * math.log(factor) + 1 if factor > 1 else 1.0
    return Rotary(dims, base, scaling="yarn", factor=factor, original=original, attention_factor=attention)


def _llama3(file: GGUF, plain: Rotary) -> Rotary:
    """Find the constants behind Llama 3's table of factors; refuse another table."""
    table = file.read(_LLAMA3_TABLE).double()
    found = replace(plain, scaling="llama3", factor=float(table.max()), original=_LLAMA3_CONTEXT)
    expected = rotary_frequencies(plain) / rotary_frequencies(found)
    if table.shape != expected.shape or not torch.allclose(table, expected, rtol=1e-3):
        raise file.config.wrong(f"{_LLAMA3_TABLE} is not the table of Llama 3", "Other tables are not supported.")
    return found


def _unpermuted(heads_of: Callable[[Spec], int]) -> Transform:
    """Turn llama.cpp's order of a head's rows, (0, d/2, 1, d/2 + 1, …), into ours, (0, 1, …)."""

    def read(stored: Tensor, spec: Spec) -> Tensor:
        # [head*d_head, ...] -> [head, d_head/2, 2, ...] -> [head, 2, d_head/2, ...] -> [head*d_head, ...]
        rows: Tensor = stored.unflatten(0, (heads_of(spec), spec.d_head // 2, 2)).transpose(1, 2).flatten(0, 2)
        return rows.t()

    def write(ours: Tensor, spec: Spec) -> Tensor:
        # the same, backwards
        rows: Tensor = ours.t().unflatten(0, (heads_of(spec), 2, spec.d_head // 2)).transpose(1, 2).flatten(0, 2)
        return rows

    return Transform(read, write)


_ATTENTION = {
    "ln1.w": "attn_norm.weight",
    "attn.W_O": "attn_output.weight",
    "ln2.w": "ffn_norm.weight",
    "mlp.W_in": "ffn_up.weight",
    "mlp.W_out": "ffn_down.weight",
}
_SEPARATE = _ATTENTION | {f"attn.W_{letter}": f"attn_{letter.lower()}.weight" for letter in "QKV"}
_FUSED = _ATTENTION | {"attn.W_QKV": "attn_qkv.weight"}
_PLAIN_BLOCK = {
    "mlp.W_gate": "ffn_gate.weight",
    "attn.q_norm.w": "attn_q_norm.weight",
    "attn.k_norm.w": "attn_k_norm.weight",
}
_OUTER: Mapping[str, str | Source] = {
    **with_biases({"ln_final.w": "output_norm.weight"}),
    "W_E": "token_embd.weight",
    "W_pos": "position_embd.weight",
    "W_U": "output.weight",
}
_HALVES = {**with_blocks("blocks.{i}", "blk.{i}", with_biases(_SEPARATE) | _PLAIN_BLOCK), **_OUTER}
_QUERY, _KEY = _unpermuted(lambda spec: spec.heads), _unpermuted(lambda spec: spec.kv_heads)
_NEIGHBOURS = _HALVES | {
    f"blocks.{{i}}.attn.{ours}": Source(f"blk.{{i}}.attn_{letter}.{leaf}", transform)
    for letter, transform in (("q", _QUERY), ("k", _KEY))
    for ours, leaf in ((f"W_{letter.upper()}", "weight"), (f"b_{letter.upper()}", "bias"))
}
_ARCHITECTURES = {
    "llama": _Architecture(_llama, _NEIGHBOURS),
    "qwen2": _Architecture(_llama, _HALVES),
    "qwen3": _Architecture(_llama, _HALVES),
    "gpt2": _Architecture(_gpt2, {**with_blocks("blocks.{i}", "blk.{i}", with_biases(_FUSED)), **_OUTER}, fused=True),
}
