"""Which suggested fix helps: the smallest verified change, its progress and its price."""

import pickle
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from core import fixes
from core.diagnosis import Severity, diagnose
from core.diagnosis.combining import combined, with_fix
from core.diagnosis.harmless import without_harm
from core.diagnosis.search import FEW, first_runs
from core.diagnosis.summary import summary
from core.diagnosis.trials import Repair, Trial, expected, planned, repair, try_fixes
from core.diagnosis.yardstick import Yardstick, _explained
from core.experiment import SGD, Adam, Data, Dense, Experiment, Model, Table, Training
from core.fixes import Fix, loss_fixes, update_fixes
from core.jobs.limits import Limits, check
from core.jobs.limits import planned as planned_within
from core.jobs.requests import TryFixes
from core.problems import PROBLEMS
from core.rates import Rate, paired_gain
from core.tasks import TASKS
from support.diagnosis import (
    HEALTHY,
    MANY,
    MULTI_LABEL,
    REGRESSION,
    THRESHOLD,
    TWO_BLOB,
    history,
    output,
    training,
)


@pytest.mark.parametrize("experiment", [THRESHOLD, TWO_BLOB, MANY, REGRESSION, MULTI_LABEL])
def test_any_two_fixes_fit_together_or_do_not(experiment):
    modules = (fixes, update_fixes, loss_fixes)
    known = [each for module in modules for each in vars(module).values() if isinstance(each, Fix)]
    together = [combined(experiment, pair) for pair in permutations(known, 2)]
    assert None in together
    assert sum(each is not None for each in together) > 100


@pytest.mark.tensorflow
@pytest.mark.parametrize("key", PROBLEMS)
def test_a_repair_of_either_question_is_a_verified_change(key):
    experiment = PROBLEMS[key].experiment
    found = repair(experiment, runs=16, budget=12)
    assert found.helps
    assert found.rate.value >= 0.9
    from core.training import train

    again = train(found.experiment, runs=16)
    assert int(again.successes(0.9).sum()) == found.rate.successes


@pytest.mark.tensorflow
def test_trying_fixes_stops_when_asked():
    assert try_fixes(TWO_BLOB, runs=4, should_stop=lambda: True) is None


@pytest.mark.tensorflow
def test_the_progress_of_a_trial_starts_at_once_and_never_goes_back():
    short = training(TWO_BLOB, epochs=3)
    events = []
    outcome = try_fixes(short, runs=16, on_progress=events.append)
    assert events[0].share == 0
    assert events[0].finished == 0
    shares = [event.share for event in events]
    assert shares == sorted(shares)
    assert 0.2 < shares[-1] <= 1
    assert events[-1].finished <= events[-1].of
    assert events[-1].of >= 1 + len(outcome.trials)
    # Before the fixes are trained, at least half of the work is still to come.
    alone = next(event for event in events if event.finished == 1)
    assert alone.share <= 0.5


@pytest.mark.tensorflow
def test_a_fault_that_another_hides_is_repaired_with_it_and_with_nothing_else():
    hidden = training(output(activation="relu"), optimizer=Adam(1e-6))
    outcome = try_fixes(hidden, runs=8, budget=8)
    smallest = outcome.smallest
    assert outcome.before.value < 0.5
    assert smallest.rate.value >= 0.9
    assert len(smallest.fixes) == 2
    assert smallest.fixes[0] == "sigmoid-output"
    assert smallest.fixes[1].startswith("learning-rate-")
    for key in smallest.fixes:
        assert outcome.trial(key).rate.value < 0.9


def continuous(loss="binary_crossentropy", rows=24):
    """Fractions that rise with the inputs, under a loss of classes."""
    inputs = np.random.default_rng(0).normal(size=(rows, 4))
    values, labels = np.unique(1 / (1 + np.exp(-inputs.sum(axis=1))), return_inverse=True)
    data = Data(Table(inputs, labels), label_values=tuple(values), encoding="as-is")
    model = Model((Dense(64, "relu", "he_normal"), Dense(1, "sigmoid")))
    return Experiment(data, model, Training(loss, Adam(0.01), 8, 150))


