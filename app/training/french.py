"""The words that `translate` knows, English beside French, and the rules of French that it must learn.

Every noun has a gender; adjectives agree with it and stand before or after it; articles, possessives and pronouns
follow it too; and short words lose their vowel before another one (`le animal` is `l'animal`).
"""

from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f"]
_VOWELS = "aeiouâàéèêîôûœ"
# The only words here whose h is not sounded, so that they count as beginning with a vowel.
_SILENT_H = ("homme", "histoire", "horloge")
# What loses its vowel before a vowel.
_ELIDED = {"le": "l'", "la": "l'", "je": "j'", "ne": "n'", "de": "d'", "que": "qu'"}


@dataclass(frozen=True)
class Noun:
    """A noun in the singular."""

    english: str
    french: str
    gender: Gender


@dataclass(frozen=True)
class Adjective:
    """An adjective's forms; `before_vowel` is the masculine before a vowel (*un bel oiseau*)."""

    english: str
    masculine: str
    feminine: str
    before_vowel: str

    def agreeing(self, gender: Gender) -> str:
        """Return the form for a noun of this gender."""
        return self.masculine if gender == "m" else self.feminine


@dataclass(frozen=True)
class Verb:
    """A verb with an object: English forms, and the French present by person and participle (with *avoir*)."""

    english: str
    third: str
    past: str
    present: dict[str, str]
    participle: str


def begins_with_vowel(word: str) -> bool:
    """Tell whether a word before this one is shortened."""
    return word[0] in _VOWELS or word in _SILENT_H


def join_french(words: list[str]) -> str:
    """Join French words as they are written: shortened before vowels, no space before comma and full stop."""
    written = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if following and word in _ELIDED and begins_with_vowel(following):
            written += _ELIDED[word]
        elif following in (",", ".", ""):
            written += word
        else:
            written += word + " "
    return written


def join_english(words: list[str]) -> str:
    """Join English words as they are written: *an* before a vowel, no space before punctuation."""
    written = ""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        spoken = following.lower() if following != "European" else "y"
        shown = "an" if word == "a" and spoken[:1] in tuple("aeiou") else word
        written += shown if following in (",", ".", "?", "") else shown + " "
    return written


@dataclass(frozen=True)
class Phrase:
    """A noun with its determiner and adjectives, to be written in either language.

    English puts every adjective before the noun. French puts a few (size, age, beauty) before it and the others
    after it, in reverse: *the European economic area*, *la zone économique européenne*.
    """

    determiner: str
    noun: Noun
    before: Adjective | None = None
    after: tuple[Adjective, ...] = ()

    @property
    def english(self) -> list[str]:
        """List its English words."""
        adjectives = [*([self.before] if self.before else []), *self.after]
        return [self.determiner, *(adjective.english for adjective in adjectives), self.noun.english]

    @property
    def french(self) -> list[str]:
        """List its French words."""
        return self._french(denied=False)

    @property
    def french_denied(self) -> list[str]:
        """List its French words as the object of a verb that is denied: *un* and *une* become *de*."""
        return self._french(denied=True)

    def _french(self, *, denied: bool) -> list[str]:
        noun = self.noun
        words = [noun.french, *(adjective.agreeing(noun.gender) for adjective in reversed(self.after))]
        if self.before:
            bare = noun.gender == "m" and begins_with_vowel(noun.french)
            words.insert(0, self.before.before_vowel if bare else self.before.agreeing(noun.gender))
        if denied and self.determiner == "a":
            return ["de", *words]
        return [french_determiner(self.determiner, noun.gender, words[0]), *words]


def french_determiner(determiner: str, gender: Gender, following: str) -> str:
    """Translate *the, a, this, my, his, her* before a word: by the noun's gender and the word's first sound."""
    masculine, feminine, masculine_vowel, feminine_vowel = _DETERMINERS[determiner]
    if begins_with_vowel(following):
        return masculine_vowel if gender == "m" else feminine_vowel
    return masculine if gender == "m" else feminine


