"""What the rules stand on: estimates, the goal, and the look ahead."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.diagnosis import diagnose
from core.diagnosis.observations import Observations
from core.experiment import (
    SGD,
    Adam,
    Blobs,
    Data,
    Dense,
    Experiment,
    InvalidExperiment,
    Model,
    Table,
    Training,
)
from core.fixes import other_rates
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


def wide(*units, features=784, rows=600, **changes):
    """Four overlapping clouds in many dimensions."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, rows)
    inputs = rng.normal(size=(rows, features)) + 3 * rng.normal(size=(4, features))[labels]
    data = Data(Table(inputs / 3, labels), label_values=tuple(range(4)), encoding="index")
    model = Model((*(Dense(width, "relu", "he_normal") for width in units), Dense(4, "softmax")))
    return Experiment(data, model, Training("sparse_categorical_crossentropy", **changes))


@pytest.mark.parametrize(
    ("experiment", "code"),
    [
        (wide(128, optimizer=Adam(1e-7)), "learning-rate-too-low"),
        (wide(100, 100, optimizer=SGD(1e-5)), "learning-rate-too-low"),
        (wide(250, 250, features=128, optimizer=Adam(1e-7)), "learning-rate-too-low"),
        (wide(128, batch_size=600, epochs=1, optimizer=SGD(0.01)), "too-few-updates"),
        (wide(128, 64, features=128, optimizer=Adam(3.0)), "learning-rate-too-high"),
        # Too big to look ahead at all.
        (wide(800, 400, optimizer=Adam(1e-8)), "learning-rate-too-low"),
        (wide(800, 400, optimizer=SGD(1e-7)), "learning-rate-too-low"),
    ],
    ids=["784-128", "784-100-100", "128-250-250", "one update", "high rate", "Adam", "SGD"],
)
def test_the_pace_of_wide_networks_is_judged_before_training(experiment, code):
    assert code in [finding.code for finding in diagnose(experiment)]


def test_nothing_is_wrong_with_the_pace_of_healthy_wide_networks():
    descent = wide(800, 400, optimizer=SGD(0.01))
    for experiment in (wide(128), wide(250, 250, features=128), wide(800, 400), descent):
        assert [f.code for f in diagnose(experiment) if f.severity.value != "cosmetic"] == []


@pytest.mark.parametrize("units", [(16, 2, 13), (2, 200)])
def test_whether_two_units_are_enough_is_open_where_the_look_ahead_ends_before_the_training(units):
    narrow = wide(*units, features=10, optimizer=Adam(0.01), epochs=40)
    found = {finding.code: finding for finding in diagnose(narrow)}
    assert found["bottleneck"].is_open


def test_no_learning_rate_out_of_the_usual_range_is_tried_on_chance():
    for now in (1e-7, 1e-5, 0.001, 0.05, 1.0, 300.0):
        rates = [float(fix.title.split()[-1]) for fix in other_rates(wide(4, optimizer=SGD(now)))]
        assert rates
        assert all(value < now or value <= 0.1 for value in rates)
        assert all(value > now or value >= 1e-5 for value in rates)
