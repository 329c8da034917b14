"""How a stack of runs is laid out in TensorFlow: where the run axis is, and how it is computed.

`RunsLast`: every array has the runs as its last axis, and XLA vectorises over them. It is the
faster one for networks of a few units a layer. `RunsFirst`: every array has the runs as its first
axis, and every run is computed by matrix products of its own. `layout_for` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from core.activations import activation
from core.engine.grouping import runs_first
from core.experiment import Dense, Experiment, Model
from core.layers import MOMENTUM, Slot


def slots(model: Model, features: int) -> list[Slot]:
    """The arrays of a network, in the order of Keras's `get_weights()`."""
    arrays: list[Slot] = []
    for layer in model.layers:
        arrays += layer.slots(features)
        features = layer.outputs(features)
    return arrays


class Layout:
    """Where the axes of a stack's arrays are, and `core.layers.Arrays` in that layout.

    The class says where the axes are; an instance is one pass forward.

    run_axis, row_axis, unit_axis: of inputs and outputs, which have one of each. The losses of the
    rows of a batch have the first two, in the same order, and labels and outputs that are handed to
    Keras's losses have the units behind these.

    every: the norms of gradients and updates are measured in every such step, the first included.

    Args:
        training_rows: None for inference. In training, float32 (batch,): 1 for each row that
            counts, 0 for the padding of the last batch; the moving averages are then updated.
        dropout_keys: uint32 (runs,), different for every run and step; needed in training.
    """

    run_axis: ClassVar[int]
    row_axis: ClassVar[int]
    unit_axis: ClassVar[int]
    every: ClassVar[int] = 1

    def __init__(self, training_rows=None, dropout_keys=None):
        self.training_rows, self.dropout_keys = training_rows, dropout_keys
        self.training = training_rows is not None
        self.layer = 0
        """Index of the layer that is computed, which decides its random numbers."""

    # --- where things are ---

    @classmethod
    def variable_shape(cls, shape: tuple[int, ...], runs: int) -> tuple[int, ...]:
        """Of `runs` arrays of a network of this shape."""
        raise NotImplementedError

    @classmethod
    def from_runs(cls, arrays: np.ndarray) -> np.ndarray:
        """From (runs, *shape) to the shape of the variable."""
        return np.ascontiguousarray(np.moveaxis(arrays, 0, cls.run_axis))

    @classmethod
    def runs_last(cls, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """From the variable's values, (keys, ...), to (keys, *shape, runs)."""
        raise NotImplementedError

    @classmethod
    def row_shape(cls, rows: int, columns: int, runs: int) -> tuple[int, int, int]:
        """Of inputs or labels."""
        return (runs, rows, columns) if cls.run_axis == 0 else (rows, columns, runs)

    @classmethod
    def index_shape(cls, rows: int, runs: int) -> tuple[int, int]:
        """Of one number a row and run."""
        return (runs, rows) if cls.run_axis == 0 else (rows, runs)

    @classmethod
    def index_from_runs(cls, index: np.ndarray) -> np.ndarray:
        """From (runs, rows) to `index_shape`."""
        return np.ascontiguousarray(index if cls.run_axis == 0 else index.T)

    @classmethod
    def run(cls, arrays: np.ndarray, number: int) -> np.ndarray:
        """The part of one run, to read or to write."""
        return arrays[number] if cls.run_axis == 0 else arrays[..., number]

    @classmethod
    def unit_shape(cls, units: int, runs: int) -> tuple[int, int]:
        """Of one value a unit and run: outputs without their rows."""
        return (runs, units) if cls.run_axis == 0 else (units, runs)

    @classmethod
    def per_run(cls, values):
        """(runs,) so that it broadcasts over variables, and over inputs."""
        raise NotImplementedError

    @classmethod
    def per_run_unit(cls, values: np.ndarray) -> np.ndarray:
        """(runs, units) so that it broadcasts over inputs."""
        return values[:, None] if cls.run_axis == 0 else np.ascontiguousarray(values.T)

    @classmethod
    def per_row(cls, values):
        """(rows,) so that it broadcasts over the losses of the rows."""
        return tf.expand_dims(values, cls.run_axis)

    @classmethod
    def take(cls, arrays, rows):
        """Some rows, int (batch,), of inputs or labels of all runs."""
        return tf.gather(arrays, rows, axis=cls.row_axis)

    @classmethod
    def part(cls, arrays, start, count: int):
        """`count` rows from `start` on.

        By tf.slice with a constant size: XLA pads a slice of unknown size to the whole array.
        """
        begin, size = [0] * len(arrays.shape), list(arrays.shape)
        begin[cls.row_axis], size[cls.row_axis] = start, count
        return tf.slice(arrays, begin, size)

    @classmethod
    def block_rows(cls, runs: int, width: int) -> int:
        """How many rows are best evaluated at once, with `width` inputs and outputs each."""
        raise NotImplementedError

    @classmethod
    def rows_of_runs(cls, picked):
        """Rows picked by an index of rows and runs, with the columns where the units are."""
        return picked

    @classmethod
    def for_losses(cls, outputs):
        """Outputs or labels with the units as the last axis, as Keras's losses expect them."""
        return outputs

    @classmethod
    def square_sum(cls, kernel):
        """(runs,): the sum of the squares of each run's kernel."""
        raise NotImplementedError

    # --- the operations of layers ---

    def product(self, x, kernel):
        raise NotImplementedError

    def activate(self, name, sums):
        return activate(name, sums, axis=self.unit_axis)

    def moments(self, x):
        counts = tf.expand_dims(self.per_row(self.training_rows), self.unit_axis)
        total, keep = tf.reduce_sum(counts), self.row_axis > 0
        mean = tf.reduce_sum(x * counts, axis=self.row_axis, keepdims=keep) / total
        squares = tf.square(x - mean) * counts
        return mean, tf.reduce_sum(squares, axis=self.row_axis, keepdims=keep) / total

    def follow(self, average, value):
        average.assign(average * MOMENTUM + value * (1 - MOMENTUM))

    def inverse_root(self, x):
        return tf.math.rsqrt(x)

    def kept(self, x, rate):
        """0 with probability `rate`, else 1 / (1 - rate), in the shape of x.

        TensorFlow's random numbers depend on the shape of the whole array, so a run's would change
        with the number of runs and the layout; a hash of (run's key, row, unit) does not. The hash
        is the 32-bit finaliser `lowbias32` (C. Wellons, "Prospecting for hash functions", 2018).
        """
        keys = self.per_run(self.dropout_keys + tf.constant(self.layer, tf.uint32))
        batch, units = x.shape[self.row_axis], x.shape[self.unit_axis]
        index = tf.reshape(tf.range(batch * units), (batch, units))
        index = tf.cast(tf.expand_dims(index, self.run_axis), tf.uint32)
        bits = keys + index * tf.constant(0x9E3779B9, tf.uint32)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            bits = tf.bitwise.bitwise_xor(
                bits, tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint32))
            )
            bits *= tf.constant(factor, tf.uint32)
        bits = tf.bitwise.bitwise_xor(
            bits, tf.bitwise.right_shift(bits, tf.constant(16, tf.uint32))
        )
        bits = tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32))
        uniform = tf.cast(bits, tf.float32) / 2**24
        return tf.where(uniform < rate, 0.0, 1 / (1 - rate))


