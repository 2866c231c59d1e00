"""The French that is taught is French: agreement, order and shortening, and what is held out stays out."""

import random
from itertools import islice
from pathlib import Path

import pytest
import tokenizers
import torch

from app.training import french, pairs, translate
from app.training.french import Phrase
from app.training.pairs import Because, Pair
from app.training.trainer import IGNORED


@pytest.fixture(scope="module")
def tokenizer() -> tokenizers.Tokenizer:
    return translate.make_tokenizer()


def noun(english: str) -> french.Noun:
    return next(noun for noun in (*french.ANIMALS, *french.PEOPLE, *french.THINGS, *french.INSTITUTIONS)
                if noun.english == english)  # fmt: skip


def adjective(english: str) -> french.Adjective:
    known = (
        *french.BEFORE,
        *french.COLOURS,
        *french.OF_BEINGS,
        *french.OF_CROSSED,
        *french.NATIONAL,
        *french.RELATIONAL,
    )
    return next(word for word in known if word.english == english)


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        (Phrase("the", noun("animal")), "l'animal"),
        (Phrase("the", noun("man"), adjective("old")), "le vieil homme"),
        (Phrase("a", noun("bird"), adjective("beautiful"), (adjective("white"),)), "un bel oiseau blanc"),
        (Phrase("this", noun("tree")), "cet arbre"),
        (Phrase("this", noun("school")), "cette école"),
        (Phrase("my", noun("school")), "mon école"),
        (Phrase("my", noun("school"), adjective("new")), "ma nouvelle école"),
        (Phrase("her", noun("car"), adjective("big"), (adjective("red"),)), "sa grande voiture rouge"),
        (
            Phrase("the", noun("area"), None, (adjective("European"), adjective("economic"))),
            "la zone économique européenne",
        ),
    ],
)
def test_words_agree_change_places_and_are_shortened(phrase: Phrase, expected: str) -> None:
    assert french.join_french(phrase.french) == expected


def because(subject: str, thing: str, reason: french.Adjective, **more: bool) -> Pair:
    deed = next(deed for deed in french.DEEDS if noun(thing) in deed.things)
    return Because(deed.verb, Phrase("the", noun(subject)), Phrase("the", noun(thing)), reason, **more).pair


def test_it_is_what_the_reason_speaks_of() -> None:
    tired, wide = adjective("tired"), adjective("wide")
    assert because("animal", "street", tired) == (
        "the animal did not cross the street because it was too tired",
        "l'animal n'a pas traversé la rue parce qu'il était trop fatigué",
    )
    assert because("animal", "street", wide)[1] == "l'animal n'a pas traversé la rue parce qu'elle était trop large"
    assert because("cow", "bridge", tired)[1].endswith("parce qu'elle était trop fatiguée")
    assert because("cow", "bridge", wide)[1].endswith("parce qu'il était trop large")
    assert because("girl", "bridge", tired, past=False) == (
        "the girl does not cross the bridge because she is too tired",
        "la fille ne traverse pas le pont parce qu'elle est trop fatiguée",
    )
    assert because("animal", "street", wide, reason_first=True, denied=False) == (
        "because it was very wide, the animal crossed the street",
        "parce qu'elle était très large, l'animal a traversé la rue",
    )


def test_a_sentence_has_one_translation_and_no_one_is_on_both_sides() -> None:
    learned: dict[str, str] = {}
    for english, translation in islice(pairs.pairs(3, held_out=False), 5000):
        assert learned.setdefault(english, translation) == translation
    kept = dict(pairs.held_out_pairs(300))
    assert len(kept) == 300
    assert not kept.keys() & learned.keys()
    assert not {english.rstrip(".") for english in kept} & {english.rstrip(".") for english in learned}
    assert all(pairs.is_held_out(sentence) and pairs.is_held_out(f"{sentence}.") for sentence in pairs.TIRED_OR_WIDE)
    assert not any(pairs.is_held_out(phrase) for phrase, _ in french.PHRASES)


def test_every_word_has_a_token_and_comes_back(tokenizer: tokenizers.Tokenizer) -> None:
    chance = random.Random("other sentences")
    for _ in range(3000):
        for text in pairs.make_pair(chance):
            assert tokenizer.decode(tokenizer.encode(text).ids).strip() == text.lower()
    read = tokenizer.encode("The animal didn’t cross the street.").tokens
    assert [token.strip("▁") for token in read] == ["the", "animal", "did", "not", "cross", "the", "street", "."]
    assert tokenizer.encode("l'animal").tokens == ["▁l'", "animal"]


def test_a_batch_is_read_one_word_behind_what_it_is_to_write(tokenizer: tokenizers.Tokenizer) -> None:
    made = [("I am a student", "je suis étudiant"), ("thanks", "merci")]
    batch = translate.make_batch(tokenizer, made)
    assert batch.source is not None
    assert tokenizer.decode(batch.source[0].tolist()) == " i am a student"
    assert batch.source[1].tolist()[1:] == [translate.END, *[translate.PAD] * 3]
    assert batch.source_padding is not None
    assert torch.equal(batch.source == translate.PAD, batch.source_padding)
    assert batch.tokens[0, 0] == translate.PAD
    assert torch.equal(batch.tokens[0, 1:], batch.targets[0, :-1])
    assert batch.targets[0, -1] == translate.END
    assert batch.targets[1].tolist()[2:] == [IGNORED] * 2


def test_a_few_steps_learn_something(tmp_path: Path) -> None:
    model = translate.train_translate(tmp_path, steps=10, held_out=4)
    log = (tmp_path / "log.jsonl").read_text()
    assert '"exact"' in log
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    batch = translate.make_batch(tokenizer, pairs.held_out_pairs(40))
    fresh = type(model)(model.spec)
    fresh.initialise(0)
    losses = []
    for each in (fresh, model):
        logits = each(batch.tokens, source=batch.source, source_padding=batch.source_padding).detach()
        losses.append(float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())))
    assert losses[1] < losses[0] - 0.2
