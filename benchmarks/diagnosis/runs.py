"""Training, diagnosing and repairing many experiments in a few processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np

from core.diagnosis import Finding, diagnose
from core.diagnosis.trials import Repair, try_fixes
from core.diagnosis.yardstick import Yardstick
from core.experiment import Experiment
from core.history import History

RUNS = 16
PROCESSES = int(os.environ.get("BENCHMARK_PROCESSES", 2))
CHUNK = 12
"""Experiments that a process trains at a time."""


@dataclass
class Judged:
    """What a diagnosis says of an experiment with its runs, and what a repair makes of it."""

    findings: tuple[Finding, ...]
    static: tuple[Finding, ...]
    passed: np.ndarray
    repair: Repair | None = None


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def trained(experiments: Sequence[Experiment], what: str, runs: int = RUNS) -> list[History]:
    """Train some runs of each: most of the time goes into compiling."""
    # What shares a program stays together.
    order = sorted(range(len(experiments)), key=lambda k: repr(experiments[k].model))
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    jobs = [([experiments[k] for k in chunk], runs) for chunk in chunks]
    histories: dict[int, History] = {}
    for chunk, found in zip(chunks, spread(_train, jobs), strict=True):
        histories |= dict(zip(chunk, found, strict=True))
        say(f"{what}: {len(histories)} of {len(experiments)} trained")
    return [histories[k] for k in range(len(experiments))]


def judged(
    experiments: Sequence[Experiment], histories: Sequence[History], repairing: Sequence[bool]
) -> list[Judged]:
    """Diagnose each, and repair those of them that are to be."""
    jobs = list(zip(experiments, histories, repairing, strict=True))
    results = []
    for each in spread(_judge, jobs):
        results.append(each)
        if each.repair is not None:
            say(f"{len(results)} of {len(jobs)} diagnosed and repaired")
    return results


def spread(work: Callable[[Any], Any], jobs: Sequence[Any]):
    """The results of the jobs in their order."""
    return _pool().map(work, jobs)


def passed(history: History) -> np.ndarray:
    """bool (runs,): the run reaches what counts as enough."""
    return Yardstick(history.experiment).passed(history)


@cache
def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"))


def _train(job: tuple[list[Experiment], int]) -> list[History]:
    from core.training import train_all

    # The first and the last weights are all that a diagnosis reads.
    return [
        replace(
            history,
            key_epochs=history.key_epochs[[0, -1]],
            weights=tuple(array[[0, -1]] for array in history.weights),
        )
        for history in train_all(*job)
    ]


def _judge(job: tuple[Experiment, History, bool]) -> Judged:
    experiment, history, repairing = job
    found = diagnose(experiment, history), diagnose(experiment)
    repair = try_fixes(experiment, runs=RUNS) if repairing else None
    return Judged(*found, passed(history), repair)
