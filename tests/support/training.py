"""A small experiment, what Keras makes of it, and a choice of the stack's layout."""

from contextlib import contextmanager
from math import inf

import numpy as np
import pytest

from core.data import prepare
from core.engine import compiled as programs
from core.engine import grouping
from core.engine.keras_models import keras_model, keras_optimizer
from core.experiment import (
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Experiment,
    Model,
    Table,
    Training,
)
from core.training import layer_seeds

LAYOUTS = ("runs last", "runs first")


def small(
    activation="tanh",
    loss="binary_crossentropy",
    optimizer=None,
    normalised=False,
    data=None,
    hidden=None,
    **training,
):
    """Two noisy blobs, one hidden layer; 50 updates, the last of each epoch on fewer rows.

    `hidden` is its activation where it is not that of the output.
    """
    one_hot = loss == "categorical_crossentropy"
    units = 1 if loss in ("binary_crossentropy", "mean_squared_error") else 2
    encoding = "one-hot" if one_hot else "index"
    layers = (Dense(3, hidden or activation),)
    if normalised:
        layers = (Dense(3, "tanh"), BatchNormalisation())
    options = {"batch_size": 8, "epochs": 5, "shuffle": False, **training}
    return Experiment(
        Data(**{"source": Blobs(samples=38, noise=0.1), "encoding": encoding, **(data or {})}),
        Model((*layers, Dense(units, activation))),
        Training(loss, optimizer or Adam(), **options),
    )


def noisy_table(rows=76, features=2):
    """Two overlapping blobs as rows that are given."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % 2
    return Table(rng.normal(size=(rows, features)) + labels[:, None], labels)


@contextmanager
def laid_out(layout):
    """Every structure in one of LAYOUTS, whatever its size, and no program kept from before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "RUNS_FIRST_ENTRIES", 0)
        patch.setattr(grouping, "RUNS_FIRST_PRODUCTS", 0 if layout == "runs first" else inf)
        patch.setattr(programs, "_kept", type(programs._kept)())
        yield


def close(ours, keras_own):
    return all(
        np.allclose(a, b, rtol=2e-4, atol=2e-5, equal_nan=True)
        for a, b in zip(ours, keras_own, strict=True)
    )


def fitted_weights(experiment, seed, run, reverse=False, jit_compile="auto"):
    """What Keras's `fit` makes of the weights and rows of one run."""
    training, rows = experiment.training, prepare(experiment.data, seed, run)
    model = keras_model(experiment, layer_seeds(experiment, seed, run))
    optimizer = keras_optimizer(experiment, training.optimizer.learning_rate)
    model.compile(loss=training.loss, optimizer=optimizer, jit_compile=jit_compile)
    order = np.arange(len(rows.x))
    if reverse:
        starts = range(0, len(order), training.batch_size)
        order = np.concatenate([order[k : k + training.batch_size][::-1] for k in starts])
    options = {"batch_size": training.batch_size, "epochs": training.epochs, "shuffle": False}
    model.fit(rows.x[order], rows.y[order], verbose=0, **options)
    return model.get_weights()