def test_runs_from_another_number_on_are_judged_on_their_own_rows():
    trained = history(REGRESSION, runs=2)
    alike = tuple(array[..., :1].repeat(2, axis=-1) for array in trained.weights)
    first, second = _explained(replace(trained, weights=alike), TASKS["regression"])
    later, _ = _explained(replace(trained, weights=alike, first=1), TASKS["regression"])
    assert later == second != first


@pytest.mark.tensorflow
def test_row_numbers_that_are_learnt_in_place_of_a_continuous_target_are_no_success():
    from core.training import train

    original = continuous()
    numbered = train(fixes.SOFTMAX.apply(original), runs=4)
    assert (numbered.final_score >= 0.9).all()
    yardstick = Yardstick(original)
    assert not yardstick.passed(numbered).any()
    # The output fits the fractions well, though hardly one equals its label.
    as_is = train(original, runs=4)
    assert (as_is.final_score < 0.1).all()
    assert yardstick.passed(as_is).all()
    approximated = fixes.REGRESSION.apply(original)
    assert yardstick.passed(train(approximated, runs=4)).any()
    # Nor is the R² of class labels an accuracy.
    assert not Yardstick(HEALTHY).passed(as_is).any()


def test_what_a_repair_leaves_as_it_is_does_no_harm():
    faulty = training(output(activation="relu"), batch_size=2)
    findings = diagnose(faulty, history(faulty))

    def trial(fix, passed, score):
        gain = passed / 16
        rate = Rate(passed, 16)
        after = fix.apply(faulty)
        return Trial((fix.key,), (fix.title,), (), after, rate, gain, gain - 0.1, gain, score)

    larger = fixes.batch(fixes.DEFAULT_BATCH)
    best, alone = trial(fixes.SIGMOID, 16, 1.0), trial(larger, 0, 0.5)
    tried = Repair(faulty, Rate(0, 16), 0.5, "succeed", findings, (best, alone), best)
    found = {finding.code: finding for finding in without_harm(findings, tried)}
    assert found["unusual-batch-size"].severity is Severity.COSMETIC
    assert not found["unusual-batch-size"].is_open
    assert found["unusual-batch-size"].evidence.endswith(
        "It does no harm here: 16 of 16 runs (81 to 100%) succeed with “Sigmoid output”, which "
        "leaves it. Alone, “Batch size 32” takes the mean accuracy from 50% to 50%."
    )
    assert found["output-not-probability"].severity is Severity.FATAL
    # Nor is what does no harm the main cause.
    other, clipped = trial(larger, 16, 1.0), "the loss clips the output"
    refuted = replace(tried, trials=(other, trial(fixes.SIGMOID, 0, 0.5)), smallest=other)
    assert clipped in " ".join(summary(findings, history(faulty)))
    told = summary(findings, history(faulty), repair=refuted)
    assert clipped not in " ".join(told)
    assert told[-1].startswith("Do this first: “Batch size 32”; 16 of 16 runs")
    # Where it helps as well, or nothing else is enough, that cannot be said.
    for trials, smallest in (
        ((best, trial(larger, 8, 0.8)), best),
        ((trial(fixes.SIGMOID, 10, 0.8), alone), trial(fixes.SIGMOID, 10, 0.8)),
    ):
        assert without_harm(findings, replace(tried, trials=trials, smallest=smallest)) == findings


def test_a_combination_never_holds_two_values_of_one_setting():
    slow, fast = fixes.rate(0.1), fixes.rate(0.01)
    assert combined(HEALTHY, [slow, fixes.rate(0.001)]) is None
    assert combined(HEALTHY, [fixes.RECTIFY, fixes.LEAK]) is None
    # Another optimizer undoes the rate before it, and may be given one after it.
    descent = training(optimizer=SGD(0.01))
    assert combined(descent, [slow, fixes.ADAM]) is None
    assert combined(descent, [fixes.ADAM, fast]).training.optimizer == Adam(0.01)
    narrow = training(TWO_BLOB, epochs=3)
    longer = with_fix(narrow, [fixes.epochs(50), slow], fixes.epochs(90))
    assert [fix.key for fix in longer] == [slow.key, "epochs-90"]


