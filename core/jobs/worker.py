"""Run training jobs in one subprocess: fair queue, progress events, cooperative cancellation.

    worker = Worker()                                       # once a server
    job = worker.submit(viewer, "64 runs", Train(experiment))
    job.state, job.events, job.result                       # read them at any time

The server never imports TensorFlow: it would cost every viewer 10 seconds at the start and a slow
page during each training. One subprocess has it instead and runs one job at a time; the worker
decides whose turn it is, and replaces the process when it dies, hangs or has grown too large.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Literal

from core.costs import MEGABYTE, price
from core.jobs import requests, sharing
from core.jobs.job import Job
from core.jobs.limits import Limits, OverBudget, check, price_within
from core.jobs.process import ENVIRONMENT, OUTGROWN, Process
from core.jobs.queue import FairQueue
from core.jobs.requests import Request
from core.jobs.results import Results
from core.jobs.watchdog import SILENCE, STOP, TICK_SECONDS, Watchdog
from core.log import note

STARTING = "starting TensorFlow"
"""What a job waits for, in `Job.ahead`, while the process is not up."""
ATTEMPTS = 3
"""Starts in a row that may come to nothing before the waiting jobs are given up."""
START_SECONDS = 10
"""About how long a process takes to come up; a slow machine takes longer."""
CLOSED = "the worker was closed"
KEPT_SETTINGS = "Your settings are kept; press Train to start it again."


class Worker:
    """Starts the process, keeps it alive, shares it among the viewers; safe with threads.

    A viewer has at most one waiting job: a newer one takes its place. Of the waiting viewers, the
    one who was served longest ago is next. The process ends by itself when this one does.

    A process that dies or says nothing for long is replaced, and its job fails with a message; one
    that holds more than its bound of memory is replaced between two jobs, and the next one waits
    for the new process. Nothing here looks at the time of day.

    Args:
        environment: variables for the process, on top of this process's own.
        preload: module that the process imports before its first job.
        warm_up: labels and requests for the worker itself, done when nobody waits; those of
            `core.jobs.requests.warm_up` unless given.
        limits: what a job may cost; those of the environment unless given.
        processes: of this machine that share long trainings; those of the environment, or one,
            unless given.
        silence: ticks without a message from the process after which it is replaced.
    """

    def __init__(
        self,
        environment: dict[str, str] | None = None,
        preload: str = "core.training",
        warm_up: Sequence[tuple[str, Request]] | None = None,
        limits: Limits | None = None,
        silence: int = SILENCE,
        processes: int | None = None,
    ):
        processes = sharing.processes(hosted=True) if processes is None else processes
        self._own_limits = limits or Limits.from_environment()
        self.limits = self._own_limits.shared(processes)
        self._environment = {**os.environ, **ENVIRONMENT, **self.limits.environment()}
        self._environment |= {sharing.PROCESSES: str(processes), **(environment or {})}
        self._preload, self._warm_up, self._silence = preload, warm_up, silence
        # For all that follows; the methods after `cancel` need it held.
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._status: Literal["starting", "idle", "busy"] = "starting"
        self._watchdog = Watchdog(silence, self.limits.seconds)
        self._running: Job | None = None
        self._queue: FairQueue[Job] = FairQueue()
        self._warm_up_jobs: deque[Job] = deque()
        self._results = Results(self.limits.held)
        self._used = False  # the process has done a viewer's job
        self._vain_starts = 0  # starts in a row after which no viewer's job ended
        self._closed = False
        with self._lock:
            self._start()

    @property
    def ready(self) -> bool:
        """TensorFlow is imported and warm: a job starts at once or after another viewer's."""
        with self._lock:
            return self._is_ready()

    @property
    def pid(self) -> int | None:
        """The training process's number in the system; None while there is none."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def submit(self, viewer: str, label: str, request: Request) -> Job:
        """Queue a request.

        Args:
            viewer: a session's id; its waiting job is cancelled and this one takes its turn.
            label: what it is, in a few words that other viewers may read.
            request: what to do; what pickle raises where it cannot travel is raised here.

        Raises:
            core.jobs.limits.OverBudget: it costs more than is allowed.
            RuntimeError: the worker is closed.
        """
        try:
            expected = check(request, self.limits)
        except OverBudget:
            cost = price_within(request, self.limits)
            note(
                "refusal",
                logging.WARNING,
                label=label,
                kind=type(request).__name__,
                price=cost.seconds,
                mb=cost.bytes / MEGABYTE,
            )
            raise
        job = Job(self, viewer, label, request, expected)
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker is closed")
            replaced = self._queue.put(viewer, job)
            if replaced is not None:
                replaced.finish("cancelled")
            if self._process is None:
                self._vain_starts = 0
                self._start()
            self._advance()
        return job

    def close(self) -> None:
        """End the process and cancel every job. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            jobs = self._queue.clear()
            if self._running is not None:
                jobs.insert(0, self._running)
            self._running, self._status = None, "starting"
            process = self._process
            if process is not None:
                process.kill(CLOSED)
        for job in jobs:
            job.finish("cancelled")
        if process is not None:
            process.wait()

    # --- what a job asks --------------------------------------------------------------------------

    def ahead(self, job: Job) -> tuple[str, ...]:
        """Labels of what comes before a job, what is running at the front; () once it runs."""
        with self._lock:
            if job not in self._queue:
                return ()
            labels = [other.label for other in self._queue.ahead_of(job)]
            if self._status == "starting":
                labels.insert(0, STARTING)
            elif self._running is not None:
                labels.insert(0, self._running.label)
            return tuple(labels)

    def expected_wait(self, job: Job) -> float:
        """About how many seconds a job still waits, by the prices of what comes before it."""
        with self._lock:
            if job not in self._queue:
                return 0.0
            seconds = sum(other.price.seconds for other in self._queue.ahead_of(job))
            if self._status == "starting":
                seconds += START_SECONDS
            elif self._running is not None:
                seconds += max(self._running.price.seconds - self._running.seconds, 0.0)
            return seconds

    def cancel(self, job: Job) -> None:
        """Take a job out of the queue, or ask it to stop where it runs."""
        with self._lock:
            if job in self._queue:
                self._queue.remove(job)
                job.finish("cancelled")
            elif job is self._running:
                self._stop_running()

    # --- the lock is held from here on, unless a method says otherwise ----------------------------

    def _is_ready(self) -> bool:
        warming = self._running is not None and self._running.viewer is None
        return self._status != "starting" and not self._warm_up_jobs and not warming

    def _advance(self) -> None:
        """Give the process something to do, if it is idle."""
        if self._process is None or self._status != "idle":
            return
        job = self._queue.pop()
        if job is None and self._warm_up_jobs:
            job = self._warm_up_jobs.popleft()
        if job is None:
            return
        self._running, self._status = job, "busy"
        job.start()
        self._process.run(job.payload)

    def _stop_running(self) -> None:
        job, process = self._running, self._process
        if job is not None and process is not None and not job.cancelling:
            job.cancelling = True
            process.cancel()

    # --- the process: its start, its messages, its exit -------------------------------------------

    def _start(self) -> None:
        warm_up = requests.warm_up() if self._warm_up is None else self._warm_up
        self._warm_up_jobs = deque(
            Job(self, None, label, request, price(request)) for label, request in warm_up
        )
        self._status, self._used = "starting", False
        self._watchdog = Watchdog(self._silence, self.limits.seconds)
        try:
            process = Process(self._environment, self._preload, self._on_message, self._on_exit)
        except OSError as error:
            self._give_up(str(error))
            return
        self._process = process
        note("worker", state="starting")
        threading.Thread(target=self._watch, args=(process,), daemon=True).start()

    def _replace(self, why: str) -> None:
        """End the process; `_on_exit` starts the next one."""
        if self._process is not None and self._process.ending is None:
            self._status = "starting"
            self._process.kill(why)

    def _watch(self, process: Process) -> None:
        """Replace a process that hangs, stop a job that overruns; in a thread, takes the lock."""
        while True:
            time.sleep(TICK_SECONDS)
            with self._lock:
                if process is not self._process:
                    return
                advice = self._watchdog.tick(self._running)
                if advice == STOP:
                    self._stop_running()
                elif advice is not None:
                    self._replace(advice)

    def _on_message(self, process: Process, kind: str, value: Any, size: int) -> None:
        """A message as `core.jobs.child` describes them; takes the lock."""
        with self._lock:
            self._watchdog.heard()
            if self._closed or process.ending is not None or kind == "heartbeat":
                return
            job = self._running
            if kind == "ready":
                self._status = "idle"
                note("worker", state="up")
            elif kind == "idle":
                self._on_idle(value)
            elif kind == "workers":
                self.limits = self._own_limits.shared(*value)
            elif job is not None and kind == "event":
                job.add(value, size)
            elif job is not None:
                self._on_end(job, kind, value, size)
            self._advance()
            if self._is_ready():
                self._vain_starts = 0

    def _on_idle(self, resident: float) -> None:
        self._status = "idle"
        # Only after a viewer's job: a bound below what the warm-up takes would never be met.
        if self._used and resident > self.limits.resident:
            note("recycle", mb=resident / MEGABYTE)
            self._replace(OUTGROWN)

    def _on_end(self, job: Job, kind: str, value: Any, size: int) -> None:
        self._running = None
        if kind == "failed":
            job.finish("failed", error=value, size=size)
        else:
            # A cancel that comes during the last epoch finds nothing left to stop.
            partial = job.cancelling and getattr(value, "cancelled", True)
            job.finish("cancelled" if partial else "done", value, size=size)
            self._results.add(job)
        if job.viewer is not None:
            self._vain_starts, self._used = 0, True

    def _on_exit(self, process: Process) -> None:
        """Say what the exit of the process meant, and start the next one; takes the lock."""
        with self._lock:
            self._process, self._status = None, "starting"
            job, self._running = self._running, None
            if self._closed:
                return
            if process.ending == OUTGROWN:
                self._start()
                return
            note("worker", logging.ERROR, state="died", how=process.ending or process.exit)
            if job is not None and job.viewer is not None:
                # It took a job with it, so starting again can only go on until the queue is empty.
                job.finish("failed", error=f"{process.exit_message} {KEPT_SETTINGS}")
            else:
                self._vain_starts += 1
            if self._vain_starts < ATTEMPTS:
                self._start()
            else:
                self._give_up(process.last_line or process.exit)

    def _give_up(self, reason: str) -> None:
        for job in self._queue.clear():
            job.finish("failed", error=f"The training process does not start: {reason}")
