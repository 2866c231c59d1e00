"""The names that a wish means, such as `blocks.*.hook_resid_post`: a `*` stands for any text between two dots.

Wishes come from strangers, so the time to match one grows with its length and the number of names, and no faster:
between dots, the text between two stars is looked for once, from where the last was found.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache

MOST_STARS = 8
# Patterns of which it is remembered what they mean, for each graph.
_REMEMBERED = 256


class PatternError(ValueError):
    """A wish with more stars than a name of a tensor could need."""


class Names:
    """The names of a run's tensors, to be looked up by wishes."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take names in the order in which matches are to be returned."""
        self._exact = frozenset(names)
        self._parts = [(name, name.split(".")) for name in names]
        self._found: OrderedDict[str, list[str]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._parts)

    def unmatched(self, wishes: Iterable[str]) -> int:
        """Count the different wishes that have to be matched with every name: with stars, and not remembered."""
        return len({wish for wish in wishes if "*" in wish and wish not in self._found})

    def matching(self, wish: str) -> list[str]:
        """List every name that a wish means.

        Raises:
            PatternError: the wish has too many stars.
        """
        if "*" not in wish:
            return [wish] if wish in self._exact else []
        with self._lock:
            if (found := self._found.get(wish)) is not None:
                self._found.move_to_end(wish)
                return found
        found = self._match(wish)
        with self._lock:
            self._found[wish] = found
            while len(self._found) > _REMEMBERED:
                self._found.popitem(last=False)
        return found

    def _match(self, wish: str) -> list[str]:
        while "**" in wish:
            wish = wish.replace("**", "*")
        if wish.count("*") > MOST_STARS:
            raise PatternError(f"{wish[:80]!r} has more than {MOST_STARS} stars")
        pattern = [part.split("*") for part in wish.split(".")]
        return [name for name, parts in self._parts if len(parts) == len(pattern) and all(map(_fits, pattern, parts))]


@lru_cache(64)
def names_of(names: tuple[str, ...]) -> Names:
    """Return the names of a graph, made ready once for all who wish for some of them."""
    return Names(names)


def patterns(wishes: Iterable[str]) -> int:
    """Count the different wishes that have to be matched with every name."""
    return len({wish for wish in wishes if "*" in wish})


def _fits(pieces: list[str], part: str) -> bool:
    """Tell whether a part of a name is these pieces, in their order, with any text between them."""
    if len(pieces) == 1:
        return pieces[0] == part
    first, *inner, last = pieces
    place, end = len(first), len(part) - len(last)
    if place > end or not part.startswith(first) or not part.endswith(last):
        return False
    for piece in inner:
        place = part.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True
