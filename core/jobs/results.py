"""The results that the server keeps, within a bound for all of them."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np

from core.costs import MEGABYTE
from core.history import History
from core.jobs.job import Job
from core.log import note


class Results:
    """Finished jobs, of which the oldest release their results where all are too large.

    The same training has the same figures: those of a class who all press *Train* are kept once,
    and without the epochs that were reported meanwhile. A job that no page refers to any more frees
    its memory by itself and does not count. Not safe with threads: whoever shares it holds a lock.

    Args:
        limit: bytes that all results may take; the latest is kept whatever its size.
    """

    def __init__(self, limit: float):
        self.limit = limit
        self._jobs: list[weakref.ref[Job]] = []  # the latest at the right

    def add(self, job: Job) -> None:
        """Count a finished job in, and release the oldest until the rest fits."""
        if isinstance(job.result, History):
            job.forget_events()
        alive = [other for reference in self._jobs if (other := reference()) is not None]
        for other in alive:
            if other.payload == job.payload and _same(other.result, job.result):
                own = job.result
                seconds = {"seconds": own.seconds, "compile_seconds": own.compile_seconds}
                job.result = replace(other.result, **seconds)
                break
        # Jobs that share their figures are as young as the youngest of them, and go together.
        groups: dict[int, list[Job]] = {}
        for each in (*alive, job):
            key = id(each.result.loss if isinstance(each.result, History) else each)
            groups[key] = [*groups.pop(key, ()), each]
        total = sum(group[-1].size for group in groups.values())
        while total > self.limit and len(groups) > 1:
            oldest = groups.pop(next(iter(groups)))
            total -= oldest[-1].size
            for each in oldest:
                _release(each)
        self._jobs = [weakref.ref(each) for group in groups.values() for each in group]


def _release(job: Job) -> None:
    note("release", label=job.label, kind=job.kind, mb=job.size / MEGABYTE)
    job.release(job.result.final_score if isinstance(job.result, History) else None)


def _same(one: object, other: object) -> bool:
    """Whether these are two whole trainings with the same figures."""
    if not isinstance(one, History) or not isinstance(other, History):
        return False
    whole = not one.cancelled and not other.cancelled
    return whole and np.array_equal(one.loss, other.loss, equal_nan=True)
