"""Every rule where its finding belongs and where it does not."""

import re
from dataclasses import replace

import numpy as np
import pytest

from core import fixes
from core.callbacks import EarlyStopping
from core.diagnosis import RULES, Finding, Severity, diagnose, from_settings, summary
from core.diagnosis.rules import Rule
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Dense,
    Dropout,
    Experiment,
)
from core.fixes import Fix
from core.initialisers import Constant, Given, Orthogonal
from core.layers import Activation, LeakyReLU, Softmax
from core.optimizers import AdamW
from core.regularisers import L2
from core.schedules import CosineDecay, ExponentialDecay
from support.diagnosis import (
    CONTINUOUS,
    HEALTHY,
    MANY,
    NESTED,
    REGRESSION,
    SPARSE,
    THRESHOLD,
    TWO_BLOB,
    codes,
    curve,
    data,
    hidden,
    history,
    layers,
    output,
    rows,
    table,
    training,
    with_rows,
    with_targets,
)
from support.option_faults import FAULTS as OPTIONS
from support.sentences import whole


def penalised(factor):
    """The layers with a penalty on all kernels."""
    return [replace(layer, kernel_regulariser=L2(factor)) for layer in HEALTHY.model.dense]


CURVED = np.random.default_rng(1).normal(size=(120, 3))
THREE = np.column_stack([CURVED[:, 0], CURVED[:, 1] ** 2, -CURVED[:, 2]])
SCALED = curve(scale=1_000.0, offset=50_000.0)
STATIC = {
    "output-not-probability": (output(activation="relu"), HEALTHY),
    "softmax-one-unit": (output(activation="softmax"), MANY),
    "categorical-one-column": (
        training(loss="categorical_crossentropy"),
        training(MANY, loss="categorical_crossentropy"),
    ),
    "one-unit-many-classes": (
        Experiment(
            replace(MANY.data, encoding="as-is"),
            HEALTHY.model,
            HEALTHY.training,
        ),
        MANY,
    ),
    "one-unit-one-hot": (
        Experiment(MANY.data, HEALTHY.model, replace(HEALTHY.training, loss="mean_squared_error")),
        MANY,
    ),
    "labels-outside-loss": (data(label_values=(1, 2), encoding="as-is"), data(label_values=(1, 2))),
    "labels-outside-accuracy": (
        training(
            output(data(label_values=(-1, 1), encoding="as-is"), activation="tanh"),
            loss="mean_squared_error",
        ),
        training(loss="mean_squared_error"),
    ),
    "continuous-labels": (CONTINUOUS, table(*rows())),
    "accuracy-of-regression": (
        training(output(CONTINUOUS, activation="linear"), loss="mean_squared_error"),
        CONTINUOUS,
    ),
    "output-range": (
        training(CONTINUOUS, loss="mean_squared_error"),
        training(output(CONTINUOUS, activation="linear"), loss="mean_squared_error"),
    ),
    "one-output-many-targets": (
        with_targets(CURVED, THREE, Dense(16, "relu"), Dense(1)),
        with_targets(CURVED, THREE),
    ),
    "target-unscaled": (SCALED, data(SCALED, target_scaling="standardise")),
    "noisy-targets": (curve(noise=1.0), REGRESSION),
    "unusual-output": (output(MANY, activation="sigmoid"), MANY),
    "squared-error": (training(MANY, loss="mean_squared_error"), MANY),
    "spare-output-units": (output(SPARSE, units=9), SPARSE),
    "one-class-only": (with_rows(lambda x, y: (x, [0] * len(x)), values=(0,)), table(*rows())),
    "class-missing": (
        with_rows(
            lambda x, y: (x, [2 * label for label in y]), values=(0, 1, 2), experiment=SPARSE
        ),
        SPARSE,
    ),
    "class-imbalance": (
        with_rows(lambda x, y: (x, [int(n % 20 == 0) for n in range(len(x))])),
        HEALTHY,
    ),
    "label-conflict": (data(source=replace(HEALTHY.data.source, overlap=0.5)), HEALTHY),
    "inputs-unscaled": (data(scaling="divide", divisor=1e-4), HEALTHY),
    "one-signed-inputs": (data(source=Blobs(((1, 1.4), (1.6, 2)), 200, 3)), HEALTHY),
    "constant-column": (with_rows(lambda x, y: ([(*row, 3.0) for row in x], y)), table(*rows())),
    "rows-lost": (data(shuffling="rows"), HEALTHY),
    "rows-repeated": (with_rows(lambda x, y: (x + x, y + y)), table(*rows())),
    "sorted-unshuffled": (
        training(data(shuffling="none", hold_out=0.0), shuffle=False),
        data(shuffling="none", hold_out=0.0),
    ),
    "evaluated-on-training-data": (data(hold_out=0.0), HEALTHY),
    "learning-rate-too-low": (training(optimizer=Adam(1e-6)), HEALTHY),
    "learning-rate-too-high": (training(optimizer=SGD(300.0)), HEALTHY),
    "too-few-updates": (training(TWO_BLOB, epochs=20), HEALTHY),
    "batch-too-large": (training(optimizer=Adam(0.001), batch_size=1000, epochs=8), HEALTHY),
    "zero-initialisation": (hidden(initialiser="zeros"), HEALTHY),
    "no-nonlinearity": (hidden(activation="linear", experiment=NESTED), NESTED),
    "bottleneck": (hidden(units=1, count=2, experiment=NESTED), NESTED),
    "hidden-softmax": (hidden(activation="softmax"), HEALTHY),
    "dropout-too-high": (
        layers(Dense(3, "relu"), Dropout(0.9), Dense(1, "sigmoid")),
        layers(Dense(32, "relu"), Dropout(0.3), Dense(1, "sigmoid")),
    ),
    "dropout-after-output": (
        layers(Dense(16, "relu"), Dense(1, "sigmoid"), Dropout(0.5)),
        layers(Dense(32, "relu"), Dropout(0.3), Dense(1, "sigmoid")),
    ),
    "repeated-output-activation": (
        layers(Dense(16, "relu"), Dense(1, "sigmoid"), Activation("sigmoid")),
        layers(Dense(16, "relu"), Dense(1), Activation("sigmoid"), Activation("linear")),
    ),
    "batch-norm-small-batch": (
        training(layers(Dense(8, "relu"), BatchNormalisation(), Dense(1, "sigmoid")), batch_size=1),
        layers(Dense(8, "relu"), BatchNormalisation(), Dense(1, "sigmoid")),
    ),
    "batch-norm-unsettled": (
        training(layers(Dense(8, "relu"), BatchNormalisation(), Dense(1, "sigmoid")), epochs=1),
        layers(Dense(8, "relu"), BatchNormalisation(), Dense(1, "sigmoid")),
    ),
    "dead-units": (THRESHOLD, hidden(activation="tanh")),
    "saturated-units": (
        hidden(activation="sigmoid", experiment=data(scaling="divide", divisor=1e-4)),
        hidden(activation="sigmoid"),
    ),
    "vanishing-gradient": (hidden(activation="sigmoid", count=6), HEALTHY),
    "rate-decays-too-early": (
        training(optimizer=Adam(0.01, schedule=ExponentialDecay(2, 0.5))),
        training(optimizer=Adam(0.01, schedule=CosineDecay(600))),
    ),
    "weight-decay-too-strong": (
        training(optimizer=Adam(0.01, weight_decay=20.0)),
        training(optimizer=AdamW(0.01)),
    ),
    "penalty-too-strong": (
        layers(*penalised(1.0), experiment=NESTED),
        layers(*penalised(1e-4), experiment=NESTED),
    ),
    "monitor-not-measured": (
        training(data(hold_out=0.0), callbacks=(EarlyStopping("val_loss"),)),
        training(callbacks=(EarlyStopping("val_loss"),)),
    ),
    "initial-scale": (hidden(initialiser="random_normal"), hidden(initialiser="he_normal")),
    "unusual-learning-rate": (training(optimizer=Adam(0.05)), HEALTHY),
    "few-updates": (training(epochs=10), HEALTHY),
    "unusual-batch-size": (training(batch_size=2), HEALTHY),
    "plain-gradient-descent": (
        training(optimizer=SGD(0.1)),
        training(optimizer=SGD(0.1, momentum=0.9)),
    ),
    "few-held-out-rows": (data(hold_out=0.05), HEALTHY),
    "momentum-too-high": (training(optimizer=SGD(0.01, 1.0)), training(optimizer=SGD(0.01, 0.9))),
}


