"""Events of a run: as they happen, and those that have happened told again from what the run holds."""

from collections.abc import Iterator

from ..runs.run import Event, Generated, Run
from .errors import failed_run
from .values import RunEvent


def event_of(run: Run, kind: Event) -> RunEvent:
    """Write down what is known of a run as something happens to it; to be called where it is told."""
    read, written = run.fed, len(run.generated)
    match kind:
        case "stage":
            return RunEvent(kind, read, written)
        case "prompt":
            return RunEvent(kind, read, written, run.top, run.predictions)
        case "token":
            return _token(read, written, run.generated[written - 1])
        case "done":
            return RunEvent(kind, read, written, run.top, reason=run.reason, beam_score=run.beam_score)
        case "failed":
            return RunEvent(kind, read, written, failure=failed_run(run))
    return RunEvent(kind, read, written, run.top)


def so_far(run: Run) -> Iterator[RunEvent]:
    """Tell again what has happened to a run: its prompt, its tokens, and that it waits or is over."""
    # In this order: a run that goes on meanwhile is told of as it was a moment ago.
    state, top, read = run.state, run.top, run.fed
    generated = list(run.generated)
    prompt = len(run.prompt)
    if read >= prompt and run.loaded.spec.head:
        # The first token was chosen from what the prompt left.
        yield RunEvent("prompt", prompt, 0, generated[0].top if generated else top, run.predictions)
    for number, one in enumerate(generated, 1):
        yield _token(prompt + number - 1, number, one)
    if state == "paused":
        yield RunEvent(state, read, len(generated), top)
    elif state in ("done", "failed"):
        yield event_of(run, state)


def _token(read: int, written: int, generated: Generated) -> RunEvent:
    return RunEvent("token", read, written, generated.top, token=generated)
