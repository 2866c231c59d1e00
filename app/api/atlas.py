"""What every call stands on: the models, the runs, the threads that compute, and how a run is made."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, TypeVar

import torch
from fastapi import Depends
from starlette.requests import HTTPConnection

from ..checkpoints.catalog import Catalog, LoadedModel
from ..checkpoints.entry import ModelEntry
from ..runs.difference import Difference
from ..runs.executor import Executor, Job, QueueFullError
from ..runs.explain import finite
from ..runs.plates import Plate, activation_plate, weight_plate
from ..runs.recorder import Intervention
from ..runs.run import Candidate, Generated, Prediction, Run
from ..runs.scales import Samples, weight_samples
from ..runs.self_check import SelfChecks
from ..runs.slices import SliceError, parse_index
from ..runs.statistics import Statistics
from ..runs.store import RunStore
from ..runs.thumbnails import ThumbnailCache
from ..runs.tiles import Pyramids
from ..settings import Settings
from ..threads import compute_with
from ..transformer.decoding import Sampling
from ..transformer.names import resolve_name, source_name
from ..transformer.tokenizer import Token
from . import schemas
from .clients import client
from .errors import ApiError, refusals, unknown_model, unknown_tensor

if TYPE_CHECKING:
    from .session import Session

_READERS = 2
Result = TypeVar("Result")


class Atlas:
    """The parts of a server that calls share."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        """Start the threads: one that runs models, and a few that cut and encode what is asked for."""
        self.settings, self.catalog = settings, catalog
        self.store = RunStore(settings.run_store_bytes, settings.runs_held, settings.run_store_bytes)
        # Readers compute on one core each, so that they do not wait for each other: docs/decisions/002-threads.md.
        self._readers = ThreadPoolExecutor(_READERS, "atlas-reader", initializer=compute_with, initargs=(1,))
        for started in [self._readers.submit(lambda: None) for _ in range(_READERS)]:
            started.result()
        self.executor = Executor(settings.queue_length, settings.threads, settings.client_queue)
        # Lenses compute for longer than slices are cut, so they have a thread of their own, and take turns on it.
        self._lens_thread = Executor(settings.queue_length, 1, settings.client_queue)
        self.self_checks = SelfChecks(self.executor)
        # Tiles are cut and pooled on one thread, with one core: docs/decisions/002-threads.md.
        self._tile_thread = Executor(settings.tile_queue, 1, settings.tile_queue * 3 // 4)
        self.pyramids = Pyramids(settings.tile_cache_bytes)
        self.thumbnails = ThumbnailCache(settings.cache_folder)
        self.statistics: OrderedDict[Hashable, Statistics] = OrderedDict()
        self._weight_samples: dict[str, dict[str, Samples]] = {}
        catalog.watch(self._in_use, self._forget_runs_of)
        self.sockets = 0
        # Open connections of the stream, by the address they come from.
        self.sessions: dict[str, list[Session]] = {}

    def _in_use(self, model_id: str) -> bool:
        """Tell whether an unfinished run needs a model's weights."""
        return any(run.loaded.entry.id == model_id and not run.finished for run in self.store.runs())

    def _forget_runs_of(self, model_id: str) -> None:
        """Let go of the finished runs of a model that was dropped: they would hold on to its weights."""
        for run in self.store.runs():
            if run.loaded.entry.id == model_id and run.finished:
                self.store.forget(run.id)

    def close(self) -> None:
        """End every run and every thread."""
        for run in self.store.runs():
            run.cancel()
        self.executor.close()
        self._tile_thread.close()
        self._lens_thread.close()
        self._readers.shutdown(cancel_futures=True)

    async def read(self, function: Callable[[], Result]) -> Result:
        """Compute something off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, function)

    async def cut(
        self, steps: Generator[None, None, Result], wanted: Callable[[], bool] = lambda: True
    ) -> Result | None:
        """Carry out the steps of something on the tile thread, in turns with others; None once it is not `wanted`."""
        future: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()
        with refusals():
            self._tile_thread.submit(_settling(steps, wanted, future), client.get())
        return await future

    async def look(self, function: Callable[[], Result]) -> Result:
        """Compute a lens off the event loop, after those that were asked for before it.

        Raises:
            QueueFullError: as many wait as the server is willing to hold.
        """
        future: asyncio.Future[Result | None] = asyncio.get_running_loop().create_future()
        self._lens_thread.submit(_settling(_at_once(function), lambda: True, future), client.get())
        result = await future
        assert result is not None
        return result

    def default_model(self) -> str | None:
        """Return the model that is shown first."""
        ids = [entry.id for entry in self.catalog.entries()]
        return self.settings.default_model if self.settings.default_model in ids else next(iter(ids), None)

    def entry(self, model_id: str) -> ModelEntry:
        """Return a model's entry, or the refusal."""
        with refusals():
            try:
                return self.catalog.entry(model_id)
            except KeyError as error:
                raise unknown_model(model_id) from error

    async def loaded(self, model_id: str) -> LoadedModel:
        """Return a model with its weights in memory, or the refusal, without holding up the event loop."""
        if self.catalog.is_loaded(model_id):
            return self.load(model_id)
        return await asyncio.to_thread(self.load, model_id)

    def load(self, model_id: str) -> LoadedModel:
        """Load a model's weights into memory, or refuse; takes as long as reading the file."""
        self.entry(model_id)
        with refusals():
            return self.catalog.load(model_id)

    def weight_samples(self, model_id: str) -> dict[str, Samples]:
        """Sample every weight of a model, for its scales; taken once."""
        loaded = self.load(model_id)
        if model_id not in self._weight_samples:
            weights = [tensor for tensor in loaded.graph.tensors if tensor.role == "weight"]
            samples = weight_samples(loaded.model, [tensor.name for tensor in weights if tensor.same_as is None])
            samples |= {tensor.name: samples[tensor.same_as] for tensor in weights if tensor.same_as is not None}
            self._weight_samples[model_id] = samples
        return self._weight_samples[model_id]

    def plate(
        self, run: Run | None, loaded: LoadedModel, name: str, index: Sequence[int], less: Difference | None = None
    ) -> Plate:
        """Return a plate of a run's activation (or of its difference), or of a model's weight, or the refusal."""
        with refusals():
            try:
                if run is None:
                    return weight_plate(loaded, name, index)
                return activation_plate(run, name, index) if less is None else less.plate(name, index)
            except KeyError as error:
                raise unknown_tensor(name, f"/api/v1/models/{loaded.entry.id}/graph") from error

    def run(self, run_id: str) -> Run:
        """Return a run, or the refusal."""
        with refusals():
            try:
                return self.store.get(run_id)
            except KeyError as error:
                if error.__class__ is not KeyError:
                    raise
                raise ApiError(
                    404, "unknown_run", f"there is no run {run_id!r}", "POST /api/v1/runs makes one."
                ) from error

    def difference(self, run: Run, minus: str) -> Difference:
        """Return a run less another, or the refusal."""
        with refusals():
            return Difference(run, self.run(minus))

    def make_run(
        self,
        question: schemas.RunQuestion | schemas.StartMessage,
        interventions: Sequence[schemas.Intervention] = (),
        may_end_early: bool = False,
    ) -> Run:
        """Make a run that waits to be started.

        `may_end_early` lets `max_new_tokens` ask for more than the context holds; the run then ends there.
        """
        loaded = self.load(question.model)
        read, kinds = self.prompt(loaded, question)
        source, tokens = self._parted(loaded, read, question.target_tokens)
        room = loaded.spec.positions - len(tokens) + 1
        if question.max_new_tokens and not loaded.spec.writes and not may_end_early:
            raise ApiError(
                422,
                "writes_nothing",
                f"{loaded.entry.id} writes nothing: {loaded.entry.no_head}"
                if loaded.entry.no_head
                else f"{loaded.entry.id} is an encoder: it fills in masked tokens and writes none",
                "Ask for 0 new tokens, and look at what it computes."
                if loaded.entry.no_head
                else "Ask for 0 new tokens, and read its predictions.",
            )
        if question.max_new_tokens > room and not may_end_early:
            raise ApiError(
                422,
                "too_many_new_tokens",
                f"{len(tokens)} tokens leave room for {room} new ones, not {question.max_new_tokens}",
                f"Ask for at most {room}; the context has {loaded.spec.positions} positions.",
            )
        changes = self._interventions(loaded, interventions, len(tokens))
        sampling = sampling_of(question.sampling)
        if changes and sampling.beams > 1:
            raise ApiError(
                422,
                "beams_and_interventions",
                "a beam search computes its texts as the model is, without interventions",
                "Write with 1 beam, or leave the interventions out.",
            )
        new_tokens = question.max_new_tokens
        run = Run(loaded, tokens, new_tokens, sampling, changes, self.settings.attention_bytes, source, kinds)
        run.owner = client.get()
        return run

    def start(self, run: Run, count: int | None, listen: Callable[[], None] = lambda: None) -> int:
        """Remember a run and let it write `count` tokens, or all that fit; how many take turns with it.

        `listen` is called once there is room for the run, before anything happens to it. Where it cannot be
        computed now, it is as if it had never been.

        Raises:
            ApiError: there is no room for it, or too much waits.
        """
        with refusals():
            self.store.add(run)
            listen()
            try:
                return run.advance(self.executor, count)
            except QueueFullError:
                self.store.remove(run.id)
                raise

    def _parted(
        self, loaded: LoadedModel, read: list[Token], target: list[int] | None
    ) -> tuple[list[Token], list[Token]]:
        """Return what an encoder-decoder reads as its source (else nothing), and what its own text begins with."""
        if loaded.spec.kind != "encoder_decoder":
            if target is not None:
                raise ApiError(
                    422,
                    "no_source",
                    f"{loaded.entry.id} has no encoder, so its text has no source",
                    "Give everything it is to read as text or tokens.",
                )
            return [], read
        start = list(loaded.entry.start_ids) if target is None else target
        return read, self._fitting(loaded, self._verbatim(loaded, start), loaded.spec.positions)

    def prompt(
        self, loaded: LoadedModel, question: schemas.RunQuestion | schemas.StartMessage
    ) -> tuple[list[Token], list[int]]:
        """Return the tokens a run is to read, checked against the model, and their kinds where these are said."""
        kinds = _checked_kinds(loaded, question)
        if question.tokens is not None and question.text_pair is not None:
            raise ApiError(422, "invalid", "a second text is given beside tokens", "Give both as texts, or as tokens.")
        if question.tokens is not None:
            tokens = self._verbatim(loaded, question.tokens)
        elif question.text is not None and question.text_pair is not None:
            tokens, kinds = self.tokenize_pair(loaded, question.text, question.text_pair)
        elif question.text is not None:
            tokens = self.tokenize(loaded, question.text)
            if not question.text or not tokens:
                raise ApiError(422, "empty", "the text is empty", "Write at least one character.")
        else:
            raise ApiError(422, "invalid", "neither text nor tokens are given", "Give one of the two.")
        uncounted = loaded.entry.uncounted_id
        if uncounted is not None and any(token.id == uncounted for token in tokens):
            raise ApiError(
                422,
                "untokenizable",
                f"token {uncounted}, {loaded.tokenizer.text_of(uncounted)!r}, is the padding of {loaded.entry.id}, "
                "which counts no position for it; that is not done here",
                "Leave it out: all other tokens have the numbers that transformers gives them.",
            )
        return self._fitting(loaded, tokens, loaded.spec.source_positions or loaded.spec.positions), kinds

    @staticmethod
    def _fitting(loaded: LoadedModel, tokens: list[Token], positions: int) -> list[Token]:
        if len(tokens) > positions:
            raise ApiError(
                422,
                "beyond_context",
                f"{len(tokens)} tokens are more than the {positions} that {loaded.entry.id} can read",
                "Shorten the text.",
            )
        return tokens

    def tokenize(self, loaded: LoadedModel, text: str) -> list[Token]:
        """Tokenize a text, the model's prefix first."""
        self._check_length(text)
        with refusals():
            return loaded.tokenizer.encode(text)

    def _check_length(self, text: str) -> None:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise ApiError(422, "invalid", "the text holds half a surrogate pair", "Send valid Unicode.") from error
        if size > self.settings.text_bytes:
            raise ApiError(
                422,
                "too_long",
                f"the text has {size} bytes, more than {self.settings.text_bytes}",
                "Shorten it; GET /api/v1/capabilities lists the limits.",
            )

    def tokenize_pair(self, loaded: LoadedModel, text: str, pair: str) -> tuple[list[Token], list[int]]:
        """Tokenize two texts that are read together, with each token's kind; none where the model has one alone."""
        self._check_length(text + pair)
        if not text or not pair:
            raise ApiError(422, "empty", "one of the two texts is empty", "Write at least one character in each.")
        with refusals():
            tokens, kinds = loaded.tokenizer.encode_pair(text, pair)
        known = loaded.spec.token_types
        if known < 2:
            return tokens, []
        if max(kinds, default=0) >= known:
            raise ApiError(
                422,
                "untokenizable",
                f"the tokenizer makes a text of kind {max(kinds)}, which {loaded.entry.id} does not know",
                "Send tokens and token_types instead.",
            )
        return tokens, kinds

    def _verbatim(self, loaded: LoadedModel, ids: list[int]) -> list[Token]:
        if not ids:
            raise ApiError(422, "empty", "there are no tokens", "Send at least one token id.")
        if len(ids) > loaded.spec.positions:
            return [Token(0, "", 0, 0)] * len(ids)  # refused for its length by the caller
        highest = loaded.spec.d_vocab - 1
        wrong = next((token_id for token_id in ids if token_id > highest), None)
        if wrong is not None:
            raise ApiError(
                422,
                "token_out_of_range",
                f"token id {wrong} is outside the vocabulary of {loaded.entry.id}",
                f"Use ids from 0 to {highest}.",
            )
        return loaded.tokenizer.tokens(ids)

    def _interventions(
        self, loaded: LoadedModel, asked: Sequence[schemas.Intervention], prompt_length: int
    ) -> list[Intervention]:
        if len(asked) > self.settings.interventions:
            raise ApiError(
                422,
                "too_many_interventions",
                f"{len(asked)} interventions are more than {self.settings.interventions}",
                "Make fewer, with wider slices.",
            )
        tensors = loaded.graph.activations
        changes = []
        for change in asked:
            tensor = tensors.get(resolve_name(change.name, loaded.spec))
            if tensor is None:
                raise unknown_tensor(change.name, f"/api/v1/models/{loaded.entry.id}/graph")
            if tensor.derived:
                raise ApiError(
                    422, "derived", f"{change.name} is computed when read", "Change one of the tensors it is made of."
                )
            _refuse_value(change.value, loaded.model.W_E.dtype)
            shape = loaded.graph.shape(tensor)
            with refusals():
                index = parse_index(change.index, shape, tensor.axes)
                _refuse_step_on_rows(index, tensor.axes)
            source = source_name(tensor.name, loaded.graph)
            changes.append(Intervention(source, index, change.action, change.value))
        return changes


