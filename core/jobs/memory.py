"""What a process holds of the machine's memory, and returning what it no longer needs.

The C library keeps what was freed for the next allocation. All of it does nothing where the system
is not Linux or the C library not glibc. Collecting garbage or trimming at intervals, `gc.freeze`
and a single arena were measured with `python -m benchmarks.load` and saved nothing more.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

M_MMAP_THRESHOLD = -3
"""The option's number in glibc's malloc.h."""
LARGE = 64 * 1024
"""Bytes from which an allocation is mapped on its own, so that freeing it returns it. By default
the bound grows with what is freed; a server with 30 visitors then holds 243 MB instead of 221."""


def resident() -> float:
    """Bytes that this process holds; 0 where nobody can tell."""
    if sys.platform != "linux":
        return 0.0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def return_free() -> None:
    """Return to the system what is free now: about 100 MB after the first training."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def return_large() -> None:
    """From now on, return large allocations as soon as they are freed."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
