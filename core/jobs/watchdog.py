"""When a training process counts as hanging, and when its job has run for too long."""

from __future__ import annotations

TICK_SECONDS = 1.0
"""How often the worker looks whether it has heard from the process."""
SILENCE = 60
"""Ticks without a message after which the process is replaced. So many, because TensorFlow can
keep Python's lock for seconds while it compiles."""
OVERRUN = 2
"""A job that takes this many times the longest that is allowed is stopped: its price was wrong."""

STOP = "stop the job"
SILENT = "it did not answer any more"
OVERDUE = "it took far longer than a training may"


class Watchdog:
    """Counts ticks of silence and of the running job. Not safe with threads.

    Ticks, not seconds on a clock: a machine that slept wakes up one tick later, and a busy one is
    slow at both ends.

    Args:
        silence: ticks without a message that the process may let pass.
        seconds: the longest that a job may be expected to take.
    """

    def __init__(self, silence: int, seconds: float):
        self.silence = silence
        self.longest = OVERRUN * seconds / TICK_SECONDS
        self._silent = 0
        self._running = 0
        self._job: object | None = None

    def heard(self) -> None:
        """The process said something."""
        self._silent = 0

    def tick(self, job: object | None) -> str | None:
        """One tick has passed.

        Args:
            job: the one that is running now, or None.

        Returns:
            STOP where the job should be asked to stop; SILENT or OVERDUE, the reason why the
            process should be replaced; None where all is well.
        """
        self._silent += 1
        self._running = self._running + 1 if job is self._job else 0
        self._job = job
        if self._silent > self.silence:
            return SILENT
        if job is None or self._running <= self.longest:
            return None
        return OVERDUE if self._running > self.longest + self.silence else STOP
