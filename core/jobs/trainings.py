"""The trainings that a server keeps for its visitors, so that a page that is loaded again has them.

    kept = Trainings()
    kept.add(visitor, Training("As asked", "threshold", request, job))
    kept.of(visitor, "threshold")       # the oldest first

What is kept of a training is its request and its job. The results in the jobs count towards the
bound of all results (`core.jobs.results`); one that was let go keeps its scores.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np

from core.history import History
from core.jobs.job import Job
from core.jobs.requests import Request, Train
from core.rates import Rate

MOST_TRAININGS = 12
"""Of each visitor; the oldest goes first."""
MOST_VISITORS = 200
"""The one who trained longest ago goes first."""
MOST_BYTES = 50_000_000
"""Of all requests, which hold the tables that are trained on; pickled, as their jobs have them."""


class Training:
    """One training with its name.

    Attributes:
        name: In a few words; it may be changed.
        page: The key of the problem on whose page it was started.
        request: What was trained.
        job: Its job.
    """

    def __init__(self, name: str, page: str, request: Train, job: Job):
        self.name, self.page, self.request, self.job = name, page, request, job

    @property
    def history(self) -> History | None:
        """The runs; None while they are trained, and once they had to make room."""
        result: History | None = self.job.result
        return result

    def rate(self, target: float) -> Rate | None:
        """Of the runs whose final score reaches the target; None where no run has ended."""
        history = self.history
        scores = self.job.scores if history is None else history.final_score
        return None if scores is None else Rate.of(scores >= np.float32(target))


class Trainings:
    """The latest trainings of the latest visitors; safe with threads.

    Args:
        most: Trainings of each visitor.
        visitors: Whose trainings are kept.
        bytes: Of all requests; the latest visitor's are kept whatever their size.
    """

    def __init__(
        self,
        most: int = MOST_TRAININGS,
        visitors: int = MOST_VISITORS,
        bytes: float = MOST_BYTES,
    ):
        self.most, self.visitors, self.bytes = most, visitors, bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, list[Training]] = OrderedDict()

    def add(self, visitor: str, training: Training) -> None:
        """Keep a training as the visitor's latest."""
        with self._lock:
            own = self._kept.setdefault(visitor, [])
            own.append(training)
            del own[: -self.most]
            self._kept.move_to_end(visitor)
            while len(self._kept) > self.visitors or self._too_large():
                self._kept.popitem(last=False)

    def remove(self, visitor: str, training: Training) -> None:
        """Forget a training."""
        with self._lock:
            own = self._kept.get(visitor, [])
            if training in own:
                own.remove(training)

    def of(self, visitor: str, page: str) -> tuple[Training, ...]:
        """The visitor's trainings on a page that did not fail, the oldest first."""
        with self._lock:
            own = [each for each in self._kept.get(visitor, ()) if each.page == page]
        return tuple(each for each in own if not _in_vain(each))

    def find(self, request: Request) -> Job | None:
        """Anybody's job with exactly this request and a whole result.

        Whoever asks has the request already, and its result is the same for everybody.
        """
        with self._lock:
            everything = [each for own in self._kept.values() for each in own]
        same = (each.job for each in everything if each.request == request)
        return next((job for job in same if job.state == "done" and job.result is not None), None)

    def _too_large(self) -> bool:
        size = sum(len(each.job.payload) for own in self._kept.values() for each in own)
        return len(self._kept) > 1 and size > self.bytes


def _in_vain(training: Training) -> bool:
    """Whether it ended without any result, and not because it had to make room."""
    ended: Any = training.job.ended
    return ended and training.history is None and training.rate(0.0) is None
