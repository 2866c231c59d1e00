"""Every entry of a tokenizer's files, changed one at a time: ours splits texts as `transformers` does, or says not.

    python -m tests.parity.tokenizer_entries            # all families and classes: what differs and is not said

`transformers` puts many tokenizers together anew, by their class: what their `tokenizer.json` says is then passed
over, and entries of `tokenizer_config.json` count. The method is that of `entries.py`.
"""

import json
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import AutoTokenizer

from app.checkpoints.rendering import Renderer
from tests.vocabularies import byte_level, entry_of, reader_of, sentence_piece

from .entries import FAMILIES

TEXTS = [
    "hello the use", " hello  the", "He\u00e9 cafe\u0301 42", "\u4f60\u597dhe", "x<s>he</s>",
    "he\n\nhe [MASK] <mask> he", "<|endoftext|>he <|im_start|>the", "he\x00he\u200bhe",
]  # fmt: skip
_PIECES = [
    "he",
    "hello",
    "\u2581he",
    "\u2581hello",
    "\u2581the",
    "\u2581",
    "t",
    "h",
    "e",
    "l",
    "o",
    "\u2581use",
    "us",
    "caf",
    "4",
    "2",
]
_BERT = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "he", "##llo", "hello", "the", "use", "he\u0301", "h", "##e",
    "caf\u00e9", "cafe", "4", "##2", "He", "\u4f60", "\u597d", "\u4f60\u597d", "##\u597d", "##he", "x", "<", "s",
    ">", "hee", "He\u00e9",
]  # fmt: skip


def word_piece() -> Tokenizer:
    """Build one as BERT's, cased: what its class changes of a text shows."""
    library = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(_BERT)}, unk_token="[UNK]"))
    library.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    library.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    library.add_special_tokens(_BERT[:5])
    return library


def unigram(special: list[str], unknown: int) -> Tokenizer:
    """Build one as T5's or XLM-R's."""
    pieces = [(piece, 0.0) for piece in special]
    pieces += [(piece, -1.0 - len(piece) / 7 - number / 50) for number, piece in enumerate(_PIECES)]
    library = Tokenizer(models.Unigram(pieces, unk_id=unknown))
    library.normalizer = normalizers.NFKC()
    library.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    library.decoder = decoders.Metaspace(prepend_scheme="always")
    last = (special.index("</s>"), "</s>")
    library.post_processor = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [last[::-1]])
    library.add_special_tokens(special)
    return library


def _roberta() -> Tokenizer:
    library = byte_level()
    library.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 1))
    return library


_T5, _XLM = ["<pad>", "</s>", "<unk>"], ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
# Where a family's tokenizer comes from, and the classes that its files may name.
KINDS: dict[str, tuple[Tokenizer, tuple[str | None, ...]]] = {
    "gpt2": (byte_level(), (None, "GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizerFast")),
    "gpt_neox": (byte_level(), (None, "GPTNeoXTokenizerFast")),
    "llama": (sentence_piece(normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])),
              (None, "LlamaTokenizer", "LlamaTokenizerFast", "PreTrainedTokenizerFast", "GPT2Tokenizer")),
    "mistral": (sentence_piece(cut=pre_tokenizers.Metaspace(prepend_scheme="first", split=False)),
                (None, "LlamaTokenizer")),
    "qwen2": (byte_level(), (None, "Qwen2Tokenizer", "PreTrainedTokenizerFast")),
    "qwen3": (byte_level(), (None, "Qwen2Tokenizer", "PreTrainedTokenizerFast")),
    "gemma": (sentence_piece(normalizers.Replace(" ", "\u2581")), (None, "GemmaTokenizer", "PreTrainedTokenizerFast")),
    "phi": (byte_level(), (None, "CodeGenTokenizer", "GPT2Tokenizer")),
    "bert": (word_piece(), (None, "BertTokenizer", "DistilBertTokenizer", "PreTrainedTokenizerFast")),
    "distilbert": (word_piece(), (None, "DistilBertTokenizer", "BertTokenizerFast")),
    "roberta": (_roberta(), (None, "RobertaTokenizer", "BartTokenizer", "PreTrainedTokenizerFast")),
    "xlm-roberta": (unigram(_XLM, 3), (None, "XLMRobertaTokenizer", "PreTrainedTokenizerFast")),
    "camembert": (unigram(_XLM, 3), (None, "CamembertTokenizer")),
    "t5": (unigram(_T5, 2), (None, "T5Tokenizer", "T5TokenizerFast", "PreTrainedTokenizerFast")),
}  # fmt: skip
_TOKEN = {"content": "hello", "special": True, "lstrip": True, "rstrip": True, "normalized": False}
ENTRIES: tuple[tuple[str, Any], ...] = (
    ("clean_up_tokenization_spaces", True), ("legacy", True), ("legacy", False), ("add_prefix_space", True),
    ("add_prefix_space", False), ("add_prefix_space", None), ("do_lower_case", True), ("do_lower_case", False),
    ("strip_accents", True), ("strip_accents", False), ("tokenize_chinese_chars", False), ("do_basic_tokenize", False),
    ("trim_offsets", False), ("add_bos_token", True), ("add_eos_token", True), ("use_default_system_prompt", True),
    ("extra_ids", 3), ("split_special_tokens", True), ("additional_special_tokens", ["hello"]),
    ("extra_special_tokens", {"image_token": "hello"}), ("extra_special_tokens", ["hello"]),
    ("added_tokens_decoder", {"5": _TOKEN}), ("bos_token", "he"), ("eos_token", "he"), ("cls_token", "he"),
    ("sep_token", "he"), ("unk_token", "he"), ("mask_token", "he"), ("pad_token", "he"),
    ("mask_token", {**_TOKEN, "__type": "AddedToken", "content": "the"}), ("model_max_length", 3),
    ("padding_side", "left"), ("truncation_side", "left"), ("keep_accents", True), ("remove_space", False),
    ("fix_mistral_regex", True),
)  # fmt: skip
# Entries of tokenizer.json, by the part of it they stand in.
FILE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("truncation", {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}),
    ("padding", {"strategy": {"Fixed": 12}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 1,
                 "pad_type_id": 0, "pad_token": "<s>"}),
    ("model", {"fuse_unk": True}), ("model", {"byte_fallback": True}), ("model", {"byte_fallback": False}),
    ("model", {"ignore_merges": True}), ("model", {"max_input_chars_per_word": 2}), ("model", {"dropout": 0.5}),
    ("normalizer", {"type": "Lowercase"}), ("normalizer", {"type": "NFD"}),
    ("pre_tokenizer", {"type": "WhitespaceSplit"}), ("pre_tokenizer", {"type": "Digits", "individual_digits": True}),
    ("added_tokens", {"lstrip": True}), ("added_tokens", {"rstrip": True}), ("added_tokens", {"single_word": True}),
    ("added_tokens", {"normalized": True}), ("added_tokens", {"special": False}),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A family's files with one entry changed: of tokenizer.json where `part` is said, else of its configuration."""

    family: str
    named: str | None
    entry: str | None = None
    value: Any = None
    part: str | None = None

    def __str__(self) -> str:
        return f"{self.family}, {self.named}: {self.part or self.entry} {json.dumps(self.value)}"


