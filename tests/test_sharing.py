"""Trainings that several processes share: the same runs, whoever trains them and whoever dies."""

import os
import signal
import threading
import time
from dataclasses import fields, replace
from queue import SimpleQueue

import numpy as np
import pytest

from core import costs, parts
from core.callbacks import EarlyStopping
from core.costs import Work, price, priced
from core.experiment import Adam
from core.fixes import with_hidden, with_training
from core.history import CURVES, Health
from core.jobs import sharing
from core.jobs.crew import Crew, PartFailed
from core.jobs.helper import Helper
from core.jobs.limits import Limits, check
from core.jobs.process import Process
from core.jobs.requests import Train
from core.problems import PROBLEMS
from core.training import train, train_all
from support.training import small

EXPERIMENT = small("sigmoid", hidden="tanh", optimizer=Adam(0.01))
RUNS = 90
"""Not a multiple of the lanes; two parts of it have the same number of them."""


class Thread:
    """A place in a thread of this process, whose programs can train one part at a time."""

    turn = threading.Lock()

    def __init__(self, fails=()):
        self.fails, self.stop = list(fails), threading.Event()

    def start(self, part, put):
        def work():
            kind, value = self.fails.pop(0) if self.fails else ("done", None)
            if kind == "done":
                with self.turn:
                    value = part.run(lambda event: put("event", event), self.stop.is_set)
            put(kind, value)

        self.stop.clear()
        threading.Thread(target=work).start()

    def cancel(self):
        self.stop.set()


@pytest.fixture
def share(monkeypatch):
    def share(*places):
        monkeypatch.setattr(costs, "LONG", 0)
        monkeypatch.setattr(parts, "crew", Crew(lambda: places, here=False))

    return share


