"""What is named as the cause where several findings fit, and which step comes first."""

from dataclasses import replace

import numpy as np
import pytest

from core import fixes
from core.callbacks import EarlyStopping
from core.diagnosis import Severity, diagnose, search, summary, verdict
from core.experiment import SGD, Adam, Dense
from core.initialisers import RandomNormal
from core.layers import ActivityRegularisation
from core.optimizers import Adadelta, Adagrad
from core.regularisers import L1, L2
from core.schedules import ExponentialDecay
from support.diagnosis import (
    HEALTHY,
    NESTED,
    codes,
    data,
    hidden,
    history,
    layers,
    output,
    table,
    training,
    with_targets,
)

RNG = np.random.default_rng(0)
WIDE = RNG.normal(size=(300, 100)).round(3)


def serious(findings):
    return {f.code for f in findings if f.severity is not Severity.COSMETIC}


def finding(code, findings):
    (found,) = (each for each in findings if each.code == code)
    return found


@pytest.mark.parametrize("size", [1e-4, 1.0])
def test_initial_weights_that_stop_all_runs_are_fatal_and_come_first(size):
    drawn = RandomNormal(stddev=size)
    plain = training(standardised(), optimizer=SGD(0.01))
    experiment = hidden(64, "tanh", 4, drawn, experiment=plain)
    findings = diagnose(experiment, history(experiment, loss=0.7))
    found = finding("initial-scale", findings)
    assert found.severity is Severity.FATAL
    told = summary(findings, history(experiment, loss=0.7))
    assert f"that the initial weights are too {'small' if size < 1 else 'large'}" in told[1]
    assert told[-1].startswith("Try “He and Glorot initialisation” first")
    if size == 1:
        assert "of layer 3's tanh outputs lie within 1% of a bound" in found.evidence
        assert told[2].startswith("As a result, hidden units are saturated")


def test_huge_initial_weights_are_a_cause_where_runs_fail():
    wide = hidden(16, initialiser=RandomNormal(stddev=5.0))

    def severity(accuracy):
        return finding("initial-scale", diagnose(wide, history(wide, accuracy=accuracy))).severity

    assert severity(0.7) is not Severity.COSMETIC
    assert severity(1.0) is Severity.COSMETIC


def standardised():
    """Rows that are standardised before they are read."""
    inputs = RNG.normal(size=(400, 40))
    inputs = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    return table(inputs.round(4).tolist(), (inputs[:, 0] > 0).astype(int).tolist())


def test_what_is_standardised_already_is_not_to_be_standardised():
    for rows, suggested in ((standardised(), False), (data(scaling="divide", divisor=0.2), True)):
        experiment = hidden(activation="sigmoid", count=5, experiment=rows)
        findings = diagnose(experiment, history(experiment))
        assert serious(findings)
        assert any(fixes.STANDARDISE in each.fixes for each in findings) == suggested


@pytest.mark.parametrize(
    "some",
    [
        [replace(each, kernel_regulariser=L2(1.0)) for each in NESTED.model.layers],
        [replace(each, kernel_regulariser=L1(0.5)) for each in NESTED.model.layers],
        [replace(each, activity_regulariser=L2(10.0)) for each in NESTED.model.layers],
        [Dense(16, "relu"), ActivityRegularisation(l2=10.0), Dense(1, "sigmoid")],
    ],
    ids=["L2", "L1", "outputs", "layer"],
)
def test_regularisers_that_keep_the_network_from_learning(some):
    experiment = layers(*some, experiment=NESTED)
    found = finding("penalty-too-strong", diagnose(experiment))
    assert found.severity is Severity.FRAGILE
    assert "Before training the penalties add" in found.evidence
    assert "simulated runs reach an accuracy of 89.9% without them" in found.evidence
    (fix,) = found.fixes
    assert not any(
        isinstance(each, ActivityRegularisation) or getattr(each, "kernel_regulariser", None)
        for each in fix.apply(experiment).model.layers
    )
    assert "penalty-too-strong" not in codes(diagnose(fix.apply(experiment)))
    # More updates do not help where the penalty has taken the weights.
    trained = history(experiment, accuracy=0.5, loss=np.linspace(9, 0.7, 30)[:, None], epochs=30)
    for array in trained.weights:
        array[-1] *= 0.01
    after = diagnose(experiment, trained)
    assert finding("penalty-too-strong", after).severity is Severity.FATAL
    assert "end at 0.01 times their initial norm" in finding("penalty-too-strong", after).evidence
    assert "too-few-updates" not in codes(after)
    assert "penalty-too-strong" not in serious(diagnose(experiment, history(experiment, 1.0)))


