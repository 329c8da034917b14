"""Experiments: refused when they cannot be trained, and the same after a trip through JSON."""

import json
from dataclasses import FrozenInstanceError, replace

import pytest

from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Dropout,
    Experiment,
    InvalidExperiment,
    Model,
    RMSprop,
    Threshold,
    Training,
)
from core.problems import PROBLEMS

THRESHOLD = PROBLEMS["threshold"].experiment
BLOBS = PROBLEMS["two-blob"].experiment
RICH = Experiment(
    Data(
        Blobs(bounds=((0, 1), (2, 3), (4, 5)), features=3, overlap=0.25, noise=0.1),
        shuffling="none",
        hold_out=0.3,
        scaling="min-max",
        label_values=(3, 1, 2),
        encoding="index",
        seed=7,
    ),
    Model((Dense(4, "elu", "he_normal"), BatchNormalisation(), Dropout(0.2), Dense(3, "softmax"))),
    Training("sparse_categorical_crossentropy", SGD(0.1, momentum=0.9), epochs=3, shuffle=False),
)


@pytest.mark.parametrize("experiment", [THRESHOLD, BLOBS, RICH], ids=["threshold", "blobs", "rich"])
def test_json_both_ways_without_loss(experiment):
    again = Experiment.from_json(experiment.to_json())
    assert again == experiment
    assert hash(again) == hash(experiment)
    assert again.to_json() == experiment.to_json()


def test_equal_by_value_and_frozen():
    other = replace(THRESHOLD, training=replace(THRESHOLD.training, epochs=10))
    assert other == THRESHOLD
    assert replace(THRESHOLD, training=replace(THRESHOLD.training, epochs=11)) != THRESHOLD
    with pytest.raises(FrozenInstanceError):
        THRESHOLD.training.epochs = 3


@pytest.mark.parametrize(
    ("make", "field", "expected"),
    [
        (lambda: Threshold(threshold=0), "threshold", "whole number"),
        (lambda: Threshold(samples=2.5), "samples", "whole number"),
        (lambda: Blobs(bounds=((0.4, 0.2), (0.5, 0.7))), "bounds", "low bound not above"),
        (lambda: Blobs(bounds=((0.4, float("nan")), (0.5, 0.7))), "bounds", "finite"),
        (lambda: Blobs(noise=-1), "noise", "from 0"),
        (lambda: Data(Blobs(), scaling="log"), "scaling", "standardise"),
        (lambda: Data(Blobs(), hold_out=1.0), "hold_out", "0.9"),
        (lambda: Data(Blobs(), label_values=(1, 1)), "label_values", "2 different numbers"),
        (lambda: Data(Blobs(), divisor=0), "divisor", "above 0"),
        (lambda: Dense(0), "units", "whole number from 1"),
        (lambda: Dense(True), "units", "whole number"),
        (lambda: Dense(3, "swish"), "activation", "relu"),
        (lambda: Dense(3, "relu", "sparse"), "initialiser", "he_normal"),
        (lambda: Dropout(1.0), "rate", "0.95"),
        (lambda: Model(()), "layers", "1 to 64"),
        (lambda: Model((Dropout(0.5),)), "layers", "at least one dense layer"),
        (lambda: Adam(learning_rate=0), "learning_rate", "above 0"),
        (lambda: RMSprop(learning_rate="fast"), "learning_rate", "number"),
        (lambda: Training(loss="dice"), "loss", "binary_crossentropy"),
        (lambda: Training(epochs=0), "epochs", "from 1"),
        (lambda: Training(optimizer="adam"), "optimizer", "Adam"),
        (lambda: Training(shuffle=1), "shuffle", "true or false"),
    ],
)
def test_an_impossible_value_is_named_with_what_would_be_right(make, field, expected):
    with pytest.raises(InvalidExperiment) as caught:
        make()
    assert caught.value.field == field
    assert field in str(caught.value)
    assert repr(caught.value.value) in str(caught.value)
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("loss", "units", "encoding", "field"),
    [
        ("binary_crossentropy", 2, "as-is", "units of the output layer"),
        ("binary_crossentropy", 1, "one-hot", "units of the output layer"),
        ("categorical_crossentropy", 2, "index", "encoding"),
        ("categorical_crossentropy", 3, "one-hot", "units of the output layer"),
        ("sparse_categorical_crossentropy", 2, "one-hot", "encoding"),
        ("sparse_categorical_crossentropy", 2, "as-is", "label_values"),
        ("mean_squared_error", 3, "one-hot", "units of the output layer"),
    ],
)
def test_labels_and_output_that_keras_refuses_are_refused(loss, units, encoding, field):
    with pytest.raises(InvalidExperiment) as caught:
        Experiment(
            Data(Blobs(), label_values=(1, 2), encoding=encoding),
            Model((Dense(units, "sigmoid"),)),
            Training(loss),
        )
    assert caught.value.field == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{" * 100_000,
        '{"kind": "Adam", "learning_rate": 0.1}',
        '{"kind": "Nothing"}',
        '{"kind": ["Adam"]}',
        '{"kind": "Experiment"}',
        '{"kind": "Model", "layers": 5}',
        THRESHOLD.to_json().replace('"epochs":10', '"epochs":"many"'),
        THRESHOLD.to_json().replace('"epochs":10', '"epochs":10,"patience":3'),
        THRESHOLD.to_json().replace('"Threshold"', '"Blobs"'),
        THRESHOLD.to_json().replace('"learning_rate":0.001', '"learning_rate":NaN'),
    ],
)
def test_other_json_is_refused(text):
    with pytest.raises(InvalidExperiment):
        Experiment.from_json(text)


def test_json_is_plain():
    assert json.loads(THRESHOLD.to_json())["data"]["source"]["threshold"] == 50_000


def test_equal_experiments_have_one_digest_and_others_another():
    again = Experiment.from_json(THRESHOLD.to_json())
    assert again.digest == THRESHOLD.digest
    assert replace(THRESHOLD, training=Training(epochs=11)).digest != THRESHOLD.digest
