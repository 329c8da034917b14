"""What the pages show of a trained network, against Keras itself."""

import warnings
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.data import prepare
from core.engine.keras_models import keras_model
from core.engine.layouts import slots
from core.experiment import (
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Dropout,
    Experiment,
    Model,
    Threshold,
    Training,
)
from core.history import History
from core.inspection import (
    NO_CLASS,
    PROBABILITY,
    SHOWN_SAMPLES,
    classes,
    confusion,
    decisions,
    evenly,
    layer_health,
    outputs,
    own_class,
    response,
    surface,
)
from core.problems import PROBLEMS
from support.histories import made_up

pytestmark = pytest.mark.tensorflow

BLOBS = Data(Blobs(samples=20), encoding="index")


def network(*layers, data=BLOBS, loss="binary_crossentropy") -> Experiment:
    return Experiment(data, Model(layers), Training(loss, Adam()))


def random_weights(experiment, rng, scale=1.0):
    """One network's weights; the slots that are variances stay above 0."""
    arrays = slots(experiment.model, experiment.data.source.features)
    return [np.abs(rng.normal(0.2, scale, slot.shape)).astype(np.float32) for slot in arrays]


def recorded(experiment, weights_by_key, key_epochs) -> History:
    """A history of one run that holds these weights and nothing else of interest."""
    nothing = np.zeros((1, 1), np.float32)
    weights = tuple(np.stack(w)[..., None] for w in zip(*weights_by_key, strict=True))
    keys = np.array(key_epochs)
    return made_up(experiment, nothing, nothing, seed=3, key_epochs=keys, weights=weights)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_dense_layer_puts_out_what_keras_computes(activation):
    import keras

    rng = np.random.default_rng(0)
    layers = (Dense(4, activation), BatchNormalisation(), Dropout(0.5), Dense(2, activation))
    experiment = network(*layers, loss="sparse_categorical_crossentropy")
    x = rng.normal(0, 3, (50, 2)).astype(np.float32)
    weights = random_weights(experiment, rng)
    weights[0] = -weights[0] * rng.choice([-1, 1], weights[0].shape)
    model = keras_model(experiment, [1, 2])
    model.set_weights(weights)
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    probe = keras.Model(model.inputs, [layer.output for layer in dense])
    for ours, kerass in zip(outputs(experiment.model, weights, x), probe(x), strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, kerass, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38])
