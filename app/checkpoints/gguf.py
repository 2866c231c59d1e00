"""GGUF files, llama.cpp's: metadata for a configuration, and tensors that are quantised in blocks.

Quantised numbers are widened by the `gguf` package when the model is loaded; others are mapped from the file.
What the metadata of each architecture mean, `gguf_architectures.py` says, and how its tensors are called,
`gguf_names.py`.
"""

import math
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants
from torch import Tensor

from ..transformer.model import Transformer
from ..transformer.spec import Spec, SpecError
from .config import Config
from .errors import CheckpointError, shown
from .families.family import Family
from .generation import Generation, read_generation
from .gguf_architectures import ARCHITECTURES, LLAMA3_TABLE, RANK, Architecture
from .gguf_ends import end_ids
from .gguf_header import Header, Placed, read_header
from .gguf_tokenizer import adds_bos, adds_eos, named_tokens, tokenizer_of, why_not
from .tensors import Plan, StoredTensor
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
        if not isinstance(kind, str) or kind not in ARCHITECTURES:
            raise CheckpointError(
                f"{path} is of the architecture {shown(kind)}", f"Supported are {', '.join(ARCHITECTURES)}."
            )
        self._kind: Architecture = ARCHITECTURES[kind]
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
            return spec.body() if self.config.get("pooling_type") == RANK and spec.tied else spec
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
            if name != LLAMA3_TABLE and name not in self.left_out
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
