"""Counts of values in the cells of a fixed grid, from which quantiles follow.

The grids are the same everywhere, so counts of several chunks are added cell by cell: the sum does
not depend on their order or grouping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np

Counts = Mapping[int, int]
"""The number of values by cell."""
STEP, LOWEST = 0.005, -200
"""Width of a cell of scores, and the cell of all scores from there down: an R² of -1."""
ACCURACY, SMALLEST = 0.0025, 1e-12
"""Relative error of a loss, and the size from which on it differs from 0."""
MISSING = -1_000_000
"""The cell of scores that are not a number; of losses, its negative."""
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_OFFSET = 1 - math.ceil(math.log(SMALLEST, _GAMMA))


class Grid(Protocol):
    """The cells of one kind of values; a higher cell has higher values."""

    def cells(self, values: np.ndarray) -> np.ndarray:
        """The cell of each value, int64, in the values' shape."""
        ...

    def value(self, cell: int) -> float:
        """The value that stands for a cell."""
        ...


class Scores:
    """Scores, rounded to multiples of STEP; one that is not a number is below all others."""

    def cells(self, values: np.ndarray) -> np.ndarray:
        known = np.isfinite(values)
        rounded = np.rint(np.where(known, values, 0).astype(float) / STEP)
        return np.where(known, np.maximum(rounded, LOWEST), MISSING).astype(np.int64)

    def value(self, cell: int) -> float:
        return math.nan if cell == MISSING else round(cell * STEP, 6)


class Losses:
    """Losses to a relative error of ACCURACY; one that is not finite is above all others.

    The cells are those of C. Masson, J. Rim and H. Lee, "DDSketch: a fast and fully-mergeable
    quantile sketch with relative-error guarantees", 2019.
    """

    def cells(self, values: np.ndarray) -> np.ndarray:
        known = np.isfinite(values)
        size = np.abs(np.where(known, values, 0).astype(float))
        above = np.ceil(np.log(np.maximum(size, SMALLEST)) / math.log(_GAMMA)) + _OFFSET
        signed = np.sign(np.where(known, values, 0)) * np.maximum(above, 1)
        return np.where(known, np.where(size < SMALLEST, 0, signed), -MISSING).astype(np.int64)

    def value(self, cell: int) -> float:
        if cell == -MISSING:
            return math.inf
        if cell == 0:
            return 0.0
        size = 2 * _GAMMA ** (abs(cell) - _OFFSET) / (_GAMMA + 1)
        return math.copysign(float(f"{size:.6g}"), cell)


SCORES, LOSSES = Scores(), Losses()


def counted(cells: np.ndarray) -> dict[int, int]:
    """The number of values in each cell that has any, in the order of the cells."""
    present, counts = np.unique(cells, return_counts=True)
    return dict(zip(present.tolist(), counts.tolist(), strict=True))


def added(one: Counts, other: Counts) -> dict[int, int]:
    """The counts of both."""
    total = dict(one)
    for cell, count in other.items():
        total[cell] = total.get(cell, 0) + count
    return total


def quantile(counts: Counts, q: float, grid: Grid) -> float:
    """The value at a share `q` of the values, from 0 to 1; NaN where there are none."""
    rank, passed = q * (sum(counts.values()) - 1), 0
    for cell, count in sorted(counts.items()):
        passed += count
        if passed > rank:
            return grid.value(cell)
    return math.nan
