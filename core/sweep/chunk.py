"""The work of a sweep: one chunk of its runs, trained by whichever process gets it."""

from __future__ import annotations

import json
import os
import sys
import threading
from functools import cache

from core.engine.flags import xla_environment
from core.experiment import Experiment
from core.sweep.statistics import Statistics

ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "OMP_NUM_THREADS": "1",
}
"""Of a process that trains chunks, where it does not say otherwise."""

one_at_a_time = threading.Lock()
"""A worker can have several threads, which would share the variables of a compiled program and gain
nothing: TensorFlow runs compiled programs one after the other."""


def request(experiment: Experiment, seed: int, target: float, first: int, runs: int) -> str:
    """What `train_chunk` takes, for runs `first` to `first` + `runs` - 1."""
    described = json.loads(experiment.to_json())
    numbers = {"seed": seed, "target": target, "first": first, "runs": runs}
    return json.dumps({"experiment": described, **numbers}, separators=(",", ":"))


def train_chunk(text: str) -> str:
    """Train a chunk of runs.

    Args:
        text: From `request`.

    Returns:
        `Statistics.plain` as JSON.

    Raises:
        InvalidExperiment: As `core.training.train`.
    """
    set_environment()
    from core.training import train

    asked = json.loads(text)
    experiment = Experiment.from_json(json.dumps(asked["experiment"]))
    with one_at_a_time:
        history = train(experiment, asked["runs"], asked["seed"], first=asked["first"])
    return json.dumps(Statistics.of(history, asked["target"]).plain(), separators=(",", ":"))


@cache
def set_environment() -> None:
    """Set the variables that TensorFlow reads when it is imported, unless it is already."""
    if "tensorflow" not in sys.modules:
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        os.environ.update(xla_environment())
