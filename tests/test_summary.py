"""The findings in a few sentences: what happens, because of what, and what to do first."""

import re
from dataclasses import replace

import numpy as np
import pytest

from core.data import baseline
from core.diagnosis import diagnose, summary
from core.diagnosis.findings import CERTAIN, FATAL, FRAGILE, LIKELY, SLOW, Finding
from core.diagnosis.observations import Observations
from core.diagnosis.trials import Repair, Trial
from core.experiment import Adam, Blobs
from core.fixes import SIGMOID, STANDARDISE
from core.problems import PROBLEMS
from core.rates import Rate, percent
from support.diagnosis import HEALTHY, REGRESSION, data, hidden, history, output, table, training
from support.sentences import whole
from test_rules import COURSES, OF

STUCK = history(HEALTHY, accuracy=np.array([0.5, 0.5, 0.6, 1.0]))


def found(code, severity=FATAL, because=None, confidence=CERTAIN, fixes=(STANDARDISE,)):
    settle = None if confidence == CERTAIN else "Train again."
    return Finding(
        severity, code, f"{code} is measured: 7.", "One. Two.", fixes, confidence, settle,
        because=because or f"{code} holds", code=code,
    )  # fmt: skip


@pytest.mark.parametrize("code", COURSES)
def test_every_course_of_a_training_is_told(code):
    experiment = OF.get(code, HEALTHY)
    trained = history(experiment, **COURSES[code][0])
    findings = diagnose(experiment, trained)
    told = summary(findings, trained)
    whole(told, findings)
    assert told[0].startswith(str(Rate.of(trained.successes(0.9)))) or "R²" in told[0]


@pytest.mark.parametrize(
    ("main", "other", "joined"),
    [
        ("dead-units", "one-signed-inputs", "That in turn is because"),
        ("dead-units", "learning-rate-too-high", "That in turn is because"),
        ("bottleneck", "dead-units", "As a result,"),
        ("inputs-unscaled", "saturated-units", "As a result,"),
        ("learning-rate-too-low", "too-few-updates", "As a result,"),
        ("too-few-updates", "batch-too-large", "That in turn is because"),
        ("too-few-updates", "batch-norm-unsettled", "As a result,"),
        ("saturated-units", "vanishing-gradient", "As a result,"),
        ("target-unscaled", "learning-rate-too-high", "As a result,"),
        ("output-not-probability", "inputs-unscaled", "Apart from that,"),
        ("labels-outside-loss", "learning-rate-too-high", "Apart from that,"),
        ("output-not-probability", "constant-prediction", "It shows in the runs:"),
        ("learning-rate-too-high", "oscillation", "It shows in the runs:"),
        ("learning-rate-too-high", "non-finite-loss", "It shows in the runs:"),
    ],
)
def test_two_findings_are_connected(main, other, joined):
    pair = (found(main), found(other, FRAGILE))
    for trained in (None, STUCK):
        told = summary(pair, trained)
        whole(told, pair)
        assert told[1] == f"The main cause is that {main} holds: {main} is measured: 7."
        assert told[2].startswith(joined)
        assert f"{other} is measured: 7" in told[2]


def test_what_happens_is_told_in_the_figures_of_the_runs():
    told = summary((found("bottleneck", FRAGILE),), STUCK)
    assert told[0] == (
        "1 of 4 runs (5 to 70%) succeed; the others end at an accuracy of 50% to 60%, where "
        "always predicting the most frequent class of the held-out rows has 55%."
    )
    near = history(HEALTHY, accuracy=0.8998)
    assert "they end at an accuracy of 89.9%" in summary(diagnose(HEALTHY, near), near)[0]
    lone = history(HEALTHY, accuracy=np.array([0.8, 1.0]), runs=2)
    told = summary(diagnose(HEALTHY, lone), lone)
    assert told[0].startswith("1 of 2 runs (9 to 91%) succeed; the other ends at")
    poor = history(REGRESSION, accuracy=-2.0)
    told = summary(diagnose(REGRESSION, poor), poor)
    assert "at an R² of -2.00, where always predicting the mean of the targets of the" in told[0]


