"""What the training rows say: their inputs, what is to be learnt, and how well it can be."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from core.baselines import Baselines, Estimate
from core.data import Rows, prepare
from core.diagnosis.estimates import (
    agreement,
    alike,
    conditioning,
    least_squares_r2,
    linear_accuracy,
)
from core.diagnosis.simple import best_simple_model
from core.experiment import Data
from core.tasks import Task, explained, right_decisions, right_labels

DRAWN_ROWS = 2_000
"""Rows drawn from a generator; what is said about them does not get more exact with more."""
ENOUGH_ROWS = 100
"""Rows from which on simple models say something about the best score."""
ENOUGH = 0.99
"""A score of a simple model that no better one is looked for."""
STANDARD = 0.2
"""How far the mean and deviation of a part of standardised rows may be off."""
COMPARED_ROWS, COMPARED_VALUES = 400, 100_000
"""Rows, and rows times columns, that simple models are fitted to: about 20 ms of their time."""


class RowStatistics:
    """Figures of the training rows of run 0, each computed on first use.

    Args:
        data: Of the experiment.
        seed: Of its history, or 0.
        baselines: What other models reach on them, where that was measured.
        reached: What the best run of a training reached on held-out rows.
    """

    def __init__(
        self,
        data: Data,
        seed: int,
        baselines: Baselines | None = None,
        reached: Estimate | None = None,
    ):
        self.data, self.seed, self.baselines, self.reached = data, seed, baselines, reached

    @cached_property
    def reduced(self) -> Data:
        """The same data with no more rows than it takes to describe them."""
        source = self.data.source
        if source.rows <= DRAWN_ROWS:
            return self.data
        return replace(self.data, source=source.with_rows(DRAWN_ROWS))

    def of_run(self, data: Data, run: int) -> Rows:
        """The rows of one run of this or other data."""
        if run == 0 and data is self.reduced:
            return self.prepared
        return prepare(data, self.seed, run)

    @cached_property
    def prepared(self) -> Rows:
        """x (rows, features) and y (rows, width), as they reach the network."""
        return prepare(self.reduced, self.seed, 0)

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
        """The score of the best constant answer to these rows, which the rules decide by."""
        return task.baseline(self.prepared.y)

    def drawn_baseline(self, task: Task) -> float:
        """The same to all rows that the final score of run 0 is of, as charts draw it: to state."""
        return task.baseline(self._judged)

    @cached_property
    def _judged(self) -> np.ndarray:
        """y (rows, width) of these."""
        every = self.prepared if self.reduced is self.data else prepare(self.data, self.seed, 0)
        return every.judged[1]

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
        squares = np.einsum("ij,ij->j", self.inputs, self.inputs)
        return np.sqrt(squares[self.varying] / len(self.inputs))

    @cached_property
    def standardised(self) -> bool:
        """Every column that varies has about a mean of 0 and a variance of 1."""
        means = self.inputs.mean(axis=0)[self.varying]
        spreads = np.sqrt(np.maximum(self.sizes**2 - means**2, 0))
        off = np.maximum(np.abs(means), np.abs(spreads - 1))
        return bool(off.max(initial=0) < STANDARD) and len(off) > 0

    @cached_property
    def conditioning(self) -> float:
        """How many times steeper the loss is along the inputs' mean than across it."""
        return conditioning(self.inputs[:, self.varying])

    @cached_property
    def ceiling(self) -> float:
        """The best accuracy, or R², that any model of these inputs can have, in expectation.

        Where it is not known it is the best that some model is known to reach; 1 where that would
        not mean much.
        """
        if self.known_ceiling is not None:
            return self.known_ceiling
        if self.best_known is None:
            return 1.0
        best = self.best_known.score
        return best if self.continuous else min(self.agreement, best)

    @cached_property
    def known_ceiling(self) -> float | None:
        """The same, where the source says it; None where it can only be estimated."""
        return self.data.source.ceiling()

    @cached_property
    def best_known(self) -> Estimate | None:
        """The best score of a model on rows that it has not seen; None of too few rows."""
        models = [] if self.reached is None else [self.reached]
        if self.baselines is not None:
            models += self.baselines.models
        if len(self.inputs) >= ENOUGH_ROWS and not self.nothing_varies:
            models.append(self._simple_model)
        elif self.baselines is None:
            return None
        return max(models, key=lambda model: model.score)

    @property
    def _simple_model(self) -> Estimate:
        rows = min(COMPARED_ROWS, max(COMPARED_VALUES // self.inputs.shape[1], ENOUGH_ROWS))
        x, y = self.inputs[:rows], self.targets[:rows]
        hits = explained if self.continuous else right_labels
        if not self.continuous and not self.data.source.label_columns:
            classes = np.unique(self.classes[:rows], return_inverse=True)[1].reshape(-1)
            y, hits = np.eye(max(classes.max() + 1, 2))[classes], right_decisions
        return best_simple_model(x, y, hits, ENOUGH)

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
        return agreement(self.groups, self.classes)

    @cached_property
    def groups(self) -> np.ndarray:
        """int (rows,), the same number for rows with the same inputs."""
        return alike(self.prepared.x)

    @property
    def distinct(self) -> int:
        """How many rows there are without those whose inputs and targets are those of another."""
        return int(alike(np.column_stack([self.groups, self.targets])).max()) + 1