def _at_once(function: Callable[[], Result]) -> Generator[None, None, Result]:
    """Wrap a function as steps: it is the only one."""
    yield from ()
    return function()


def _settling(
    steps: Generator[None, None, Result], wanted: Callable[[], bool], future: "asyncio.Future[Result | None]"
) -> Job:
    """Take the steps, and put what came of them into a future of the event loop."""
    loop = future.get_loop()

    def settle(result: Result | None, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    result: Result | None = None
    failure: Exception | None = None
    try:
        while wanted() and not future.cancelled():
            try:
                next(steps)
            except StopIteration as stop:
                result = stop.value
                break
            yield
        steps.close()
    except Exception as error:
        # Whoever asked is told; the thread goes on with everybody else's.
        failure = error
    with suppress(RuntimeError):  # the loop is closed: nobody is left to tell
        loop.call_soon_threadsafe(settle, result, failure)


def _refuse_value(value: float, dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max
    if abs(value) > largest:
        said = f"{value:g} is more than {largest:g}, the largest number of {str(dtype).removeprefix('torch.')}"
        raise ApiError(422, "too_large", said, "Take a smaller value.")


def _checked_kinds(loaded: LoadedModel, question: schemas.RunQuestion | schemas.StartMessage) -> list[int]:
    """Check the kinds of text that tokens are said to be of; none where nothing is said."""
    kinds, known = question.token_types, loaded.spec.token_types
    if kinds is None:
        return []
    if known < 2:
        raise ApiError(
            422,
            "one_kind_of_text",
            f"{loaded.entry.id} knows one kind of text alone",
            "Leave token_types out; models of the family bert know two.",
        )
    if question.tokens is None or len(kinds) != len(question.tokens):
        count = 0 if question.tokens is None else len(question.tokens)
        raise ApiError(
            422,
            "invalid",
            f"token_types has {len(kinds)} entries for {count} tokens",
            "Give one for each of `tokens`; of texts, give the second as text_pair.",
        )
    wrong = next((kind for kind in kinds if kind >= known), None)
    if wrong is not None:
        raise ApiError(
            422, "invalid", f"token_types has {wrong}, which {loaded.entry.id} does not know", f"Use 0 to {known - 1}."
        )
    return list(kinds)


def _refuse_step_on_rows(index: tuple[int | slice, ...], axes: Sequence[str]) -> None:
    for part, axis in zip(index, axes, strict=False):
        if axis in ("pos", "query_pos") and isinstance(part, slice) and part.step != 1:
            raise SliceError(f"an intervention cannot step along {axis}", "Make one intervention per position.")


def sampling_of(asked: schemas.Sampling) -> Sampling:
    """Return the sampling that was asked for."""
    return Sampling(asked.temperature, asked.top_k, asked.top_p, asked.seed, asked.beams)


def token_answer(token: Token) -> schemas.Token:
    """Write a token as it goes over the wire."""
    return schemas.Token(id=token.id, text=token.text, start=token.start, end=token.end)


def candidates_answer(top: Sequence[Candidate]) -> list[schemas.Candidate]:
    """Write what may come next as it goes over the wire."""
    return [
        schemas.Candidate(
            id=one.id,
            text=one.text,
            logit=finite(one.logit),
            probability=finite(one.probability),
            forbidden=one.forbidden,
        )
        for one in top
    ]


def predictions_answer(predictions: Sequence[Prediction]) -> list[schemas.Prediction]:
    """Write what would stand at each masked position as it goes over the wire."""
    return [schemas.Prediction(position=one.position, top=candidates_answer(one.top)) for one in predictions]


def generated_answer(generated: Generated) -> schemas.GeneratedToken:
    """Write a token that was chosen as it goes over the wire."""
    return schemas.GeneratedToken(
        position=generated.position,
        token=token_answer(generated.token),
        probability=finite(generated.choice.probability),
        sampled_probability=finite(generated.choice.sampled_probability),
    )


def activations_answer(run: Run) -> list[schemas.Activation]:
    """List what can be read of a run."""
    dtype = str(run.loaded.model.W_E.dtype).removeprefix("torch.")
    recorder = run.recorder
    return [
        schemas.Activation(
            name=name,
            shape=recorder.shape(name),
            dtype=dtype,
            axes=list(recorder.info(name).axes),
            role=recorder.info(name).role,
            derived=recorder.derived(name),
        )
        for name in recorder.names
        if recorder.rows(name)
    ]


def interventions_answer(run: Run) -> list[schemas.InterventionAnswer]:
    """List what was changed while the model ran, in a form that can be asked for again."""
    return [
        schemas.InterventionAnswer(
            name=one.name, index=",".join(map(_index_text, one.index)), action=one.action, value=one.value
        )
        for one in run.interventions
    ]


def _index_text(part: int | slice) -> str:
    if isinstance(part, int):
        return str(part)
    ends = ("" if end is None else str(end) for end in (part.start, part.stop))
    return ":".join(ends) + ("" if part.step in (None, 1) else f":{part.step}")


def run_answer(run: Run) -> schemas.RunAnswer:
    """Write a run as it goes over the wire; looks through its tensors, so not for the event loop."""
    return schemas.RunAnswer(
        id=run.id,
        model=run.loaded.entry.id,
        state=run.state,
        reason=run.reason,
        prompt_length=len(run.prompt),
        capacity=run.capacity,
        source=[token_answer(token) for token in run.source],
        tokens=[token_answer(token) for token in run.tokens],
        token_types=list(run.token_types),
        generated=[generated_answer(one) for one in list(run.generated)],
        top=candidates_answer(run.top),
        predictions=predictions_answer(run.predictions),
        interventions=interventions_answer(run),
        activations=activations_answer(run),
        beam_score=finite(run.beam_score) if run.beam_score is not None else None,
        first_non_finite=run.first_non_finite(),
        bytes=run.recorder.nbytes,
    )


def _atlas(connection: HTTPConnection) -> Atlas:
    atlas: Atlas = connection.app.state.atlas
    return atlas


AtlasOf = Annotated[Atlas, Depends(_atlas)]
