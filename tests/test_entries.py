"""Entries of activations, initialisers, losses and optimizers; an unknown one is an error."""

import copy

import numpy as np
import pytest

from core import network
from core.activations import ACTIVATIONS
from core.diagnosis.observations import Observations
from core.experiment import Dense, InvalidExperiment, Training
from core.initialisers import (
    INITIALISERS,
    Constant,
    Given,
    Identity,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    initialiser,
)
from core.losses import LOSSES
from core.problems import PROBLEMS
from core.streams import generator

TWO_BLOB = PROBLEMS["two-blob"].experiment


def altered(field, value, *path):
    """The two-blob experiment with a value that its own checks would refuse."""
    experiment = copy.deepcopy(TWO_BLOB)
    owner = experiment
    for step in path:
        owner = owner[step] if isinstance(step, int) else getattr(owner, step)
    object.__setattr__(owner, field, value)
    return experiment


UNKNOWN = {
    "glu": altered("activation", "glu", "model", "layers", 0),
    "sparse": altered("initialiser", "sparse", "model", "layers", 0),
    "dice": altered("loss", "dice", "training"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_unknown_is_refused_with_what_is_known(name):
    known = {"glu": "relu", "sparse": "he_normal", "dice": "mean_squared_error"}
    with pytest.raises(ValueError, match=f"'{name}'.*{known[name]}"):
        Observations(UNKNOWN[name], None, 0.9).ahead.as_is  # noqa: B018


@pytest.mark.tensorflow
def test_what_is_unknown_is_not_compiled():
    from core.engine.compiled import Program

    with pytest.raises(ValueError, match="glu"):
        Program(UNKNOWN["glu"], 16)


def test_an_optimizer_is_one_of_those_that_there_are():
    with pytest.raises(InvalidExperiment, match="one of SGD, RMSprop, Adam"):
        Training(optimizer="adam")


def test_the_bounds_of_every_activation_hold():
    from core.activations import activation

    z = np.random.default_rng(0).normal(scale=30, size=(500, 4))
    for name in ACTIVATIONS:
        entry = activation(name)
        out = entry.value(z)
        assert entry.low <= out.min() <= out.max() <= entry.high, name
        low, high = entry.unsaturated
        assert entry.low <= low < high <= entry.high or not entry.saturates, name


def test_every_choice_can_be_looked_ahead():
    for activation in ACTIVATIONS:
        for name in INITIALISERS:
            start = Given(np.eye(2, 3)) if name == "given" else name
            layers = (Dense(3, activation, start),)
            model = type(TWO_BLOB.model)(layers)
            weights = network.draw_weights(model, 2, 4, generator(0, 1))
            assert network.forward(model, weights, np.ones((4, 5, 2))).output.shape == (4, 5, 3)
    # The order is that of the controls, and of links that count places in it.
    assert tuple(ACTIVATIONS)[:7] == (
        "linear",
        "relu",
        "leaky_relu",
        "elu",
        "tanh",
        "sigmoid",
        "softmax",
    )
    assert next(iter(LOSSES)) == "binary_crossentropy"
    assert next(iter(INITIALISERS)) == "glorot_uniform"


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "value",
    [
        *INITIALISERS,
        *(RandomUniform(-0.3, 0.5), RandomNormal(1, 2), TruncatedNormal(0.5, 0.2), Constant(0.3)),
        *(Orthogonal(2), Identity(3), Given(np.arange(1_000).reshape(40, 25))),
        *(
            VarianceScaling(2, mode, distribution)
            for mode, distribution in zip(
                ("fan_in", "fan_out", "fan_avg"),
                ("untruncated_normal", "uniform", "truncated_normal"),
                strict=True,
            )
        ),
    ],
    ids=str,
)
def test_weights_are_drawn_as_widely_as_kerass(value):
    from core.engine.keras_models import keras_initialiser

    shapes = [(40, 25)]
    if value == "given":
        value = Given(np.ones(9))
        shapes = [(9,)]
    elif initialiser(value).for_vectors and not isinstance(value, Given):
        shapes.append((1_000,))
    for shape in shapes:
        theirs = np.stack([keras_initialiser(value, k)(shape) for k in range(20)])
        ours = initialiser(value).draw((20, *shape), generator(0))
        assert ours.shape == theirs.shape
        # Of 20,000 numbers a deviation is known to half a percent, the widest one to less.
        assert ours.mean() == pytest.approx(theirs.mean(), abs=0.03 * float(theirs.std()) + 1e-6)
        assert ours.std() == pytest.approx(theirs.std(), rel=0.03, abs=1e-6)
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.25)
