"""Telling want of memory from other failures: it passes, and asking for less helps."""

import torch


def out_of_memory(error: BaseException) -> bool:
    """Tell whether something failed because there was no memory for it."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)  # torch's, on a processor
    )
