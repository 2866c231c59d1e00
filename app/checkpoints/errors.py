"""What is said of a checkpoint that cannot be loaded."""

from typing import Any

_LONGEST, _VALUE = 900, 80


class CheckpointError(ValueError):
    """A checkpoint that cannot be loaded: what is wrong, and in `hint` what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart, in one line each that any answer can carry."""
        super().__init__(_line(message))
        self.hint = _line(hint)


class NoRoomError(CheckpointError):
    """A checkpoint whose files are whole, but for which there is no room in memory."""


def shown(value: Any) -> str:
    """Return a value from a file as Python writes it, and no longer than a complaint should be."""
    try:
        written = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; lists within lists
        written = f"a {type(value).__name__}"
    return written if len(written) <= _VALUE else f"{written[: _VALUE - 3]}..."


def _line(text: str) -> str:
    """Put the text on one line, its middle left out where it is long; file names may hold halves of characters."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    half = _LONGEST // 2
    return line if len(line) <= _LONGEST else f"{line[:half]} [...] {line[-half:]}"