@pytest.mark.parametrize("code", STATIC)
def test_a_configuration_shows_its_fault_and_no_other_shows_it(code):
    faulty, sound = STATIC[code]
    assert code in codes(diagnose(faulty))
    assert code not in codes(diagnose(sound))


FALLING = np.linspace(0.9, 0.4, 10)[:, None]
RISING = np.geomspace(0.01, 10, 10, dtype=np.float32)[:, None, None] * np.ones((10, 3, 4))
ENDS = np.array([3, 3, 10, 10])
STOPPED = {
    "accuracy": np.where((np.arange(10)[:, None] < 7) | (ENDS < 10), 0.5, 1.0),
    "last_epochs": ENDS,
    "final_epochs": ENDS,
}
COURSES = {
    "non-finite-loss": ({"loss": np.where(np.arange(10) < 5, 0.7, np.nan)[:, None]}, {}),
    "loss-below-zero": ({"loss": -FALLING}, {}),
    "constant-prediction": ({"same_weights": True}, {"accuracy": 1.0}),
    "constant-regression": ({"accuracy": 0.0, "same_weights": True}, {"accuracy": 0.5}),
    "accuracy-frozen": ({"loss": FALLING, "same_weights": True}, {"loss": 0.69}),
    "oscillation": ({"accuracy": np.resize([0.5, 0.7], (10, 1))}, {}),
    "overfitting": ({"accuracy": 0.99, "val_score": np.full((10, 4), 0.6)}, {"accuracy": 0.99}),
    "depends-on-the-seed": ({"accuracy": np.array([1.0, 1.0, 0.5, 0.5])}, {"accuracy": 1.0}),
    "exploding-gradient": (
        {"gradient_norm": RISING, "loss": np.geomspace(0.7, 70, 10)[:, None]},
        {"gradient_norm": RISING, "loss": FALLING},
    ),
    "stopped-too-early": (STOPPED, {"accuracy": 1.0}),
}
OF = {
    "stopped-too-early": training(callbacks=(EarlyStopping("loss", patience=2),)),
    "constant-regression": REGRESSION,
}
"""Experiments of histories that are not of the healthy one."""


