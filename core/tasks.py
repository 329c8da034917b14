"""The tasks: what a run is judged by, what that is compared with, and when a run succeeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.entries import named


@dataclass(frozen=True)
class Task:
    """What a network is to do, decided by the targets (`core.experiment.Experiment.task`).

    Attributes:
        name: Of the task.
        score: The name of the score in words.
        column: The same in the columns of a file.
        metric: The metric of Keras that equals the score.
        baseline_name: What a score is compared with, in words.
        hits: Maps the outputs of the last layer (runs, rows, units) and the encoded labels
            (runs, rows, width) to what each row adds to the score, (runs, rows); the score is its
            mean over the rows.
        baseline: Maps encoded labels (rows, width) to the score of the best constant answer.
        target: The default score at which a run succeeds.
    """

    name: str
    score: str
    column: str
    metric: str
    baseline_name: str
    hits: Callable[[np.ndarray, np.ndarray], np.ndarray]
    baseline: Callable[[np.ndarray], float]
    target: float = 0.9

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")


def right_decisions(output: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keras's "accuracy".

    With one output unit, it is the share of the label's columns that equal 1 for an output above
    0.5 and 0 otherwise. With several units, it is 1 if the largest output is that of the label.
    """
    if output.shape[-1] == 1:
        return right_labels(output, y)
    label = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    return (output.argmax(axis=-1) == label).astype(float)


def right_labels(output: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keras's "binary_accuracy": the share of columns in which the output, above 0.5, is right."""
    return ((output > 0.5) == y).mean(axis=-1)


def explained(output: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Keras's R2Score: 1 - squared error / variance, a mean over the outputs of each.

    The variance is that of the rows themselves; an output that does not vary counts as 0.
    """
    variance = y.var(axis=-2, keepdims=True)
    varies = variance > 0
    share = 1 - (y - output) ** 2 / np.where(varies, variance, 1)
    return np.where(varies, share, 0).mean(axis=-1)


def _majority(y: np.ndarray) -> float:
    return np.unique(y, axis=0, return_counts=True)[1].max() / len(y)


def _majority_by_column(y: np.ndarray) -> float:
    return float(np.mean([_majority(column) for column in y.T]))


def _by_accuracy(name: str, metric: str, hits: Callable, baseline: Callable) -> Task:
    return Task(name, "Accuracy", "accuracy", metric, "majority class", hits, baseline)


TASKS = named(
    (
        _by_accuracy("binary", "accuracy", right_decisions, _majority),
        _by_accuracy("multiclass", "accuracy", right_decisions, _majority),
        _by_accuracy("multi_label", "binary_accuracy", right_labels, _majority_by_column),
        Task("regression", "R²", "r2", "r2_score", "mean", explained, lambda y: 0.0),
    )
)
