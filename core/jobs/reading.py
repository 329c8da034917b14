"""Read and patch scripts in a process of their own, bounded in time and memory.

    reader = Reader()                       # once a server
    reading = reader.read(source)           # a core.script.Reading
    others = reader.baselines(rows)         # a core.baselines.Baselines

A paste is evaluated by a whitelist that has its own bounds; this process is the second wall. It is
kept warm, and replaced where it dies or takes too long. It has scikit-learn, which the server and
the training process never import, and no TensorFlow.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from core.baselines import Baselines, Sample
from core.experiment import Experiment
from core.jobs.memory import address_space
from core.jobs.process import Process

SECONDS = 2.0
"""Of the process's own time that a reading may take."""
MEGABYTES = 200
"""That a reading may take, beyond what the process holds before it."""
MOST_KEPT = 2
"""Times as much may stay from earlier requests, mostly libraries that they imported."""
FITTING_SECONDS = 8.0
"""That the models of `baselines` may take."""
WITH_TABLE = 3
"""Times as long a reading may take with an uploaded table."""
BUSY = 10.0
"""Seconds on the clock before it is killed from here: on a busy machine its own pass slowly."""
START_SECONDS = 60
LIMIT = "PLATEAU_READING_MEGABYTES"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""More threads take address space, and make no reading faster."""


class NotRead(RuntimeError):
    """What cannot be done within the limits; the message says which."""


@dataclass(frozen=True)
class Read:
    """A request to read a script or a saved network.

    The arguments are those of `core.script.read`; a table may be a `core.script.tables.Uploaded`.

    Attributes:
        saved: The content of a file that Keras saved, in place of a script.
    """

    source: str
    table: Any = None
    answers: Mapping[str, Any] | None = None
    saved: bytes | None = None

    def run(self, on_event: Any, should_stop: Any) -> Any:
        """The reading, or why there is none."""
        with limited(1 if self.table is None else WITH_TABLE):
            return refusing(self._reading)

    def _reading(self) -> Any:
        from core.script import read, read_saved

        if self.saved is not None:
            return read_saved(self.saved, rows_of(self.table), self.answers)
        return read(self.source, rows_of(self.table), self.answers)


@dataclass(frozen=True)
class Describe:
    """A request to say what is in a `core.script.tables.Uploaded`."""

    table: Any

    def run(self, on_event: Any, should_stop: Any) -> Any:
        """The `core.script.tables.Facts`, or why there are none."""
        with limited(WITH_TABLE):
            return refusing(self.table.facts)


@dataclass(frozen=True)
class Unpack:
    """A request for the code of a notebook, and what it has printed."""

    content: bytes

    def run(self, on_event: Any, should_stop: Any) -> Any:
        """The two texts, or why there are none."""
        with limited():
            return refusing(self._texts)

    def _texts(self) -> tuple[str, str]:
        from core.script.normalise import notebook
        from core.script.uploads import BadUpload

        code, printed = notebook(self.content.decode("utf-8", "replace"))
        if code is None:
            raise BadUpload("it is no notebook")
        return code, "\n".join(printed)


@dataclass(frozen=True)
class Patch:
    """A request to patch a script; the arguments are those of `core.script.patch`.

    A table may be a `core.script.tables.Uploaded`.
    """

    source: str
    before: Experiment
    after: Experiment
    table: Any = None
    answers: Mapping[str, Any] | None = None

    def run(self, on_event: Any, should_stop: Any) -> Any:
        """The patched script, or the `CannotPatch` that was raised."""
        with limited(2 if self.table is None else 2 * WITH_TABLE):
            return refusing(self._patched)

    def _patched(self) -> str:
        from core.script import patch

        table = rows_of(self.table)
        return patch(self.source, self.before, self.after, table=table, answers=self.answers)


@dataclass(frozen=True)
class Mend:
    """A request for the edit after which Keras takes a script; as `core.script.mended`."""

    source: str
    table: Any = None
    answers: Mapping[str, Any] | None = None

    def run(self, on_event: Any, should_stop: Any) -> Any:
        """The patched script, or the `CannotPatch` that was raised."""
        with limited(2 if self.table is None else 2 * WITH_TABLE):
            return refusing(self._mended)

    def _mended(self) -> str:
        from core.script import mended

        return mended(self.source, rows_of(self.table), self.answers)


def rows_of(table: Any) -> Any:
    """The rows of an uploaded file; any other table as it is."""
    rows = getattr(table, "rows", None)
    return rows() if callable(rows) else table


def refusing(work: Any) -> Any:
    """What a function returns, or the reason why it does not.

    An error that nobody expected is named without its text, which may quote the paste: what is
    pasted or uploaded is not for the log.
    """
    from core.script import CannotPatch
    from core.script.uploads import BadUpload

    try:
        return work()
    except CannotPatch as error:
        return error
    except BadUpload as error:
        return NotRead(f"The file cannot be used: {error}.")
    except MemoryError:
        return NotRead("The script takes more memory than there is for a reading.")
    except Exception as error:
        return NotRead(f"The script could not be read: {type(error).__name__}.")


@dataclass(frozen=True)
class Fit:
    """A request to fit other models to the rows of an experiment."""

    rows: Sample

    def run(self, on_event: Any, should_stop: Any) -> Any:
        """The `Baselines`, or None."""
        from core.baselines import cross_validated

        with limited(FITTING_SECONDS / SECONDS):
            return cross_validated(self.rows)


@contextlib.contextmanager
def limited(readings: float = 1) -> Iterator[None]:
    """Bound what this process takes, where the system can: memory, and the time of readings.

    The system ends the process once it has used the time of so many of them: nothing else would end
    a call of C code that does not return.
    """
    _limit_memory()
    timer = getattr(signal, "setitimer", None)  # Windows has none
    if timer is not None:
        timer(signal.ITIMER_PROF, readings * SECONDS)
    try:
        yield
    finally:
        if timer is not None:
            timer(signal.ITIMER_PROF, 0)


_held_at_first = cache(address_space)
"""Bytes that the process holds before its first request."""


def _limit_memory() -> None:
    """Refuse this process more memory than a reading may take on top of what it holds."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        bound = int(os.environ.get(LIMIT, MEGABYTES)) * 2**20
        held = min(address_space(), _held_at_first() + MOST_KEPT * bound)
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (held + bound, hard))