@pytest.mark.parametrize("code", COURSES)
def test_a_history_shows_its_fault_and_no_other_shows_it(code):
    faulty, sound = COURSES[code]
    experiment = OF.get(code, HEALTHY)
    assert code in codes(diagnose(experiment, history(experiment, **faulty)))
    assert code not in codes(diagnose(experiment, history(experiment, **sound)))


def test_every_rule_is_tested():
    assert set(RULES) == set(STATIC) | set(COURSES) | set(OPTIONS)


def test_findings_are_whole_and_ordered():
    for faulty, _ in (*STATIC.values(), *OPTIONS.values()):
        found = diagnose(faulty)
        whole(summary(found), found)
        ranks = [finding.severity.rank for finding in found]
        assert ranks == sorted(ranks)
        for finding in found:
            assert finding.cause.count(". ") == 1
            assert finding.cause.endswith(".")
            assert finding.confidence in ("certain", "likely", "cannot tell")
            assert (finding.confidence == "certain") == (finding.settle is None)
            assert (
                any(character.isdigit() for character in finding.evidence)
                or "loss" in finding.evidence
            )
            assert finding.because or finding.severity is Severity.COSMETIC
            assert not finding.is_open or finding.settle
            for fix in finding.fixes:
                assert fix.apply(faulty) != faulty


def test_every_fault_is_told_after_a_training_that_fails():
    for faulty, _ in (*STATIC.values(), *OPTIONS.values()):
        trained = history(faulty, accuracy=0.3)
        found = diagnose(faulty, trained)
        told = summary(found, trained)
        whole(told, found)
        assert "nan" not in " ".join(told).lower().split()
        for text in (*told, *(f"{finding.evidence} {finding.cause}" for finding in found)):
            assert not re.search(r"\b(accuracy( of| is| from)?|reach|stays at) [01]\.\d", text)


class Extra:
    """A rule that a test registers, as a module of its own would."""

    def __init__(self, severity, fixes=()):
        self.finding = Finding(severity, "Extra", "1 row.", "One. Two.", fixes)

    def __call__(self, obs):
        return self.finding


def test_a_rule_can_be_added_at_run_time(monkeypatch):
    assert "extra" not in codes(from_settings(HEALTHY))
    edit = fixes.with_training(optimizer=HEALTHY.training.optimizer)
    fix = Fix("same-optimizer", "Same optimizer", "", "ours", edit)
    monkeypatch.setitem(RULES, "extra", Rule("extra", Extra(Severity.FATAL, (fix,))))
    for found in (from_settings(HEALTHY), diagnose(HEALTHY)):
        assert found[0].code == "extra"
        # It changes nothing here.
        assert found[0].fixes == ()
    assert diagnose(training(optimizer=SGD(0.1)))[0].fixes == (fix,)
    failed = history(HEALTHY, accuracy=0.7, loss=0.6)
    assert "unexplained" not in codes(diagnose(HEALTHY, failed))


