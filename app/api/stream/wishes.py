"""What a connection wishes for: which wish holds, which names its stars mean, and how often a new one takes effect."""

import asyncio
from dataclasses import dataclass, field

from ...engine.errors import unknown_tensor
from ...runs.difference import Difference
from ...runs.patterns import Names, PatternError, names_of, patterns
from ...runs.run import Run
from ...settings import Settings
from ...transformer.names import resolve_name
from ...transformer.spec import Spec
from .. import schemas
from ..errors import ApiError, api_error
from ..services import Services

# Names with stars, times the names of a run, that are matched on the event loop: a few milliseconds.
_MATCHED_AT_ONCE = 8_000
# Wishes that may take effect at once, and each second from then on. Names with stars that are new count for more, by
# the names of the run that they are matched with, and so do many names and tiles.
_BURST, _EACH_SECOND = 20, 10
_MATCHES_OF_ONE, _ITEMS_OF_ONE = 500, 1_000


@dataclass
class Wish:
    """The wish that holds now."""

    epoch: int = -1
    run: str | None = None
    # Most wanted first.
    names: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    # The run's numbers are sent less another's.
    less: Difference | None = None

    @property
    def sent_under(self) -> tuple[str, str]:
        """Return the run, or difference, under which it is kept how many rows of each name have been sent."""
        return str(self.run), "" if self.less is None else self.less.other.id


class Pace:
    """How often wishes of a connection take effect. A page's do at once; of very many only the newest, now and then."""

    def __init__(self) -> None:
        """Begin with a whole burst."""
        self._loop = asyncio.get_running_loop()
        self._left, self._since = float(_BURST), self._loop.time()

    @property
    def wait(self) -> float:
        """Return the seconds until the next wish may take effect."""
        now = self._loop.time()
        self._left = min(float(_BURST), self._left + (now - self._since) * _EACH_SECOND)
        self._since = now
        return max(0.0, -self._left / _EACH_SECOND)

    def spend(self, wishes: int = 0, matched: int = 0, items: int = 0) -> None:
        """Count wishes that took effect, patterns times names that they were matched with, and what they named."""
        self._left -= wishes + matched / _MATCHES_OF_ONE + items / _ITEMS_OF_ONE


def items_of(message: schemas.WantMessage) -> int:
    """Count what a wish names."""
    return len(message.activations) + len(message.resend) + len(message.tiles) + len(message.cells)


def check_size(message: schemas.WantMessage, settings: Settings) -> None:
    """Refuse a wish for more than anybody can look at, before any work.

    Raises:
        ApiError: it names too much, or too much with a star.
    """
    if items_of(message) > settings.wished_items:
        raise ApiError(422, "too_much", f"the wish names more than {settings.wished_items} things", "Wish for less.")
    starred = _starred(message)
    if starred > settings.wished_patterns:
        said = f"the wish has {starred} names with a *, more than {settings.wished_patterns}"
        raise ApiError(422, "too_much", said, "Write fewer of them, or the names themselves.")


async def rows_wished(
    message: schemas.WantMessage, run: Run, services: Services, pace: Pace, errors: list[ApiError]
) -> Wish:
    """Find what a wish means among the tensors of its run. What it names wrongly is added to `errors`.

    Raises:
        ApiError: what is to be subtracted cannot be.
    """
    less = None if message.minus is None else services.difference(run, message.minus)
    known = names_of(tuple(run.recorder.names))
    spec, model = run.loaded.spec, run.loaded.entry.id

    def match() -> Wish:
        names = _matching(known, spec, message.activations, model, errors)
        return Wish(message.epoch, run.id, names, _matching(known, spec, message.resend, model, []), less)

    starred = {wish for wish in (*message.activations, *message.resend) if "*" in wish}
    work = known.unmatched(resolve_name(wish, spec) for wish in starred) * len(known)
    pace.spend(matched=work)
    return match() if work <= _MATCHED_AT_ONCE else await services.read(match)


def _starred(message: schemas.WantMessage) -> int:
    return patterns([*message.activations, *message.resend])


def _matching(known: Names, spec: Spec, wishes: list[str], model: str, errors: list[ApiError]) -> list[str]:
    """List the names that wishes mean, each once, in their order; add wishes that mean none to `errors`."""
    chosen: dict[str, None] = {}
    for wish in dict.fromkeys(wishes):
        try:
            names = known.matching(resolve_name(wish, spec))
        except PatternError as error:
            hint = f"GET /api/v1/models/{model}/graph lists the names."
            errors.append(ApiError(422, "too_many_stars", str(error), hint))
            continue
        if not names:
            errors.append(api_error(unknown_tensor(wish, model=model)))
        chosen.update(dict.fromkeys(names))
    return list(chosen)
