"""An experiment's network as a Keras model, with Keras's own initialisers and optimizer."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf

from core.entries import entry
from core.experiment import Experiment
from core.initialisers import INITIALISERS

# The networks are small: handing their operations to a pool of threads costs more than it gains.
# Where TensorFlow is up already, it stays as it is.
with suppress(RuntimeError):
    tf.config.threading.set_intra_op_parallelism_threads(1)


def initialiser(name: str, seed: int | keras.random.SeedGenerator) -> keras.Initializer:
    """Keras's initialiser; a seed generator gives what its state, read as a seed, would give."""
    kind = keras.initializers.get(entry("initialiser", INITIALISERS, name).name).__class__
    return kind() if name == "zeros" else kind(seed=seed)


def keras_model(experiment: Experiment, seeds: list[int]) -> keras.Sequential:
    """The network as a built, not compiled, Keras model.

    Args:
        seeds: one for each array of weights that an initialiser draws, in order.
    """
    model = keras.Sequential([keras.Input((experiment.data.source.features,))])
    of_kernels = iter(seeds)
    for layer in experiment.model.layers:
        options = layer.keras_options()
        if "kernel_initializer" in options:
            name = options["kernel_initializer"]
            options["kernel_initializer"] = initialiser(name, next(of_kernels))
        model.add(getattr(keras.layers, layer.keras_name)(**options))
    return model


def keras_optimizer(
    experiment: Experiment,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
) -> keras.optimizers.Optimizer:
    """Keras's optimizer, not built, at this learning rate."""
    optimizer = experiment.training.optimizer
    options = {**optimizer.keras_options(), "learning_rate": learning_rate}
    return getattr(keras.optimizers, optimizer.keras_name)(**options)


def draw_kernels(names: list[str], shape: tuple[int, ...], seeds: np.ndarray) -> np.ndarray:
    """float32 (runs, *shape): what each named initialiser draws with each seed, int (runs,)."""
    kernels = np.empty((len(names), *shape), np.float32)
    for name in set(names):
        chosen = np.array([name == other for other in names])
        kernels[chosen] = _drawer(name, shape)(tf.constant(seeds[chosen], tf.int32))
    return kernels


_SEED = keras.random.SeedGenerator(0)


@lru_cache(maxsize=128)
def _drawer(name: str, shape: tuple[int, ...]):
    """A function from seeds, int32 (runs,), to kernels, float32 (runs, *shape)."""
    draw = initialiser(name, _SEED)

    def one(seed):
        _SEED.state.assign(tf.stack([seed, 0]))
        return draw(shape)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None,), tf.int32)])
    def drawn(seeds):
        return tf.map_fn(one, seeds, fn_output_signature=tf.float32)

    return drawn.get_concrete_function()
