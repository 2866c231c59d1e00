"""What is said of a checkpoint that cannot be loaded."""


class CheckpointError(ValueError):
    """A checkpoint that cannot be loaded: what is wrong, and in `hint` what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(message)
        self.hint = hint
