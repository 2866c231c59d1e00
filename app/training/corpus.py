"""The texts that `stories` and `fill` learn from, and which of them are kept for measuring.

Stories are held out by a hash of their text, so that the split is the same on every machine and a story is never
on both sides of it.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

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
    """Whether a story is kept for measuring: decided by its text alone."""
    digest = hashlib.sha256(story.encode()).digest()
    return int.from_bytes(digest[:8], "big") % HELD_OUT_ONE_IN == 0
