"""Tokenizers rebuilt from GGUF metadata cut text as the originals do: each way of cutting, beside its own reference.

The references are `transformers`' own classes where it has one, and for SmolLM the parts of its published
tokenizer.json. All work on the bundled vocabulary, since how text is cut before merging is what differs.
"""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import GPT2Tokenizer, Qwen2Tokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter

from app.checkpoints.gguf_tokenizer import tokenizer_of
from app.paths import MODELS

pytestmark = pytest.mark.parity

_STORIES = json.loads((MODELS / "stories" / "tokenizer.json").read_text(encoding="utf-8"))
_VOCABULARY: dict[str, int] = _STORIES["model"]["vocab"]
_MERGES = [tuple(merge) for merge in _STORIES["model"]["merges"]]
# Words and characters on which the ways of cutting disagree.
_PIECES = ["'s", "'S", "I'LL", "don't", "Lily", "HTML5", "3", "2024", "1234567", "½", "٣٤", " ", "  ", "\t", "\n",
           "\r\n", "\n\n", ".", "...", "?!", "$", "_", "-", "(", "é", "e\u0301", "Å", "ﬁ", "中文", "日本語", "हिन्दी",
           "🙂", "👩‍👩‍👧", "\u00a0", "\u200b", "ß", "of", "the", "Once"]  # fmt: skip


def _gpt2() -> Any:
    make: Any = GPT2Tokenizer
    return make(vocab=_VOCABULARY, merges=_MERGES)._tokenizer


def _qwen2() -> Any:
    make: Any = Qwen2Tokenizer
    return make(vocab=_VOCABULARY, merges=_MERGES)._tokenizer


def _llama3() -> Any:
    class OnOurVocabulary(TikTokenConverter):
        def extract_vocab_merges_from_model(self, tiktoken_url: str) -> Any:
            return _VOCABULARY, _MERGES

    converter: Any = OnOurVocabulary
    return converter().converted()


def _smollm() -> Any:
    published = {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    }
    return Tokenizer.from_str(json.dumps(_STORIES | {"pre_tokenizer": published}))


ORIGINALS: dict[str, Callable[[], Any]] = {
    "gpt-2": _gpt2,
    "smollm": _smollm,
    "llama-bpe": _llama3,
    "qwen2": _qwen2,
}


def rebuilt(pre: str) -> Tokenizer:
    """Rebuild the bundled vocabulary as a GGUF file would hold it, cut in this way."""
    tokens = sorted(_VOCABULARY, key=_VOCABULARY.__getitem__)
    return tokenizer_of({
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.merges": [" ".join(merge) for merge in _MERGES],
        "tokenizer.ggml.token_type": [3 if token == "<|endoftext|>" else 1 for token in tokens],
    })  # fmt: skip


def _texts() -> list[str]:
    chooser = random.Random(0)
    return ["".join(chooser.choices(_PIECES, k=chooser.randint(1, 12))) for _ in range(400)]


@pytest.mark.parametrize("pre", ORIGINALS)
def test_text_is_cut_as_the_original_cuts_it(pre: str) -> None:
    original, ours = ORIGINALS[pre](), rebuilt(pre)
    for text in _texts():
        expected = original.encode(text, add_special_tokens=False)
        found = ours.encode(text, add_special_tokens=False)
        assert found.ids == expected.ids, text
        assert ours.decode(found.ids) == original.decode(expected.ids), text


def test_the_ways_of_cutting_differ_on_these_texts() -> None:
    """Or the test above would pass with any of them."""
    cut = {pre: [rebuilt(pre).encode(text).ids for text in _texts()] for pre in ORIGINALS}
    names = list(cut)
    assert all(cut[one] != cut[other] for place, one in enumerate(names) for other in names[place + 1 :])


@pytest.mark.parametrize("pre", ORIGINALS)
def test_the_token_that_ends_a_text_is_read_whole(pre: str) -> None:
    text = "Once upon a time.<|endoftext|>Lily"
    assert rebuilt(pre).encode(text).ids.count(_VOCABULARY["<|endoftext|>"]) == 1
