"""A tokenizer from a GGUF file's metadata: the tokens are there, and how text is cut before merging is named.

Two kinds: `gpt2`, byte-level BPE with merges, and `llama`, SentencePiece's BPE with scores and bytes to fall back on.
The names and patterns of the first are llama.cpp's, `llama-vocab.cpp`.
"""

from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.pre_tokenizers import PreTokenizer

from .errors import shown

# Kinds of token in GGUF.
_CONTROL, _USER_DEFINED = 3, 4
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_GPT2_NAMES = ("gpt-2", "gpt2", "phi-2", "roberta-bpe")
_DIGIT_NAMES = ("smollm", "starcoder", "refact")
_LLAMA3_NAMES = ("llama-bpe", "llama3", "llama-v3", "falcon3")
_QWEN2_NAMES = ("qwen2", "deepseek-r1-qwen")
# Chat templates' names of tokens, and GGUF's, which misspells one.
_NAMED = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "sep_token": "seperator",
          "pad_token": "padding", "cls_token": "cls", "mask_token": "mask"}  # fmt: skip
_KNOWN = (*_GPT2_NAMES, *_DIGIT_NAMES, *_LLAMA3_NAMES, *_QWEN2_NAMES)


def why_not(metadata: dict[str, Any]) -> str:
    """Why no tokenizer can be made of the metadata, so that the model reads token ids; empty where one can be."""
    tokens, kind = metadata.get("tokenizer.ggml.tokens"), metadata.get("tokenizer.ggml.model")
    if not isinstance(tokens, list) or not tokens:
        return "the file holds no tokenizer"
    if kind == "llama":
        return ""
    if kind != "gpt2":
        return f"its tokenizer is of the kind {shown(kind)}; known are 'gpt2' and 'llama'"
    name = _pre(metadata)
    return "" if name in _KNOWN else f"its tokenizer cuts text as {shown(name)}; known are {', '.join(_KNOWN)}"


def _pre(metadata: dict[str, Any]) -> Any:
    """How text is cut before merging. Old files do not say; those of GPT-2 itself mean its own way."""
    name = metadata.get("tokenizer.ggml.pre", "default")
    return "gpt-2" if name == "default" and metadata.get("general.architecture") == "gpt2" else name


def tokenizer_of(metadata: dict[str, Any]) -> Tokenizer:
    """The tokenizer that the metadata describe.

    Raises:
        ValueError: they are incomplete. The library raises Exception where they contradict each other.
    """
    tokens = metadata["tokenizer.ggml.tokens"]
    build = _byte_level if metadata["tokenizer.ggml.model"] == "gpt2" else _sentence_piece
    library = build(metadata, tokens)
    kinds = metadata.get("tokenizer.ggml.token_type") or []
    added = [(token, kind) for token, kind in zip(tokens, kinds, strict=False) if kind in (_CONTROL, _USER_DEFINED)]
    library.add_special_tokens([AddedToken(token, special=True) for token, kind in added if kind == _CONTROL])
    library.add_tokens([AddedToken(token, normalized=False) for token, kind in added if kind == _USER_DEFINED])
    return library


def adds_bos(metadata: dict[str, Any]) -> bool:
    """Whether every text begins with the token for it: SentencePiece's way and Llama 3's, if nothing else is said."""
    named = metadata.get("tokenizer.ggml.add_bos_token")
    if isinstance(named, bool):
        return named
    return metadata.get("tokenizer.ggml.model") == "llama" or _whole_words(metadata)


def end_ids(metadata: dict[str, Any]) -> tuple[int, ...]:
    """The tokens that end a turn, a message or a text, in this order."""
    named = (_token_id(metadata, name) for name in ("eot", "eom", "eos"))
    return tuple(dict.fromkeys(token for token in named if token is not None))


def named_tokens(metadata: dict[str, Any], library: Tokenizer) -> dict[str, str]:
    """What chat templates call the named tokens."""
    ids = {name: _token_id(metadata, called) for name, called in _NAMED.items()}
    found = {name: library.id_to_token(token) for name, token in ids.items() if token is not None}
    return {name: content for name, content in found.items() if content}


def _token_id(metadata: dict[str, Any], name: str) -> int | None:
    found = metadata.get(f"tokenizer.ggml.{name}_token_id")
    return found if isinstance(found, int) and 0 <= found < 2**31 else None


def _byte_level(metadata: dict[str, Any], tokens: list[str]) -> Tokenizer:
    merges = [tuple(merge.split(" ", 1)) for merge in metadata.get("tokenizer.ggml.merges") or []]
    library = Tokenizer(models.BPE(vocab=_ids(tokens), merges=merges, ignore_merges=_whole_words(metadata)))
    name = _pre(metadata)
    library.pre_tokenizer = _cutter(name)
    if name == "qwen2":
        library.normalizer = normalizers.NFC()
    library.decoder = decoders.ByteLevel()
    return library


def _cutter(name: str) -> PreTokenizer:
    if name in _DIGIT_NAMES:
        digits = pre_tokenizers.Digits(individual_digits=True)
        return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    if name not in (*_LLAMA3_NAMES, *_QWEN2_NAMES):
        return pre_tokenizers.ByteLevel(add_prefix_space=False)
    cut = pre_tokenizers.Split(Regex(_LLAMA3 if name in _LLAMA3_NAMES else _QWEN2), "isolated")
    return pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _whole_words(metadata: dict[str, Any]) -> bool:
    """Whether a word that is a token is taken whole, whatever the merges say: Llama 3's way."""
    return metadata.get("tokenizer.ggml.pre") in _LLAMA3_NAMES


def _sentence_piece(metadata: dict[str, Any], tokens: list[str]) -> Tokenizer:
    scores = metadata.get("tokenizer.ggml.scores")
    if not isinstance(scores, list) or len(scores) != len(tokens):
        raise ValueError("tokenizer.ggml.scores does not score every token")
    unknown = metadata.get("tokenizer.ggml.unknown_token_id", 0)
    model = models.BPE(
        vocab=_ids(tokens),
        merges=_merges(tokens, scores),
        unk_token=tokens[unknown] if isinstance(unknown, int) and 0 <= unknown < len(tokens) else None,
        fuse_unk=True,
        byte_fallback=True,
    )
    library = Tokenizer(model)
    spaced = metadata.get("tokenizer.ggml.add_space_prefix", True)
    begin = [normalizers.Prepend("▁")] if spaced else []
    library.normalizer = normalizers.Sequence([*begin, normalizers.Replace(" ", "▁")])
    strip = [decoders.Strip(" ", 1, 0)] if spaced else []
    library.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    return library


def _merges(tokens: list[str], scores: list[float]) -> list[tuple[str, str]]:
    """SentencePiece has no merges: any two pieces that make a third may join, the best third first."""
    ids = _ids(tokens)
    found = []
    for piece, score in zip(tokens, scores, strict=True):
        splits = [(piece[:at], piece[at:]) for at in range(1, len(piece))]
        local = [(left, right) for left, right in splits if left in ids and right in ids]
        local.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        found += [(score, pair) for pair in local]
    found.sort(key=lambda entry: (entry[0], len(entry[1][0]), len(entry[1][1])), reverse=True)
    return [pair for _, pair in found]


def _ids(tokens: list[str]) -> dict[str, int]:
    return {token: number for number, token in enumerate(tokens)}
