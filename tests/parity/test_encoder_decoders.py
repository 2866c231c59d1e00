"""Marian and T5 beside `transformers` on the same weights: both stacks, cross-attention, and what they write."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import MarianConfig, MarianMTModel, T5Config, T5ForConditionalGeneration

from app.checkpoints.catalog import LoadedModel
from app.transformer.decoding import Found, beam_search
from app.transformer.rules import Rules

from .reference import (
    D_VOCAB,
    HIDDEN,
    LENGTHS,
    POSITIONS,
    close,
    compare_series,
    load,
    random_tokens,
    record,
    saved,
    write_greedily,
)

pytestmark = pytest.mark.parity

_START = D_VOCAB - 1
_MARIAN: dict[str, Any] = {
    "vocab_size": D_VOCAB,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": POSITIONS,
    "pad_token_id": _START,
    "decoder_start_token_id": _START,
    "eos_token_id": 0,
    "forced_eos_token_id": None,
}
_T5: dict[str, Any] = {
    "vocab_size": D_VOCAB,
    "d_model": 32,
    "d_kv": 12,
    "d_ff": 48,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
    "decoder_start_token_id": 0,
}
_V11: dict[str, Any] = {**_T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
PAIRED: dict[str, Callable[[], Any]] = {
    "marian": lambda: MarianMTModel(MarianConfig(**_MARIAN, activation_function="swish", scale_embedding=True)),
    "marian, relu, unscaled": lambda: MarianMTModel(MarianConfig(**_MARIAN, activation_function="relu")),
    "t5": lambda: T5ForConditionalGeneration(T5Config(**_T5)),
    "t5 1.1": lambda: T5ForConditionalGeneration(T5Config(**_V11)),
}
_SERIES = (
    "encoder_hidden_states",
    "encoder_attentions",
    "decoder_hidden_states",
    "decoder_attentions",
    "cross_attentions",
)


def _compare(loaded: LoadedModel, reference: Any, source: Tensor, target: Tensor) -> None:
    with torch.no_grad():
        expected = reference(input_ids=source, decoder_input_ids=target, **HIDDEN)
    seen = record(loaded, target, source=source)
    for series in _SERIES:
        compare_series(loaded, seen, expected, series)
    close(seen["logits"], expected.logits, "logits")
    close(loaded.model(target, source), expected.logits, "logits of the fast path")


@pytest.mark.parametrize("name", PAIRED)
def test_every_number_equals_the_references(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", PAIRED[name])
    for source_length, target_length in zip(LENGTHS, reversed(LENGTHS), strict=True):
        _compare(loaded, reference, random_tokens(source_length, seed=1), random_tokens(target_length, seed=2))


def test_a_t5_reads_past_what_it_was_trained_on(tmp_path: Path) -> None:
    """As in `transformers`, which has no end and passes over `n_positions`; ours is 2,048 tokens on either side."""
    reference, _ = saved(
        tmp_path / "random", lambda: T5ForConditionalGeneration(T5Config(**_T5 | {"n_positions": 512}))
    )
    # In float64, since among so many tokens float32 alone moves the reference's own attentions by 1.6e-4.
    reference, loaded = reference.double(), load(tmp_path / "random", torch.float64)
    assert (loaded.spec.positions, loaded.spec.source_positions) == (2_048, 2_048)
    _compare(loaded, reference, random_tokens(600, seed=1), random_tokens(530, seed=2))


@pytest.mark.parametrize("name", PAIRED)
def test_padding_of_the_source_changes_nothing(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", PAIRED[name])
    source, target = random_tokens(11, batch=2, seed=1), random_tokens(5, batch=2, seed=2)
    shown = torch.ones(2, 11, dtype=torch.long)
    shown[0, 4:] = 0
    with torch.no_grad():
        expected = reference(input_ids=source, attention_mask=shown, decoder_input_ids=target, **HIDDEN)
    seen = record(loaded, target, source=source, source_padding=shown == 0)
    for series in ("decoder_hidden_states", "decoder_attentions", "cross_attentions"):
        compare_series(loaded, seen, expected, series)
    close(seen["logits"], expected.logits, "logits")
    alone = loaded.model(target[:1], source[:1, :4])
    close(seen["logits"][:1], alone, "logits beside those without padding")


@pytest.mark.parametrize("name", PAIRED)
def test_greedy_writing_chooses_the_same_tokens(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "random", PAIRED[name])
    source = random_tokens(9, seed=1)
    expected = reference.generate(
        source, attention_mask=torch.ones_like(source), max_length=POSITIONS, do_sample=False, num_beams=1,
        eos_token_id=None, bad_words_ids=None, use_cache=False,  # its cache has as many layers as T5's encoder
    )  # fmt: skip
    start = torch.tensor([loaded.entry.start_ids])
    assert start.tolist() == [[reference.config.decoder_start_token_id]]
    assert write_greedily(loaded, start, POSITIONS, source) == expected[0].tolist()


@pytest.mark.parametrize("name", ["marian", "t5"])
@pytest.mark.parametrize("width", [2, 5])
def test_beams_find_the_text_that_transformers_finds(tmp_path: Path, name: str, width: int) -> None:
    reference, loaded = saved(tmp_path / "random", PAIRED[name])
    source, end = random_tokens(9, seed=2), 5
    expected = reference.generate(
        source, attention_mask=torch.ones_like(source), max_new_tokens=POSITIONS - 2, do_sample=False,
        num_beams=width, eos_token_id=end, bad_words_ids=None, use_cache=False, early_stopping=False,
    )[0].tolist()  # fmt: skip
    found = finish_search(beam_search(loaded.model, expected[:1], width, POSITIONS - 2, Rules(ends=(end,)), source))
    assert found == [token for token in expected[1:] if token != reference.config.pad_token_id or name == "t5"]


def finish_search(search: Generator[None, None, Found]) -> list[int]:
    """Return the text that a search ends with."""
    while True:
        try:
            next(search)
        except StopIteration as stop:
            found: Found = stop.value
            return found.tokens


def test_a_head_of_its_own_is_used_as_in_the_files_of_t5_1_1(tmp_path: Path) -> None:
    reference, _ = saved(tmp_path / "random", PAIRED["t5 1.1"])
    path = tmp_path / "random" / "model.safetensors"
    head = torch.randn(D_VOCAB, 32, generator=torch.Generator().manual_seed(3))
    save_file({**load_file(path), "lm_head.weight": head}, path)
    loaded = load(tmp_path / "random")
    source, target = random_tokens(6, seed=1), random_tokens(4, seed=2)
    with torch.no_grad():
        expected = reference(input_ids=source, decoder_input_ids=target, **HIDDEN)
    close(loaded.model(target, source), expected.decoder_hidden_states[-1] @ head.T, "logits")
