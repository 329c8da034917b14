"""What a training is expected to cost, what is refused, and that a refusal names what fits."""

import logging
import math
import pickle
from dataclasses import dataclass, replace

import pytest

from core.costs import FREE, MEGABYTE, Work, price
from core.diagnosis import diagnose
from core.diagnosis.trials import expected
from core.experiment import Blobs, Dense, Model
from core.fixes import with_data, with_training
from core.jobs.limits import Limits, OverBudget, check, duration, fewer_epochs
from core.jobs.requests import Compare, Fit, Train, TryFixes
from core.problems import PROBLEMS

ASKED = PROBLEMS["threshold"].experiment
LONG = with_training(epochs=10_000)(ASKED)


@dataclass(frozen=True)
class Several:
    work: tuple


def test_a_price_grows_with_everything_that_takes_time():
    def seconds(experiment, runs=64):
        return price(Train(experiment, runs)).seconds

    asked = seconds(ASKED)
    wide = replace(ASKED, model=Model((Dense(64, "relu"), Dense(64, "relu"), Dense(1))))
    assert asked < seconds(ASKED, 512)
    assert asked < seconds(with_training(epochs=11)(ASKED))
    assert asked < seconds(with_training(batch_size=1)(ASKED))
    assert asked < seconds(wide)
    assert asked < seconds(with_data(source=replace(ASKED.data.source, samples=6_000))(ASKED))
    assert asked < price(Fit(ASKED)).seconds, "one run of plain Keras is slower than 64 stacked"


def test_a_price_is_that_of_all_the_work():
    one = price(Train(ASKED, 32))
    both = price(Several((Work((ASKED,), 32), Work((ASKED,), 32))))
    assert both.seconds == 2 * one.seconds
    assert both.kept == 2 * one.kept
    assert price(Several(())) == price(object()) == FREE


def test_experiments_of_one_structure_share_a_program():
    twice = price(Several((Work((ASKED, ASKED), 32),)))
    assert twice.seconds < 1.5 * price(Train(ASKED, 32)).seconds


def test_figures_that_stay_in_the_process_are_not_kept():
    assert price(TryFixes(ASKED)).kept == 0
    assert price(Train(ASKED)).kept > 0


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_what_the_pages_propose_is_within_the_limits(problem):
    limits = Limits()
    forms = [problem.experiment, *problem.variants.values()]
    forms += [fix.apply(problem.experiment) for fix in problem.fixes.values()]
    for experiment in forms:
        check(Train(experiment, 512), limits)
        check(TryFixes(experiment, runs=32), limits)
        check(Fit(experiment), limits)
    fixes = tuple(problem.fixes.values())
    for six in (fixes[:6], fixes[-6:]):
        check(Compare(problem.experiment, six, 64), limits)
    check(Train(with_training(epochs=2_000)(problem.experiment), 64), limits)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Train(LONG, 512), r"would train for about [\d,]+ (h|min).*; the limit here is 5 min\."),
        (Fit(with_training(epochs=1_000)(ASKED)), r"With [1-9]00 epochs, it fits"),
        (Compare(LONG, tuple(PROBLEMS["threshold"].fixes.values())[:6], 64), "fit"),
        (TryFixes(LONG, runs=32), r"With [\d,]+ epochs, it fits"),
        (
            Train(with_data(source=Blobs(samples=100_000, features=10))(ASKED), 64),
            r"MB of memory; the limit here is 768 MB. With 16 runs, it fits",
        ),
        (Train(replace(ASKED, model=Model((Dense(1_024),) * 3 + (Dense(1),))), 1), "weights"),
    ],
)
def test_what_is_too_large_is_refused_with_what_would_fit(request_, words):
    with pytest.raises(OverBudget, match=words) as refusal:
        check(request_, Limits())
    assert str(pickle.loads(pickle.dumps(refusal.value))) == str(refusal.value)


@pytest.mark.parametrize("limit", ["seconds", "bytes", "kept"])
def test_what_is_offered_fits_and_the_next_larger_does_not(limit):
    request = Train(with_training(epochs=2_000)(ASKED), 512)
    limits = Limits(**{limit: getattr(price(request), limit) / 5})
    with pytest.raises(OverBudget) as refusal:
        check(request, limits)
    for offers in request.smaller:
        larger = request
        for text, smaller in offers:
            if text in str(refusal.value):
                check(smaller, limits)
                with pytest.raises(OverBudget):
                    check(larger, limits)
                break
            larger = smaller


def test_epochs_are_offered_in_round_numbers():
    offered = [text for text, _ in fewer_epochs(Train(with_training(epochs=120)(ASKED)))]
    assert offered[:3] == ["100 epochs", "90 epochs", "80 epochs"]
    assert offered[-1] == "1 epoch"


def test_nothing_fits_a_tiny_limit_and_that_is_said():
    with pytest.raises(OverBudget, match="smaller network would fit"):
        check(Train(ASKED), Limits(seconds=0.001))


@pytest.mark.parametrize("limit", ["seconds", "bytes", "kept"])
def test_what_is_a_little_too_large_does_not_read_like_the_limit(limit):
    request = Train(with_training(epochs=100)(ASKED), 512)
    asked = getattr(price(request), limit)
    for share in (0.5, 0.95, 0.999_999):
        with pytest.raises(OverBudget) as refusal:
            check(request, Limits(**{limit: share * asked}))
        taken, allowed = str(refusal.value).split(". ")[0].split("; the limit here is ")
        assert not taken.removesuffix(" of memory").endswith(f"about {allowed}")
    assert "a little more than" in taken


def test_an_operator_sets_the_limits(caplog):
    assert Limits.from_environment({}) == Limits()
    found = Limits.from_environment({"PLATEAU_LIMIT_SECONDS": "600", "PLATEAU_LIMIT_WEIGHTS": "7"})
    assert found == Limits(seconds=600, weights=7)
    assert Limits.from_environment({"PLATEAU_LIMIT_MEGABYTES": "2"}).bytes == 2 * MEGABYTE
    assert Limits.from_environment(found.environment()) == found
    for wrong in ("", "fast", "-1", "0", "nan", "inf"):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "plateau"):
            assert Limits.from_environment({"PLATEAU_LIMIT_SECONDS": wrong}) == Limits()
        assert "PLATEAU_LIMIT_SECONDS" in caplog.text
        assert "default=300" in caplog.text


def test_durations_are_read_at_a_glance():
    seconds = (0, 42.4, 59.7, 119, 300, 318, 1_234, 5_000, 86_400)
    expected = "1 s, 42 s, 1 min, 2 min, 5 min, 5 min 20 s, 21 min, 1 h 23 min, 24 h"
    assert ", ".join(map(duration, seconds)) == expected
    assert not math.isnan(price(Train(ASKED, 0)).seconds), "a wrong number is refused elsewhere"


def test_a_trial_that_is_too_long_is_offered_with_fewer_epochs():
    for request in (TryFixes(LONG), TryFixes(LONG, likely=expected(LONG, diagnose(LONG)))):
        with pytest.raises(OverBudget, match=r"With [\d,]+ epochs, it fits"):
            check(request, Limits())
