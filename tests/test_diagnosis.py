"""What a diagnosis says as a whole: before and after a training, of both questions."""

import subprocess
import sys

import numpy as np
import pytest

from core.diagnosis import Severity, diagnose, verdict
from core.experiment import Adam, Blobs
from core.fixes import apply_all
from core.problems import PROBLEMS
from core.rates import percent
from support.diagnosis import (
    HEALTHY,
    MANY,
    NESTED,
    THRESHOLD,
    TWO_BLOB,
    codes,
    data,
    hidden,
    history,
    output,
    training,
)


def test_stuck_for_no_known_reason_says_that_it_cannot_tell():
    stuck = history(HEALTHY, accuracy=0.7, loss=0.6)
    found = diagnose(HEALTHY, stuck)
    if all(
        finding.severity is Severity.COSMETIC for finding in found if finding.code != "unexplained"
    ):
        assert "unexplained" in codes(found)
    assert "unexplained" not in codes(diagnose(HEALTHY, history(HEALTHY, accuracy=1.0)))


@pytest.mark.parametrize("experiment", [HEALTHY, MANY, NESTED], ids=["binary", "many", "nested"])
def test_a_healthy_experiment_gets_nothing_above_cosmetic(experiment):
    assert all(finding.severity is Severity.COSMETIC for finding in diagnose(experiment))
    assert verdict(diagnose(experiment)) == "Nothing wrong found before training."


def test_success_overrules_what_was_expected():
    for faulty in (THRESHOLD, hidden(initialiser="zeros"), training(optimizer=Adam(1e-6))):
        found = diagnose(faulty, history(faulty, accuracy=1.0))
        assert {finding.severity for finding in found} <= {Severity.COSMETIC}
    faulty = output(activation="relu")
    found = diagnose(faulty, history(faulty, accuracy=1.0))
    assert "All 4 runs succeed" in found[0].evidence


def test_some_successes_make_fatal_fragile():
    found = diagnose(THRESHOLD, history(THRESHOLD, accuracy=np.array([1.0, 0.5, 0.5, 0.5])))
    assert found[0].severity is Severity.FRAGILE
    assert found[0].evidence.endswith("1 of 4 runs succeeds all the same.")
    assert "1 of 4 runs (5 to 70%)" in " ".join(finding.evidence for finding in found)


FALLING, RISING = np.linspace(0.7, 0.6, 10)[:, None], np.linspace(0.5, 0.7, 10)[:, None]
MOVING = {"loss": FALLING, "accuracy": RISING}


@pytest.mark.parametrize(
    ("experiment", "figures", "said"),
    [
        (THRESHOLD, {"accuracy": 1.0}, "The only run succeeds all the same."),
        (THRESHOLD, {"accuracy": 0.5}, "The only run fails, and is stuck rather than slow."),
        (TWO_BLOB, MOVING, "The run that fails is still improving when training ends."),
        (HEALTHY, {"accuracy": np.resize([0.5, 0.7], (10, 1))}, "median of the 1 run that fails"),
        (hidden(activation="tanh"), {"saturated": np.ones((10, 3, 1))}, "in the 1 run that fails."),
    ],
)
def test_one_run_is_spoken_of_in_the_singular(experiment, figures, said):
    trained = history(experiment, runs=1, **figures)
    found = diagnose(experiment, trained)
    assert said in " ".join([verdict(found, trained), *(finding.evidence for finding in found)])


def test_runs_succeed_by_the_target_alone():
    """Where the classes overlap, no finding calls a run successful that the headline does not."""
    noisy = data(source=Blobs(((0, 0), (2, 2)), 200, 1, noise=1.0))
    faulty = output(activation="relu", experiment=noisy)
    for accuracy, sentence in (
        (0.84, "All 4 runs reach an accuracy of 77.7% all the same."),
        (np.array([0.84, 0.84, 0.84, 0.5]), "1 of 4 runs falls short of an accuracy of 77.7%"),
        (np.array([0.84, 0.5, 0.5, 0.5]), "1 of 4 runs (5 to 70%) reach an accuracy of 77.7%"),
        (0.5, "All 4 runs fall short of an accuracy of 77.7%"),
    ):
        trained = history(faulty, accuracy=accuracy)
        assert not trained.successes(0.9).any()
        found = diagnose(faulty, trained)
        said = " ".join([verdict(found, trained), *(f"{f.title}. {f.evidence}" for f in found)])
        assert sentence in said
        assert "succe" not in said
        assert " fail" not in said
        assert "so the diagnosis counts 77.7% as enough" in said
    # Before training as after it, the target is the one that was chosen.
    found = diagnose(noisy, history(noisy, accuracy=0.75), target=0.7)
    assert "Nothing wrong" in verdict(found, history(noisy, accuracy=0.75), target=0.7)


