"""What a process holds of the machine's memory, and giving back what it no longer needs.

The C library keeps what was freed, in a pool for each of many threads: a server in which every
visit is a thread grows by a few MB a visitor and never shrinks. All of it does nothing where the
system is not Linux or the C library not glibc.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
import threading
import time
from pathlib import Path

GIVE_BACK_SECONDS = 5.0
OPTIONS = {-8: 1, -3: 64 * 1024}
"""Of glibc's `mallopt`, by their numbers in malloc.h: one pool (M_ARENA_MAX), and what is larger
than 64 kB outside of it (M_MMAP_THRESHOLD), so that freeing it gives it back."""


def resident() -> float:
    """Bytes that this process holds; 0 where nobody can tell."""
    if sys.platform != "linux":
        return 0.0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def give_back() -> None:
    """Collect garbage, and return to the system what is free."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def keep_small() -> None:
    """From now on: one pool, and `give_back` at intervals, in a thread of its own."""
    with contextlib.suppress(AttributeError, OSError):
        for option, value in OPTIONS.items():
            ctypes.CDLL(None).mallopt(option, value)
    threading.Thread(target=_give_back_for_ever, daemon=True).start()


def _give_back_for_ever() -> None:
    # Not at once: a first page is being drawn.
    time.sleep(GIVE_BACK_SECONDS)
    give_back()
    # What is there now stays: it need not be looked through at every collection.
    gc.freeze()
    while True:
        time.sleep(GIVE_BACK_SECONDS)
        give_back()
