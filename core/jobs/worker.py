"""The process that owns TensorFlow: trainings go in, events come out, a cancel takes an epoch.

    worker = Worker()                                       # once a server
    job = worker.submit(viewer, "64 runs", Train(experiment))
    job.state, job.events, job.result                       # read them at any time

The server never imports TensorFlow: it would cost every viewer 10 seconds at the start and a slow
page during each training. One process has it instead and runs one job at a time; `Worker` is the
server's end of it, decides whose turn it is, and replaces the process when it dies, hangs or has
grown too large. `serve`, at the end, is the process's own end.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import os
import pickle
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any, Protocol

from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.jobs import memory
from core.jobs.limits import (
    MEGABYTE,
    Limits,
    OverBudget,
    Price,
    Work,
    check,
    fewer_epochs,
    fewer_runs,
    price,
)
from core.log import note
from core.problems import PROBLEMS

DEFAULT_RUNS = 64
STARTING = "starting TensorFlow"
"""What a job waits for, in `Job.ahead`, while the process is not up."""
ATTEMPTS = 3
"""Starts in a row that may come to nothing before the waiting jobs are given up."""
BATCH_SECONDS = 0.05
"""Events closer together than this travel as one message: epochs can come 1,000 a second."""
START_SECONDS = 10
"""About how long a process takes to come up; a slow machine takes longer."""
BEAT_SECONDS = 0.5
"""How often the process says that it is alive, whatever its training does."""
TICK_SECONDS = 1.0
"""How often the server looks whether it has heard from the process."""
SILENCE = 60
"""Ticks without a word after which the process is replaced. Ticks, not seconds on a clock: a
machine that slept wakes up one tick later, and a busy one is slow at both ends. So many, because
TensorFlow can keep Python's lock for seconds while it compiles."""
OVERRUN = 2
"""A job that takes this many times the longest that is allowed is stopped: its price was wrong."""
RECYCLED = "it had grown too large"
FATAL = ("signal 6", "signal 9")
LESS_MEMORY = "Fewer runs, fewer rows or smaller batches need less."
SAME_AGAIN = "The same settings give the same result: press Train to see it again."
KEPT_SETTINGS = "Your settings are kept; press Train to start it again."

ROOT = Path(__file__).resolve().parents[2]
KEY = "PLATEAU_WORKER_KEY"
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
NOISE = re.compile(r"I\d{4} |WARNING: All log messages before absl::")
"""Lines that TensorFlow 2.21 prints whatever the log level; without oneDNN it would not, but then
its figures would no longer be those of Keras as people run it."""

# --- what can be asked for ----------------------------------------------------------------------


class Request(Protocol):
    """A job's work: small and picklable. `run` is called in the worker process only.

    Two attributes more are read where there are any. `work`, a tuple of `core.jobs.limits.Work`,
    says what it will train, for its price. `smaller` holds iterables of (words, request), each from
    the largest down, from which a refusal takes what would fit.
    """

    def run(self, on_event: Callable[[Any], None], should_stop: Callable[[], bool]) -> Any: ...


@dataclass(frozen=True)
class Train:
    """Stacked runs. Events: `core.history.Epoch`; result: `core.history.History`."""

    experiment: Experiment
    runs: int = DEFAULT_RUNS
    seed: int = 0

    def run(self, on_event, should_stop):
        from core.training import train

        return train(self.experiment, self.runs, self.seed, on_event, should_stop)

    @property
    def work(self) -> tuple[Work, ...]:
        return (Work((self.experiment,), self.runs),)

    @property
    def smaller(self) -> tuple[Iterator[tuple[str, Request]], ...]:
        return fewer_runs(self), fewer_epochs(self)


