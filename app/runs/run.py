"""One run: a model, its tokens, what is captured, and where it stands between waiting and done."""

import logging
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..checkpoints.catalog import LoadedModel
from ..transformer.decoding import Choice, Sampling, beam_search, choose
from ..transformer.model import KeyValueCache
from ..transformer.rules import Writing
from ..transformer.tokenizer import Token
from .clients import Client
from .executor import Executor
from .failures import out_of_memory
from .recorder import Intervention, Recorder
from .scales import Scales

State = Literal["queued", "running", "paused", "done", "failed"]
Reason = Literal["complete", "max_new_tokens", "end_of_text", "context", "not_finite", "cancelled"]
Event = Literal["stage", "prompt", "token", "paused", "done", "failed"]


@dataclass(frozen=True)
class Candidate:
    """A token that may come next, under the model alone."""

    id: int
    text: str
    logit: float
    probability: float
    # The model's makers say that it is not to be written here.
    forbidden: bool = False


@dataclass(frozen=True)
class Generated:
    """A token that was chosen: where it stands, what it was chosen from, and how probable it was."""

    position: int
    token: Token
    choice: Choice
    top: tuple[Candidate, ...]


@dataclass(frozen=True)
class Prediction:
    """What an encoder would put at a masked place."""

    position: int
    top: tuple[Candidate, ...]


