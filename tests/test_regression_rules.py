"""What the diagnosis says of regressions and of several labels a row."""

from dataclasses import replace

import numpy as np
import pytest

from core import fixes
from core.diagnosis import Severity, diagnose, verdict
from core.diagnosis.estimates import least_squares_r2
from core.diagnosis.simple import best_simple_model, left_out_ridge
from core.experiment import SGD, Dense, Model, Table
from core.history import TARGET
from core.tasks import explained
from support.diagnosis import (
    MULTI_LABEL,
    REGRESSION,
    codes,
    curve,
    data,
    history,
    layers,
    output,
    training,
    with_targets,
)

X = np.random.default_rng(1).normal(size=(120, 3))
Y = np.column_stack([X[:, 0], X[:, 1] ** 2, -X[:, 2]])
SORTED = np.sort(X[:, :1], axis=0)
RARE = data(MULTI_LABEL, source=Table(X[:, :2], (X[:, :2] > 1.6).astype(int)))
FAULTS = {
    "output-range": (output(REGRESSION, activation="relu"), REGRESSION),
    "continuous-labels": (
        training(output(REGRESSION, activation="sigmoid"), loss="binary_crossentropy"),
        REGRESSION,
    ),
    "no-nonlinearity": (
        layers(Dense(1), experiment=REGRESSION),
        layers(Dense(1), experiment=curve(shape="line")),
    ),
    "one-class-only": (with_targets(X, 0 * Y + 3), with_targets(X, Y)),
    "sorted-unshuffled": (
        training(with_targets(SORTED, SORTED, hold_out=0.0, shuffling="none"), shuffle=False),
        training(with_targets(X, X[:, :1], hold_out=0.0, shuffling="none"), shuffle=False),
    ),
    "rows-repeated": (
        with_targets(np.tile(X, (2, 1)), np.tile(Y, (2, 1))),
        with_targets(np.tile(X, (2, 1)), np.concatenate([Y, -Y])),
    ),
    "class-imbalance": (RARE, MULTI_LABEL),
    "one-output-many-targets": (
        replace(
            MULTI_LABEL,
            model=Model((Dense(1, "sigmoid"),)),
            training=replace(MULTI_LABEL.training, loss="mean_squared_error"),
        ),
        MULTI_LABEL,
    ),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_regression_and_several_labels_show_their_faults(code):
    faulty, sound = FAULTS[code]
    assert code in codes(diagnose(faulty))
    assert code not in codes(diagnose(sound))


def test_the_first_fix_of_each_fault_removes_it():
    faulty = (
        *(FAULTS[code][0] for code in ("output-range", "continuous-labels", "no-nonlinearity")),
        FAULTS["one-output-many-targets"][0],
        with_targets(X, Y, Dense(16, "relu"), Dense(1)),
        curve(scale=1_000.0, offset=50_000.0),
    )
    for experiment in faulty:
        worst = diagnose(experiment)[0]
        assert worst.severity is not Severity.COSMETIC
        assert worst.code not in codes(diagnose(worst.fixes[0].apply(experiment)))


def test_an_output_that_reaches_nearly_every_target_is_no_fault():
    found = {f.code: f for f in diagnose(output(REGRESSION, activation="tanh"))}
    assert found["output-range"].severity is Severity.COSMETIC
    assert "R² cannot exceed 0.9" in found["output-range"].evidence
    (found,) = (f for f in diagnose(FAULTS["output-range"][0]) if f.code == "output-range")
    assert found.severity is Severity.FATAL
    assert "R² cannot exceed 0.5" in found.evidence


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("output-range", lambda e: output(e, activation="relu")),
        ("targets-outside-loss", lambda e: training(e, loss="mean_squared_logarithmic_error")),
        ("relative-error-near-zero", lambda e: training(e, loss="mean_absolute_percentage_error")),
    ],
)
def test_what_leaves_enough_within_reach_is_still_to_blame_where_runs_fail(code, change):
    changed = change(data(curve(noise=1.0), target_scaling="standardise"))

    def severity(*scores):
        found = diagnose(changed, history(changed, accuracy=np.array(scores)))
        return {f.code: f.severity for f in found}.get(code, Severity.COSMETIC)

    assert severity(0.48, 0.48, 0.1, 0.1) is not Severity.COSMETIC
    assert severity(0.48, 0.48, 0.48, 0.48) is Severity.COSMETIC


