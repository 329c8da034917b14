"""The worker with a real process: order, cancelling, sharing, and what happens when it dies."""

import os
import pickle
import signal
import socket
from dataclasses import replace
from multiprocessing.connection import Connection

import pytest

from core.experiment import InvalidExperiment
from core.jobs.child import BATCH_SECONDS
from core.jobs.job import Job
from core.jobs.requests import Train
from core.jobs.worker import ATTEMPTS, STARTING, Worker
from core.problems import PROBLEMS
from support.jobs import PATIENCE, TESTS, ended, run_elsewhere, started, until
from support.requests import (
    FOREVER,
    Count,
    Die,
    Fitted,
    Pid,
    Raise,
    Stopped,
    Threads,
    Unpicklable,
)

pytestmark = pytest.mark.tensorflow


def make(preload="core.problems", warm_up=()):
    return Worker({"PYTHONPATH": str(TESTS)}, preload, warm_up)


@pytest.fixture
def fresh():
    worker = make()
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def worker():
    worker = make()
    yield worker
    worker.close()


def test_all_events_come_in_order_and_before_the_result(worker):
    seen = []
    job = worker.submit("a", "count", Count(3_000))
    until(lambda: job.ended or seen.append(len(job.events)))
    assert (job.state, job.result, job.error) == ("done", 3_000, None)
    assert job.events == list(range(1, 3_001))
    assert seen == sorted(seen)


def test_a_request_is_done_within_the_limits_of_the_server(worker):
    assert ended(worker.submit("a", "fitted", Fitted())).result == worker.limits


def test_events_arrive_while_the_job_runs(worker):
    job = started(worker.submit("a", "count", FOREVER))
    assert job.state == "running"
    assert job.ahead == ()
    assert job.seconds > 0
    so_far = len(job.events)
    until(lambda: len(job.events) > so_far)
    job.cancel()
    ended(job)


def test_many_events_travel_in_few_messages(worker, monkeypatch):
    messages = []
    recv = Connection.recv

    def noted(self):
        batch = recv(self)
        # What the process says of itself is not the job's: a heartbeat, or that it was idle.
        if {pickle.loads(message)[0] for message in batch} & {"event", "done"}:
            messages.append(1)
        return batch

    monkeypatch.setattr(Connection, "recv", noted)
    job = ended(worker.submit("a", "count", Count(200, pause=0.001)))
    assert len(job.events) == 200
    assert len(messages) <= job.seconds / BATCH_SECONDS + 2


def test_cancel_takes_one_epoch_and_keeps_the_part_that_was_done(worker):
    job = started(worker.submit("a", "count", Count(1_000, pause=0.2)))
    job.cancel()
    assert job.cancelling
    before = len(job.events)
    ended(job)
    assert job.state == "cancelled"
    # More than one only by what was under way when the cancel was sent.
    assert before <= job.result <= before + 3
    assert job.result == len(job.events)


@pytest.mark.parametrize(("cancelled", "state"), [(True, "cancelled"), (False, "done")])
def test_a_cancel_that_changed_nothing_leaves_the_job_done(worker, cancelled, state):
    job = started(worker.submit("a", "stop", Stopped(cancelled)))
    job.cancel()
    assert ended(job).state == state
    assert job.result == Stopped(cancelled)


def test_cancel_after_the_end_does_nothing(worker):
    job = ended(worker.submit("a", "count", Count(1)))
    job.cancel()
    following = ended(worker.submit("a", "count", Count(5)))
    assert job.state == following.state == "done"


