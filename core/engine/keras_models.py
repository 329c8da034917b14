"""An experiment's network, twice: as a Keras model, and as the same network for a stack of runs.

In the stack every array has the run axis last: kernels (in, out, runs), biases (out, runs),
inputs (batch, features, runs). XLA then vectorises over the runs.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from core.entries import entry
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Dense,
    Dropout,
    Experiment,
    Model,
    RMSprop,
)

# The networks are small: handing their operations to a pool of threads costs more than it gains.
# Where TensorFlow is up already, it stays as it is.
with suppress(RuntimeError):
    tf.config.threading.set_intra_op_parallelism_threads(1)

MOMENTUM, EPSILON = 0.99, 1e-3
"""Keras's defaults for batch normalisation."""

MATMUL_FROM = 512
"""Kernel entries from which matrix products beat broadcast ones (benchmarks/engine.py)."""


def initialiser(name: str, seed: int | keras.random.SeedGenerator) -> keras.Initializer:
    """Keras's initialiser; a seed generator gives what its state, read as a seed, would give."""
    kind = keras.initializers.get(name).__class__
    return kind() if name == "zeros" else kind(seed=seed)


def keras_model(experiment: Experiment, seeds: list[int]) -> keras.Sequential:
    """The network as a built, not compiled, Keras model; one seed a dense layer."""
    seeds = iter(seeds)
    model = keras.Sequential([keras.Input((experiment.data.source.features,))])
    for layer in experiment.model.layers:
        if isinstance(layer, Dense):
            kernel = initialiser(layer.initialiser, next(seeds))
            model.add(keras.layers.Dense(layer.units, layer.activation, kernel_initializer=kernel))
        elif isinstance(layer, Dropout):
            model.add(keras.layers.Dropout(layer.rate))
        else:
            model.add(keras.layers.BatchNormalization())
    return model


def keras_optimizer(
    experiment: Experiment,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
) -> keras.optimizers.Optimizer:
    optimizer = experiment.training.optimizer
    return entry("optimizer", OPTIMIZERS, type(optimizer))(optimizer, learning_rate)


OPTIMIZERS = {
    SGD: lambda ours, rate: keras.optimizers.SGD(rate, momentum=ours.momentum),
    RMSprop: lambda ours, rate: keras.optimizers.RMSprop(rate),
    Adam: lambda ours, rate: keras.optimizers.Adam(rate),
}


class Slot(NamedTuple):
    """One array of a network, in the order of Keras's `get_weights()`.

    shape: of one run; trained: by the optimizer; start: its first value, None where the layer's
    initialiser draws it.
    """

    shape: tuple[int, ...]
    trained: bool
    start: float | None


def slots(model: Model, features: int) -> list[Slot]:
    arrays = []
    for layer in model.layers:
        if isinstance(layer, Dense):
            arrays += [Slot((features, layer.units), True, None), Slot((layer.units,), True, 0.0)]
            features = layer.units
        elif isinstance(layer, BatchNormalisation):
            arrays += [Slot((features,), True, 1.0), Slot((features,), True, 0.0)]
            arrays += [Slot((features,), False, 0.0), Slot((features,), False, 1.0)]
    return arrays


def draw_kernels(names: list[str], shape: tuple[int, int], seeds: np.ndarray) -> np.ndarray:
    """float32 (runs, *shape): what each named initialiser draws with each seed, int (runs,)."""
    kernels = np.empty((len(names), *shape), np.float32)
    for name in set(names):
        chosen = np.array([name == other for other in names])
        kernels[chosen] = _drawer(name, shape)(tf.constant(seeds[chosen], tf.int32))
    return kernels


_SEED = keras.random.SeedGenerator(0)


@lru_cache(maxsize=128)
def _drawer(name: str, shape: tuple[int, int]):
    """A function from seeds, int32 (runs,), to kernels, float32 (runs, *shape)."""
    draw = initialiser(name, _SEED)

    def one(seed):
        _SEED.state.assign(tf.stack([seed, 0]))
        return draw(shape)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None,), tf.int32)])
    def drawn(seeds):
        return tf.map_fn(one, seeds, fn_output_signature=tf.float32)

    return drawn.get_concrete_function()


