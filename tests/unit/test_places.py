"""Where tokens stand in a text: in order, never over each other, and no longer than the text, whatever changes it."""

import random

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from app.transformer.tokenizer import TextTokenizer
from tests.vocabularies import VOCABULARIES, byte_level, prepending, sentence_piece

_PIECES = [
    "he",
    " ",
    "  ",
    "the",
    "x",
    "é",
    "e\u0301",
    "\ufb01",
    "\u0130",
    "½",
    "中文",
    "🙂",
    "👩\u200d👧",
    "\n",
    "▁",
    "<s>",
    "ß",
]


def _word_pieces() -> Tokenizer:
    vocabulary = {piece: number for number, piece in enumerate(["[UNK]", "he", "##the", "##x", "the", "x", "e", "##e"])}
    library = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    library.normalizer = normalizers.BertNormalizer(lowercase=True)
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return library


def _unigram() -> Tokenizer:
    scores = [("<unk>", 0.0), ("▁", -1.0), ("h", -2.0), ("▁he", -2.0), ("e", -2.0), ("x", -3.0), ("the", -3.0)]
    library = Tokenizer(models.Unigram(scores, 0))
    library.normalizer = normalizers.NFKC()
    library.pre_tokenizer = pre_tokenizers.Metaspace()
    return library


def _trimming() -> Tokenizer:
    library = byte_level()
    library.post_processor = processors.ByteLevel(trim_offsets=True)
    return library


KINDS = VOCABULARIES | {
    "byte level, NFKC": byte_level(normalizers.NFKC()),
    "byte level, lower case": byte_level(normalizers.Lowercase()),
    "byte level, stripped": byte_level(normalizers.Strip()),
    "byte level, places trimmed": _trimming(),
    "pieces, NFKC": sentence_piece(normalizers.Sequence([normalizers.NFKC(), prepending()])),
    "word pieces": _word_pieces(),
    "unigram": _unigram(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_places_never_overlap_and_add_up_to_no_more_than_the_text(kind: str) -> None:
    chooser, tokenizer = random.Random(0), TextTokenizer(KINDS[kind])
    for _ in range(150):
        text = "".join(chooser.choices(_PIECES, k=chooser.randint(1, 8)))
        at = 0
        for token in tokenizer.encode(text):
            assert at <= token.start <= token.end, text
            at = token.end
        assert at <= len(text.encode()), text


@pytest.mark.parametrize("kind", [kind for kind in VOCABULARIES if "NFC" not in kind])
def test_nothing_of_a_text_is_counted_twice_or_left_out(kind: str) -> None:
    chooser, tokenizer = random.Random(1), TextTokenizer(VOCABULARIES[kind])
    for _ in range(150):
        text = "".join(chooser.choices([piece for piece in _PIECES if piece != "▁"], k=8))
        tokens = tokenizer.encode(text)
        assert sum(token.end - token.start for token in tokens) == len(text.encode()), text


@pytest.mark.parametrize("kind", [kind for kind in VOCABULARIES if "byte" in kind and "NFC" not in kind])
def test_ids_taken_verbatim_stand_where_their_text_stood(kind: str) -> None:
    tokenizer = TextTokenizer(VOCABULARIES[kind])
    for text in ("the he", "x 🙂 the", "é"):
        tokens = tokenizer.encode(text)
        assert tokenizer.tokens([token.id for token in tokens]) == tokens


def test_inside_a_character_tokens_advance_byte_by_byte() -> None:
    pieces = TextTokenizer(VOCABULARIES["pieces, prepended"]).encode("漢 he")
    assert [(token.text, token.start, token.end) for token in pieces] == [
        (" ", 0, 0), (r"\xe6", 0, 1), (r"\xbc", 1, 2), (r"\xa2", 2, 3), (" ", 3, 4), ("he", 4, 6),
    ]  # fmt: skip
    joined = TextTokenizer(byte_level(normalizers.NFC())).encode("e\u0301x")
    assert [(token.text, token.start, token.end) for token in joined] == [("é", 0, 1), ("x", 3, 4)]
    split = TextTokenizer(byte_level(normalizers.NFKC())).encode("½he")
    assert [(token.start, token.end) for token in split] == [(0, 1), (1, 2), (2, 2), (2, 2), (2, 2), (2, 4)]


def test_a_space_that_only_the_vocabulary_puts_is_no_byte_of_the_text() -> None:
    for kind in ("byte level, a space in front", "pieces, prepended", "pieces, first"):
        first = TextTokenizer(VOCABULARIES[kind]).encode("he the")[0]
        assert first.start == 0 and first.end <= 2, kind