@dataclass(frozen=True)
class Fit:
    """One run through Keras's `fit`. Events and result as for `Train`."""

    experiment: Experiment
    seed: int = 0

    def run(self, on_event, should_stop):
        from core.reference import fit

        return fit(self.experiment, self.seed, on_event, should_stop)

    @property
    def work(self) -> tuple[Work, ...]:
        return (Work((self.experiment,), 1, plain=True),)

    @property
    def smaller(self) -> tuple[Iterator[tuple[str, Request]], ...]:
        return (fewer_epochs(self),)


@dataclass(frozen=True)
class Compare:
    """Every combination of some fixes. Events: `core.history.Progress`; result: `Comparison`."""

    experiment: Experiment
    fixes: tuple[Fix, ...]
    runs: int = 32
    seed: int = 0

    def run(self, on_event, should_stop):
        from core.comparison import compare

        fixes = {fix.key: fix for fix in self.fixes}
        return compare(self.experiment, fixes, self.runs, self.seed, on_event, should_stop)

    @property
    def work(self) -> tuple[Work, ...]:
        from core.comparison import distinct, plan

        planned = plan(self.experiment, {fix.key: fix for fix in self.fixes})
        return (Work(distinct(planned), self.runs),)

    @property
    def smaller(self) -> tuple[Iterator[tuple[str, Request]], ...]:
        counts = range(len(self.fixes) - 1, 0, -1)
        fewer_fixes = (
            (f"{count} fix{'es' * (count > 1)}", replace(self, fixes=self.fixes[:count]))
            for count in counts
        )
        return fewer_runs(self), fewer_fixes


def _as_asked(experiment: Experiment) -> Train:
    return Train(replace(experiment, training=replace(experiment.training, epochs=1)))


WARM_UP = tuple(
    (f"warming up the {problem.title.lower()}", _as_asked(problem.experiment))
    for problem in PROBLEMS.values()
)
"""Label and request of what the process does before anyone asks: compile the programs as asked."""

# --- the server's end ---------------------------------------------------------------------------