@pytest.mark.parametrize(("optimizer", "former"), [(Adadelta(), 1.0), (Adagrad(), 0.01)])
def test_a_default_that_was_lowered_is_a_learning_rate_that_is_too_low(optimizer, former):
    experiment = training(optimizer=optimizer, epochs=5)
    found = finding("learning-rate-too-low", diagnose(experiment))
    assert f"before TensorFlow 2 it was {former:g}" in found.evidence
    assert f"learning-rate-{former:g}" in {fix.key for fix in found.fixes}
    fast = training(optimizer=replace(optimizer, learning_rate=former))
    assert codes(diagnose(fast)).isdisjoint({"learning-rate-too-low", "unusual-learning-rate"})


def test_penalties_and_decays_that_do_no_harm_are_named():
    strong = [replace(each, kernel_regulariser=L1(0.01)) for each in HEALTHY.model.layers]
    early = Adam(0.01, schedule=ExponentialDecay(20, 0.7))
    for code, experiment in (
        ("penalty-too-strong", layers(*strong)),
        ("rate-decays-too-early", training(optimizer=early)),
    ):
        for trained in (None, history(experiment, 1.0)):
            found = finding(code, diagnose(experiment, trained))
            assert found.severity is Severity.COSMETIC
            assert found.is_open == (trained is None)


def test_gradient_descent_at_its_default_may_be_too_slow_for_its_gradient():
    slow = training(NESTED, optimizer=SGD(0.01), epochs=10)
    found = finding("learning-rate-too-low", diagnose(slow))
    assert "At a learning rate of 0.1, the first 20 updates take the loss from" in found.evidence
    assert [fix.key for fix in found.fixes] == ["learning-rate-0.1"]
    told = summary(diagnose(slow))
    assert told[-1].startswith("Try “Learning rate 0.1” first")
    for other in (
        training(NESTED, optimizer=Adam(0.001), epochs=2),
        training(NESTED, optimizer=SGD(0.1), epochs=1),
        training(NESTED, optimizer=SGD(0.01), epochs=10, batch_size=320),
        training(NESTED, optimizer=SGD(0.01), epochs=300),
    ):
        assert "learning-rate-too-low" not in codes(diagnose(other))


def test_what_was_stopped_has_not_exploded():
    experiment = training(callbacks=(EarlyStopping("loss"),))
    loss = np.linspace(0.7, 0.5, 10, dtype=np.float32)[:, None] * np.ones((1, 4), np.float32)
    gone = np.arange(10)[:, None] >= 4
    stopped = history(
        experiment,
        loss=np.where(gone, np.nan, loss),
        gradient_norm=np.where(gone[:, None], np.nan, np.ones((10, 3, 4), np.float32)),
        last_epochs=np.full(4, 4),
        final_loss=loss[3],
    )
    findings = diagnose(experiment, stopped)
    assert serious(findings)
    assert codes(findings).isdisjoint({"exploding-gradient", "non-finite-loss"})


def test_a_stopped_run_is_judged_by_its_last_epoch():
    dead = np.where(np.arange(10)[:, None, None] >= 4, np.nan, np.full((10, 3, 4), 0.25))
    stopped = {"dead": dead.astype(np.float32), "last_epochs": np.full(4, 4)}
    for experiment in (HEALTHY, output(activation="relu")):
        experiment = training(experiment, callbacks=(EarlyStopping("loss"),))
        trained = history(experiment, 1.0, final_epochs=np.full(4, 4), **stopped)
        for found in diagnose(experiment, trained):
            assert "nan" not in found.evidence
    found = finding("dead-units", diagnose(experiment, trained))
    assert "25% of the hidden ReLU units are dead" in found.evidence


def test_a_high_rate_that_loses_the_loss_later_is_named_all_the_same():
    experiment = training(optimizer=SGD(0.5, momentum=0.99))
    loss = np.where(np.arange(10) < 4, np.geomspace(0.7, 1e4, 10), np.nan)[:, None]
    lost = history(experiment, loss=loss)
    found = finding("learning-rate-too-high", diagnose(experiment, lost))
    assert found.severity is Severity.FATAL
    assert "infinite or NaN in 4 of 4 runs" in found.evidence
    assert "because a learning rate of 0.5 is too high" in verdict(diagnose(experiment, lost), lost)


