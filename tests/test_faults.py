"""What goes wrong on a server for strangers, each with real processes.

After every fault: a message that helps, no process left behind, and the next training works.
"""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.app import ROOT, App
from core.costs import FREE, Work, price
from core.fixes import with_training
from core.jobs import worker as workers
from core.jobs.limits import Limits
from core.jobs.requests import Train
from core.jobs.worker import Worker
from core.problems import PROBLEMS
from support.browser import open_at, press, set_number
from support.jobs import TESTS, ended, run_elsewhere, started, until
from support.pages import opened, setting
from support.requests import (
    FOREVER,
    Allocate,
    Count,
    Deaf,
    HoldPython,
    Large,
    Pid,
    Priced,
    Raise,
    ResourceExhaustedError,
    Stopped,
    Suicide,
)

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc are Linux's"),
]
ASKED = PROBLEMS["threshold"].experiment
SMALL = with_training(epochs=2)(PROBLEMS["two-blob"].experiment)
LONG = 60_000
"""Milliseconds that a training may take in a browser here, the start of TensorFlow included."""


@contextmanager
def working(silence=60, warm_up=(), preload="core.problems", **limits):
    worker = Worker({"PYTHONPATH": str(TESTS)}, preload, warm_up, Limits(**limits), silence)
    try:
        yield worker
    finally:
        worker.close()


def pid_of(worker):
    return ended(worker.submit("pid", "pid", Pid())).result


def gone(pid):
    """No such process any more, not even as a zombie."""
    return not Path(f"/proc/{pid}").exists()


def works(worker):
    return ended(worker.submit("next", "the next job", Count(3))).state == "done"


# --- the process dies, hangs, or does not stop ----------------------------------------------------


def test_a_process_that_is_killed_in_a_training_and_real_jobs_in_turn():
    with working(preload="core.training") as worker:
        long = worker.submit("a", "long", Train(with_training(epochs=2_000)(ASKED), 64))
        until(lambda: long.events, 60)
        pid = worker.pid
        os.kill(pid, signal.SIGKILL)
        assert ended(long).state == "failed"
        assert "(signal 9). It may have run out of memory." in long.error
        assert "settings are kept; press Train" in long.error
        assert gone(pid)

        # One viewer asks again and again; nobody waits for more than the job that runs.
        first = worker.submit("a", "first", Train(with_training(epochs=40)(ASKED), 64))
        until(lambda: first.events, 60)
        again = worker.submit("a", "second", Train(SMALL, 16))
        other = worker.submit("b", "other", Train(SMALL, 16))
        again = worker.submit("a", "third", Train(SMALL, 16))
        stranger = worker.submit("c", "stranger", Train(SMALL, 16))
        jobs = (first, other, stranger, again)
        assert all(job.wait(90) for job in jobs)
        assert [job.state for job in jobs] == ["done"] * 4
        assert sorted(jobs, key=lambda job: job.stopped) == list(jobs)
        assert other.result.epochs == 2


def test_a_process_that_hangs_is_replaced():
    with working(silence=4) as worker:
        pid = pid_of(worker)
        job = started(worker.submit("a", "long", FOREVER))
        waiting = worker.submit("b", "waiting", Count(3))
        os.kill(pid, signal.SIGSTOP)
        # A large request to a process that reads nothing must not stop the server's end.
        idle = worker.submit("c", "large", replace(Raise(ValueError("x" * 10_000_000))))
        assert worker.submit("c", "small", Count(1)).ahead[0] == "long"
        assert ended(job).state == "failed"
        assert "restarted: it did not answer any more" in job.error
        assert "settings are kept" in job.error
        assert gone(pid)
        assert idle.state == "cancelled"
        assert ended(waiting).state == "done"


def test_a_process_that_hangs_while_it_starts_is_replaced(tmp_path):
    marker = tmp_path / "once"
    (tmp_path / "hangs_once.py").write_text(
        "import os, pathlib, signal\n"
        f"marker = pathlib.Path({str(marker)!r})\n"
        "if not marker.exists():\n"
        "    marker.touch()\n"
        "    os.kill(os.getpid(), signal.SIGSTOP)\n"
    )
    path = os.pathsep.join((str(tmp_path), str(TESTS)))
    worker = Worker({"PYTHONPATH": path}, "hangs_once", (), silence=4)
    try:
        assert works(worker)
    finally:
        worker.close()


def test_a_slow_start_and_a_busy_compiler_are_not_taken_for_a_fault(tmp_path):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(5)\n")
    path = os.pathsep.join((str(tmp_path), str(TESTS)))
    worker = Worker({"PYTHONPATH": path}, "slow", (), silence=4)
    try:
        assert ended(worker.submit("a", "holds", HoldPython(2))).result == "awake"
    finally:
        worker.close()