def digits(*units, features=784, classes=10, rows=5_000, **changes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, rows)
    data = Data(
        Table(rng.normal(size=(rows, features)), labels), label_values=tuple(range(classes))
    )
    last = Dense(classes, "softmax")
    model = Model((*(Dense(width, "relu", "he_normal") for width in units), last))
    arguments = {"loss": "sparse_categorical_crossentropy", "optimizer": Adam(1e-6), **changes}
    return Experiment(data, model, Training(**arguments))


@pytest.mark.parametrize(
    "experiment",
    [
        digits(256, epochs=20),
        digits(128, 64, features=128, classes=2, rows=8_000, epochs=60),
    ],
    ids=["784-256-10", "128-128-64-2"],
)
def test_a_search_for_an_ordinary_network_fits_a_hosted_server(experiment):
    limits = Limits()
    price = check(TryFixes(experiment, runs=32), limits)
    assert price.seconds <= limits.seconds
    likely = tuple(training(experiment, optimizer=Adam(10.0**-k)) for k in range(2, 8))
    plan = planned((experiment, *likely), 32, limits.seconds, limits.bytes)
    assert plan.runs >= 8
    # All candidates get a few runs, the better half of them all.
    counts = [(len(work.experiments), work.runs) for work in plan.works]
    assert counts[0] == (1, plan.runs)
    assert counts[1][1] == FEW
    assert counts[1][0] >= 4


def test_a_search_with_nothing_to_try_yet_has_its_runs_for_what_the_training_shows():
    limits = Limits()
    assert planned((HEALTHY,), 16, limits.seconds, limits.bytes).runs == 16
    assert planned((HEALTHY,), 16).runs == 16
    assert TryFixes(HEALTHY).work[0].runs == 16
    # As many again must fit afterwards.
    large = digits(256, epochs=100)
    alone = planned((large,), 16).seconds
    assert planned((large,), 16, 2 * alone).runs < 16


def test_a_search_grows_with_the_processes_that_share_it():
    request = TryFixes(training(THRESHOLD, epochs=400), runs=64)
    alone = Limits(seconds=60)
    few, many = (planned_within(request, each).work for each in (alone, alone.shared(8)))
    assert many[0].runs > few[0].runs
    assert len(many[1].experiments) > len(few[1].experiments)
    assert check(request, alone.shared(8)).seconds <= 60
    assert check(request, alone.shared(8)).seconds > check(request, alone).seconds / 2


def test_small_networks_are_tried_with_all_runs_at_once():
    assert first_runs([TWO_BLOB] * 3, 32) == 32
    assert first_runs([digits(256)] * 3, 32) == FEW


@pytest.mark.tensorflow
def test_a_search_in_little_time_says_that_it_is_a_smaller_one():
    brief = training(TWO_BLOB, epochs=2)
    whole = planned(expected(brief, diagnose(brief)), 64)
    least = planned(expected(brief, diagnose(brief)), 4).seconds
    assert least < whole.seconds
    outcome = try_fixes(brief, runs=64, seconds=(least + whole.seconds) / 2, budget=4)
    assert outcome.before.runs < 64
    assert f"{outcome.before.runs} runs of each change rather than 64" in outcome.note


@pytest.mark.tensorflow
def test_the_price_of_a_trial_is_that_of_what_it_is_likely_to_train():
    found = diagnose(THRESHOLD)
    likely = expected(THRESHOLD, found)
    outcome = try_fixes(training(THRESHOLD, epochs=1), runs=4)
    assert len(likely) / 2 <= 1 + len(outcome.trials) <= 2 * len(likely)
    assert TryFixes(THRESHOLD).work == TryFixes(THRESHOLD, likely=likely).work
    slow = diagnose(TWO_BLOB)
    assert len(expected(TWO_BLOB, slow)) == 1 + len({f.key for x in slow[:2] for f in x.fixes})


def test_requests_travel():
    assert pickle.loads(pickle.dumps(TryFixes(TWO_BLOB))) == TryFixes(TWO_BLOB)


def test_the_gain_of_paired_runs():
    before, after = np.array([False] * 16), np.array([True] * 16)
    gain, low, high = paired_gain(before, after)
    assert (gain, high) == (1.0, 1.0)
    assert 0.6 < low < 0.8
    assert paired_gain(before, before)[0] == 0
    assert paired_gain(before, before)[1] < 0 < paired_gain(before, before)[2]
