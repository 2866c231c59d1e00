"""What a GGUF file says of where texts begin and end, in the words of llama.cpp's loader of vocabularies.

llama-cpp-python 0.3.36 said the same of all 58 byte-level files here: which tokens end a text, and what goes around it.
For SentencePiece's, whose byte tokens it needs and these lack, the expectations are read from its `llama-vocab.cpp`.
"""

from pathlib import Path
from typing import Any

import pytest
from gguf import GGMLQuantizationType
from transformers import LlamaConfig, LlamaForCausalLM

from app.checkpoints.catalog import LoadedModel

from .gguf_files import SIZES, packed_as, write_gguf
from .reference import D_VOCAB, load, randomise

pytestmark = pytest.mark.parity

_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6
_WORDS = ["a", "b", "ab"]


def tokenizer(kind: str, named: list[str], types: int = _CONTROL, **more: Any) -> dict[str, Any]:
    """Write a vocabulary of `D_VOCAB` tokens of a kind of GGUF's, `named` from id 20 on, all of one type."""
    tokens = ["<unk>", "<s>", "</s>"] if kind == "llama" else ["Ā", "ā", "Ă"]
    given = [_UNKNOWN, _CONTROL, _CONTROL] if kind == "llama" else [_NORMAL] * 3
    tokens += _WORDS + [f"x{number}" for number in range(20 - len(tokens) - len(_WORDS))]
    given += [_NORMAL] * (20 - len(given))
    tokens += named
    given += [types] * len(named)
    tokens += [f"y{number}" for number in range(D_VOCAB - len(tokens))]
    given += [_NORMAL] * (D_VOCAB - len(given))
    found = {"model": kind, "tokens": tokens, "token_type": given}
    found |= (
        {"scores": [-float(at) for at in range(D_VOCAB)]} if kind == "llama" else {"merges": ["a b"], "pre": "gpt-2"}
    )
    return {f"tokenizer.ggml.{name}": value for name, value in (found | more).items()}


def _model(folder: Path, entries: dict[str, Any]) -> LoadedModel:
    reference = randomise(LlamaForCausalLM(LlamaConfig(**SIZES)))
    write_gguf(folder / "tiny.gguf", reference, "llama", packed_as(GGMLQuantizationType.F16), entries)
    return load(folder / "tiny.gguf")


NAMES = [
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>",
    "<|endoftext|>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>", "<end_of_utterance>",
    "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~[", "<|fim_pad|>", "<PAD>", "<|repo_name|>",
    "<|file_sep|>",
]  # fmt: skip


@pytest.mark.parametrize("types", [_CONTROL, _NORMAL])
def test_an_end_known_by_its_name_ends_a_text_and_is_read_whole(tmp_path: Path, types: int) -> None:
    for name in NAMES:
        loaded = _model(tmp_path, tokenizer("gpt2", [name], types, eos_token_id=30, bos_token_id=30))
        assert set(loaded.entry.frame.ends) == {20, 30}, name
        assert [token.id for token in loaded.tokenizer.encode(f"ab{name}ab")] == [5, 20, 5], name


@pytest.mark.parametrize(
    ("named", "ends"),
    [
        (["<|end|>", "<|return|>", "<|call|>"], {21, 22}),
        (["<|end|>", "<|calls|>", "<|flush|>"], {21, 22}),
        (["<|end|>", "<|return|>"], {20, 21}),
        (["<|im_end|>", "<|endoftext|>", "<|fim_pad|>", "<|im_start|>"], {20, 21, 22}),
    ],
)
def test_several_names_are_weighed_together(tmp_path: Path, named: list[str], ends: set[int]) -> None:
    loaded = _model(tmp_path, tokenizer("gpt2", named, eos_token_id=30, bos_token_id=30))
    assert set(loaded.entry.frame.ends) == ends | {30}


@pytest.mark.parametrize(
    ("kind", "more", "around"),
    [
        ("llama", {}, ([1], [])),
        ("llama", {"add_eos_token": True}, ([1], [2])),
        ("llama", {"add_bos_token": False, "add_eos_token": True, "eos_token_id": 7}, ([], [7])),
        ("llama", {"add_eos_token": True, "eos_token_id": D_VOCAB}, ([1], [2])),
        ("gpt2", {"eos_token_id": 30, "bos_token_id": 31}, ([], [])),
        ("gpt2", {"add_eos_token": True, "eos_token_id": 30, "bos_token_id": 31}, ([], [30])),
        ("gpt2", {"add_bos_token": True, "add_eos_token": True, "eos_token_id": 30, "bos_token_id": 31}, ([31], [30])),
        ("gpt2", {"pre": "llama-bpe", "eos_token_id": 30, "bos_token_id": 31}, ([31], [])),
    ],
)
def test_what_stands_around_a_text_is_what_the_file_adds(
    tmp_path: Path, kind: str, more: dict[str, Any], around: tuple[list[int], list[int]]
) -> None:
    loaded = _model(tmp_path, tokenizer(kind, [], **more))
    begin, end = around
    assert (list(loaded.entry.prefix_ids), list(loaded.entry.suffix_ids)) == around
    inner = loaded.tokenizer.encode("ab")
    assert [token.id for token in inner][: len(begin)] == begin and [token.id for token in inner][
        -len(end) or 99 :
    ] == end


def test_tokens_never_written_and_ways_of_choosing_are_read(tmp_path: Path) -> None:
    more = {"tokenizer.ggml.suppress_tokens": [3, 4, D_VOCAB - 1], "general.sampling.penalty_repeat": 1.5}
    loaded = _model(tmp_path, tokenizer("gpt2", [], eos_token_id=30) | more)
    assert loaded.entry.rules.suppressed == (3, 4, D_VOCAB - 1)
    assert "general.sampling.penalty_repeat: 1.5" in " ".join(loaded.entry.not_obeyed)