def assert_same(shared, alone):
    for name in (*CURVES, "final_loss", "final_score", "key_epochs", "last_epochs", "final_epochs"):
        ours, theirs = getattr(shared, name), getattr(alone, name)
        assert (ours is None) == (theirs is None), name
        if ours is not None:
            np.testing.assert_array_equal(ours, theirs, name)
    for each in fields(Health):
        ours, theirs = getattr(shared.health, each.name), getattr(alone.health, each.name)
        np.testing.assert_array_equal(ours, theirs, each.name)
    for ours, theirs in zip(shared.weights, alone.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (shared.seed, shared.first, shared.cancelled) == (alone.seed, alone.first, False)


STOPPING = with_training(
    epochs=12,
    callbacks=(EarlyStopping(monitor="val_loss", patience=1, restore_best_weights=True),),
)(small("sigmoid", data={"hold_out": 0.25}, optimizer=Adam(0.05)))


@pytest.mark.tensorflow
def test_the_runs_are_the_same_to_the_last_bit(share):
    told = [], []
    alone = train(STOPPING, RUNS, 3, told[0].append, first=5)
    share(Thread(), Thread())
    shared = train(STOPPING, RUNS, 3, told[1].append, first=5)
    assert_same(shared, alone)
    for ours, theirs in zip(*told[::-1], strict=True):
        assert (ours.number, ours.of) == (theirs.number, theirs.of)
        np.testing.assert_array_equal(ours.evaluated_score, theirs.evaluated_score)


def test_a_wide_network_is_not_divided_as_smaller_stacks_end_at_other_bits():
    wide = with_hidden(units=96)(with_training(batch_size=32)(EXPERIMENT))
    assert len(parts.divided((EXPERIMENT,), 64, 0, 0, 2)) == 2
    assert len(parts.divided((wide,), 64, 0, 0, 2)) == 1


@pytest.mark.tensorflow
def test_a_stack_of_several_experiments_is_shared_too(share):
    asked = [small("sigmoid", hidden="tanh", optimizer=Adam(rate)) for rate in (0.01, 0.1)]
    alone = train_all(asked, 24)
    share(Thread(), Thread())
    told = []
    for one, other in zip(train_all(asked, 24, 0, told.append), alone, strict=True):
        assert_same(one, other)
    assert [each.share for each in told] == sorted(each.share for each in told)
    assert (told[-1].share, told[-1].finished, told[-1].of) == (pytest.approx(1), 2, 2)
    assert train_all(asked, 24, should_stop=lambda: True) is None


@pytest.mark.tensorflow
def test_a_training_that_is_stopped_keeps_what_each_part_has(share):
    long = with_training(epochs=10_000)(EXPERIMENT)
    share(Thread(), Thread())
    train(EXPERIMENT, 32)  # compiles their program
    started = time.monotonic()
    history = train(long, 32, should_stop=lambda: time.monotonic() > started + 0.5)
    assert history.cancelled
    # One part had its turn, the other one stopped after its first epoch.
    assert sorted(set(history.ends)) == [1, history.epochs]
    assert 1 < history.epochs < 10_000
    assert (np.isfinite(history.evaluated_score) == history.trained).all()
    np.testing.assert_array_equal(history.final_score, history.at_end(history.evaluated_score))
    assert [len(array) for array in history.weights] == [len(history.key_epochs)] * 4


@pytest.mark.tensorflow
def test_a_part_that_fails_or_dies_each_time_ends_the_training(share):
    alone = train(EXPERIMENT, 32)
    share(Thread([("died", "gone")] * 2))
    assert_same(train(EXPERIMENT, 32), alone)
    for fails in ([("died", "gone")] * 3, [("failed", "gone")]):
        share(Thread(fails))
        with pytest.raises(PartFailed, match="gone"):
            train(EXPERIMENT, 32)


@pytest.mark.tensorflow
def test_a_helper_that_is_killed_costs_its_part_and_nothing_else(share):
    asked = with_training(epochs=400)(EXPERIMENT)
    alone = train(asked, 32)
    helper, killed = Helper(Limits().resident), []
    share(helper, Thread())

    def kill(epoch):
        if not killed:
            killed.append(helper.pid)
            os.kill(helper.pid, signal.SIGKILL)

    try:
        # A helper that has told an epoch is in the middle of its part.
        assert_same(train(asked, 32, on_epoch=kill), alone)
        assert killed
        assert helper.pid not in (None, *killed), "a new process trained the part"
    finally:
        helper.close()


def test_a_helper_that_exits_as_it_starts_is_heard_of(monkeypatch):
    class Exiting(Process):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.kill("at once")
            self.wait()
            time.sleep(0.5)

    monkeypatch.setattr("core.jobs.helper.Process", Exiting)
    heard = SimpleQueue()
    Helper(Limits().resident).start(None, lambda *said: heard.put(said))
    assert heard.get(timeout=30)[0] == "died"


@pytest.mark.tensorflow
def test_a_cluster_trains_reports_and_stops(share, monkeypatch):
    distributed = pytest.importorskip("distributed")
    from core.jobs import cluster as clusters

    monkeypatch.setattr(clusters, "REPORT_SECONDS", 0)
    monkeypatch.setattr(clusters, "ASK_SECONDS", 0.1)
    alone = train(EXPERIMENT, 32)
    with distributed.LocalCluster(
        1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as local:
        cluster = clusters.Cluster(local.scheduler_address)
        share()
        monkeypatch.setattr(parts, "crew", Crew(cluster.places, here=False))
        assert (parts.crew.workers, parts.crew.elsewhere) == (2, True)
        told = []
        assert_same(train(EXPERIMENT, 32, on_epoch=told.append), alone)
        assert [epoch.number for epoch in told][:4] == [1, 2, 3, 4]
        long, started = with_training(epochs=10_000)(EXPERIMENT), time.monotonic()
        stopped = train(long, 32, should_stop=lambda: time.monotonic() > started + 1)
        assert stopped.cancelled
        assert stopped.epochs < 10_000
        cluster.close()
        # Nobody is there any more: this process trains.
        assert parts.crew.workers == 1
        assert_same(train(EXPERIMENT, 32), alone)


# --- how many share, and what it costs ------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "hosted", "count"), [(None, True, 1), ("3", True, 3), ("3", False, 3), ("0", True, 1)]
)
def test_a_server_for_others_shares_only_where_it_is_told_to(given, hosted, count):
    environment = {} if given is None else {sharing.PROCESSES: given}
    assert sharing.processes(hosted, environment) == count


def test_cores_and_memory_decide_on_ones_own_machine(monkeypatch):
    monkeypatch.setattr(sharing, "most_processes", lambda: 6)
    assert sharing.processes(False, {}) == 6


def test_the_price_of_a_long_training_is_shared(share):
    long = with_training(epochs=400)(PROBLEMS["threshold"].experiment)
    short = Train(PROBLEMS["two-blob"].experiment)
    assert price(short, 8) == price(short)
    alone, shared = price(Train(long, 512)), price(Train(long, 512), 8)
    assert alone.seconds / 8 < shared.seconds < alone.seconds / 5
    assert shared.part_bytes == alone.bytes / 8
    assert replace(shared, seconds=alone.seconds, part_bytes=alone.bytes) == alone
    # No more parts than registers can be filled for.
    assert price(Train(long, 32), 8).seconds == price(Train(long, 32), 2).seconds
    # Sixteen programs take long to compile, and what is trained at once is in memory at once.
    programs = Work(tuple(with_hidden(units=n)(long) for n in range(4, 20)), 16, returned=False)
    brief = replace(programs, experiments=tuple(map(with_training(epochs=1), programs.experiments)))
    assert priced(brief, 4).seconds < priced(brief).seconds / 2
    assert priced(programs, 4).bytes > priced(programs).bytes
    limits = Limits(seconds=alone.seconds / 4, bytes=alone.bytes / 4)
    with pytest.raises(ValueError, match="would train for"):
        check(Train(long, 512), limits)
    with pytest.raises(ValueError, match="of memory"):
        check(Train(long, 512), limits.shared(8))
    check(Train(long, 512), limits.shared(8, elsewhere=True))
    # What is too short to be shared is trained here.
    with pytest.raises(ValueError, match="of memory"):
        check(Train(with_training(epochs=1)(long), 512), limits.shared(8, elsewhere=True))
