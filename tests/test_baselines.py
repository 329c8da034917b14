"""What other models reach on the same rows, and what a diagnosis makes of it."""

from dataclasses import replace

import numpy as np
import pytest

from core import baselines
from core.baselines import Baselines, Estimate, cross_validated, sample
from core.diagnosis import Severity, diagnose, summary, verdict
from core.diagnosis.observations import Observations
from core.experiment import Blobs, Dense, Model
from support.diagnosis import (
    CONTINUOUS,
    HEALTHY,
    MULTI_LABEL,
    codes,
    curve,
    data,
    history,
    output,
    rows,
    table,
    with_rows,
)

RNG = np.random.default_rng(1)
X = RNG.normal(size=(400, 4)).round(3)
NOISE = RNG.normal(size=400)
"""A line through noise: no model is right in more than about 70% of the rows."""
WEAK = data(table(X.tolist(), (X[:, 0] + 1.2 * NOISE > 0).astype(int).tolist()), hold_out=0.25)
NOTHING = data(table(X.tolist(), (NOISE > 0).astype(int).tolist()), hold_out=0.25)


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    monkeypatch.setattr(baselines, "TREES", 15)


def serious(findings):
    return {f.code for f in findings if f.severity is not Severity.COSMETIC}


def test_models_are_judged_on_rows_that_they_have_not_seen():
    measured = cross_validated(sample(NOTHING))
    assert [model.name for model in measured.models] == [
        "a linear model",
        "nearest neighbours",
        "a random forest",
    ]
    # A forest knows its own rows by heart.
    assert all(abs(model.score - 0.5) < 0.12 for model in measured.models)
    assert all(model.error == pytest.approx(0.025, abs=0.001) for model in measured.models)
    assert measured.constant == pytest.approx(0.5, abs=0.05)
    assert measured.rows == 400


def test_each_task_has_its_score_and_what_no_model_fits_has_none():
    line = cross_validated(sample(curve(shape="line", noise=0.0)))
    assert line.best.score == pytest.approx(1, abs=0.01)
    assert line.constant == 0
    labels = cross_validated(sample(MULTI_LABEL))
    assert labels.task.name == "multi_label"
    assert labels.best.score > 0.85
    classes = cross_validated(sample(data(source=replace(HEALTHY.data.source, samples=90))))
    assert classes.best.score == 1
    one_class = with_rows(lambda x, y: (x, [0] * len(x)), values=(0,))
    few = table(*(part[:10] for part in rows()))
    for impossible in (one_class, few, CONTINUOUS):
        assert sample(impossible) is None
    lone = with_rows(lambda x, y: (x, [1] + [0] * (len(x) - 1)))
    assert cross_validated(sample(lone)) is None


def test_what_is_fitted_is_bounded_whatever_the_size_of_the_data():
    wide = RNG.normal(size=(2_000, 500)).astype(np.float32)
    labels = (wide[:, 0] > 0).astype(int)
    big = data(table(wide, labels.tolist()), hold_out=0.25)
    assert sample(big).x.size <= baselines.MOST_VALUES
    drawn = data(source=Blobs(((0, 1), (1, 2)), samples=20_000, features=2))
    assert len(sample(drawn).x) <= baselines.MOST_ROWS


@pytest.mark.parametrize("accuracy", [0.64, 0.7])
def test_a_noisy_table_at_its_best_is_neither_stuck_nor_slow(accuracy):
    trained = history(WEAK, accuracy=accuracy, loss=0.6)
    findings = diagnose(WEAK, trained)
    assert not serious(findings)
    assert "unexplained" not in codes(findings)
    (limit,) = (f for f in findings if f.code == "label-conflict")
    assert limit.title == "The target may be out of reach"
    assert "standard error" in limit.evidence
    said = verdict(findings, trained)
    assert "as good as" not in said
    assert said.endswith("Whether 90% can be reached on these data cannot be told without other "
                         "models.")  # fmt: skip
    assert any("cannot be told" in sentence for sentence in summary(findings, trained))


def test_as_good_as_these_data_get_is_said_only_of_what_was_compared():
    measured = cross_validated(sample(WEAK))
    trained = history(WEAK, accuracy=measured.best.score - measured.best.error, loss=0.6)
    findings = diagnose(WEAK, trained, baselines=measured)
    assert not serious(findings)
    for said in (
        verdict(findings, trained, baselines=measured),
        " ".join(summary(findings, trained, baselines=measured)),
    ):
        assert "his is as good as these data get, as far as 3 other models show" in said
        assert measured.best.name in said
    better = replace(measured, models=(Estimate("a random forest", 0.97, 0.01),))
    findings = diagnose(WEAK, trained, baselines=better)
    assert "unexplained" in serious(findings), "a forest finds what the network does not"
    assert "as good as" not in verdict(findings, trained, baselines=better)


def test_rows_that_may_be_memorised_are_not_as_good_as_these_data_get():
    measured = cross_validated(sample(WEAK))
    seen = data(WEAK, hold_out=0.0)
    trained = history(seen, accuracy=1.0, loss=0.01)
    findings = diagnose(seen, trained, baselines=measured)
    for said in (
        verdict(findings, trained, baselines=measured),
        " ".join(summary(findings, trained, baselines=measured)),
    ):
        assert "as good as" not in said
        assert "Their mean accuracy of 100% is on the rows that they are trained on" in said
        assert "only held-out rows can tell" in said
    held_out = replace(WEAK, data=replace(WEAK.data, hold_out=0.2))
    trained = history(held_out, accuracy=1.0, loss=0.01)
    assert "trained on" not in verdict(
        diagnose(held_out, trained, baselines=measured), trained, baselines=measured
    )


def test_a_network_that_says_the_same_of_every_row_is_not_at_its_best():
    stuck = history(WEAK, accuracy=0.51, same_weights=True)
    assert "constant-prediction" in serious(diagnose(WEAK, stuck))
    guessing = history(NOTHING, accuracy=0.53, same_weights=True)
    assert serious(diagnose(NOTHING, guessing))


def test_where_no_model_is_better_than_a_constant_that_is_said():
    wavy = replace(NOTHING, model=Model((Dense(64, "tanh"), Dense(1, "sigmoid"))))
    findings = diagnose(wavy, history(wavy, accuracy=0.52, loss=0.69))
    (limit,) = (f for f in findings if f.code == "label-conflict")
    assert limit.title == "What is possible cannot be told"
    assert not serious(findings)
    worse = diagnose(wavy, history(wavy, accuracy=0.4, loss=0.69))
    assert serious(worse) == {"unexplained"}, "a constant answer does better"


def test_a_fault_is_still_found_on_noisy_rows():
    faulty = output(WEAK, activation="relu")
    assert "output-not-probability" in serious(diagnose(faulty, history(faulty, accuracy=0.5)))
    best = Baselines("binary", 400, 0.5, (Estimate("a random forest", 0.95, 0.01),))
    assert Observations(WEAK, None, 0.9, best).goal.score > 0.85


def test_what_the_best_runs_reach_on_held_out_rows_is_possible():
    """Where some runs do far better than simple models, the others are not at their best."""
    accuracy = np.array([0.97, 0.97, 0.64, 0.64])
    two = replace(WEAK, model=Model((Dense(16, "relu"), Dense(1, "sigmoid"))))
    findings = diagnose(two, history(two, accuracy=accuracy, loss=0.6))
    assert "depends-on-the-seed" in serious(findings)
