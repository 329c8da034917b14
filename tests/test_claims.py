"""Claims, their verdicts and the record: what a reader relies on."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.claims import CLAIMS, Verdict, parts, record
from core.claims.claim import FAILS, HOLDS, OURS, SOMETIMES, UNTESTABLE, UNTESTED
from core.claims.criteria import (
    ACCURACY,
    DIFFERENCE,
    FirstEpoch,
    Outcome,
    StuckExactlyWhenDead,
    TrainingFlatters,
)
from core.claims.untrained_criteria import DrawFromReversedBounds, RowsLost
from core.data import surviving_rows
from core.fixes import rate, with_data, with_training
from core.jobs.requests import CheckClaim
from core.posts import POSTS
from core.problems import PROBLEMS
from core.reference import accepts
from core.streams import generator
from core.sweep.executors import connected
from core.training import train
from pages.elements.claims import page
from support.pages import opened

ROOT = Path(__file__).resolve().parent.parent
RECORDED = record.load()


def verdict(met: int, runs: int) -> Verdict:
    return Verdict.of("", 0, np.arange(runs) < met, np.zeros(runs))


def outcome(*histories) -> Outcome:
    experiments = tuple(history.experiment for history in histories)
    return Outcome(experiments, histories, histories[0].runs, histories[0].seed)


@pytest.mark.parametrize(
    ("met", "runs", "word"),
    [
        (256, 256, HOLDS),
        (230, 256, SOMETIMES),
        (32, 32, SOMETIMES),  # too few to say more
        (128, 256, SOMETIMES),
        (16, 256, FAILS),
        (0, 256, FAILS),
    ],
)
def test_the_verdict_follows_from_the_interval(met, runs, word):
    assert verdict(met, runs).word == word


def test_the_record_is_of_these_claims_and_of_enough_runs():
    assert RECORDED.claims == record.fingerprint(), "test the claims again: python -m core.claims"
    testable = {key for key, claim in CLAIMS.items() if claim.criterion is not None}
    assert RECORDED.tested.keys() == testable
    assert all(tested.verdict.runs >= 256 for tested in RECORDED.tested.values())
    assert all(claim.key == key and claim.text and claim.note for key, claim in CLAIMS.items())


@pytest.mark.tensorflow
@pytest.mark.parametrize("key", [key for key in CLAIMS if key.startswith("two-blob-labels")])
def test_a_live_test_of_the_same_seed_gives_the_recorded_runs(key):
    live, kept = CLAIMS[key].check(runs=32, seed=0), RECORDED.tested[key].verdict
    np.testing.assert_array_equal(live.met, kept.met[:32])
    np.testing.assert_allclose(live.values, kept.values[:32], atol=0.02)


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "key",
    [
        "threshold-both-998",
        "threshold-shuffle-tilts-classes",
        "two-blob-half-as-asked",
        "two-blob-many-points-are-slow",
    ],
)
def test_recorded_and_live_verdicts_agree_over_other_seeds(key):
    assert CLAIMS[key].check(runs=64, seed=1).word == RECORDED.tested[key].verdict.word


def test_plain_keras_confirms_a_sample_of_the_verdicts():
    repeated = {key: claim.fits for key, claim in CLAIMS.items() if claim.fits}
    assert repeated
    for key, runs in repeated.items():
        tested = RECORDED.tested[key]
        plain, stacked = tested.confirmed, tested.verdict.rate
        assert plain.runs == runs
        assert plain.low <= stacked.high, key
        assert stacked.low <= plain.high, key


def test_a_record_survives_its_file(tmp_path):
    record.save(RECORDED, tmp_path / "record.json")
    again = record.load(tmp_path / "record.json")
    assert again.markdown() == RECORDED.markdown()
    for key, tested in RECORDED.tested.items():
        assert again.tested[key].arms == tested.arms
        assert again.tested[key].findings == tested.findings
        np.testing.assert_array_equal(again.tested[key].verdict.values, tested.verdict.values)


def test_the_page_of_claims_is_what_is_recorded():
    written = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
    assert written == RECORDED.page() + "\n", "python -m core.claims > docs/claims.md"
    assert all(post.markdown in written for post in POSTS.values())


def test_the_readme_quotes_the_record():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert RECORDED.summary() in text
    quoted = re.findall(r"^- .*?([\d,]+ of [\d,]+ runs).*\(`([\w.-]+)`\)", text, re.MULTILINE)
    assert len(quoted) == 6
    for figure, key in quoted:
        assert figure == f"{RECORDED.tested[key].verdict.rate.count} runs", key


def test_every_claim_is_the_posts_or_ours():
    posts, ours = RECORDED.counts(ours=False), RECORDED.counts(ours=True)
    assert sum(posts.values()) + sum(ours.values()) == len(CLAIMS)
    assert sum(ours.values()) == sum(str(claim.source) == "Ours" for claim in CLAIMS.values())
    for claim in CLAIMS.values():
        if claim.source != OURS:
            assert claim.source.post == POSTS[claim.problem]
        assert claim.problem in PROBLEMS


def test_relabelling_changes_nothing_as_home_says():
    tested = RECORDED.tested["two-blob-labels-are-the-cause"]
    assert tested.verdict.range == (0, 0)
    assert tested.arms[0].learned == tested.arms[1].learned


def test_a_range_is_told_only_where_its_ends_differ():
    assert DIFFERENCE.text(0.0) == "0.0 percentage points"
    assert DIFFERENCE.between(-0.1, 0.03) == "\u221210.0 to +3.0 percentage points"
    assert ACCURACY.between(0.5, 1) == "50.0% to 100.0%"
    assert DIFFERENCE.between(-1e-5, 0) is ACCURACY.between(0.5, 0.5) is None


def test_what_no_training_can_decide_says_so():
    untestable = [claim for claim in CLAIMS.values() if claim.criterion is None]
    assert untestable
    for claim in untestable:
        with pytest.raises(ValueError, match="cannot be tested"):
            claim.check(runs=1)
        assert f"{claim.note} | **{UNTESTABLE}**" in RECORDED.markdown()


# --- criteria -----------------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_an_epoch_that_never_comes_is_later_than_all_others():
    experiment = with_training(epochs=2)(PROBLEMS["two-blob"].experiment)
    history = train(experiment, runs=16)
    met, values = FirstEpoch(0.999, low=2).judge(outcome(history))
    assert met[np.isnan(values)].all()
    assert np.isnan(values).any()
    met, values = FirstEpoch(0.999, high=2).judge(outcome(history))
    assert not met[np.isnan(values)].any()


@pytest.mark.tensorflow
def test_a_stuck_run_with_a_live_network_contradicts_the_dead_layer():
    problem = PROBLEMS["threshold"]
    experiment = rate(1e-5).apply(with_training(epochs=1)(problem.experiment))
    for key in ("sigmoid-output", "scale-inputs"):
        experiment = problem.fixes[key].apply(experiment)
    history = train(experiment, runs=32)
    met, worst = StuckExactlyWhenDead().judge(outcome(history))
    stuck = ~history.successes(0.9)
    np.testing.assert_array_equal(met, stuck == (worst == 1))
    assert (stuck & (worst < 1)).any(), "at that rate some are only on their way"
    assert not met.all()


@pytest.mark.tensorflow
def test_training_rows_flatter_where_a_network_learns_noise_by_heart():
    problem = PROBLEMS["two-blob"]
    noisy = problem.fixes["wider-hidden"].apply(
        problem.fixes["higher-learning-rate"].apply(problem.experiment)
    )
    source = noisy.data.source
    clean = with_data(hold_out=0.5)(noisy)
    noisy = with_data(
        hold_out=0.5, source=type(source)(samples=20, overlap=1.0, noise=0.1), scaling="standardise"
    )(with_training(epochs=400)(noisy))
    _, values = TrainingFlatters(0.01).judge(outcome(train(noisy, runs=16)))
    assert np.median(values) > 0.1
    met, values = TrainingFlatters(0.01).judge(outcome(train(clean, runs=16)))
    assert abs(np.median(values)) < 0.01
    assert not met.all()


def test_python_itself_loses_the_rows_that_the_data_lose():
    met, values = RowsLost(2_000, 0.45, 0.55).judge(Outcome((), (), 16, 0))
    assert met.all()
    partners = generator(0).integers(0, np.arange(2, 2_001))
    assert values.mean() == pytest.approx(1 - len(set(surviving_rows(partners))) / 2_000, abs=0.02)


def test_reversed_bounds_are_drawn_from_or_refused():
    outcome = Outcome((), (), 4, 0)
    assert not DrawFromReversedBounds(generator=False, refuses=False).judge(outcome)[0].any()
    assert DrawFromReversedBounds(generator=True, refuses=True).judge(outcome)[0].all()


@pytest.mark.tensorflow
def test_plain_keras_refuses_what_its_loss_cannot_take():
    asked = PROBLEMS["two-blob"].experiment
    assert accepts(asked, runs=2).all()
    # An experiment refuses this itself; Keras is to be heard here.
    wrong = with_training(epochs=1)(asked)
    object.__setattr__(wrong.training, "loss", "sparse_categorical_crossentropy")
    assert not accepts(wrong, runs=2).any()


# --- a claim is one entry -----------------------------------------------------------------------


@pytest.mark.tensorflow
def test_a_claim_that_is_added_is_known_everywhere(monkeypatch):
    added = replace(
        CLAIMS["threshold-shuffle-loses-rows"], key="added", problem="two-blob", source=OURS
    )
    monkeypatch.setitem(CLAIMS, "added", added)
    assert RECORDED.word("added") == UNTESTED
    assert "added" in set(RECORDED.frame()["key"])
    assert UNTESTED in RECORDED.markdown()
    assert RECORDED.counts(ours=True)[UNTESTED] == 1
    assert record.fingerprint() != RECORDED.claims
    request = CheckClaim("added", runs=4, seed=0)
    assert request.work == ()
    assert request.run(lambda event: None, lambda: False).verdict.runs == 4
    assert "added" in page.kinds()["claim"].options
    assert "added" in page.listed("two-blob", ())
    assert "added" not in page.listed("threshold", ())
    app = opened("claims", claim="added")
    assert app.radio(key="claims.claim").value == "added"
    assert app.button(key="claims-start")
    assert not app.exception


@pytest.mark.tensorflow
def test_claims_tested_in_parts_come_to_what_they_do_in_one(monkeypatch):
    some = ("two-blob-0.1-frees", "threshold-shuffle-loses-rows")
    monkeypatch.setattr(parts, "CLAIMS", {key: CLAIMS[key] for key in some})
    texts = [parts.request(3, first, 8) for first in (8, 0)]
    together = parts.joined([parts.examine_part(text) for text in texts], 3)
    for key, tested in together.items():
        claim = CLAIMS[key]
        whole = record.examine(claim, claim.outcome(16, 3))
        np.testing.assert_array_equal(tested.verdict.met, whole.verdict.met)
        np.testing.assert_array_equal(tested.verdict.values, whole.verdict.values)
        for arm, one in zip(tested.arms, whole.arms, strict=True):
            assert (arm.rate, arm.median_accuracy) == (one.rate, one.median_accuracy)
            assert arm.accuracy == one.accuracy[:8]
        assert bool(tested.findings) == bool(whole.findings) == claim.test.trains
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(parts, "CHUNK", 8)
    with (
        distributed.LocalCluster(
            1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        connected(cluster.scheduler_address) as client,
    ):
        executor = client.get_executor(pure=False)
        of_cluster = record.make(16, 3, executor=executor, on_progress=(done := []).append)
    assert done == [8, 16]
    for key, tested in together.items():
        np.testing.assert_equal(vars(of_cluster.tested[key].verdict), vars(tested.verdict))
        assert of_cluster.tested[key].arms == tested.arms
        assert of_cluster.tested[key].findings == tested.findings
