"""How a stack of runs is laid out in TensorFlow: where the run axis is, and how it is computed.

`RunsLast`: every array has the runs as its last axis, and XLA vectorises over them. It is the
faster one for networks of a few units a layer. `RunsFirst`: every array has the runs as its first
axis, and every run is computed by matrix products of its own. `layout_for` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from core.activations import Activation
from core.engine.grouping import runs_first
from core.experiment import Experiment, Model
from core.layers import Activating, Slot

NOISE = 2**16
"""Added to a layer's index, the stream of the second random numbers that a layer needs."""


def slots(model: Model, features: int) -> list[Slot]:
    """The arrays of a network, in the order of Keras's `get_weights()`."""
    return [slot for _, slot in model.slots(features)]


class Layout:
    """Where the axes of a stack's arrays are, and `core.layers.Arrays` in that layout.

    The class says where the axes are; an instance is one pass forward.

    run_axis, row_axis, unit_axis: of inputs and outputs, which have one of each. The losses of the
    rows of a batch have the first two, in the same order, and labels and outputs that are handed to
    Keras's losses have the units behind these.

    every: the norms of gradients and updates are measured in one of so many steps of an epoch.

    packed_below: trained arrays of fewer entries a run are parts of one variable.

    Args:
        training_rows: None for inference. In training, float32 (batch,): 1 for each row that
            counts, 0 for the padding of the last batch; the moving averages are then updated.
        dropout_keys: uint32 (runs,), different for every run and step; needed in training.
    """

    run_axis: ClassVar[int]
    row_axis: ClassVar[int]
    unit_axis: ClassVar[int]
    every: ClassVar[int] = 1
    packed_below: ClassVar[float] = np.inf

    def __init__(self, training_rows=None, dropout_keys=None):
        self.training_rows, self.dropout_keys = training_rows, dropout_keys
        self.training = training_rows is not None
        self.layer = 0
        """Index of the layer that is computed, which decides its random numbers."""
        self.as_losses = False
        """Whether the next activation is the network's output, as Keras's losses expect it."""

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
    def square_sum(cls, variable):
        """(runs,): the sum of the squares of each run's part of a variable."""
        return cls.total(tf.square(variable))

    @classmethod
    def total(cls, values):
        """(runs,): the sum over each run's elements of a variable."""
        axes = [
            axis for axis in range(len(values.shape)) if axis != cls.run_axis % len(values.shape)
        ]
        return tf.reduce_sum(values, axis=axes)

    # --- the operations of layers ---

    def product(self, x, kernel):
        raise NotImplementedError

    def activate(self, activation, sums):
        if self.as_losses:
            # By Keras's own axis: its losses look for the logits before it.
            return activate(activation, _for_losses(type(self), sums), axis=-1)
        return activate(activation, sums, axis=self.unit_axis)

    def moments(self, x):
        counts = tf.expand_dims(self.per_row(self.training_rows), self.unit_axis)
        total, keep = tf.reduce_sum(counts), self.row_axis > 0
        mean = tf.reduce_sum(x * counts, axis=self.row_axis, keepdims=keep) / total
        squares = tf.square(x - mean) * counts
        return mean, tf.reduce_sum(squares, axis=self.row_axis, keepdims=keep) / total

    def unit_moments(self, x):
        mean = tf.reduce_mean(x, axis=self.unit_axis, keepdims=True)
        return mean, tf.reduce_mean(tf.square(x - mean), axis=self.unit_axis, keepdims=True)

    def follow(self, average, value, momentum):
        average.assign(average * momentum + value * (1 - momentum))

    def inverse_root(self, x):
        return tf.math.rsqrt(x)

    def kept(self, x, rate):
        return tf.where(self._uniform(x, self.layer) < rate, 0.0, 1 / (1 - rate))

    def noise(self, x):
        """Normal numbers by the transform of Box and Muller (1958)."""
        radius = tf.sqrt(-2 * tf.math.log(1 - self._uniform(x, self.layer)))
        return radius * tf.cos(2 * np.pi * self._uniform(x, self.layer + NOISE))

    def _uniform(self, x, stream):
        """Numbers from 0 to below 1 in the shape of x.

        TensorFlow's random numbers depend on the shape of the whole array, so a run's would change
        with the number of runs and the layout; a hash of (run's key, row, unit) does not. The hash
        is the 32-bit finaliser `lowbias32` (C. Wellons, "Prospecting for hash functions", 2018).
        """
        keys = self.per_run(self.dropout_keys + tf.constant(stream, tf.uint32))
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
        return tf.cast(bits, tf.float32) / 2**24


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

    def product(self, x, kernel):
        """(batch, inputs, runs) times (inputs, units, runs), a matrix product for each run."""
        return tf.reduce_sum(x[:, :, None, :] * kernel[None], axis=1)


