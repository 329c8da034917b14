"""The rows of a stack of runs on the device: each run's own, or one set with an index a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core.data import (
    has_scale_per_run,
    has_target_scale_per_run,
    is_shared,
    prepare,
    prepare_shared,
    row_weights,
)
from core.engine.layouts import Layout
from core.experiment import Experiment
from core.streams import RUN_ORDER, generator


class OwnRows(NamedTuple):
    """Rows of every run, in a layout.

    Attributes:
        x, y: (rows, features) and (rows, width) for each run.
        variance: (1, width) for each run, of the columns of y; None where the score needs none.
        weights: What the loss of each row is multiplied by, (rows, runs) or, with the runs first,
            (runs, rows); None to weigh all rows alike.
    """

    x: Any
    y: Any
    variance: Any
    weights: Any = None

    def count(self, layout: type[Layout]) -> int:
        return self.x.shape[layout.row_axis]

    def take(self, layout: type[Layout], rows):
        """x and y of some rows, int (batch,)."""
        return layout.take(self.x, rows), layout.take(self.y, rows)

    def weights_of(self, layout: type[Layout], rows):
        """The weights of some rows, int (batch,), in the layout's order of rows and runs."""
        return layout.take(self.weights, rows)

    def part(self, layout: type[Layout], start, count: int):
        """x and y of `count` rows from `start` on."""
        return layout.part(self.x, start, count), layout.part(self.y, start, count)


class IndexedRows(NamedTuple):
    """Rows that the runs share, and which of them each has.

    Attributes:
        x, y: (rows, features), (rows, width), for all runs.
        index: int32 (rows, runs) or, with the runs first, (runs, rows).
        scale, shift: x * scale + shift are a run's inputs; (features, runs) or, with the runs
            first, (runs, 1, features). None if x is as it should be.
        y_scale, y_shift: The same of y.
        variance, weights: As in OwnRows.
    """

    x: Any
    y: Any
    index: Any
    scale: Any
    shift: Any
    y_scale: Any
    y_shift: Any
    variance: Any
    weights: Any = None

    def count(self, layout: type[Layout]) -> int:
        return self.index.shape[layout.row_axis]

    def take(self, layout: type[Layout], rows):
        """x and y of some rows, int (batch,)."""
        return self._picked(layout, layout.take(self.index, rows))

    def weights_of(self, layout: type[Layout], rows):
        """The weights of some rows, int (batch,), in the layout's order of rows and runs."""
        return layout.take(self.weights, rows)

    def part(self, layout: type[Layout], start, count: int):
        """x and y of `count` rows from `start` on."""
        return self._picked(layout, layout.part(self.index, start, count))

    def _picked(self, layout, index):
        x = layout.rows_of_runs(tf.gather(self.x, index))
        if self.scale is not None:
            x = x * self.scale + self.shift
        y = layout.rows_of_runs(tf.gather(self.y, index))
        if self.y_scale is not None:
            y = y * self.y_scale + self.y_shift
        return x, y


Rows = OwnRows | IndexedRows


def empty_rows(
    experiment: Experiment, layout: type[Layout], lanes: int
) -> tuple[Rows, Rows | None]:
    """Training rows and held-out ones, None without any, of the right shapes, all 0."""
    data = experiment.data
    features, width = data.source.features, data.target_width
    counts = (data.training_rows, data.held_out_rows)

    def stacked(rows, columns):
        return tf.zeros(layout.row_shape(rows, columns, lanes))

    def per_run(columns):
        return tf.constant(layout.per_run_unit(np.zeros((lanes, columns), np.float32)))

    variance = stacked(1, width) if needs_variance(experiment) else None
    index = [tf.zeros(layout.index_shape(n, lanes), tf.int32) for n in counts]
    weights = [tf.cast(index[0], tf.float32) if experiment.training.class_weight else None, None]
    if not is_shared(data):
        own = [
            OwnRows(stacked(n, features), stacked(n, width), variance, weight)
            for n, weight in zip(counts, weights, strict=True)
        ]
        return own[0], own[1] if data.held_out_rows else None
    x, y = tf.zeros((data.source.rows, features)), tf.zeros((data.source.rows, width))
    scale = per_run(features) if has_scale_per_run(data) else None
    y_scale = per_run(width) if has_target_scale_per_run(data) else None
    scales = (scale, scale, y_scale, y_scale, variance)
    both = [
        IndexedRows(x, y, own_index, *scales, weight)
        for own_index, weight in zip(index, weights, strict=True)
    ]
    return both[0], both[1] if data.held_out_rows else None


def needs_variance(experiment: Experiment) -> bool:
    """Whether the score is relative to the variance of the targets."""
    return experiment.task.metric == "r2_score"


def stacked_rows(
    members: Sequence[tuple[Experiment, int]], seed: int, layout: type[Layout], lanes: int
) -> tuple[Rows, Rows | None]:
    """Training rows of all runs and held-out ones, None without any.

    The first run's fill the lanes without one.

    Every run's training rows get a random order of their own here, once, where `shuffle` is on;
    every epoch's order is then the same for all runs. Composed, they are to each run as random as
    Keras's.

    Args:
        members: the experiment and the number of each run.
    """
    data = members[0][0].data
    return (_indexed if is_shared(data) else _own)(members, seed, layout, lanes)


