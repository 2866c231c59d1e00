"""Refusals of the engine: what is wrong, of which kind, and what to do; each door says them in its own words.

    EngineError("unknown_model", "there is no model 'x'", model="x")

A kind is for programs to tell refusals apart. What it means over HTTP (a status, the call that lists the names) is the
API's to say, in `app/api/errors.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from ..checkpoints.errors import CheckpointError, NoRoomError
from ..lenses import LensError
from ..runs.difference import DifferenceError
from ..runs.executor import QueueFullError
from ..runs.explain import ExplainError
from ..runs.plates import PlateError
from ..runs.run import Run
from ..runs.slices import SliceError
from ..runs.store import ForgottenError, StoreFullError
from ..runs.tiles import TileError
from ..transformer.tokenizer import TokenizeError

Kind = Literal[
    # What is asked for is not there.
    "unknown_model", "unknown_run", "forgotten_run", "unknown_tensor", "unknown_lens", "unknown_step", "unknown_tile",
    # It is there, and cannot be had so.
    "another_model", "bad_index", "bad_lens", "inputs_missing", "needs_run", "not_computed", "run_over",
    "too_many_numbers", "unknown_plate",
    # A run cannot be made of this.
    "beams_and_interventions", "beyond_context", "derived", "empty", "invalid", "no_source", "one_kind_of_text",
    "token_out_of_range", "too_large", "too_long", "too_many_interventions", "too_many_new_tokens", "untokenizable",
    "writes_nothing",
    # Not now, or not on this machine.
    "broken_model", "busy", "no_room", "out_of_memory", "parity_failed", "run_failed", "runs_full",
]  # fmt: skip


class EngineError(Exception):
    """A refusal: its kind, what is wrong, what to do, and of what `model`, `run` or `tensor`, where that is known."""

    def __init__(self, kind: Kind, message: str, hint: str = "", **about: str) -> None:
        """Refuse; doors add to the hint how that is done there."""
        super().__init__(message)
        self.kind, self.message, self.hint, self.about = kind, message, hint, about


def unknown_model(model_id: str) -> EngineError:
    """Refuse: there is no such model."""
    return EngineError("unknown_model", f"there is no model {model_id!r}", model=model_id)


def unknown_tensor(name: str, **about: str) -> EngineError:
    """Refuse: the `model` has no such tensor, or the `run` has not computed it yet."""
    return EngineError("unknown_tensor", f"there is no tensor {name!r} here", **about)


def no_memory(**about: str) -> EngineError:
    """Refuse: the machine has no memory left for this."""
    hint = "Ask for a shorter text, fewer beams or a smaller slice, or wait until others are done."
    return EngineError("out_of_memory", "there was not enough memory for this", hint, **about)


def checkpoint_refused(error: CheckpointError) -> EngineError:
    """Refuse a model that is not to be had: its files are broken, or there is no room for it."""
    return EngineError("no_room" if isinstance(error, NoRoomError) else "broken_model", str(error), error.hint)


def failed_run(run: Run) -> EngineError:
    """Say why a run broke off."""
    if run.out_of_memory:
        return no_memory(run=run.id)
    return EngineError("run_failed", f"the run broke off: {run.failure}", "Try again, or try another text.", run=run.id)


def refusal(error: Exception) -> EngineError | None:
    """Return what the engine says where the layers below it refuse; None of an error that is no refusal."""
    match error:
        case SliceError():
            return EngineError("bad_index", str(error), error.hint)
        case PlateError():
            return EngineError("unknown_plate", str(error), error.hint)
        case DifferenceError():
            return EngineError("another_model", str(error), error.hint)
        case TileError():
            return EngineError("unknown_tile", str(error), error.hint)
        case TokenizeError():
            return EngineError("untokenizable", str(error), error.hint)
        case LensError():
            return EngineError("bad_lens", str(error), error.hint)
        case ExplainError():
            return EngineError(error.kind, str(error), error.hint, **error.about)
        case CheckpointError():
            return checkpoint_refused(error)
        case QueueFullError():
            said = "as many computations wait as the server allows"
            return EngineError("busy", said, "Wait until one is done, then try again.")
        case StoreFullError():
            said = "every run the server can hold is still unfinished"
            return EngineError("runs_full", said, "Cancel one, or wait for it.")
        case ForgottenError():
            said = f"run {error.args[0]!r} has been forgotten, to make room or by request"
            hint = "The same model, tokens, sampling and seed make it again."
            return EngineError("forgotten_run", said, hint, run=str(error.args[0]))
    return None


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the refusals of the layers below into the engine's."""
    try:
        yield
    except Exception as error:
        refused = refusal(error)
        if refused is None:
            raise
        raise refused from error
