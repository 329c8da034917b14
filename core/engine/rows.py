"""The rows of a stack of runs on the device: each run's own, or one set with an index a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from core.data import has_scale_per_run, is_shared, prepare, prepare_shared
from core.engine.layouts import Layout
from core.experiment import Data, Experiment
from core.streams import RUN_ORDER, generator


class OwnRows(NamedTuple):
    """Rows of every run, in a layout: x (rows, features) and y (rows, width) for each of them."""

    x: Any
    y: Any

    def count(self, layout: type[Layout]) -> int:
        return self.x.shape[layout.row_axis]

    def take(self, layout: type[Layout], rows):
        """x and y of some rows, int (batch,)."""
        return layout.take(self.x, rows), layout.take(self.y, rows)

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
    """

    x: Any
    y: Any
    index: Any
    scale: Any
    shift: Any

    def count(self, layout: type[Layout]) -> int:
        return self.index.shape[layout.row_axis]

    def take(self, layout: type[Layout], rows):
        """x and y of some rows, int (batch,)."""
        return self._picked(layout, layout.take(self.index, rows))

    def part(self, layout: type[Layout], start, count: int):
        """x and y of `count` rows from `start` on."""
        return self._picked(layout, layout.part(self.index, start, count))

    def _picked(self, layout, index):
        x = layout.rows_of_runs(tf.gather(self.x, index))
        if self.scale is not None:
            x = x * self.scale + self.shift
        return x, layout.rows_of_runs(tf.gather(self.y, index))


Rows = OwnRows | IndexedRows


def empty_rows(data: Data, layout: type[Layout], lanes: int) -> tuple[Rows, Rows]:
    """Training and held-out rows of the right shapes, all 0."""
    features, width = data.source.features, data.target_width
    counts = (data.training_rows, data.held_out_rows)

    def stacked(rows, columns):
        return tf.zeros(layout.row_shape(rows, columns, lanes))

    if not is_shared(data):
        own = [OwnRows(stacked(n, features), stacked(n, width)) for n in counts]
        return own[0], own[1]
    x, y = tf.zeros((data.source.rows, features)), tf.zeros((data.source.rows, width))
    scale = None
    if has_scale_per_run(data):
        scale = tf.constant(layout.per_run_unit(np.zeros((lanes, features), np.float32)))
    both = [
        IndexedRows(x, y, tf.zeros(layout.index_shape(n, lanes), tf.int32), scale, scale)
        for n in counts
    ]
    return both[0], both[1]


def stacked_rows(
    members: Sequence[tuple[Experiment, int]], seed: int, layout: type[Layout], lanes: int
) -> tuple[Rows, Rows]:
    """Training and held-out rows of all runs; the first run's fill the lanes without one.

    Every run's training rows get a random order of their own here, once, where `shuffle` is on;
    every epoch's order is then the same for all runs. Composed, they are to each run as random as
    Keras's.

    Args:
        members: the experiment and the number of each run.
    """
    data = members[0][0].data
    return (_indexed if is_shared(data) else _own)(members, seed, layout, lanes)


def _own(members, seed, layout, lanes) -> tuple[Rows, Rows]:
    arrays: list[np.ndarray] = []
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
        if not arrays:
            shapes = [layout.row_shape(*part.shape, lanes) for part in parts]
            arrays = [np.empty(shape, np.float32) for shape in shapes]
        for array, part in zip(arrays, parts, strict=True):
            layout.run(array, lane)[...] = part
    x, y, held_out_x, held_out_y = (tf.constant(array) for array in arrays)
    return OwnRows(x, y), OwnRows(held_out_x, held_out_y)


def _indexed(members, seed, layout, lanes) -> tuple[Rows, Rows]:
    runs = 1 + max(run for _, run in members)
    rows = prepare_shared(members[0][0].data, seed, runs)
    # Runs of several experiments have the same rows and, by the seed, the same order of them.
    training = np.stack(
        [rows.index[run][_run_order(experiment, seed, run)] for experiment, run in members]
    )
    numbers = np.array([run for _, run in members])
    filled = np.concatenate([numbers, np.full(lanes - len(members), numbers[0])])
    training = np.concatenate([training, np.repeat(training[:1], lanes - len(members), axis=0)])
    x, y, scale, shift = tf.constant(rows.x), tf.constant(rows.y), None, None
    if rows.scale is not None and rows.shift is not None:
        scale = tf.constant(layout.per_run_unit(rows.scale[filled]))
        shift = tf.constant(layout.per_run_unit(rows.shift[filled]))
    indices = (layout.index_from_runs(i) for i in (training, rows.held_out_index[filled]))
    both = [IndexedRows(x, y, tf.constant(index), scale, shift) for index in indices]
    return both[0], both[1]


def _run_order(experiment: Experiment, seed: int, run: int) -> np.ndarray | slice:
    if not experiment.training.shuffle:
        return slice(None)
    return generator(seed, run, RUN_ORDER).permutation(experiment.data.training_rows)
