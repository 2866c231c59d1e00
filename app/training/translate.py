"""The `translate` model: a small encoder-decoder that puts English sentences into French.

The architecture is that of Vaswani et al. 2017: norms after each sub-layer, sinusoidal positions, embeddings scaled
by the square root of their width and shared by source, target and output. The sentences are made by rule
(`pairs.py`), so that whether a translation is right is not a matter of opinion.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import tokenizers
import torch
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers

from ..transformer.model import KeyValueCache, Transformer, finish
from ..transformer.spec import Spec
from .pairs import Pair, held_out_pairs, pairs
from .trainer import IGNORED, Batch, Recipe, Trainer, padded

PAD, END = 0, 1
SPECIAL = ("<pad>", "</s>")
_BATCH = 128
_LONGEST = 32
# Every word comes hundreds of times in so many sentences, so that the vocabulary has them all.
_SENTENCES_FOR_VOCABULARY = 20_000


def make_spec(d_vocab: int) -> Spec:
    """Return the architecture, for a vocabulary of this size."""
    return Spec(
        kind="encoder_decoder",
        layers=2,
        encoder_layers=2,
        heads=4,
        d_model=64,
        d_head=16,
        d_mlp=256,
        d_vocab=d_vocab,
        positions=_LONGEST,
        source_positions=_LONGEST,
        activation="relu",
        norm_place="post",
        final_norm=False,
        position_kind="sinusoidal",
        sinusoid_pairs="concatenated",
        embedding_scale=math.sqrt(64),
        unembed_bias=True,
    )


def make_tokenizer() -> tokenizers.Tokenizer:
    """Make a token for every word of both languages; a word carries the space before it, and `l'` stands alone.

    Capitals are dropped; *didn't* is read as *did not*, *I'm* as *I am*.
    """
    tokenizer = tokenizers.Tokenizer(models.WordLevel({}))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            normalizers.Lowercase(),
            normalizers.Replace("’", "'"),
            normalizers.Replace("n't", " not"),
            normalizers.Replace(Regex(r"\bi'm\b"), "i am"),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="always"),
            pre_tokenizers.Split("'", "merged_with_previous"),
            pre_tokenizers.Split(Regex("▁?[.,!?]"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    words = sorted(
        {piece for pair in islice(pairs(0, held_out=False), _SENTENCES_FOR_VOCABULARY) for text in pair
         for piece in _pieces(tokenizer, text)}
    )  # fmt: skip
    tokenizer.model = models.WordLevel({word: index for index, word in enumerate([*SPECIAL, *words])})
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    return tokenizer


def _pieces(tokenizer: tokenizers.Tokenizer, text: str) -> list[str]:
    assert tokenizer.normalizer is not None
    assert tokenizer.pre_tokenizer is not None
    return [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))]


def make_batch(tokenizer: tokenizers.Tokenizer, made: Sequence[Pair]) -> Batch:
    """Make English with its end to read, French after `<pad>` to read on, and French with its end to write."""
    english = [[*encoding.ids, END] for encoding in tokenizer.encode_batch([pair[0] for pair in made])]
    french = [[*encoding.ids, END] for encoding in tokenizer.encode_batch([pair[1] for pair in made])]
    source, targets = padded(english, PAD), padded(french, IGNORED)
    read = padded([[PAD, *text[:-1]] for text in french], PAD)
    return Batch(read, targets, source=source, source_padding=source == PAD)


@torch.no_grad()
def translate(model: Transformer, tokenizer: tokenizers.Tokenizer, english: Sequence[str]) -> list[str]:
    """Write the most probable French, word by word, each sentence until its end."""
    source = padded([[*encoding.ids, END] for encoding in tokenizer.encode_batch(list(english))], PAD)
    written = torch.full((len(english), 1), PAD)
    ended = torch.zeros(len(english), dtype=torch.bool)
    cache = KeyValueCache(model.spec, model.spec.positions, len(english))
    while written.shape[1] < model.spec.positions and not ended.all():
        stages = model.stages(written[:, -1:], cache=cache, source=source, source_padding=source == PAD)
        logits = finish(stages)[:, -1]  # [batch, pos, d_vocab] -> [batch, d_vocab]
        following = logits.argmax(-1).masked_fill(ended, PAD)
        written = torch.cat([written, following.unsqueeze(1)], dim=1)
        ended |= following == END
    return [tokenizer.decode(row, skip_special_tokens=True).strip() for row in written.tolist()]


@dataclass(frozen=True)
class Quality:
    """The share of sentences translated without any mistake, and of those with *it*, the share of right pronouns."""

    exact: float
    pronouns: float
    sentences: int


def measure(
    model: Transformer, tokenizer: tokenizers.Tokenizer, kept: Sequence[Pair], batch: int = 250
) -> tuple[Quality, list[tuple[str, str, str]]]:
    """Translate held-out sentences; what is wrong comes along: English, the right French, and what was written."""
    wrong, right_pronouns, with_pronoun = [], 0, 0
    for start in range(0, len(kept), batch):
        part = kept[start : start + batch]
        for (english, french), written in zip(
            part, translate(model, tokenizer, [pair[0] for pair in part]), strict=True
        ):
            if written != french:
                wrong.append((english, french, written))
            if "because it" in english.lower():
                with_pronoun += 1
                right_pronouns += _pronoun(written) == _pronoun(french)
    quality = Quality(1 - len(wrong) / len(kept), right_pronouns / max(1, with_pronoun), len(kept))
    return quality, wrong


def _pronoun(french: str) -> str:
    """Return the word after *parce qu'*."""
    return french.partition("parce qu'")[2].split(" ", 1)[0]


def recipe(steps: int, seed: int) -> Recipe:
    """Describe how the bundled model is trained. A batch counts as the most tokens it could have."""
    batch_tokens = _BATCH * _LONGEST
    return Recipe(
        tokens=steps * batch_tokens,
        batch_tokens=batch_tokens,
        rate=2e-3,
        weight_decay=0.01,
        warm_up=min(200, steps // 10) * batch_tokens,
        label_smoothing=0.0,
        checkpoint_every=250 * batch_tokens,
        seed=seed,
    )


def train_translate(out: Path, steps: int, seed: int = 0, resume: bool = False, held_out: int = 1_000) -> Transformer:
    """Train; `out` gets the log, the tokenizer and the checkpoint. Every checkpoint is tried on unseen sentences."""
    tokenizer = make_tokenizer()
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    kept = held_out_pairs(held_out)

    def batch(step: int) -> Batch:
        made = pairs(seed * 1_000_003 + step + 1, held_out=False)
        return make_batch(tokenizer, list(islice(made, _BATCH)))

    def evaluate(model: Transformer) -> dict[str, float]:
        quality, _ = measure(model, tokenizer, kept)
        return {"exact": quality.exact, "pronouns": quality.pronouns}

    return Trainer(make_spec(tokenizer.get_vocab_size()), recipe(steps, seed), batch, evaluate, out).run(resume)
