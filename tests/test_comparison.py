"""Comparing fixes: every subset, paired seeds, and what each fix is said to contribute."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from core.comparison import Comparison, compare, distinct, plan, subsets_of
from core.fixes import Fix, apply_all, excluded, with_training
from core.problems import PROBLEMS
from core.rates import Rate, percent, runs_to_show, signed, signed_points
from core.training import train

PROBLEM = PROBLEMS["two-blob"]
KEYS = ("labels-from-zero", "wider-hidden", "higher-learning-rate")


@pytest.fixture(scope="module")
def comparison():
    return compare(PROBLEM.experiment, {key: PROBLEM.fixes[key] for key in KEYS}, runs=16)


@pytest.mark.tensorflow
def test_every_subset_has_a_row(comparison):
    table = comparison.table
    assert list(table["fixes"]) == list(subsets_of(KEYS))
    assert len(table) == 8
    assert not comparison.exclusive
    assert (table["runs"] == 16).all()
    assert (table["low"] <= table["rate"]).all()
    assert (table["rate"] <= table["high"]).all()


@pytest.mark.tensorflow
def test_a_subset_is_trained_as_it_would_be_alone(comparison):
    subset = ("wider-hidden", "higher-learning-rate")
    alone = train(apply_all(tuple(PROBLEM.fixes[key] for key in subset), PROBLEM.experiment), 16)
    np.testing.assert_array_equal(comparison.history(subset).final_loss, alone.final_loss)


@pytest.mark.tensorflow
def test_contributions_add_up_to_the_whole_gain(comparison):
    table = comparison.rates(0.95)
    gain = table["rate"].iloc[-1] - table["rate"].iloc[0]
    contributions = comparison.contributions(0.95)
    assert contributions["value"].sum() == pytest.approx(gain)
    differing = contributions[~contributions["identical"]]
    assert (differing["low"] < differing["high"]).all()


@pytest.mark.tensorflow
def test_a_fix_that_changes_nothing_is_told_apart(comparison):
    contributions = comparison.contributions(0.9).set_index("fix")
    assert contributions["identical"]["labels-from-zero"]
    assert not contributions["identical"]["wider-hidden"]
    assert list(contributions.loc["labels-from-zero", ["value", "low", "high"]]) == [0, 0, 0]


@pytest.mark.tensorflow
def test_the_smallest_combination_reaches_the_rate(comparison):
    table = comparison.table.set_index("fixes")
    smallest = comparison.smallest(0.9, 0.9)
    assert table.loc[[smallest], "rate"].iloc[0] >= 0.9
    assert len(smallest) == 1
    assert comparison.smallest(0.9, target=1.1) is None


THRESHOLD = PROBLEMS["threshold"]
SCALINGS = ("sigmoid-output", "scale-inputs", "standardise-inputs")


@pytest.fixture(scope="module")
def scalings():
    fixes = {key: THRESHOLD.fixes[key] for key in SCALINGS}
    short = with_training(epochs=2)(THRESHOLD.experiment)
    return compare(short, fixes, runs=16)


def test_fixes_that_set_the_same_value_exclude_each_other():
    found = excluded(THRESHOLD.fixes, THRESHOLD.experiment)
    assert found["scale-inputs"] == ("standardise-inputs",)
    assert found["standardise-inputs"] == ("scale-inputs",)
    assert not any(found[key] for key in found.keys() - {"scale-inputs", "standardise-inputs"})
    assert not any(excluded(PROBLEM.fixes, PROBLEM.experiment).values())


def test_a_fix_that_changes_nothing_here_excludes_nothing():
    fixes = {
        str(epochs): Fix(str(epochs), "", "", "ours", with_training(epochs=epochs))
        for epochs in (PROBLEM.experiment.training.epochs, 70, 90)
    }
    assert excluded(fixes, PROBLEM.experiment) == {"50": (), "70": ("90",), "90": ("70",)}
    planned = plan(PROBLEM.experiment, fixes)
    assert len(planned) == 6
    assert len(distinct(planned)) == 3, "with 50 epochs, which are there already, or without"


@pytest.mark.tensorflow
def test_fixes_that_exclude_each_other_are_never_combined(scalings):
    assert len(scalings.subsets) == 6
    assert scalings.exclusive
    assert not any({"scale-inputs", "standardise-inputs"} <= set(s) for s in scalings.subsets)
    both = plan(THRESHOLD.experiment, THRESHOLD.fixes)
    assert len(both) == len(distinct(both)) == 3 * 2**5


@pytest.mark.tensorflow
def test_an_experiment_that_two_combinations_give_is_trained_once():
    same = {
        key: Fix(key, key, "", "ours", with_training(epochs=epochs))
        for key, epochs in (("as it is", 2), ("longer", 3))
    }
    experiment = with_training(epochs=2)(PROBLEM.experiment)
    seen = []
    found = compare(experiment, same, 4, on_progress=seen.append)
    assert seen[-1].of == 2
    assert found.history(()) is found.history(("as it is",))
    assert found.history(("longer",)) is found.history(("as it is", "longer"))
    contributions = found.contributions(0.9).set_index("fix")
    assert contributions["identical"].to_dict() == {"as it is": True, "longer": False}


@pytest.mark.tensorflow
def test_a_contribution_is_averaged_over_the_orders_in_which_the_fix_can_be_added(scalings):
    rate = {subset: scalings.history(subset).successes(0.6).mean() for subset in scalings.subsets}
    sigmoid, scale, standardise = SCALINGS
    gain = {
        key: (rate[key,] - rate[()], rate[sigmoid, key] - rate[sigmoid,])
        for key in (scale, standardise)
    }
    of_sigmoid = [
        rate[(sigmoid, *others)] - rate[others] for others in ((), (scale,), (standardise,))
    ]
    found = scalings.contributions(0.6).set_index("fix")["value"]
    # Of the three orders in which scaling comes before standardising, sigmoid is after it in two.
    assert found[scale] == pytest.approx(np.average(gain[scale], weights=[2, 1]))
    assert found[standardise] == pytest.approx(np.average(gain[standardise], weights=[2, 1]))
    # It is the first of three in a third of the orders, and else comes after either.
    assert found[sigmoid] == pytest.approx(np.average(of_sigmoid))


def with_successes(runs: int, **successes: int) -> Comparison:
    """A comparison in which so many runs of each combination succeed; its keys are joined by _."""

    def history(count):
        accuracy = np.where(np.arange(runs) < count, 1.0, 0.5).astype(np.float32)
        return replace(trained, score=accuracy[None], final_score=accuracy)

    trained = train(with_training(epochs=1)(PROBLEM.experiment), runs)
    subsets = subsets_of(tuple("abc"))
    histories = tuple(history(successes.get("".join(subset), 0)) for subset in subsets)
    return Comparison(PROBLEM.experiment, tuple("abc"), subsets, histories)


def test_all_combinations_of_the_smallest_size_that_reach_the_rate_are_named():
    found = with_successes(64, a=64, b=58, c=57, ab=64).verdict(0.9, 0.9)
    assert [each.fixes for each in found.smallest] == [("a",), ("b",)]
    assert [each.shown for each in found.smallest] == [True, False]
    assert [each.fixes for each in found.shown] == [("a",)]


def test_a_rate_that_chance_may_have_lifted_is_not_said_to_reach_what_is_required():
    comparison = with_successes(32, a=31, ab=32)
    found = comparison.verdict(0.9, 0.9)
    (named,) = found.smallest
    assert named.fixes == comparison.smallest(0.9, 0.9) == ("a",)
    assert not named.shown
    assert not found.shown, "even 32 of 32 runs leave 89%"
    assert str(named.rate).startswith("31 of 32 runs (84 to 99")
    assert 64 < named.runs_to_show <= 128
    assert Rate(62, 64).low < 0.9 <= Rate(124, 128).low
    assert found.best.fixes == ("a", "b")
    none = comparison.verdict(0.99, 0.9)
    assert none.smallest[0].fixes == ("a", "b")
    assert none.smallest[0].runs_to_show > 128


@pytest.mark.parametrize("required", [0.5, 0.9, 0.99])
def test_so_many_runs_show_that_a_rate_reaches_what_is_required(required):
    needed = runs_to_show(1.0, required)
    assert Rate(needed, needed).low >= required > Rate(needed - 1, needed - 1).low
    assert runs_to_show(required, required) is None
    assert runs_to_show(1.0, 1.0) is None


@pytest.mark.tensorflow
def test_stopping_keeps_the_combinations_that_were_trained_to_their_end():
    fixes = {"wider-hidden": PROBLEM.fixes["wider-hidden"]}
    experiment, seen = with_training(epochs=3)(PROBLEM.experiment), []
    compared = partial(compare, experiment, fixes, 4, on_progress=seen.append)
    assert compared(should_stop=lambda: bool(seen)) is None
    assert 0 < seen[0].share < 1
    assert seen[0].of == 2
    stopped = compared(should_stop=lambda: seen[-1].finished == 1)
    assert stopped.subsets == ((),)
    assert stopped.missing == 1
    assert stopped.table["runs"].tolist() == [4]
    assert stopped.verdict(0.9, 0.9).best.fixes == ()
    with pytest.raises(ValueError, match="combinations are missing: 1"):
        stopped.contributions(0.9)


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


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.9, "90%"), (0.57, "57%"), (0.5021, "50.2%"), (0.9997, "99.9%"), (1.0, "100%")],
)
def test_a_share_is_written_in_percent(share, written):
    assert percent(share) == written


@pytest.mark.parametrize(
    ("successes", "runs", "written"),
    [
        (5, 10, "24 to 76%"),
        (858, 2048, "39.8 to 44.0%"),
        (2048, 2048, "99.8 to 100.0%"),
        (0, 2048, "0.0 to 0.2%"),
    ],
)
def test_both_ends_of_an_interval_have_as_many_decimals(successes, runs, written):
    assert Rate(successes, runs).interval == written


def test_a_difference_has_a_sign_and_zero_has_none():
    assert [signed(each) for each in (0.83, -0.042, 0.004, -0.004)] == ["+83", "\u22124", "0", "0"]
    assert signed(0.0004, digits=1) == "0.0"
    assert signed_points(0.01) == "+1 percentage point"
    assert signed_points(-0.042, digits=1) == "\u22124.2 percentage points"