def test_as_good_as_it_gets():
    noisy = data(source=Blobs(((0, 0), (2, 2)), 200, 1, noise=1.0))
    found = diagnose(noisy, history(noisy, accuracy=0.84))
    assert {finding.severity for finding in found} <= {Severity.COSMETIC}
    assert "as good as it gets" in verdict(found, history(noisy, accuracy=0.84))


def test_a_diagnosis_needs_no_tensorflow():
    code = (
        "import sys; from core.diagnosis import diagnose, repair;"
        "from core.problems import PROBLEMS; diagnose(PROBLEMS['threshold'].experiment);"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


# --- real trainings -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def threshold():
    from core.training import train

    return train(THRESHOLD, runs=64)


@pytest.fixture(scope="module")
def two_blob():
    from core.training import train

    return train(TWO_BLOB, runs=64)


@pytest.mark.tensorflow
def test_the_threshold_question_is_explained_completely(threshold):
    found = {finding.code: finding for finding in diagnose(THRESHOLD, threshold)}
    assert {
        "output-not-probability",
        "dead-units",
        "inputs-unscaled",
        "one-signed-inputs",
        "rows-lost",
        "evaluated-on-training-data",
        "constant-prediction",
    } <= set(found)
    assert found["output-not-probability"].severity is Severity.FATAL
    silent = int((threshold.health.dead[-1, -1] == 1).sum())
    assert f"0 for every sample in {silent} of 64 runs" in found["output-not-probability"].evidence
    dead = threshold.health.dead[-1, :2]
    worst = int((dead == 1).sum(axis=1).argmax())
    count, units = int((dead[worst] == 1).sum()), (3, 5)[worst]
    assert (
        f"All {units} units of layer {worst + 1} output 0 for 10,000 of 10,000 samples in {count} "
        "of 64 runs" in found["dead-units"].evidence
    )
    assert "10,000 rows" in found["evaluated-on-training-data"].evidence
    kept = int(found["rows-lost"].evidence.split()[3].replace(",", ""))
    assert 4_800 < kept < 5_200
    assert found["rows-lost"].severity is found["evaluated-on-training-data"].severity
    said = verdict(diagnose(THRESHOLD, threshold), threshold)
    assert said == verdict(diagnose(THRESHOLD)) == "Stuck because the loss clips the output."


@pytest.mark.tensorflow
def test_the_two_blob_question_is_slow_and_depends_on_the_seed(two_blob):
    after = diagnose(TWO_BLOB, two_blob)
    found = {finding.code: finding for finding in after}
    succeeded = int(two_blob.successes(0.9).sum())
    # Those that fail are still improving.
    assert found["depends-on-the-seed"].severity is Severity.SLOW
    why = "because 50 epochs are too few."
    assert verdict(diagnose(TWO_BLOB)) == f"Slow rather than stuck, probably {why}"
    assert verdict(after, two_blob).startswith(f"Depends on the seed, mainly {why}")
    which = found["accuracy-frozen"].run
    assert f"in run {which} the loss" in found["accuracy-frozen"].evidence
    assert f"stays at {percent(two_blob.score[-1, which])}" in found["accuracy-frozen"].evidence
    assert np.ptp(two_blob.score[1:, which]) < 0.11
    assert not two_blob.successes(0.9)[which]
    shown = found["constant-prediction"].run
    assert two_blob.final_score[shown] == pytest.approx(0.5, abs=0.05)
    assert f"{succeeded} of 64 runs" in found["depends-on-the-seed"].evidence
    assert found["too-few-updates"].severity is Severity.SLOW
    assert "50 epochs of 13 updates" in found["too-few-updates"].evidence
    assert not any(finding.severity is Severity.FATAL for finding in found.values())


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("threshold", ("scale-inputs",)),
        ("threshold", ("sigmoid-output",)),
        ("threshold", ("sigmoid-output", "standardise-inputs", "wider-hidden")),
        ("two-blob", ("wider-hidden",)),
        ("two-blob", ("sigmoid-output",)),
    ],
)
def test_what_is_said_before_and_after_a_training_agrees(key, keys):
    from core.training import train

    problem = PROBLEMS[key]
    experiment = apply_all(tuple(problem.fixes[each] for each in keys), problem.experiment)
    before = {finding.code: finding for finding in diagnose(experiment)}
    trained = train(experiment, runs=32)
    succeeded = int(trained.successes(0.9).sum())
    if succeeded:
        assert not verdict(diagnose(experiment)).startswith("Stuck")
    for finding in diagnose(experiment, trained):
        earlier = before.get(finding.code)
        if earlier is None or (finding.severity is earlier.severity and not earlier.is_open):
            continue
        turn = finding.evidence.rpartition(". ")[2]
        assert f"{32 - succeeded} of 32 runs fail" in turn or "32 runs succeed" in turn
        if succeeded == 0 and finding.code != "dead-units":
            assert finding.severity is not Severity.FRAGILE
        assert not finding.is_open
