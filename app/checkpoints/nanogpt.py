"""nanoGPT's `ckpt.pt`: a pickle of tensors and plain values, read with `weights_only=True` and mapped from the disk.

Its training script saves the model with the optimizer's state, which is never touched here, and under names that
begin with `_orig_mod.` when the model was compiled. Its vocabulary is padded (50,304 for GPT-2's 50,257 tokens); the
padding is kept, since it takes part in every softmax.
"""

import pickle
import zipfile
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..transformer.model import Transformer
from ..transformer.spec import Spec, SpecError
from .config import Config
from .errors import CheckpointError
from .families.family import Family, with_biases, with_blocks
from .generation import Generation
from .tensors import Plan, StoredTensor
from .vocabulary import TextSource, read_tokenizer

_KINDS = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
_NEEDED = "A nanoGPT checkpoint is what its train.py saves: a dictionary with `model` and `model_args`."
_BLOCK = {
    "ln1.w": "ln_1.weight",
    "attn.W_QKV": "attn.c_attn.weight",
    "attn.W_O": "attn.c_proj.weight",
    "ln2.w": "ln_2.weight",
    "mlp.W_in": "mlp.c_fc.weight",
    "mlp.W_out": "mlp.c_proj.weight",
}


def spec_of(config: Config, stored: Any = ()) -> Spec:
    """Read the spec of a checkpoint's `model_args`. Its GELU is the exact one, as in nanoGPT since June 2023."""
    d_model, biased = config.size("n_embd"), config.flag("bias", True)
    return Spec(
        layers=config.size("n_layer"),
        heads=config.size("n_head"),
        d_model=d_model,
        d_head=config.divided("n_embd", "n_head"),
        d_mlp=4 * d_model,
        d_vocab=config.size("vocab_size"),
        positions=config.size("block_size"),
        activation="gelu",
        norm_bias=biased,
        qkv_bias=biased,
        attention_bias=biased,
        mlp_bias=biased,
    )


NANOGPT = Family(
    "nanogpt",
    spec_of,
    with_blocks("blocks.{i}", "h.{i}", with_biases(_BLOCK))
    | {"W_E": "wte.weight", "W_pos": "wpe.weight"}
    | with_biases({"ln_final.w": "ln_f.weight"}),
    prefix="transformer.",
    ignored=(r"h\.\d+\.attn\.bias", r"lm_head\.weight"),
    fused=True,
)


def _same(tensor: Tensor) -> Tensor:
    return tensor


class NanoGPT:
    """A checkpoint file of nanoGPT."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet but the file's first bytes.

        Raises:
            CheckpointError: it is no file that torch.save has written.
        """
        self.path = path
        if not path.is_file():
            raise CheckpointError(f"{path} does not exist", "Point to a ckpt.pt that nanoGPT has written.")
        if not zipfile.is_zipfile(path):
            raise CheckpointError(f"{path} is broken, or not a file that torch.save has written", _NEEDED)

    @cached_property
    def spec(self) -> Spec:
        """Return the spec that `model_args` describe.

        Raises:
            CheckpointError: the file is no nanoGPT checkpoint, or describes what cannot be.
        """
        config = Config(self._saved()["model_args"], self.path)
        try:
            return spec_of(config)
        except SpecError as error:
            raise config.wrong(str(error), _NEEDED) from error

    kind, class_name, start_id, end_ids, generation = "nanoGPT", "", None, (), Generation()

    @property
    def left_out(self) -> dict[str, tuple[int, ...]]:
        """List weights of the file that are not part of the map: there are none."""
        return {}

    @property
    def no_text(self) -> str:
        """Say why there is no tokenizer; nanoGPT itself keeps none that is not a pickle."""
        return "" if self._tokenizer.is_file() else "no tokenizer.json lies beside it"

    def text_source(self) -> TextSource:
        """Return the tokenizer.

        Raises:
            CheckpointError: its file is broken.
        """
        return TextSource(read_tokenizer(self._tokenizer)[0], self._tokenizer)

    @property
    def _tokenizer(self) -> Path:
        return self.path.with_name("tokenizer.json")

    @property
    def files(self) -> list[Path]:
        """Return the file."""
        return [self.path]

    def check(self) -> None:
        """Compare names and shapes with the spec.

        Raises:
            CheckpointError: they do not fit.
        """
        self._plan().check()

    def load(self, device: str, dtype: torch.dtype) -> Transformer:
        """Load the model on the file's numbers.

        Raises:
            CheckpointError: they do not fit.
        """
        return self._plan().build(device, dtype)

    def _plan(self) -> Plan:
        spec, tensors = self.spec, self._tensors()
        self._check_tied(tensors)
        stored = {
            name: StoredTensor(tuple(value.shape), _KINDS.get(value.dtype, str(value.dtype)), partial(_same, value))
            for name, value in tensors.items()
            if not NANOGPT.ignores(name)
        }
        return Plan(str(self.path), spec, lambda name: NANOGPT.source(name, spec), stored, NANOGPT.fused)

    def _tensors(self) -> dict[str, Tensor]:
        found = {}
        for name, value in self._saved()["model"].items():
            if not isinstance(value, Tensor):
                raise CheckpointError(f"{self.path}: {name} is no tensor but {type(value).__name__}", _NEEDED)
            if value.layout != torch.strided or value.is_meta:
                kept = "without numbers" if value.is_meta else f"as {value.layout}"
                raise CheckpointError(f"{self.path}: {name} is kept {kept}, not as a plain tensor", _NEEDED)
            found[str(name).removeprefix("_orig_mod.").removeprefix(NANOGPT.prefix)] = value
        return found

    def _check_tied(self, tensors: dict[str, Tensor]) -> None:
        head, embedding = tensors.get("lm_head.weight"), tensors.get("wte.weight")
        if head is not None and embedding is not None and not torch.equal(head, embedding):
            raise CheckpointError(
                f"{self.path}: lm_head.weight differs from wte.weight, which nanoGPT keeps the same",
                "Only nanoGPT's own architecture can be read from a .pt file.",
            )

    def _saved(self) -> dict[str, Any]:
        """Open the file's dictionary; its tensors are mapped, nothing of them is read."""
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True, mmap=True)
        except PermissionError:
            raise
        except pickle.UnpicklingError as error:
            raise CheckpointError(
                f"{self.path} holds more than tensors and plain values, which is not read: "
                "unpickling it could run any program in it",
                _NEEDED,
            ) from error
        except (RuntimeError, ValueError, OSError, EOFError, KeyError, AttributeError, TypeError) as error:
            raise CheckpointError(f"{self.path} is broken: {error}", "Copy or write the file again.") from error
        if not isinstance(saved, dict) or not all(isinstance(saved.get(key), dict) for key in ("model", "model_args")):
            raise CheckpointError(f"{self.path} is no nanoGPT checkpoint", _NEEDED)
        return saved
