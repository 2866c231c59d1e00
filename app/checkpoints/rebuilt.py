"""Tokenizers that `transformers` 5 puts together anew by their class, whatever their `tokenizer.json` says.

Of the file such a class takes the vocabulary, and a few take what stands around a text; how a text is changed and cut
follows from the class and from entries of `tokenizer_config.json` (`do_lower_case`, `add_prefix_space`, `legacy`, the
named tokens). A recipe here does the same to the library's tokenizer; classes without one are named, so that nothing
is passed over in silence. Where no file names a class or an entry, `tokenizer.json` stands as it is.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from .gguf_tokenizer import QWEN2_CUT
from .named_tokens import NAMES, content_of

Settings = Mapping[str, Any]
Names = Mapping[str, str]

# The class of each family where no file names one; Llama's and Mistral's take tokenizer.json as it stands.
_OF_FAMILY = {
    "gpt2": "GPT2Tokenizer", "gpt_neox": "GPTNeoXTokenizer", "qwen2": "Qwen2Tokenizer", "qwen3": "Qwen2Tokenizer",
    "gemma": "GemmaTokenizer", "phi": "GPT2Tokenizer", "bert": "BertTokenizer", "distilbert": "BertTokenizer",
    "roberta": "RobertaTokenizer", "xlm-roberta": "XLMRobertaTokenizer", "camembert": "CamembertTokenizer",
    "t5": "T5Tokenizer",
}  # fmt: skip
# Other names of the same classes.
_ALIASES = {
    "DistilBertTokenizer": "BertTokenizer", "MobileBertTokenizer": "BertTokenizer", "LxmertTokenizer": "BertTokenizer",
    "SqueezeBertTokenizer": "BertTokenizer", "BartTokenizer": "RobertaTokenizer", "LEDTokenizer": "RobertaTokenizer",
    "MvpTokenizer": "RobertaTokenizer",
}  # fmt: skip
# Classes of transformers 5.23 that put a tokenizer together anew, or split text with code of their own.
_UNKNOWN_HERE = {
    "AlbertTokenizer", "BarthezTokenizer", "BigBirdTokenizer", "BlenderbotTokenizer", "CLIPTokenizer",
    "CodeGenTokenizer", "CodeLlamaTokenizer", "CohereTokenizer", "CpmTokenizer", "DPRContextEncoderTokenizer",
    "DPRQuestionEncoderTokenizer", "DPRReaderTokenizer", "DebertaTokenizer", "DebertaV2Tokenizer", "EsmcTokenizer",
    "FunnelTokenizer", "HerbertTokenizer", "LasrTokenizer", "LayoutLMv2Tokenizer", "LayoutLMv3Tokenizer",
    "LayoutXLMTokenizer", "LukeTokenizer", "MBart50Tokenizer", "MBartTokenizer", "MLukeTokenizer", "MPNetTokenizer",
    "MarkupLMTokenizer", "NllbTokenizer", "NougatTokenizer", "OpenAIGPTTokenizer", "PegasusTokenizer",
    "Qwen3_5Tokenizer", "ReformerTokenizer", "RemBertTokenizer", "RoFormerTokenizer", "SeamlessM4TTokenizer",
    "Siglip2Tokenizer", "SplinterTokenizer", "Tipsv2Tokenizer", "UdopTokenizer", "VideoPrismTokenizer",
    "WhisperTokenizer", "XGLMTokenizer", "XLNetTokenizer", "BartphoTokenizer", "BertGenerationTokenizer",
    "BertJapaneseTokenizer", "BertweetTokenizer", "BioGptTokenizer", "BlenderbotSmallTokenizer", "ByT5Tokenizer",
    "CTRLTokenizer", "CanineTokenizer", "ClvpTokenizer", "CpmAntTokenizer", "DiaTokenizer", "EsmTokenizer",
    "FSMTTokenizer", "FlaubertTokenizer", "GPTNeoXJapaneseTokenizer", "GPTSw3Tokenizer", "M2M100Tokenizer",
    "MyT5Tokenizer", "PLBartTokenizer", "PerceiverTokenizer", "PhobertTokenizer", "ProphetNetTokenizer",
    "RoCBertTokenizer", "SiglipTokenizer", "Speech2TextTokenizer", "SpeechT5Tokenizer", "TapasTokenizer",
    "XLMTokenizer",
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How a class puts a tokenizer together: of which kind of vocabulary, its named tokens, and what it makes of it."""

    model: type[models.Model]
    names: dict[str, str]
    make: Callable[[Tokenizer, Settings, Names], None]


