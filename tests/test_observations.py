"""What the rules stand on: estimates, the goal, and the look ahead."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.diagnosis import diagnose
from core.diagnosis.observations import Observations
from core.experiment import Blobs, Dense, Experiment, InvalidExperiment, Model, Table
from core.losses import LOSSES
from core.network import draw_weights, forward, gradients, judge
from support.diagnosis import (
    HEALTHY,
    MANY,
    XOR_ROWS,
    codes,
    hidden,
    table,
)


def test_the_best_possible_accuracy_of_overlapping_clouds():
    # Unit intervals that share a quarter: there the better guess is right half the time.
    assert Blobs(((0, 1), (0.75, 1.75)), features=1).ceiling() == pytest.approx(0.875, abs=0.02)
    # Two points 2 apart under unit normal noise: the normal distribution function of 1.
    noisy = Blobs(((0, 0), (2, 2)), features=1, noise=1.0)
    assert noisy.ceiling() == pytest.approx(0.8413, abs=0.02)


def test_xor_needs_a_non_linear_activation():
    linear = table(XOR_ROWS, (0, 1, 1, 0), experiment=hidden(activation="linear"))
    assert "no-nonlinearity" in codes(diagnose(linear))
    assert Observations(linear, None, 0.9).goal.score == 0.9


def test_a_table_is_checked_and_travels():
    experiment = table(XOR_ROWS, (0, 1, 1, 0))
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert json.loads(experiment.to_json())["data"]["source"]["kind"] == "Table"
    for inputs, labels in (
        (((1.0,), (1.0, 2.0)), (0, 1)),
        (((1.0,), (2.0,)), (0,)),
        (((1.0,), (2.0,)), (0, -1)),
        (((1.0,), (float("nan"),)), (0, 1)),
        (((1.0,), (2.0,)), (0, 0.5)),
        (((1.0,),), (0,)),
    ):
        with pytest.raises(InvalidExperiment):
            Table(inputs, labels)


@pytest.mark.tensorflow
def test_the_look_ahead_computes_kerass_gradients():
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(1)
    for loss in LOSSES:
        several = LOSSES[loss].link == "softmax" or loss == "categorical_hinge"
        units = 3 if several else 1
        encoding = "one-hot" if several and not LOSSES[loss].class_numbers else "index"
        common = loss.endswith("crossentropy") or loss == "mean_squared_error"
        for activation in ACTIVATIONS if common else ("linear", "sigmoid", "softplus"):
            if several and activation.endswith("shrink"):
                continue  # outputs that are all 0 have no shares
            base = MANY if units == 3 else HEALTHY
            experiment = Experiment(
                replace(base.data, encoding=encoding),
                Model((Dense(4, "tanh"), Dense(units, activation))),
                replace(base.training, loss=loss),
            )
            weights = draw_weights(experiment.model, 3, 1, rng)
            x = rng.normal(size=(1, 8, 3)).astype(np.float32)
            labels = rng.integers(0, max(units, 2), 8)
            y = np.eye(3)[labels] if encoding == "one-hot" else labels[:, None]
            y = y[None].astype(np.float32)
            done = forward(experiment.model, weights, x)
            each, slope = judge(experiment, done, y)
            ours = gradients(experiment.model, weights, done, slope)
            variables = [tf.Variable(w[0] if w.shape[1] > 1 else w[0, 0]) for w in weights]
            variables[2] = tf.Variable(weights[2][0])

            @tf.function
            def theirs(variables=variables, x=x, y=y, activation=activation, loss=loss):
                with tf.GradientTape() as tape:
                    middle = tf.tanh(x[0] @ variables[0] + variables[1])
                    out = keras.activations.get(activation)(middle @ variables[2] + variables[3])
                    target = y[0, :, 0] if loss.startswith("sparse") else y[0]
                    each = keras.losses.get(loss)(target, out)
                    mean = tf.reduce_mean(each)
                return each, tape.gradient(mean, variables)

            expected, slopes = theirs()
            np.testing.assert_allclose(each[0], expected, rtol=1e-3, atol=1e-4)
            for mine, hers in zip(ours, slopes, strict=True):
                np.testing.assert_allclose(
                    mine[0].reshape(hers.shape),
                    hers,
                    rtol=2e-3,
                    atol=2e-4,
                    err_msg=f"{loss} {activation}",
                )