def test_big_targets_make_gradient_descent_explode():
    big = training(curve(scale=1_000.0), optimizer=SGD(0.01))
    found = {f.code: f for f in diagnose(big)}
    assert found["target-unscaled"].severity is Severity.FRAGILE
    assert "the gradient grows with the error" in found["target-unscaled"].evidence
    assert verdict(diagnose(big)) == (
        "Depends on the seed, probably because the targets are not scaled."
    )
    lost = history(big, accuracy=np.nan, loss=np.nan)
    (first,) = (f for f in diagnose(big, lost) if f.code == "non-finite-loss")
    assert first.fixes[0] == fixes.STANDARDISE_TARGETS


def test_a_constant_prediction_is_compared_with_the_mean_in_the_unit_of_the_targets():
    scaled = data(curve(scale=10.0, offset=500.0), target_scaling="standardise")
    (found,) = (
        f
        for f in diagnose(scaled, history(scaled, accuracy=0.0, same_weights=True))
        if f.code == "constant-regression"
    )
    assert "0.0% of that of the targets" in found.evidence
    assert "They are about 50" in found.evidence or "They are about 49" in found.evidence


def test_a_verdict_speaks_of_r2():
    noisy = curve(noise=1.0)
    good = history(noisy, accuracy=0.48)
    assert "no model can exceed an R² of about 0.50 (here 0.48)" in verdict(
        diagnose(noisy, good), good
    )
    some = history(noisy, accuracy=np.array([0.48, 0.48, 0.1, 0.1]))
    evidence = " ".join(f.evidence for f in diagnose(noisy, some))
    assert "2 of 4" in evidence
    assert "reach an R² of 0.27; the others end at an R² of 0.10" in evidence
    fitted = history(REGRESSION, accuracy=0.96)
    assert codes(diagnose(REGRESSION, fitted)).isdisjoint({"noisy-targets", "overfitting"})
    assert TARGET == 0.9


def test_a_regression_that_memorises_its_rows_overfits():
    memorised = history(REGRESSION, accuracy=0.95, val_score=np.full((10, 4), -0.4))
    (found,) = (f for f in diagnose(REGRESSION, memorised) if f.code == "overfitting")
    assert "Training R² ends at 0.95, held-out R² at 0.00" in found.evidence


def test_simple_models_estimate_what_can_be_explained():
    noise = np.random.default_rng(2).normal(size=(400, 1))
    x = np.random.default_rng(3).uniform(-1, 1, (400, 2))
    line, parabola = x[:, :1] - x[:, 1:], 3 * x[:, :1] * x[:, 1:]
    assert least_squares_r2(x, line) == pytest.approx(1)
    assert abs(least_squares_r2(x, parabola)) < 0.05
    assert best_simple_model(x, line, explained, 1).name == "a linear model"
    assert best_simple_model(x, parabola, explained, 1).score == pytest.approx(1, abs=1e-3)
    assert best_simple_model(x, noise, explained, 1).score < 0.05
    table = with_targets(x, parabola + noise)
    (found,) = (f for f in diagnose(table) if f.code == "noisy-targets")
    assert found.confidence == "likely"
    assert "a quadratic model does best, with an R² of 0.4" in found.evidence


def test_a_row_is_predicted_from_all_others_alone():
    """The closed form is what leaving out one row after the other gives."""
    rng = np.random.default_rng(0)
    for shape in ((30, 3), (12, 20)):
        z, y = rng.normal(size=shape), rng.normal(size=(shape[0], 2))
        predicted, rows = left_out_ridge(z - z.mean(axis=0), y), shape[0]
        z = z - z.mean(axis=0)
        fits = []
        for strength in (1e-3, 0.1, 10.0):
            terms = np.column_stack([np.ones(rows), z])
            penalty = strength * rows * np.diag([0.0] + [1.0] * shape[1])
            left = []
            for row in range(rows):
                others = np.arange(rows) != row
                a = terms[others]
                left.append(terms[row] @ np.linalg.solve(a.T @ a + penalty, a.T @ y[others]))
            fits.append(np.array(left))
        best = min(fits, key=lambda fit: np.square(y - fit).mean())
        np.testing.assert_allclose(predicted, best, rtol=1e-6)


def test_several_labels_are_decided_one_by_one():
    rare = diagnose(RARE, history(RARE, accuracy=0.5, same_weights=True))
    assert {"class-imbalance", "constant-prediction"} <= codes(rare)
    wrong = layers(Dense(2), experiment=MULTI_LABEL)
    assert fixes.fitting_output(wrong) is fixes.SIGMOID
    assert fixes.SIGMOID.apply(wrong).model.output == Dense(2, "sigmoid")