def cases() -> Iterator[Case]:
    """List every family, class and entry."""
    for family, (_, classes) in KINDS.items():
        for named in classes:
            yield Case(family, named)
            for entry, value in ENTRIES:
                yield Case(family, named, entry, value)
            for part, values in FILE:
                yield Case(family, named, None, values, part)


@cache
def _config(family: str) -> dict[str, Any]:
    name, values = FAMILIES["roberta" if family in ("xlm-roberta", "camembert") else family]
    config = getattr(transformers, name).config_class(**{**values, "max_position_embeddings": 512})
    return {**json.loads(config.to_json_string(use_diff=False)), "model_type": family, "vocab_size": 400,
            "architectures": [name], "n_positions": 512}  # fmt: skip


def write(folder: Path, case: Case) -> Path:
    """Write the files of a case; a configuration always, since a folder without one is read as its file stands."""
    folder.mkdir()
    described = json.loads(KINDS[case.family][0].to_str())
    if case.part == "added_tokens":
        described["added_tokens"] = [{**token, **case.value} for token in described["added_tokens"]]
    elif case.part == "model":
        described["model"] |= {key: value for key, value in case.value.items() if key in described["model"]}
    elif case.part is not None:
        described[case.part] = case.value
    settings: dict[str, Any] = {"model_max_length": 512}
    settings |= {"tokenizer_class": case.named} if case.named else {}
    settings |= {case.entry: case.value} if case.entry else {}
    for name, content in {"tokenizer": described, "tokenizer_config": settings, "config": _config(case.family)}.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def verdict(folder: Path, case: Case, renderer: Renderer) -> str:
    """Say what differs between ours and `transformers`; empty where nothing does, or where it is said."""
    write(folder, case)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs: Any = AutoTokenizer.from_pretrained(folder)
            wanted = {text: theirs(text, truncation=False, padding=False).input_ids for text in TEXTS}
            paired = theirs("he the", "hello", truncation=False, padding=False).input_ids
    except Exception as error:
        return f"no reference: {type(error).__name__}: {error}"[:100]
    entry = entry_of(folder, renderer)
    if any("it is left out here" not in note for note in entry.frame.notes):
        return ""  # it is said that something is not done; what is done as there is compared all the same
    reader = reader_of(entry)
    for text, ids in wanted.items():
        if (own := [token.id for token in reader.encode(text)]) != ids:
            return f"{text!r}: {own} is not {ids}"
    own = [token.id for token in reader.encode_pair("he the", "hello")[0]]
    return "" if own == paired else f"a pair: {own} is not {paired}"


def main() -> None:
    """Print what differs and is not said."""
    log: Any = transformers.logging
    log.set_verbosity(50)
    renderer = Renderer(seconds=30)
    count = 0
    with tempfile.TemporaryDirectory() as home:
        for number, case in enumerate(cases()):
            if len(sys.argv) > 1 and case.family not in sys.argv[1:]:
                continue
            try:
                found = verdict(Path(home) / str(number), case, renderer)
            except Exception as error:
                found = f"ours: {type(error).__name__}: {error}"
            count += 1
            if found:
                print(f"{case}  {found}", flush=True)
    renderer.close()
    print(count, "cases")


if __name__ == "__main__":
    main()
