"""From an experiment's data to the arrays of one run: drawn, shuffled, split, scaled, encoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.experiment import Data
from core.streams import generator


@dataclass(frozen=True)
class Rows:
    """The arrays of one run, ready for the network.

    x, held_out_x: float32 (rows, features), scaled.
    y, held_out_y: float32 (rows, width), encoded for the loss.
    offset, scale: float64 (features,); a raw input u reaches the network as (u - offset) / scale.
    """

    x: np.ndarray
    y: np.ndarray
    held_out_x: np.ndarray
    held_out_y: np.ndarray
    offset: np.ndarray
    scale: np.ndarray


def prepare(data: Data, seed: int, run: int) -> Rows:
    """The rows of run `run` of seed `seed`; `data.seed`, where set, replaces both."""
    rng = generator(seed, run, 0) if data.seed is None else generator(data.seed)
    inputs, classes = shuffled(data.shuffling, *data.source.draw(rng), rng)
    if data.held_out_rows:
        order = rng.permutation(len(inputs))
        inputs, classes = inputs[order], classes[order]
    training = slice(data.training_rows)
    offset, scale = fit_scaler(data, inputs[training])
    x = ((inputs - offset) / scale).astype(np.float32)
    y = encode(data, classes)
    held_out = slice(data.training_rows, None)
    return Rows(x[training], y[training], x[held_out], y[held_out], offset, scale)


def shuffled(
    shuffling: str, inputs: np.ndarray, classes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The rows in the order, and with the losses, that this way of shuffling gives."""
    if shuffling == "none":
        return inputs, classes
    rows = len(inputs)
    if shuffling == "permutation":
        order = rng.permutation(rows)
    else:
        order = surviving_rows(rng.integers(0, np.arange(2, rows + 1)))
    return inputs[order], classes[order]


def surviving_rows(partners: np.ndarray) -> np.ndarray:
    """Which original row stands in each place after `random.shuffle` on a two-dimensional array.

    `random.shuffle` swaps row i with a random row j <= i, for i from the last to 1. A row of a
    NumPy array is a view, so the swap copies row j over row i and then row i, by now the same,
    over row j: row i is lost, and row j, never touched before its own turn, is still the original.

    partners: int (rows - 1,), the j drawn for i = 1, 2, ... rows - 1. Returns int (rows,).
    Row k stays in no place at all with probability k / rows, so about half of them are lost.
    """
    return np.concatenate([[0], partners])


def fit_scaler(data: Data, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offset and scale, (features,) each, from the training inputs (rows, features)."""
    if data.scaling == "min-max":
        offset, scale = inputs.min(axis=0), np.ptp(inputs, axis=0)
    elif data.scaling == "standardise":
        offset, scale = inputs.mean(axis=0), inputs.std(axis=0)
    else:
        offset = np.zeros(inputs.shape[1])
        scale = np.full(inputs.shape[1], data.divisor if data.scaling == "divide" else 1.0)
    # A constant column has nothing to scale; dividing it by 1 keeps it finite.
    return offset, np.where(scale > 0, scale, 1.0)


def encode(data: Data, classes: np.ndarray) -> np.ndarray:
    """Class numbers, int (rows,), as the loss sees them: float32 (rows, width)."""
    targets = np.asarray(data.targets, np.float32)[classes]
    if data.encoding == "one-hot":
        return np.eye(data.source.classes, dtype=np.float32)[targets.astype(int)]
    return targets[:, None]


def majority_rate(data: Data, seed: int, run: int) -> float:
    """The accuracy of always answering with the most frequent class, on the rows that count.

    These are the run's held-out rows where there are any, and else its training rows.
    """
    rows = prepare(data, seed, run)
    y = rows.held_out_y if len(rows.held_out_y) else rows.y
    return np.unique(y, axis=0, return_counts=True)[1].max() / len(y)
