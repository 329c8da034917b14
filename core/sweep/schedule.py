"""A sweep: its chunks, what counts of them, and when it ends."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.costs import Work, priced
from core.experiment import Experiment, InvalidExperiment
from core.rates import Rate, Z
from core.sweep.checkpoint import Checkpoint
from core.sweep.chunk import request, train_chunk
from core.sweep.dispatch import Chunk, chunks, completed
from core.sweep.processes import Processes, most_processes
from core.sweep.result import Result
from core.sweep.statistics import Statistics
from core.versions import versions

MOST_RUNS, MOST_CHUNK = 10**12, 4_096


@dataclass(frozen=True)
class Progress:
    """How far a sweep is.

    Attributes:
        runs: That are counted.
        of: That are asked for.
        rate: Of success so far; None before the first chunk.
        seconds: Since it began.
        left: Seconds that remain at the pace so far; None before the first chunk. With `until`
            they are those to the interval asked for, at the rate so far.
    """

    runs: int
    of: int
    rate: Rate | None
    seconds: float
    left: float | None


def sweep(
    experiment: Experiment,
    runs: int,
    seed: int = 0,
    executor: Executor | None = None,
    chunk: int = 512,
    until: float | None = None,
    *,
    target: float | None = None,
    checkpoint: str | os.PathLike | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    in_flight: int | None = None,
) -> Result:
    """Train very many runs of an experiment, and keep their statistics.

    The runs are those of `core.training.train`. They are trained in chunks, and the counts depend
    on the size of these, the seed and the libraries, but neither on the executor nor on which
    worker trains which chunk, or how often. A chunk whose worker dies is trained again, up to
    three times in all.

    Args:
        experiment: What is trained.
        runs: From 1 to a million millions; with `until`, at most so many.
        seed: As for `train`.
        executor: Of `concurrent.futures`, or of Dask, loky, mpi4py and others that follow it; new
            processes on this machine if None.
        chunk: Runs that are trained together, at most 4,096.
        until: Stop when the 95% interval of the success rate reaches no further than this to either
            side, on average: 0.01 for one percentage point. The chunks are then counted in
            order, so that where it stops depends on nothing else.
        target: The score at which a run succeeds; that of the experiment's task if None.
        checkpoint: A file in which finished chunks are kept. If it exists, the sweep goes on from
            it.
        on_progress: Called at the start and after every chunk.
        should_stop: Asked several times a second; True ends the sweep with what there is.
        in_flight: Chunks that the executor has at once; twice its workers if None.

    Returns:
        The statistics of the runs that were counted; `Result.complete` tells whether these are all
        that were asked for.

    Raises:
        InvalidExperiment: If the rows of a chunk take too much memory, or a number is not allowed.
        ValueError: If the checkpoint is of another sweep.
        RuntimeError: If a chunk failed each time.
    """
    _check("runs", runs, MOST_RUNS)
    _check("chunk", chunk, MOST_CHUNK)
    if until is not None and not 0 < until < 1:
        raise InvalidExperiment("until", until, "a number above 0 and below 1, such as 0.01")
    target = experiment.task.target if target is None else target
    if not math.isfinite(target):
        raise InvalidExperiment("target", target, "a number")
    plan = _Plan(experiment, runs, seed, chunk, until, float(target))
    own = None
    if executor is None:
        each = priced(Work((experiment,), min(chunk, runs), returned=False)).bytes
        executor = own = Processes(min(most_processes(each), -(-runs // chunk)))
    try:
        if checkpoint is None:
            return _run(plan, executor, in_flight, None, on_progress, should_stop)
        with Checkpoint(Path(checkpoint), plan.header) as kept:
            return _run(plan, executor, in_flight, kept, on_progress, should_stop)
    finally:
        if own is not None:
            own.kill()


@dataclass(frozen=True)
class _Plan:
    experiment: Experiment
    runs: int
    seed: int
    chunk: int
    until: float | None
    target: float

    @property
    def chunks(self) -> Iterator[Chunk]:
        return chunks(self.runs, self.chunk)

    @property
    def header(self) -> dict[str, object]:
        """What decides every chunk."""
        return {
            "experiment": json.loads(self.experiment.to_json()),
            "seed": self.seed,
            "target": self.target,
            "chunk": self.chunk,
            "versions": versions(),
        }


class _Total:
    """The sum of the chunks that count: all, or with `until` those in a row from the first on."""

    def __init__(self, plan: _Plan):
        self.statistics = Statistics()
        self.narrow = False
        self._plan, self._order = plan, plan.chunks
        self._next: Chunk | None = next(self._order)
        self._early: dict[Chunk, Statistics] = {}

    def add(self, chunk: Chunk, statistics: Statistics) -> None:
        if self._plan.until is None:
            self.statistics += statistics
            return
        self._early[chunk] = statistics
        while not self.narrow and self._next is not None and self._next in self._early:
            self.statistics += self._early.pop(self._next)
            self._next = next(self._order, None)
            rate = Rate(self.statistics.successes, self.statistics.runs)
            self.narrow = (rate.high - rate.low) / 2 <= self._plan.until


def _run(
    plan: _Plan,
    executor: Executor,
    in_flight: int | None,
    kept: Checkpoint | None,
    on_progress: Callable[[Progress], object] | None,
    should_stop: Callable[[], bool] | None,
) -> Result:
    started, total = time.perf_counter(), _Total(plan)
    done: set[int] = set()
    if kept is not None:
        for first, runs, statistics in kept.finished():
            # A sweep of fewer runs ends with a smaller chunk, which is trained anew.
            planned = first % plan.chunk == 0 and runs == min(plan.chunk, plan.runs - first)
            if planned and first not in done:
                done.add(first)
                total.add((first, runs), statistics)
    before = total.statistics.runs

    def report() -> None:
        if on_progress is not None:
            on_progress(_progress(plan, total.statistics, before, time.perf_counter() - started))

    report()
    requests = (
        (chunk, request(plan.experiment, plan.seed, plan.target, *chunk))
        for chunk in plan.chunks
        if chunk[0] not in done
    )
    if not total.narrow:
        with closing(completed(executor, train_chunk, requests, in_flight, should_stop)) as answers:
            for chunk, answer in answers:
                statistics = Statistics.restored(json.loads(answer))
                if kept is not None:
                    kept.add(*chunk, statistics)
                total.add(chunk, statistics)
                report()
                if total.narrow:
                    break
    return Result(
        experiment=plan.experiment,
        seed=plan.seed,
        target=plan.target,
        chunk=plan.chunk,
        asked=plan.runs,
        until=plan.until,
        statistics=total.statistics,
        seconds=time.perf_counter() - started,
        versions=versions(),
    )


def _progress(plan: _Plan, total: Statistics, before: int, seconds: float) -> Progress:
    rate = Rate(total.successes, total.runs) if total.runs else None
    left = None
    if rate is not None and total.runs > before:
        expected = plan.runs
        if plan.until is not None:
            expected = min(plan.runs, max(_runs_for(rate, plan.until), total.runs))
        left = seconds * (expected - total.runs) / (total.runs - before)
    return Progress(total.runs, plan.runs, rate, seconds, left)


def _runs_for(rate: Rate, until: float) -> int:
    """About how many runs have an interval that reaches no further than `until`."""
    return round(max(Z**2 * rate.value * (1 - rate.value) / until**2, Z**2 / (2 * until)))


def _check(field: str, value: object, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidExperiment(field, value, f"a whole number from 1 to {most:,}")
