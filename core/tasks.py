"""The tasks: what a run is judged by, what that is compared with, and when a run succeeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.entries import named
from core.rates import percent, points

TARGET = 0.9
"""The default target: a run succeeds when its final score reaches it."""


@dataclass(frozen=True)
class Task:
    """What a network is to do, decided by the targets (`core.experiment.Experiment.task`).

    Attributes:
        name: Of the task.
        score: The name of the score in words.
        column: The same in the columns of a file.
        metric: The metric of Keras that equals the score.
        meaning: What the score is, in a phrase.
        baseline_name: What a score is compared with, in words.
        constant: The constant answer whose score that is, in words.
        hits: Maps the outputs of the last layer (runs, rows, units) and the encoded labels
            (runs, rows, width) to what each row adds to the score, (runs, rows); the score is its
            mean over the rows.
        baseline: Maps encoded labels (rows, width) to the score of the best constant answer.
        target: The default score at which a run succeeds.
        share: Whether the score is a share, from 0 to 1; R² has no lower bound.
    """

    name: str
    score: str
    column: str
    metric: str
    meaning: str
    baseline_name: str
    constant: str
    hits: Callable[[np.ndarray, np.ndarray], np.ndarray]
    baseline: Callable[[np.ndarray], float]
    target: float = TARGET
    share: bool = True

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    @property
    def score_name(self) -> str:
        """The name of the score within a sentence."""
        return self.score.replace("Accuracy", "accuracy")

    def written(self, score: float) -> str:
        """A score with its unit, such as "90%" or "R² 0.9"."""
        return f"{100 * score:.4g}%" if self.share else f"{self.score} {score:.4g}"

    def named(self, score: float) -> str:
        """The same with the score's name: "90% accuracy" or "R² 0.9"."""
        return f"{self.written(score)} {self.score_name}" if self.share else self.written(score)

    def number(self, score: float) -> str:
        """A measured score to a tenth of a percent, or to three decimals."""
        return percent(score) if self.share else f"{score:.3f}".replace("-", "\u2212")

    def stated(self, score: float) -> str:
        """A score within a sentence, such as "90%", "50.2%" or, of R², "0.87"."""
        return percent(score) if self.share else f"{score:.2f}"

    def phrased(self, score: float) -> str:
        """The same with the score's name: "an accuracy of 90%" or "an R² of 0.87"."""
        return f"an {self.score_name} of {self.stated(score)}"

    def difference(self, between: float) -> str:
        """How far two scores are apart: "3 percentage points" or "0.03"."""
        return points(between) if self.share else f"{between:.2f}"


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


def _of_classes(name: str) -> Task:
    return Task(
        name,
        "Accuracy",
        "accuracy",
        "accuracy",
        "the share of rows whose class is right",
        "majority class",
        "the most frequent class",
        right_decisions,
        _majority,
    )


TASKS = named(
    (
        _of_classes("binary"),
        _of_classes("multiclass"),
        Task(
            "multi_label",
            "Accuracy",
            "accuracy",
            "binary_accuracy",
            "the share of right labels, over all labels of all rows",
            "majority by label",
            "the more frequent value of each label",
            right_labels,
            _majority_by_column,
        ),
        Task(
            "regression",
            "R²",
            "r2",
            "r2_score",
            "the share of the targets' variance that the predictions explain; always predicting "
            "the mean explains 0",
            "predicting the mean",
            "the mean of the targets",
            explained,
            lambda y: 0.0,
            share=False,
        ),
    )
)
