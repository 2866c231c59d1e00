"""English sentences with their French translations, made by rule: what `translate` learns from.

The rules want what word-for-word translation cannot give: articles, adjectives and pronouns follow the gender of a
noun, adjectives change places, *not* goes around the verb, and *it* is *il* or *elle* by what the sentence says of
it (an animal is tired, a street is wide). Which sentences are held out is decided by a hash of the English.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import french as words
from .corpus import one_in
from .french import Adjective, Noun, Phrase, Verb, join_english, join_french

Pair = tuple[str, str]
HELD_OUT_ONE_IN = 20
_PHRASES = dict(words.PHRASES)
# The pair of sentences that shows what *it* is about. They are always kept for measuring.
TIRED_OR_WIDE = (
    "the animal did not cross the street because it was too tired",
    "the animal did not cross the street because it was too wide",
)


@dataclass(frozen=True)
class _Pronoun:
    """A subject, the person that its French verb is in, and its form of *to be*, each in both languages."""

    english: str
    french: str
    person: str
    be: tuple[str, str]

    @property
    def third(self) -> bool:
        """Tell whether an English verb in the present ends in s after it."""
        return self.english in ("he", "she")


_PRONOUNS = (
    _Pronoun("I", "je", "je", ("am", "suis")),
    _Pronoun("you", "tu", "tu", ("are", "es")),
    _Pronoun("he", "il", "il", ("is", "est")),
    _Pronoun("she", "elle", "il", ("is", "est")),
    _Pronoun("we", "nous", "nous", ("are", "sommes")),
    _Pronoun("they", "ils", "ils", ("are", "sont")),
)
_SINGULAR = _PRONOUNS[:4]
_BE = {True: ("was", "était"), False: ("is", "est")}
_HAVE = {"je": "ai", "tu": "as", "il": "a", "nous": "avons", "ils": "ont"}
# Nobody's: one does not say *her king*.
_UNOWNED = ("man", "woman", "boy", "girl", "king", "queen")


def make_pair(chance: random.Random) -> Pair:
    """Make one sentence and its translation; half of them end in a full stop."""
    english, french = chance.choices(_KINDS, _WEIGHTS)[0](chance)
    if english.endswith("?") or chance.random() < 0.5:
        return english, french
    return f"{english}.", f"{french}."


def pairs(seed: int, *, held_out: bool) -> Iterator[Pair]:
    """Yield pairs without end, all of the one side or all of the other."""
    chance = random.Random(seed)
    while True:
        pair = make_pair(chance)
        if is_held_out(pair[0]) == held_out:
            yield pair


def held_out_pairs(count: int, seed: int = 0) -> list[Pair]:
    """List different sentences that training never sees."""
    found: dict[str, str] = {}
    for english, french in pairs(seed, held_out=True):
        found.setdefault(english, french)
        if len(found) == count:
            break
    return list(found.items())


def is_held_out(english: str) -> bool:
    """Tell whether a sentence is kept for measuring: its words alone decide. Fixed phrases are never kept."""
    bare = english.rstrip(".")
    if bare in _PHRASES or bare in TIRED_OR_WIDE:
        return bare in TIRED_OR_WIDE
    return one_in(HELD_OUT_ONE_IN, bare)


@dataclass(frozen=True)
class Because:
    """Somebody did, or did not do, something, *because it was too tired*: the sentence that *it* is about."""

    verb: Verb
    subject: Phrase
    thing: Phrase
    reason: Adjective
    past: bool = True
    denied: bool = True
    reason_first: bool = False

    @property
    def meant(self) -> Noun:
        """Return the noun that *it* stands for: the reason is one of living beings, or one of the thing."""
        return self.subject.noun if self.reason in words.OF_BEINGS else self.thing.noun

    @property
    def pair(self) -> Pair:
        """Write the sentence in both languages."""
        english = [*self.subject.english, *_english_verb(self.verb, self.past, self.denied), *self.thing.english]
        french = [*self.subject.french, *_french_verb(self.verb, "il", self.past, self.denied)]
        french += self.thing.french_denied if self.denied else self.thing.french
        meant, (be, est) = self.meant, _BE[self.past]
        it = {"m": "he", "f": "she"}[meant.gender] if meant in words.PEOPLE else "it"
        degree, degree_french = ("too", "trop") if self.denied else ("very", "très")
        reason = ["because", it, be, degree, self.reason.english]
        il = {"m": "il", "f": "elle"}[meant.gender]
        reason_french = ["parce", "que", il, est, degree_french, self.reason.agreeing(meant.gender)]
        if self.reason_first:
            return join_english([*reason, ",", *english]), join_french([*reason_french, ",", *french])
        return join_english([*english, *reason]), join_french([*french, *reason_french])


def _english_verb(verb: Verb, past: bool, denied: bool, third: bool = True) -> list[str]:
    if denied:
        return ["did" if past else "does" if third else "do", "not", verb.english]
    return [verb.past if past else verb.third if third else verb.english]


def _french_verb(verb: Verb, person: str, past: bool, denied: bool) -> list[str]:
    finite = [_HAVE[person], verb.participle] if past else [verb.present[person]]
    return _deny(finite) if denied else finite


def _deny(verb: list[str]) -> list[str]:
    """Put *ne* and *pas* around the finite verb."""
    return ["ne", verb[0], "pas", *verb[1:]]


def _determiner(chance: random.Random, noun: Noun) -> str:
    unowned = noun.english in _UNOWNED
    return chance.choice(words.DETERMINERS[:3] if unowned else words.DETERMINERS)


def _plain(chance: random.Random, noun: Noun) -> Phrase:
    return Phrase(_determiner(chance, noun), noun)


def _fancy(chance: random.Random, nouns: tuple[Noun, ...], share: float) -> Phrase:
    """Make a phrase with an adjective before and one behind the French noun, each with a probability of `share`."""
    noun = chance.choice(nouns)
    before = chance.choice(words.BEFORE) if chance.random() < share else None
    behind = words.CHARACTERS if noun in words.PEOPLE else words.COLOURS
    after = (chance.choice(behind),) if chance.random() < share else ()
    return Phrase(_determiner(chance, noun), noun, before, after)


def _reason(chance: random.Random) -> Pair:
    deed = chance.choice(words.DEEDS)
    subject = chance.choice(words.ANIMALS if chance.random() < 0.75 else words.PEOPLE)
    return Because(
        deed.verb,
        _plain(chance, subject),
        _plain(chance, chance.choice(deed.things)),
        chance.choice(words.OF_BEINGS if chance.random() < 0.5 else deed.reasons),
        past=chance.random() < 0.7,
        denied=chance.random() < 0.7,
        reason_first=chance.random() < 0.15,
    ).pair


def _deed(chance: random.Random) -> Pair:
    """Make a subject, a verb and an object, perhaps denied, perhaps with a time."""
    past, denied = chance.random() < 0.5, chance.random() < 0.3
    verb = chance.choice(words.VERBS)
    thing = _fancy(chance, (*words.ANIMALS, *words.PEOPLE, *words.THINGS), 0.5)
    if chance.random() < 0.35:
        who = chance.choice(_PRONOUNS)
        english = [who.english, *_english_verb(verb, past, denied, who.third)]
        french = [who.french, *_french_verb(verb, who.person, past, denied)]
    else:
        subject = _fancy(chance, (*words.ANIMALS, *words.PEOPLE), 0.35)
        english = [*subject.english, *_english_verb(verb, past, denied)]
        french = [*subject.french, *_french_verb(verb, "il", past, denied)]
    english += thing.english
    french += thing.french_denied if denied else thing.french
    return _with_time(chance, english, french, past)


def _with_time(chance: random.Random, english: list[str], french: list[str], past: bool) -> Pair:
    """Add *yesterday* or *now*, in front or behind, or nothing."""
    when, when_french, _ = chance.choice([time for time in words.TIMES if ("past" if past else "present") in time[2]])
    place = chance.random()
    if place < 0.2:
        return join_english([when, ",", *english]), join_french([when_french, ",", *french])
    if place < 0.4:
        return join_english([*english, when]), join_french([*french, when_french])
    return join_english(english), join_french(french)


def _description(chance: random.Random) -> Pair:
    """Say what something is like: *the old tower is not very high*."""
    past, denied, very = chance.random() < 0.4, chance.random() < 0.3, chance.random() < 0.4
    nouns, adjectives = chance.choice(_DESCRIBED)
    noun, adjective = chance.choice(nouns), chance.choice(adjectives)
    subject = Phrase(_determiner(chance, noun), noun, chance.choice(words.BEFORE) if chance.random() < 0.3 else None)
    be, est = _BE[past]
    english = [*subject.english, be, *(["not"] if denied else []), *(["very"] if very else []), adjective.english]
    french = [*subject.french, *(_deny([est]) if denied else [est]), *(["très"] if very else [])]
    return join_english(english), join_french([*french, adjective.agreeing(noun.gender)])


_DESCRIBED: tuple[tuple[tuple[Noun, ...], tuple[Adjective, ...]], ...] = (
    ((*words.ANIMALS, *words.PEOPLE), (*words.OF_BEINGS, *words.CHARACTERS)),
    (words.CROSSED, words.OF_CROSSED),
    (words.CLIMBED, words.OF_CLIMBED),
    (words.EATEN, words.OF_EATEN),
    (words.CARRIED, words.OF_CARRIED),
    ((*words.ANIMALS, *words.THINGS), words.COLOURS),
)


def _place(chance: random.Random) -> Pair:
    """Say where something is: *my cat is under the table*."""
    past = chance.random() < 0.4
    (be, est), (where, where_french) = _BE[past], chance.choice(words.PLACES)
    what = _fancy(chance, (*words.ANIMALS, *words.PEOPLE, *words.CARRIED), 0.3)
    place = _fancy(chance, words.THINGS, 0.3)
    english = [*what.english, be, where, *place.english]
    return _with_time(chance, english, [*what.french, est, where_french, *place.french], past)


def _being(chance: random.Random) -> Pair:
    """Say what somebody is: *I am a student*, *she is tired*. French has no article before a profession."""
    who, denied = chance.choice(_SINGULAR), chance.random() < 0.25
    feminine = who.english == "she"
    if chance.random() < 0.6:
        profession = chance.choice(words.PROFESSIONS)[feminine]
        what, what_french = ["a", profession.english], profession.french
    else:
        adjective = chance.choice((*words.OF_BEINGS, *words.CHARACTERS))
        what, what_french = [adjective.english], adjective.agreeing("f" if feminine else "m")
    be, est = who.be
    english = [who.english, be, *(["not"] if denied else []), *what]
    return join_english(english), join_french([who.french, *(_deny([est]) if denied else [est]), what_french])


def _affairs(chance: random.Random) -> Pair:
    """Make two adjectives that French puts after the noun in reverse: *la zone économique européenne*."""
    both = (chance.choice(words.NATIONAL), chance.choice(words.RELATIONAL))
    adjectives = both if chance.random() < 0.7 else (chance.choice(both),)
    matter = Phrase(chance.choice(("the", "a", "this")), chance.choice(words.INSTITUTIONS), None, adjectives)
    if chance.random() < 0.5:
        month, month_french = chance.choice(words.MONTHS)
        english = ["the", "agreement", "on", *matter.english, "was", "signed", "in", month]
        french = ["le", "accord", "sur", *matter.french, "a", "été", "signé", "en", month_french]
    else:
        who, past = chance.choice(_PRONOUNS), chance.random() < 0.5
        verb = chance.choice(words.VERBS)
        english = [who.english, *_english_verb(verb, past, False, who.third), *matter.english]
        french = [who.french, *_french_verb(verb, who.person, past, False), *matter.french]
    return join_english(english), join_french(french)


def _fixed(chance: random.Random) -> Pair:
    return chance.choice(words.PHRASES)


_KINDS: tuple[Callable[[random.Random], Pair], ...] = (
    _reason, _deed, _description, _place, _being, _affairs, _fixed,
)  # fmt: skip
_WEIGHTS = (30, 28, 12, 10, 8, 9, 3)
