"""Readers take turns between clients, however much one of them asks for."""

import asyncio
import threading
from collections.abc import Callable

from app.engine.readers import Readers
from app.runs.clients import Client
from app.runs.turns import Turns
from tests.conftest import run_alone

GREEDY, PATIENT = Client("here", 1), Client("here", 2)


def test_a_single_read_goes_before_the_many_of_another_client() -> None:
    order: list[str] = []
    readers, free = Readers(1), threading.Event()

    def said(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    async def ask() -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            loop.call_soon_threadsafe(begun.set)
            free.wait(10)

        held = asyncio.create_task(readers.read(hold, GREEDY))
        await begun.wait()
        many = [asyncio.create_task(readers.read(said(f"greedy {n}"), GREEDY)) for n in range(20)]
        await asyncio.sleep(0)
        single = asyncio.create_task(readers.read(said("patient"), PATIENT))
        elsewhere = asyncio.create_task(readers.read(said("elsewhere"), Client("there", 3)))
        await asyncio.sleep(0)
        free.set()
        await asyncio.gather(held, single, elsewhere, *many)

    run_alone(ask())
    readers.close()
    assert set(order[:2]) == {"patient", "elsewhere"}
    assert order[2:] == [f"greedy {n}" for n in range(20)]


def test_one_client_never_holds_every_reader() -> None:
    readers, free = Readers(2), threading.Event()

    async def ask() -> None:
        held = [asyncio.create_task(readers.read(lambda: free.wait(10), GREEDY)) for _ in range(4)]
        await asyncio.sleep(0)
        assert await readers.read(lambda: "read", PATIENT) == "read"
        assert not any(task.done() for task in held), "all of them wait, and one reader is left"
        free.set()
        assert await asyncio.gather(*held) == [True] * 4

    run_alone(ask())
    readers.close()


def test_what_nobody_awaits_any_more_is_not_read() -> None:
    readers, free = Readers(1), threading.Event()
    read: list[str] = []

    async def ask() -> None:
        held = asyncio.create_task(readers.read(lambda: free.wait(10), GREEDY))
        dropped = asyncio.create_task(readers.read(lambda: read.append("dropped"), GREEDY))
        await asyncio.sleep(0)
        dropped.cancel()
        await asyncio.sleep(0)
        free.set()
        await held
        await readers.read(lambda: read.append("kept"), GREEDY)

    run_alone(ask())
    readers.close()
    assert read == ["kept"]


def test_leaving_and_coming_back_gains_nothing() -> None:
    turns = Turns()
    turns.enter(GREEDY)
    assert turns.first([GREEDY]) == GREEDY
    turns.spend(GREEDY, 5)
    turns.enter(PATIENT)
    turns.enter(GREEDY)  # it had left
    assert turns.first([GREEDY, PATIENT]) == PATIENT
    turns.spend(PATIENT, 4)
    assert turns.first([GREEDY, PATIENT]) == PATIENT
    turns.spend(PATIENT, 2)
    assert turns.first([GREEDY, PATIENT]) == GREEDY


def test_who_computed_while_nobody_else_did_owes_nothing() -> None:
    turns = Turns()
    turns.enter(GREEDY)
    for _ in range(100):
        assert turns.first([GREEDY]) == GREEDY
        turns.spend(GREEDY, 1)
    turns.enter(PATIENT)
    turns.enter(GREEDY)
    order = []
    for _ in range(6):
        order.append(turns.first([GREEDY, PATIENT]))
        turns.spend(order[-1], 1)
    assert order.count(GREEDY) >= 2