def class_of(settings: Settings, config: Settings, library: Tokenizer) -> str:
    """Return the class that `transformers` takes; empty where it takes `tokenizer.json` as it stands."""
    family, named = config.get("model_type"), settings.get("tokenizer_class") or config.get("tokenizer_class")
    if family == "mistral" or not (settings or named):
        return ""
    named = named.removesuffix("Fast") if isinstance(named, str) else ""
    if named == "LlamaTokenizer" and family != "qwen2" and _is_byte_level(library):
        return ""
    if not named or family == "qwen2":  # of Qwen 2's files transformers knows that they name a wrong class
        named = _OF_FAMILY.get(str(family), "")
    return _ALIASES.get(named, named)


def default_names(name: str, padding: str) -> dict[str, str]:
    """Name the named tokens as the class does if the files do not; `padding` is what tokenizer.json pads with."""
    own = RECIPES[name].names if name in RECIPES else {}
    padded = padding and (name not in RECIPES or name == "LlamaTokenizer")
    return {**own, "pad_token": padding} if padded else own


def lost_tokens(library: Tokenizer, name: str, settings: Settings) -> str:
    """Say which added tokens of `tokenizer.json` a class leaves out, since tokenizer_config.json lists others."""
    listed = settings.get("added_tokens_decoder")
    if name not in RECIPES or not isinstance(listed, dict):
        return ""
    kept = {content_of(token) for token in listed.values()} | {content_of(settings.get(each)) for each in NAMES}
    lost = [
        token.content for token in library.get_added_tokens_decoder().values() if token.content not in kept
    ]  # in the order of their numbers
    if not lost:
        return ""
    return (
        f"tokenizer_config.json lists added tokens without {', '.join(map(repr, lost[:4]))} of tokenizer.json, which "
        "transformers then reads as plain text; they are read as tokens here"
    )


def rebuild(library: Tokenizer, name: str, settings: Settings, names: Names) -> str:
    """Make of `library` what the class `name` makes of it, or say why that is not done."""
    if name in _UNKNOWN_HERE:
        return (
            f"transformers puts its tokenizer together anew, as the class {name}, which is not done here: "
            "tokenizer.json is used as it stands"
        )
    recipe = RECIPES.get(name)
    if recipe is None:
        return ""
    if not isinstance(library.model, recipe.model):
        kind = type(library.model).__name__
        return f"transformers reads its tokenizer as the class {name}, which tokenizer.json's {kind} does not fit"
    before = _steps(library)
    recipe.make(library, settings, names)
    after = _steps(library)
    done = {*after}.union(*(_COVERS.get(step, set()) for step in after))
    if lost := [step for step in before if step not in done]:
        return (
            f"tokenizer.json changes or cuts a text with {', '.join(lost)} too, which transformers leaves out where "
            f"the class is {name}: it is left out here, and tokens may not be those the model was trained on"
        )
    return ""


# What a step does of others: spaces that become a sign in one way or another, cuts at spaces, BERT's own in parts.
_COVERS = {
    "Metaspace": {"Prepend", "Replace"},
    "Replace": {"Prepend", "Metaspace"},
    "WhitespaceSplit": {"Strip", "Replace"},
    "BertNormalizer": {"NFD", "Lowercase", "StripAccents"},
    "BertPreTokenizer": {"Whitespace", "WhitespaceSplit", "Punctuation"},
}


def _steps(library: Tokenizer) -> list[str]:
    """List the kinds of steps by which a tokenizer changes a text and then cuts it.

    A plain split is not counted, nor a table without entries: in the split's place a class puts a cut of its own, such
    as the byte-level one.
    """
    found: list[str] = []
    for part in (library.normalizer, library.pre_tokenizer):
        waiting = [] if part is None else [json.loads(part.__getstate__())]
        while waiting:
            step = waiting.pop(0)
            waiting = [*step.get("normalizers", ()), *step.get("pretokenizers", ()), *waiting]
            empty = step["type"] == "Precompiled" and not step.get("precompiled_charsmap")
            if step["type"] not in ("Sequence", "Split") and not empty:
                found.append(step["type"])
    return list(dict.fromkeys(found))


