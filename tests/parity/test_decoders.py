"""Every family of decoders beside `transformers` on the same weights: hidden states, attentions, logits, tokens."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    GemmaConfig,
    GemmaForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from app.transformer.decoding import beam_search
from app.transformer.rules import Rules

from .reference import LENGTHS, POSITIONS, SIZES, close, compare, load, random_tokens, saved, write_greedily

pytestmark = pytest.mark.parity


def _rope(kind: str, **more: float) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 500.0, **more}}


def _maker(model: Any, config: Any, **changes: Any) -> Callable[[], Any]:
    return lambda: model(config(**SIZES | changes))


_LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8}
DECODERS: dict[str, Callable[[], Any]] = {
    "llama": _maker(LlamaForCausalLM, LlamaConfig, num_key_value_heads=2),
    "llama, one key for all, biases, tied": _maker(
        LlamaForCausalLM, LlamaConfig, num_key_value_heads=1, attention_bias=True, tie_word_embeddings=True
    ),
    "llama, wide heads": _maker(LlamaForCausalLM, LlamaConfig, head_dim=12, hidden_act="gelu"),
    "llama 3's rotary": _maker(LlamaForCausalLM, LlamaConfig, **_rope("llama3", **_LLAMA3)),
    "llama, linear rotary": _maker(LlamaForCausalLM, LlamaConfig, **_rope("linear", factor=3.0)),
    "llama, dynamic rotary": _maker(LlamaForCausalLM, LlamaConfig, **_rope("dynamic", factor=3.0)),
    "llama, yarn": _maker(
        LlamaForCausalLM, LlamaConfig, **_rope("yarn", factor=4.0, original_max_position_embeddings=6)
    ),
    "llama, yarn of another temperature": _maker(
        LlamaForCausalLM,
        LlamaConfig,
        **_rope("yarn", factor=4.0, original_max_position_embeddings=6, mscale=1.0, mscale_all_dim=0.7, beta_fast=4.0),
    ),
    "mistral": _maker(MistralForCausalLM, MistralConfig, num_key_value_heads=2, sliding_window=5),
    "mistral, no window": _maker(MistralForCausalLM, MistralConfig, num_key_value_heads=2, sliding_window=None),
    "qwen2": _maker(Qwen2ForCausalLM, Qwen2Config, num_key_value_heads=2),
    "qwen2, windows from the second layer on": _maker(
        Qwen2ForCausalLM,
        Qwen2Config,
        num_key_value_heads=4,
        use_sliding_window=True,
        sliding_window=4,
        max_window_layers=1,
    ),
    "qwen3": _maker(Qwen3ForCausalLM, Qwen3Config, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True),
    "gemma": _maker(GemmaForCausalLM, GemmaConfig, num_key_value_heads=1, head_dim=16),
    "phi": _maker(PhiForCausalLM, PhiConfig, num_key_value_heads=2),
    "gpt_neox": _maker(GPTNeoXForCausalLM, GPTNeoXConfig, **_rope("default", partial_rotary_factor=0.5)),
    "gpt_neox, in series, no biases": _maker(
        GPTNeoXForCausalLM,
        GPTNeoXConfig,
        use_parallel_residual=False,
        attention_bias=False,
        **_rope("default", partial_rotary_factor=0.25),
    ),
}


def _gains_from(name: str) -> float:
    return 0.0 if name.startswith("gemma") else 1.0  # Gemma's count from one already


@pytest.mark.parametrize("name", DECODERS)
def test_every_number_equals_the_references(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", DECODERS[name], _gains_from(name))
    for length in LENGTHS:
        compare(loaded, reference, random_tokens(length, seed=length))


@pytest.mark.parametrize("name", DECODERS)
def test_greedy_writing_chooses_the_same_tokens(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", DECODERS[name], _gains_from(name))
    prompt = random_tokens(5)
    expected = reference.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_length=POSITIONS, do_sample=False, eos_token_id=None,
        pad_token_id=0,
    )  # fmt: skip
    assert write_greedily(loaded, prompt, POSITIONS) == expected[0].tolist()


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "phi"])
def test_projections_joined_while_reading_give_the_same_numbers(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", DECODERS[name])
    joined = load(tmp_path / "random", torch.float64)
    assert {"blocks.0.attn.W_Q", "blocks.0.attn.W_K"} <= dict(loaded.model.named_parameters()).keys()
    assert "blocks.0.attn.W_QKV" in dict(joined.model.named_parameters())
    tokens = random_tokens(9)
    close(joined.model(tokens).float(), reference(tokens).logits)
    for tensor in loaded.graph.tensors:
        if tensor.role == "weight" and tensor.learned:
            assert torch.equal(joined.model.weight(tensor.name).float(), loaded.model.weight(tensor.name)), tensor.name


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("name", ["llama", "qwen3", "gpt_neox"])
def test_beam_search_finds_the_same_text(tmp_path: Path, name: str, width: int) -> None:
    reference, loaded = saved(tmp_path / "random", DECODERS[name])
    prompt, end = random_tokens(4, seed=2), 7
    expected = reference.generate(
        prompt, attention_mask=torch.ones_like(prompt), max_length=16, do_sample=False, num_beams=width,
        eos_token_id=end, pad_token_id=0,
    )[0, 4:].tolist()  # fmt: skip
    searching = beam_search(loaded.model, prompt[0].tolist(), width, 12, Rules(ends=(end,)))
    with pytest.raises(StopIteration) as found:
        while True:
            next(searching)
    assert found.value.value.tokens == expected