def _own(members, seed, layout, lanes) -> tuple[Rows, Rows | None]:
    arrays: list[np.ndarray] = []
    variances: list[tuple[np.ndarray, ...]] = []
    weights: list[np.ndarray] = []
    for lane in range(lanes):
        # Written in place, run by run: the data of a stack can be most of the memory that there is.
        if lane >= len(members):
            for array in arrays:
                layout.run(array, lane)[...] = layout.run(array, 0)
            continue
        experiment, run = members[lane]
        rows = prepare(experiment.data, seed, run)
        order = _run_order(experiment, seed, run)
        parts = (rows.x[order], rows.y[order], rows.held_out_x, rows.held_out_y)
        if experiment.training.class_weight:
            weights.append(row_weights(experiment, rows.y[order]))
        if needs_variance(experiment):
            variances.append((_variance(rows.y), _variance(rows.held_out_y)))
        if not arrays:
            shapes = [layout.row_shape(*part.shape, lanes) for part in parts]
            arrays = [np.empty(shape, np.float32) for shape in shapes]
        for array, part in zip(arrays, parts, strict=True):
            layout.run(array, lane)[...] = part
    x, y, held_out_x, held_out_y = (tf.constant(array) for array in arrays)
    variance, held_out_variance = _stacked_variances(variances, layout, lanes)
    training = OwnRows(x, y, variance, _stacked_weights(weights, layout, lanes))
    if not members[0][0].data.held_out_rows:
        return training, None
    return training, OwnRows(held_out_x, held_out_y, held_out_variance)


def _stacked_weights(weights: Sequence[np.ndarray], layout: type[Layout], lanes: int) -> Any:
    """Those of all runs, (rows,) each, as in OwnRows."""
    if not len(weights):
        return None
    stacked = np.concatenate([weights, np.repeat(weights[:1], lanes - len(weights), axis=0)])
    return tf.constant(layout.index_from_runs(stacked))


def _variance(y: np.ndarray) -> np.ndarray:
    """float64 (width,), of labels (rows, width); 0 of no rows."""
    return y.astype(float).var(axis=0) if len(y) else np.zeros(y.shape[1])


def _stacked_variances(
    variances: Sequence[tuple[np.ndarray, ...]], layout, lanes: int
) -> list[Any]:
    """Those of the training and of the held-out rows of each run, as in OwnRows."""
    if not variances:
        return [None, None]
    stacked = np.array(variances, np.float32).swapaxes(0, 1)[:, :, None]  # part, runs, 1, width
    filled = np.concatenate(
        [stacked, np.repeat(stacked[:, :1], lanes - stacked.shape[1], axis=1)], axis=1
    )
    return [tf.constant(layout.from_runs(part)) for part in filled]


def _indexed(members, seed, layout, lanes) -> tuple[Rows, Rows | None]:
    first = min(run for _, run in members)
    runs = 1 + max(run for _, run in members) - first
    rows = prepare_shared(members[0][0].data, seed, runs, first)
    # Runs of several experiments have the same rows and, by the seed, the same order of them.
    training = np.stack(
        [rows.index[run - first][_run_order(experiment, seed, run)] for experiment, run in members]
    )
    numbers = np.array([run - first for _, run in members])
    filled = np.concatenate([numbers, np.full(lanes - len(members), numbers[0])])
    training = np.concatenate([training, np.repeat(training[:1], lanes - len(members), axis=0)])
    scales = [
        None if values is None else tf.constant(layout.per_run_unit(values[filled]))
        for values in (rows.scale, rows.shift, rows.y_scale, rows.y_shift)
    ]
    variances: list[tuple[np.ndarray, ...]] = []
    if needs_variance(members[0][0]):
        parts = (rows.index, rows.held_out_index)
        scale = np.ones((runs, 1)) if rows.y_scale is None else rows.y_scale
        variances = [
            tuple(_variance(rows.y[part[run]]) * scale[run] ** 2 for part in parts)
            for run in range(runs)
        ]
        variances = [variances[run] for run in numbers]
    weights = [
        row_weights(experiment, rows.y)[own]
        for (experiment, _), own in zip(members, training, strict=False)
        if experiment.training.class_weight
    ]
    both_weights = (_stacked_weights(weights, layout, lanes), None)
    x, y = tf.constant(rows.x), tf.constant(rows.y)
    indices = (layout.index_from_runs(i) for i in (training, rows.held_out_index[filled]))
    both = [
        IndexedRows(x, y, tf.constant(index), *scales, variance, weight)  # type: ignore[call-arg]
        for index, variance, weight in zip(
            indices, _stacked_variances(variances, layout, lanes), both_weights, strict=True
        )
    ]
    return both[0], both[1] if members[0][0].data.held_out_rows else None


def _run_order(experiment: Experiment, seed: int, run: int) -> np.ndarray | slice:
    if not experiment.training.shuffle:
        return slice(None)
    return generator(seed, run, RUN_ORDER).permutation(experiment.data.training_rows)
