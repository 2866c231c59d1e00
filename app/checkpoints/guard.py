"""The door through which every file of a model is read: whatever its readers raise leaves as a `CheckpointError`.

Files come from strangers, and the libraries that read them raise what they like: bare `Exception`, `RecursionError`,
`NotImplementedError`, and, from Rust, panics that are no `Exception` at all. None of it may stop the server.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch

from ..transformer.model import Transformer
from ..transformer.spec import Spec
from .errors import CheckpointError
from .files import Checkpoint
from .generation import Generation
from .vocabulary import TextSource

_AGAIN = "Fetch or write the file again, or take it away."
Result = TypeVar("Result")


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Turn whatever goes wrong while `place` is read into a complaint that names it.

    Raises:
        CheckpointError: anything did, but for what ends the program.
    """
    try:
        yield
    except (CheckpointError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except OSError as error:
        told = (error.strerror or str(error)).lower()
        raise CheckpointError(f"{error.filename or place} cannot be read: {told}", _hint(error)) from error
    except MemoryError as error:
        raise CheckpointError(
            f"{place} cannot be read: there is not enough memory", "Free some, or take a smaller model."
        ) from error
    except RecursionError as error:
        raise CheckpointError(f"{place} cannot be read: it is nested too deeply", _AGAIN) from error
    except BaseException as error:  # a panic of the tokenizers library is no Exception
        raise CheckpointError(f"{place} cannot be read: {type(error).__name__}: {error}", _AGAIN) from error


def _hint(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Let the user that the server runs as read it."
    return _AGAIN


class Guarded:
    """A checkpoint whose every answer comes through the door."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Guard `checkpoint`."""
        self._checkpoint, self.path = checkpoint, checkpoint.path

    def _ask(self, question: Callable[[Checkpoint], Result]) -> Result:
        with reading(self.path):
            return question(self._checkpoint)

    @property
    def spec(self) -> Spec:
        """Return the architecture, from the header alone."""
        return self._ask(lambda checkpoint: checkpoint.spec)

    @property
    def kind(self) -> str:
        """Return what to call its family and precision."""
        return self._ask(lambda checkpoint: checkpoint.kind)

    @property
    def class_name(self) -> str:
        """Return the class that the configuration says it was saved from; empty where it names none."""
        return self._ask(lambda checkpoint: checkpoint.class_name)

    @property
    def files(self) -> Sequence[Path]:
        """List the files with the weights."""
        return self._ask(lambda checkpoint: checkpoint.files)

    @property
    def left_out(self) -> Mapping[str, tuple[int, ...]]:
        """List weights of the files that are not part of the map, with their shapes."""
        return self._ask(lambda checkpoint: checkpoint.left_out)

    @property
    def no_text(self) -> str:
        """Say why there is no tokenizer; empty where there is one."""
        return self._ask(lambda checkpoint: checkpoint.no_text)

    @property
    def start_id(self) -> int | None:
        """Return the token with which an encoder-decoder's own text begins."""
        return self._ask(lambda checkpoint: checkpoint.start_id)

    @property
    def end_ids(self) -> tuple[int, ...]:
        """List the tokens after which writing stops."""
        return self._ask(lambda checkpoint: checkpoint.end_ids)

    @property
    def generation(self) -> Generation:
        """Return what the files ask of writing."""
        return self._ask(lambda checkpoint: checkpoint.generation)

    def text_source(self) -> TextSource:
        """Return the tokenizer and what goes around a text."""
        return self._ask(lambda checkpoint: checkpoint.text_source())

    def check(self) -> None:
        """Compare the weights' headers with the spec."""
        self._ask(lambda checkpoint: checkpoint.check())

    def load(self, device: str, dtype: torch.dtype) -> Transformer:
        """Load the model on the file's numbers."""
        return self._ask(lambda checkpoint: checkpoint.load(device, dtype))
