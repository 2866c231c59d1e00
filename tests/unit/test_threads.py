"""How many cores a thread computes on is its own choice, whatever other threads choose before or after."""

import re
import threading
from collections.abc import Callable

import pytest
import torch

from app.threads import compute_with


def counts() -> set[int]:
    """Ask torch, OpenMP and MKL for their threads in this thread, after each has computed."""
    numbers = torch.ones(300, 300)
    assert float((numbers @ numbers).sqrt().square().sum()) > 0
    said = re.findall(r"(?:num|max)_threads\(\) : (\d+)", torch.__config__.parallel_info())
    assert len(said) >= 2
    return {int(number) for number in said}


@pytest.mark.parametrize("others_ask", ["before", "between", "after"])
@pytest.mark.parametrize("mine, theirs", [(3, 1), (1, 3)])
def test_a_thread_keeps_the_number_it_asked_for(others_ask: str, mine: int, theirs: int) -> None:
    found: list[set[int]] = []
    asked, may_compute = threading.Event(), threading.Event()

    def run(function: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=function)
        thread.start()
        return thread

    def compute() -> None:
        compute_with(mine)
        if others_ask == "after":
            counts()
        asked.set()
        may_compute.wait(10)
        found.append(counts())

    def ask() -> None:
        compute_with(theirs)
        found.append(counts())

    if others_ask == "before":
        run(ask).join()
    computing = run(compute)
    asked.wait(10)
    if others_ask != "before":
        run(ask).join()
    may_compute.set()
    computing.join()
    assert sorted(found, key=min) == sorted([{mine}, {theirs}], key=min)