class RunsLast(Layout):
    """Kernels (inputs, units, runs), biases (units, runs), inputs (batch, features, runs)."""

    run_axis, row_axis, unit_axis = -1, 0, 1

    @classmethod
    def variable_shape(cls, shape, runs):
        return (*shape, runs)

    @classmethod
    def runs_last(cls, values, shape):
        return values

    @classmethod
    def per_run(cls, values):
        return values

    @classmethod
    def block_rows(cls, runs, width):
        return max(2**15 // runs, 16)

    @classmethod
    def rows_of_runs(cls, picked):
        return tf.transpose(picked, (0, 2, 1))

    @classmethod
    def for_losses(cls, outputs):
        return tf.transpose(outputs, (0, 2, 1))

    @classmethod
    def square_sum(cls, kernel):
        return tf.reduce_sum(tf.square(kernel), axis=(0, 1))

    def product(self, x, kernel):
        """(batch, inputs, runs) times (inputs, units, runs), a matrix product for each run."""
        return tf.reduce_sum(x[:, :, None, :] * kernel[None], axis=1)


class RunsFirst(Layout):
    """Kernels (runs, inputs, units), biases (runs, 1, units), inputs (runs, batch, features)."""

    # Of every step, the norms would take up to a fifth of the time.
    every = 8
    run_axis, row_axis, unit_axis = 0, 1, 2

    @classmethod
    def variable_shape(cls, shape, runs):
        return (runs, *(1,) * (2 - len(shape)), *shape)

    @classmethod
    def from_runs(cls, arrays):
        return arrays.reshape(cls.variable_shape(arrays.shape[1:], len(arrays)))

    @classmethod
    def runs_last(cls, values, shape):
        return np.moveaxis(values.reshape(*values.shape[:2], *shape), 1, -1)

    @classmethod
    def per_run(cls, values):
        return values[:, None, None]

    @classmethod
    def block_rows(cls, runs, width):
        return max(2**21 // (runs * width), 64)

    @classmethod
    def square_sum(cls, kernel):
        # Over the inputs first: XLA vectorises a sum over any axis but the last one.
        return tf.reduce_sum(tf.reduce_sum(tf.square(kernel), axis=1), axis=1)

    def product(self, x, kernel):
        """(runs, batch, inputs) times (runs, inputs, units)."""
        return tf.matmul(x, kernel)


def layout_for(experiment: Experiment) -> type[Layout]:
    """The faster one, by the size of the network."""
    return RunsFirst if runs_first(experiment) else RunsLast


def forward(
    layout: type[Layout],
    layers: Sequence,
    variables: Sequence,
    x,
    training_rows=None,
    dropout_keys=None,
):
    """The stack's outputs.

    Args:
        variables: one for each of `slots`, in the layout's shape.
        x: inputs, in the layout's shape.
        training_rows, dropout_keys: of `Layout`.

    Returns:
        The outputs of every dense layer: in the layout's shape for the hidden ones and, last,
        with the units as the last axis for the output layer, as Keras's losses expect it.
    """
    arrays, rest = layout(training_rows, dropout_keys), iter(variables)
    outputs = []
    for index, layer in enumerate(layers):
        weights = [next(rest) for _ in layer.slots(x.shape[layout.unit_axis])]
        if index == len(layers) - 1:
            # The activation by Keras's own axis: its losses look for the logits before it.
            sums = layout.for_losses(arrays.product(x, weights[0]) + weights[1])
            outputs.append(activate(layer.activation, sums, axis=-1))
        else:
            arrays.layer = index
            x, _ = layer.apply(arrays, weights, x)
            if isinstance(layer, Dense):
                outputs.append(x)
    return outputs


def activate(name: str, sums, axis: int):
    """Keras's activation; along `axis` where it looks at all units at once."""
    along = {"axis": axis} if activation(name).over_units else {}
    return keras.activations.get(name)(sums, **along)
