"""Sweeps: the same counts whoever trains the chunks, whatever happens meanwhile."""

import json
import os
import signal
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from core import files
from core.experiment import Adam, InvalidExperiment
from core.sweep import Processes, Result, sweep
from core.sweep import __main__ as command
from core.sweep.sketch import LOSSES, SCORES, counted, quantile
from core.sweep.statistics import Statistics
from core.training import train
from pages.elements.charts.bands import bands
from support.charts import spec
from support.histories import made_up
from support.jobs import run_elsewhere, until
from support.training import small

EXPERIMENT = small("sigmoid", hidden="tanh", optimizer=Adam(0.01))
TARGET, CHUNK, RUNS = 0.7, 16, 88
"""With this target about half of the runs succeed; the last chunk is a smaller one."""


@pytest.fixture(autouse=True)
def no_page_as_main(monkeypatch):
    """New processes import the main module, which a page's test before has put a page in."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


def counts(statistics):
    return replace(statistics, microseconds=0, compiling=0)


class Here(Executor):
    """Runs the work at once, in this process."""

    def __init__(self, fail=()):
        self.fail, self.trained = list(fail), []

    def submit(self, fn, /, *args, **kwargs):
        future = Future()
        self.trained.append(json.loads(args[0])["first"])
        try:
            if self.fail:
                raise self.fail.pop(0)
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def swept(runs=RUNS, executor=None, **options):
    return sweep(EXPERIMENT, runs, 0, executor or Here(), CHUNK, target=TARGET, **options)


@pytest.fixture(scope="module")
def whole():
    return swept()


# --- statistics ---------------------------------------------------------------------------------

ODD = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e-30, 1e30])
VALUES = st.floats(-3, 3, width=32) | ODD


@st.composite
def histories(draw):
    epochs, runs = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    figures = st.lists(VALUES, min_size=epochs * runs, max_size=epochs * runs)
    loss, score = (np.array(draw(figures), np.float32).reshape(epochs, runs) for _ in range(2))
    experiment = small(epochs=epochs)
    return made_up(experiment, loss, np.minimum(score, 1))


def part_of(history, runs):
    figures = {
        name: getattr(history, name)[:, runs.start : runs.stop] for name in ("loss", "score")
    }
    return made_up(history.experiment, **figures, first=runs.start)


@settings(max_examples=60, deadline=None)
@given(histories(), st.data())
def test_statistics_add_up_in_any_order_and_grouping(history, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, history.runs), max_size=5)) | {history.runs})
    starts = [0, *cuts[:-1]]
    parts = [
        Statistics.of(part_of(history, range(start, stop)), TARGET)
        for start, stop in zip(starts, cuts, strict=True)
    ]
    parts = data.draw(st.permutations(parts))
    while len(parts) > 1:
        index = data.draw(st.integers(0, len(parts) - 2))
        parts[index : index + 2] = [parts[index] + parts[index + 1]]
    expected = Statistics.of(history, TARGET)
    assert parts[0] == expected
    assert Statistics() + expected == expected + Statistics() == expected
    restored = Statistics.restored(json.loads(json.dumps(expected.plain(), allow_nan=False)))
    assert restored == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=50), st.booleans(), st.floats(0, 1))
def test_quantiles_are_within_the_stated_error(values, negative, q):
    values = -np.array(values) if negative else np.array(values)
    exact = np.quantile(values, q, method="lower")
    assert quantile(counted(LOSSES.cells(values)), q, LOSSES) == pytest.approx(exact, rel=0.00251)
    shares = values % 1
    exact = np.quantile(shares, q, method="lower")
    assert quantile(counted(SCORES.cells(shares)), q, SCORES) == pytest.approx(exact, abs=0.00251)


def test_what_is_not_a_number_is_the_worst():
    losses = counted(LOSSES.cells(np.array([np.nan, -1.0, 0.0, 2.0], np.float32)))
    assert [quantile(losses, q, LOSSES) for q in (0, 0.4, 1)] == [
        pytest.approx(-1, rel=0.02),
        0,
        np.inf,
    ]
    scores = counted(SCORES.cells(np.array([0.9, np.nan], np.float32)))
    assert np.isnan(quantile(scores, 0, SCORES))
    assert quantile(scores, 1, SCORES) == 0.9
    assert np.isnan(quantile({}, 0.5, SCORES))


# --- sweeps -------------------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_a_sweep_counts_what_one_training_does(whole):
    history = train(EXPERIMENT, RUNS)
    assert 0 < whole.rate.successes < RUNS == whole.runs
    assert counts(whole.statistics) == counts(Statistics.of(history, TARGET))
    assert whole.worst[0] == history.final_score.argmin()
    median = whole.curve(0.5)
    assert median["epoch"].tolist() == [1, 2, 3, 4, 5]
    assert (median["runs"] == RUNS).all()
    expected = np.quantile(history.evaluated_score, 0.5, axis=1, method="lower")
    np.testing.assert_allclose(median["value"], expected, atol=0.00251)
    assert (median["low"] <= median["value"]).all()
    assert (median["value"] <= median["high"]).all()
    assert whole.reached()["runs"].is_monotonic_increasing
    again = train(EXPERIMENT, 1, first=whole.worst[0])
    assert again.final_score[0] == history.final_score.min()


@pytest.mark.tensorflow
def test_the_result_comes_back_from_json_and_other_text_does_not(whole):
    text = whole.to_json()
    assert counts(Result.from_json(text).statistics) == counts(whole.statistics)
    assert Result.from_json(text).rate == whole.rate
    assert whole.to_csv().splitlines()[0].startswith("epoch,runs,score_5")
    for wrong in (
        "",
        "[]",
        '{"experiment":{}}',
        text.replace(f'"successes":{whole.rate.successes}', '"successes":1000000'),
        text.replace(f'"successes":{whole.rate.successes}', '"successes":"many"'),
        text.replace('"epochs":{', '"epochs":{"x":1,'),
    ):
        with pytest.raises(InvalidExperiment):
            Result.from_json(wrong)


def test_the_epochs_of_a_result_from_json_are_in_order():
    by_epoch = {epoch: {1: 2} for epoch in range(1, 13)}
    statistics = Statistics(runs=2, final_scores={1: 2}, scores=by_epoch, losses=by_epoch)
    made = Result(EXPERIMENT, 0, 0.9, 2, 2, None, statistics, 1.0, {})
    assert Result.from_json(made.to_json()).to_csv() == made.to_csv()


@pytest.mark.tensorflow
def test_a_page_opens_the_result(whole):
    assert counts(files.read_sweep(whole.to_json().encode()).statistics) == counts(whole.statistics)
    assert files.read_sweep(EXPERIMENT.to_json().encode()) is None
    with pytest.raises(InvalidExperiment, match="result of a sweep"):
        files.read_sweep(b'{"statistics":{}}')

    def page(result):
        from pages.elements import swept

        swept.draw(result)

    app = AppTest.from_function(page, args=(whole,), default_timeout=30).run()
    assert not app.exception
    assert f"{whole.rate.successes} of {RUNS} runs" in app.markdown[-1].value
    plain = spec(bands(whole.frame(), "loss", 5))
    assert len(plain["datasets"]["quantiles"]) == 5


def test_the_work_of_other_processes_goes_on_when_one_dies():
    executor = Processes(2)
    try:
        living, dying = executor.submit(time.sleep, 1), executor.submit(os._exit, 9)
        with pytest.raises(BrokenProcessPool):
            dying.result(60)
        assert living.result(60) is None
        assert executor.submit(abs, -3).result(60) == 3
        assert len(executor.pids) == 2
    finally:
        executor.kill()
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(abs, -3)


def test_a_process_that_only_starts_is_killed_with_its_work():
    executor = Processes(1)
    work = executor.submit(time.sleep, 60)
    executor.kill()
    with pytest.raises(BrokenProcessPool):
        work.result(0)


STARTED = """
import os, time
from core.sweep import Processes

