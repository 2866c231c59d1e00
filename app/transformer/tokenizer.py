"""Text to tokens and back, with the exact bytes that each token stands for.

Splitting text is the `tokenizers` library's work. What is added here is what a page needs to show: each token
as something that can be printed, and its place in the text in bytes, also where a token ends inside a character.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import tokenizers
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import ByteLevel


class TokenizeError(ValueError):
    """Text that this model's vocabulary cannot spell; `hint` says what it can."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint


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
    mask_id: int | None

    def encode(self, text: str) -> list[Token]:
        """The prefix, then the tokens of `text`, then the suffix.

        Raises:
            TokenizeError: the vocabulary has no token for part of it.
        """
        ...

    def tokens(self, ids: Sequence[int], start: int = 0) -> list[Token]:
        """Ids taken verbatim, their offsets counted on from byte `start`."""
        ...

    def text_of(self, token_id: int) -> str:
        """How one token is printed."""
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
    ) -> None:
        """Wrap a tokenizer; `prefix_ids` begin every text, `suffix_ids` end it, `mask_id` hides a token."""
        self._library = library
        self.prefix_ids, self.suffix_ids = tuple(prefix_ids), tuple(suffix_ids)
        self.end_of_text_id, self.mask_id = end_of_text_id, mask_id
        self._byte_level = isinstance(library.pre_tokenizer, ByteLevel) or "ByteLevel" in repr(library.decoder)

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

    def encode(self, text: str) -> list[Token]:
        """The prefix, the tokens of `text`, the suffix; see `Tokenizer`."""
        self._check_spelling(text)
        encoding = self._library.encode(text, add_special_tokens=False)
        prefix = [Token(token_id, self.text_of(token_id), 0, 0) for token_id in self.prefix_ids]
        byte_at = _byte_offsets(text)
        suffix = [Token(token_id, self.text_of(token_id), byte_at[-1], byte_at[-1]) for token_id in self.suffix_ids]
        if self._byte_level:
            return prefix + self._found(encoding, byte_at) + suffix
        found = [
            Token(token_id, self.text_of(token_id), byte_at[start], byte_at[end])
            for token_id, (start, end) in zip(encoding.ids, encoding.offsets, strict=True)
        ]
        return prefix + found + suffix

    def tokens(self, ids: Sequence[int], start: int = 0) -> list[Token]:
        """Ids taken verbatim; the bytes each stands for decide the offsets. Special tokens stand for none."""
        return self._placed(ids, start, self._bytes_of)

    def _found(self, encoding: tokenizers.Encoding, byte_at: list[int]) -> list[Token]:
        """Byte-level tokens where they stand; a special one, which may take the space before it, by the library."""
        found, end = [], 0
        for token_id, (_, last) in zip(encoding.ids, encoding.offsets, strict=True):
            start = end
            end = byte_at[last] if token_id in self._added else start + len(self._spelled(token_id))
            found.append(Token(token_id, self.text_of(token_id), start, end))
        return found

    def _placed(self, ids: Sequence[int], start: int, bytes_of: Callable[[int], bytes]) -> list[Token]:
        found = []
        for token_id in ids:
            end = start + len(bytes_of(token_id))
            found.append(Token(token_id, self.text_of(token_id), start, end))
            start = end
        return found

    def text_of(self, token_id: int) -> str:
        """The piece of text, or escapes such as `\\xe2` for bytes that are no character alone."""
        return self._spelled(token_id).decode("utf-8", errors="backslashreplace")

    @cached_property
    def _added(self) -> dict[int, tuple[str, bool]]:
        """Tokens put beside the learned vocabulary, by id: what they spell, and whether they are special."""
        added = self._library.get_added_tokens_decoder()
        return {token_id: (token.content, token.special) for token_id, token in added.items()}

    def _bytes_of(self, token_id: int) -> bytes:
        """The bytes of text that a token stands for: none for a special one."""
        return b"" if self._added.get(token_id, ("", False))[1] else self._spelled(token_id)

    def _spelled(self, token_id: int) -> bytes:
        """The bytes of a token that was found in a text: a special one was written out there."""
        if token_id in self._added:
            return self._added[token_id][0].encode()
        piece = self._library.id_to_token(token_id)
        if piece is None:
            return b""
        if self._byte_level:
            return bytes(_BYTE_OF[character] for character in piece)
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

    def __init__(self, end_of_text_id: int | None = None, why: str = "") -> None:
        """Nothing but ids; `why` says what is missing."""
        self.end_of_text_id, self._why = end_of_text_id, why

    def encode(self, text: str) -> list[Token]:
        """Always refused: there is no vocabulary.

        Raises:
            TokenizeError: always.
        """
        raise TokenizeError(
            "this model came without a tokenizer, so it cannot read text" + (f": {self._why}" if self._why else ""),
            "Send token ids instead, or put its tokenizer.json beside its config.json.",
        )

    def tokens(self, ids: Sequence[int], start: int = 0) -> list[Token]:
        """Ids as ids; they stand for no bytes."""
        return [Token(token_id, self.text_of(token_id), start, start) for token_id in ids]

    def text_of(self, token_id: int) -> str:
        """The id itself."""
        return f"#{token_id}"


def _byte_of_character() -> dict[str, int]:
    """GPT-2's printable stand-ins for the 256 bytes, from stand-in to byte (Radford et al. 2019's encoder)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(hidden)}


_BYTE_OF = _byte_of_character()
# How SentencePiece vocabularies write a single byte.
_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def _byte_offsets(text: str) -> list[int]:
    """The byte at which each character starts, and the end."""
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode()))
    return offsets
