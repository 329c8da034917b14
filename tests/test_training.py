"""The stack against plain Keras, and what it promises about runs."""

from itertools import product

import numpy as np
import pytest

from core.data import prepare
from core.experiment import (
    ACTIVATIONS,
    LOSSES,
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Experiment,
    Model,
    RMSprop,
    Training,
)
from core.models import keras_model, keras_optimizer
from core.training import layer_seeds, train

OPTIMIZERS = (SGD(momentum=0.9), RMSprop(), Adam())


def small(
    activation="tanh", loss="binary_crossentropy", optimizer=None, normalised=False, **training
):
    """Two noisy blobs, one hidden layer; 50 updates, the last of each epoch on fewer rows."""
    one_hot = loss == "categorical_crossentropy"
    units = 1 if loss in ("binary_crossentropy", "mean_squared_error") else 2
    encoding = "one-hot" if one_hot else "index"
    hidden = (Dense(3, activation),)
    if normalised:
        hidden = (Dense(3, "tanh"), BatchNormalisation())
    options = {"batch_size": 8, "epochs": 5, "shuffle": False, **training}
    return Experiment(
        Data(Blobs(samples=38, noise=0.1), encoding=encoding),
        Model((*hidden, Dense(units, activation))),
        Training(loss, optimizer or Adam(), **options),
    )


@pytest.mark.parametrize("normalised", [False, True], ids=["plain", "normalised"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
@pytest.mark.parametrize(("activation", "loss"), list(product(ACTIVATIONS, LOSSES)))
def test_every_weight_is_kerass_own_after_50_updates(activation, loss, optimizer, normalised):
    experiment = small(activation, loss, optimizer, normalised)
    run = 2
    ours = train(experiment, runs=3, seed=1).weights_at(-1, run)
    keras_own = fitted_weights(experiment, seed=1, run=run, compiled=False)
    if not all(
        np.allclose(a, b, rtol=2e-4, atol=2e-5, equal_nan=True)
        for a, b in zip(ours, keras_own, strict=True)
    ):
        # Where rounding errors grow (at the edge of a clipped probability, or in a bias that batch
        # normalisation takes out again), Keras itself, compiled by XLA, parts from Keras as far.
        compiled = fitted_weights(experiment, seed=1, run=run, compiled=True)
        for a, b, c in zip(ours, keras_own, compiled, strict=True):
            np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
            if np.isfinite(b).all():
                assert np.abs(a - b).max() <= 2e-5 + 20 * np.abs(b - c).max()


def fitted_weights(experiment, seed, run, compiled):
    """What Keras's `fit` makes of the weights and rows of one run."""
    training, rows = experiment.training, prepare(experiment.data, seed, run)
    model = keras_model(experiment, layer_seeds(experiment, seed, run))
    optimizer = keras_optimizer(experiment, training.optimizer.learning_rate)
    model.compile(loss=training.loss, optimizer=optimizer, jit_compile=compiled)
    options = {"batch_size": training.batch_size, "epochs": training.epochs, "shuffle": False}
    model.fit(rows.x, rows.y, verbose=0, **options)
    return model.get_weights()
