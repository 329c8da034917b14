"""An experiment's network as a Keras model, with Keras's own initialisers and optimizer."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from core.callbacks import Callback
from core.experiment import Experiment
from core.fields import settings
from core.initialisers import INITIALISER, Initialiser, initialiser
from core.losses import loss
from core.regularisers import REGULARISER, Regulariser
from core.schedules import Schedule

# The networks are small: handing their operations to a pool of threads costs more than it gains.
# Where TensorFlow is up already, it stays as it is.
with suppress(RuntimeError):
    tf.config.threading.set_intra_op_parallelism_threads(1)


def keras_initialiser(
    value: str | Initialiser, seed: int | keras.random.SeedGenerator | None
) -> keras.Initializer:
    """Keras's initialiser; a seed generator gives what its state, read as a seed, would give."""
    own = initialiser(value)
    options = own.keras_options() | ({"seed": seed} if own.random else {})
    return getattr(keras.initializers, own.keras_name)(**options)


def keras_regulariser(value: str | Regulariser | None) -> keras.Regularizer | None:
    """Keras's regulariser."""
    own = REGULARISER.instance(value)
    return own and getattr(keras.regularizers, own.keras_name)(**own.keras_options())


def keras_model(experiment: Experiment, seeds: list[int]) -> keras.Sequential:
    """The network as a built, not compiled, Keras model.

    Args:
        experiment: Whose network it is.
        seeds: One for each of `Model.initialised`; those at the end can be left out where their
            initialisers draw nothing.
    """
    model = keras.Sequential([keras.Input((experiment.data.source.features,))])
    seed_of = dict(zip(experiment.model.initialised, seeds, strict=False))
    for index, layer in enumerate(experiment.model.layers):
        options = layer.keras_options()
        for name, setting in settings(layer).items():
            keras_own = layer.keras_arguments.get(name, name)
            if setting.kind is INITIALISER:
                seed = seed_of.get((index, name))
                options[keras_own] = keras_initialiser(getattr(layer, name), seed)
            elif setting.kind is REGULARISER:
                options[keras_own] = keras_regulariser(getattr(layer, name))
        model.add(getattr(keras.layers, layer.keras_name)(**options))
    return model


def keras_optimizer(
    experiment: Experiment,
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
    **options: Any,
) -> keras.optimizers.Optimizer:
    """Keras's optimizer, not built.

    Args:
        experiment: Whose optimizer it is.
        learning_rate: Which the optimizer's schedule multiplies; or a schedule in its place.
        **options: Arguments of Keras's class in place of the optimizer's own.
    """
    optimizer = experiment.training.optimizer
    if optimizer.schedule is not None and isinstance(learning_rate, float):
        learning_rate = keras_schedule(optimizer.schedule, learning_rate)
    options = {**optimizer.keras_options(), **options, "learning_rate": learning_rate}
    return getattr(keras.optimizers, optimizer.keras_name)(**options)


def keras_schedule(
    schedule: Schedule, learning_rate: float
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Keras's schedule, which multiplies this learning rate."""
    kind = getattr(keras.optimizers.schedules, schedule.keras_name)
    return kind(**schedule.arguments(learning_rate))


def keras_callback(callback: Callback) -> keras.callbacks.Callback:
    """Keras's callback."""
    return getattr(keras.callbacks, callback.keras_name)(**callback.keras_options())


def keras_loss(experiment: Experiment) -> keras.losses.Loss | str:
    """Keras's loss, for `compile`."""
    training = experiment.training
    if not training.loss_options:
        return training.loss
    return getattr(keras.losses, loss(training.loss).keras_class)(**training.loss_options)


def draw_weights(
    initialisers: list[str | Initialiser], shape: tuple[int, ...], seeds: np.ndarray
) -> np.ndarray:
    """float32 (runs, *shape): what each run's initialiser draws with its seed, int (runs,)."""
    weights = np.empty((len(initialisers), *shape), np.float32)
    for value in set(initialisers):
        chosen = np.array([value == other for other in initialisers])
        weights[chosen] = _drawer(value, shape)(tf.constant(seeds[chosen], tf.int32))
    return weights


_SEED = keras.random.SeedGenerator(0)


@lru_cache(maxsize=128)
def _drawer(value: str | Initialiser, shape: tuple[int, ...]):
    """A function from seeds, int32 (runs,), to weights, float32 (runs, *shape)."""
    draw = keras_initialiser(value, _SEED)

    def one(seed):
        _SEED.state.assign(tf.stack([seed, 0]))
        return draw(shape)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec((None,), tf.int32)])
    def drawn(seeds):
        return tf.map_fn(one, seeds, fn_output_signature=tf.float32)

    return drawn.get_concrete_function()
