"""From an experiment's data to the arrays of one run: drawn, shuffled, split, scaled, encoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.experiment import Data
from core.streams import generator

FITTED_SCALINGS = ("min-max", "standardise")
"""Those whose offset and scale depend on the rows that are trained on."""
BLOCK_ROWS = 4_096
"""Rows that are computed at once where a copy of all of them would take too much memory."""
CANDIDATES = 64
"""Extreme rows of a column among which those of a run are looked for first."""


@dataclass(frozen=True)
class Rows:
    """The arrays of one run, ready for the network.

    Attributes:
        x, held_out_x: float32 (rows, features), scaled.
        y, held_out_y: float32 (rows, width), encoded for the loss.
        offset, scale: float64 (features,); a raw input u reaches the network as
            (u - offset) / scale.
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
    inputs, classes = data.source.draw(rng)
    order = row_order(data, rng)
    inputs, classes = inputs[order], classes[order]
    training = slice(data.training_rows)
    offset, scale = fit_scaler(data, inputs[training])
    x = ((inputs - offset) / scale).astype(np.float32)
    y = encode(data, classes)
    held_out = slice(data.training_rows, None)
    return Rows(x[training], y[training], x[held_out], y[held_out], offset, scale)


@dataclass(frozen=True)
class SharedRows:
    """The rows of several runs that draw the same ones, stored once.

    Attributes:
        x: float32 (rows, features), scaled by a scaler of all rows.
        y: float32 (rows, width), encoded for the loss.
        index, held_out_index: int32 (runs, rows), the training and held-out rows of each run.
        scale, shift: float32 (runs, features); the inputs of a run are x * scale + shift. None if
            x is what every run's own scaler gives.
    """

    x: np.ndarray
    y: np.ndarray
    index: np.ndarray
    held_out_index: np.ndarray
    scale: np.ndarray | None
    shift: np.ndarray | None


def is_shared(data: Data) -> bool:
    """Whether all runs draw the same rows, if in another order."""
    return not data.source.random or data.seed is not None


def has_scale_per_run(data: Data) -> bool:
    """Whether runs that draw the same rows scale them differently: by those they train on."""
    fitted = data.scaling in FITTED_SCALINGS
    varies = data.held_out_rows > 0 or data.shuffling == "rows"
    return is_shared(data) and data.seed is None and fitted and varies


def prepare_shared(data: Data, seed: int, runs: int) -> SharedRows:
    """The rows of runs 0 to `runs` - 1, as `prepare` gives them, for data that `is_shared`.

    Neither the memory, but for the indices, nor the time grows with rows x columns x runs.
    """
    split = data.training_rows
    if data.seed is not None:
        rows = prepare(data, 0, 0)
        x, y = np.concatenate([rows.x, rows.held_out_x]), np.concatenate([rows.y, rows.held_out_y])
        index = np.tile(np.arange(len(x), dtype=np.int32), (runs, 1))
        return SharedRows(x, y, index[:, :split], index[:, split:], None, None)
    inputs, classes = data.source.draw(generator(0))
    orders = [row_order(data, generator(seed, run, 0)) for run in range(runs)]
    index = np.stack(orders).astype(np.int32)
    offset, scale = fit_scaler(data, inputs)
    x = np.empty(inputs.shape, np.float32)
    for start in range(0, len(x), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        x[block] = (inputs[block] - offset) / scale
    scales = shifts = None
    if has_scale_per_run(data):
        offsets, own = _scaler_per_run(data, inputs, index[:, :split])
        scales, shifts = scale / own, (offset - offsets) / own
        scales, shifts = scales.astype(np.float32), shifts.astype(np.float32)
    return SharedRows(x, encode(data, classes), index[:, :split], index[:, split:], scales, shifts)


def _scaler_per_run(
    data: Data, inputs: np.ndarray, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`fit_scaler` of inputs[rows] for the rows of each run, (runs, features) each.

    By products of how often each run has each row with the inputs, rather than by picking the rows
    of each run; and by the extremes of all rows rather than of each run's, where it has them.
    """
    rows = len(inputs)
    if data.scaling == "min-max":
        low, high = (_smallest(sign * inputs, index) * sign for sign in (1, -1))
        offset, scale = low, high - low
    else:
        counts = np.stack([np.bincount(row, minlength=rows) for row in index]).astype(np.float32)
        # About a centre, so that the sum of squares loses no digits.
        centre = inputs.mean(axis=0)
        total = squares = 0.0
        for start in range(0, rows, BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            weights, off = counts[:, block].astype(float), inputs[block] - centre
            total, squares = total + weights @ off, squares + weights @ off**2
        mean = total / index.shape[1]
        offset = centre + mean
        scale = np.sqrt(np.maximum(squares / index.shape[1] - mean**2, 0))
        # Rounding must not give a spread to a column that is constant in a run.
        for run, column in zip(*np.nonzero(scale <= 1e-6 * np.abs(centre + mean)), strict=True):
            scale[run, column] = inputs[index[run], column].std()
    return offset, np.where(scale > 0, scale, 1.0)


def _smallest(inputs: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(runs, features): the smallest of inputs[rows] for the rows of each run."""
    few = min(CANDIDATES, len(inputs))
    lowest = np.argpartition(inputs, few - 1, axis=0)[:few]
    values = np.take_along_axis(inputs, lowest, axis=0)
    smallest = np.empty((len(index), inputs.shape[1]))
    for run, rows in enumerate(index):
        has = np.zeros(len(inputs), bool)
        has[rows] = True
        smallest[run] = np.where(has[lowest], values, np.inf).min(axis=0)
        for column in np.flatnonzero(np.isinf(smallest[run])):
            smallest[run, column] = inputs[rows, column].min()
    return smallest


def row_order(data: Data, rng: np.random.Generator) -> np.ndarray:
    """int (rows,): the drawn row in each place, the training rows before the held-out ones.

    Some stand in several places, and others in none, where `shuffling` is `rows`.
    """
    rows = data.source.rows
    if data.shuffling == "none":
        order = np.arange(rows)
    elif data.shuffling == "permutation":
        order = rng.permutation(rows)
    else:
        order = surviving_rows(rng.integers(0, np.arange(2, rows + 1)))
    return order[rng.permutation(rows)] if data.held_out_rows else order


def surviving_rows(partners: np.ndarray) -> np.ndarray:
    """Which original row stands in each place after `random.shuffle` on a two-dimensional array.

    `random.shuffle` swaps row i with a random row j <= i, for i from the last to 1. A row of a
    NumPy array is a view, so the swap copies row j over row i and then row i, by now the same,
    over row j: row i is lost, and row j, never touched before its own turn, is still the original.

    Row k stays in no place at all with probability k / rows, so about half of them are lost.

    Args:
        partners: int (rows - 1,), the j drawn for i = 1, 2, ... rows - 1.

    Returns:
        int (rows,).
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