@pytest.mark.parametrize(
    "experiment",
    [
        PROBLEMS["threshold"].experiment,  # of its many rows the diagnosis looks at some
        data(
            table([(n % 7, n % 3) for n in range(205)], [int(n % 20 == 0) for n in range(205)]),
            hold_out=0.2,  # and the accuracy is of these
        ),
    ],
)
def test_the_constant_answer_has_the_accuracy_that_charts_draw(experiment):
    stuck = history(experiment, same_weights=True)
    shown = percent(baseline(experiment, stuck.seed, 0))
    assert shown != percent(Observations(experiment, stuck, 0.9).rows.baseline(experiment.task))
    findings = diagnose(experiment, stuck, 0.99)
    stated = {finding.code: finding.evidence for finding in findings}
    assert f"({shown} for the majority class)" in stated["constant-prediction"]
    assert f"right in {shown}." in stated.get("class-imbalance", f"right in {shown}.")
    assert re.search(
        rf"the most frequent class( of the held-out rows)? has {shown}\.",
        summary(findings, stuck, 0.99)[0],
    )


def test_before_training_it_is_said_how_sure_it_is():
    sure = summary((found("bottleneck"),))
    assert sure[0] == (
        "Before any training, the 1 finding does harm: the network cannot learn as it is."
    )
    doubtful = summary((found("bottleneck", SLOW, confidence=LIKELY), found("dead-units", SLOW)))
    assert doubtful[0].endswith("2 of 2 findings do harm: probably the runs are too slow to get "
                                "there in time.")  # fmt: skip
    assert doubtful[1].startswith("The main cause is probably that bottleneck holds")


def test_the_first_step_has_its_verified_rate():
    findings = (found("output-not-probability", fixes=(SIGMOID, STANDARDISE)),)
    assert summary(findings, STUCK)[-1] == (
        "Try “Sigmoid output” first, of 2 suggested fixes; none is tested yet."
    )
    trial = Trial(
        ("sigmoid-output",), ("Sigmoid output",), ("output-not-probability",),
        SIGMOID.apply(output(activation="relu")), Rate(15, 16), 0.8, 0.6, 0.9, 0.97,
    )  # fmt: skip
    tried = Repair(HEALTHY, Rate(2, 16), 0.55, "succeed", findings, (trial,), trial)
    assert summary(findings, STUCK, repair=tried)[-1] == (
        "Do this first: “Sigmoid output”; 15 of 16 runs (72 to 99%) succeed with it, 2 of 16 runs "
        "(3 to 36%) without it, on the same seeds."
    )
    assert summary(findings, STUCK, repair=replace(tried, smallest=None))[-1].startswith(
        "None of 1 tested change does clearly better than the 2 of 16 runs (3 to 36%)"
    )


def test_where_nothing_is_wrong_that_is_said_with_what_was_measured():
    assert summary(diagnose(HEALTHY))[0].startswith("None of ")
    good = history(HEALTHY, accuracy=np.linspace(0.6, 1, 10)[:, None])
    told = summary(diagnose(HEALTHY, good), good)
    assert told[0] == "4 of 4 runs (51 to 100%) succeed."
    assert told[1] == "Half of those that succeed are there after epoch 8 of 30."
    noisy = data(source=Blobs(((0, 0), (2, 2)), 200, 1, noise=1.0))
    best = history(noisy, accuracy=0.84)
    assert any("no classifier can be right in more than about 84" in sentence
               for sentence in summary(diagnose(noisy, best), best))  # fmt: skip


def test_real_findings_lead_to_real_first_steps():
    for faulty, step in (
        (output(activation="relu"), "Sigmoid output"),
        (hidden(initialiser="zeros"), "He and Glorot initialisation"),
        (training(optimizer=Adam(1e-6)), "Learning rate"),
    ):
        for trained in (None, history(faulty)):
            findings = diagnose(faulty, trained)
            told = summary(findings, trained)
            whole(told, findings)
            assert step in told[-1]
            assert not re.search(r"\bnan\b", " ".join(told))
