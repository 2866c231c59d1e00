"""The engine without a server: a program starts runs, follows and reads them, and is refused in the engine's words."""

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pytest

from app.checkpoints.catalog import Catalog
from app.engine import errors
from app.engine.errors import EngineError, Kind
from app.engine.local import LocalEngine
from app.engine.port import Engine, RunHandle
from app.engine.values import Change, RunEvent, RunSpec
from app.paths import MODELS
from app.runs.clients import Client
from app.settings import Settings
from app.transformer.decoding import Sampling
from tests.conftest import run_alone

Result = TypeVar("Result")
SORT = RunSpec(model="sort", text="CBABBC", max_new_tokens=6)


@pytest.fixture
def small() -> Iterator[LocalEngine]:
    """Start an engine that has place for two runs, one of which computes."""
    engine = LocalEngine(Settings(runs_held=2, queue_length=1, client_queue=1), Catalog(MODELS))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def local() -> Iterator[LocalEngine]:
    engine = LocalEngine(Settings(), Catalog(MODELS))
    yield engine
    engine.close()


def within(local: LocalEngine, program: Callable[[Engine], Awaitable[Result]]) -> Result:
    """Run a program that knows no more of an engine than the port says."""

    async def run() -> Result:
        return await asyncio.wait_for(_awaited(program(local)), 30)

    return run_alone(run())


async def _awaited(result: Awaitable[Result]) -> Result:
    return await result


