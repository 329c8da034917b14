"""Comparing fixes: every subset, paired seeds, and what each fix is said to contribute."""

import numpy as np
import pytest

from core.comparison import compare, subsets_of
from core.problems import PROBLEMS, apply_all
from core.statistics import Rate
from core.training import train

PROBLEM = PROBLEMS["two-blob"]
KEYS = ("labels-from-zero", "wider-hidden", "higher-learning-rate")


@pytest.fixture(scope="module")
def comparison():
    return compare(PROBLEM.experiment, {key: PROBLEM.fixes[key] for key in KEYS}, runs=16)


def test_every_subset_has_a_row(comparison):
    table = comparison.table
    assert list(table["fixes"]) == list(subsets_of(KEYS))
    assert len(table) == 8
    assert (table["runs"] == 16).all()
    assert (table["low"] <= table["rate"]).all()
    assert (table["rate"] <= table["high"]).all()


def test_a_subset_is_trained_as_it_would_be_alone(comparison):
    subset = ("wider-hidden", "higher-learning-rate")
    alone = train(apply_all(tuple(PROBLEM.fixes[key] for key in subset), PROBLEM.experiment), 16)
    np.testing.assert_array_equal(comparison.history(subset).final_loss, alone.final_loss)


def test_contributions_add_up_to_the_whole_gain(comparison):
    table = comparison.rates(0.95)
    gain = table["rate"].iloc[-1] - table["rate"].iloc[0]
    contributions = comparison.contributions(0.95)
    assert contributions["value"].sum() == pytest.approx(gain)
    assert (contributions["low"] < contributions["high"]).all()


def test_a_fix_that_changes_nothing_is_told_apart(comparison):
    identical = comparison.contributions(0.9).set_index("fix")["identical"]
    assert identical["labels-from-zero"]
    assert not identical["wider-hidden"]


def test_the_smallest_combination_reaches_the_rate(comparison):
    table = comparison.table.set_index("fixes")
    smallest = comparison.smallest(0.9, 0.9)
    assert table.loc[[smallest], "rate"].iloc[0] >= 0.9
    assert len(smallest) == 1
    assert comparison.smallest(0.9, target=1.1) is None


def test_stopping_gives_nothing_rather_than_half_a_comparison():
    fixes = {"wider-hidden": PROBLEM.fixes["wider-hidden"]}
    seen = []
    stopped = compare(
        PROBLEM.experiment, fixes, 4, on_progress=seen.append, should_stop=lambda: bool(seen)
    )
    assert stopped is None
    assert 0 < seen[0].share < 1
    assert seen[0].of == 2


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_interval(successes, runs, low, high):
    # The last row is the worked example of Newcombe, Statistics in Medicine 17 (1998).
    rate = Rate(successes, runs)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)
    with pytest.raises(ValueError, match="no rate"):
        Rate(runs + 1, runs)
