"""Which suggested fix helps: the smallest verified change, its progress and its price."""

import pickle

import numpy as np
import pytest

from core.diagnosis import diagnose
from core.diagnosis.trials import expected, repair, try_fixes
from core.jobs.requests import TryFixes
from core.problems import PROBLEMS
from core.rates import paired_gain
from support.diagnosis import (
    THRESHOLD,
    TWO_BLOB,
    training,
)


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