async def refused(result: Awaitable[object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await result
    return caught.value


async def told(run: RunHandle) -> list[RunEvent]:
    """Return every event of a run but those of its layers."""
    return [event async for event in run.events() if event.kind != "stage"]


def test_a_run_is_started_followed_and_read(local: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        run = await engine.start(SORT)
        events = await told(run)
        assert [event.kind for event in events] == ["prompt", *["token"] * 6, "done"]
        written = [event.token.token.text for event in events if event.token is not None]
        assert "".join(written) == "ABBBCC"
        assert [event.written for event in events] == [0, 1, 2, 3, 4, 5, 6, 6]
        assert (events[-1].reason, run.state, run.over, run.failure) == ("max_new_tokens", "done", True, None)
        described = await run.describe()
        assert [token.text for token in described.tokens] == [*"CBABBC", *written]
        assert {one.name for one in await run.activations()} == {one.name for one in described.activations}

        rows = await run.rows("blocks.0.attn.hook_pattern", "1,5")
        assert (rows.axes, rows.values.shape, str(rows.values.dtype)) == (("key_pos",), (11,), "float32")
        assert rows.full_shape == (3, 11, 11)
        np.testing.assert_allclose(rows.values.sum(), 1, atol=1e-6)
        assert await run.rows_as(lambda read: read.values.size, "hook_embed", "0", None, 100) == 48

        tile = await run.tile("blocks.0.attn.hook_pattern", 0, 0, 0, {"head": 1})
        halves = np.array(struct.unpack(f"<{11 * 11}e", tile.payload)).reshape(tile.shape)
        np.testing.assert_allclose(halves[5], rows.values, atol=1e-3)

        cell = await run.explain("blocks.0.attn.hook_pattern", "1,5,2")
        assert cell.captured == pytest.approx(float(rows.values[2])) and cell.agrees
        lens = await run.lens("attention", {"layer": "0", "head": "1"})
        assert json.loads(lens)["matrix"][5] == pytest.approx(rows.values.tolist())
        assert {lens.name for lens in await run.lenses() if lens.reason is None} >= {"attention", "logit_lens"}
        assert (await run.statistics("hook_embed")).shape == (11, 48)
        assert (await run.scales())["hook_pattern"] == 1

    within(local, program)


def test_events_are_told_from_the_beginning_to_whoever_comes_late(local: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        run = await engine.start(SORT)
        early, beside = await asyncio.gather(told(run), told(run))
        late = await told(engine.run(run.id))
        assert early == beside
        # The prompt's distribution is that from which the first token was chosen.
        assert late == early
        assert early[0].top == early[1].top != ()

    within(local, program)


def test_a_run_waits_writes_on_pauses_and_is_ended(local: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        run = await engine.start(RunSpec(model="stories", text="Once", max_new_tokens=200, write=1))
        events = aiter(run.events())

        async def until(kind: str) -> RunEvent:
            return await anext(event async for event in events if event.kind == kind)

        assert (await until("paused")).written == 1
        run.advance(2, Sampling(temperature=1, seed=3))
        assert (await until("paused")).written == 3
        # Told on the run's own thread, so that it is paused before it writes another.
        stop = run.listen(lambda event: run.pause() if event.kind == "token" and event.written == 5 else None)
        run.advance(None)
        assert (await until("paused")).written == 5
        stop()
        run.cancel()
        assert (await until("done")).reason == "cancelled"
        assert [event async for event in events] == [], "nothing follows the end"
        assert (await run.rows("hook_embed", "0,0")).values.shape == ()
        assert _refused(lambda: run.advance(1)).kind == "run_over"
        run.forget()
        assert _refused(lambda: engine.run(run.id)).kind == "forgotten_run"

    within(local, program)


def _refused(call: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        call()
    return caught.value


def test_an_intervention_changes_what_follows(local: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        change = Change("blocks.0.attn.hook_z", ":,1", "set", 0.0)
        plain, changed = [
            await engine.start(RunSpec(model="sort", text="CBA", interventions=changes)) for changes in ((), (change,))
        ]
        await asyncio.gather(plain.finished(), changed.finished())
        assert not (await changed.rows("blocks.0.attn.hook_z", ":,1")).values.any()
        less = await changed.rows("hook_embed", "", minus=plain.id)
        assert not less.values.any(), "what comes before it is the same"
        assert (await changed.rows("logits", "", minus=plain.id)).values.any()
        made = (await changed.describe()).interventions
        again = await engine.start(RunSpec(model="sort", text="CBA", interventions=made))
        await again.finished()
        same = await again.rows("logits", "", minus=changed.id)
        assert not same.values.any(), "what was changed can be asked for again"

    within(local, program)


def test_a_model_is_read_without_a_run(local: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        model = engine.model("sort")
        assert [token.text for token in await model.tokenize("CAB")] == ["C", "A", "B"]
        rows, tile = await model.rows("W_E"), await model.tile("W_E", 0, 0, 0)
        halves = np.frombuffer(tile.payload, "<f2").reshape(tile.shape)
        np.testing.assert_allclose(halves, rows.values, atol=1e-3)
        cell = await model.explain("W_E", "1,2")
        assert cell.captured == pytest.approx(float(rows.values[1, 2]))
        measured = (await model.statistics("W_E")).statistics
        assert measured.max == pytest.approx(float(rows.values.max()))
        assert (await model.scales(by_tensor=True))["W_E"] > 0
        assert len(await model.thumbnails()) > 1000
        assert (await model.parity()).model == "sort"
        found = [
            _refused(lambda: engine.model("none")),
            await refused(model.rows("none")),
            await refused(model.rows("hook_embed")),
            await refused(model.rows("W_E", "99")),
            await refused(model.rows_as(str, "W_E", "", 3)),
            await refused(model.tile("W_E", 0, 0, 0, {"head": 0})),
            await refused(model.explain("logits", "0,0")),
            await refused(model.tokenize("x")),
            await refused(model.tokenize("A" * 30_000)),
        ]
        assert [error.kind for error in found] == [
            "unknown_model", "unknown_tensor", "unknown_tensor", "bad_index", "too_many_numbers", "unknown_plate",
            "needs_run", "untokenizable", "too_long",
        ]  # fmt: skip

    within(local, program)


def test_refusals_have_kinds_and_no_status(local: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        run = await engine.start(RunSpec(model="sort", text="CBA"))
        await run.finished()
        pattern = "blocks.0.attn.hook_pattern"
        found = [
            await refused(engine.start(RunSpec(model="none", text="A"))),
            await refused(engine.start(RunSpec(model="sort"))),
            await refused(engine.start(RunSpec(model="sort", text="A", tokens=[1]))),
            await refused(engine.start(RunSpec(model="sort", text=""))),
            await refused(engine.start(RunSpec(model="sort", text="x"))),
            await refused(engine.start(RunSpec(model="sort", tokens=[-1]))),
            await refused(engine.start(RunSpec(model="sort", tokens=[0] * 99))),
            await refused(engine.start(RunSpec(model="sort", text="A", max_new_tokens=99))),
            await refused(engine.start(RunSpec(model="sort", text="A", interventions=[Change("no", "", "set", 0)]))),
            _refused(lambda: engine.run("none")),
            await refused(run.rows("none")),
            await refused(run.rows("hook_embed", "9,9,9")),
            await refused(run.rows_as(str, "hook_embed", "", None, 3)),
            await refused(run.rows("hook_embed", minus="none")),
            await refused(run.tile(pattern, 0, 0, 0, {"kv_head": 1})),
            await refused(run.tile(pattern, 99, 0, 0, {"head": 1})),
            await refused(run.tile("hook_embed", 0, 0, 0, step=5)),
            await refused(run.explain("none", "0")),
            await refused(run.explain("hook_embed", "10,0")),
            await refused(run.lens("none")),
            await refused(run.lens("attention", {"layer": "99"})),
        ]
        kinds: list[Kind] = [
            "unknown_model", "invalid", "invalid", "empty", "untokenizable", "token_out_of_range", "beyond_context",
            "too_many_new_tokens", "unknown_tensor", "unknown_run", "unknown_tensor", "bad_index", "too_many_numbers",
            "unknown_run", "unknown_plate", "unknown_tile", "unknown_step", "unknown_tensor", "not_computed",
            "unknown_lens", "bad_lens",
        ]  # fmt: skip
        assert [error.kind for error in found] == kinds
        assert all(error.message and not hasattr(error, "status") for error in found)

    within(local, program)


@pytest.mark.parametrize(
    "asked",
    [
        {"max_new_tokens": -1},
        {"write": -1},
        *(
            {"sampling": Sampling(**sampling)}
            for sampling in (
                {"temperature": -0.1}, {"temperature": float("nan")}, {"temperature": 101}, {"top_k": -1},
                {"top_p": 0}, {"top_p": 1.5}, {"seed": -1}, {"seed": 2**53}, {"beams": 0}, {"beams": 17},
            )
        ),
        {"interventions": [Change("hook_embed", "", "set", float("nan"))]},
        {"interventions": [Change("hook_embed", "", "double", 1.0)]},  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_what_no_schema_has_looked_at_is_refused_all_the_same(local: LocalEngine, asked: dict[str, Any]) -> None:
    error = within(local, lambda engine: refused(engine.start(RunSpec(model="sort", text="CBA", **asked))))
    assert (error.kind, error.hint[:3]) == ("invalid", "Use")


def test_what_is_refused_leaves_nothing_behind_and_ends_nobody_else(small: LocalEngine) -> None:
    async def program(engine: Engine) -> None:
        begun: list[RunHandle] = []
        mine = Client("10.0.0.1", 1)
        waiting = await engine.start(RunSpec(model="sort", text="CBA", max_new_tokens=3, write=0, client=mine))
        await anext(event async for event in waiting.events() if event.kind == "paused")
        long = RunSpec(model="stories", text="Once upon a time", max_new_tokens=200, client=mine)
        busy = await _in_the_end(lambda: engine.start(long))
        error = await refused(engine.start(long, begun.append))
        assert (error.kind, begun) == ("busy", [])
        assert (waiting.state, len(small.store.runs())) == ("paused", 2), "the run that waits was not given up for it"
        assert _refused(lambda: waiting.advance(1, Sampling(temperature=1))).kind == "busy"
        assert waiting.state == "paused"
        busy.cancel()
        await busy.finished()

        async def write_on() -> None:
            waiting.advance(None)

        await _in_the_end(write_on)
        events = await told(waiting)
        assert [event.token.choice.sampled_probability for event in events if event.token] == [1] * 3, "still greedy"

    within(small, program)


async def _in_the_end(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Try until there is a place: an event is told a moment before the run gives its place up."""
    while True:
        try:
            return await attempt()
        except EngineError as error:
            assert error.kind == "busy"
            await asyncio.sleep(0.01)


def test_every_kind_of_refusal_that_is_said_is_a_kind() -> None:
    """What the layers below refuse becomes one of the engine's refusals, each with a word of advice."""
    from app.runs.executor import QueueFullError
    from app.runs.store import StoreFullError

    for error in (QueueFullError(), StoreFullError()):
        said = errors.refusal(error)
        assert said is not None and said.hint
    assert errors.refusal(ValueError("a mistake of ours")) is None
