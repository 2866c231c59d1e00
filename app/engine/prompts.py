"""What a run is to read: texts and token ids, checked against the model that reads them.

read_prompt(loaded, RunSpec(model="sort", text="CBABBC"), text_bytes=20_000)
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ..checkpoints.catalog import LoadedModel
from ..transformer.tokenizer import Token
from .errors import EngineError, refusals
from .values import RunSpec


@dataclass(frozen=True)
class Prompt:
    """The source of an encoder-decoder, else none; the tokens that a text begins with; their kinds, where told."""

    source: Sequence[Token]
    tokens: Sequence[Token]
    kinds: Sequence[int]


def read_prompt(loaded: LoadedModel, spec: RunSpec, text_bytes: int) -> Prompt:
    """Return what a run is to read; a text has at most `text_bytes` bytes.

    Raises:
        EngineError: it is empty, too long, or not of the model's vocabulary.
    """
    kinds = _checked_kinds(loaded, spec)
    if (spec.text is None) == (spec.tokens is None):
        both = "neither text nor tokens are" if spec.text is None else "both text and tokens are"
        raise EngineError("invalid", f"{both} given", "Give either text or tokens.")
    if spec.tokens is not None and spec.text_pair is not None:
        raise EngineError("invalid", "a second text is given beside tokens", "Give both as texts, or as tokens.")
    if spec.tokens is not None:
        tokens = _verbatim(loaded, spec.tokens)
    elif spec.text is not None and spec.text_pair is not None:
        tokens, kinds = _tokenize_pair(loaded, spec.text, spec.text_pair, text_bytes)
    else:
        tokens = tokenize(loaded, spec.text or "", text_bytes)
        if not spec.text or not tokens:
            raise EngineError("empty", "the text is empty", "Write at least one character.")
    _refuse_uncounted(loaded, tokens)
    read = _fitting(loaded, tokens, loaded.spec.source_positions or loaded.spec.positions)
    return _parted(loaded, read, kinds, spec.target_tokens)


def tokenize(loaded: LoadedModel, text: str, text_bytes: int) -> list[Token]:
    """Tokenize a text, the model's prefix first.

    Raises:
        EngineError: it is too long, no Unicode, or not of the model's vocabulary.
    """
    _check_length(text, text_bytes)
    with refusals():
        return loaded.tokenizer.encode(text)


def _tokenize_pair(loaded: LoadedModel, text: str, pair: str, text_bytes: int) -> tuple[list[Token], list[int]]:
    """Tokenize two texts that are read together, with each token's kind; none where the model has one alone."""
    _check_length(text + pair, text_bytes)
    if not text or not pair:
        raise EngineError("empty", "one of the two texts is empty", "Write at least one character in each.")
    with refusals():
        tokens, kinds = loaded.tokenizer.encode_pair(text, pair)
    known = loaded.spec.token_types
    if known < 2:
        return tokens, []
    if max(kinds, default=0) >= known:
        raise EngineError(
            "untokenizable",
            f"the tokenizer makes a text of kind {max(kinds)}, which {loaded.entry.id} does not know",
            "Send tokens and token_types instead.",
        )
    return tokens, kinds


def _check_length(text: str, text_bytes: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise EngineError("invalid", "the text holds half a surrogate pair", "Send valid Unicode.") from error
    if size > text_bytes:
        raise EngineError("too_long", f"the text has {size} bytes, more than {text_bytes}", "Shorten it.")


def _verbatim(loaded: LoadedModel, ids: Sequence[int]) -> list[Token]:
    """Return the tokens that ids stand for."""
    if not ids:
        raise EngineError("empty", "there are no tokens", "Send at least one token id.")
    if len(ids) > loaded.spec.positions:
        return [Token(0, "", 0, 0)] * len(ids)  # refused for its length by the caller
    highest = loaded.spec.d_vocab - 1
    wrong = next((token_id for token_id in ids if not 0 <= token_id <= highest), None)
    if wrong is not None:
        raise EngineError(
            "token_out_of_range",
            f"token id {wrong} is outside the vocabulary of {loaded.entry.id}",
            f"Use ids from 0 to {highest}.",
        )
    return loaded.tokenizer.tokens(ids)


def _fitting(loaded: LoadedModel, tokens: list[Token], positions: int) -> list[Token]:
    """Refuse more tokens than the model has positions."""
    if len(tokens) > positions:
        raise EngineError(
            "beyond_context",
            f"{len(tokens)} tokens are more than the {positions} that {loaded.entry.id} can read",
            "Shorten the text.",
        )
    return tokens


def _refuse_uncounted(loaded: LoadedModel, tokens: Sequence[Token]) -> None:
    """Refuse a token that the model's makers count no position for."""
    uncounted = loaded.entry.uncounted_id
    if uncounted is not None and any(token.id == uncounted for token in tokens):
        raise EngineError(
            "untokenizable",
            f"token {uncounted}, {loaded.tokenizer.text_of(uncounted)!r}, is the padding of {loaded.entry.id}, "
            "which counts no position for it; that is not done here",
            "Leave it out: all other tokens have the numbers that transformers gives them.",
        )


def _parted(loaded: LoadedModel, read: list[Token], kinds: Sequence[int], target: Sequence[int] | None) -> Prompt:
    """Part what an encoder-decoder reads as its source from what its own text begins with."""
    if loaded.spec.kind != "encoder_decoder":
        if target is not None:
            raise EngineError(
                "no_source",
                f"{loaded.entry.id} has no encoder, so its text has no source",
                "Give everything it is to read as text or tokens.",
            )
        return Prompt((), read, kinds)
    start = loaded.entry.start_ids if target is None else target
    return Prompt(read, _fitting(loaded, _verbatim(loaded, start), loaded.spec.positions), kinds)


def _checked_kinds(loaded: LoadedModel, spec: RunSpec) -> Sequence[int]:
    """Check the kinds of text that tokens are said to be of; none where nothing is said."""
    kinds, known = spec.token_types, loaded.spec.token_types
    if kinds is None:
        return ()
    if known < 2:
        raise EngineError(
            "one_kind_of_text",
            f"{loaded.entry.id} knows one kind of text alone",
            "Leave token_types out; models of the family bert know two.",
        )
    if spec.tokens is None or len(kinds) != len(spec.tokens):
        count = 0 if spec.tokens is None else len(spec.tokens)
        raise EngineError(
            "invalid",
            f"token_types has {len(kinds)} entries for {count} tokens",
            "Give one for each of `tokens`; of texts, give the second as text_pair.",
        )
    wrong = next((kind for kind in kinds if not 0 <= kind < known), None)
    if wrong is not None:
        raise EngineError(
            "invalid", f"token_types has {wrong}, which {loaded.entry.id} does not know", f"Use 0 to {known - 1}."
        )
    return tuple(kinds)
