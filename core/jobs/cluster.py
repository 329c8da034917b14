"""A cluster of Dask that trains parts of a training: one for each thread of its workers."""

from __future__ import annotations

import contextlib
import pickle
import time
import uuid
from collections.abc import Sequence
from typing import Any

from core.history import History
from core.jobs.crew import Put
from core.parts import Part
from core.sweep.executors import connected

TOPIC = "plateau"
"""Of the scheduler, under which the parts report."""
CONNECT_SECONDS = 10
REPORT_SECONDS, ASK_SECONDS = 0.25, 1.0
"""How often a part reports its epochs, and asks whether it is to stop: each is a message to the
scheduler."""
RETRIES = 2
LOST = "The cluster lost a part of the training."
ENDS = {"finished": "done", "error": "failed"}
"""How a part ended, by the status of its future."""


class Cluster:
    """The workers of a scheduler.

    Args:
        address: Of the scheduler, such as "tcp://10.0.0.7:8786".

    Raises:
        ImportError: Dask is not installed.
        OSError: It does not answer.
        ValueError: It cannot import this repository.
    """

    def __init__(self, address: str):
        self.client = connected(address, timeout=CONNECT_SECONDS, set_as_default=False)
        # The futures too: the scheduler gives up a task whose future nobody holds.
        self._under_way: dict[str, tuple[Any, Put]] = {}
        self.client.subscribe_topic(TOPIC, self._on_event)

    def places(self) -> Sequence[ClusterThread]:
        """One for each thread of the workers that there are now."""
        if self.client.status != "running":
            return ()
        threads = sum(self.client.nthreads().values())
        return [ClusterThread(self) for _ in range(threads)]

    def submit(self, part: Part, put: Put) -> str:
        """Train a part; its name is what `stop` takes. `put` is that of `Place.start`."""
        name = f"{TOPIC}-{uuid.uuid4().hex}"

        def end(future: Any) -> None:
            self._under_way.pop(name, None)
            # Whatever comes of a broken connection here, the part is lost and tried again.
            try:
                ended = future.status, future.exception() or future.result()
            except Exception as error:
                ended = "lost", error
            if ended[0] in ENDS:
                put(ENDS[ended[0]], ended[1])
            else:
                put("died", LOST)

        try:
            # Not pure: a part that is asked for again is to be trained again.
            future = self.client.submit(
                train_there, part, name, key=name, pure=False, retries=RETRIES
            )
        except Exception:
            put("died", LOST)
        else:
            self._under_way[name] = future, put
            future.add_done_callback(end)
        return name

    def stop(self, name: str) -> None:
        """Stop a part after its epoch."""
        from distributed import Event

        # Where nobody is to be told any more, the part ends as lost.
        with contextlib.suppress(Exception):
            Event(name, client=self.client).set()

    def close(self) -> None:
        """Leave the cluster."""
        self.client.close()

    def _on_event(self, event: tuple[float, Any]) -> None:
        name, events = event[1]
        if name in self._under_way:
            _, put = self._under_way[name]
            for each in pickle.loads(events):
                put("event", each)


class ClusterThread:
    """One thread of a worker; a `core.jobs.crew.Place`."""

    def __init__(self, cluster: Cluster):
        self._cluster = cluster
        self._name = ""

    def start(self, part: Part, put: Put) -> None:
        """As `core.jobs.crew.Place`."""
        self._name = self._cluster.submit(part, put)

    def cancel(self) -> None:
        """As `core.jobs.crew.Place`."""
        self._cluster.stop(self._name)


def train_there(part: Part, name: str) -> list[History]:
    """Train a part in the thread of a worker, and report its epochs to the scheduler."""
    from distributed import Event, get_worker

    from core.sweep.chunk import one_at_a_time, set_environment

    set_environment()
    worker, stop = get_worker(), Event(name)
    waiting: list[Any] = []
    reported = asked = time.monotonic()

    def report(event: Any) -> None:
        nonlocal reported
        waiting.append(event)
        if time.monotonic() - reported >= REPORT_SECONDS:
            reported = time.monotonic()
            worker.log_event(TOPIC, (name, pickle.dumps(waiting)))
            waiting.clear()

    def should_stop() -> bool:
        nonlocal asked
        if time.monotonic() - asked < ASK_SECONDS:
            return False
        asked = time.monotonic()
        return stop.is_set()

    try:
        with one_at_a_time:
            return part.run(report, should_stop)
    finally:
        stop.clear()
