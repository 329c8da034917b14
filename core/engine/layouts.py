"""How a stack of runs is laid out in TensorFlow: where the run axis is, and how it is computed.

Every array has the runs as its last axis: kernels (inputs, units, runs), biases (units, runs),
inputs (batch, features, runs). XLA then vectorises over the runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from core.activations import activation
from core.experiment import Dense, Model
from core.layers import MOMENTUM, Slot

MATMUL_FROM = 512
"""Kernel entries from which matrix products beat broadcast ones (benchmarks/engine.py)."""


def slots(model: Model, features: int) -> list[Slot]:
    """The arrays of a network, in the order of Keras's `get_weights()`."""
    arrays: list[Slot] = []
    for layer in model.layers:
        arrays += layer.slots(features)
        features = layer.outputs(features)
    return arrays


class RunsLast:
    """`core.layers.Arrays` with the runs last.

    training_rows: None for inference. In training, float32 (batch, 1): 1 for each row that counts,
        0 for the padding of the last batch; the moving averages are then updated.
    dropout_keys: uint32 (runs,), different for every run and step; needed in training.
    layer: the layer that is computed, which decides its random numbers.
    """

    def __init__(self, training_rows=None, dropout_keys=None):
        self.training_rows, self.dropout_keys = training_rows, dropout_keys
        self.training = training_rows is not None
        self.layer = 0

    def product(self, x, kernel):
        """(batch, inputs, runs) times (inputs, units, runs), a matrix product for each run."""
        if kernel.shape[0] * kernel.shape[1] >= MATMUL_FROM:
            return tf.einsum("bir,ior->bor", x, kernel)
        return tf.reduce_sum(x[:, :, None, :] * kernel[None], axis=1)

    def activate(self, name, sums):
        return activate(name, sums, axis=1)

    def moments(self, x):
        counts = self.training_rows[:, :, None]
        total = tf.reduce_sum(counts)
        mean = tf.reduce_sum(x * counts, axis=0) / total
        return mean, tf.reduce_sum(tf.square(x - mean) * counts, axis=0) / total

    def follow(self, average, value):
        average.assign(average * MOMENTUM + value * (1 - MOMENTUM))

    def inverse_root(self, x):
        return tf.math.rsqrt(x)

    def kept(self, x, rate):
        """0 with probability `rate`, else 1 / (1 - rate), in the shape of x: (batch, units, runs).

        TensorFlow's random numbers depend on the shape of the whole array, so a run's would change
        with the number of runs; a hash of (run's key, row, unit) does not. The hash is the 32-bit
        finaliser `lowbias32` (C. Wellons, "Prospecting for hash functions", 2018).
        """
        keys = self.dropout_keys + tf.constant(self.layer, tf.uint32)
        batch, units, _ = x.shape
        place = tf.reshape(tf.range(batch * units), (batch, units, 1))
        bits = keys + tf.cast(place, tf.uint32) * tf.constant(0x9E3779B9, tf.uint32)
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


def forward(layers: Sequence, variables: Sequence, x, training_rows=None, dropout_keys=None):
    """The stack's outputs.

    Args:
        variables: one (*shape, runs) variable for each of `slots`.
        x: (batch, features, runs).
        training_rows, dropout_keys: of `RunsLast`.

    Returns:
        The outputs of every dense layer: (batch, units, runs) for the hidden ones and, last,
        (batch, runs, units) for the output layer, the layout that Keras's losses expect.
    """
    arrays, rest = RunsLast(training_rows, dropout_keys), iter(variables)
    outputs = []
    for index, layer in enumerate(layers):
        weights = [next(rest) for _ in layer.slots(x.shape[1])]
        if index == len(layers) - 1:
            # The activation by Keras's own axis: its losses look for the logits before it.
            sums = tf.transpose(arrays.product(x, weights[0]) + weights[1], (0, 2, 1))
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
