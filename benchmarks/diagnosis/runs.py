"""Training many experiments in a few processes."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context

import numpy as np

from core.diagnosis.observations import final_state
from core.experiment import Experiment
from core.history import TARGET, History

RUNS = 16
PROCESSES = 2
CHUNK = 12
"""Experiments that a process trains at a time."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def trained(experiments: list[Experiment], what: str, runs: int = RUNS) -> list[History]:
    """Train some runs of each in PROCESSES processes: most of the time goes into compiling."""
    # What shares a program stays together.
    order = sorted(range(len(experiments)), key=lambda k: repr(experiments[k].model))
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    jobs = [([experiments[k] for k in chunk], runs) for chunk in chunks]
    histories: dict[int, History] = {}
    for chunk, found in zip(chunks, _pool().map(_train, jobs), strict=True):
        histories |= dict(zip(chunk, found, strict=True))
        say(f"{what}: {len(histories)} of {len(experiments)}")
    return [histories[k] for k in range(len(experiments))]


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


def passed(history: History) -> np.ndarray:
    """bool (runs,): the run reaches what the diagnosis counts as enough."""
    return final_state(history, TARGET).passed
