"""How much memory there is; and the C library is asked to keep what is freed, not to give it back to the system.

Capturing a run takes tens of megabytes at once, and the system zeroes each fresh page when it is first touched:
docs/decisions/012-freed-memory.md.
"""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 512 * 2**20
# glibc takes no larger threshold.
_MAPPED_BYTES = 32 * 2**20


def keep_freed_memory() -> None:
    """Set it once, before any thread starts. Where the C library is another one, nothing happens."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    mallopt(_ARENA_MAX, 1)
    mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)


def memory_bytes() -> int:
    """Measure the memory in which a processor's models lie: the machine's, or less where a container has less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_container_limits(Path("/proc/self/cgroup"), Path("/sys/fs/cgroup"))])


def _container_limits(membership: Path, root: Path) -> Iterator[int]:
    """Read the limits, in bytes, of this process's control groups and of those around them (Linux).

    Of version 2 a line is `0::/path`, of version 1 `4:memory:/path`. Within a container the path may be the host's,
    which is not there: then the root holds the container's own limit.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top, name = (root / "memory", "memory.limit_in_bytes") if controllers else (root, "memory.max")
        inner = top / path.lstrip("/")
        for folder in (inner, *inner.parents):
            if not folder.is_relative_to(top):
                break
            try:
                yield int((folder / name).read_text(encoding="utf-8"))
            except (OSError, ValueError):  # there is none, or it is "max"
                continue