def held_out(accuracy, shown, experiment=HEALTHY, loss=None):
    """Runs that end at an accuracy on rows held out, and at another on the training rows."""
    falling = np.linspace(0.7, 0.02, 10)[:, None] if loss is None else loss
    score = np.full((10, 4), accuracy, np.float32)
    return history(experiment, accuracy=shown, loss=falling, val_score=score, final_score=score[-1])


def test_more_updates_do_not_mend_what_the_training_rows_show_already():
    fits = held_out(0.6, 1.0)
    findings = diagnose(HEALTHY, fits)
    assert "overfitting" in serious(findings)
    # Their accuracy has nothing left to gain.
    assert codes(findings).isdisjoint({"too-few-updates", "accuracy-frozen"})
    assert "accuracy-frozen" in codes(diagnose(HEALTHY, held_out(0.6, 0.6)))


def test_runs_that_come_as_close_as_the_held_out_rows_can_tell_are_no_fault():
    # 80 rows are held out: an accuracy of 0.9 has a standard error of 0.034.
    close = held_out(0.88, 0.99)
    findings = diagnose(HEALTHY, close)
    assert not serious(findings)
    assert verdict(findings, close).endswith(
        "On 80 held-out rows an accuracy of 90% is known to within 6.7 percentage points (95% "
        "confidence), so these runs may be as good as that."
    )
    assert summary(findings, close)[0].startswith("0 of 4 runs (0 to 49%) succeed")
    assert any("On 80 held-out rows" in sentence for sentence in summary(findings, close))
    assert serious(diagnose(HEALTHY, held_out(0.84, 0.99))), "further off than by chance"
    assert serious(diagnose(HEALTHY, held_out(0.88, 0.88))), "the training rows are not learnt"


def test_where_nothing_can_be_learnt_a_held_out_accuracy_below_chance_is_chance():
    inputs, coin = RNG.normal(size=(400, 4)).round(3), RNG.integers(0, 2, 400)
    nothing = hidden(activation="tanh", experiment=table(inputs.tolist(), coin.tolist()))
    nothing = data(nothing, hold_out=0.25)
    assert not serious(diagnose(nothing, held_out(0.46, 0.6, nothing)))
    assert serious(diagnose(nothing, held_out(0.2, 0.6, nothing)))


def test_a_network_too_big_to_look_ahead_may_lose_its_loss():
    wide = (Dense(400, "relu"), Dense(400, "relu"), Dense(1))
    for start, cause in (("glorot_uniform", "learning-rate"), (RandomNormal(stddev=1.0), "init")):
        some = [replace(layer, initialiser=start) for layer in wide]
        experiment = with_targets(WIDE, WIDE[:, 0], *some)
        experiment = training(experiment, optimizer=SGD(0.01))
        lost = np.full((10, 4), np.nan, np.float32)
        findings = diagnose(experiment, history(experiment, accuracy=lost, loss=lost))
        assert "Before training the largest kernel gradient" in (
            finding("learning-rate-too-high", findings).evidence
        )
        because = "the initial weights" if cause == "init" else "a learning rate of 0.01"
        assert because in verdict(findings, history(experiment, accuracy=lost, loss=lost))


def test_targets_are_not_the_cause_where_the_inputs_make_the_outputs_larger_than_they_are():
    years = np.arange(1900, 2020, 0.5)
    experiment = with_targets(years[:, None], 14 + 0.4 * np.sin(years / 5))
    trained = history(experiment, accuracy=-3.0)
    told = summary(diagnose(experiment, trained), trained)
    assert told[1].startswith("The main cause is probably that the inputs are not scaled")
    assert told[-1].startswith("Try “Standardise inputs” first")


def test_of_equally_severe_causes_the_one_behind_is_told_first():
    slow = training(optimizer=Adam(0.001), batch_size=1000, epochs=8)
    rising = np.linspace(0.5, 0.8, 8)[:, None]
    trained = history(slow, accuracy=rising, loss=1 - rising, epochs=8)
    findings = diagnose(slow, trained)
    assert {"too-few-updates", "batch-too-large"} <= serious(findings)
    assert "because batches of 320 leave too few updates" in verdict(findings, trained)
    told = summary(findings, trained)
    assert told[2].startswith("As a result, 8 epochs are too few: 8 epochs of 1 update make 8;")
    assert told[-1].startswith("Try “Batch size 32” first")
    assert search.suggested(findings, None)[0][0].key == "batch-size-32"