_DETERMINERS = {
    "the": ("le", "la", "le", "la"),
    "a": ("un", "une", "un", "une"),
    "this": ("ce", "cette", "cet", "cette"),
    "my": ("mon", "ma", "mon", "mon"),
    "his": ("son", "sa", "son", "son"),
    "her": ("son", "sa", "son", "son"),
}
DETERMINERS = tuple(_DETERMINERS)


def _nouns(table: str) -> tuple[Noun, ...]:
    """Read `english french gender`, one a line."""
    found = []
    for line in table.strip().splitlines():
        english, french, gender = line.split()
        found.append(Noun(english, french, "m" if gender == "m" else "f"))
    return tuple(found)


def _adjectives(table: str) -> tuple[Adjective, ...]:
    """Read `english masculine [feminine [before a vowel]]`, one a line; what is left out is as before it."""
    found = []
    for line in table.strip().splitlines():
        english, masculine, *more = line.split()
        feminine = more[0] if more else masculine
        found.append(Adjective(english, masculine, feminine, more[1] if len(more) > 1 else masculine))
    return tuple(found)


def _verbs(table: str) -> tuple[Verb, ...]:
    """Read `english third past infinitive`, one a line; French verbs in *-er*, which are regular."""
    found = []
    for line in table.strip().splitlines():
        english, third, past, infinitive = line.split()
        stem = infinitive.removesuffix("er")
        ours = f"{stem}eons" if stem.endswith("g") else f"{stem}ons"
        present = {"je": f"{stem}e", "tu": f"{stem}es", "il": f"{stem}e", "nous": ours, "ils": f"{stem}ent"}
        found.append(Verb(english, third, past, present, f"{stem}é"))
    return tuple(found)


ANIMALS = _nouns("""
animal animal m
dog chien m
cat chat m
horse cheval m
bird oiseau m
rabbit lapin m
donkey âne m
duck canard m
cow vache f
mouse souris f
hen poule f
goat chèvre f
turtle tortue f
frog grenouille f
""")
MEN = _nouns("""
man homme m
boy garçon m
king roi m
uncle oncle m
brother frère m
""")
WOMEN = _nouns("""
woman femme f
girl fille f
queen reine f
aunt tante f
sister sœur f
""")
PEOPLE = (*MEN, *WOMEN)
CROSSED = _nouns("""
street rue f
road route f
river rivière f
bridge pont m
field champ m
garden jardin m
forest forêt f
park parc m
lake lac m
square place f
""")
CLIMBED = _nouns("""
mountain montagne f
hill colline f
tree arbre m
wall mur m
rock rocher m
tower tour f
""")
EATEN = _nouns("""
apple pomme f
cake gâteau m
bread pain m
soup soupe f
fish poisson m
cheese fromage m
carrot carotte f
egg œuf m
""")
CARRIED = _nouns("""
box boîte f
bag sac m
chair chaise f
stone pierre f
basket panier m
table table f
lamp lampe f
clock horloge f
book livre m
hat chapeau m
""")
THINGS = (*CROSSED, *CLIMBED, *EATEN, *CARRIED, *_nouns("""
car voiture f
house maison f
boat bateau m
flower fleur f
letter lettre f
moon lune f
school école f
"""))  # fmt: skip
INSTITUTIONS = _nouns("""
area zone f
market marché m
law loi f
party parti m
history histoire f
project projet m
policy politique f
agreement accord m
""")
# A masculine and a feminine noun for one English word.
PROFESSIONS = tuple(
    (Noun(english, masculine, "m"), Noun(english, feminine, "f"))
    for english, masculine, feminine in (
        ("student", "étudiant", "étudiante"),
        ("teacher", "enseignant", "enseignante"),
        ("baker", "boulanger", "boulangère"),
        ("singer", "chanteur", "chanteuse"),
        ("farmer", "fermier", "fermière"),
        ("neighbour", "voisin", "voisine"),
    )
)

