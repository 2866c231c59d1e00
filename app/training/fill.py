"""The `fill` model: a small BERT that knows what a missing word may have been.

Learned as BERT was (Devlin et al. 2018, section 3.1): some tokens are chosen; of these, eight in ten are replaced
by `[MASK]`, one by a random token, one is left; all of them are to be named. BERT chose 15 in 100; we choose 30
(Wettig et al. 2023, "Should You Mask 15% in Masked Language Modeling?"), from which a small model learns sooner.
"""

import random
import re
from dataclasses import dataclass
from pathlib import Path

import tokenizers
import torch
from tokenizers import AddedToken
from torch import Tensor
from torch.nn import functional as F

from ..transformer.model import Transformer
from ..transformer.spec import Spec
from .corpus import byte_level_bpe, read_corpus
from .trainer import Batch, Recipe, Trainer, padded

SPEC = Spec(
    kind="encoder",
    layers=4,
    heads=4,
    d_model=128,
    d_head=32,
    d_mlp=512,
    d_vocab=4096,
    positions=128,
    activation="gelu",
    norm_place="post",
    norm_epsilon=1e-12,
    final_norm=False,
    embedding_norm=True,
    token_types=1,
    head_transform=True,
    unembed_bias=True,
)
SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[MASK]")
PAD, CLS, SEP, MASK = range(len(SPECIAL))
CHOSEN_SHARE, MASKED_SHARE, RANDOM_SHARE = 0.3, 0.8, 0.1
# Texts have any length from that of a short sentence on, for so will what people write.
SHORTEST = 10
_BATCH_TOKENS = 6144
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=[ ])|(?<=[.!?][\"'])(?=[ ])")


def train_tokenizer(stories: list[str]) -> tokenizers.Tokenizer:
    """Learn a byte-level BPE (Radford et al. 2019, section 2.2). `[MASK]` takes the space before it, as words do."""
    special = [AddedToken(name, special=True, lstrip=name == "[MASK]") for name in SPECIAL]
    return byte_level_bpe(SPEC.d_vocab, special, [" ".join(story.split()) for story in stories])


def sentences(story: str) -> list[str]:
    """Split a story into sentences, each but the first with the space before it."""
    return _SENTENCE_END.split(" ".join(story.split()))


class Texts:
    """Stories as tokens, to be cut between sentences into texts of many lengths."""

    def __init__(self, stories: list[str], tokenizer: tokenizers.Tokenizer) -> None:
        split = [sentences(story) for story in stories]
        encoded = iter(tokenizer.encode_batch([sentence for story in split for sentence in story]))
        self._stories = [[next(encoded).ids for _ in story] for story in split]
        # A text may begin with any sentence, then without the space before its first word.
        openings = {sentence.split(" ", 2)[1] for story in split for sentence in story[1:]}
        self._opening = {
            tuple(tokenizer.encode(f" {word}").ids): tokenizer.encode(word).ids for word in sorted(openings)
        }
        self._longest = max((len(opening) for opening in self._opening), default=0)

    def cut(self, shuffler: random.Random) -> list[list[int]]:
        """Cut every story into texts `[CLS] … [SEP]` of whole sentences, each as many as fit into a random length."""
        texts = []
        for story in self._stories:
            text: list[int] = []
            room = shuffler.randint(SHORTEST, SPEC.positions - 2)
            for sentence in story:
                if text and len(text) + len(sentence) > room:
                    texts.append(text)
                    text, room = [], shuffler.randint(SHORTEST, SPEC.positions - 2)
                text = (text + sentence if text else self._opened(sentence))[: SPEC.positions - 2]
            texts.append(text)
        return [[CLS, *text, SEP] for text in texts]

    def _opened(self, sentence: list[int]) -> list[int]:
        """Drop the space before a sentence that opens a text."""
        for size in range(self._longest, 0, -1):
            opening = self._opening.get(tuple(sentence[:size]))
            if opening is not None:
                return opening + sentence[size:]
        return sentence


class Rows:
    """Batches of texts, in passes over all stories; texts of one batch have about the same length."""

    def __init__(self, texts: Texts, seed: int, batch_tokens: int) -> None:
        self._texts, self._seed, self._batch_tokens = texts, seed, batch_tokens
        self._number, self._batches = 0, self._make_pass(0)
        self.per_pass = len(self._batches)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Make token ids `[batch, pos]`, and the mask of where they are no text; the step alone decides."""
        number, within = divmod(step, self.per_pass)
        if number != self._number:
            self._number, self._batches = number, self._make_pass(number)
        return pad(self._batches[within % len(self._batches)])  # a later pass may have a batch less

    def _make_pass(self, number: int) -> list[list[list[int]]]:
        shuffler = random.Random(f"{self._seed} {number}")
        texts = self._texts.cut(shuffler)
        shuffler.shuffle(texts)
        texts.sort(key=len, reverse=True)
        batches = []
        while texts:
            count = max(1, self._batch_tokens // len(texts[0]))
            batches.append(texts[:count])
            del texts[:count]
        shuffler.shuffle(batches)
        return batches


def pad(texts: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Stack texts into one array `[batch, pos]`, and mark where it holds no text."""
    tokens = padded(texts, PAD)
    return tokens, tokens == PAD


@dataclass(frozen=True)
class Corrupted:
    """Tokens after some were chosen: what is shown, the chosen places of the flattened array, what was there."""

    tokens: Tensor
    places: Tensor
    originals: Tensor


def corrupt(tokens: Tensor, share: float, generator: torch.Generator, *, all_masked: bool = False) -> Corrupted:
    """Choose exactly a share of the text's tokens and hide them as BERT does; `all_masked` shows `[MASK]` for each."""
    flat = tokens.flatten()
    text = (flat >= len(SPECIAL)).nonzero().squeeze(1)
    count = round(share * len(text))
    places = text[torch.randperm(len(text), generator=generator)[:count]]
    fate = torch.rand(count, generator=generator)
    others = torch.randint(len(SPECIAL), SPEC.d_vocab, (count,), generator=generator)
    masked = (fate < MASKED_SHARE) | all_masked
    replaced = ~masked & (fate < MASKED_SHARE + RANDOM_SHARE)
    shown = flat.clone()
    shown[places[masked]] = MASK
    shown[places[replaced]] = others[replaced]
    return Corrupted(shown.view_as(tokens), places, flat[places])


@dataclass(frozen=True)
class Quality:
    """How well hidden tokens are named: the share named right, the share among the first five, nats per token."""

    accuracy: float
    among_five: float
    nats: float
    tokens: int


@torch.no_grad()
def measure(model: Transformer, texts: list[list[int]], share: float, seed: int = 0) -> Quality:
    """Hide a share of every text's tokens, all behind `[MASK]`, and see which are named."""
    generator = torch.Generator().manual_seed(seed)
    right = among = count = 0
    nats = 0.0
    ordered = sorted(texts, key=len)
    for start in range(0, len(ordered), 64):
        rows = ordered[start : start + 64]
        tokens, padding = pad(rows)
        hidden = corrupt(tokens, share, generator, all_masked=True)
        logits = model(hidden.tokens, padding=padding).float().flatten(0, 1)[hidden.places]
        best = logits.topk(5).indices == hidden.originals.unsqueeze(1)  # [count, 5]
        right += int(best[:, 0].sum())
        among += int(best.sum())
        nats += float(F.cross_entropy(logits, hidden.originals, reduction="sum"))
        count += len(hidden.places)
    return Quality(right / count, among / count, nats / count, count)


def recipe(tokens: int, seed: int, batch_tokens: int = _BATCH_TOKENS) -> Recipe:
    """Describe how the bundled model is trained."""
    return Recipe(
        tokens=tokens,
        batch_tokens=batch_tokens,
        rate=1.5e-3,
        matrix_rate=0.01,
        weight_decay=0.05,
        warm_up=min(600_000, tokens // 10),
        decay=0.5,
        checkpoint_every=1_000_000,
        seed=seed,
    )


def train_fill(
    stories: Path, out: Path, tokens: int, seed: int = 0, resume: bool = False, batch_tokens: int = _BATCH_TOKENS
) -> None:
    """Train the vocabulary and the model; `out` gets the tokenizer, the log and the checkpoint."""
    corpus = read_corpus(stories, None)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "tokenizer.json"
    if resume:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    else:
        tokenizer = train_tokenizer(corpus.stories)
        tokenizer.save(str(path))
    rows = Rows(Texts(corpus.stories, tokenizer), seed, batch_tokens)
    kept = held_out_texts(corpus.held_out, tokenizer)

    def batch(step: int) -> Batch:
        shown, padding = rows.batch(step)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        hidden = corrupt(shown, CHOSEN_SHARE, generator)
        return Batch(hidden.tokens, hidden.originals, padding=padding, scored=hidden.places)

    def evaluate(model: Transformer) -> dict[str, float]:
        quality = measure(model, kept, 0.15)
        return {"accuracy": quality.accuracy, "among_five": quality.among_five, "nats_per_token": quality.nats}

    Trainer(SPEC, recipe(tokens, seed, batch_tokens), batch, evaluate, out).run(resume)


def held_out_texts(stories: list[str], tokenizer: tokenizers.Tokenizer) -> list[list[int]]:
    """Cut the held-out stories into texts, the same way every time."""
    return Texts(stories, tokenizer).cut(random.Random(0))
