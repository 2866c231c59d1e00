"""Errors of lessons: of their files, for authors; and of one step on one model, for readers.

raise LessonError("first-steps/lesson.yaml", "predict", "steps.2.check.key", "there is no function `agmax`")
"""


class LessonError(ValueError):
    """A lesson that cannot be used: its file, the step and the field at fault, why, and what would be right."""

    def __init__(self, file: str, step: str | None, field: str, reason: str, hint: str = "") -> None:
        """Keep the parts apart, so that each can be shown."""
        where = ", ".join(part for part in (file, f"step {step}" if step else "", field) if part)
        super().__init__(f"{where}: {reason}")
        self.file, self.step, self.field, self.reason, self.hint = file, step, field, reason, hint


class ExpressionError(ValueError):
    """An expression that says nothing: written wrong, or of the wrong kind; `hint` says what can be written."""

    def __init__(self, reason: str, hint: str = "") -> None:
        """Keep what is wrong and what to do apart."""
        super().__init__(reason)
        self.hint = hint


class NotHereError(ValueError):
    """What a step speaks of is not in this model or not in this text; the message says what, for the reader."""
