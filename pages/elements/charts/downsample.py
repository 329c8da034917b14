"""How much of a training is drawn: a browser slows down, and an eye gains nothing from more."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

MAX_ROWS = 5_000
"""The most rows that a chart draws."""
FEWEST_EPOCHS = 25
"""Runs are left out before a curve has fewer points than this."""


class Thinned(NamedTuple):
    """What is drawn of a frame: its rows, and the runs drawn of all runs."""

    frame: pd.DataFrame
    drawn: int
    runs: int

    def __str__(self) -> str:
        """Such as "200 of 512 runs drawn"; empty where all are."""
        return "" if self.drawn == self.runs else f"{self.drawn:,} of {self.runs:,} runs drawn"


def thin(frame: pd.DataFrame, *, ranked: bool = True, limit: int = MAX_ROWS) -> Thinned:
    """At most `limit` rows of a frame with columns run and epoch: fewer epochs, then fewer runs.

    The first and last epoch stay. Runs are spread over the ranks of their last accuracy, the best
    and the worst among them; not `ranked`, over their numbers, which does not change in training.
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
    """The runs from the worst last accuracy (held-out, where measured) to the best."""
    last = frame.loc[frame.groupby("run")["epoch"].idxmax()]
    for column in ("val_accuracy", "evaluated_accuracy", "accuracy"):
        if column in last and last[column].notna().any():
            return last.sort_values(column, na_position="first")["run"].to_numpy()
    return last["run"].to_numpy()


def spread(items: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the items, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return np.asarray(items)[np.unique(places)]


def finite(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows in which all of these columns are finite numbers."""
    return frame[np.isfinite(frame[list(columns)].astype(float)).all(axis=1)]
