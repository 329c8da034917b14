"""What the stack promises about runs; `test_engine.py` holds it against Keras."""

import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from core.engine import compiled as programs
from core.engine.compiled import Program
from core.experiment import (
    Adam,
    Dense,
    InvalidExperiment,
    Model,
)
from core.history import CURVES, TARGET
from core.problems import PROBLEMS
from core.reference import fit
from core.training import train, train_all, train_together
from support.training import LAYOUTS, laid_out, noisy_table, small

pytestmark = pytest.mark.tensorflow


def test_runs_differ_and_another_seed_gives_others():
    experiment = small("sigmoid")
    history = train(experiment, runs=8, seed=0)
    assert len(np.unique(history.final_loss)) == 8
    other = train(experiment, runs=8, seed=1)
    assert not np.intersect1d(history.final_loss, other.final_loss).size
    again = train(experiment, runs=8, seed=0)
    np.testing.assert_array_equal(again.final_loss, history.final_loss)
    assert again.compile_seconds == 0, "the program is kept"


def test_runs_that_succeed_and_runs_that_fail_do_so_in_plain_keras():
    # After so few epochs some of the runs have learned, and some have not.
    asked = PROBLEMS["two-blob"].experiment
    experiment = replace(
        asked,
        data=replace(asked.data, scaling="standardise"),
        training=replace(asked.training, epochs=12),
    )
    history = train(experiment, runs=256)
    succeeds = history.successes(TARGET)
    assert 0.2 < succeeds.mean() < 0.8
    by_score = history.final_score.argsort()
    for run in map(int, (*by_score[:2], *by_score[-2:])):
        assert fit(experiment, seed=0, run=run).successes(TARGET)[0] == succeeds[run]


def test_a_run_that_is_not_finite_disturbs_no_other():
    experiment = small("relu", "categorical_crossentropy")
    history = train(experiment, runs=32)
    lost = ~history.finite
    assert 0 < lost.sum() < 32
    assert np.isfinite(history.loss[:, ~lost]).all()
    alone = train(experiment, runs=int(np.flatnonzero(~lost)[0]) + 1)
    np.testing.assert_array_equal(alone.loss[:, -1], history.loss[:, np.flatnonzero(~lost)[0]])
    assert np.isfinite(history.frame()["accuracy"]).all()


def test_progress_is_reported_and_stopping_is_honoured_within_an_epoch():
    seen = []
    history = train(
        small(epochs=50), runs=4, on_epoch=seen.append, should_stop=lambda: len(seen) >= 2
    )
    assert [epoch.number for epoch in seen] == [1, 2, 3]
    assert seen[0].of == 50
    for name in CURVES[:4]:
        np.testing.assert_array_equal(getattr(seen[1], name), getattr(history, name)[1])
    assert history.cancelled
    assert history.epochs == 3
    assert history.final_score.shape == (4,)


def test_final_accuracy_is_that_of_the_held_out_rows():
    experiment = small(shuffle=True)
    experiment = replace(experiment, data=replace(experiment.data, hold_out=0.5))
    history = train(experiment, runs=4)
    np.testing.assert_array_equal(history.final_score, history.val_score[-1])
    alone = fit(experiment)
    assert alone.final_score[0] == pytest.approx(alone.val_score[-1, 0], abs=1e-6)


def test_health_tells_dead_and_saturated_units():
    asked = PROBLEMS["threshold"].experiment
    asked = replace(asked, training=replace(asked.training, epochs=2))
    history = train(asked, runs=64)
    first = history.health.dead[-1, 0]
    kernels, biases = history.weights[0][-1, 0], history.weights[1][-1]
    x = np.array([0.0, 99_999.0])[:, None, None]
    dead = (np.maximum(x * kernels + biases, 0).max(axis=0) == 0).mean(axis=0)
    np.testing.assert_allclose(first, dead, atol=1e-6)
    assert 0 < first.mean() < 1
    assert (history.health.gradient_norm[1:, :, history.health.dead[0, 2] == 1] == 0).all()
    unscaled = replace(
        asked, model=Model((Dense(3, "tanh"), Dense(1, "sigmoid"))), data=replace(asked.data)
    )
    assert train(unscaled, runs=16).health.saturated[-1, 0].mean() > 0.5


def test_weights_are_kept_for_at_most_60_epochs():
    history = train(small(epochs=100), runs=2)
    assert len(history.key_epochs) <= 60
    assert history.key_epochs[[0, -1]].tolist() == [0, 100]
    assert history.weights[0].shape == (len(history.key_epochs), 2, 3, 2)