if __name__ == "__main__":
    print(Processes(1).submit(os.getpid).result(), flush=True)
    time.sleep(60)
"""


def test_no_process_outlives_the_one_that_started_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(STARTED)
    parent = run_elsewhere(
        f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", tmp_path
    )
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until(lambda: not _alive(pid))


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.tensorflow
def test_a_process_that_dies_costs_its_chunk_and_nothing_else(whole):
    killed = []

    def kill_one(progress):
        if progress.runs and not killed:
            killed.append(executor.pids[0])
            os.kill(killed[0], signal.SIGKILL)

    executor = Processes(1)
    try:
        result = swept(executor=executor, on_progress=kill_one)
        assert executor.pids != killed
    finally:
        executor.kill()
    assert killed
    assert counts(result.statistics) == counts(whole.statistics)


@pytest.mark.tensorflow
def test_a_worker_of_dask_that_dies_changes_no_count(whole):
    distributed = pytest.importorskip("distributed")
    killed = []

    def kill_one(progress):
        if progress.runs and not killed:
            killed.extend(client.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor(pure=False, retries=2)
        result = swept(executor=executor, on_progress=kill_one, in_flight=4)
    assert killed
    assert counts(result.statistics) == counts(whole.statistics)


@pytest.mark.tensorflow
def test_a_sweep_goes_on_from_its_checkpoint(whole, tmp_path):
    path, seen = tmp_path / "sweep.jsonl", []
    first = swept(
        checkpoint=path,
        on_progress=lambda progress: seen.append(progress.runs),
        should_stop=lambda: len(seen) > 2,
        in_flight=1,
    )
    assert not first.complete
    assert first.runs == 2 * CHUNK
    # A disk lost a line between the others, and the process died in the middle of one.
    header, one, other = path.read_text().splitlines()
    spoilt = other.replace('"runs":16', '"runs":"many"', 1)
    path.write_text("\n".join((header, spoilt, one, other, '{"first":32,"runs":16,"statis')))
    executor = Here()
    result = swept(executor=executor, checkpoint=path)
    assert executor.trained == [32, 48, 64, 80]
    assert counts(result.statistics) == counts(whole.statistics)
    # Fewer runs than before: the last chunk is another one.
    executor = Here()
    fewer = swept(runs=40, executor=executor, checkpoint=path)
    assert executor.trained == [32]
    assert counts(fewer.statistics) == counts(swept(runs=40).statistics)
    with pytest.raises(ValueError, match="differs in seed"):
        sweep(EXPERIMENT, RUNS, 1, Here(), CHUNK, target=TARGET, checkpoint=path)
    other = tmp_path / "notes.txt"
    other.write_text("milk, eggs")
    with pytest.raises(ValueError, match="no checkpoint"):
        swept(checkpoint=other)
    assert other.read_text() == "milk, eggs"


@pytest.mark.tensorflow
def test_a_chunk_that_fails_is_trained_again_and_counted_once(whole):
    executor = Here(fail=[OSError("a disk"), OSError("a net")])
    assert counts(swept(executor=executor).statistics) == counts(whole.statistics)
    with pytest.raises(RuntimeError, match=r"runs 0 to 15 failed 3 times: OSError: gone"):
        swept(executor=Here(fail=[OSError("gone")] * 3), in_flight=1)
    with pytest.raises(InvalidExperiment, match="at most"):
        swept(executor=Here(fail=[InvalidExperiment("runs", 16, "at most 3")]))


@pytest.mark.tensorflow
def test_until_stops_at_the_same_run_whoever_is_first(whole):
    width = 0.15
    one = swept(until=width, in_flight=1)
    assert one.complete
    assert one.runs < RUNS
    assert (one.rate.high - one.rate.low) / 2 <= width

    class Backwards(Here):
        """Finishes what came last first."""

        def submit(self, fn, /, *args, **kwargs):
            waiting.append((future := Future(), super().submit(fn, *args, **kwargs)))
            if len(waiting) == 3:
                for own, done in reversed(waiting):
                    own.set_result(done.result())
                waiting.clear()
            return future

    waiting: list = []
    other = swept(executor=Backwards(), until=width, in_flight=3)
    assert counts(other.statistics) == counts(one.statistics)
    never = swept(runs=32, until=0.001)
    assert never.complete
    assert never.runs == 32


@pytest.mark.tensorflow
def test_cancelling_returns_what_there_is():
    with ThreadPoolExecutor(1) as executor:
        seen = []
        result = swept(
            executor=executor,
            on_progress=seen.append,
            should_stop=lambda: seen[-1].runs > 0,
        )
    assert 0 < result.runs < RUNS
    assert not result.complete
    assert seen[0].rate is None
    assert seen[0].left is None
    assert seen[-1].left > 0
    assert seen[-1].rate == result.rate


@pytest.mark.parametrize(
    "wrong", [{"runs": 0}, {"runs": 2.5}, {"chunk": 5_000}, {"until": 0}, {"until": 2}]
)
def test_impossible_numbers_are_refused(wrong):
    with pytest.raises(InvalidExperiment):
        sweep(EXPERIMENT, **{"runs": 10, "executor": Here(), **wrong})


@pytest.mark.tensorflow
def test_the_command_writes_json_and_csv(tmp_path, monkeypatch, capsys):
    experiment, out = tmp_path / "mine.json", tmp_path / "result.json"
    experiment.write_text(EXPERIMENT.to_json())
    monkeypatch.setattr(command, "chosen_executor", lambda *_: _here())
    options = ["--runs", "32", "--chunk", "16", "--target", "0.7", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["core.sweep", str(experiment), *options])
    handler = signal.getsignal(signal.SIGINT)
    try:
        command.main()
    finally:
        signal.signal(signal.SIGINT, handler)
    result = Result.from_json(out.read_text())
    assert result.runs == 32
    assert result.experiment == EXPERIMENT
    assert out.with_suffix(".csv").read_text() == result.to_csv()
    said = capsys.readouterr()
    assert f"{result.rate.successes} of 32 runs" in said.out
    assert "32 of 32 runs (100%)" in said.err


def test_the_command_says_what_is_wrong_and_loses_nothing(tmp_path, monkeypatch):
    experiment, checkpoint = tmp_path / "mine.json", tmp_path / "sweep.jsonl"
    experiment.write_text(EXPERIMENT.to_json())
    (tmp_path / "text.json").write_text("not json")
    (tmp_path / "notes.txt").write_text("milk, eggs")

    def ends_with(match, *options, file="mine.json"):
        argv = ["core.sweep", str(tmp_path / file), "--runs", "32", "--chunk", "16", *options]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit, match=match):
            command.main()

    ends_with("No such file", file="none.json")
    ends_with("no experiment as JSON", file="text.json")
    ends_with("0 processes cannot train", "--processes", "0")
    ends_with("target is nan", "--target", "nan")
    ends_with("written beside it", "--out", str(tmp_path / "result.csv"))
    ends_with("overwrite", "--out", str(experiment))
    ends_with("cannot be written", "--out", str(tmp_path / "none" / "result.json"))
    ends_with("no checkpoint of a sweep", "--checkpoint", str(tmp_path / "notes.txt"))
    assert experiment.read_text() == EXPERIMENT.to_json()
    handler = signal.getsignal(signal.SIGINT)
    gone = BrokenProcessPool("gone")
    monkeypatch.setattr(command, "chosen_executor", lambda *_: _here(fail=[gone] * 3))
    try:
        ends_with(
            r"runs 0 to 15 failed 3 times: their process died.*\n"
            r".*chunks are in .*sweep.jsonl; the same command goes on",
            "--checkpoint",
            str(checkpoint),
        )
    finally:
        signal.signal(signal.SIGINT, handler)
    assert checkpoint.exists()


class _here:
    def __init__(self, **options):
        self.executor = Here(**options)

    def __enter__(self):
        return self.executor, 1

    def __exit__(self, *_):
        pass