def test_cancel_while_waiting_leaves_the_queue(worker):
    running = started(worker.submit("a", "first", FOREVER))
    waiting = worker.submit("b", "second", Count(1))
    waiting.cancel()
    assert (waiting.state, waiting.result, waiting.seconds) == ("cancelled", None, 0)
    assert worker.submit("c", "third", Count(1)).ahead == ("first",)
    running.cancel()


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Raise(ValueError("no such thing")), "ValueError: no such thing"),
        (
            Raise(InvalidExperiment("units", 0, "at least 1")),
            "units is 0; it should be at least 1.",
        ),
        (Unpicklable(), "pickle"),
    ],
)
def test_an_error_fails_its_job_only(worker, request_, words):
    pid = ended(worker.submit("a", "pid", Pid())).result
    job = ended(worker.submit("a", "error", request_))
    assert job.state == "failed"
    assert job.result is None
    assert words in job.error
    if isinstance(getattr(request_, "error", None), InvalidExperiment):
        assert job.error == words
    assert ended(worker.submit("a", "pid", Pid())).result == pid


def test_a_request_that_does_not_pickle_is_refused(worker):
    with pytest.raises(Exception, match="pickle"):
        worker.submit("a", "lambda", lambda: None)


def test_a_killed_process_is_named_and_replaced(fresh):
    pid = ended(fresh.submit("a", "pid", Pid())).result
    job = started(fresh.submit("a", "count", FOREVER))
    waiting = fresh.submit("b", "pid", Pid())
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    assert ended(job).state == "failed"
    assert "stopped unexpectedly" in job.error
    assert "press Train" in job.error
    if os.name == "posix":
        assert "(signal 9)" in job.error
    assert ended(waiting).state == "done"
    assert waiting.result != pid


def test_a_process_that_is_killed_while_idle_is_replaced(fresh):
    pid = ended(fresh.submit("a", "pid", Pid())).result
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    until(lambda: not fresh.ready)
    until(lambda: fresh.ready)
    assert ended(fresh.submit("a", "pid", Pid())).result != pid


def test_jobs_that_kill_the_process_are_not_tried_again_and_stop_nobody(fresh):
    jobs = [fresh.submit(viewer, "die", Die()) for viewer in "abcde"]
    assert all("(exit code 3)" in ended(job).error for job in jobs)
    assert ended(fresh.submit("a", "count", Count(1))).state == "done"


def test_a_process_that_cannot_start_says_why_and_is_tried_again():
    worker = make(preload="no_such_module")
    try:
        for _ in range(2):
            job = ended(worker.submit("a", "count", Count(1)))
            assert job.state == "failed"
            assert "No module named 'no_such_module'" in job.error
        assert not worker.ready
    finally:
        worker.close()


def test_a_warm_up_that_kills_the_process_is_not_tried_for_ever(caplog):
    caplog.set_level("INFO", "plateau")
    worker = make(warm_up=[("warming up", Die())])
    try:
        until(lambda: worker.pid is None)
        starts = [r for r in caplog.records if r.getMessage() == "event=worker state=starting"]
        assert len(starts) == ATTEMPTS
        assert ended(worker.submit("a", "count", Count(1))).state == "done"
    finally:
        worker.close()


def test_viewers_come_before_the_warm_up():
    worker = make(warm_up=[("warming up", FOREVER)])
    try:
        first = worker.submit("a", "count", Count(1))
        assert first.ahead == (STARTING,)
        assert ended(first).state == "done"
        until(lambda: worker._running is not None)
        assert worker.submit("a", "count", Count(1)).ahead == ("warming up",)
        assert not worker.ready
    finally:
        worker.close()


def test_ready_once_warm():
    worker = make(warm_up=[("one", Count(5, pause=0.01)), ("two", Raise(ValueError("a bug")))])
    try:
        assert not worker.ready
        until(lambda: worker.ready)
    finally:
        worker.close()


def test_the_viewer_served_longest_ago_is_next(worker):
    for viewer in "ba":
        ended(worker.submit(viewer, "once", Count(1)))
    running = started(worker.submit("a", "the first", FOREVER))
    again = worker.submit("a", "another of a", Count(20, pause=0.01))
    other = worker.submit("b", "one of b", Count(20, pause=0.01))
    stranger = worker.submit("new", "one of a new viewer", Count(20, pause=0.01))
    assert again.state == other.state == stranger.state == "waiting"
    assert stranger.ahead == ("the first",)
    assert other.ahead == ("the first", "one of a new viewer")
    assert again.ahead == ("the first", "one of a new viewer", "one of b")
    running.cancel()
    ended(stranger)
    assert not other.ended
    assert not again.ended
    ended(other)
    assert not again.ended
    assert ended(again).state == "done"