def test_a_machine_that_sleeps_wakes_up_with_its_training(tmp_path):
    code = """
import sys, time
from core.jobs.worker import Worker
from support.requests import Count
worker = Worker(preload="core.problems", warm_up=(), silence=4)
job = worker.submit("a", "count", Count(40, pause=0.1))
while not job.events:
    time.sleep(0.01)
print(worker.pid, flush=True)
job.wait()
print(job.state, job.error, len(job.events))
"""
    with run_elsewhere(code, tmp_path) as server:
        process = int(server.stdout.readline())
        for sign, seconds in ((signal.SIGSTOP, 6), (signal.SIGCONT, 0)):
            os.kill(process, sign)
            server.send_signal(sign)
            time.sleep(seconds)
        output, _ = server.communicate(timeout=30)
    assert output.split() == ["done", "None", "40"]


def test_a_job_that_overruns_is_stopped_and_then_ended():
    with working(silence=2, seconds=1) as worker:
        job = ended(worker.submit("a", "listens", Stopped(True)))
        assert (job.state, job.result) == ("cancelled", Stopped(True))
        job = ended(worker.submit("a", "deaf", Deaf()))
        assert job.state == "failed"
        assert "far longer than a training may" in job.error
        assert works(worker)


def test_the_time_of_day_does_not_matter(monkeypatch):
    for path in (*ROOT.glob("core/**/*.py"), *ROOT.glob("pages/**/*.py")):
        assert not re.search(r"\btime\.time\(|datetime\.now", path.read_text()), path
    with working(silence=4) as worker:
        pid_of(worker)
        job = started(worker.submit("a", "count", Count(30, pause=0.1)))
        times = iter(range(0, -(10**9), -(10**6)))
        monkeypatch.setattr(time, "time", lambda: next(times))
        assert 0 <= job.seconds < 20
        assert 0 <= worker.submit("b", "count", Count(1)).expected_wait < 20
        assert ended(job).state == "done"
        assert 2 < job.seconds < 20


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [Allocate(), Raise(MemoryError()), Raise(ResourceExhaustedError("OOM when allocating"))],
)
def test_a_training_without_enough_memory_says_so_and_the_process_is_replaced(request_):
    with working() as worker:
        pid = pid_of(worker)
        job = ended(worker.submit("a", "large", request_))
        assert job.state == "failed"
        assert "not enough memory. Fewer runs" in job.error
        assert pid_of(worker) != pid
        assert gone(pid)


def test_a_process_that_the_system_ends_for_want_of_memory():
    with working() as worker:
        job = ended(worker.submit("a", "large", Suicide()))
        assert "It may have run out of memory. Fewer runs" in job.error
        assert works(worker)


def test_a_process_that_has_grown_is_replaced_between_jobs_unnoticed():
    with working(resident=1) as worker:
        jobs = [worker.submit(viewer, "pid", Pid()) for viewer in "abc"]
        pids = [ended(job).result for job in jobs]
        assert [job.state for job in jobs] == ["done"] * 3
        assert len(set(pids)) == 3
        until(lambda: all(gone(pid) for pid in pids))


def test_the_oldest_results_are_let_go_when_all_of_them_are_too_much():
    with working(held=3_000_000) as worker:
        jobs = [ended(worker.submit(viewer, "large", Large(1_000_000))) for viewer in "abc"]
        assert jobs[0].result is None
        assert "press Train to see it again" in jobs[0].error
        assert [len(job.result) for job in jobs[1:]] == [1_000_000] * 2
        del jobs[1]
        job = ended(worker.submit("d", "large", Large(1_000_000)))
        assert job.result
        assert jobs[1].result, "what no page holds does not count"
        assert ended(worker.submit("e", "largest", Large(9_000_000))).result, "the latest stays"


def test_the_warm_up_alone_replaces_nothing():
    with working(resident=1, warm_up=[("one", Count(1)), ("two", Count(1))]) as worker:
        until(lambda: worker.ready)
        process = worker.pid
        time.sleep(0.5)
        assert worker.ready
        assert worker.pid == process


# --- what is too large, and what waiting takes ----------------------------------------------------


def test_the_process_itself_refuses_what_the_server_let_through(monkeypatch):
    with working() as worker:
        monkeypatch.setattr(workers, "check", lambda request, limits: FREE)
        job = ended(worker.submit("a", "huge", Train(with_training(epochs=10_000)(ASKED), 512)))
        assert job.state == "failed"
        assert "the limit here is 5 min. With " in job.error


def test_a_click_that_asks_for_too_much_gets_a_message():
    app = opened("threshold", epochs="2000", runs="512")
    assert app.button(key="threshold-train").disabled
    app.button(key="threshold-fix-evaluated-on-training-data-hold-out").click().run()
    assert not app.exception
    assert "the limit here is" in app.toast[0].value
    assert setting(app, "threshold.epochs").value == 2_000


def test_a_waiting_job_says_how_long_it_waits():
    work = (Work((ASKED,), 64),)
    seconds = price(Train(ASKED, 64)).seconds
    with working() as worker:
        first = worker.submit("z", "first", Count(1))
        assert first.expected_wait in (0, workers.START_SECONDS)
        ended(first)
        running = started(worker.submit("a", "running", Priced(10**9, 0.01, work)))
        second = worker.submit("b", "second", Priced(1, 0, work * 2))
        third = worker.submit("c", "third", Priced(1, 0, work))
        assert running.expected_wait == 0
        assert 0 < second.expected_wait <= seconds
        assert third.expected_wait == pytest.approx(second.expected_wait + 2 * seconds, abs=0.5)
        assert third.ahead == ("running", "second")
        time.sleep(seconds)
        assert second.expected_wait == 0, "what runs takes longer than it was priced"
        running.cancel()
        ended(third)


