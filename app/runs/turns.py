"""Whose turn it is among clients that wait for the same threads: theirs who have been computed for the least.

Time is shared between addresses first, then between the clients of each. Who comes new, or back, begins level with who
is computed for now, or where it stood when it left if that is later: leaving and coming back gains nothing, and nobody
pays for hours that were free.
"""

from collections import OrderedDict
from collections.abc import Collection

from .clients import Client

# Addresses and clients of which it is remembered where they stood.
_REMEMBERED = 1024


class Turns:
    """The turns of clients, by the seconds that have been computed for each. Not safe for threads."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._used: OrderedDict[str | Client, float] = OrderedDict()
        # Where whoever was computed for last stood: among all addresses (""), and among the clients of each.
        self._level: OrderedDict[str, float] = OrderedDict()

    def enter(self, client: Client) -> None:
        """Let a client take part that has nothing here yet."""
        for one, among in ((client.address, "all"), (client, "of " + client.address)):
            self._used[one] = max(self._used.get(one, 0.0), self._level.get(among, 0.0))
            self._used.move_to_end(one)
        while len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)

    def first(self, waiting: Collection[Client]) -> Client:
        """Choose whose turn it is of those that wait."""
        chosen = min(waiting, key=lambda one: (self._stands(one.address), self._stands(one)))
        for one, among in ((chosen.address, "all"), (chosen, "of " + chosen.address)):
            self._level[among] = max(self._level.get(among, 0.0), self._stands(one))
            self._level.move_to_end(among)
        while len(self._level) > _REMEMBERED:
            self._level.popitem(last=False)
        return chosen

    def spend(self, client: Client, seconds: float) -> None:
        """Count seconds that were computed for a client."""
        for one in (client.address, client):
            self._used[one] = self._stands(one) + seconds

    def _stands(self, one: str | Client) -> float:
        return self._used.get(one, 0.0)
