"""Imported by the reading process first: what it needs, and its bound of memory."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import core.script.tree  # noqa: F401
from core.jobs.reading import LIMIT, MEGABYTES
from core.script.budget import Budget
from core.script.learn import load

MEGABYTE = 2**20


def limit_memory(megabytes: int) -> None:
    """Refuse this process more than so much memory from here on, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        held = pages * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (held + megabytes * MEGABYTE, hard))


load(Budget())
limit_memory(int(os.environ.get(LIMIT, MEGABYTES)))
