"""What final predictions are measured by besides the score, over the runs of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data import Rows
from core.history import History
from core.inspection import classes, decisions, outputs
from core.metrics import METRICS, balanced_accuracy
from core.rates import percent

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
        runs: Number of runs that it is of: those in which it is a finite number.
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
        Of a regression its mean absolute error, of imbalanced classes the balanced accuracy, and
        the metrics that the training asks for and that fit its task: those that are finite in
        some run.
    """
    task, data = history.experiment.task, history.experiment.data
    found: list[tuple[str, np.ndarray, Callable[[float], str], str]] = []
    if task.name == "regression":
        meaning = "mean absolute error, in the unit of the target"
        if data.target_width > 1:
            meaning += ", a mean over the targets"
        found.append(("MAE", final_absolute_error(history, MOST_RUNS), _short, meaning))
    elif data.has_one_class_per_row and baseline * data.source.classes >= IMBALANCED:
        balanced = final_balanced_accuracy(history, MOST_RUNS)
        meaning = "the mean over the classes of the share of their rows whose class is right"
        found.append(("balanced accuracy", balanced, percent, meaning))
    shown = {"accuracy", task.metric, "mean_absolute_error"}
    table, units = final_metrics(history, MOST_RUNS), history.experiment.model.output.units
    for name in table.columns.difference(shown, sort=False):
        if not METRICS[name].objection(task.name, units, data.target_width):
            meaning = "the metric as Keras computes it, of scaled targets where they are scaled"
            label = METRICS[name].label
            label = label if label[1].isupper() or label[1].isdigit() else label.lower()
            written = percent if "accuracy" in name else _short
            found.append((label, table[name].to_numpy(), written, meaning))
    return [
        Measure(name, written(np.median(known)), meaning, len(known))
        for name, values, written, meaning in found
        if len(known := values[np.isfinite(values)])
    ]


def _short(value: float) -> str:
    return f"{value:,.4g}"


def _measured(history: History, most: int | None) -> int:
    return history.runs if most is None else min(most, history.runs)


def final_metrics(history: History, most: int | None = None) -> pd.DataFrame:
    """The metrics that the training asks for, of every run after the last epoch.

    They are measured on the rows that the final score is of.

    Args:
        history: The training.
        most: The most runs that are measured, the first ones; None for all.

    Returns:
        One row per run, with a column for each metric; NaN where Keras refuses to compute it.
    """
    experiment = history.experiment
    metrics = [METRICS[name] for name in experiment.training.metrics]
    width = experiment.data.target_width
    values: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    for out, y, _ in _final_outputs(history, most) if metrics else ():
        for metric in metrics:
            refused = metric.by_column and out.shape[1] != width
            values[metric.name].append(np.nan if refused else metric.value(out, y))
    return pd.DataFrame(values, index=pd.RangeIndex(_measured(history, most), name="run"))


def final_balanced_accuracy(history: History, most: int | None = None) -> np.ndarray:
    """float (runs,): `core.metrics.balanced_accuracy` on the rows that the final score is of."""
    return np.array([balanced_accuracy(out, y) for out, y, _ in _final_outputs(history, most)])


def final_absolute_error(history: History, most: int | None = None) -> np.ndarray:
    """float (runs,): the mean absolute error of a regression in the unit of the given targets.

    It is measured on the rows that the final score is of, and a mean over all outputs.
    """
    return np.array(
        [
            np.abs(rows.in_unit_of_targets(out) - rows.in_unit_of_targets(y)).mean()
            for out, y, rows in _final_outputs(history, most)
        ]
    )


def _final_outputs(
    history: History, most: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray, Rows]]:
    """Of every run: the outputs (rows, units) after the last epoch, the labels, and the rows."""
    for run in range(_measured(history, most)):
        rows = history.rows(run)
        x, y = rows.judged
        yield outputs(history.experiment.model, history.weights_at(-1, run), x)[-1], y, rows


def by_label(history: History, run: int) -> pd.DataFrame:
    """How many rows are right and wrong, for each class, or for each of several labels a row.

    They are those that the final score is of.

    Returns:
        One row per class or label, with columns label (text), right and wrong.
    """
    experiment, data = history.experiment, history.experiment.data
    x, y = history.rows(run).judged
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
