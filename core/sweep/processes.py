"""An executor of processes on this machine, each of which is replaced alone when it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from core.sweep.chunk import set_environment

PROCESS_BYTES = 750 * 2**20
"""What a process with TensorFlow takes before it trains anything, and some reserve."""
WITHOUT = "sklearn"
"""Keras imports it where it is installed, and no training needs it."""


class Processes(Executor):
    """Processes of this machine, with one thread each.

    In a `ProcessPoolExecutor` a process that dies takes the work of all others with it. Here each
    process has a pool of its own, and the next work makes a new one in its place.

    Args:
        count: Of the processes; as many as cores and memory allow if None.

    Attributes:
        count: Of the processes.
    """

    def __init__(self, count: int | None = None):
        self.count = most_processes() if count is None else count
        if self.count < 1:
            raise ValueError(f"{count} processes cannot train anything; at least 1 can")
        self._lock = threading.Lock()
        self._slots = [_Slot() for _ in range(self.count)]
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Give work to the process with the least of it."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the processes were shut down")
            slot = min(self._slots, key=lambda each: each.unfinished)
            return slot.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._closed = True
        for slot in self._slots:
            if slot.pool is not None:
                slot.pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def kill(self) -> None:
        """End the processes, whatever they do, as soon as they are up."""
        with self._lock:
            self._closed = True
        for slot in self._slots:
            slot.kill()
        self.shutdown(wait=True, cancel_futures=True)

    @property
    def pids(self) -> list[int]:
        """The system's numbers of the processes that are up."""
        return [pid for slot in self._slots if (pid := slot.pid) is not None]


class _Slot:
    """One process, or its successor.

    Attributes:
        pool: With the one process; None before the first work.
    """

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self._given: list[Future] = []
        self._number: Future[int] | None = None

    def submit(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Future:
        try:
            future = self._running().submit(fn, *args, **kwargs)
        except BrokenProcessPool:
            self.pool = None
            future = self._running().submit(fn, *args, **kwargs)
        self._given.append(future)
        return future

    @property
    def unfinished(self) -> int:
        """How many pieces of work it has."""
        self._given = [future for future in self._given if not future.done()]
        return len(self._given)

    def kill(self) -> None:
        """End the process; one that starts has its number after a second or two."""
        if self._number is not None:
            with contextlib.suppress(BrokenProcessPool, ProcessLookupError):
                os.kill(self._number.result(), signal.SIGTERM)

    @property
    def pid(self) -> int | None:
        number = self._number
        up = number is not None and number.done() and number.exception() is None
        return number.result() if up and number is not None else None

    def _running(self) -> ProcessPoolExecutor:
        if self.pool is None:
            self.pool = ProcessPoolExecutor(1, get_context("spawn"), _begin)
            self._number = self.pool.submit(os.getpid)
        return self.pool


def _begin() -> None:
    # Ctrl+C in the terminal reaches this process too; the one that waits for it decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.modules[WITHOUT] = None  # type: ignore[assignment]
    set_environment()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def most_processes(each: float = 0) -> int:
    """How many processes the cores and the free memory of this machine allow, at least 1.

    Args:
        each: Bytes that one takes while it trains.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    free = _available()
    fitting = cores or 1 if free is None else int(free // (PROCESS_BYTES + each))
    return max(1, min(cores or 1, fitting))


def _available() -> int | None:
    """Bytes of memory that are free or can be freed; None where nobody can tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    return None
