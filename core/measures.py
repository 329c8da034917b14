"""What final predictions are measured by besides the score, over the runs of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data import prepare
from core.history import History
from core.inspection import classes, decisions, outputs, predictions

MOST_RUNS = 64
"""The most runs that are measured, the first ones: a median needs no more."""
IMBALANCED = 1.3
"""Classes are imbalanced where the most frequent one has this many times its equal share."""


@dataclass(frozen=True)
class Measure:
    """A median over runs.

    Attributes:
        name: Within a sentence.
        text: The value, as it is written.
        meaning: What it is, in a phrase.
        runs: Number of runs that it is of.
    """

    name: str
    text: str
    meaning: str
    runs: int


def measures(history: History, baseline: float) -> list[Measure]:
    """What is worth knowing of a training besides its score.

    Args:
        history: The training.
        baseline: The score of the best constant answer.

    Returns:
        Of a regression its mean absolute error, of imbalanced classes the balanced accuracy.
    """
    task, data = history.experiment.task, history.experiment.data
    if task.name == "regression":
        meaning = "mean absolute error, in the unit of the target"
        if data.target_width > 1:
            meaning += ", a mean over the targets"
        error = _median(history, mean_absolute_error)
        return [Measure("MAE", f"{error:,.4g}", meaning, _measured(history))]
    if data.has_one_class_per_row and baseline * data.source.classes >= IMBALANCED:
        balanced = _median(history, balanced_accuracy)
        meaning = "the mean over the classes of the share of their rows whose class is right"
        return [Measure("balanced accuracy", f"{balanced:.1%}", meaning, _measured(history))]
    return []


def _measured(history: History) -> int:
    return min(history.runs, MOST_RUNS)


def _median(history: History, measure: Callable[[History, int], float]) -> float:
    return float(np.median([measure(history, run) for run in range(_measured(history))]))


def mean_absolute_error(history: History, run: int) -> float:
    """Of one run, on the rows that the final score is of, in the targets' unit."""
    experiment = history.experiment
    rows = prepare(experiment.data, history.seed, run)
    x, y = rows.judged
    predicted = predictions(experiment, history.weights_at(-1, run), rows, x)
    return float(np.abs(predicted - rows.in_unit_of_targets(y)).mean())


def balanced_accuracy(history: History, run: int) -> float:
    """The mean over the classes of their recall, on the rows that the final score is of."""
    experiment = history.experiment
    x, y = prepare(experiment.data, history.seed, run).judged
    actual = classes(experiment.data, y)
    right = decisions(experiment, outputs(experiment.model, history.weights_at(-1, run), x)[-1])
    right = right == actual
    return float(np.mean([right[actual == k].mean() for k in np.unique(actual)]))


def by_label(history: History, run: int) -> pd.DataFrame:
    """How many rows are right and wrong, for each class, or for each of several labels a row.

    They are those that the final score is of.

    Returns:
        One row per class or label, with columns label (text), right and wrong.
    """
    experiment, data = history.experiment, history.experiment.data
    x, y = prepare(data, history.seed, run).judged
    out = outputs(experiment.model, history.weights_at(-1, run), x)[-1]
    if data.source.label_columns:
        names = [f"label {k + 1}" for k in range(y.shape[1])]
        right = list(((out > 0.5) == y).T)
    else:
        actual, predicted = classes(data, y), decisions(experiment, out)
        names = [f"{value:g}" for value in data.label_values]
        right = [predicted[actual == k] == k for k in range(len(names))]
    counts = [(name, int(r.sum()), int((~r).sum())) for name, r in zip(names, right, strict=True)]
    return pd.DataFrame(counts, columns=["label", "right", "wrong"])
