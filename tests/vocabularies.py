"""Small vocabularies of each kind for tests, and folders of models with them; no weights, which no text needs."""

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

from app.checkpoints.catalog import Catalog
from app.checkpoints.entry import ModelEntry
from app.checkpoints.rendering import Renderer
from app.checkpoints.vocabulary import text_tokenizer
from app.transformer.tokenizer import TextTokenizer

NAMED: dict[str, Any] = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_SPECIAL = ["<unk>", "<s>", "</s>"]
_PIECES = ["he", "hel", "hell", "hello", "▁hello", "th", "the", "▁the", "▁w", "▁wo", "▁[", "us", "use", "▁use"]
_CONFIG = {"model_type": "llama", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
           "num_attention_heads": 2, "max_position_embeddings": 512}  # fmt: skip


def byte_level(normalizer: Normalizer | None = None, **how: Any) -> Tokenizer:
    """Build one as GPT-2's, with a few merges."""
    vocabulary = {letter: number for number, letter in enumerate([*_SPECIAL, *sorted(_alphabet())])}
    merges = [("h", "e"), ("Ġ", "he"), ("l", "l"), ("Ġ", "w"), ("Ã", "©"), (":", "Ġ"), ("Ċ", "Ċ")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    library = Tokenizer(models.BPE(vocabulary, merges))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(**{"add_prefix_space": False, "use_regex": False} | how)
    if normalizer is not None:
        library.normalizer = normalizer
    library.decoder = decoders.ByteLevel()
    library.add_special_tokens(_SPECIAL)
    return library


def _alphabet() -> list[str]:
    found: list[str] = pre_tokenizers.ByteLevel.alphabet()
    return found


def sentence_piece(normalizer: Normalizer | None = None, cut: PreTokenizer | None = None) -> Tokenizer:
    """Build one as Llama 2's: bytes to fall back on, and a space put in front, by the one part or the other."""
    pieces = [*_SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"helowrdINST[]/tus", *_PIECES]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    splits = {piece: [(piece[:at], piece[at:]) for at in range(1, len(piece))] for piece in _PIECES}
    merges = [next(pair for pair in splits[piece] if set(pair) <= vocabulary.keys()) for piece in _PIECES]
    library = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if normalizer is not None:
        library.normalizer = normalizer
    if cut is not None:
        library.pre_tokenizer = cut
    strip = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    library.decoder = decoders.Sequence(strip)
    library.add_special_tokens([AddedToken(token, normalized=False) for token in _SPECIAL])
    library.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return library


def prepending() -> Normalizer:
    """Build one with Llama 2's old way to put a space in front."""
    return normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])


VOCABULARIES: dict[str, Tokenizer] = {
    "byte level": byte_level(),
    "byte level, a space in front": byte_level(add_prefix_space=True),
    "byte level, NFC": byte_level(normalizers.NFC()),
    "pieces, prepended": sentence_piece(prepending()),
    "pieces, always": sentence_piece(cut=pre_tokenizers.Metaspace(prepend_scheme="always", split=False)),
    "pieces, first": sentence_piece(cut=pre_tokenizers.Metaspace(prepend_scheme="first", split=False)),
    "pieces, never": sentence_piece(cut=pre_tokenizers.Metaspace(prepend_scheme="never", split=False)),
}


def folder_with(folder: Path, library: Tokenizer, files: dict[str, Any] | None = None, **settings: Any) -> Path:
    """Write a model's folder; `settings` are tokenizer_config.json's, `files` more files, as JSON or as text."""
    folder.mkdir(parents=True)
    library.save(str(folder / "tokenizer.json"))
    size = max(library.get_vocab().values()) + 9  # rows for tokens that other files add
    named = {"tokenizer_class": "PreTrainedTokenizerFast", **settings}
    written = {"config.json": {**_CONFIG, "vocab_size": size}, "tokenizer_config.json": named, **(files or {})}
    for name, content in written.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def entry_of(folder: Path, renderer: Renderer | None = None) -> ModelEntry:
    """Return what the catalog knows of a folder's model."""
    return Catalog(folder.parent / "none", [folder], renderer=renderer).entries()[0]


def reader_of(entry: ModelEntry) -> TextTokenizer:
    """Return the tokenizer that runs of the model use."""
    frame, source = entry.frame, entry.text_source
    assert source is not None
    return text_tokenizer(source, frame, entry.spec.d_vocab)


def pair_pieces() -> Tokenizer:
    """Make a vocabulary of six pieces of words, with a BERT's frame around one text and two."""
    pieces = {piece: number for number, piece in enumerate(["[UNK]", "[CLS]", "[SEP]", "he", "##the", "x"])}
    library = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    library.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return library
