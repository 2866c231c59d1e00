"""How many cores each thread of ours computes on.

torch keeps the number twice: for the thread that asked, and, last asked wins, for all threads that have not computed
yet. A thread's first operation copies the common number over its own, so that what it asked for is undone if another
thread asked for another number meanwhile (torch 2.13, `lazy_init_num_threads`). Looking the number up counts as the
first operation: ask only after it, and the number stays.
"""

import os

import torch


def compute_with(count: int) -> None:
    """Let this thread compute on `count` cores from now on, whatever other threads ask for."""
    torch.get_num_threads()
    torch.set_num_threads(count)


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))