class Reader:
    """Starts the reading process and asks it, one script after the other; safe with threads.

    Args:
        seconds: That a reading may take.
        megabytes: That a reading may take.
    """

    def __init__(self, seconds: float = SECONDS, megabytes: int = MEGABYTES):
        self._seconds, self._megabytes = seconds, megabytes
        self._turn = threading.Lock()
        self._starting = threading.Lock()
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._process: Process | None = None
        self._closed = False
        self._start()

    @property
    def pid(self) -> int | None:
        """The process's number in the system; None while there is none."""
        return None if self._process is None else self._process.pid

    def read(
        self,
        source: str,
        table: Any = None,
        answers: Mapping[str, Any] | None = None,
        saved: bytes | None = None,
    ) -> Any:
        """A `core.script.Reading`, as `core.script.read` gives it.

        Raises:
            NotRead: If it takes too much time or memory, or a file is none that can be used.
        """
        seconds = self._seconds * (1 if table is None else WITH_TABLE)
        return self._ask(Read(source, table, answers, saved), seconds)

    def describe(self, table: Any) -> Any:
        """The `core.script.tables.Facts` of a `core.script.tables.Uploaded`.

        Raises:
            NotRead: If it takes too much time or memory, or is no table.
        """
        return self._ask(Describe(table), WITH_TABLE * self._seconds)

    def unpack(self, content: bytes) -> tuple[str, str]:
        """The code of a notebook as one script, and what its cells have printed.

        Raises:
            NotRead: If it takes too much time or memory, or is no notebook.
        """
        return self._ask(Unpack(content), self._seconds, "The notebook")

    def patch(
        self,
        source: str,
        before: Experiment,
        after: Experiment,
        table: Any = None,
        answers: Mapping[str, Any] | None = None,
    ) -> str:
        """The patched script, as `core.script.patch` gives it.

        Raises:
            CannotPatch: If the script has no place for the edit.
            NotRead: If it takes too much time or memory.
        """
        seconds = 2 * self._seconds * (1 if table is None else WITH_TABLE)
        return self._ask(Patch(source, before, after, table, answers), seconds)

    def mend(self, source: str, table: Any = None, answers: Any = None) -> str:
        """The script after which Keras takes what it refuses, as `core.script.mended` gives it.

        Raises:
            CannotPatch: If no such edit is known.
            NotRead: If it takes too much time or memory.
        """
        seconds = 2 * self._seconds * (1 if table is None else WITH_TABLE)
        return self._ask(Mend(source, table, answers), seconds)

    def baselines(self, rows: Sample | None) -> Baselines | None:
        """What other models reach on these rows, as `core.baselines.cross_validated` gives it.

        Raises:
            NotRead: If it takes too much time or memory.
        """
        return (
            None if rows is None else self._ask(Fit(rows), FITTING_SECONDS, "Fitting other models")
        )

    def close(self) -> None:
        """End the process."""
        with self._starting:
            self._closed = True
            process = self._process
        if process is not None:
            process.kill("the reader was closed")
            process.wait()

    def _start(self) -> None:
        """Start the process, unless the reader is closed. Raises OSError where it does not."""
        with self._starting:
            self._process = None
            if not self._closed:
                self._process = self._started()

    def _started(self) -> Process:
        self._inbox = queue.SimpleQueue()
        environment = {**os.environ, **ONE_THREAD, LIMIT: str(self._megabytes)}
        inbox = self._inbox
        self._ready = threading.Event()
        ready = self._ready

        def on_message(process: Process, kind: str, value: Any, size: int) -> None:
            if kind == "ready":
                ready.set()
            elif kind in ("done", "failed"):
                inbox.put((kind, value))

        def on_exit(process: Process) -> None:
            ready.set()
            inbox.put(("exit", process.exit))

        return Process(environment, "core.jobs.reading_imports", on_message, on_exit)

    def _running(self) -> Process:
        """The process, anew where it has exited while nobody asked or could not be started."""
        if self._process is None or not self._inbox.empty():
            try:
                self._start()
            except OSError as error:
                raise NotRead(f"The reading process does not start: {error}") from error
        if self._process is None:
            raise NotRead("The reader is closed.")
        return self._process

    def _ask(self, request: Any, seconds: float, what: str = "The script") -> Any:
        with self._turn:
            process = self._running()
            self._ready.wait(START_SECONDS)
            process.run(pickle.dumps(request))
            try:
                kind, value = self._inbox.get(timeout=seconds + BUSY)
            except queue.Empty:
                kind, value = "exit", "it took too long"
                process.kill(value)
            if kind == "exit":
                # The next one finds a warm process: this one starts while nobody waits.
                with contextlib.suppress(OSError):
                    self._start()
                raise NotRead(f"{what} takes more than {seconds:g} s or {self._megabytes} MB.")
        if kind == "failed":
            raise NotRead(str(value))
        if isinstance(value, Exception):
            raise value
        return value
