"""Bodies without a language head beside `transformers`: sentence encoders, classifiers, reward models.

Their hidden states and attentions are the same numbers; they have no logits, and whoever asks is told why.
"""

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from app.checkpoints.entry import check_model
from app.checkpoints.errors import CheckpointError

from .reference import D_VOCAB, HIDDEN, POSITIONS, SIZES, close, compare_series, random_tokens, record, saved

pytestmark = pytest.mark.parity

T: Any = transformers  # which annotates some of these classes only

_SIZES: dict[str, Any] = SIZES | {"num_hidden_layers": 2}
_BERT = T.BertConfig(**_SIZES)
_ROBERTA = T.RobertaConfig(**_SIZES | {"max_position_embeddings": POSITIONS + 2}, type_vocab_size=1)
_DISTILLED = T.DistilBertConfig(
    vocab_size=D_VOCAB, dim=32, hidden_dim=48, n_layers=2, n_heads=4, max_position_embeddings=POSITIONS
)
_GPT2 = T.GPT2Config(vocab_size=D_VOCAB, n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS, pad_token_id=0)
_LLAMA = T.LlamaConfig(**_SIZES, pad_token_id=0)
_QWEN = T.Qwen2Config(**_SIZES, num_key_value_heads=2, tie_word_embeddings=True, pad_token_id=0)
_T5 = T.T5Config(vocab_size=D_VOCAB, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4)
BODIES: dict[str, Callable[[], Any]] = {
    "BertModel": lambda: T.BertModel(_BERT),
    "BertForSequenceClassification": lambda: T.BertForSequenceClassification(_BERT),
    "BertForTokenClassification": lambda: T.BertForTokenClassification(_BERT),
    "BertForNextSentencePrediction": lambda: T.BertForNextSentencePrediction(_BERT),
    "RobertaForSequenceClassification": lambda: T.RobertaForSequenceClassification(_ROBERTA),
    "DistilBertModel": lambda: T.DistilBertModel(_DISTILLED),
    "DistilBertForSequenceClassification": lambda: T.DistilBertForSequenceClassification(_DISTILLED),
    "LlamaModel": lambda: T.LlamaModel(_LLAMA),
    "LlamaForQuestionAnswering": lambda: T.LlamaForQuestionAnswering(_LLAMA),
    "Qwen2ForSequenceClassification": lambda: T.Qwen2ForSequenceClassification(_QWEN),
    "GPT2ForSequenceClassification": lambda: T.GPT2ForSequenceClassification(_GPT2),
    "T5EncoderModel": lambda: T.T5EncoderModel(_T5),
    "T5ForTokenClassification": lambda: T.T5ForTokenClassification(_T5),
}


# What these classes call what stands beside the body.
_HEAD = re.compile(r"pooler|classifier|score|qa_outputs|seq_relationship")


@pytest.mark.parametrize("name", BODIES)
def test_hidden_states_and_attentions_equal_the_references(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "body", BODIES[name])
    assert not loaded.spec.head and name in loaded.entry.no_head and name in loaded.entry.description
    assert not {"logits", "probabilities", "W_U", "b_U"} & {tensor.name for tensor in loaded.graph.tensors}
    heads = {name: tuple(tensor.shape) for name, tensor in reference.state_dict().items() if _HEAD.search(name)}
    assert dict(loaded.entry.left_out) == heads
    tokens = random_tokens(11)
    body = reference.base_model if hasattr(reference, "base_model") else reference
    with torch.no_grad():
        expected = body(tokens, **HIDDEN)
    seen = record(loaded, tokens)
    compare_series(loaded, seen, expected, "hidden_states")
    compare_series(loaded, seen, expected, "attentions")


def test_a_language_model_whose_head_is_missing_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "body", BODIES["LlamaModel"])
    config = tmp_path / "body" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"architectures": ["LlamaForCausalLM"]}))
    with pytest.raises(CheckpointError, match=r"missing lm_head\.weight"):
        check_model(tmp_path / "body")


def test_embeddings_that_serve_as_the_head_are_one_where_no_other_head_is_there(tmp_path: Path) -> None:
    reference, loaded = saved(tmp_path / "tied", lambda: T.GPT2Model(_GPT2))
    assert loaded.spec.head and loaded.entry.no_head == ""
    tokens = random_tokens(5)
    with torch.no_grad():
        expected = reference(tokens).last_hidden_state @ reference.wte.weight.T
    close(loaded.model(tokens), expected, "logits")


def test_a_second_head_beside_the_language_head_is_named_and_left_out(tmp_path: Path) -> None:
    """And the language head is served."""
    config = T.GPT2Config(**_GPT2.to_dict() | {"num_labels": 1})
    reference, loaded = saved(tmp_path / "double", lambda: T.GPT2DoubleHeadsModel(config))
    assert dict(loaded.entry.left_out) == {
        "multiple_choice_head.summary.weight": (1, 32),
        "multiple_choice_head.summary.bias": (1,),
    }
    tokens = random_tokens(7)
    with torch.no_grad():
        close(loaded.model(tokens), reference(tokens).logits, "logits")


def test_half_a_translation_model_is_called_so(tmp_path: Path) -> None:
    model: Any = importlib.import_module("transformers.models.marian.modeling_marian").MarianForCausalLM(_MARIAN)
    model.save_pretrained(tmp_path / "half")
    with pytest.raises(CheckpointError, match=r"a decoder alone \(MarianForCausalLM\)"):
        check_model(tmp_path / "half")


_MARIAN = T.MarianConfig(
    vocab_size=D_VOCAB, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
    decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48, max_position_embeddings=POSITIONS,
    pad_token_id=D_VOCAB - 1, decoder_start_token_id=D_VOCAB - 1,
)  # fmt: skip
PAIRED: dict[str, Callable[[], Any]] = {
    "MarianModel": lambda: T.MarianModel(_MARIAN),
    "T5ForQuestionAnswering": lambda: T.T5ForQuestionAnswering(_T5),
}


@pytest.mark.parametrize("name", PAIRED)
def test_both_stacks_of_an_encoder_decoder_equal_the_references(tmp_path: Path, name: str) -> None:
    reference, loaded = saved(tmp_path / "body", PAIRED[name])
    assert not loaded.spec.head and name in loaded.entry.no_head
    source, tokens = random_tokens(9), random_tokens(5, seed=1)
    with torch.no_grad():
        expected = reference(input_ids=source, decoder_input_ids=tokens, **HIDDEN)
    seen = record(loaded, tokens, source=source)
    for series in ("encoder_hidden_states", "decoder_hidden_states", "cross_attentions"):
        compare_series(loaded, seen, expected, series)