def without_chance(library: Tokenizer) -> str:
    """Switch dropout off, which splits a text differently each time, and say so where it was on."""
    model = library.model
    if not isinstance(model, models.BPE) or not model.dropout:
        return ""
    said, model.dropout = model.dropout, None
    return f"tokenizer.json says dropout: {said:g}, by which the same text is split otherwise each time; it is off here"


def _is_byte_level(library: Tokenizer) -> bool:
    return "ByteLevel" in repr(library.pre_tokenizer) or "ByteLevel" in repr(library.decoder)


def _said(settings: Settings, name: str, default: bool) -> bool:
    """Read a switch, where nothing or null is the default."""
    value = settings.get(name)
    return default if value is None else bool(value)


def _around(library: Tokenizer, single: str, pair: str, *tokens: str) -> None:
    """Put tokens around texts, those that the vocabulary has."""
    numbered = [(token, library.token_to_id(token)) for token in dict.fromkeys(tokens)]
    if all(number is not None for _, number in numbered):
        library.post_processor = processors.TemplateProcessing(single.split(), pair.split(), numbered)


def _pairs(library: Tokenizer, *, unknown: str | None = None, fuse: bool = False, bytes_too: bool = False) -> None:
    """Have pairs merged in the one way that a class has for it."""
    model = library.model
    assert isinstance(model, models.BPE)
    model.dropout, model.unk_token, model.fuse_unk = None, unknown, fuse
    model.byte_fallback, model.ignore_merges = bytes_too, False


