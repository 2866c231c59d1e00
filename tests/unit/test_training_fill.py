"""What `fill` reads: whole sentences, hidden the way BERT hides them."""

import json
import math
import random
from pathlib import Path

import pytest
import tokenizers
import torch

from app.training import fill
from app.transformer.model import Transformer

STORY = (
    'Lily had a red ball. She said, "Can we play?" Tom smiled. "Yes!" He took the ball and ran away.\n\n'
    "Then it rained. They went home and were happy."
)


@pytest.fixture(scope="module")
def tokenizer() -> tokenizers.Tokenizer:
    return fill.train_tokenizer([STORY] * 3)


def test_a_story_falls_into_sentences() -> None:
    found = fill.sentences(STORY)
    assert found[:4] == ["Lily had a red ball.", ' She said, "Can we play?"', " Tom smiled.", ' "Yes!"']
    assert "".join(found) == " ".join(STORY.split())


def test_texts_are_whole_sentences_and_together_the_story(tokenizer: tokenizers.Tokenizer) -> None:
    texts = fill.Texts([STORY], tokenizer).cut(random.Random(1))
    assert all(text[0] == fill.CLS and text[-1] == fill.SEP for text in texts)
    written = [tokenizer.decode(text) for text in texts]
    assert " ".join(written) == " ".join(STORY.split())
    assert all(text[-1] in '.!?"' for text in written)
    assert all(tokenizer.encode(text).ids == ids[1:-1] for text, ids in zip(written, texts, strict=True))


def test_every_text_comes_once_a_pass_and_the_step_alone_decides(tokenizer: tokenizers.Tokenizer) -> None:
    stories = [f"Tom has {number} balls. He is happy." for number in range(50)]
    rows = fill.Rows(fill.Texts(stories, tokenizer), 0, batch_tokens=256)
    first = [rows.batch(step) for step in range(rows.per_pass)]
    written = [tokenizer.decode(row) for tokens, _ in first for row in tokens.tolist()]
    assert sorted(" ".join(written).split()) == sorted(" ".join(stories).split())
    assert all(torch.equal(tokens == fill.PAD, padding) for tokens, padding in first)
    rows.batch(rows.per_pass)
    assert torch.equal(rows.batch(2)[0], first[2][0])


def test_a_mask_takes_the_space_before_it(tokenizer: tokenizers.Tokenizer) -> None:
    encoding = tokenizer.encode("Lily had a[MASK] ball. She [MASK].")
    assert encoding.ids.count(fill.MASK) == 2
    places = [offsets for token, offsets in zip(encoding.ids, encoding.offsets, strict=True) if token == fill.MASK]
    assert places == [(10, 16), (26, 33)]


def test_of_the_chosen_eight_in_ten_are_hidden_and_one_is_replaced() -> None:
    tokens = torch.randint(len(fill.SPECIAL), 4096, (100, 1000), generator=torch.Generator().manual_seed(0))
    tokens[:, 0], tokens[:, -1] = fill.CLS, fill.PAD
    hidden = fill.corrupt(tokens, 0.3, torch.Generator().manual_seed(1))
    flat, shown = tokens.flatten(), hidden.tokens.flatten()
    assert len(hidden.places) == len(set(hidden.places.tolist())) == round(0.3 * 100 * 998)
    assert torch.equal(flat[hidden.places], hidden.originals)
    assert (hidden.originals >= len(fill.SPECIAL)).all()
    changed = (flat != shown).nonzero().squeeze(1)
    assert set(changed.tolist()) <= set(hidden.places.tolist())
    masked = float((shown[hidden.places] == fill.MASK).float().mean())
    left = float((shown[hidden.places] == hidden.originals).float().mean())
    # three standard deviations of a share of 29,940 draws: 0.7 and 0.5 in a hundred
    assert masked == pytest.approx(0.8, abs=0.007)
    assert left == pytest.approx(0.1, abs=0.006)
    assert (fill.corrupt(tokens, 0.15, torch.Generator(), all_masked=True).tokens == fill.MASK).sum() == 14970


def test_a_model_that_knows_nothing_names_nothing() -> None:
    blank = Transformer(fill.SPEC)
    with torch.no_grad():
        for parameter in blank.parameters():
            parameter.zero_()
    texts = [[fill.CLS, *range(10, 10 + size), fill.SEP] for size in (5, 20, 9)]
    quality = fill.measure(blank, texts, 0.5)
    assert quality.tokens == 17
    assert quality.accuracy == 0
    assert quality.nats == pytest.approx(12 * 0.6931472, rel=1e-5)


def test_a_few_steps_learn_something(tmp_path: Path) -> None:
    stories = tmp_path / "stories.txt"
    stories.write_text("<|endoftext|>".join(f"Tom has {number} balls. He is happy." for number in range(200)))
    fill.train_fill(stories, tmp_path / "run", tokens=20 * 128, batch_tokens=128)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    held_out = log[-1]["held_out"]
    assert held_out["nats_per_token"] < math.log(4096) - 0.05
    assert 0 <= held_out["accuracy"] <= held_out["among_five"] <= 1