class Job:
    """Work that was asked for; a page holds it and reads it at any time.

    viewer: a session's id, None for the worker's own warm-up; label: what it is, in a few words
        that other viewers may read; kind: of request.
    price: what it was expected to take when it was asked for.
    state: "waiting", "running", "done", "failed" or "cancelled". The rest is complete when it
        becomes one of the last three.
    events: what the work reported so far; only ever appended to.
    result: what the work returned, in part only when it was cancelled while it ran; None for a
        job that failed or never ran, and once it had to make room for other results.
    error: why there is no result, for a person to read, or None.
    cancelling: it was asked to stop; it goes on to the end of its epoch.
    """

    def __init__(
        self, worker: Worker, viewer: str | None, label: str, request: Request, price: Price
    ):
        self.viewer, self.label, self.price = viewer, label, price
        self.kind = type(request).__name__
        self.state = "waiting"
        self.events: list[Any] = []
        self.result: Any = None
        self.error: str | None = None
        self.cancelling = False
        self._worker = worker
        # Pickled here, so that a request that cannot travel fails where it was made.
        self._payload = pickle.dumps(request)
        self._size = 0  # bytes of what it has sent
        self._started = self._stopped = None
        self._end = threading.Event()

    @property
    def ended(self) -> bool:
        return self.state not in ("waiting", "running")

    @property
    def ahead(self) -> tuple[str, ...]:
        """Labels of what comes first, what is running now at the front; () once this one runs."""
        return self._worker._ahead(self)

    @property
    def expected_wait(self) -> float:
        """About how many seconds it still waits, by the prices of what comes first."""
        return self._worker._expected_wait(self)

    @property
    def seconds(self) -> float:
        """Wall-clock time since it began to run, until it ended; 0 while it waits."""
        if self._started is None:
            return 0.0
        return (self._stopped or time.monotonic()) - self._started

    def cancel(self) -> None:
        """Leave the queue, or stop after the epoch that is running. Later than that: no effect."""
        self._worker._cancel(self)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has ended; False if that takes more than `timeout` seconds."""
        return self._end.wait(timeout)

    def _let_go(self) -> None:
        """Forget the result; `error` says so."""
        self.error = f"This result was let go: others needed the memory. {SAME_AGAIN}"
        self.result, self.events = None, []

    def _finish(self, state: str, result: Any = None, error: str | None = None) -> None:
        self.result, self.error = result, error
        self._stopped = time.monotonic()
        seconds = self._stopped - (self._started or self._stopped)
        figures = {"price": self.price.seconds, "seconds": seconds, "state": state}
        note("job", label=self.label, kind=self.kind, **figures)
        self.state = state  # last: whoever sees it finds the rest complete
        self._end.set()


class Worker:
    """Starts the process, keeps it alive, shares it among the viewers; safe with threads.

    A viewer has at most one waiting job: a newer one takes its place. Of the waiting viewers, the
    one who was served longest ago is next. The process ends by itself when this one does.

    A process that dies or says nothing for long is replaced, and its job fails with a message; one
    that rests above the bound for its memory is replaced between two jobs, and the next one waits
    for the new process. Nothing here looks at the time of day.

    environment: variables for the process, on top of this process's own.
    preload: module that the process imports before its first job.
    warm_up: labels and requests for the worker itself, done when nobody waits.
    limits: what a job may cost; those of the environment unless given.
    silence: ticks without a word from the process after which it is replaced.
    """

    def __init__(
        self,
        environment: dict[str, str] | None = None,
        preload: str = "core.training",
        warm_up: Sequence[tuple[str, Request]] = WARM_UP,
        limits: Limits | None = None,
        silence: int = SILENCE,
    ):
        self.limits = limits or Limits.from_environment()
        self._environment = {**os.environ, **ENVIRONMENT, **self.limits.environment()}
        self._environment |= environment or {}
        self._preload, self._warm_up, self._silence = preload, warm_up, silence
        # For all that follows; the methods below `close` need it held.
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._outbox: queue.SimpleQueue | None = None  # not None: the process is up
        self._idle = False  # the process waits for a job
        self._worn = False  # the process has done a viewer's job
        self._silent = 0  # ticks since the process was heard
        self._ending: str | None = None  # why the process was killed from here
        self._running: Job | None = None
        self._waiting: list[Job] = []
        self._chores: deque[Job] = deque()
        self._results: list[weakref.ref[Job]] = []  # who holds one, the latest at the right
        self._served: deque[str] = deque(maxlen=1_000)  # viewers, the latest at the right
        self._fruitless = 0  # deaths in a row that ended no viewer's job
        self._closed = False
        with self._lock:
            self._start()

    @property
    def ready(self) -> bool:
        """TensorFlow is imported and warm: a job starts at once or after another viewer's."""
        with self._lock:
            return self._is_ready()

    def submit(self, viewer: str, label: str, request: Request) -> Job:
        """Queue a request.

        Raises `core.jobs.limits.OverBudget` where it costs more than is allowed, what pickle
        raises, or RuntimeError if the worker is closed.
        """
        try:
            expected = check(request, self.limits)
        except OverBudget:
            kind, asked = type(request).__name__, price(request)
            figures = {"price": asked.seconds, "mb": asked.bytes / MEGABYTE}
            note("refusal", logging.WARNING, label=label, kind=kind, **figures)
            raise
        job = Job(self, viewer, label, request, expected)
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker is closed")
            older = next((other for other in self._waiting if other.viewer == viewer), None)
            if older is None:
                self._waiting.append(job)
            else:
                self._waiting[self._waiting.index(older)] = job
                older._finish("cancelled")
            if self._process is None:
                self._fruitless = 0
                self._start()
            self._advance()
        return job

    def close(self) -> None:
        """End the process and cancel every job. Calling it again does nothing."""
        with self._lock:
            self._closed = True
            jobs = [job for job in (self._running, *self._waiting) if job is not None]
            self._running, self._outbox = None, None
            self._waiting.clear()
            process = self._process
            if process is not None:
                process.kill()
        for job in jobs:
            job._finish("cancelled")
        if process is not None:
            process.wait()

    def _ahead(self, job: Job) -> tuple[str, ...]:
        with self._lock:
            if job not in self._waiting:
                return ()
            queued = self._in_turn()
            labels = [other.label for other in queued[: queued.index(job)]]
            if self._outbox is None:
                labels.insert(0, STARTING)
            elif self._running is not None:
                labels.insert(0, self._running.label)
            return tuple(labels)

    def _expected_wait(self, job: Job) -> float:
        with self._lock:
            if job not in self._waiting:
                return 0.0
            queued = self._in_turn()
            seconds = sum(other.price.seconds for other in queued[: queued.index(job)])
            if self._outbox is None:
                seconds += START_SECONDS
            elif self._running is not None:
                seconds += max(self._running.price.seconds - self._running.seconds, 0.0)
            return seconds

    def _cancel(self, job: Job) -> None:
        with self._lock:
            if job in self._waiting:
                self._waiting.remove(job)
                job._finish("cancelled")
            elif job is self._running:
                self._stop_running()

    # From here on: the lock is held, unless a method says otherwise.

    def _is_ready(self) -> bool:
        warming = self._running is not None and self._running.viewer is None
        return self._outbox is not None and not self._chores and not warming

    def _in_turn(self) -> list[Job]:
        """The waiting jobs in the order they will be served; who came first decides a tie."""
        latest = {viewer: place for place, viewer in enumerate(self._served)}
        return sorted(self._waiting, key=lambda job: latest.get(job.viewer, -1))

    def _advance(self) -> None:
        """Give the process something to do, if it is up and idle."""
        if self._outbox is None or not self._idle:
            return
        if self._waiting:
            job = self._in_turn()[0]
            self._waiting.remove(job)
            if job.viewer in self._served:
                self._served.remove(job.viewer)
            self._served.append(job.viewer)
        elif self._chores:
            job = self._chores.popleft()
        else:
            return
        self._running, self._idle = job, False
        job._started = time.monotonic()
        job.state = "running"
        self._outbox.put(("run", job._payload))

    def _stop_running(self) -> None:
        if not self._running.cancelling:
            self._running.cancelling = True
            self._outbox.put(("cancel", None))

    def _kill(self, why: str) -> None:
        """End the process; `_bury` starts the next one."""
        if self._ending is None:
            self._ending, self._outbox = why, None
            self._process.kill()

    def _start(self) -> None:
        self._chores = deque(
            Job(self, None, label, request, price(request)) for label, request in self._warm_up
        )
        self._idle = self._worn = False
        self._silent, self._ending = 0, None
        key = os.urandom(32)
        try:
            # A port of this machine is the same on every system. Standard input would not do: on
            # Windows, importing NumPy hangs while a thread reads it (numpy/numpy#24290).
            listener = Listener(("127.0.0.1", 0), authkey=key)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core.jobs.worker", str(listener.address[1]), self._preload],
                cwd=ROOT,
                env={**self._environment, KEY: key.hex()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._give_up(str(error))
            return
        note("worker", state="starting")
        for task, arguments in ((self._attend, (listener,)), (self._watch, ())):
            arguments = (self._process, *arguments)
            threading.Thread(target=task, args=arguments, daemon=True).start()

    def _watch(self, process: subprocess.Popen) -> None:
        """Replace a process that says nothing or does not stop; in a thread, without the lock."""
        job, ticks = None, 0
        most = OVERRUN * self.limits.seconds / TICK_SECONDS
        while True:
            time.sleep(TICK_SECONDS)
            with self._lock:
                if process is not self._process:
                    return
                self._silent += 1
                ticks = ticks + 1 if self._running is job else 0
                job = self._running
                if self._silent > self._silence:
                    self._kill("it did not answer any more")
                elif job is not None and ticks > most + self._silence:
                    self._kill("it took far longer than a training may")
                elif job is not None and ticks > most and self._outbox is not None:
                    self._stop_running()

    def _attend(self, process: subprocess.Popen, listener: Listener) -> None:
        """Read what the process says until it dies; in a thread of its own, without the lock."""
        words: deque[str] = deque(maxlen=1)
        echo = threading.Thread(target=_echo, args=(process, words, listener.address), daemon=True)
        echo.start()
        outbox: queue.SimpleQueue = queue.SimpleQueue()
        try:
            with listener:
                connection = listener.accept()
            threading.Thread(target=_pass_on, args=(outbox, connection), daemon=True).start()
            with connection:
                while True:
                    for message in connection.recv():
                        kind, value = pickle.loads(message)
                        with self._lock:
                            self._hear(kind, value, len(message), outbox)
        except (EOFError, OSError):
            pass  # its end of the connection is closed
        finally:
            outbox.put(None)
            try:
                code = process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()  # alive, but it can no longer be talked to
                code = process.wait()
            echo.join()
            with self._lock:
                self._bury(code, "".join(words))

    def _hear(self, kind: str, value: Any, size: int, outbox: queue.SimpleQueue) -> None:
        self._silent = 0
        if self._closed or self._ending is not None or kind == "alive":
            return
        if self._running is not None:
            self._running._size += size
        if kind == "up":
            self._outbox, self._idle = outbox, True
            note("worker", state="up")
        elif kind == "rest":
            self._idle = True
            # Only after a viewer's job: a bound below what the warm-up takes would never be met.
            if self._worn and value > self.limits.resident:
                note("recycle", mb=value / MEGABYTE)
                self._kill(RECYCLED)
        elif kind == "event":
            self._running.events.append(value)
        else:
            job, self._running = self._running, None
            if kind == "failed":
                job._finish("failed", error=value)
            else:
                # A cancel that comes during the last epoch finds nothing left to stop.
                partial = job.cancelling and getattr(value, "cancelled", True)
                job._finish("cancelled" if partial else "done", value)
                self._hold(job)
            if job.viewer is not None:
                self._fruitless, self._worn = 0, True
        self._advance()
        if self._is_ready():
            self._fruitless = 0

    def _hold(self, job: Job) -> None:
        """Count a result in, and let the oldest go where all of them are too much."""
        self._results.append(weakref.ref(job))
        # A job that no page holds any more is gone by itself.
        alive = [other for reference in self._results if (other := reference()) is not None]
        total = sum(other._size for other in alive)
        while total > self.limits.held and len(alive) > 1:
            oldest = alive.pop(0)
            total -= oldest._size
            oldest._let_go()
            note("release", label=oldest.label, kind=oldest.kind, mb=oldest._size / MEGABYTE)
        self._results = [weakref.ref(other) for other in alive]

    def _bury(self, code: int, last_words: str) -> None:
        """Say what the death of the process meant, and start the next one."""
        self._process = self._outbox = None
        job, self._running = self._running, None
        if self._closed:
            return
        if self._ending == RECYCLED:
            self._start()
            return
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        note("worker", logging.ERROR, state="died", how=self._ending or how)
        if job is not None and job.viewer is not None:
            # It took a job with it, so starting again can only go on until the queue is empty.
            job._finish("failed", error=f"{_obituary(self._ending, how)} {KEPT_SETTINGS}")
        else:
            self._fruitless += 1
        if self._fruitless < ATTEMPTS:
            self._start()
        else:
            self._give_up(last_words or how)

    def _give_up(self, reason: str) -> None:
        for job in self._waiting:
            job._finish("failed", error=f"The training process does not start: {reason}")
        self._waiting.clear()


def _obituary(ending: str | None, how: str) -> str:
    if ending is not None:
        return f"The training process was restarted: {ending}."
    text = f"The training process stopped unexpectedly ({how})."
    # How a system ends a process that takes too much memory, and how C++ does.
    return f"{text} It may have run out of memory. {LESS_MEMORY}" if how in FATAL else text


def _pass_on(outbox: queue.SimpleQueue, connection: Connection) -> None:
    """Send what is put into the outbox, until None: the lock is not held while a send waits."""
    # If the process has just died, `_attend` finds out and says so.
    with contextlib.suppress(OSError):
        while (message := outbox.get()) is not None:
            connection.send(message)


def _echo(process: subprocess.Popen, words: deque[str], address: tuple[str, int]) -> None:
    """Pass on what the process prints, keep its last line, and make its death be noticed."""
    with process.stdout:
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            if text and not NOISE.match(text):
                words.append(text)
                # A full disk or a closed terminal must not end the reading: the process would
                # wait for it for ever.
                with contextlib.suppress(OSError, ValueError):
                    print(text, file=sys.stderr)
    # If it died before it connected, accept() would wait for ever: knock in its place.
    with contextlib.suppress(OSError):
        socket.create_connection(address, timeout=1).close()


# --- the process's end --------------------------------------------------------------------------


def serve(port: int, key: bytes, preload: str) -> None:
    """Run the jobs that come in, one after the other, until the connection ends."""
    # Ctrl+C in the server's terminal reaches this process too; the server's end is what ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)  # the server comes first: a page does not wait for a training
    connection = Client(("127.0.0.1", port), authkey=key)
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    outbox: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, inbox), daemon=True).start()
    threading.Thread(target=_transmit, args=(connection, outbox), daemon=True).start()

    def say(kind: str, value: Any = None) -> None:
        outbox.put(pickle.dumps((kind, value)))

    threading.Thread(target=_beat, args=(say,), daemon=True).start()
    limits = Limits.from_environment()
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # The disk is full. Importing TensorFlow asks for this directory, but puts nothing there.
        tempfile.tempdir = os.curdir
    importlib.import_module(preload)
    say("up")
    while True:
        payload, stop = inbox.get()
        exhausted = False
        try:
            request = pickle.loads(payload)
            check(request, limits)
            say("done", request.run(lambda event: say("event", event), stop.is_set))
        except (InvalidExperiment, OverBudget) as error:
            say("failed", str(error))
        except Exception as error:
            traceback.print_exc()
            # NumPy's and Python's own, and TensorFlow's, whose class cannot be named without it.
            exhausted = (
                isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__
            )
            what = traceback.format_exception_only(type(error), error)[-1].strip()
            what = f"There was not enough memory. {LESS_MEMORY}" if exhausted else what
            say("failed", f"The training stopped with an error. {what}")
        payload = request = None
        # After a failed allocation nobody knows what state TensorFlow is in: a new process does.
        memory.give_back()
        say("rest", math.inf if exhausted else memory.resident())


def _beat(say: Callable[[str], None]) -> None:
    while True:
        say("alive")
        time.sleep(BEAT_SECONDS)


def _receive(connection: Connection, inbox: queue.SimpleQueue) -> None:
    stop = threading.Event()
    try:
        while True:
            kind, payload = connection.recv()
            if kind == "run":
                stop = threading.Event()
                inbox.put((payload, stop))
            else:
                # The server sends a job only after the one before has ended, so a cancel that
                # crosses a result on the way never meets the next job.
                stop.set()
    except (EOFError, OSError):
        os._exit(0)  # the server is gone, and the main thread may be deep in a training


def _transmit(connection: Connection, outbox: queue.SimpleQueue) -> None:
    while True:
        batch = [outbox.get()]
        while not outbox.empty():
            batch.append(outbox.get())
        connection.send(batch)
        time.sleep(BATCH_SECONDS)


if __name__ == "__main__":
    # Not this module but the one that requests are unpickled from, so that there is only one.
    from core.jobs.worker import serve as _serve

    _serve(int(sys.argv[1]), bytes.fromhex(os.environ.pop(KEY)), sys.argv[2])