def test_a_newer_job_replaces_the_viewers_waiting_one_and_keeps_its_place(worker):
    running = started(worker.submit("z", "the first", FOREVER))
    older = worker.submit("p", "older", Count(1))
    other = worker.submit("q", "other", Count(1))
    newer = worker.submit("p", "newer", Count(2))
    assert (older.state, older.events) == ("cancelled", [])
    assert newer.ahead == ("the first",)
    assert other.ahead == ("the first", "newer")
    running.cancel()
    assert ended(newer).result == 2
    assert ended(other).state == "done"


def test_close_cancels_everything():
    worker = make()
    running = started(worker.submit("a", "count", FOREVER))
    waiting = worker.submit("b", "count", Count(1))
    pid = worker.pid
    worker.close()
    worker.close()
    assert running.state == waiting.state == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="closed"):
        worker.submit("a", "count", Count(1))


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_the_process_goes_when_its_server_goes(tmp_path, how):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        code = f"""
from core.jobs.worker import Worker
from support.requests import Hold
worker = Worker(preload="core.problems", warm_up=())
worker.submit("a", "hold", Hold({server.getsockname()[1]}))
input()
"""
        with run_elsewhere(code, tmp_path) as parent:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE)
                if how == "killed":
                    parent.kill()
                else:
                    parent.communicate("\n", timeout=PATIENCE)
                assert connection.recv(1) == b""


def test_the_server_does_not_import_tensorflow(tmp_path):
    code = """
import sys
from core.jobs.worker import Worker
from support.requests import Count
worker = Worker(preload="core.problems", warm_up=())
job = worker.submit("a", "count", Count(3))
job.wait()
print(job.result, job.events, "tensorflow" in sys.modules, "streamlit" in sys.modules)
"""
    with run_elsewhere(code, tmp_path) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert output.split("\n")[0] == "3 [1, 2, 3] False False"
    assert process.returncode == 0


def test_numpy_takes_one_thread_beside_a_training(worker):
    job = worker.submit("a", "threads", Threads())
    job.wait(PATIENCE)
    assert job.result == 1


def test_it_trains_and_keeps_the_epochs_in_its_result_alone(monkeypatch):
    reported, add = [], Job.add

    def noted(job, event, size):
        reported.append((event, size))
        add(job, event, size)

    monkeypatch.setattr(Job, "add", noted)
    experiment = PROBLEMS["two-blob"].experiment
    experiment = replace(experiment, training=replace(experiment.training, epochs=4))
    worker = Worker(warm_up=())
    try:
        job = worker.submit("a", "8 runs", Train(experiment, runs=8, seed=1))
        assert job.wait(120), job.state
        assert job.state == "done", job.error
        epochs, sizes = zip(*reported, strict=True)
        assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]
        assert job.result.final_score.shape == (8,)
        assert (job.result.loss[-1] == epochs[-1].loss).all()
        whole = len(pickle.dumps(job.result))
        until(lambda: not job.events)
        assert job.size == pytest.approx(whole, rel=0.1)
        assert sum(sizes) > 0.2 * whole

        long = replace(experiment, training=replace(experiment.training, epochs=10_000))
        reported.clear()
        job = started(worker.submit("a", "8 runs", Train(long, runs=8)))
        job.cancel()
        assert ended(job).state == "cancelled"
        assert job.result.cancelled
        assert job.result.epochs == len(reported) < 10_000

        job = ended(worker.submit("a", "no runs", Train(experiment, runs=0)))
        assert job.error.startswith("runs is 0; it should be")
    finally:
        worker.close()
