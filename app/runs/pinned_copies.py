"""What is captured on a GPU leaves it beside the computation: into pinned memory, on a stream of its own.

The pass never waits for a copy, and the GPU's memory holds no more than the model and what is being computed. Only
who reads captured numbers waits until those on their way have arrived.
"""

import torch
from torch import Tensor


class PinnedCopies:
    """One run's copies on their way."""

    def __init__(self, device: torch.device) -> None:
        """Copy from `device`, a CUDA one."""
        self._stream = torch.cuda.Stream(device)

    def take(self, tensor: Tensor) -> Tensor:
        """Begin to copy a computed tensor; return where its numbers will be, to be read after `wait`."""
        copy = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
        self._stream.wait_stream(torch.cuda.current_stream(tensor.device))
        with torch.cuda.stream(self._stream):
            copy.copy_(tensor, non_blocking=True)
        # the memory on the GPU is not given to another tensor before it has been read
        tensor.record_stream(self._stream)
        return copy

    def wait(self) -> None:
        """Wait until every copy begun has arrived."""
        self._stream.synchronize()
