"""A job: work that was submitted to the worker, as a page holds it."""

from __future__ import annotations

import pickle
import threading
import time
from typing import Any, Literal, Protocol

import numpy as np

from core.costs import Price
from core.jobs.requests import Request
from core.log import note

State = Literal["waiting", "running", "done", "failed", "cancelled"]

RELEASED = (
    "This result was let go: others needed the memory. The same settings give the same result: "
    "press Train to see it again."
)


class Scheduler(Protocol):
    """What a job asks of whoever runs it."""

    def ahead(self, job: Job) -> tuple[str, ...]: ...

    def expected_wait(self, job: Job) -> float: ...

    def cancel(self, job: Job) -> None: ...


class Job:
    """Work that was submitted; a page may read it at any time, wait for it and cancel it.

    `start`, `add`, `finish`, `forget_events` and `release` are for the scheduler.

    Attributes:
        viewer: a session's id, None for the worker's own warm-up.
        label: what it is, in a few words that other viewers may read.
        kind: class name of its request.
        price: what it was expected to take when it was submitted.
        payload: its request, pickled.
        state: "waiting", "running", "done", "failed" or "cancelled". The rest is complete when it
            becomes one of the last three.
        events: what the work reported so far; only ever appended to. A training's are forgotten
            once it has ended: they are parts of its result.
        result: what the work returned, in part only when it was cancelled while it ran; None for
            a job that failed or never ran, and once it had to make room for other results.
        error: why there is no result, for a person to read, or None.
        scores: float (runs,), the final scores of a training whose result had to make room; None
            for all other jobs.
        cancelling: it was asked to stop; it goes on to the end of its epoch.
        size: bytes of its events and result as they came from the training process.
        started, stopped: when, in seconds of the monotonic clock, or None.
    """

    def __init__(
        self, scheduler: Scheduler, viewer: str | None, label: str, request: Request, price: Price
    ):
        self.viewer, self.label, self.price = viewer, label, price
        self.kind = type(request).__name__
        # Pickled here, so that a request that cannot travel fails where it was made.
        self.payload = pickle.dumps(request)
        self.state: State = "waiting"
        self.events: list[Any] = []
        self.result: Any = None
        self.error: str | None = None
        self.scores: np.ndarray | None = None
        self.cancelling = False
        self.size = 0
        self.started: float | None = None
        self.stopped: float | None = None
        self._scheduler = scheduler
        self._reported = 0  # bytes of the events
        self._ended = threading.Event()

    @property
    def ended(self) -> bool:
        return self.state not in ("waiting", "running")

    @property
    def ahead(self) -> tuple[str, ...]:
        """Labels of what comes first, what is running now at the front; () once this one runs."""
        return self._scheduler.ahead(self)

    @property
    def expected_wait(self) -> float:
        """About how many seconds it still waits, by the prices of what comes first."""
        return self._scheduler.expected_wait(self)

    @property
    def seconds(self) -> float:
        """Wall-clock time since it began to run, until it ended; 0 while it waits."""
        if self.started is None:
            return 0.0
        return (self.stopped or time.monotonic()) - self.started

    def cancel(self) -> None:
        """Leave the queue, or stop after the epoch that is running. Later than that: no effect."""
        self._scheduler.cancel(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended; False if that takes more than `timeout` seconds."""
        return self._ended.wait(timeout)

    # --- for the scheduler ------------------------------------------------------------------------

    def start(self) -> None:
        """It begins to run."""
        self.started = time.monotonic()
        self.state = "running"

    def add(self, event: Any, size: int) -> None:
        """Its work reports something, in a message of `size` bytes."""
        self.size += size
        self._reported += size
        self.events.append(event)

    def finish(
        self, state: State, result: Any = None, error: str | None = None, size: int = 0
    ) -> None:
        """It ends as "done", "failed" or "cancelled"; the result came as `size` bytes."""
        self.result, self.error = result, error
        self.size += size
        self.stopped = time.monotonic()
        note(
            "job",
            label=self.label,
            kind=self.kind,
            price=self.price.seconds,
            seconds=self.seconds,
            state=state,
        )
        self.state = state  # last: whoever sees it finds the rest complete
        self._ended.set()

    def forget_events(self) -> None:
        """Forget what was reported, of a result that has all of it."""
        self.events = []
        self.size -= self._reported
        self._reported = 0

    def release(self, scores: np.ndarray | None) -> None:
        """Forget the result, but for a training's final scores, and the events; `error` says so."""
        self.scores = scores
        self.error = RELEASED
        self.result, self.events = None, []
