"""Text to tokens and back, with the exact bytes that each token stands for.

Splitting text is the `tokenizers` library's work. What is added here is what a page needs to show: each token
as something that can be printed, and its place in the text in bytes, also where a token ends inside a character.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import tokenizers
from tokenizers.models import WordLevel, WordPiece
from tokenizers.processors import PostProcessor

from .places import Framed, byte_offsets, byte_places


class TokenizeError(ValueError):
    """Text that this model's vocabulary cannot spell; `hint` says what it can."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


@contextmanager
def splitting() -> Iterator[None]:
    """Turn whatever the library raises over a text into a refusal.

    It raises bare `Exception`, and its Rust may panic: that arrives as a `BaseException`, which would pass every
    other guard on its way and end the connection or the thread that asked.

    Raises:
        TokenizeError: the library broke off.
    """
    try:
        yield
    except (TokenizeError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise TokenizeError(
            f"the tokenizer broke off over this text: {type(error).__name__}: {str(error)[:200]}",
            "Change the text, or send token ids instead.",
        ) from error


@dataclass(frozen=True)
class Token:
    """A token as read: its id, how to print it, and its byte offsets in the UTF-8 text (0, 0 for a prefix)."""

    id: int
    text: str
    start: int
    end: int


class Tokenizer(Protocol):
    """What a run needs of a tokenizer."""

    prefix_ids: tuple[int, ...]
    suffix_ids: tuple[int, ...]
    end_of_text_id: int | None
    end_ids: frozenset[int]
    mask_id: int | None

    def encode(self, text: str) -> list[Token]:
        """Encode a text: the prefix, then the tokens of `text`, then the suffix.

        Raises:
            TokenizeError: the vocabulary has no token for part of it.
        """
        ...

    def encode_pair(self, text: str, pair: str) -> tuple[list[Token], list[int]]:
        """Encode two texts read together; also give every token the kind of text (0 or 1) that it is part of.

        Raises:
            TokenizeError: the vocabulary has no token for part of them.
        """
        ...

    def tokens(self, ids: Sequence[int], start: int = 0) -> list[Token]:
        """Take ids verbatim, their offsets counted on from byte `start`."""
        ...

    def text_of(self, token_id: int) -> str:
        """Return how one token is printed."""
        ...


class TextTokenizer:
    """A vocabulary of the `tokenizers` library."""

    def __init__(
        self,
        library: tokenizers.Tokenizer,
        prefix_ids: Sequence[int] = (),
        end_of_text_id: int | None = None,
        suffix_ids: Sequence[int] = (),
        mask_id: int | None = None,
        *,
        end_ids: Sequence[int] | None = None,
        frame: Callable[[str], Framed] | None = None,
        d_vocab: int | None = None,
        pairing: PostProcessor | None = None,
    ) -> None:
        """Wrap a tokenizer.

        `prefix_ids` begin every text and `suffix_ids` end it, or `frame` says what is written around it, which is
        then split together with the text. `mask_id` hides a token; any of `end_ids` ends what is written; ids from
        `d_vocab` on are the vocabulary's alone, and the model has no rows for them; `pairing` puts two texts together.
        """
        self._pairing = pairing
        self._library, self._frame, self._d_vocab = library, frame, d_vocab
        self.prefix_ids, self.suffix_ids = tuple(prefix_ids), tuple(suffix_ids)
        self.end_of_text_id, self.mask_id = end_of_text_id, mask_id
        one_end = () if end_of_text_id is None else (end_of_text_id,)
        self.end_ids = frozenset(one_end if end_ids is None else end_ids)
        self._byte_level = "ByteLevel" in repr(library.pre_tokenizer) or "ByteLevel" in repr(library.decoder)

    @classmethod
    def from_file(
        cls,
        path: Path,
        prefix_ids: Sequence[int] = (),
        end_of_text_id: int | None = None,
        suffix_ids: Sequence[int] = (),
        mask_id: int | None = None,
    ) -> "TextTokenizer":
        """Read a `tokenizer.json`.

        Raises:
            ValueError: it is not one.
        """
        try:
            library = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for a file it cannot read
            raise ValueError(f"{path} is not a tokenizer.json: {error}") from error
        return cls(library, prefix_ids, end_of_text_id, suffix_ids, mask_id)

    @splitting()
    def encode(self, text: str) -> list[Token]:
        """Encode a text as the prefix, the tokens of `text`, the suffix; see `Tokenizer`."""
        self._check_spelling(text)
        if self._frame is not None:
            return self._checked(self._framed(self._frame(text), text))
        size = len(text.encode())
        prefix = [Token(token_id, self.text_of(token_id), 0, 0) for token_id in self.prefix_ids]
        suffix = [Token(token_id, self.text_of(token_id), size, size) for token_id in self.suffix_ids]
        return self._checked(prefix + self._found(text) + suffix)

    @splitting()
    def encode_pair(self, text: str, pair: str) -> tuple[list[Token], list[int]]:
        """Encode two texts with what belongs around and between them, and every token's kind of text.

        Places of the second text count on from the first one's end.
        """
        size = len(text.encode())
        first = self._found(text)
        second = [replace(one, start=one.start + size, end=one.end + size) for one in self._found(pair)]
        if self._pairing is None:
            prefix, suffix = (
                [Token(one, self.text_of(one), 0, 0) for one in ids] for ids in (self.prefix_ids, self.suffix_ids)
            )
            one, other = [*prefix, *first, *suffix], [*second, *suffix]
            return self._checked(self._in_order(one + other)), [0] * len(one) + [1] * len(other)
        bare, other_bare = (self._library.encode(each, add_special_tokens=False) for each in (text, pair))
        joined = self._pairing.process(bare, other_bare, add_special_tokens=True)
        found, own = [], (iter(first), iter(second))
        for token_id, part in zip(joined.ids, joined.sequence_ids, strict=True):
            found.append(Token(token_id, self.text_of(token_id), 0, 0) if part is None else next(own[part]))
        return self._checked(self._in_order(found)), list(joined.type_ids)

    @staticmethod
    def _in_order(tokens: list[Token]) -> list[Token]:
        """Order the tokens, those that stand for nothing where the one before them ends."""
        at, found = 0, []
        for token in tokens:
            here = replace(token, start=max(at, token.start), end=max(at, token.end))
            found.append(here)
            at = here.end
        return found

    @splitting()
    def tokens(self, ids: Sequence[int], start: int = 0) -> list[Token]:
        """Take ids verbatim; the bytes each stands for decide the offsets. Special tokens stand for none."""
        found, end = [], start
        for token_id in ids:
            start, own = end, self._bytes_of(token_id)
            if end == 0 and self._spaced and own[:1] == b" ":
                own = own[1:]  # at the beginning of a text the vocabulary puts a space that is not the text's
            end = start + len(own)
            found.append(Token(token_id, self.text_of(token_id), start, end))
        return found

    def _found(self, text: str) -> list[Token]:
        """Find the tokens of a text as it is, where they stand."""
        encoding = self._library.encode(text, add_special_tokens=False)
        offsets = byte_offsets(text)
        spans = [(offsets[first], offsets[last]) for first, last in encoding.offsets]
        places = byte_places(text.encode(), spans, [self._spelled(token_id) for token_id in encoding.ids])
        return [
            Token(token_id, self.text_of(token_id), first, last)
            for token_id, (first, last) in zip(encoding.ids, places, strict=True)
        ]

    def _framed(self, framed: Framed, text: str) -> list[Token]:
        """Split a text and its frame together; the tokens stand where they stand in the text."""
        own = framed.own_bytes(text)
        return [Token(token.id, token.text, own[token.start], own[token.end]) for token in self._found(framed.whole)]

    def _checked(self, tokens: list[Token]) -> list[Token]:
        """Refuse tokens that the vocabulary has and the model has not."""
        lost = next((token for token in tokens if self._d_vocab is not None and token.id >= self._d_vocab), None)
        if lost is not None:
            raise TokenizeError(
                f"the token {lost.text!r} is number {lost.id} of the vocabulary; the model has only {self._d_vocab}",
                "Leave it out of the text: the tokenizer was given more tokens than the model.",
            )
        return tokens

    @cached_property
    def _spaced(self) -> bool:
        """Tell whether a space is put before every text."""
        try:
            with splitting():
                first = self._library.encode("a", add_special_tokens=False).ids[:1]
        except TokenizeError:  # such as by a vocabulary of words that has neither "a" nor [UNK]
            return False
        return bool(first) and self._spelled(first[0])[:1] == b" "

    def text_of(self, token_id: int) -> str:
        """Return the piece of text, or escapes such as `\xe2` for bytes that are no character alone."""
        return self._spelled(token_id).decode("utf-8", errors="backslashreplace")

    @cached_property
    def _added(self) -> dict[int, tuple[str, bool]]:
        """Read the tokens put beside the learned vocabulary, by id: what they spell, and whether they are special."""
        added = self._library.get_added_tokens_decoder()
        return {token_id: (token.content, token.special) for token_id, token in added.items()}

    def _bytes_of(self, token_id: int) -> bytes:
        """Return the bytes of text that a token stands for: none for a special one, and none for WordPiece's `##`."""
        if self._added.get(token_id, ("", False))[1]:
            return b""
        own, model = self._spelled(token_id), self._library.model
        if isinstance(model, WordPiece):
            return own.removeprefix(model.continuing_subword_prefix.encode())
        return own

    def _spelled(self, token_id: int) -> bytes:
        """Return the bytes of a token that was found in a text: a special one was written out there."""
        if token_id in self._added:
            return self._added[token_id][0].encode()
        piece = self._library.id_to_token(token_id)
        if piece is None:
            return b""
        if self._byte_level:
            # A piece with a character that stands for no byte was put in by hand, and is written as it is.
            stand_ins = [_BYTE_OF.get(character) for character in piece]
            return piece.encode() if None in stand_ins else bytes(byte for byte in stand_ins if byte is not None)
        if byte := _BYTE_TOKEN.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        # SentencePiece writes a space as a low line of its own; WordPiece's ## stays, to show that a word goes on.
        return piece.replace("▁", " ").encode()

    def _check_spelling(self, text: str) -> None:
        """Refuse what a vocabulary without an unknown token would drop; the library does not say where."""
        model, vocabulary = self._library.model, self._library.get_vocab()
        if not isinstance(model, WordLevel) or model.unk_token in vocabulary:
            return
        splitter, normalizer = self._library.pre_tokenizer, self._library.normalizer
        known = normalizer.normalize_str(text) if normalizer else text
        pieces = splitter.pre_tokenize_str(known) if splitter else [(known, (0, len(known)))]
        for piece, (start, _) in pieces:
            if piece in vocabulary:
                continue
            if len(piece) == 1:
                allowed = ", ".join(sorted(vocabulary, key=vocabulary.__getitem__)[:100])
                raise TokenizeError(
                    f"character {start + 1}, {piece!r}, is not in this model's vocabulary", f"Use only: {allowed}."
                )
            words = sorted(word.strip("▁") for word in vocabulary if word.startswith("▁"))
            raise TokenizeError(
                f"the word {piece.strip('▁')!r} is not in this model's vocabulary",
                f"It knows {len(words)} words, such as {', '.join(words[:: max(1, len(words) // 12)])}.",
            )


class IdTokenizer:
    """For a model that came without a vocabulary: tokens are their ids, and text cannot be read."""

    prefix_ids: tuple[int, ...] = ()
    suffix_ids: tuple[int, ...] = ()
    mask_id: int | None = None

    def __init__(self, end_of_text_id: int | None = None, why: str = "", end_ids: Sequence[int] | None = None) -> None:
        """Hold nothing but ids; `why` says what is missing."""
        self.end_of_text_id, self._why = end_of_text_id, why
        self.end_ids = (
            frozenset(() if end_of_text_id is None else (end_of_text_id,)) if end_ids is None else frozenset(end_ids)
        )

    def encode(self, text: str) -> list[Token]:
        """Refuse always: there is no vocabulary.

        Raises:
            TokenizeError: always.
        """
        raise TokenizeError(
            "this model came without a tokenizer, so it cannot read text" + (f": {self._why}" if self._why else ""),
            "Send token ids instead, or put its tokenizer.json beside its config.json.",
        )

    def encode_pair(self, text: str, pair: str) -> tuple[list[Token], list[int]]:
        """Refuse always, as in `encode`.

        Raises:
            TokenizeError: always.
        """
        return self.encode(text), []

    def tokens(self, ids: Sequence[int], start: int = 0) -> list[Token]:
        """Take ids as ids; they stand for no bytes."""
        return [Token(token_id, self.text_of(token_id), start, start) for token_id in ids]

    def text_of(self, token_id: int) -> str:
        """Return the id itself."""
        return f"#{token_id}"


def _byte_of_character() -> dict[str, int]:
    """Map GPT-2's printable stand-ins for the 256 bytes to their bytes (Radford et al. 2019's encoder)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


_BYTE_OF = _byte_of_character()
# How SentencePiece vocabularies write a single byte.
_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
