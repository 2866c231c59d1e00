"""Our transformer beside `transformers` on the same GPT-2 weights: every hidden state, attention and logit."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from app.checkpoints.catalog import Catalog, LoadedModel
from app.paths import MODELS

from .reference import D_VOCAB, POSITIONS, compare, saved, write_greedily

pytestmark = pytest.mark.parity

CONFIGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "untied-relu": {"tie_word_embeddings": False, "activation_function": "relu", "n_inner": 40},
    "scores-as-they-are": {"scale_attn_weights": False},
    "upcast": {"reorder_and_upcast_attn": True},
    "scores-by-layer": {"scale_attn_by_inverse_layer_idx": True},
    "scores-by-layer-alone": {"scale_attn_by_inverse_layer_idx": True, "scale_attn_weights": False},
    "exact-gelu": {"activation_function": "gelu", "layer_norm_epsilon": 1e-3},
}


def random_gpt2(folder: Path, **changes: Any) -> tuple[Any, LoadedModel]:
    """Make a small random GPT-2: the reference, and ours."""
    sizes: dict[str, Any] = {
        "n_layer": 3, "n_head": 4, "n_embd": 32, "vocab_size": D_VOCAB, "n_positions": POSITIONS,
    }  # fmt: skip
    return saved(folder, lambda: GPT2LMHeadModel(GPT2Config(**sizes | changes)))


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("length", [1, 7, 24])
def test_every_number_equals_the_references(tmp_path: Path, name: str, length: int) -> None:
    reference, loaded = random_gpt2(tmp_path / "random", **CONFIGS[name])
    compare(loaded, reference, torch.randint(61, (1, length), generator=torch.Generator().manual_seed(length)))


def test_greedy_writing_chooses_the_same_tokens(tmp_path: Path) -> None:
    reference, loaded = random_gpt2(tmp_path / "random")
    prompt = torch.tensor([[3, 1, 4, 1, 5]])
    expected = reference.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        max_length=24,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    assert write_greedily(loaded, prompt, 24) == expected[0].tolist()


@pytest.mark.parametrize("name", ["sort", "stories"])
def test_transformers_reads_the_bundled_models_and_agrees(name: str) -> None:
    reader: Any = GPT2LMHeadModel
    reference = reader.from_pretrained(MODELS / name, attn_implementation="eager", dtype=torch.float32).eval()
    loaded = Catalog(MODELS).load(name)
    generator = torch.Generator().manual_seed(0)
    compare(loaded, reference, torch.randint(loaded.spec.d_vocab, (1, loaded.spec.positions), generator=generator))
