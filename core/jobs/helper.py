"""A second training process of this machine, which trains parts for the first."""

from __future__ import annotations

import os
import pickle
import threading
from typing import Any

from core.jobs.crew import Put
from core.jobs.process import ENVIRONMENT, OUTGROWN, Process
from core.parts import Part

PRELOAD = "core.training"
ALONE = {"PLATEAU_PROCESSES": "1", "PLATEAU_DASK": ""}
"""A helper has no helpers."""


class Helper:
    """A process that the first part starts, and that goes when this one does.

    Args:
        resident: bytes above which it is replaced between two parts.
    """

    def __init__(self, resident: float):
        self._resident = resident
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._put: Put | None = None
        self._result: tuple[str, Any] = "died", ""

    @property
    def pid(self) -> int | None:
        """The process's number in the system; None before the first part."""
        return None if self._process is None else self._process.pid

    def start(self, part: Part, put: Put) -> None:
        """As `core.jobs.crew.Place`."""
        self._put = put
        process = self._process
        if process is None:
            environment = {**ENVIRONMENT, **os.environ, **ALONE}
            try:
                # It may have exited before it is assigned here: `_on_exit` waits for that.
                with self._lock:
                    process = self._process = Process(
                        environment, PRELOAD, self._on_message, self._on_exit
                    )
            except OSError as error:
                self._end("died", f"Another training process does not start: {error}")
                return
        process.run(pickle.dumps(part))

    def cancel(self) -> None:
        """As `core.jobs.crew.Place`."""
        if (process := self._process) is not None:
            process.cancel()

    def close(self) -> None:
        """End the process."""
        if (process := self._process) is not None:
            process.kill("it was closed")
            process.wait()

    # --- from the process's own thread ------------------------------------------------------------

    def _on_message(self, process: Process, kind: str, value: Any, size: int) -> None:
        if kind == "event" and self._put is not None:
            self._put("event", value)
        elif kind in ("done", "failed"):
            self._result = kind, value
        elif kind == "idle":
            # The part ends only now: whoever hears of its result starts the next one.
            if value > self._resident:
                self._process = None
                process.kill(OUTGROWN)
            self._end(*self._result)

    def _on_exit(self, process: Process) -> None:
        with self._lock:
            ours = process is self._process
            if ours:
                self._process = None
        if ours:
            self._end("died", process.exit_message)

    def _end(self, kind: str, value: Any) -> None:
        put, self._put = self._put, None
        if put is not None:
            put(kind, value)
