"""What is not wrong is not called wrong, and success that means nothing not success."""

import numpy as np
import pytest

from core import fixes
from core.diagnosis import Severity, diagnose, summary, verdict
from core.experiment import SGD, Adam, BatchNormalisation, Dense
from core.initialisers import RandomNormal
from support.diagnosis import (
    HEALTHY,
    MANY,
    SPARSE,
    codes,
    hidden,
    history,
    layers,
    output,
    table,
    training,
    with_rows,
)

ONE_CLASS = with_rows(lambda x, y: (x, [0] * len(x)), values=(0,))


def serious(findings):
    return {f.code for f in findings if f.severity is not Severity.COSMETIC}


def test_one_run_of_sixteen_that_falls_short_is_no_fault():
    accuracy = np.array([1.0] * 15 + [0.8])
    nearly = history(HEALTHY, accuracy=accuracy, loss=0.3, runs=16)
    findings = diagnose(HEALTHY, nearly)
    assert not serious(findings)
    assert "unexplained" not in codes(findings)
    said = "15 of 16 runs (72 to 99%) succeed; the other ends at an accuracy of 80%"
    assert verdict(findings, nearly) == f"Nothing wrong found: {said}."
    assert summary(findings, nearly)[0].startswith(said)
    # What it shows alone is no note either, though it still improves.
    assert codes(findings).isdisjoint({"too-few-updates", "depends-on-the-seed"})
    assert not any("Too few updates" in sentence for sentence in summary(findings, nearly))
    more = history(HEALTHY, accuracy=np.append(accuracy, 0.8), loss=0.3, runs=17)
    assert serious(diagnose(HEALTHY, more)), "two of 17 are worth a word"


def test_a_run_whose_loss_is_lost_is_told_however_many_succeed():
    loss = np.full((10, 16), 0.3)
    loss[5:, 3] = np.nan
    accuracy = np.where(np.isnan(loss), 0.5, 1.0)
    findings = diagnose(HEALTHY, history(HEALTHY, accuracy=accuracy, loss=loss, runs=16))
    assert "non-finite-loss" in serious(findings)


def test_what_is_no_better_than_a_constant_answer_has_memorised_nothing():
    held_out = np.full((10, 4), 0.3, np.float32)
    for reached, overfits in ((0.55, False), (0.95, True)):
        trained = history(HEALTHY, accuracy=reached, val_score=held_out, final_score=held_out[-1])
        assert ("overfitting" in codes(diagnose(HEALTHY, trained))) == overfits


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_nothing_can_be_learnt_from_one_class_whatever_the_runs_score(accuracy):
    trained = history(ONE_CLASS, accuracy=accuracy)
    findings = diagnose(ONE_CLASS, trained)
    assert findings[0].code == "one-class-only"
    assert findings[0].severity is Severity.FATAL
    assert "constant-prediction" not in codes(findings)
    assert verdict(findings, trained).startswith("Nothing can be learnt, because all rows")
    assert "all rows have the same label" in summary(findings, trained)[1]


def norms(last):
    """The gradient norm (epochs, layers, runs) that grows a thousandfold to its last value."""
    return np.geomspace(last / 1e3, last, 10, dtype=np.float32)[:, None, None] * np.ones((10, 3, 4))


@pytest.mark.parametrize(
    ("figures", "explodes"),
    [
        # Leaving a plateau, the gradient grows while the loss falls.
        ({"gradient_norm": norms(10), "loss": np.linspace(0.69, 0.4, 10)[:, None]}, False),
        # Rounding, under a loss that is constant.
        ({"gradient_norm": norms(1e-7), "loss": 0.69}, False),
        ({"gradient_norm": norms(1e-2), "loss": 0.69}, False),
        ({"gradient_norm": norms(10), "loss": np.geomspace(0.7, 70, 10)[:, None]}, True),
        ({"gradient_norm": np.where(norms(1) > 0.5, np.inf, norms(1)),
          "loss": np.where(np.arange(10) < 9, 0.7, np.nan)[:, None]}, True),
    ],
)  # fmt: skip
def test_a_gradient_explodes_only_where_the_loss_rises(figures, explodes):
    findings = diagnose(HEALTHY, history(HEALTHY, **figures))
    assert ("exploding-gradient" in codes(findings)) == explodes


def test_weights_that_grow_while_the_loss_stays_explode_as_well():
    trained = history(HEALTHY, gradient_norm=norms(10))
    assert "exploding-gradient" not in codes(diagnose(HEALTHY, trained))
    for array in trained.weights:
        array[-1] *= 100
    (found,) = (f for f in diagnose(HEALTHY, trained) if f.code == "exploding-gradient")
    assert "100 times their initial norm (median of 4 of 4 runs)" in found.evidence


def test_runs_that_still_improve_are_slow_and_not_stuck_for_an_unknown_reason():
    rising = np.linspace(0.5, 0.7, 30)[:, None]
    trained = history(HEALTHY, accuracy=rising, loss=1.2 - rising, epochs=30)
    findings = diagnose(HEALTHY, trained)
    assert findings[0].code == "too-few-updates"
    assert findings[0].severity is Severity.SLOW
    assert "unexplained" not in codes(findings)
    assert verdict(findings, trained).startswith("Slow rather than stuck, because 30 epochs")