def forward(layers, variables, x, training_rows=None, dropout_keys=None):
    """The stack's outputs.

    variables: one (*shape, runs) variable for each of `slots`.
    x: (batch, features, runs).
    training_rows: None for inference. In training, float32 (batch, 1): 1 for each row that
        counts, 0 for the padding of the last batch; the moving averages are then updated.
    dropout_keys: uint32 (runs,), different for every run and step; needed in training.

    Returns the outputs of every dense layer: (batch, units, runs) for the hidden ones and, last,
    (batch, runs, units) for the output layer, the layout that Keras's losses expect.
    """
    variables = iter(variables)
    outputs = []
    for position, layer in enumerate(layers):
        if isinstance(layer, Dense):
            x = _product(x, next(variables)) + next(variables)
            if position == len(layers) - 1:
                outputs.append(_activate(layer.activation, tf.transpose(x, (0, 2, 1)), axis=-1))
            else:
                x = _activate(layer.activation, x, axis=1)
                outputs.append(x)
        elif isinstance(layer, Dropout):
            if training_rows is not None and layer.rate:
                x *= _dropout_mask(x, layer.rate, dropout_keys + tf.constant(position, tf.uint32))
        else:
            gamma, beta, mean, variance = (next(variables) for _ in range(4))
            x = _normalise(x, gamma, beta, mean, variance, training_rows)
    return outputs


def _product(x, kernel):
    """(batch, in, runs) times (in, out, runs), a matrix product for each run."""
    if kernel.shape[0] * kernel.shape[1] >= MATMUL_FROM:
        return tf.einsum("bir,ior->bor", x, kernel)
    return tf.reduce_sum(x[:, :, None, :] * kernel[None], axis=1)


def _activate(name, x, axis):
    """Keras's activation; along `axis` where it looks at all units at once."""
    if name == "softmax":
        return keras.activations.softmax(x, axis=axis)
    return keras.activations.get(name)(x)


def _normalise(x, gamma, beta, moving_mean, moving_variance, training_rows):
    """Batch normalisation: batch statistics in training, moving averages otherwise."""
    mean, variance = moving_mean, moving_variance
    if training_rows is not None:
        training_rows = training_rows[:, :, None]
        count = tf.reduce_sum(training_rows)
        mean = tf.reduce_sum(x * training_rows, axis=0) / count
        variance = tf.reduce_sum(tf.square(x - mean) * training_rows, axis=0) / count
        moving_mean.assign(moving_mean * MOMENTUM + mean * (1 - MOMENTUM))
        moving_variance.assign(moving_variance * MOMENTUM + variance * (1 - MOMENTUM))
    scale = tf.math.rsqrt(variance + EPSILON) * gamma
    return (x - mean) * scale + beta


def _dropout_mask(x, rate, keys):
    """0 with probability `rate`, else 1 / (1 - rate), in the shape of x: (batch, units, runs).

    TensorFlow's random numbers depend on the shape of the whole array, so a run's would change
    with the number of runs; a hash of (run's key, row, unit) does not. The hash is the 32-bit
    finaliser `lowbias32` (C. Wellons, "Prospecting for hash functions", 2018).
    """
    batch, units, _ = x.shape
    place = tf.reshape(tf.range(batch * units), (batch, units, 1))
    bits = keys + tf.cast(place, tf.uint32) * tf.constant(0x9E3779B9, tf.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        bits = tf.bitwise.bitwise_xor(
            bits, tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint32))
        )
        bits *= tf.constant(factor, tf.uint32)
    bits = tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, tf.constant(16, tf.uint32)))
    uniform = tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) / 2**24
    return tf.where(uniform < rate, 0.0, 1 / (1 - rate))