def _gpt2(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pairs(library)
    library.normalizer = None
    library.pre_tokenizer = pre_tokenizers.ByteLevel(_said(settings, "add_prefix_space", False))
    library.decoder = decoders.ByteLevel()


def _gpt_neox(library: Tokenizer, settings: Settings, names: Names) -> None:
    _gpt2(library, settings, names)
    library.normalizer = normalizers.NFC()
    library.post_processor = processors.TemplateProcessing("$A:0", "$A:0 $B:1", [])


def _roberta(library: Tokenizer, settings: Settings, names: Names) -> None:
    _gpt2(library, settings, names)
    first, last = names["cls_token"], names["sep_token"]
    before, after = library.token_to_id(first), library.token_to_id(last)
    if before is not None and after is not None:
        library.post_processor = processors.RobertaProcessing((last, after), (first, before))


def _qwen2(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pairs(library)
    library.normalizer = normalizers.NFC()
    space = _said(settings, "add_prefix_space", False)
    cut = pre_tokenizers.Split(Regex(QWEN2_CUT), "isolated")
    library.pre_tokenizer = pre_tokenizers.Sequence([cut, pre_tokenizers.ByteLevel(space, use_regex=False)])
    library.decoder = decoders.ByteLevel()
    # The class adds the named tokens once more, whatever the files say of spaces beside them.
    library.add_tokens([AddedToken(token, special=True) for token in dict.fromkeys(names.values())])


def _llama(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pairs(library, fuse=True, bytes_too=True)
    library.normalizer = None
    scheme = "always" if settings.get("legacy", False) else "first"
    if not _said(settings, "add_prefix_space", True):
        scheme = "never"
    library.pre_tokenizer = pre_tokenizers.Metaspace("▁", scheme, split=False)


def _gemma(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pairs(library, unknown=names["unk_token"], fuse=True, bytes_too=True)
    library.normalizer = normalizers.Replace(" ", "▁")
    library.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")


def _bert(library: Tokenizer, settings: Settings, names: Names) -> None:
    model = library.model
    assert isinstance(model, models.WordPiece)
    model.unk_token, model.continuing_subword_prefix, model.max_input_chars_per_word = names["unk_token"], "##", 100
    accents = settings.get("strip_accents")
    library.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
        strip_accents=None if accents is None else bool(accents),
        lowercase=bool(settings.get("do_lower_case", True)),
    )
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = names["cls_token"], names["sep_token"]
    single = f"{first}:0 $A:0 {last}:0"
    _around(library, single, f"{single} $B:1 {last}:1", first, last)


def _words(library: Tokenizer, scheme: str) -> None:
    """Cut at spaces; of what changes a text first, keep SentencePiece's own table."""
    library.normalizer = _table(library)
    metaspace = pre_tokenizers.Metaspace("▁", scheme)
    library.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])


def _table(library: Tokenizer) -> normalizers.Normalizer | None:
    """Find SentencePiece's table of replacements among what changes a text first."""
    if library.normalizer is None:
        return None
    said = json.loads(library.normalizer.__getstate__())
    for part in said.get("normalizers", [said]):
        if part.get("type") == "Precompiled" and part.get("precompiled_charsmap"):
            return normalizers.Precompiled(base64.b64decode(part["precompiled_charsmap"]))
    return None


def _pieces(library: Tokenizer, unknown: int | str) -> None:
    """Have pieces chosen with the unknown token that a class takes: one of a fixed number, or by its text."""
    state = json.loads(library.model.__getstate__())
    pieces = [(piece, score) for piece, score in state["vocab"]]
    if isinstance(unknown, str):
        unknown = next((number for number, (piece, _) in enumerate(pieces) if piece == unknown), 0)
    if (state.get("unk_id"), bool(state.get("byte_fallback"))) != (unknown, False) and unknown < len(pieces):
        library.model = models.Unigram(pieces, unknown, byte_fallback=False)


def _t5(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pieces(library, 2)
    _words(library, "always")
    # The class writes "</s>" there, and gives it the number of whatever ends a text.
    end = library.token_to_id(names["eos_token"])
    if end is not None:
        parts = ["$A", "</s>"], ["$A", "</s>", "$B", "</s>"]
        library.post_processor = processors.TemplateProcessing(*parts, [("</s>", end)])


def _xlm_roberta(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pieces(library, 3)
    _in_two(library, settings, names)


def _camembert(library: Tokenizer, settings: Settings, names: Names) -> None:
    _pieces(library, names["unk_token"])
    _in_two(library, settings, names)


def _in_two(library: Tokenizer, settings: Settings, names: Names) -> None:
    """Cut at spaces, and put two ends between two texts."""
    _words(library, "always" if settings.get("add_prefix_space", True) else "never")
    first, last = names["bos_token"], names["eos_token"]
    _around(library, f"{first} $A {last}", f"{first} $A {last} {last} $B {last}", first, last)


_ENDS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_ENCODER = {**_ENDS, "sep_token": "</s>", "cls_token": "<s>", "pad_token": "<pad>", "mask_token": "<mask>"}
_ONE = dict.fromkeys(("unk_token", "bos_token", "eos_token"), "<|endoftext|>")
RECIPES: dict[str, Recipe] = {
    "GPT2Tokenizer": Recipe(models.BPE, _ONE, _gpt2),
    "GPTNeoXTokenizer": Recipe(models.BPE, {**_ONE, "pad_token": "<|padding|>"}, _gpt_neox),
    "RobertaTokenizer": Recipe(models.BPE, _ENCODER, _roberta),
    "Qwen2Tokenizer": Recipe(
        models.BPE, dict.fromkeys(("unk_token", "eos_token", "pad_token"), "<|endoftext|>"), _qwen2
    ),
    "LlamaTokenizer": Recipe(models.BPE, _ENDS, _llama),
    "GemmaTokenizer": Recipe(
        models.BPE,
        {"unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
         "mask_token": "<mask>"},
        _gemma,
    ),
    "BertTokenizer": Recipe(
        models.WordPiece,
        {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
         "mask_token": "[MASK]"},
        _bert,
    ),
    "T5Tokenizer": Recipe(
        models.Unigram, {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}, _t5
    ),
    "XLMRobertaTokenizer": Recipe(models.Unigram, _ENCODER, _xlm_roberta),
    "CamembertTokenizer": Recipe(models.Unigram, _ENCODER, _camembert),
}  # fmt: skip
