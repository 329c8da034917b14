"""What the runs of an experiment and of its changes are judged by: the task of the original.

A change may make an easier question of it, such as the number of a row in place of the continuous
target, and a high score of that is no success.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property

import numpy as np

from core import network
from core.diagnosis.observations import Observations, final_state
from core.diagnosis.observations.goal import Goal
from core.experiment import Experiment, InvalidExperiment
from core.history import TARGET, History
from core.tasks import TASKS, Task


class Yardstick:
    """How runs are judged: by R² where the labels are continuous, or else by the accuracy.

    Args:
        experiment: As it is.
        target: The score that counts as success.
    """

    def __init__(self, experiment: Experiment, target: float = TARGET):
        self.experiment, self.target = experiment, target

    @property
    def task(self) -> Task:
        """Of the original labels, whatever its loss makes of them."""
        return TASKS["regression"] if self.experiment.data.continuous else self.experiment.task

    @cached_property
    def goal(self) -> Goal:
        """The score at which a run passes, in the original's task."""
        judged = self.experiment
        if judged.task != self.task:
            training = replace(
                judged.training, loss="mean_squared_error", from_logits=False, class_weight=()
            )
            # Where the squared error does not fit, the goal is that of the accuracy.
            with suppress(InvalidExperiment):
                judged = replace(judged, training=training)
        return Observations(judged, None, self.target).goal

    def passed(self, history: History) -> np.ndarray:
        """bool (runs,): the run passes; of a task that is not comparable, none does."""
        changed = history.experiment
        if changed.task == self.task:
            if changed.data.source != self.experiment.data.source:
                return final_state(history, self.target).passed
            if self.goal.is_trivial:
                return final_state(history, self.target).passed
            return history.successes(self.goal.score)
        if self.task.name == "regression" and changed.data.continuous:
            # Of a loss of classes, the outputs may fit the continuous labels all the same.
            return np.nan_to_num(_explained(history, self.task), nan=-1.0) >= self.goal.score
        return np.zeros(history.runs, bool)

    def scores(self, history: History) -> np.ndarray:
        """(runs,): how good the runs are, where that can be compared; else 0."""
        if history.experiment.task != self.task:
            return np.zeros(history.runs)
        return np.maximum(np.nan_to_num(history.final_score, nan=0.0, posinf=0.0, neginf=0.0), 0)


def _explained(history: History, task: Task) -> np.ndarray:
    """(runs,): the score in another task of the final outputs, for the rows of each run."""
    scores = []
    for run in range(history.runs):
        x, y = history.rows(run).judged
        weights = network.run_first(history.weights, -1, np.array([run]))
        with np.errstate(all="ignore"):
            output = network.forward(history.experiment.model, weights, x[None]).output
        fits = output.shape[-1] == y.shape[-1]
        scores.append(float(task.hits(output, y[None]).mean()) if fits else np.nan)
    return np.array(scores)