class Run:
    """Reads the prompt, then writes as many tokens as it is told to, stage by stage on the executor.

    An encoder-decoder reads a `source`; its `prompt` is what its own text begins with. An encoder writes nothing:
    it has `predictions` for the places that are masked.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        tokens: Sequence[Token],
        max_new_tokens: int,
        sampling: Sampling,
        interventions: Sequence[Intervention] = (),
        attention_bytes: int = 2**28,
        source: Sequence[Token] = (),
        token_types: Sequence[int] = (),
    ) -> None:
        """Make a run that waits to be started; attention beyond `attention_bytes` is derived when read."""
        self.id = secrets.token_hex(6)
        self.loaded = loaded
        self.prompt, self.source = tuple(tokens), tuple(source)
        # Of a model that tells kinds of text apart, each token's; all are of the first if nothing is said.
        many = loaded.spec.token_types > 1
        self.token_types = tuple(token_types) or ((0,) * len(self.prompt) if many else ())
        self.max_new_tokens = max_new_tokens if loaded.spec.writes else 0
        self.sampling = sampling
        self.interventions = tuple(interventions)
        keep_attention = self._attention_bytes() <= attention_bytes
        self.recorder = Recorder(loaded.model, loaded.graph, interventions, keep_attention)
        self.scales = Scales(self.recorder, len(self.prompt))
        self.generated: list[Generated] = []
        self.top: tuple[Candidate, ...] = ()
        self.predictions: tuple[Prediction, ...] = ()
        # Who asked for it: turns and room are shared out by clients.
        self.owner = Client()
        self.state: State = "queued"
        self.reason: Reason | None = None
        self.failure: str | None = None
        self.out_of_memory = False
        # The score of the text that a beam search found last.
        self.beam_score: float | None = None
        self.fed = 0
        self.idle_since = time.monotonic()
        self._checked: tuple[int, str | None] = (0, None)
        self._remaining: int | None = 0
        self._cancelled = False
        self._cache: KeyValueCache | None = None
        self._next_logits: Tensor | None = None
        self._planned: deque[int] = deque()
        self._working = False
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Event], None]] = []

    def _attention_bytes(self) -> int:
        """Count the bytes that scores, masked scores and patterns of every head would take."""
        spec, read = self.loaded.spec, len(self.source)
        squares = spec.layers * self.capacity * (self.capacity + read) + spec.encoder_layers * read**2
        return 3 * spec.heads * squares * self.loaded.model.W_E.element_size()

    @property
    def tokens(self) -> list[Token]:
        """Return the prompt and what was written after it."""
        return [*self.prompt, *(generated.token for generated in self.generated)]

    @property
    def capacity(self) -> int:
        """Count the positions that may be fed in all: the last token written is not read again."""
        return min(self.loaded.spec.positions, len(self.prompt) + max(0, self.max_new_tokens - 1))

    @property
    def cache_bytes(self) -> int:
        """Count the bytes that keys and values take until the run is over: its text's, and its beams' twice in turn."""
        spec, beams = self.loaded.spec, self.sampling.beams
        places = 2 * spec.layers * self.capacity * spec.kv_heads * spec.d_head
        return places * self.loaded.model.W_E.element_size() * (1 if beams == 1 else 1 + 2 * beams)

    @property
    def nbytes(self) -> int:
        """Count the bytes of memory held, or about to be."""
        return self.recorder.nbytes + (0 if self.finished else self.cache_bytes)

    @property
    def holds_cache(self) -> bool:
        """Tell whether keys and values are kept for writing on."""
        return self._cache is not None

    @property
    def finished(self) -> bool:
        """Tell whether nothing more will be computed."""
        return self.state in ("done", "failed")

    def first_non_finite(self) -> str | None:
        """Name the first tensor with a not-a-number or an infinity; computed numbers are searched once."""
        fed, found = self._checked
        if fed != self.fed:
            found = self.recorder.first_non_finite()
            self._checked = (self.fed, found) if self.finished or self.state == "paused" else (-1, None)
        return found

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Tell `listener` of every event, on the executor's thread; return how to stop listening."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def advance(
        self,
        executor: Executor,
        count: int | None,
        sampling: Sampling | None = None,
        admit: Callable[[], None] = lambda: None,
    ) -> int:
        """Read the prompt if it has not been, then write `count` tokens, or all that fit when None.

        Returns how many jobs are ahead. `admit` is called once there is a place among them, before anything happens to
        the run; what it raises leaves the run as it was.

        Raises:
            QueueFullError: too many wait already.
        """
        with self._lock:
            before = self.state, self.sampling, list(self._planned)
            if sampling is not None:
                self.sampling = sampling
                self._planned.clear()
            self._remaining = count
            if self._working or self.finished:
                return 0
            self._working, self.state = True, "queued"
        try:
            return executor.submit(self._work(), self.owner, admit)
        except Exception:  # there is no place for it, or whoever admits it does not
            self._working, (self.state, self.sampling, planned) = False, before
            self._planned = deque(planned)
            raise

    def pause(self) -> None:
        """Stop writing after the token in progress."""
        with self._lock:
            self._remaining = 0

    def cancel(self) -> None:
        """End the run where it is; what has been computed stays readable, the cache is freed."""
        with self._lock:
            self._cancelled = True
            idle = not self._working
        if idle:
            self._finish("cancelled")

    def _tell(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener(event)

    def _finish(self, reason: Reason) -> None:
        """End the run, once."""
        with self._lock:
            if self.finished:
                return
            self._working, self._cache, self._next_logits = False, None, None
            self.state, self.reason, self.idle_since = "done", reason, time.monotonic()
        self._tell("done")

    def _work(self) -> Generator[None, None, None]:
        try:
            yield from self._stages()
        except Exception as error:
            # Whatever breaks a run must end that run and nothing else; its listeners are told.
            logging.getLogger(__name__).exception("run %s failed", self.id)
            self._cache, self._next_logits = None, None
            self.out_of_memory = out_of_memory(error)
            self.state, self.failure, self._working = "failed", f"{type(error).__name__}: {error}", False
            self._tell("failed")

    def _stages(self) -> Generator[None, None, None]:
        self.state = "running"
        if self._cache is None:
            self._cache = KeyValueCache(self.loaded.spec, self.capacity, like=self.loaded.model.W_E)
            yield from self._feed([token.id for token in self.prompt])
            if self._next_logits is not None:
                self._tell("prompt")
        while not self._cancelled:
            reason = self._limit_reached()
            if reason is not None:
                return self._finish(reason)
            with self._lock:
                if self._remaining == 0:
                    self._working, self.state, self.idle_since = False, "paused", time.monotonic()
                    break
                self._remaining = None if self._remaining is None else self._remaining - 1
            yield from self._write()
        if self._cancelled:
            return self._finish("cancelled")
        self._tell("paused")

    def _limit_reached(self) -> Reason | None:
        if not self.loaded.spec.writes:
            return "complete"
        if self.generated and self.generated[-1].token.id in self.loaded.tokenizer.end_ids:
            return "end_of_text"
        if len(self.generated) >= self.max_new_tokens:
            return "max_new_tokens"
        if len(self.tokens) > self.loaded.spec.positions:
            return "context"
        return None if self._next_logits is None or _may_choose(self._next_logits) else "not_finite"

    def _write(self) -> Generator[None, None, None]:
        """Choose a token; feed it only if another may follow, so that the next choice can be made."""
        position = len(self.tokens) - 1
        choice = yield from self._choose(position)
        end = max((token.end for token in self.tokens), default=0)
        token = self.loaded.tokenizer.tokens([choice.token], end)[0]
        self.generated.append(Generated(position + 1, token, choice, self.top))
        self.top = ()
        self._tell("token")
        if self._limit_reached() is None:
            yield from self._feed([choice.token])

    def _choose(self, position: int) -> Generator[None, None, Choice]:
        """Choose the next token: by the sampling, or the next one of the text that a beam search found."""
        assert self._next_logits is not None
        if self.sampling.beams <= 1:
            return choose(self._next_logits, self.sampling, position, self.loaded.entry.rules, self._writing())
        if not self._planned:
            ids = [token.id for token in self.tokens]
            left = min(self.max_new_tokens - len(self.generated), self.loaded.spec.positions - len(ids) + 1)
            found = yield from beam_search(
                self.loaded.model, ids, self.sampling.beams, left, self.loaded.entry.rules, self._source_tensor()
            )
            self._planned.extend(found.tokens)
            self.beam_score = found.score
        token = self._planned.popleft()
        return Choice(token, float(torch.softmax(self._next_logits, -1)[token]), 1.0)

    def _writing(self) -> Writing:
        """Describe how far the text is."""
        prompt, room = len(self.prompt), self.loaded.spec.positions + 1
        read = self.source or self.prompt
        return Writing(
            [token.id for token in self.tokens],
            prompt,
            min(prompt + self.max_new_tokens, room),
            [token.id for token in read],
        )

    def _source_tensor(self) -> Tensor | None:
        """Return the source's token ids, `[1, pos]`."""
        if not self.source:
            return None
        return torch.tensor([[token.id for token in self.source]], device=self.loaded.model.W_E.device)

    def _feed(self, ids: list[int]) -> Generator[None, None, None]:
        """Read tokens; the distribution over what follows the last one becomes `top`."""
        assert self._cache is not None
        device = self.loaded.model.W_E.device
        read = torch.tensor([ids], device=device)
        kinds = torch.tensor([self.token_types], device=device) if any(self.token_types) else None
        stages = self.loaded.model.stages(read, self.recorder.tap, self._cache, self._source_tensor(), types=kinds)
        while not self._cancelled:
            try:
                next(stages)
            except StopIteration as stop:
                self._note(stop.value[0])
                break
            self._tell("stage")
            yield
        else:
            return
        self.fed += len(ids)
        self._tell("stage")

    def _note(self, logits: Tensor) -> None:
        """Note what the logits of the positions just read, `[pos, d_vocab]`, say of what comes next or is masked.

        A model without a language head has none.
        """
        if not self.loaded.spec.head:
            return
        self._next_logits = logits[-1].float().cpu()
        if self.loaded.spec.writes:
            ruled = self.loaded.entry.rules.apply(self._next_logits, self._writing())
            self.top = candidates(self._next_logits, self.loaded, 10, ruled)
            return
        mask = self.loaded.tokenizer.mask_id
        masked = [place for place, token in enumerate(self.prompt) if token.id == mask]
        self.predictions = tuple(
            Prediction(place, candidates(logits[place].float().cpu(), self.loaded, 10)) for place in masked
        )
        self.top = self.predictions[0].top if self.predictions else ()


def _may_choose(logits: Tensor) -> bool:
    """Tell whether logits say what is more probable: a not-a-number or infinity leaves no distribution."""
    largest = float(logits.max())  # a not-a-number is larger than all
    return math.isfinite(largest)


def candidates(logits: Tensor, loaded: LoadedModel, count: int, ruled: Tensor | None = None) -> tuple[Candidate, ...]:
    """Rank the most probable next tokens of `logits [d_vocab]`; `ruled` are what one is chosen by."""
    probabilities = torch.softmax(logits.float(), -1)
    best = probabilities.topk(min(count, len(probabilities)))
    return tuple(
        Candidate(
            int(token),
            loaded.tokenizer.text_of(int(token)),
            float(logits[token]),
            float(probability),
            ruled is not None and float(ruled[token]) == -torch.inf,
        )
        for probability, token in zip(best.values, best.indices, strict=True)
    )