def test_what_is_unusual_is_named_and_told_from_what_does_harm():
    tiny = training(batch_size=2)
    (open_,) = (f for f in diagnose(tiny) if f.code == "unusual-batch-size")
    assert open_.is_open
    stuck = history(tiny, accuracy=0.7, loss=0.6)
    found = {f.code: f for f in diagnose(tiny, stuck)}
    assert found["unexplained"].evidence.endswith("It may be: very small batches.")
    assert fixes.batch(fixes.DEFAULT_BATCH).key in {fix.key for fix in found["unexplained"].fixes}
    assert found["unusual-batch-size"].is_open
    good = history(tiny, accuracy=1.0)
    (harmless,) = (f for f in diagnose(tiny, good) if f.code == "unusual-batch-size")
    assert not harmless.is_open
    assert harmless.evidence.endswith("All 4 runs succeed all the same.")
    faulty = output(tiny, activation="relu")
    found = {f.code: f for f in diagnose(faulty, history(faulty, accuracy=0.5))}
    assert found["unusual-batch-size"].severity is Severity.COSMETIC
    assert not found["unusual-batch-size"].is_open


def test_deep_networks_with_small_initial_weights_are_explained():
    deep = hidden(initialiser=RandomNormal(stddev=0.01), count=6, experiment=training(epochs=10))
    (small,) = (f for f in diagnose(deep) if f.code == "initial-scale")
    assert small.severity is Severity.SLOW
    assert "the rows differ" in small.evidence
    assert small.fixes[0] == fixes.KEEP_VARIANCE
    findings = diagnose(deep, history(deep, accuracy=0.5, epochs=10))
    assert "unexplained" not in codes(findings)
    assert "initial-scale" in serious(findings)


def test_a_hundred_classes_that_are_being_learnt_are_slow():
    centres = np.random.default_rng(0).normal(size=(120, 10))
    inputs = np.repeat(centres, 5, axis=0).round(3)
    labels = np.repeat(np.arange(120), 5)
    wide = training(output(SPARSE, units=120), optimizer=Adam(0.001), epochs=5)
    many = table(inputs.tolist(), labels.tolist(), experiment=wide)
    rising = np.linspace(0.01, 0.3, 5)[:, None]
    trained = history(many, accuracy=rising, loss=4.8 - 4 * rising, epochs=5)
    findings = diagnose(many, trained)
    assert "unexplained" not in codes(findings)
    assert findings[0].severity is Severity.SLOW
    assert "too-few-updates" in serious(findings)


def test_a_loss_that_rises_does_not_rise_because_a_class_is_rare():
    rare = with_rows(lambda x, y: (x, [int(n % 10 == 0) for n in range(len(x))]))
    for last, harmless in ((70.0, True), (0.4, False)):
        loss = np.geomspace(0.69, last, 10)[:, None]
        trained = history(rare, accuracy=0.9, loss=loss, same_weights=True)
        (found,) = (f for f in diagnose(rare, trained) if f.code == "class-imbalance")
        assert (found.severity is Severity.COSMETIC) == harmless


@pytest.mark.parametrize(
    "experiment",
    [
        training(optimizer=SGD(0.001, 1.0)),
        training(
            layers(Dense(8, "relu"), BatchNormalisation(), Dense(1, "sigmoid")),
            batch_size=1,
            optimizer=Adam(1e-5),
        ),
    ],
)
def test_where_no_update_leads_anywhere_more_of_them_are_no_remedy(experiment):
    for trained in (None, history(experiment)):
        found = codes(diagnose(experiment, trained))
        assert found.isdisjoint({"too-few-updates", "learning-rate-too-low"})


def test_what_five_sigmoid_layers_do_not_pass_on_is_a_vanishing_gradient():
    deep = hidden(activation="sigmoid", count=5)
    for trained in (None, history(deep)):
        (found,) = (f for f in diagnose(deep, trained) if f.code == "vanishing-gradient")
        assert "times as much in layer 5 as in the inputs" in found.evidence
    assert "vanishing-gradient" not in codes(diagnose(hidden(activation="sigmoid", count=2)))


def test_outputs_that_are_not_numbers_are_not_saturated():
    bounded = hidden(activation="tanh")
    loss = np.where(np.arange(10) < 5, 0.7, np.nan)[:, None]
    for lost, said in ((loss, False), (0.7, True)):
        figures = {"loss": lost, "saturated": np.ones((10, 3, 4), np.float32)}
        found = codes(diagnose(bounded, history(bounded, **figures)))
        assert ("saturated-units" in found) == said


def test_weights_that_end_small_under_a_decay_are_taken_by_it():
    decayed = training(optimizer=Adam(0.01, weight_decay=3.0))
    trained = history(decayed, accuracy=0.85, loss=0.5)
    assert "weight-decay-too-strong" not in codes(diagnose(decayed, trained))
    for array in trained.weights:
        array[-1] *= 0.2
    (found,) = (f for f in diagnose(decayed, trained) if f.code == "weight-decay-too-strong")
    assert "end at 0.20 times their initial norm" in found.evidence
    assert "too-few-updates" not in codes(diagnose(decayed, trained))


def test_a_loss_that_clips_the_output_says_nothing_of_the_rate():
    descent = training(MANY, optimizer=SGD(0.1, 0.9))
    linear = output(descent, activation="linear")
    for experiment, said in ((linear, False), (training(optimizer=SGD(300.0)), True)):
        figures = {"update_ratio": np.full((10, len(experiment.model.dense), 4), 0.5, np.float32)}
        found = codes(diagnose(experiment, history(experiment, **figures)))
        assert ("learning-rate-too-high" in found) == said
