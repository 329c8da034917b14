"""Limits on the data that a chart draws; more would slow down the browser and show nothing new."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

MAX_ROWS = 5_000
"""The most rows that a chart draws."""
FEWEST_EPOCHS = 25
"""The fewest points of a curve; below it, runs are left out instead of epochs."""


class Thinned(NamedTuple):
    """The part of a frame that is drawn.

    Attributes:
        frame: The rows.
        drawn: Number of runs in it.
        runs: Number of runs in the whole frame.
    """

    frame: pd.DataFrame
    drawn: int
    runs: int

    def __str__(self) -> str:
        """A note such as "200 of 512 runs drawn"; empty if all runs are drawn."""
        return "" if self.drawn == self.runs else f"{self.drawn:,} of {self.runs:,} runs drawn"


def thin(frame: pd.DataFrame, *, ranked: bool = True, limit: int = MAX_ROWS) -> Thinned:
    """Reduce a frame to at most `limit` rows: first to fewer epochs, then to fewer runs.

    The first and the last epoch are kept.

    Args:
        frame: With columns run and epoch, and scores if `ranked`.
        ranked: Whether the runs are evenly spaced by the rank of their last score, including
            the best and the worst; otherwise they are evenly spaced by number, which gives the
            same runs throughout a training.
        limit: The most rows.
    """
    runs = frame["run"].nunique()
    epochs = np.sort(frame["epoch"].unique())
    if len(frame) <= limit:
        return Thinned(frame, runs, runs)
    epochs = spread(epochs, max(FEWEST_EPOCHS, limit // runs))
    order = _ranking(frame) if ranked else np.sort(frame["run"].unique())
    chosen = spread(order, max(1, limit // len(epochs)))
    kept = frame[frame["run"].isin(chosen) & frame["epoch"].isin(epochs)]
    return Thinned(kept, len(chosen), runs)


def _ranking(frame: pd.DataFrame) -> np.ndarray:
    """The runs from the worst last score (held-out if measured) to the best."""
    last = frame.loc[frame.groupby("run")["epoch"].idxmax()]
    for column in ("val_score", "evaluated_score", "score"):
        if column in last and last[column].notna().any():
            return last.sort_values(column, na_position="first")["run"].to_numpy()
    return last["run"].to_numpy()


def spread(items: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the items, evenly spaced, including the first and the last."""
    indices = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return np.asarray(items)[np.unique(indices)]


def finite(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows in which all of these columns are finite numbers."""
    return frame[np.isfinite(frame[list(columns)].astype(float)).all(axis=1)]