BEFORE = _adjectives("""
big grand grande
small petit petite
old vieux vieille vieil
beautiful beau belle bel
new nouveau nouvelle nouvel
good bon bonne
""")
COLOURS = _adjectives("""
red rouge
green vert verte
black noir noire
white blanc blanche
blue bleu bleue
yellow jaune
brown brun brune
grey gris grise
""")
CHARACTERS = _adjectives("""
strong fort forte
calm calme
happy heureux heureuse
clever intelligent intelligente
""")
# Why a living being does not do a thing, and why a thing is not crossed, climbed, eaten or carried.
OF_BEINGS = _adjectives("""
tired fatigué fatiguée
sick malade
weak faible
young jeune
lazy paresseux paresseuse
scared effrayé effrayée
slow lent lente
shy timide
""")
OF_CROSSED = _adjectives("""
wide large
long long longue
dangerous dangereux dangereuse
dark sombre
narrow étroit étroite
""")
OF_CLIMBED = _adjectives("""
high haut haute
steep raide
slippery glissant glissante
""")
OF_EATEN = _adjectives("""
cold froid froide
hot chaud chaude
dry sec sèche
salty salé salée
sweet sucré sucrée
""")
OF_CARRIED = _adjectives("""
heavy lourd lourde
fragile fragile
wet mouillé mouillée
dirty sale
""")
RELATIONAL = _adjectives("""
economic économique
political politique
public public publique
agricultural agricole
national national nationale
""")
NATIONAL = _adjectives("""
European européen européenne
French français française
English anglais anglaise
German allemand allemande
Italian italien italienne
""")

_CROSS, _CLIMB, _EAT, _CARRY, *_others = _verbs("""
cross crosses crossed traverser
climb climbs climbed escalader
eat eats ate manger
carry carries carried porter
like likes liked aimer
find finds found trouver
watch watches watched regarder
draw draws drew dessiner
hide hides hid cacher
touch touches touched toucher
buy buys bought acheter
""")
_SEEN = {"je": "vois", "tu": "vois", "il": "voit", "nous": "voyons", "ils": "voient"}
# `acheter` takes an accent where its ending is silent.
_BOUGHT = {"je": "achète", "tu": "achètes", "il": "achète", "nous": "achetons", "ils": "achètent"}
VERBS = (*_others[:-1], Verb("buy", "buys", "bought", _BOUGHT, "acheté"), Verb("see", "sees", "saw", _SEEN, "vu"))


@dataclass(frozen=True)
class Deed:
    """Something done to things, and what about the things can speak against it."""

    verb: Verb
    things: tuple[Noun, ...]
    reasons: tuple[Adjective, ...]


DEEDS = (
    Deed(_CROSS, CROSSED, OF_CROSSED),
    Deed(_CLIMB, CLIMBED, OF_CLIMBED),
    Deed(_EAT, EATEN, OF_EATEN),
    Deed(_CARRY, CARRIED, OF_CARRIED),
)
PLACES = (("in", "dans"), ("on", "sur"), ("behind", "derrière"), ("under", "sous"), ("in front of", "devant"))
# English and French, and whether it goes with the past, the present, or both.
TIMES = (
    ("today", "aujourd'hui", ("past", "present")),
    ("yesterday", "hier", ("past",)),
    ("this morning", "ce matin", ("past", "present")),
    ("every day", "chaque jour", ("present",)),
    ("last night", "hier soir", ("past",)),
    ("now", "maintenant", ("present",)),
)
MONTHS = (("May", "mai"), ("June", "juin"), ("July", "juillet"), ("August", "août"), ("October", "octobre"))
PHRASES = (
    ("thanks", "merci"),
    ("thank you very much", "merci beaucoup"),
    ("hello", "bonjour"),
    ("good evening", "bonsoir"),
    ("good night", "bonne nuit"),
    ("see you tomorrow", "à demain"),
    ("how are you?", "comment allez-vous ?"),
    ("I do not understand", "je ne comprends pas"),
)
