"""From an experiment's data to the arrays of one run: drawn, shuffled, split, scaled, encoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.experiment import Data, Experiment
from core.streams import DATA, generator

FITTED_SCALINGS = ("min-max", "standardise")
"""Those whose offset and scale depend on the rows that are trained on."""
BLOCK_ROWS = 4_096
"""Rows that are computed at once where a copy of all of them would take too much memory."""
CANDIDATES = 64
"""Extreme rows of a column among which those of a run are looked for first."""

Scaler = tuple[np.ndarray, np.ndarray]
"""Offset and scale."""


@dataclass(frozen=True)
class Rows:
    """The arrays of one run, ready for the network.

    Attributes:
        x, held_out_x: float32 (rows, features), scaled.
        y, held_out_y: float32 (rows, width), encoded for the loss; continuous targets are scaled.
        offset, scale: float64 (features,); a raw input u reaches the network as
            (u - offset) / scale.
        y_offset, y_scale: float64 (width,), the same of the targets; 0 and 1 of class labels.
    """

    x: np.ndarray
    y: np.ndarray
    held_out_x: np.ndarray
    held_out_y: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    y_offset: np.ndarray
    y_scale: np.ndarray

    @property
    def judged(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and labels of the rows that the final score is of: held out, or trained on."""
        if len(self.held_out_x):
            return self.held_out_x, self.held_out_y
        return self.x, self.y

    def in_unit_of_targets(self, y: np.ndarray) -> np.ndarray:
        """Targets or predictions, (..., width), in the unit of the given targets, float64."""
        return y * self.y_scale + self.y_offset


def prepare(data: Data, seed: int, run: int) -> Rows:
    """The rows of run `run` of seed `seed`; `data.seed`, where set, replaces both."""
    rng = generator(seed, run, DATA) if data.seed is None else generator(data.seed)
    inputs, labels = data.source.draw(rng)
    order = row_order(data, rng)
    inputs, y = inputs[order], encode(data, labels[order])
    training, held_out = slice(data.training_rows), slice(data.training_rows, None)
    offset, scale = fit_scaler(data, inputs[training])
    x = ((inputs - offset) / scale).astype(np.float32)
    y_offset, y_scale = fit_target_scaler(data, y[training])
    if data.source.outputs:
        y = ((y - y_offset) / y_scale).astype(np.float32)
    return Rows(
        x[training], y[training], x[held_out], y[held_out], offset, scale, y_offset, y_scale
    )


@dataclass(frozen=True)
class SharedRows:
    """The rows of several runs that draw the same ones, stored once.

    Attributes:
        x: float32 (rows, features), scaled by a scaler of all rows.
        y: float32 (rows, width), encoded for the loss; targets are scaled by a scaler of all rows.
        index, held_out_index: int32 (runs, rows), the training and held-out rows of each run.
        scale, shift: float32 (runs, features); the inputs of a run are x * scale + shift. None if
            x is what every run's own scaler gives.
        y_scale, y_shift: float32 (runs, width), the same of targets.
    """

    x: np.ndarray
    y: np.ndarray
    index: np.ndarray
    held_out_index: np.ndarray
    scale: np.ndarray | None
    shift: np.ndarray | None
    y_scale: np.ndarray | None
    y_shift: np.ndarray | None


def is_shared(data: Data) -> bool:
    """Whether all runs draw the same rows, if in another order."""
    return not data.source.random or data.seed is not None


def has_scale_per_run(data: Data) -> bool:
    """Whether runs that draw the same rows scale them differently: by those they train on."""
    return data.scaling in FITTED_SCALINGS and _trains_on_rows_of_its_own(data)


def has_target_scale_per_run(data: Data) -> bool:
    """The same of the targets."""
    fitted = data.source.outputs > 0 and data.target_scaling in FITTED_SCALINGS
    return fitted and _trains_on_rows_of_its_own(data)


def _trains_on_rows_of_its_own(data: Data) -> bool:
    """Whether runs that draw the same rows train on others than all of them."""
    varies = data.held_out_rows > 0 or data.shuffling == "rows"
    return is_shared(data) and data.seed is None and varies


