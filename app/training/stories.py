"""The `stories` model: a small GPT-2 that writes children's stories.

Trained on TinyStories (Eldan & Li 2023) with some fairy tales mixed in.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tokenizers
import torch
from torch import Tensor
from torch.nn import functional as F

from ..transformer.model import Transformer
from ..transformer.spec import Spec
from .corpus import END_OF_TEXT, Corpus, byte_level_bpe, read_corpus
from .trainer import IGNORED, Batch, Recipe, Trainer

SPEC = Spec(layers=6, heads=6, d_model=192, d_head=32, d_mlp=768, d_vocab=4096, positions=256)
END_OF_TEXT_ID = 0
# Rows of a batch: 13 of stories and 3 of fairy tales, about 80 to 20.
STORY_ROWS, TALE_ROWS = 13, 3
# The vocabulary is made for stories: it sees at most this many bytes of tales per byte of stories.
_TALE_SHARE_OF_VOCABULARY = 0.25

# The tokens read, and for each the one to predict.
Piece = tuple[list[int], list[int]]


def train_tokenizer(corpus: Corpus) -> tokenizers.Tokenizer:
    """Learn a byte-level BPE (Radford et al. 2019, section 2.2) of `SPEC.d_vocab` tokens; 0 ends a text."""
    allowance = int(_TALE_SHARE_OF_VOCABULARY * sum(map(len, corpus.stories)))
    share = allowance // max(1, len(corpus.tales))
    texts = [*corpus.stories, *(tale[:share] for tale in corpus.tales)]
    return byte_level_bpe(SPEC.d_vocab, [END_OF_TEXT], texts)


class Rows:
    """Rows of exactly one context each, made anew for every pass over a set of texts.

    A piece of text begins with the end-of-text token, as every context does when the model is used, and stays
    whole: short pieces share a row, and the room left in it goes to the beginning of another text.
    """

    def __init__(self, texts: list[list[int]], length: int, seed: int) -> None:
        self._pieces = [piece for text in texts for piece in _pieces(text, length)]
        self._beginnings = [next(_pieces(text, length)) for text in texts]
        self._length, self._seed = length, seed
        self._pass, self._rows = 0, self._make_pass(0)
        self.per_pass = len(self._rows)  # of every pass: only the lengths of the pieces decide

    def take(self, start: int, count: int) -> Tensor:
        """Take rows `start` to `start + count` of the endless passes: `[count, 2, pos]`, read and predicted."""
        rows = []
        for index in range(start, start + count):
            number, within = divmod(index, self.per_pass)
            if number != self._pass:
                self._pass, self._rows = number, self._make_pass(number)
            rows.append(self._rows[within])
        return torch.stack(rows)

    def _make_pass(self, number: int) -> Tensor:
        shuffler = random.Random(self._seed * 1_000_003 + number)
        pieces = shuffler.sample(self._pieces, len(self._pieces))
        rows = _pack(pieces, self._length)
        for row in rows:
            while len(row[0]) < self._length:
                for side, more in zip(row, shuffler.choice(self._beginnings), strict=True):
                    side.extend(more[: self._length - len(side)])
        shuffler.shuffle(rows)
        return torch.tensor(rows)


def _pieces(text: list[int], length: int) -> Iterator[Piece]:
    """Cut a text into pieces of at most `length` tokens; what begins a later piece cannot be known: not scored."""
    closed = [*text, END_OF_TEXT_ID]
    for start in range(0, len(closed), length):
        predicted = closed[start : start + length]
        read = [END_OF_TEXT_ID, *predicted[:-1]]
        yield read, (predicted if start == 0 else [IGNORED, *predicted[1:]])


def _pack(pieces: list[Piece], length: int) -> list[Piece]:
    """Put pieces together in rows of at most `length` tokens, the longest first, each where it fits best."""
    with_room: list[list[Piece]] = [[] for _ in range(length + 1)]  # rows by the room left in them
    rows: list[Piece] = []
    for read, predicted in sorted(pieces, key=lambda piece: len(piece[0]), reverse=True):
        size = len(read)
        room = next((room for room in range(size, length + 1) if with_room[room]), None)
        if room is None:
            row: Piece = ([], [])
            rows.append(row)
            room = length
        else:
            row = with_room[room].pop()
        row[0].extend(read)
        row[1].extend(predicted)
        with_room[room - size].append(row)
    return rows


@dataclass(frozen=True)
class Quality:
    """How well stories are predicted: bits per byte of text (their ends counted in), nats per token."""

    bits_per_byte: float
    nats_per_token: float
    stories: int
    tokens: int
    bytes: int


def windows(story: list[int], length: int) -> Iterator[tuple[list[int], int]]:
    """Choose contexts to measure a story in, and how many of each one's last predictions are new.

    A story that is longer than the context moves on by half a context at a time, so that no prediction but
    those near its start is made with less than half a context read.
    """
    closed = [*story, END_OF_TEXT_ID]
    end = 0
    while end < len(closed):
        new = min(length if end == 0 else length // 2, len(closed) - end)
        end += new
        yield [END_OF_TEXT_ID, *closed[max(0, end - length) : end]], new


@torch.no_grad()
def measure(model: Transformer, tokenizer: tokenizers.Tokenizer, stories: list[str], batch: int = 16) -> Quality:
    """Predict whole stories, each from an end-of-text token on, and count what that costs."""
    length = model.spec.positions
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(stories)]
    cases = sorted((window for ids in encoded for window in windows(ids, length)), key=lambda case: len(case[0]))
    nats = 0.0
    for start in range(0, len(cases), batch):
        nats += _batch_nats(model, cases[start : start + batch])
    tokens = sum(len(ids) + 1 for ids in encoded)
    size = sum(len(story.encode()) for story in stories)
    return Quality(nats / math.log(2) / size, nats / tokens, len(stories), tokens, size)


def _batch_nats(model: Transformer, cases: list[tuple[list[int], int]]) -> float:
    width = max(len(ids) for ids, _ in cases) - 1
    read = torch.zeros(len(cases), width, dtype=torch.long)
    predicted = torch.full((len(cases), width), IGNORED)
    for row, (ids, new) in enumerate(cases):
        read[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        predicted[row, len(ids) - 1 - new : len(ids) - 1] = torch.tensor(ids[-new:])
    logits = model(read).float()
    # every place is one prediction: [batch, pos, d_vocab] -> [batch*pos, d_vocab]
    loss = F.cross_entropy(logits.flatten(0, 1), predicted.flatten(), ignore_index=IGNORED, reduction="sum")
    return float(loss)


def recipe(tokens: int, seed: int) -> Recipe:
    """Describe how the bundled model is trained."""
    return Recipe(
        tokens=tokens,
        batch_tokens=(STORY_ROWS + TALE_ROWS) * SPEC.positions,
        rate=4e-3,
        matrix_rate=0.02,
        weight_decay=0.05,
        warm_up=250_000,
        decay=0.5,
        checkpoint_every=700_000,
        seed=seed,
        compiled=True,
    )


def train_stories(stories: Path, tales: Path, out: Path, tokens: int, seed: int = 0, resume: bool = False) -> None:
    """Train the vocabulary and the model; `out` gets the tokenizer, the log and the checkpoint."""
    corpus = read_corpus(stories, tales)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer_path = out / "tokenizer.json"
    if resume:
        tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_path))
    else:
        tokenizer = train_tokenizer(corpus)
        tokenizer.save(str(tokenizer_path))
    story_rows, tale_rows = (
        Rows([encoding.ids for encoding in tokenizer.encode_batch(texts)], SPEC.positions, seed)
        for texts in (corpus.stories, corpus.tales)
    )

    def batch(step: int) -> Batch:
        rows = [story_rows.take(step * STORY_ROWS, STORY_ROWS), tale_rows.take(step * TALE_ROWS, TALE_ROWS)]
        read, predicted = torch.cat(rows).unbind(1)
        return Batch(read, predicted)

    def evaluate(model: Transformer) -> dict[str, float]:
        quality = measure(model, tokenizer, corpus.held_out)
        return {"bits_per_byte": quality.bits_per_byte, "nats_per_token": quality.nats_per_token}

    Trainer(SPEC, recipe(tokens, seed), batch, evaluate, out).run(resume)
