"""The parts of a training, trained at the same time here and by others, again after a death.

Others are places: further training processes of this machine (`core.jobs.helper`), or threads of a
cluster (`core.jobs.cluster`). `core.parts.crew` is the crew of this process.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from core.history import History
from core.parts import OnEvent, Part

ATTEMPTS = 3
"""Times that a part is tried elsewhere: a process can die of something that has nothing to do with
it."""
WAIT_SECONDS = 0.1

Put = Callable[[str, Any], None]
"""put(kind, value), as `Place.start` describes."""


class PartFailed(RuntimeError):
    """A part of a training ended without a result; says why, for a person to read."""


class Place(Protocol):
    """Somebody who trains one part at a time."""

    def start(self, part: Part, put: Put) -> None:
        """Train a part, and put what comes of it from any thread.

        event   what the part reports
        done    its histories; it has ended
        failed  an error, or why there is no result, as text; it has ended
        died    why its process is gone, as text; it has ended
        """
        ...

    def cancel(self) -> None:
        """Stop after the epoch that is trained; the part still ends as above."""
        ...


class Crew:
    """This process, with places that train beside it.

    Args:
        places: The places, asked for at the start of each training.
        here: Whether this process trains parts too; it does in any case where there is no place.
    """

    def __init__(self, places: Callable[[], Sequence[Place]], here: bool = True):
        self._places, self._here = places, here

    @property
    def workers(self) -> int:
        """How many parts are trained at once."""
        return max(len(self._places()) + self._here, 1)

    @property
    def elsewhere(self) -> bool:
        """Whether the parts take no memory of this machine."""
        return not self._here and bool(self._places())

    def train(
        self, parts: Sequence[Part], on_event: OnEvent, should_stop: Callable[[], bool] | None
    ) -> list[list[History] | None]:
        """As `core.parts.Crew`.

        Raises:
            InvalidExperiment: As `core.training.train`.
            PartFailed: A part failed, or its process died each time.
        """
        places = self._places()
        work = _Work(parts, places, on_event, should_stop)
        try:
            return work.done(here=self._here or not places)
        finally:
            work.end()


class _Work:
    """One training: its parts that wait, those under way by place, and the results."""

    def __init__(
        self,
        parts: Sequence[Part],
        places: Sequence[Place],
        on_event: OnEvent,
        should_stop: Callable[[], bool] | None,
    ):
        self._parts, self._on_event, self._should_stop = parts, on_event, should_stop
        self._waiting, self._free = deque(range(len(parts))), list(places)
        self._under_way: dict[int, Place] = {}
        self._results: dict[int, list[History]] = {}
        self._deaths = [0] * len(parts)
        self._inbox: queue.SimpleQueue[tuple[int, str, Any]] = queue.SimpleQueue()
        self._stopping = False

    def done(self, here: bool) -> list[list[History] | None]:
        """Train all parts, or those that had begun when it was stopped."""
        own = self._waiting.popleft() if here else None
        while True:
            self._hand_out()
            if own is not None:
                self._train(own)
            elif self._under_way:
                self._listen(WAIT_SECONDS)
                self._stopped()
            if self._stopping:
                self._waiting.clear()
            own = self._waiting.popleft() if here and self._waiting else None
            if own is None and not self._under_way and not self._waiting:
                return [self._results.get(index) for index in range(len(self._parts))]

    def end(self) -> None:
        """Stop what is still under way after an error, so that the places are free again."""
        for place in self._under_way.values():
            place.cancel()
        while self._under_way:
            index, kind, _ = self._inbox.get()
            if kind != "event":
                del self._under_way[index]

    def _hand_out(self) -> None:
        while self._free and self._waiting and not self._stopping:
            index, place = self._waiting.popleft(), self._free.pop()
            self._under_way[index] = place

            def put(kind: str, value: Any, index: int = index) -> None:
                self._inbox.put((index, kind, value))

            place.start(self._parts[index], put)

    def _train(self, index: int) -> None:
        """Train a part here, and look after the others between two epochs."""

        def attend() -> bool:
            while self._listen(0):
                pass
            self._hand_out()
            return self._stopped()

        part = self._parts[index]
        self._results[index] = part.run(lambda event: self._on_event(index, event), attend)
        self._on_event(index, None)

    def _stopped(self) -> bool:
        """Whether the training is to be stopped; the places are told at once."""
        if not self._stopping and self._should_stop is not None and self._should_stop():
            self._stopping = True
            for place in self._under_way.values():
                place.cancel()
        return self._stopping

    def _listen(self, seconds: float) -> bool:
        """Act on one message; False if none comes within so many seconds."""
        try:
            index, kind, value = (
                self._inbox.get(timeout=seconds) if seconds else self._inbox.get(block=False)
            )
        except queue.Empty:
            return False
        if kind == "event":
            self._on_event(index, value)
            return True
        self._free.append(self._under_way.pop(index))
        if kind == "done":
            self._results[index] = value
            self._on_event(index, None)
        elif kind == "failed":
            raise value if isinstance(value, Exception) else PartFailed(value)
        else:
            self._deaths[index] += 1
            if self._deaths[index] == ATTEMPTS:
                raise PartFailed(value)
            self._waiting.append(index)
        return True
