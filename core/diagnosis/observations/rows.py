"""What the training rows say: their inputs, what is to be learnt, and how well it can be."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from core.data import Rows, prepare
from core.diagnosis.estimates import (
    agreement,
    conditioning,
    least_squares_r2,
    linear_accuracy,
    neighbour_accuracy,
    neighbour_r2,
)
from core.experiment import Data
from core.tasks import Task

DRAWN_ROWS = 2_000
"""Rows drawn from a generator; what is said about them does not get more exact with more."""
ENOUGH_ROWS = 100
"""Rows from which on the agreement of neighbours says something about the best accuracy."""
CLEARLY = 0.1
"""An estimated ceiling this far above the baseline says that there is something to learn."""
COMPARED_ROWS = 400
"""Rows whose neighbours are looked up, which takes the square of their number."""


class RowStatistics:
    """Figures of the training rows of run 0, each computed on first use.

    Args:
        data: Of the experiment.
        seed: Of its history, or 0.
    """

    def __init__(self, data: Data, seed: int):
        self.data, self.seed = data, seed

    @cached_property
    def reduced(self) -> Data:
        """The same data with no more rows than it takes to describe them."""
        source = self.data.source
        if source.rows <= DRAWN_ROWS:
            return self.data
        return replace(self.data, source=source.with_rows(DRAWN_ROWS))

    def of_run(self, data: Data, run: int) -> Rows:
        """The rows of one run of this or other data."""
        return prepare(data, self.seed, run)

    @cached_property
    def prepared(self) -> Rows:
        """x (rows, features) and y (rows, width), as they reach the network."""
        return self.of_run(self.reduced, 0)

    @cached_property
    def inputs(self) -> np.ndarray:
        """(rows, features), as they reach the network."""
        return self.prepared.x.astype(float)

    @cached_property
    def targets(self) -> np.ndarray:
        """(rows, width), encoded labels or scaled targets, as they reach the loss."""
        return self.prepared.y.astype(float)

    @property
    def target_size(self) -> float:
        """The largest root mean square of a column of the targets."""
        return float(np.sqrt(np.square(self.targets).mean(axis=0)).max())

    def baseline(self, task: Task) -> float:
        """The score of the best constant answer to these rows."""
        return task.baseline(self.prepared.y)

    @cached_property
    def classes(self) -> np.ndarray:
        """int (rows,), the class of each training row, counted in the order of `data.targets`.

        With several labels a row, each combination of them is one; targets are all of one.
        """
        y = self.prepared.y
        if self.data.source.outputs:
            return np.zeros(len(y), int)
        if self.data.source.label_columns:
            return np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
        if y.shape[1] > 1:
            return y.argmax(axis=1)
        order = np.argsort(self.data.targets)
        levels = np.asarray(self.data.targets, np.float32)[order]
        return order[np.clip(np.searchsorted(levels, y[:, 0]), 0, len(levels) - 1)]

    @cached_property
    def shares(self) -> np.ndarray:
        """(classes,), the share of each class in the training rows."""
        classes = self.data.source.classes if self.data.has_one_class_per_row else 0
        return np.bincount(self.classes, minlength=classes) / len(self.classes)

    @property
    def nothing_varies(self) -> bool:
        """All rows have the same labels or targets."""
        return not np.ptp(self.targets, axis=0).any()

    @property
    def continuous(self) -> bool:
        """The labels are measurements, not classes."""
        return self.data.continuous

    @cached_property
    def varying(self) -> np.ndarray:
        """bool (features,): the column is not constant."""
        return np.ptp(self.inputs, axis=0) > 0

    @cached_property
    def sizes(self) -> np.ndarray:
        """(varying features,), root mean square of each column that is not constant."""
        return np.sqrt(np.square(self.inputs[:, self.varying]).mean(axis=0))

    @cached_property
    def conditioning(self) -> float:
        """How many times steeper the loss is along the inputs' mean than across it."""
        return conditioning(self.inputs[:, self.varying])

    @cached_property
    def ceiling(self) -> float:
        """The best accuracy, or R², that any model of these inputs can have, in expectation."""
        if self.known_ceiling is not None:
            return self.known_ceiling
        if self.data.source.label_columns:
            return 1.0
        return self.best_fit if self.continuous else min(self.agreement, self._neighbours())

    @cached_property
    def known_ceiling(self) -> float | None:
        """The same, where the source says it; None where it can only be estimated."""
        return self.data.source.ceiling()

    @cached_property
    def best_fit(self) -> float:
        """R² of the best of simple fits; 1 where it would not mean much."""
        x, y = self.inputs[:COMPARED_ROWS], self.targets[:COMPARED_ROWS]
        if len(x) < ENOUGH_ROWS:
            return 1.0
        best = max(self.linear_score, least_squares_r2(x, y, quadratic=True), neighbour_r2(x, y))
        return best if best > CLEARLY else 1.0

    @cached_property
    def linear_score(self) -> float:
        """The accuracy, or R², of a network without non-linear layers."""
        if self.continuous:
            return least_squares_r2(self.inputs, self.targets)
        if self.data.source.label_columns:
            columns = self.targets.T.astype(int)
            return float(np.mean([linear_accuracy(self.inputs, column) for column in columns]))
        return linear_accuracy(self.inputs, self.classes)

    @cached_property
    def agreement(self) -> float:
        """The share of rows that carry the most common label of all rows with the same inputs."""
        return agreement(self.inputs, self.classes)

    def _neighbours(self) -> float:
        """Accuracy of each row's nearest others, 1 where it would not mean much."""
        if len(self.inputs) < ENOUGH_ROWS:
            return 1.0
        accuracy = neighbour_accuracy(self.inputs[:COMPARED_ROWS], self.classes[:COMPARED_ROWS])
        return accuracy if accuracy > self.shares.max() + CLEARLY else 1.0
