"""Timing two or more things in turns, so that load on the machine meets them all alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Timings:
    """Seconds of every repetition of every thing, in the order measured."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median seconds of one contender."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, to: str) -> str:
        """Return the median of the paired ratios, with the quartiles they spread over."""
        ratios = [a / b for a, b in zip(self.seconds[name], self.seconds[to], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def interleave(things: Mapping[str, Callable[[], object]], repetitions: int, warm_up: int = 2) -> Timings:
    """Time each contender once a round, starting each round with another one."""
    seconds: dict[str, list[float]] = {name: [] for name in things}
    names = list(things)
    for round_number in range(-warm_up, repetitions):
        shift = round_number % len(names)
        for name in names[shift:] + names[:shift]:
            started = time.perf_counter()
            things[name]()
            if round_number >= 0:
                seconds[name].append(time.perf_counter() - started)
    return Timings(seconds)
