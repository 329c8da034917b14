"""One entry for each activation, initialiser, loss and optimizer; an unknown one is an error."""

import copy

import numpy as np
import pytest

from core.data import generator
from core.diagnosis import lookahead
from core.diagnosis.observations import Observations
from core.experiment import ACTIVATIONS, INITIALISERS, LOSSES, Dense
from core.problems import PROBLEMS

TWO_BLOB = PROBLEMS["two-blob"].experiment


def altered(field, value, *path):
    """The two-blob experiment with a value that its own checks would refuse."""
    experiment = copy.deepcopy(TWO_BLOB)
    owner = experiment
    for step in path:
        owner = owner[step] if isinstance(step, int) else getattr(owner, step)
    object.__setattr__(owner, field, value)
    return experiment


class Lion:
    learning_rate, momentum = 0.1, 0.0


UNKNOWN = {
    "gelu": altered("activation", "gelu", "model", "layers", 0),
    "glorot_normal": altered("initialiser", "glorot_normal", "model", "layers", 0),
    "poisson": altered("loss", "poisson", "training"),
    "Lion": altered("optimizer", Lion(), "training"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_is_unknown_is_refused_with_what_is_known(name):
    known = {"gelu": "relu", "glorot_normal": "he_normal", "poisson": "mean_squared_error"}
    with pytest.raises(ValueError, match=f"'{name}'.*{known.get(name, 'SGD')}"):
        Observations(UNKNOWN[name], None, 0.9).ahead.as_is  # noqa: B018


@pytest.mark.parametrize("name", ["gelu", "Lion"])
def test_what_is_unknown_is_not_compiled(name):
    from core.engine.compiled import Program

    with pytest.raises(ValueError, match=name):
        Program(UNKNOWN[name], 16)


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
        for initialiser in INITIALISERS:
            layers = (Dense(3, activation, initialiser),)
            model = type(TWO_BLOB.model)(layers)
            weights = lookahead.draw_weights(model, 2, 4, generator(0, 1))
            assert lookahead.forward(model, weights, np.ones((4, 5, 2))).output.shape == (4, 5, 3)
    # The order is that of the controls, and of links that count places in it.
    assert ACTIVATIONS == ("linear", "relu", "leaky_relu", "elu", "tanh", "sigmoid", "softmax")
    assert LOSSES[0] == "binary_crossentropy"
    assert INITIALISERS[0] == "glorot_uniform"
