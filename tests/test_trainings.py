"""The trainings that are kept for visitors, and the comparisons that are kept in the repository."""

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core import files
from core.costs import FREE
from core.jobs.job import Job
from core.jobs.requests import Train
from core.jobs.results import Results
from core.jobs.trainings import Training, Trainings
from core.problems import PROBLEMS
from core.recorded_comparisons import RUNS, SEED, load
from support.histories import made_up

EXPERIMENT = PROBLEMS["threshold"].experiment
SCORES = np.float32([[0.5, 0.95, 0.5, 0.5], [0.5, 0.5, 0.95, 0.9]])


def training(name, state="done", seed=0, page="threshold"):
    request = Train(EXPERIMENT, 4, seed)
    job = Job(None, "visitor", name, request, FREE)
    job.start()
    result = None if state == "failed" else made_up(EXPERIMENT, 1 - SCORES, SCORES)
    job.finish(state, result)
    return Training(name, page, request, job)


def names(kept, visitor, page="threshold"):
    return [each.name for each in kept.of(visitor, page)]


def test_the_latest_trainings_of_the_latest_visitors_are_kept():
    kept = Trainings(most=2, visitors=2)
    for name in "abc":
        kept.add("ann", training(name))
    assert names(kept, "ann") == ["b", "c"]
    assert names(kept, "ann", "two-blob") == []
    kept.add("bob", training("d"))
    kept.add("ann", training("e"))
    kept.add("cem", training("f"))
    assert (names(kept, "ann"), names(kept, "bob"), names(kept, "cem")) == (["c", "e"], [], ["f"])
    kept.remove("ann", kept.of("ann", "threshold")[0])
    assert names(kept, "ann") == ["e"]


def test_what_visitors_trained_on_takes_a_bounded_room():
    size = len(training("a").job.payload)
    kept = Trainings(bytes=2.5 * size)
    for visitor in ("ann", "bob", "cem"):
        kept.add(visitor, training(visitor))
    assert [names(kept, visitor) for visitor in ("ann", "bob", "cem")] == [[], ["bob"], ["cem"]]
    for name in "abc":
        kept.add("cem", training(name))
    assert (names(kept, "bob"), len(names(kept, "cem"))) == ([], 4), "one's own are kept"


def test_a_training_that_failed_is_no_row_and_one_that_was_let_go_keeps_its_rate():
    kept, full = Trainings(), training("full")
    kept.add("ann", training("failed", "failed"))
    kept.add("ann", full)
    assert names(kept, "ann") == ["full"]
    results, full.job.size = Results(limit=0), 1
    results.add(full.job)
    results.add(training("later", seed=1).job)
    assert names(kept, "ann") == ["full"]
    assert full.history is None
    assert (full.rate(0.9).successes, full.rate(0.94).successes) == (2, 1)
    assert kept.find(full.request) is None, "there is nothing left to show"


def test_the_same_training_of_several_visitors_is_kept_once():
    results = Results(limit=1e9)
    ann, bob, other, stopped = (
        training(name, state, seed).job
        for name, state, seed in (
            ("ann", "done", 0),
            ("bob", "done", 0),
            ("other", "done", 1),
            ("stopped", "cancelled", 0),
        )
    )
    stopped.result = replace(stopped.result, cancelled=True)
    bob.result = replace(bob.result, seconds=7.0)
    for job in (ann, bob, other, stopped):
        results.add(job)
    assert bob.result.loss is ann.result.loss
    assert bob.result.seconds == 7.0 != ann.result.seconds
    assert other.result.loss is not ann.result.loss
    assert stopped.result.loss is not ann.result.loss
    ann.release(None)
    assert bob.result is not None


def test_what_several_visitors_share_counts_once_and_is_let_go_together():
    jobs = [training("a", seed=seed).job for seed in (0, 1, 0, 2)]
    results = Results(limit=5)
    for job in jobs:
        job.size = 2
        results.add(job)
    assert [job.result is None for job in jobs] == [False, True, False, False]
    jobs[-1].size = 4
    results.add(training("b", seed=3).job)
    assert [job.result is None for job in jobs] == [True, True, True, False]


def test_a_link_finds_the_whole_result_of_the_same_request_only():
    kept = Trainings()
    kept.add("ann", training("stopped", "cancelled", seed=1))
    kept.add("ann", training("whole", seed=2))
    assert kept.find(Train(EXPERIMENT, 4, 2)).label == "whole"
    assert kept.find(Train(EXPERIMENT, 4, 1)) is None
    assert kept.find(Train(EXPERIMENT, 8, 2)) is None


def test_the_rows_are_exported_with_their_experiments():
    table = pd.read_csv(io.StringIO(files.trainings_csv([training("=1, one", seed=3)], 0.9)))
    (row,) = table.to_dict("records")
    assert (row["name"], row["successes"], row["runs"], row["seed"]) == ("=1, one", 2, 4, 3)
    assert row["low"] < row["rate"] == 0.5 < row["high"]
    assert files.read_experiment(row["experiment"].encode()) == EXPERIMENT


def test_the_share_at_the_target_keeps_what_a_run_that_was_stopped_ended_with():
    history = made_up(EXPERIMENT, 1 - SCORES, SCORES, last_epochs=np.array([2, 1, 2, 2]))
    assert history.reached(0.9).tolist() == [0.25, 0.75]


@pytest.mark.parametrize("problem", [p for p in PROBLEMS.values() if p.compared])
def test_the_recorded_comparison_is_of_the_experiments_as_they_are_now(problem):
    record = load(problem)
    assert record is not None, "run python -m core.recorded_comparisons"
    comparison = record.comparison
    assert comparison.fixes == problem.compared
    assert comparison.experiment == problem.experiment
    table = comparison.rates(0.9)
    assert (table["runs"] == RUNS).all()
    assert table["rate"].max() > table["rate"].iloc[0], "some combination helps"
    assert comparison.contributions(0.9)["value"].notna().all()


@pytest.mark.tensorflow
def test_the_recorded_comparison_is_what_training_gives():
    from core.training import train

    comparison = load(PROBLEMS["threshold"]).comparison
    kept = comparison.history(("sigmoid-output", "scale-inputs"))
    again = train(kept.experiment, 4, SEED)
    np.testing.assert_array_equal(again.final_score, kept.final_score[:4])
    np.testing.assert_allclose(again.evaluated_loss, kept.evaluated_loss[:, :4], rtol=1e-4)
