"""Entries of tokenizers' files that change the reference's tokens: the short list of what ever differed.

`python -m tests.parity.tokenizer_entries` tries all of them, some 2,400 changes, in a minute; what it finds is here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.checkpoints.rendering import Renderer
from tests.vocabularies import entry_of

from .tokenizer_entries import FILE, KINDS, Case, verdict, write

pytestmark = pytest.mark.parity

_SPACE = [("add_prefix_space", True)]
_ENDS = [("bos_token", "he"), ("eos_token", "he")]
_BERT: list[tuple[str, Any]] = [
    ("do_lower_case", False), ("strip_accents", True), ("strip_accents", False), ("tokenize_chinese_chars", False),
    ("cls_token", "he"), ("sep_token", "he"), ("unk_token", "he"),
]  # fmt: skip
_CHANGES: dict[str, list[tuple[str, Any]]] = {
    "gpt2": _SPACE,
    "gpt_neox": _SPACE,
    "llama": [("legacy", True), ("add_prefix_space", False), ("unk_token", "he")],
    "qwen2": [*_SPACE, ("mask_token", {"__type": "AddedToken", "content": "the", "lstrip": True, "rstrip": True})],
    "gemma": [("unk_token", "he")],
    "bert": _BERT,
    "distilbert": _BERT[:1],
    "roberta": [*_SPACE, ("cls_token", "he"), ("sep_token", "he")],
    "xlm-roberta": [("add_prefix_space", False), ("add_prefix_space", None), *_ENDS],
    "camembert": [("add_prefix_space", False), ("unk_token", "he"), *_ENDS],
    "t5": [("eos_token", "he")],
}
# Numbers cut digit by digit first, as in files of Llama's kin that name GPT-2's class.
_DIGITS = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ],
}
# What padding names is added to the vocabulary by some classes; what changes and cuts a text is the class's own.
_FILE = [(part, value) for part, value in FILE if part in ("padding", "normalizer", "pre_tokenizer")]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """Make a renderer that starts no process: no template is rendered here."""
    found = Renderer()
    yield found
    found.close()


@pytest.mark.parametrize("family", KINDS)
def test_what_an_entry_changes_of_the_references_tokens_it_changes_here(
    tmp_path: Path, renderer: Renderer, family: str
) -> None:
    cases = [Case(family, named) for named in KINDS[family][1]]
    named = KINDS[family][1][1]
    cases += [Case(family, named, entry, value) for entry, value in _CHANGES.get(family, [])]
    cases += [Case(family, KINDS[family][1][-1], None, value, part) for part, value in _FILE]
    for number, case in enumerate(cases):
        assert not verdict(tmp_path / str(number), case, renderer), case


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Case("bert", "AlbertTokenizer"), "as the class AlbertTokenizer, which is not done here"),
        (Case("bert", "GPT2Tokenizer"), "which tokenizer.json's WordPiece does not fit"),
        (Case("gpt2", "GPT2Tokenizer", None, {"dropout": 0.5}, "model"), "tokenizer.json says dropout: 0.5"),
        (Case("gpt2", "GPT2Tokenizer", None, _DIGITS, "pre_tokenizer"), "cuts a text with Digits too"),
        (Case("gpt2", "GPT2Tokenizer", "added_tokens_decoder", {"5": {"content": "hello"}}), "without '<unk>', '<s>'"),
    ],
)
def test_what_is_not_done_is_said(tmp_path: Path, renderer: Renderer, case: Case, said: str) -> None:
    (note,) = entry_of(write(tmp_path / "said", case), renderer).frame.notes
    assert said in note


@pytest.mark.parametrize(
    ("case", "lost"),
    [
        (Case("gpt2", "GPT2Tokenizer", None, _DIGITS, "pre_tokenizer"), "Digits"),
        (
            Case("qwen2", "Qwen2Tokenizer", None, {"type": "Sequence", "pretokenizers": [_DIGITS]}, "pre_tokenizer"),
            "Digits",
        ),
        (Case("gpt2", "GPT2Tokenizer", None, {"type": "NFC"}, "normalizer"), "NFC"),
        (Case("t5", "T5Tokenizer", None, {"type": "Lowercase"}, "normalizer"), "Lowercase"),
        (Case("gpt2", "GPT2Tokenizer"), ""),
        (Case("llama", "LlamaTokenizer"), ""),
        (Case("gemma", "GemmaTokenizer"), ""),
        (Case("bert", "BertTokenizer"), ""),
        (
            Case(
                "xlm-roberta",
                "XLMRobertaTokenizer",
                None,
                {"type": "Strip", "strip_left": True, "strip_right": True},
                "normalizer",
            ),
            "",
        ),
    ],
)
def test_what_a_class_leaves_out_of_the_file_is_said_and_done_as_there(
    tmp_path: Path, renderer: Renderer, case: Case, lost: str
) -> None:
    assert not verdict(tmp_path / "compared", case, renderer)
    notes = entry_of(tmp_path / "compared", renderer).frame.notes
    assert [f"changes or cuts a text with {lost} too" in note for note in notes] == ([True] if lost else [])
