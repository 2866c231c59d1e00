"""One small spec for every way of building a transformer that is known here, for the tests that hold for all."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from app.checkpoints.catalog import LoadedModel
from app.checkpoints.entry import ModelEntry
from app.checkpoints.generation import Generation
from app.checkpoints.vocabulary import TextSource
from app.transformer.model import Transformer
from app.transformer.spec import Relative, Rotary, Spec
from app.transformer.tokenizer import IdTokenizer

_NO_BIAS: dict[str, Any] = {"qkv_bias": False, "attention_bias": False, "mlp_bias": False}
FAMILIES: dict[str, Spec] = {
    "gpt2": Spec(layers=2, heads=3, d_model=12, d_head=4, d_mlp=20, d_vocab=17, positions=9),
    "llama": Spec(
        2, 4, 16, 6, 20, 17, 9, activation="silu", norm="rms", position_kind="rotary", rotary=Rotary(6, 100.0),
        kv_heads=2, gated=True, tied=False, **_NO_BIAS,
    ),
    "qwen3": Spec(
        2, 4, 16, 4, 20, 17, 9, activation="silu", norm="rms", position_kind="rotary", rotary=Rotary(4),
        kv_heads=1, gated=True, query_key_norm=True, window=3, windowed=(1,), **_NO_BIAS,
    ),
    "neox": Spec(
        2, 4, 16, 4, 20, 17, 9, activation="gelu", position_kind="rotary", rotary=Rotary(2, pairs="interleaved"),
        parallel=True, tied=False, scale_by_layer=True,
    ),
    "phi": Spec(
        2, 4, 16, 4, 20, 17, 9, position_kind="rotary", rotary=Rotary(2), parallel=True, shared_norm=True,
        tied=False, unembed_bias=True,
    ),
    "gemma": Spec(
        2, 2, 16, 4, 20, 17, 9, norm="rms", norm_offset=1.0, position_kind="rotary", rotary=Rotary(4), kv_heads=1,
        gated=True, embedding_scale=4.0, **_NO_BIAS,
    ),
    "bert": Spec(
        2, 4, 16, 4, 20, 17, 9, kind="encoder", activation="gelu", norm_place="post", final_norm=False,
        embedding_norm=True, token_types=2, head_transform=True, unembed_bias=True,
    ),
    "t5": Spec(
        2, 4, 16, 4, 20, 17, 9, kind="encoder_decoder", encoder_layers=3, source_positions=12, norm="rms",
        position_kind="relative", relative=Relative(8, 6), activation="relu", attention_scale=1.0,
        unembed_scale=0.25, **_NO_BIAS,
    ),
    "marian": Spec(
        2, 4, 16, 4, 20, 17, 9, kind="encoder_decoder", encoder_layers=1, norm_place="post", final_norm=False,
        position_kind="sinusoidal", sinusoid_pairs="concatenated", activation="silu", embedding_scale=4.0,
        unembed_bias=True,
    ),
}  # fmt: skip


def source_of(spec: Spec) -> Tensor | None:
    """Return a text for the encoder of an encoder-decoder to read."""
    return torch.arange(7)[None] * 3 % spec.d_vocab if spec.kind == "encoder_decoder" else None


@dataclass
class InMemory:
    """A checkpoint that lies nowhere: a random model of a spec, its gains and biases random too, without text."""

    spec: Spec
    seed: int = 1
    path: Path = Path()
    kind: str = "random"
    class_name: str = ""
    left_out: dict[str, tuple[int, ...]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    no_text: str = "it lies nowhere"
    start_id: int | None = None
    end_ids: tuple[int, ...] = ()
    generation: Generation = field(default_factory=Generation)

    def text_source(self) -> TextSource:
        """Refuse: there is none."""
        raise AssertionError

    def check(self) -> None:
        """Find no fault: nothing can be wrong with it."""

    def load(self, device: str = "cpu", dtype: torch.dtype = torch.float32) -> Transformer:
        """Make the model; the same for the same seed."""
        model = Transformer(self.spec)
        generator = torch.Generator().manual_seed(self.seed)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0.1, 0.3, generator=generator)
        return model.to(device, dtype).requires_grad_(False)


def load_random(name: str, spec: Spec, dtype: torch.dtype = torch.float32) -> LoadedModel:
    """Make a random model, ready to run on token ids."""
    checkpoint = InMemory(spec)
    entry = ModelEntry(name, checkpoint, {}, False)
    return LoadedModel(entry, checkpoint.load(dtype=dtype), IdTokenizer(), entry.graph, "random")