class RunsFirst(Layout):
    """Kernels (runs, inputs, units), biases (runs, 1, units), inputs (runs, batch, features)."""

    # Of every step, the norms would take up to a fifth of the time.
    every = 8
    # A matrix product needs its kernel by itself: to copy a large one takes longer than to update
    # it apart.
    packed_below = 512
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
    def square_sum(cls, variable):
        squares = tf.square(variable)
        runs, inputs, units = squares.shape
        if inputs * units < cls.packed_below:
            # Over the inputs first: XLA vectorises a sum over any axis but the last one.
            return tf.reduce_sum(tf.reduce_sum(squares, axis=1), axis=1)
        # A product with ones takes half as long as XLA's sum over a large axis.
        return tf.reduce_sum(tf.matmul(tf.ones((runs, 1, inputs)), squares), axis=(1, 2))

    def product(self, x, kernel):
        """(runs, batch, inputs) times (runs, inputs, units)."""
        return tf.matmul(x, kernel)


def layout_for(experiment: Experiment) -> type[Layout]:
    """The faster one, by the size of the network."""
    return RunsFirst if runs_first(experiment) else RunsLast


class Pass(NamedTuple):
    """What a pass forward gives.

    Attributes:
        outputs: Those of each dense layer with its activation (`core.experiment.Model.shown`), in
            the layout's shape; the last ones are those of the network.
        out: The network's outputs with the units as the last axis, as Keras's losses expect them.
        penalty: Of the regularisers, in the shape of the losses of the rows, which it is part of;
            None without any.
    """

    outputs: list
    out: Any
    penalty: Any


def forward(
    layout: type[Layout],
    model: Model,
    variables: Sequence,
    x,
    training_rows=None,
    dropout_keys=None,
) -> Pass:
    """The stack's outputs.

    Args:
        variables: one for each of `slots`, in the layout's shape.
        x: inputs, in the layout's shape.
        training_rows, dropout_keys: of `Layout`.
    """
    arrays, rest = layout(training_rows, dropout_keys), iter(variables)
    outputs, penalties, last = [], [], len(model.layers) - 1
    for index, layer in enumerate(model.layers):
        slots = layer.slots(x.shape[layout.unit_axis])
        weights = [next(rest) for _ in slots]
        penalties += [
            tf.expand_dims(layout.total(slot.regulariser.each(weight)), layout.row_axis)
            for slot, weight in zip(slots, weights, strict=True)
            if slot.regulariser is not None
        ]
        arrays.layer = index
        arrays.as_losses = index == last and isinstance(layer, Activating)
        x, _ = layer.apply(arrays, weights, x)
        if layer.activity is not None:
            units = -1 if arrays.as_losses else layout.unit_axis
            penalties.append(tf.reduce_sum(layer.activity.each(x), axis=units))
        if index in model.shown[:-1]:
            outputs.append(x)
    out = x if arrays.as_losses else _for_losses(layout, x)
    # Swapping the axes twice leaves them where they are.
    outputs.append(layout.for_losses(out))
    return Pass(outputs, out, sum(penalties[1:], penalties[0]) if penalties else None)


def _for_losses(layout: type[Layout], out):
    """The outputs as the losses expect them, with the logits that Keras's activation notes."""
    swapped, logits = layout.for_losses(out), getattr(out, "_keras_logits", None)
    if logits is not None and swapped is not out:
        swapped._keras_logits = layout.for_losses(logits)
    return swapped


def activate(activation: Activation, sums, axis: int):
    """Keras's activation; along `axis` where it looks at all units at once."""
    along = {"axis": axis} if activation.over_units else {}
    function = keras.activations.get(activation.function or activation.name)
    return function(sums, **activation.options, **along)
