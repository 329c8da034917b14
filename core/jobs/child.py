"""The training process's own end: runs jobs one after the other, and says how they go.

    python -m core.jobs.child PORT MODULE    # PLATEAU_WORKER_KEY holds the key of the connection

It connects to a port of this machine and imports MODULE. It takes ("run", pickled request) and
("cancel", None), and sends lists of pickled (kind, value):

    workers     how many share a long training, and whether elsewhere, where that has changed
    ready       MODULE is imported
    heartbeat   it is alive, whatever its training does
    event       what the request reports
    done        the request's result; the job has ended
    failed      why there is no result, as text; the job has ended
    idle        it waits for the next job; bytes that it holds, infinite where it should be replaced
"""

from __future__ import annotations

import gc
import importlib
import math
import os
import pickle
import queue
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from typing import Any

from core.experiment import InvalidExperiment
from core.jobs import memory, sharing
from core.jobs.crew import PartFailed
from core.jobs.limits import Limits, OverBudget, check, planned

KEY = "PLATEAU_WORKER_KEY"
"""Variable with the connection's key, in hexadecimal."""
WITHOUT = "PLATEAU_WORKER_WITHOUT"
"""Variable with the packages that the process must not import, with spaces between them."""
NICE = 5
HEARTBEAT_SECONDS = 0.5
BATCH_SECONDS = 0.05
"""Events closer together than this travel as one message: epochs can come 1,000 a second."""
LESS_MEMORY = "Fewer runs, fewer rows or smaller batches need less."

Send = Callable[..., None]
"""send(kind, value=None)."""


def serve(port: int, key: bytes, preload: str) -> None:
    """Run the jobs that come in, one after the other, until the connection ends.

    Args:
        port: of this machine, where the server listens.
        key: of the connection.
        preload: module to import before the first job.
    """
    # Ctrl+C in the server's terminal reaches this process too; the server is what ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        # The server comes first: a page does not wait for a training. Not twice: a training
        # process starts others.
        os.nice(max(NICE - os.nice(0), 0))
    connection = Client(("127.0.0.1", port), authkey=key)
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    outbox: queue.SimpleQueue = queue.SimpleQueue()

    def send(kind: str, value: Any = None) -> None:
        outbox.put(pickle.dumps((kind, value)))

    for target, arguments in (
        (_receive, (connection, inbox)),
        (_transmit, (connection, outbox)),
        (_heartbeat, (send,)),
    ):
        threading.Thread(target=target, args=arguments, daemon=True).start()
    limits = Limits.from_environment()
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        # The disk is full. Importing TensorFlow asks for this directory, but puts nothing there.
        tempfile.tempdir = os.curdir
    for package in os.environ.get(WITHOUT, "").split():
        sys.modules[package] = None  # type: ignore[assignment]
    importlib.import_module(preload)
    # A collection goes through all of TensorFlow otherwise: 0.2 s, in most first trainings.
    gc.freeze()
    sharing.begin(limits)
    told = 1, False
    send("ready")
    while True:
        workers = sharing.workers()
        if workers != told:
            send("workers", workers)
        told = workers
        exhausted = _run(inbox.get(), limits.shared(*workers), send)
        # After a failed allocation nobody knows what state TensorFlow is in: a new process does.
        memory.return_free()
        send("idle", math.inf if exhausted else memory.resident())


def _run(job: tuple[bytes, threading.Event], limits: Limits, send: Send) -> bool:
    """Run one request until its event is set; whether it ran out of memory."""
    payload, stop = job
    try:
        request = planned(pickle.loads(payload), limits)
        check(request, limits)
        send("done", request.run(lambda event: send("event", event), stop.is_set))
    except (InvalidExperiment, OverBudget, PartFailed) as error:
        send("failed", str(error))
    except Exception as error:
        traceback.print_exc()
        # NumPy's and Python's own, and TensorFlow's, whose class cannot be named without it.
        exhausted = isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__
        reason = traceback.format_exception_only(type(error), error)[-1].strip()
        if exhausted:
            reason = f"There was not enough memory. {LESS_MEMORY}"
        send("failed", f"The training stopped with an error. {reason}")
        return exhausted
    return False


def _heartbeat(send: Send) -> None:
    while True:
        send("heartbeat")
        time.sleep(HEARTBEAT_SECONDS)


def _receive(connection: Connection, inbox: queue.SimpleQueue) -> None:
    """Hand on the jobs that come in, and stop the running one where that is asked."""
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
    """Send what is in the outbox, many messages at once where they come fast."""
    while True:
        batch = [outbox.get()]
        while not outbox.empty():
            batch.append(outbox.get())
        connection.send(batch)
        time.sleep(BATCH_SECONDS)


if __name__ == "__main__":
    serve(int(sys.argv[1]), bytes.fromhex(os.environ.pop(KEY)), sys.argv[2])
