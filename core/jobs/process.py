"""One training process as the server sees it: started, talked to, and watched until it exits."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import re
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection, Listener
from pathlib import Path
from typing import IO, Any

from core.engine.flags import xla_environment
from core.jobs.child import KEY, LESS_MEMORY, WITHOUT

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    # Keras imports it where it is installed: 0.8 s and 170 MB that no training needs.
    WITHOUT: "sklearn",
    # Of NumPy: beside a training on as many cores, two threads wait for each other.
    "OPENBLAS_NUM_THREADS": "1",
    **xla_environment(),
}
NOISE = re.compile(r"I\d{4} |WARNING: All log messages before absl::")
"""Lines that TensorFlow 2.21 prints whatever the log level; without oneDNN it would not, but then
its figures would no longer be those of Keras as people run it."""
EXIT_SECONDS = 5
"""How long a process may take to exit once its end of the connection is closed."""
OUTGROWN = "it had grown too large"
"""Why a process that holds too much memory is killed between two jobs."""
FATAL = ("signal 6", "signal 9")
"""How C++ ends a process that has no memory left, and how a system does."""

OnMessage = Callable[["Process", str, Any, int], None]
OnExit = Callable[["Process"], None]


class Process:
    """A subprocess that runs `core.jobs.child`, and the connection to it.

    The callbacks come from a thread of its own, one after the other, `on_exit` last. The first may
    come before the constructor returns.

    Args:
        environment: the variables of the subprocess, but for the connection's key.
        preload: module that it imports before its first job.
        on_message: takes the process, a message's kind and value, and its size in bytes.
        on_exit: takes the process, once it has exited.

    Attributes:
        pid: its number in the system.
        ending: why it was killed from here, or None.
        exit: "exit code 1" or "signal 9" once it has exited, "" before.
        last_line: what it printed last, once it has exited.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, environment: Mapping[str, str], preload: str, on_message: OnMessage, on_exit: OnExit
    ):
        self.ending: str | None = None
        self.exit = self.last_line = ""
        self._on_message, self._on_exit = on_message, on_exit
        self._outbox: queue.SimpleQueue = queue.SimpleQueue()
        key = os.urandom(32)
        # A port of this machine is the same on every system. Standard input would not do: on
        # Windows, importing NumPy hangs while a thread reads it (numpy/numpy#24290).
        listener = Listener(("127.0.0.1", 0), authkey=key)
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-m", "core.jobs.child", str(listener.address[1]), preload],
                cwd=ROOT,
                env={**environment, KEY: key.hex()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except OSError:
            listener.close()
            raise
        self.pid = self._popen.pid
        threading.Thread(target=self._attend, args=(listener,), daemon=True).start()

    def run(self, payload: bytes) -> None:
        """Send a pickled request; the process has to be ready, and idle."""
        self._outbox.put(("run", payload))

    def cancel(self) -> None:
        """Ask the running request to stop after its epoch."""
        self._outbox.put(("cancel", None))

    def kill(self, why: str) -> None:
        """End it at once; `why` of the first call is kept in `ending`."""
        if self.ending is None:
            self.ending = why
        self._popen.kill()

    def wait(self) -> None:
        """Block until it has exited."""
        self._popen.wait()

    @property
    def exit_message(self) -> str:
        """What its exit means, for a person to read."""
        if self.ending is not None:
            return f"The training process was restarted: {self.ending}."
        text = f"The training process stopped unexpectedly ({self.exit})."
        if self.exit in FATAL:
            return f"{text} It may have run out of memory. {LESS_MEMORY}"
        return text

    def _attend(self, listener: Listener) -> None:
        """Pass on what the process says until it exits; in a thread of its own."""
        lines: deque[str] = deque(maxlen=1)
        output = threading.Thread(
            target=_pass_on_output,
            args=(self._popen.stdout, lines, listener.address),
            daemon=True,
        )
        output.start()
        try:
            with listener:
                connection = listener.accept()
            threading.Thread(target=_send, args=(self._outbox, connection), daemon=True).start()
            with connection:
                while True:
                    for message in connection.recv():
                        kind, value = pickle.loads(message)
                        self._on_message(self, kind, value, len(message))
        except (EOFError, OSError):
            pass  # its end of the connection is closed
        finally:
            self._outbox.put(None)
            try:
                code = self._popen.wait(timeout=EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()  # alive, but it can no longer be talked to
                code = self._popen.wait()
            output.join()
            self.exit = f"signal {-code}" if code < 0 else f"exit code {code}"
            self.last_line = "".join(lines)
            self._on_exit(self)


def _send(outbox: queue.SimpleQueue, connection: Connection) -> None:
    """Send what is put into the outbox, until None: nobody else waits while a send does."""
    # If the process has just died, `_attend` finds out and says so.
    with contextlib.suppress(OSError):
        while (message := outbox.get()) is not None:
            connection.send(message)


def _pass_on_output(output: IO[bytes], lines: deque[str], address: tuple[str, int]) -> None:
    """Print what the process prints, keep its last line, and make its death be noticed."""
    with output:
        for line in output:
            text = line.decode(errors="replace").rstrip()
            if text and not NOISE.match(text):
                lines.append(text)
                # A full disk or a closed terminal must not end the reading: the process would
                # wait for it for ever.
                with contextlib.suppress(OSError, ValueError):
                    print(text, file=sys.stderr)
    # If it died before it connected, accept() would wait for ever: connect in its place.
    with contextlib.suppress(OSError):
        socket.create_connection(address, timeout=1).close()