# --- the log --------------------------------------------------------------------------------------


def test_the_log_says_what_happened_and_not_to_whom(caplog):
    with caplog.at_level("INFO", "plateau"), working(resident=1) as worker:
        job = ended(worker.submit("a-secret-session", "a count", Count(1)))
        with pytest.raises(ValueError, match="limit"):
            worker.submit("a-secret-session", "much", Train(with_training(epochs=9_000)(ASKED)))
        pid_of(worker)
    lines = [record.getMessage() for record in caplog.records]
    text = "\n".join(lines)
    assert "event=worker state=starting" in lines
    assert "event=worker state=up" in lines
    assert any(
        re.fullmatch(
            r'event=job label="a count" kind=Count price=0.0 seconds=[\d.]+ state=done', line
        )
        for line in lines
    )
    assert re.search(r"event=refusal label=much kind=Train price=\d+\.\d mb=\d+\.\d", text)
    assert re.search(r"event=recycle mb=[\d.]+", text)
    assert "secret" not in text
    assert job.state == "done"


def test_a_full_disk_stops_nothing(tmp_path):
    """No file may grow, and standard error is full; what is printed is lost, and that is all."""
    code = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
sys.stderr = open("/dev/full", "w")
from core import log
from core.jobs.worker import Worker
from support.requests import Pid, Raise
log.to_stderr()
worker = Worker(preload="core.problems", warm_up=())
for number in range(3):
    failed = worker.submit("a", "error", Raise(ValueError("printed with its traceback")))
    failed.wait()
    job = worker.submit("a", "pid", Pid())
    job.wait()
print(failed.state, job.state)
sys.stdout.flush()
os._exit(0)
"""
    with run_elsewhere(code, tmp_path) as process:
        output, _ = process.communicate(timeout=30)
    assert output.split() == ["failed", "done"]


# --- in a browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app():
    """A server that no other test uses, so that it can be stopped; its disk is full."""
    running = App(preexec_fn=_no_file_may_grow, stdout=subprocess.DEVNULL, stderr=None)
    running.start()
    yield running
    running.stop()


def _no_file_may_grow():
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.browser
def test_two_tabs_a_closed_one_and_a_browser_that_goes_offline(app, browser):
    from playwright.sync_api import expect

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    first, second = context.new_page(), context.new_page()
    open_at(first, f"{app.address}/Threshold_problem?epochs=2000")
    open_at(second, f"{app.address}/Threshold_problem?epochs=1990")
    press(first, "Train")
    bar = second.get_by_test_id("stProgress")
    expect(first.get_by_test_id("stProgress")).to_contain_text("Epoch", timeout=LONG)
    press(second, "Train")
    expect(bar).to_contain_text(
        re.compile(r"Waiting for: 64 runs of the threshold problem, about [\d.]+ "), timeout=LONG
    )
    first.close()
    expect(bar).to_contain_text("Epoch", timeout=20_000)

    context.set_offline(True)
    second.wait_for_timeout(10_000)
    context.set_offline(False)
    seen = bar.inner_text()
    expect(bar).to_contain_text("Epoch", timeout=20_000)
    expect(bar).not_to_have_text(seen, timeout=20_000)
    press(second, "Stop training")
    expect(second.get_by_role("heading", name="64 runs ended at")).to_be_visible(timeout=20_000)
    expect(second.get_by_text("1,990 epochs")).to_be_visible()
    context.close()


@pytest.mark.browser
def test_a_server_that_restarts_finds_the_settings_again(app, page):
    from playwright.sync_api import expect

    open_at(page, f"{app.address}/Two_blob_problem?fixes=higher-learning-rate")
    set_number(page, "Training", "Epochs", 7)
    address = re.compile("fixes=higher-learning-rate&epochs=7")
    expect(page).to_have_url(address)
    children = app.children()
    app.stop()
    page.wait_for_selector("[data-testid=stApp]:not([data-test-connection-state=CONNECTED])")
    until(lambda: all(gone(child) for child in children))
    app.start()
    page.wait_for_selector("[data-test-connection-state=CONNECTED]", timeout=LONG)
    press(page, "Train")
    expect(page.get_by_role("heading", name="runs ended at")).to_be_visible(timeout=LONG)
    expect(page).to_have_url(address)
    expect(page.get_by_text("Adam 0.1; 7 epochs")).to_be_visible()


@pytest.mark.browser
def test_a_training_beyond_the_limits_is_refused_before_it_is_asked_for(app, page):
    from playwright.sync_api import expect

    open_at(page, f"{app.address}/Threshold_problem?epochs=2000&runs=512")
    expect(page.get_by_text(re.compile("the limit here is 5 min. With .* epochs"))).to_have_count(1)
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
