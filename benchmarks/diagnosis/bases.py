"""The healthy experiments: those that succeed, that just do, and that are slow but arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.diagnosis.runs import trained
from benchmarks.diagnosis.tables import Drawn, drawn
from core.data import baseline
from core.experiment import Experiment
from core.history import TARGET, History

SLACK = 0.05
"""A noisy experiment is healthy if its runs come this close to the best possible score."""
MAY_FAIL = 1
"""Of 16 runs: those of an experiment that just succeeds."""
LAST_MOMENT = 5
"""Every so many experiments one is trained anew with no more epochs than it takes."""


@dataclass
class Base:
    """A healthy experiment.

    Args:
        experiment: Without a fault.
        history: Of its runs.
        kind: "sure", "just" where a run does not get there, or "slow but arrives".
        family: Those of the same one share programs.
    """

    experiment: Experiment
    history: History
    kind: str
    family: int


def bases(count: int, seed: int) -> tuple[list[Base], int]:
    """The first healthy experiments of a seed, and how many had to be drawn for them."""
    source, found, number = drawn(seed), [], 0
    while len(found) < count:
        some = [next(source) for _ in range(count - len(found))]
        number += len(some)
        histories = trained([each.experiment for each in some], "healthy")
        healthy = []
        for each, history in zip(some, histories, strict=True):
            short = int((~_arrived(each, history)).sum())
            if short <= MAY_FAIL:
                kind = "just" if short else "sure"
                healthy.append((each, Base(each.experiment, history, kind, each.family)))
        found += list(_with_slow_ones(healthy, len(found)))
    return found[:count], number


def _with_slow_ones(healthy: list[tuple[Drawn, Base]], before: int) -> Iterator[Base]:
    """The bases, some of them with just as many epochs as their runs take."""
    slow: list[tuple[int, Drawn, Experiment]] = []
    for place, (each, base) in enumerate(healthy):
        until = base.history.epochs_until(_goal(each))
        last = int(np.nanmax(until)) if np.isfinite(until).all() else 0
        if (before + place) % LAST_MOMENT == 0 and 3 < last < each.experiment.training.epochs:
            training = replace(each.experiment.training, epochs=last + 1)
            slow.append((place, each, replace(each.experiment, training=training)))
    shorter = dict(
        zip(
            (place for place, *_ in slow),
            trained([experiment for *_, experiment in slow], "slow"),
            strict=True,
        )
    )
    for place, (each, base) in enumerate(healthy):
        history = shorter.get(place)
        if history is not None and _arrived(each, history).all():
            yield replace(
                base, experiment=history.experiment, history=history, kind="slow but arrives"
            )
        else:
            yield base


def _goal(each: Drawn) -> float:
    # An accuracy that one class alone would have is no sign of health.
    chance = baseline(each.experiment, 0, 0) + SLACK
    return min(max(min(TARGET, each.best - SLACK), chance), 1 - SLACK / 2)


def _arrived(each: Drawn, history: History) -> np.ndarray:
    return history.final_score >= _goal(each)