def prepare_shared(data: Data, seed: int, runs: int, first: int = 0) -> SharedRows:
    """The rows of `runs` runs from `first` on, as `prepare` gives them, for data that `is_shared`.

    Neither the memory, but for the indices, nor the time grows with rows x columns x runs.
    """
    split = data.training_rows
    if data.seed is not None:
        rows = prepare(data, 0, 0)
        x, y = np.concatenate([rows.x, rows.held_out_x]), np.concatenate([rows.y, rows.held_out_y])
        index = np.tile(np.arange(len(x), dtype=np.int32), (runs, 1))
        return SharedRows(x, y, index[:, :split], index[:, split:], None, None, None, None)
    inputs, labels = data.source.draw(generator(0))
    orders = [row_order(data, generator(seed, first + run, DATA)) for run in range(runs)]
    index = np.stack(orders).astype(np.int32)
    offset, scale = fit_scaler(data, inputs)
    x = np.empty(inputs.shape, np.float32)
    for start in range(0, len(x), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        x[block] = (inputs[block] - offset) / scale
    own: Scaler | tuple[None, None] = (None, None)
    y_own = own
    training, held_out = index[:, :split], index[:, split:]
    if has_scale_per_run(data):
        own = _relative(_scaler_per_run(data.scaling, inputs, training), (offset, scale))
    y = encode(data, labels)
    y_offset, y_scale = fit_target_scaler(data, y)
    if has_target_scale_per_run(data):
        per_run = _scaler_per_run(data.target_scaling, y, training)
        y_own = _relative(per_run, (y_offset, y_scale))
    if data.source.outputs:
        y = ((y - y_offset) / y_scale).astype(np.float32)
    return SharedRows(x, y, training, held_out, *own, *y_own)


def _relative(per_run: Scaler, shared: Scaler) -> Scaler:
    """Scale and shift that turn what is scaled by the shared one into what a run's own gives."""
    (offsets, scales), (offset, scale) = per_run, shared
    return (scale / scales).astype(np.float32), ((offset - offsets) / scales).astype(np.float32)


def _scaler_per_run(scaling: str, inputs: np.ndarray, index: np.ndarray) -> Scaler:
    """The fitted scaler of inputs[rows] for the rows of each run, (runs, features) each.

    By products of how often each run has each row with the inputs, rather than by picking the rows
    of each run; and by the extremes of all rows rather than of each run's, where it has them.
    """
    rows = len(inputs)
    if scaling == "min-max":
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
    if data.held_out_rows and data.held_out == "random":
        return order[rng.permutation(rows)]
    return order


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


def fit_scaler(data: Data, inputs: np.ndarray) -> Scaler:
    """Offset and scale, (features,) each, from the training inputs (rows, features)."""
    return _fitted(data.scaling, data.divisor, inputs)


def fit_target_scaler(data: Data, y: np.ndarray) -> Scaler:
    """Offset and scale, (width,) each, from training labels (rows, width); 0 and 1 of classes."""
    scaling = data.target_scaling if data.source.outputs else "none"
    return _fitted(scaling, data.target_divisor, y)


def _fitted(scaling: str, divisor: float, values: np.ndarray) -> Scaler:
    if scaling == "min-max":
        offset, scale = values.min(axis=0), np.ptp(values, axis=0)
    elif scaling == "standardise":
        offset, scale = values.mean(axis=0), values.std(axis=0)
    else:
        offset = np.zeros(values.shape[1])
        scale = np.full(values.shape[1], divisor if scaling == "divide" else 1.0)
    # A constant column has nothing to scale; dividing it by 1 keeps it finite.
    return offset, np.where(scale > 0, scale, 1.0)


def encode(data: Data, labels: np.ndarray) -> np.ndarray:
    """Classes, int (rows,) or (rows, labels), as the loss sees them: float32 (rows, width).

    Continuous targets, float64 (rows, outputs), are returned as they are.
    """
    if data.source.outputs:
        return labels
    targets = np.asarray(data.targets, np.float32)[labels]
    if data.source.label_columns:
        return targets
    if data.encoding == "one-hot":
        return np.eye(data.source.classes, dtype=np.float32)[targets.astype(int)]
    return targets[:, None]


def row_weights(experiment: Experiment, y: np.ndarray) -> np.ndarray:
    """What the loss of each row is multiplied by in training: the weight of its class.

    Args:
        experiment: With class weights.
        y: Encoded labels, (..., width).

    Returns:
        float32, (...).
    """
    weights = np.asarray(experiment.training.class_weight, np.float32)
    targets = np.asarray(experiment.data.targets)
    order = np.argsort(targets)
    label = y.argmax(axis=-1) if y.shape[-1] > 1 else y[..., 0]
    return weights[order][np.searchsorted(targets[order], label)]


def baseline(experiment: Experiment, seed: int, run: int) -> float:
    """The score of the best constant answer, on the rows that the final score is of.

    It is the share of the most frequent class, or the R² of the mean, which is 0.
    """
    return experiment.task.baseline(prepare(experiment.data, seed, run).judged[1])
