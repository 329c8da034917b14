"""What the diagnosis says of the arguments of `compile` and `fit`."""

from dataclasses import replace

import numpy as np
import pytest

from core import fixes
from core.diagnosis import Severity, diagnose, verdict
from core.diagnosis.observations import Observations
from core.experiment import BatchNormalisation, Dense, Table
from core.fixes import loss_fixes
from support.diagnosis import (
    HEALTHY,
    MANY,
    REGRESSION,
    codes,
    curve,
    data,
    history,
    layers,
    output,
    rows,
    table,
    training,
    with_targets,
)
from support.option_faults import BY_CLASS, FAULTS, LABELS, LAST, LOGITS, RARE, ROWS, SORTED, SUMMED


@pytest.mark.parametrize("code", FAULTS)
def test_arguments_show_their_faults(code):
    faulty, sound = FAULTS[code]
    (found,) = (finding for finding in diagnose(faulty) if finding.code == code)
    assert code not in codes(diagnose(sound))
    for fix in found.fixes:
        assert code not in codes(diagnose(fix.apply(faulty)))


def test_averages_that_no_update_moves_never_settle():
    still = layers(Dense(4, "relu"), BatchNormalisation(momentum=1.0), Dense(1, "sigmoid"))
    (found,) = (f for f in diagnose(still) if f.code == "batch-norm-unsettled")
    assert found.fixes == (fixes.NO_NORMALISATION,)
    assert "without batch normalisation" in found.settle


@pytest.mark.parametrize("label", [0, 1])
def test_one_column_of_labels_of_one_value_can_be_diagnosed(label):
    same = data(source=Table(rows()[0], np.full((100, 1), label)), hold_out=0.0)
    assert Observations(same, None, 0.9).goal.printable == 1
    assert "one-class-only" in codes(diagnose(same))


def test_any_distance_is_named_where_the_labels_are_classes():
    (found,) = (f for f in diagnose(training(loss="huber")) if f.code == "squared-error")
    assert found.title == "Huber for classification"
    assert "The loss is huber on a sigmoid output." in found.evidence


def test_logits_are_no_fault_and_a_remedy():
    assert codes(diagnose(LOGITS)).isdisjoint({"output-not-probability", "squared-error"})
    for linear in (output(HEALTHY, activation="linear"), output(MANY, activation="linear")):
        (found,) = (f for f in diagnose(linear) if f.code == "output-not-probability")
        assert loss_fixes.LOGITS in found.fixes
        assert "output-not-probability" not in codes(diagnose(loss_fixes.LOGITS.apply(linear)))
    # Keras takes the sums before a sigmoid as logits, whether it is asked to or not.
    (found,) = (f for f in diagnose(training(from_logits=True)) if f.code.startswith("logits"))
    assert found.severity is Severity.COSMETIC
    assert found.confidence == "certain"
    assert not fixes.SIGMOID.apply(LOGITS).training.from_logits


def test_the_last_rows_are_compared_with_the_others():
    (found,) = (f for f in diagnose(BY_CLASS) if f.code == "validation-of-last-rows")
    assert "of the training rows and 100% of those held out" in found.evidence
    assert "the last 40 of 200 rows" in found.evidence
    curve_of_time = with_targets(SORTED, SORTED[:, 0], Dense(8, "relu"), Dense(1), **LAST)
    (found,) = (f for f in diagnose(curve_of_time) if f.code == "validation-of-last-rows")
    assert "The targets of the training rows range from -" in found.evidence
    shuffled = loss_fixes.SHUFFLE_FIRST.apply(BY_CLASS)
    assert codes(diagnose(shuffled)).isdisjoint({"validation-of-last-rows"})


def test_held_out_rows_that_are_unlike_the_others_are_no_overfitting():
    labels = [0] * 80 + [1] * 20
    split = table(rows()[0], labels)
    split = data(split, hold_out=0.2, held_out="last")
    for shuffling, said in (("none", "validation-of-last-rows"), ("permutation", "overfitting")):
        experiment = data(split, shuffling=shuffling)
        trained = history(experiment, accuracy=1.0, val_score=np.full((10, 4), 0.1, np.float32))
        trained = replace(trained, final_score=np.full(4, 0.1, np.float32))
        found = codes(diagnose(experiment, trained))
        assert found & {"validation-of-last-rows", "overfitting"} == {said}


def test_a_run_that_always_predicts_the_common_class_does_not_pass():
    same = history(RARE, accuracy=0.95, same_weights=True)
    found = {finding.code: finding for finding in diagnose(RARE, same)}
    assert found["class-imbalance"].severity is not Severity.COSMETIC
    evidence = found["class-imbalance"].evidence
    assert "balanced accuracy, the mean over the classes, is 50%" in evidence
    (weights,) = found["class-imbalance"].fixes
    assert weights.apply(RARE).training.class_weight == (0.526, 10.0)
    assert "0 of 4" not in verdict(tuple(found.values()), same)
    assert {"constant-prediction"} <= set(found)
    assert verdict(diagnose(RARE, same), same).startswith("Stuck")
    apart = layers(Dense(1, "sigmoid"), experiment=RARE)
    learnt = history(apart, accuracy=0.97)
    # Weights that tell the two apart, along the column that decides.
    learnt.weights[0][-1, :, 0] = np.array([[9.0], [0.0]])
    learnt.weights[1][-1] = -12.0
    assert "tell the classes apart" in verdict(diagnose(apart, learnt), learnt)
    assert diagnose(apart, learnt)[0].severity is Severity.COSMETIC


def test_accuracy_of_a_regression_is_answered_with_r2_and_the_error_in_its_unit():
    asked = training(data(curve(scale=10.0), target_scaling="standardise"), metrics=("accuracy",))
    fitted = diagnose(asked, history(asked, accuracy=0.96))
    (found,) = (f for f in fitted if f.code == "accuracy-of-regression")
    assert "an R² of 0.96" in found.evidence
    assert "off by" in found.evidence
    assert codes(diagnose(REGRESSION)).isdisjoint({"accuracy-of-regression", "metric-unfit"})


def test_labels_outside_a_loss_with_signs():
    odd = training(data(label_values=(1, 2), encoding="as-is"), loss="hinge")
    assert "labels-outside-loss" in codes(diagnose(odd))
    signs = training(
        output(data(label_values=(-1, 1), encoding="as-is"), activation="tanh"), loss="hinge"
    )
    assert "labels-outside-loss" not in codes(diagnose(signs))


def test_several_labels_under_softmax_cannot_all_be_right():
    (found,) = (f for f in diagnose(SUMMED) if f.code == "multi-label-softmax")
    assert found.severity is Severity.FATAL
    assert fixes.SIGMOID.apply(SUMMED).training.loss == "binary_crossentropy"
    one_each = replace(
        SUMMED, data=data(SUMMED, source=Table(ROWS, np.eye(2, dtype=int)[LABELS])).data
    )
    (found,) = (f for f in diagnose(one_each) if f.code == "multi-label-softmax")
    assert found.severity is Severity.COSMETIC
