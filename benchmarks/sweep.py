"""Sweeps: throughput, the overhead of chunks, memory, a worker of Dask that dies, and the pages.

    python -m benchmarks.sweep [--runs 100000]

The threshold question with both accepted fixes, in chunks of 512 runs. One process trains a part of
the runs and two train all of them; then two workers of a local Dask cluster train the part again,
and one of them is killed (SIGKILL) in the middle. At last the pages' worker trains 512 runs for 60
epochs, alone and with a second process. About nine minutes on two idle cores.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import statistics
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

from core.fixes import with_training
from core.history import History
from core.jobs.requests import Train
from core.jobs.worker import Worker
from core.problems import THRESHOLD
from core.sweep import Processes, Progress, Result, sweep
from core.sweep.chunk import request, set_environment, train_chunk
from core.sweep.summary import share

CHUNK, PART, REPEATS = 512, 8_192, 3
FEWEST = 4_096
SHARED_EPOCHS = 60
FIXES = ("sigmoid-output", "scale-inputs")
MEGABYTE = 2**20


def experiment():
    """The question with the fixes of its accepted answer."""
    asked = THRESHOLD.experiment
    for name in FIXES:
        asked = THRESHOLD.fixes[name].apply(asked)
    return asked


class Seen(NamedTuple):
    """What was seen after a chunk: seconds, runs, and bytes of the processes at work."""

    seconds: float
    runs: int
    bytes: int


def resident(pids: list[int]) -> int:
    """Bytes that some processes hold; one that has just died holds none."""
    pages = 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE")


def swept(
    runs: int,
    executor: Executor,
    pids: Callable[[], list[int]],
    on_chunk: Callable[[Progress], object] = lambda progress: None,
    in_flight: int | None = None,
) -> tuple[Result, list[Seen]]:
    """The result of a sweep, and what was seen after each chunk."""
    seen: list[Seen] = []

    def note(progress: Progress) -> None:
        seen.append(Seen(progress.seconds, progress.runs, resident([os.getpid(), *pids()])))
        on_chunk(progress)

    result = sweep(experiment(), runs, 0, executor, CHUNK, on_progress=note, in_flight=in_flight)
    return result, seen


def pace(seen: list[Seen], workers: int) -> float:
    """Runs a second once every worker has trained two chunks: its first one starts TensorFlow."""
    begun = seen[2 * workers]
    # The last chunks can leave a worker without any.
    ended = seen[-1 - workers]
    return (ended.runs - begun.runs) / (ended.seconds - begun.seconds)


def on_processes(count: int, runs: int) -> tuple[Result, list[Seen]]:
    executor = Processes(count)
    try:
        return swept(runs, executor, lambda: executor.pids)
    finally:
        executor.kill()


def on_dask(runs: int) -> Result:
    """Two workers of one thread each, of which one dies once a third of the runs is done."""
    from distributed import Client, LocalCluster

    killed: list[int] = []
    with (
        LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):

        def kill_one(progress: Progress) -> None:
            if not killed and progress.runs >= runs / 3:
                killed.append(next(iter(client.run(os.getpid).values())))
                os.kill(killed[0], signal.SIGKILL)

        executor = client.get_executor(pure=False, retries=2)
        result, _ = swept(runs, executor, list, kill_one, in_flight=4)
    assert killed
    return result


def overhead() -> float:
    """How much longer a chunk takes than the `train` in it, as a share of that; a median."""
    set_environment()
    from core.training import train

    own, numbers = experiment(), itertools.count(0, CHUNK)
    train(own, CHUNK)
    shares = []
    for _ in range(REPEATS):
        first = next(numbers)
        started = time.perf_counter()
        train(own, CHUNK, first=first)
        alone = time.perf_counter() - started
        text = request(own, 0, 0.9, first, CHUNK)
        started = time.perf_counter()
        train_chunk(text)
        shares.append((time.perf_counter() - started) / alone - 1)
    return statistics.median(shares)


def on_a_page(processes: int) -> tuple[float, History]:
    """Seconds of a long training on a page, once it is compiled, and what came of it."""
    request = Train(with_training(epochs=SHARED_EPOCHS)(experiment()), CHUNK)
    worker = Worker(warm_up=(), processes=processes)
    try:
        for _ in range(2):
            job = worker.submit("benchmark", "a long training", request)
            job.wait()
        return job.seconds, job.result
    finally:
        worker.close()


def counts(result: Result):
    """What is counted, without the times."""
    return replace(result.statistics, microseconds=0, compiling=0)


def tell(what: str, measured: str) -> None:
    print(f"| {what} | {measured} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="runs for two processes")
    runs = parser.parse_args().runs
    if runs < FEWEST:
        parser.error(f"at least {FEWEST:,} runs, so that the start of TensorFlow does not count")
    print("| what | measured |", "|---|---|", sep="\n")
    one, seen = on_processes(1, min(PART, runs))
    alone = pace(seen, 1)
    tell("runs a second, 1 process", f"{alone:,.0f}")
    two, seen = on_processes(2, runs)
    together, quarter = pace(seen, 2), len(seen) // 4
    tell("runs a second, 2 processes", f"{together:,.0f} ({together / alone:.2f} times as many)")
    early, late = (max(each.bytes for each in part) for part in (seen[:quarter], seen[quarter:]))
    tell(
        "memory of the three processes, first quarter and after",
        f"{early / MEGABYTE:,.0f}, {late / MEGABYTE:,.0f} MB",
    )
    tell(f"seconds for {runs:,} runs, 2 processes, start included", f"{two.seconds:,.0f}")
    tell("success rate", share(two.rate))
    tell("a chunk against the `train` in it", f"{overhead():+.1%}")
    dask = on_dask(min(PART, runs))
    same = "all counts the same" if counts(dask) == counts(one) else "DIFFERENT counts"
    tell(
        "Dask, one of two workers killed",
        f"{dask.rate.successes:,} of {dask.runs:,} runs in {dask.seconds:,.0f} s: {same} as of one "
        "process",
    )
    (one_process, history), (two_processes, other) = on_a_page(1), on_a_page(2)
    alike = np.array_equal(history.evaluated_loss, other.evaluated_loss, equal_nan=True)
    same = "all losses the same" if alike else "DIFFERENT losses"
    tell(
        f"a page's {CHUNK} runs of {SHARED_EPOCHS} epochs, 1 and 2 processes",
        f"{one_process:.1f}, {two_processes:.1f} s ({one_process / two_processes:.2f} times as "
        f"fast): {same}",
    )


if __name__ == "__main__":
    main()
