"""Training, diagnosing and repairing many experiments in a few processes."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import core
from core.diagnosis import Finding, diagnose
from core.diagnosis.trials import Repair, try_fixes
from core.diagnosis.yardstick import Yardstick
from core.experiment import Experiment
from core.history import History

RUNS = 16
PROCESSES = int(os.environ.get("BENCHMARK_PROCESSES", 2))
CHUNK = 12
"""Experiments that a process trains at a time."""
KEPT: list[Path] = []
"""The folder, if any, with what is not computed again: histories, and what was judged since the
code changed last."""


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
    histories: dict[int, History] = {}
    names = [f"{experiment.digest}-{runs}" for experiment in experiments]
    for place, name in enumerate(names):
        if (known := _known(name)) is not None:
            histories[place] = known
    # What shares a program stays together.
    order = [k for k in range(len(experiments)) if k not in histories]
    order.sort(key=lambda k: repr(experiments[k].model))
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    jobs = [([experiments[k] for k in chunk], runs) for chunk in chunks]
    for chunk, found in zip(chunks, spread(_train, jobs), strict=True):
        for place, history in zip(chunk, found, strict=True):
            histories[place] = _keep(names[place], history)
        say(f"{what}: {len(histories)} of {len(experiments)} trained")
    return [histories[k] for k in range(len(experiments))]


def judged(
    experiments: Sequence[Experiment], histories: Sequence[History], repairing: Sequence[bool]
) -> list[Judged]:
    """Diagnose each, and repair those of them that are to be."""
    names = [
        f"{experiment.digest}-{repaired:d}-{_code()}"
        for experiment, repaired in zip(experiments, repairing, strict=True)
    ]
    results = [_known(name) for name in names]
    missing = [place for place, result in enumerate(results) if result is None]
    jobs = [(experiments[k], histories[k], repairing[k]) for k in missing]
    for count, (place, each) in enumerate(zip(missing, spread(_judge, jobs), strict=True), 1):
        results[place] = _keep(names[place], each)
        if each.repair is not None:
            say(f"{count} of {len(jobs)} diagnosed and repaired")
    return results


def spread(work: Callable[[Any], Any], jobs: Sequence[Any]) -> Iterator[Any]:
    """The results of the jobs in their order."""
    return _pool().map(work, jobs)


def _known(name: str) -> Any:
    for folder in KEPT:
        if (path := folder / name).exists():
            return pickle.loads(path.read_bytes())
    return None


def _keep(name: str, value: Any) -> Any:
    for folder in KEPT:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}.part"
        part.write_bytes(pickle.dumps(value))
        part.rename(folder / name)
    return value


@cache
def _code() -> str:
    """A digest of all of `core`, on which what is judged depends."""
    files = sorted(Path(core.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


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