def test_a_symptom_explains_nothing_and_is_no_worse_than_its_cause(monkeypatch):
    def severities(experiment, history=None, **traits):
        rule = Rule("extra", Extra(Severity.FATAL), **traits)
        monkeypatch.setitem(RULES, "extra", rule)
        return {finding.code: finding.severity for finding in diagnose(experiment, history)}

    stuck = history(HEALTHY, accuracy=0.7, loss=0.6, same_weights=True)
    assert "unexplained" not in severities(HEALTHY, stuck)
    assert "unexplained" in severities(HEALTHY, stuck, symptom=True)
    slow = training(TWO_BLOB, epochs=20)
    assert severities(slow, symptom=True)["extra"] is Severity.SLOW
    assert severities(slow, symptom=True, keeps_severity=True)["extra"] is Severity.FATAL


def test_a_cause_that_is_counted_by_run_stays_fragile_where_all_runs_fail(monkeypatch):
    stuck = history(HEALTHY, accuracy=0.7, loss=0.6)
    for by_run, severity in ((True, Severity.FRAGILE), (False, Severity.FATAL)):
        rule = Rule("extra", Extra(Severity.FRAGILE), by_run=by_run)
        monkeypatch.setitem(RULES, "extra", rule)
        found = {finding.code: finding.severity for finding in diagnose(HEALTHY, stuck)}
        assert found["extra"] is severity


def test_an_activation_that_is_a_layer_of_its_own_is_seen():
    apart = layers(
        Dense(16, initialiser="he_normal"),
        BatchNormalisation(),
        LeakyReLU(0.1),
        Dense(1),
        Activation("sigmoid"),
    )
    assert not codes(diagnose(apart)) & {"no-nonlinearity", "output-not-probability"}
    assert [each.name for each in apart.model.activations] == ["leaky_relu", "sigmoid"]
    narrow = (Dense(1), Activation("relu"), Dense(2), Activation("relu"))
    dead = layers(*narrow, Dense(1), Activation("relu"))
    found = codes(diagnose(dead))
    assert {"dead-units", "output-not-probability"} <= found
    # A fix changes the activation where it is written.
    fixed = fixes.SIGMOID.apply(dead).model.layers
    assert fixed[4:] == (Dense(1), Activation("sigmoid"))
    assert fixes.LEAK.apply(dead).model.layers[:2] == (Dense(1), Activation("leaky_relu"))


def test_fixes_of_the_output_leave_one_activation_and_no_noise():
    twice = layers(Dense(4, "relu"), Dense(3, "softmax"), Softmax(), experiment=MANY)
    assert fixes.ONE_OUTPUT_ACTIVATION.apply(twice).model.layers[1:] == (Dense(3, "softmax"),)
    clipped = layers(Dense(4, "relu"), Dense(1, "relu"), Activation("sigmoid"), Dropout(0.2))
    one = fixes.ONE_OUTPUT_ACTIVATION.apply(clipped)
    assert one.model.layers[1:] == (Dense(1, "sigmoid"), Dropout(0.2))
    assert fixes.NO_OUTPUT_DROPOUT.apply(one).model.layers[1:] == (Dense(1, "sigmoid"),)
    normalised = layers(Dense(1, "sigmoid"), BatchNormalisation())
    assert normalised.model.output_activation.name == "linear"
    assert fixes.SIGMOID.apply(normalised).model.layers == (Dense(1, "sigmoid"),)


def test_given_weights_give_way_where_a_fix_changes_the_shape():
    given = layers(Dense(2, "relu", Given(np.ones((3, 2)))), Dense(1, "sigmoid"))
    assert fixes.WIDEN.apply(given).model.layers[0] == Dense(fixes.WIDE, "relu")
    diagnose(given)


@pytest.mark.parametrize("start", ["zeros", "ones", Constant(0.5), Constant(0)])
def test_units_that_start_alike_are_seen_whatever_they_start_from(start):
    (alike,) = (f for f in diagnose(hidden(initialiser=start)) if f.code == "zero-initialisation")
    zero = start in ("zeros", Constant(0))
    assert alike.title == ("Weights start at zero" if zero else "Weights start alike")
    assert "zero-initialisation" not in codes(diagnose(hidden(initialiser=Orthogonal(0.5))))


def test_a_rate_that_decays_leaves_no_number_of_updates_to_advise():
    deep = hidden(8, "sigmoid", count=5)
    decayed = training(deep, optimizer=Adam(schedule=ExponentialDecay(1, 0.5)), epochs=2)
    found = codes(diagnose(training(decayed, batch_size=64)))
    assert "vanishing-gradient" in found
    assert "too-few-updates" not in found
