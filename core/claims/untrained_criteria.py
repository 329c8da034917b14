"""Criteria that need no training: what Python, NumPy and Keras do with the data."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.claims.criteria import HAPPENED, Outcome, Quantity


@dataclass(frozen=True)
class FitAccepts:
    """Plain Keras's `fit` takes the rows and labels without an error."""

    quantity = HAPPENED
    trains = False
    text = "model.fit trains an epoch on the run's rows and labels without an error."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        from core.reference import accepts

        met = accepts(outcome.experiments[-1], outcome.runs, outcome.seed, outcome.first)
        return met, met.astype(float)


@dataclass(frozen=True)
class RowsLost:
    """`random.shuffle` on an array of `rows` rows loses a share of them in [low, high]."""

    rows: int
    low: float
    high: float
    quantity = Quantity("Share of rows lost", ".1%")
    trains = False

    @property
    def text(self) -> str:
        return (
            f"Of {self.rows:,} different rows, between {self.low:.0%} and {self.high:.0%} are gone."
        )

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        values = np.array(
            [
                1
                - len(np.unique(_python_shuffled(np.arange(self.rows), outcome.seed, run)))
                / self.rows
                for run in outcome.numbers
            ]
        )
        return (values >= self.low) & (values <= self.high), values


@dataclass(frozen=True)
class SecondClassShrinks:
    """Of rows sorted into two equal classes, the second keeps at most a share `high`."""

    rows: int
    high: float
    quantity = Quantity("Share of the second class", ".1%")
    trains = False

    @property
    def text(self) -> str:
        return (
            f"Of {self.rows:,} rows, half of each class and sorted by it, at most {self.high:.0%} "
            "belong to the second class afterwards."
        )

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        classes = np.repeat([0, 1], self.rows // 2)
        values = np.array(
            [_python_shuffled(classes, outcome.seed, run).mean() for run in outcome.numbers]
        )
        return values <= self.high, values


@dataclass(frozen=True)
class DrawFromReversedBounds:
    """What NumPy does with a low bound above the high one.

    Attributes:
        generator: `Generator.uniform`, not the older `numpy.random.uniform`.
        refuses: met where it raises ValueError; otherwise met where it raises, or gives a value
            outside the two bounds.
    """

    generator: bool
    refuses: bool
    quantity = HAPPENED
    trains = False

    @property
    def text(self) -> str:
        name = "Generator.uniform" if self.generator else "numpy.random.uniform"
        what = "raises ValueError" if self.refuses else "raises, or leaves the two bounds"
        return f"{name} with low 0.4 and high 0.2 {what}."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        values = np.zeros(outcome.runs)
        for index, run in enumerate(outcome.numbers):
            make: Any = np.random.default_rng if self.generator else np.random.RandomState
            try:
                drawn = make((outcome.seed, run)).uniform(0.4, 0.2, size=(200, 2))
            except (ValueError, OverflowError):
                values[index] = 1
            else:
                outside = ((drawn < 0.2) | (drawn > 0.4)).any()
                values[index] = not self.refuses and outside
        return values == 1, values


def _python_shuffled(column: np.ndarray, seed: int, run: int) -> np.ndarray:
    """A column (rows,) after Python's `random.shuffle` on it as a two-dimensional array."""
    rows: Any = column[:, None].copy()
    random.Random(f"{seed}/{run}").shuffle(rows)
    return rows[:, 0]
