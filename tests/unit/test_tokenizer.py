"""Tokens and the bytes they stand for, on text that is easy and text that is odd."""

import json
from itertools import pairwise

import pytest
from tokenizers import AddedToken
from tokenizers import Tokenizer as Library

from app.paths import MODELS
from app.transformer.tokenizer import IdTokenizer, TextTokenizer, TokenizeError
from tests.vocabularies import byte_level

STORIES = MODELS / "stories" / "tokenizer.json"
SORT = MODELS / "sort" / "tokenizer.json"
ODD_TEXTS = [
    "",
    " ",
    "Once upon a time, there was a little girl.",
    "tabs\tand\r\nnew lines\n\n\n",
    "👩‍👩‍👧 families and 🦊",
    "e\u0301 combined, ﷽, \u200b nothing",
    "naïve 你好 \x00 \ufffd",
]


def stories() -> TextTokenizer:
    return TextTokenizer.from_file(STORIES, (0,), 0)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_offsets_cut_the_text_into_exactly_the_bytes_of_its_tokens(text: str) -> None:
    prefix, *tokens = stories().encode(text)
    assert (prefix.id, prefix.text, prefix.start, prefix.end) == (0, "<|endoftext|>", 0, 0)
    data = text.encode()
    assert [token.start for token in tokens] == [0, *(token.end for token in tokens)][: len(tokens)]
    assert (tokens[-1].end if tokens else 0) == len(data)
    for token in tokens:
        assert data[token.start : token.end].decode(errors="backslashreplace") == token.text


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_ids_read_back_verbatim_have_the_same_places(text: str) -> None:
    tokens = stories().encode(text)
    assert stories().tokens([token.id for token in tokens]) == tokens


def test_a_character_split_over_tokens_prints_as_its_bytes() -> None:
    tokens = stories().encode("🦊")[1:]
    assert len(tokens) > 1
    assert "".join(token.text for token in tokens) == r"\xf0\x9f\xa6\x8a"


def test_generated_tokens_go_on_where_the_prompt_ended() -> None:
    tokenizer = stories()
    prompt = tokenizer.encode("Once upon")
    more = tokenizer.tokens([token.id for token in tokenizer.encode(" a time")[1:]], start=prompt[-1].end)
    assert [(token.text, token.start) for token in more] == [(" a", 9), (" time", 11)]
    assert tokenizer.tokens([0], start=5)[0].end == 5


def test_a_special_token_typed_out_takes_the_bytes_of_its_name() -> None:
    tokens = stories().encode("é<|endoftext|>b")[1:]
    assert [(token.text, token.start, token.end) for token in tokens[-2:]] == [
        ("<|endoftext|>", 2, 15),
        ("b", 15, 16),
    ]


def test_added_tokens_are_spelled_as_they_were_added() -> None:
    library = Library.from_file(str(STORIES))
    library.add_tokens([AddedToken("two words", special=False)])
    tokens = TextTokenizer(library).encode("é two words.")
    assert [token.text for token in tokens][-2:] == ["two words", "."]
    assert all(before.end == after.start for before, after in pairwise(tokens))
    assert tokens[-1].end == len("é two words.".encode())


def test_letters_are_tokens_of_the_sorter_and_nothing_else_is() -> None:
    tokenizer = TextTokenizer.from_file(SORT)
    assert [(token.id, token.text, token.start, token.end) for token in tokenizer.encode("CAB")] == [
        (2, "C", 0, 1),
        (0, "A", 1, 2),
        (1, "B", 2, 3),
    ]
    with pytest.raises(TokenizeError, match="character 3, 'x'") as caught:
        tokenizer.encode("ABx")
    assert caught.value.hint == "Use only: A, B, C."


def test_without_a_vocabulary_tokens_are_their_ids() -> None:
    tokenizer = IdTokenizer(7)
    assert [(token.text, token.start, token.end) for token in tokenizer.tokens([17, 0])] == [
        ("#17", 0, 0),
        ("#0", 0, 0),
    ]
    with pytest.raises(TokenizeError, match="without a tokenizer"):
        tokenizer.encode("A")


def test_a_piece_put_in_by_hand_is_written_as_it_is() -> None:
    library = json.loads(byte_level().to_str())
    vocabulary = library["model"]["vocab"]
    odd = {"<｜begin▁of▁sentence｜>": len(vocabulary), "a b": len(vocabulary) + 1}
    vocabulary |= odd
    tokenizer = TextTokenizer(Library.from_str(json.dumps(library)))
    assert [tokenizer.text_of(token_id) for token_id in odd.values()] == list(odd)
    assert [(token.start, token.end) for token in tokenizer.tokens([*odd.values()])] == [(0, 29), (29, 32)]


class _Panic(BaseException):
    """Stands in for `pyo3_runtime.PanicException`, which is no `Exception` either."""


class _Panicking:
    """A vocabulary whose splitting, joining or spelling breaks off as the library's Rust may."""

    def __init__(self, library: Library, *names: str) -> None:
        self._library, self._names = library, names

    def __getattr__(self, name: str) -> object:
        def panic(*_: object, **__: object) -> None:
            raise _Panic("index out of bounds")

        return panic if name in self._names else getattr(self._library, name)


def test_a_panic_over_a_text_is_a_refusal() -> None:
    reader = TextTokenizer(_Panicking(byte_level(), "encode"), (1,))  # type: ignore[arg-type]
    for ask in (lambda: reader.encode("he"), lambda: reader.encode_pair("he", "he")):
        with pytest.raises(TokenizeError, match="broke off over this text: _Panic: index out of bounds") as refusal:
            ask()
        assert "token ids" in refusal.value.hint
    # Ids need no splitting; only whether a space is put in front cannot be found out.
    assert [token.text for token in reader.tokens([5, 6])] == [reader.text_of(5), reader.text_of(6)]
    with pytest.raises(TokenizeError, match="broke off"):
        TextTokenizer(_Panicking(byte_level(), "id_to_token"), (1,)).tokens([5])  # type: ignore[arg-type]