def test_runs_of_different_data_and_rates_share_a_stack():
    base = small(shuffle=True)
    others = [
        base,
        replace(base, data=replace(base.data, scaling="standardise", shuffling="rows")),
        replace(base, training=replace(base.training, optimizer=Adam(0.05))),
        replace(base, model=Model((Dense(3, "tanh", "he_normal"), Dense(1, "tanh")))),
    ]
    for together, experiment in zip(train_together(others, runs=4, seed=2), others, strict=True):
        np.testing.assert_array_equal(together.loss, train(experiment, runs=4, seed=2).loss)
    with pytest.raises(ValueError, match="structure"):
        train_together([base, small("relu")], runs=2)


@pytest.mark.parametrize(("runs", "seed"), [(0, 0), (2.5, 0), (10**6, 0), (True, 0), (1, -1)])
def test_impossible_numbers_are_refused(runs, seed):
    with pytest.raises(InvalidExperiment, match="whole number"):
        train(small(), runs=runs, seed=seed)


def test_compiled_programs_are_kept_up_to_a_bound():
    train(small(), runs=2)
    last = next(reversed(programs._kept.values()))
    train(small(), runs=2)
    assert next(reversed(programs._kept.values())) is last
    assert len(programs._kept) <= programs.KEPT


def counting(meet=None):
    """A kind of program that notes each one that is compiled; `meet` is called before that."""

    class Counted(Program):
        compiled: ClassVar[list] = []

        def __init__(self, *of):
            if meet is not None:
                meet()
            super().__init__(*of)
            (experiment, *_) = of
            self.compiled.append(experiment)

    return Counted


def networks(*units):
    return [
        replace(small(), model=Model((Dense(count, "tanh"), Dense(1, "sigmoid"))))
        for count in units
    ]


def test_every_structure_is_compiled_once_however_few_are_kept(monkeypatch):
    counted, others = counting(), networks(2, 4, 5, 6)
    monkeypatch.setattr(programs, "KEPT", 1)
    monkeypatch.setattr(programs, "_kept", OrderedDict())
    monkeypatch.setattr(programs, "Program", counted)

    def wait_for_all(progress):
        while len(counted.compiled) < len(others):
            time.sleep(0.01)

    histories = train_all(others, runs=2, on_progress=wait_for_all)
    assert len(counted.compiled) == len(others)
    assert len(programs._kept) <= 1
    assert [history.experiment for history in histories] == others


def test_two_threads_compile_at_once_but_nothing_twice(monkeypatch):
    # The barrier breaks unless two threads are compiling at the same time.
    counted, (one, other) = counting(partial(threading.Barrier(2).wait, 60)), networks(2, 4)
    monkeypatch.setattr(programs, "_kept", OrderedDict())
    monkeypatch.setattr(programs, "Program", counted)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda each: programs.program(each, 16), (one, other, one, other)))
    assert len(counted.compiled) == 2
    assert found[0] is found[2]
    assert found[1] is found[3]


def test_a_program_that_fails_to_compile_is_not_kept(monkeypatch):
    class Failing(Program):
        def __init__(self, *args):
            raise MemoryError

    monkeypatch.setattr(programs, "_kept", OrderedDict())
    with monkeypatch.context() as failing:
        failing.setattr(programs, "Program", Failing)
        with pytest.raises(MemoryError):
            train(small(), runs=2)
    assert train(small(), runs=2).runs == 2


SHARED = {"source": noisy_table(), "hold_out": 0.25, "scaling": "standardise"}


@pytest.mark.parametrize(("layout", "data"), zip(LAYOUTS, ({}, SHARED), strict=True))
def test_runs_from_a_number_on_are_those_of_a_bigger_stack(layout, data):
    experiment = small("sigmoid", data=data, shuffle=True)
    with laid_out(layout):
        bigger = train(experiment, runs=64, seed=3)
        for runs in (16, 64):  # a smaller stack, and one of the same size
            part = train(experiment, runs, seed=3, first=40)
            for name in ("loss", "final_score", "final_loss"):
                ours, same = getattr(part, name)[..., :16], getattr(bigger, name)[..., 40:56]
                np.testing.assert_array_equal(ours, same)
            for ours, same in zip(part.weights, bigger.weights, strict=True):
                np.testing.assert_array_equal(ours[..., :16], same[..., 40:56])
    np.testing.assert_array_equal(part.rows(2).x, bigger.rows(42).x)
