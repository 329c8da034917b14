"""The metrics that scripts ask for by name, each computed in NumPy as Keras 3 computes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from core.entries import named
from core.losses import EPSILON
from core.tasks import explained, right_decisions, right_labels

AUC_THRESHOLDS = 200
"""Keras's default, evenly spaced from 0 to 1."""


@dataclass(frozen=True)
class Metric:
    """A metric of Keras, with its defaults.

    Attributes:
        name: As `compile(metrics=[...])` takes it.
        label: Of its control.
        value: Maps the outputs of the last layer (rows, units) and the encoded labels
            (rows, width) to the metric.
        unfit: Why it says nothing of a task, by the task's name; it fits the others.
        by_column: Whether Keras needs labels of the same shape as the outputs.
    """

    name: str
    label: str
    value: Callable[[np.ndarray, np.ndarray], float]
    unfit: Mapping[str, str] = field(default_factory=dict)
    by_column: bool = False

    def objection(self, task: str, units: int, width: int) -> str:
        """Why it does not fit a task with these outputs and columns of labels; "" where it does."""
        if self.by_column and units != width:
            return f"It needs a column of labels for each of the {units} outputs, not {width}."
        return self.unfit.get(task, "")


def balanced_accuracy(output: np.ndarray, y: np.ndarray) -> float:
    """The mean over the classes of the share of right decisions, as scikit-learn defines it.

    It is that of chance for a constant answer, however rare a class is.

    Args:
        output: Of the last layer, (rows, units).
        y: Encoded labels of one class a row, (rows, width).
    """
    right = right_decisions(output, y)
    rows = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
    return float(np.mean([right[rows == k].mean() for k in range(rows.max() + 1)]))


def _area(output: np.ndarray, y: np.ndarray) -> float:
    """Of the ROC curve, all columns pooled, by trapezoids between the thresholds."""
    if np.isnan(output).any():  # of diverged weights, which no threshold parts
        return np.nan
    shown, present = np.clip(np.float32(output), 0, 1).ravel(), y.ravel() != 0
    bucket = np.maximum(np.ceil(shown * np.float32(AUC_THRESHOLDS - 1)) - 1, 0).astype(int)

    def rate(which):
        above = np.bincount(bucket[which], minlength=AUC_THRESHOLDS)[::-1].cumsum()[::-1]
        return above / max(which.sum(), 1)

    hit, false = rate(present), rate(~present)
    return float(((false[:-1] - false[1:]) * (hit[:-1] + hit[1:]) / 2).sum())


def _precision(output: np.ndarray, y: np.ndarray) -> float:
    return _share((output > 0.5) & (y != 0), output > 0.5)


def _recall(output: np.ndarray, y: np.ndarray) -> float:
    return _share((output > 0.5) & (y != 0), y != 0)


def _share(part: np.ndarray, of: np.ndarray) -> float:
    return float(part.sum() / max(of.sum(), 1))


def _f1(output: np.ndarray, y: np.ndarray) -> float:
    """The mean over the classes of what Keras gives for each."""
    chosen = (output >= output.max(axis=-1, keepdims=True)) & (np.abs(output) > 1e-9)
    both = (chosen * y).sum(axis=0)
    precision = both / (chosen.sum(axis=0) + EPSILON)
    recall = both / (y.sum(axis=0) + EPSILON)
    return float((2 * precision * recall / (precision + recall + EPSILON)).mean())


def _largest(output: np.ndarray, y: np.ndarray) -> float:
    return float((output.argmax(axis=-1) == y.argmax(axis=-1)).mean())


def _largest_by_number(output: np.ndarray, y: np.ndarray) -> float:
    return float((output.argmax(axis=-1) == y[:, 0]).mean())


def _percentage(output: np.ndarray, y: np.ndarray) -> float:
    return float(100 * (np.abs(y - output) / np.maximum(np.abs(y), EPSILON)).mean())


_CONTINUOUS = {"regression": "Hardly any output equals a continuous target exactly."}
_NO_POSITIVES = {"regression": "A continuous target is neither positive nor negative."}
_LARGEST = {"multi_label": "Only the largest of the labels counts; binary_accuracy counts each."}
_ONLY_ONE = {"binary": "The only output is always the largest."}
_DECISIONS = dict.fromkeys(
    ("binary", "multiclass", "multi_label"),
    "It measures how far the outputs are from the labels, not how many decisions are right.",
)
_COLUMNS = "It counts the columns one by one, and most of them are 0 whatever the class."
_ALL = (
    Metric(
        "accuracy",
        "Accuracy",
        lambda output, y: float(right_decisions(output, y).mean()),
        _CONTINUOUS | _LARGEST,
    ),
    Metric(
        "binary_accuracy",
        "Binary accuracy",
        lambda output, y: float(right_labels(output, y).mean()),
        _CONTINUOUS | {"multiclass": _COLUMNS},
        by_column=True,
    ),
    Metric(
        "categorical_accuracy",
        "Categorical accuracy",
        _largest,
        _CONTINUOUS | _LARGEST | _ONLY_ONE,
        by_column=True,
    ),
    Metric(
        "sparse_categorical_accuracy",
        "Sparse categorical accuracy",
        _largest_by_number,
        _CONTINUOUS | _LARGEST | _ONLY_ONE,
    ),
    Metric("auc", "AUC", _area, _NO_POSITIVES, by_column=True),
    Metric("precision", "Precision", _precision, _NO_POSITIVES, by_column=True),
    Metric("recall", "Recall", _recall, _NO_POSITIVES, by_column=True),
    Metric(
        "f1_score",
        "F1 score",
        _f1,
        _NO_POSITIVES
        | _ONLY_ONE
        | {"multi_label": "Without a threshold, Keras counts only the largest output as present."},
        by_column=True,
    ),
    Metric(
        "mean_absolute_error",
        "Mean absolute error",
        lambda output, y: float(np.abs(output - y).mean()),
        _DECISIONS,
    ),
    Metric(
        "mean_squared_error",
        "Mean squared error",
        lambda output, y: float(((output - y) ** 2).mean()),
        _DECISIONS,
    ),
    Metric(
        "root_mean_squared_error",
        "Root mean squared error",
        lambda output, y: float(np.sqrt(((output - y) ** 2).mean())),
        _DECISIONS,
    ),
    Metric(
        "mean_absolute_percentage_error", "Mean absolute percentage error", _percentage, _DECISIONS
    ),
    Metric(
        "r2_score",
        "R²",
        lambda output, y: float(explained(output, y).mean()),
        _DECISIONS,
        by_column=True,
    ),
)
METRICS = named(_ALL)
