"""What a process holds of the machine's memory, and returning what it no longer needs.

The C library keeps what was freed for the next allocation. All of it does nothing where the system
is not Linux or the C library not glibc. Collecting garbage or trimming at intervals and `gc.freeze`
were measured with `python -m benchmarks.load` and saved nothing more.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""The options' numbers in glibc's malloc.h."""
LARGE = 64 * 1024
"""Bytes from which an allocation is mapped on its own, so that freeing it returns it. By default
the bound grows with what is freed; a server with 30 visitors then holds 243 MB instead of 221."""


def resident() -> float:
    """Bytes that this process holds; 0 where nobody can tell."""
    return float(_pages()[1]) if sys.platform == "linux" else 0.0


def address_space() -> int:
    """Bytes of addresses that this process has. Raises OSError where the system is not Linux."""
    return _pages()[0]


def _pages() -> tuple[int, int]:
    """Bytes of addresses, and of memory."""
    addresses, held, *_ = map(int, Path("/proc/self/statm").read_text().split())
    size = os.sysconf("SC_PAGE_SIZE")
    return addresses * size, held * size


def return_free() -> None:
    """Return to the system what is free now: about 100 MB after the first training."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_little() -> None:
    """From now on, return large allocations as soon as they are freed, and share what is kept.

    By default, threads get up to eight arenas a processor, each with its own freed memory; a server
    with 50 visitors then holds 4 MB more. Python's threads take turns anyway. The arenas that there
    are by now stay, so call it early.
    """
    with contextlib.suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
        library.mallopt(M_ARENA_MAX, 1)
