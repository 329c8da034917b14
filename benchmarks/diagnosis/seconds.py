"""How long a diagnosis takes, of networks of up to 100,000 weights."""

from __future__ import annotations

import time

import numpy as np
from threadpoolctl import threadpool_limits

from core.diagnosis import diagnose
from core.experiment import Adam, Data, Dense, Experiment, Model, Table, Training
from core.problems import PROBLEMS

RUNS = 64
SHAPES = ((20, 64, 32), (128, 128, 64), (128, 250, 200), (784, 120))
"""Inputs and hidden units; 100,000 weights at most."""


def measured_seconds() -> tuple[float, float]:
    """Of a diagnosis without and with a history of 64 runs: the slowest experiment's median.

    With one thread, as in the server.
    """
    from core.training import train

    threadpool_limits(1)
    without, with_history = [], []
    for experiment in [*(problem.experiment for problem in PROBLEMS.values()), *map(_wide, SHAPES)]:
        history = train(experiment, RUNS)
        for seconds, arguments in ((without, (experiment,)), (with_history, (experiment, history))):
            each = []
            for _ in range(5):
                started = time.perf_counter()
                diagnose(*arguments)
                each.append(time.perf_counter() - started)
            seconds.append(float(np.median(each)))
    return max(without), max(with_history)


def _wide(shape: tuple[int, ...]) -> Experiment:
    """Five classes by chance, which some runs fail to tell apart."""
    features, *units = shape
    rng = np.random.default_rng(0)
    source = Table(rng.normal(size=(1_000, features)), rng.integers(0, 5, 1_000))
    hidden = (Dense(width, "relu", "he_normal") for width in units)
    training = Training("sparse_categorical_crossentropy", Adam(1e-4), 32, 2)
    data = Data(source, label_values=tuple(range(5)))
    return Experiment(data, Model((*hidden, Dense(5, "softmax"))), training)