def test_weights_without_bound_neither_warn_nor_crash(activation, value):
    experiment = network(Dense(3, activation), BatchNormalisation(), Dense(1, activation))
    weights = [np.full(slot.shape, value, np.float32) for slot in slots(experiment.model, 2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = outputs(experiment.model, weights, [[1e5, -1e5], [0, 0]])
        assert out[-1].shape == (2, 1)
        assert decisions(experiment, out[-1]).shape == (2,)


LABELS = ((0.0, 1.0), (1.0, 0.0), (1.0, 2.0), (2.0, 1.0))


@pytest.mark.parametrize(
    ("labels", "encoding", "units"),
    [
        *product(LABELS, ("as-is", "index"), (1,)),
        *product(LABELS, ("one-hot",), (2,)),
        *product(LABELS, ("index",), (2, 3)),
    ],
)
def test_the_share_of_right_decisions_is_keras_accuracy(labels, encoding, units):
    losses = {1: "binary_crossentropy", 2: "sparse_categorical_crossentropy"}
    loss = "categorical_crossentropy" if encoding == "one-hot" else losses[min(units, 2)]
    data = replace(BLOBS, label_values=labels, encoding=encoding)
    experiment = network(Dense(units, "linear"), data=data, loss=loss)
    rng = np.random.default_rng(1)
    rows = prepare(data, 0, 0)
    weights = [
        rng.normal(0, 2, slot.shape).astype(np.float32) for slot in slots(experiment.model, 2)
    ]
    model = keras_model(experiment, [1])
    model.set_weights(weights)
    model.compile(loss=loss, metrics=["accuracy"])
    _, kerass = model.evaluate(rows.x, rows.y, verbose=0)

    table = confusion(experiment, weights, rows)
    right = table.loc[table.actual == table.predicted, "count"].sum()
    assert table["count"].sum() == len(rows.x)
    assert right / len(rows.x) == pytest.approx(kerass)


def test_a_label_that_no_class_has_is_no_class():
    data = replace(BLOBS, label_values=(1.0, 2.0), encoding="as-is")
    experiment = network(Dense(1, "sigmoid"), data=data)
    assert decisions(experiment, np.array([[0.2], [0.5], [0.7]])).tolist() == [
        NO_CLASS,
        NO_CLASS,
        0,
    ]
    rows = prepare(data, 0, 0)
    always_low = [np.zeros((2, 1), np.float32), np.full(1, -9, np.float32)]
    table = confusion(experiment, always_low, rows)
    assert table.loc[table.predicted == "none", "count"].tolist() == [20, 20]


def test_confusion_counts_the_held_out_rows_where_there_are_any():
    data = replace(BLOBS, hold_out=0.25)
    experiment = network(Dense(1, "sigmoid"), data=data)
    weights = random_weights(experiment, np.random.default_rng(0))
    assert confusion(experiment, weights, prepare(data, 0, 0))["count"].sum() == 10


@pytest.mark.parametrize("units", [1, 2])
def test_the_response_over_x_is_in_raw_units_through_the_runs_own_scaler(units):
    data = Data(Threshold(100, 50), scaling="standardise", encoding="index")
    loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    output = Dense(units, "sigmoid" if units == 1 else "softmax")
    experiment = network(Dense(3, "relu"), output, data=data, loss=loss)
    rng = np.random.default_rng(2)
    weights = [random_weights(experiment, rng) for _ in range(2)]
    history = recorded(experiment, weights, [0, 10])
    frame = response(history, 0, points=50)

    assert frame.x.min() == 0
    assert frame.x.max() == 200
    assert frame.output.unique().tolist() == [PROBABILITY]
    assert frame[["key", "epoch"]].drop_duplicates().values.tolist() == [[0, 0], [1, 10]]
    rows = prepare(data, history.seed, 0)
    x = (frame.x.unique()[:, None] - rows.offset) / rows.scale
    model = keras_model(experiment, [1, 2])
    model.set_weights(weights[1])
    shown = frame[frame.key == 1].value
    np.testing.assert_allclose(shown, model.predict(x, verbose=0)[:, -1], rtol=1e-4, atol=1e-6)


def test_class_1_with_the_smaller_label_gets_the_rest_of_the_probability():
    data = replace(BLOBS, label_values=(1.0, 0.0))
    experiment = network(Dense(1, "sigmoid"), data=data)
    weights = random_weights(experiment, np.random.default_rng(0))
    swapped = recorded(experiment, [weights], [0])
    straight = recorded(network(Dense(1, "sigmoid")), [weights], [0])
    total = surface(swapped, 0).output.epoch_0 + surface(straight, 0).output.epoch_0
    np.testing.assert_allclose(total, 1, rtol=1e-5)


def test_the_surface_covers_the_samples_with_few_rows_and_a_column_an_epoch():
    experiment = (
        PROBLEMS["two-blob"].fixes["standardise-inputs"].apply(PROBLEMS["two-blob"].experiment)
    )
    rng = np.random.default_rng(0)
    history = recorded(experiment, [random_weights(experiment, rng) for _ in range(51)], range(51))
    seen = surface(history, 0)

    assert len(seen.output) == 1600
    assert len(seen.epochs) == 20
    assert (seen.epochs[0], seen.epochs[-1]) == (0, 50)
    assert {f"epoch_{number}" for number in seen.epochs} < set(seen.output)
    assert seen.output.x0.min() < seen.samples.x.min() < seen.samples.x.max() < seen.output.x1.max()
    assert seen.samples.label.isin(["1", "2"]).all()
    assert 0.2 < seen.samples.x.min() < 0.7
    rows = prepare(experiment.data, history.seed, 0)
    drawn = evenly(len(rows.x), SHOWN_SAMPLES)
    out = outputs(experiment.model, history.weights_at(-1, 0), rows.x[drawn])[-1]
    right = decisions(experiment, out) == classes(experiment.data, rows.y[drawn])
    assert seen.samples.epoch_50.tolist() == right.tolist()


def test_a_surface_needs_two_features_and_a_response_needs_one():
    with pytest.raises(ValueError, match="two features"):
        surface(recorded(PROBLEMS["threshold"].experiment, [[np.zeros(1)]], [0]), 0)
    with pytest.raises(ValueError, match="single feature"):
        response(recorded(PROBLEMS["two-blob"].experiment, [[np.zeros(1)]], [0]), 0)


def test_each_row_is_counted_once_by_what_the_network_gives_its_own_class():
    source = Blobs(((0, 1), (1, 2), (2, 3)), samples=20, features=4)
    data = Data(source, label_values=(0, 1, 2), encoding="one-hot", hold_out=0.2)
    experiment = network(Dense(3, "softmax"), data=data, loss="categorical_crossentropy")
    certain = [np.zeros((4, 3), np.float32), np.array([0, 0, 50], np.float32)]
    unsure = [np.zeros((4, 3), np.float32), np.zeros(3, np.float32)]
    bins = own_class(recorded(experiment, [unsure, certain], [0, 9]), 0)
    assert bins.epoch_0.sum() == bins.epoch_9.sum() == data.training_rows
    assert bins[bins.epoch_0 > 0].low.between(0.3, 1 / 3).all(), "a third for each class"
    always_2 = bins[bins.epoch_9 > 0]
    assert set(always_2[always_2.low > 0.9].label) == {"2"}
    assert set(always_2[always_2.low < 0.1].label) == {"0", "1"}


def test_health_becomes_one_row_a_run_epoch_and_layer():
    from core.training import train

    experiment = replace(
        PROBLEMS["two-blob"].experiment, training=Training("categorical_crossentropy", epochs=2)
    )
    history = train(experiment, runs=3)
    frame = layer_health(history, "gradient_norm", np.array([True, False, True]))
    assert len(frame) == 2 * 2 * 3
    row = frame[(frame.run == 1) & (frame.epoch == 2) & (frame.layer == "output")].iloc[0]
    assert row.value == history.health.gradient_norm[1, 1, 1]
    assert row.stuck
