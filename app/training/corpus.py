"""The texts that `stories` and `fill` learn from, which of them are kept for measuring, and their tokens.

Stories are held out by a hash of their text, so that the split is the same on every machine and a story is never
on both sides of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"
HELD_OUT_ONE_IN = 40


@dataclass(frozen=True)
class Corpus:
    """Texts to learn from, and stories kept for measuring."""

    stories: list[str]
    held_out: list[str]
    tales: list[str]


def read_corpus(stories: Path, tales: Path | None) -> Corpus:
    """Read a file of stories separated by lines `<|endoftext|>`, and a folder of tales, one book a file.

    Raises:
        FileNotFoundError: there is no such file, or no `.txt` file in the folder.
    """
    texts = [story.strip() for story in stories.read_text(encoding="utf-8").split(END_OF_TEXT)]
    texts = [text for text in texts if text]
    books = sorted(path for path in tales.glob("*.txt")) if tales else []
    if tales and not books:
        raise FileNotFoundError(f"no .txt file in {tales}")
    return Corpus(
        stories=[text for text in texts if not is_held_out(text)],
        held_out=[text for text in texts if is_held_out(text)],
        tales=[book.read_text(encoding="utf-8").strip() for book in books],
    )


def is_held_out(story: str) -> bool:
    """Tell whether a story is kept for measuring: its text alone decides."""
    return one_in(HELD_OUT_ONE_IN, story)


def one_in(count: int, text: str) -> bool:
    """Tell whether a text is one of every `count`, by a hash of its words: the same ones on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % count == 0


def byte_level_bpe(d_vocab: int, special: Sequence[str | AddedToken], texts: Sequence[str]) -> tokenizers.Tokenizer:
    """Learn a byte-level BPE (Radford et al. 2019, section 2.2) from texts: `d_vocab` tokens, special ones first."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=d_vocab,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
