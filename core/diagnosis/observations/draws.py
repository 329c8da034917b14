"""Random rows and initial weights, all from one generator, so that a diagnosis is repeatable."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from core import network
from core.diagnosis.observations.rows import RowStatistics
from core.experiment import Data, Experiment
from core.streams import generator

SEED = 0
RUNS = 8
"""Runs of a look ahead."""
ROWS = 64
"""Rows that a look ahead is computed on: shares are then known to within 0.12 (95%)."""


class Draws:
    """Random rows and weights.

    Every draw advances the one generator, so their order decides their values.

    Args:
        rows: Statistics of the training rows, which the rows are taken from.
    """

    def __init__(self, rows: RowStatistics):
        self.rows = rows

    @cached_property
    def rng(self) -> np.random.Generator:
        return generator(SEED, 1)

    @cached_property
    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """x (runs, rows, features) and y (runs, rows, width) of the experiment's own data."""
        return self.sample_of(self.rows.reduced)

    def sample_of(self, data: Data) -> tuple[np.ndarray, np.ndarray]:
        """RUNS times ROWS random training rows.

        Returns:
            x (runs, rows, features) and y (runs, rows, width).
        """
        # A table is the same in every run, and data that is big is slow to draw.
        draws = 1 if not data.source.random or data.source.features > 20 else min(RUNS, 4)
        prepared = [self.rows.of_run(data, run) for run in range(draws)]
        picks = []
        for run in range(RUNS):
            rows = prepared[run % draws]
            picks.append((rows, self.rng.permutation(len(rows.x))[:ROWS]))
        x = np.stack([rows.x[pick] for rows, pick in picks])
        y = np.stack([rows.y[pick] for rows, pick in picks])
        return x, y

    def repeated(self, runs: int) -> tuple[np.ndarray, np.ndarray]:
        """The sample for any number of runs: x (runs, rows, features), y (runs, rows, width)."""
        x, y = self.sample
        return np.resize(x, (runs, *x.shape[1:])), np.resize(y, (runs, *y.shape[1:]))

    def weights(self, experiment: Experiment, runs: int) -> list[np.ndarray]:
        """Initial weights, as of `network.draw_weights`."""
        features = experiment.data.source.features
        return network.draw_weights(experiment.model, features, runs, self.rng)
