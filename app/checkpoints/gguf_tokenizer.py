"""A tokenizer from a GGUF file's metadata: the tokens are there, and how text is cut before merging is named.

Two kinds: `gpt2`, byte-level BPE with merges, and `llama`, SentencePiece's BPE with scores and bytes to fall back on.
The names and patterns of the first are llama.cpp's, `llama-vocab.cpp`.
"""

from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.pre_tokenizers import PreTokenizer

from .errors import shown
from .gguf_ends import control_by_name, token_id

# Kinds of token in GGUF; those of these three are read whole wherever a text has them, as llama.cpp reads them.
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2_CUT = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_GPT2_NAMES = ("gpt-2", "gpt2", "phi-2", "roberta-bpe")
_DIGIT_NAMES = ("smollm", "starcoder", "refact")
_LLAMA3_NAMES = ("llama-bpe", "llama3", "llama-v3", "falcon3")
_QWEN2_NAMES = ("qwen2", "deepseek-r1-qwen")
# Chat templates' names of tokens, and GGUF's, which misspells one.
_NAMED = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "sep_token": "seperator",
          "pad_token": "padding", "cls_token": "cls", "mask_token": "mask"}  # fmt: skip
_KNOWN = (*_GPT2_NAMES, *_DIGIT_NAMES, *_LLAMA3_NAMES, *_QWEN2_NAMES)


def why_not(metadata: dict[str, Any]) -> str:
    """Say why the metadata make no tokenizer, so that the model reads token ids; empty where they make one."""
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
    """Tell how text is cut before merging. Old files do not say; those of GPT-2 itself mean its own way."""
    name = metadata.get("tokenizer.ggml.pre", "default")
    return "gpt-2" if name == "default" and metadata.get("general.architecture") == "gpt2" else name


def tokenizer_of(metadata: dict[str, Any]) -> Tokenizer:
    """Build the tokenizer that the metadata describe.

    Raises:
        ValueError: they are incomplete. The library raises Exception where they contradict each other.
    """
    tokens = metadata["tokenizer.ggml.tokens"]
    build = _byte_level if metadata["tokenizer.ggml.model"] == "gpt2" else _sentence_piece
    library = build(metadata, tokens)
    kinds = dict(enumerate(metadata.get("tokenizer.ggml.token_type") or []))
    control = control_by_name(tokens) | {at for at, kind in kinds.items() if kind in (_UNKNOWN, _CONTROL)}
    written = {at for at, kind in kinds.items() if kind == _USER_DEFINED} - control
    names = dict(enumerate(tokens))
    library.add_special_tokens([AddedToken(names[at], special=True) for at in sorted(control) if at in names])
    library.add_tokens([AddedToken(names[at], normalized=False) for at in sorted(written) if at in names])
    return library


def adds_bos(metadata: dict[str, Any]) -> bool:
    """Tell whether texts begin with the token for it: SentencePiece's way and Llama 3's, if nothing else is said."""
    named = metadata.get("tokenizer.ggml.add_bos_token")
    if isinstance(named, bool):
        return named
    return metadata.get("tokenizer.ggml.model") == "llama" or _whole_words(metadata)


def adds_eos(metadata: dict[str, Any]) -> bool:
    """Tell whether texts end with the token for it: where the file says so, as embedding models' files do."""
    return metadata.get("tokenizer.ggml.add_eos_token") is True


def named_tokens(metadata: dict[str, Any], library: Tokenizer) -> dict[str, str]:
    """Return what chat templates call the named tokens."""
    ids = {name: token_id(metadata, called) for name, called in _NAMED.items()}
    found = {name: library.id_to_token(token) for name, token in ids.items() if token is not None}
    return {name: content for name, content in found.items() if content}


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
    cut = pre_tokenizers.Split(Regex(_LLAMA3 if name in _LLAMA3_NAMES else QWEN2_CUT), "isolated")
    return pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def _whole_words(metadata: dict[str, Any]) -> bool:
    """Tell whether a word that is a token is taken whole, whatever the merges say: Llama 3's way."""
    return metadata.get("tokenizer.ggml.pre") in _LLAMA3_NAMES


def _sentence_piece(metadata: dict[str, Any], tokens: list[str]) -> Tokenizer:
    scores = metadata.get("tokenizer.ggml.scores")
    if not isinstance(scores, list) or len(scores) != len(tokens):
        raise ValueError("tokenizer.ggml.scores does not score every token")
    unknown = token_id(metadata, "unknown")
    model = models.BPE(
        vocab=_ids(tokens),
        merges=_merges(tokens, scores),
        unk_token=None if unknown is None else tokens[unknown],
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
    """Make the merges that SentencePiece has none of: any two pieces that make a third may join, best third first."""
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
