"""Which suggested fix really makes runs succeed, and the smallest change that does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.costs import Work, priced
from core.diagnosis import Finding, Severity, diagnose, from_settings
from core.diagnosis.combining import combined
from core.diagnosis.search import FEW, Search, Trial, first_runs, suggested
from core.diagnosis.yardstick import Yardstick
from core.experiment import Experiment
from core.fixes import Fix
from core.history import TARGET, History, Progress
from core.rates import Rate
from core.tasks import Task

__all__ = ["BUDGET", "Repair", "Trial", "expected", "planned", "repair", "try_fixes"]

BUDGET = 32
"""Experiments that are trained at most to find the fixes that help."""
RUNS = (16, FEW, 4)
"""Runs of a search that would take too long with more: a change from 0 to 4 of 4 runs that pass is
still beyond chance."""
LEAST_TRIED = 4
"""Experiments that a search with fewer runs should be able to try."""


@dataclass(frozen=True)
class Repair:
    """The experiment as it is and with the fixes that its findings suggest.

    Args:
        experiment: As it is.
        before: The rate of its runs that pass.
        score: Their mean score.
        passes: What these do: "succeed", or what counts where the target is out of reach.
        findings: With the history of these runs.
        trials: Every fix alone, then the combinations that were tried; with FEW runs where those
            did not make it likely that the fix helps.
        smallest: The fewest fixes with which enough runs succeed, or that do as well as any; None
            where nothing helps, or nothing is wrong.
        note: What was left out for it not to take too long, in a sentence; "" for nothing.
    """

    experiment: Experiment
    before: Rate
    score: float
    passes: str
    findings: tuple[Finding, ...]
    trials: tuple[Trial, ...]
    smallest: Trial | None
    note: str = ""

    @property
    def task(self) -> Task:
        """What all runs are judged by."""
        return Yardstick(self.experiment).task

    def trial(self, key: str) -> Trial | None:
        """The trial of one fix alone."""
        return next((trial for trial in self.trials if trial.fixes == (key,)), None)


def try_fixes(
    experiment: Experiment,
    codes: Sequence[str] | None = None,
    runs: int = 16,
    seed: int = 0,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    target: float = TARGET,
    budget: int = BUDGET,
    seconds: float = math.inf,
    size: float = math.inf,
    workers: int = 1,
) -> Repair | None:
    """Train the experiment with each fix that its findings suggest, and with useful combinations.

    Where no fix alone is enough, what helps most is diagnosed again and its fixes are added.

    Args:
        experiment: As it is.
        codes: Of the findings whose fixes are tried; None for all above cosmetic.
        runs: Of each experiment, at most.
        seed: Of all of them.
        on_progress: Called as the training proceeds.
        should_stop: Asked between steps whether to give up.
        target: The accuracy that counts as success.
        budget: The most experiments that are trained, the unchanged one included.
        seconds: The most that all of it may be priced at; with less it is a smaller search.
        size: The most bytes that a training may be priced at.
        workers: That share the long trainings, by which their prices are divided.

    Returns:
        None when `should_stop` ended it.

    Raises:
        InvalidExperiment: The number of runs or the seed cannot be.
    """
    # TensorFlow is loaded by a training alone.
    from core.training import train, train_all

    likely = expected(experiment, from_settings(experiment, target), codes)
    plan = planned(likely, runs, seconds, size, workers)
    meter = _Meter(plan, workers)
    report = meter.reporting(on_progress, [experiment], plan.runs)
    # Loading and compiling come before the first epoch.
    report(Progress(0.0, 0, 1))
    history = train(
        experiment,
        plan.runs,
        seed,
        lambda epoch: report(Progress(epoch.number / epoch.of, epoch.number // epoch.of, 1)),
        should_stop,
    )
    if history.cancelled:
        return None
    findings = diagnose(experiment, history, target)
    plan = planned(expected(experiment, findings, codes), plan.runs, seconds, size, workers)
    meter.expect(plan)
    yardstick = Yardstick(experiment, target)
    before = yardstick.passed(history)

    def train_changed(experiments: list[Experiment], runs: int) -> Sequence[History] | None:
        if not experiments:
            return None if should_stop is not None and should_stop() else ()
        report = meter.reporting(on_progress, experiments, runs)
        return train_all(experiments, runs, seed, report, should_stop)

    search = Search(
        experiment,
        findings,
        yardstick,
        before,
        budget,
        seconds - priced(plan.works[0], workers).seconds,
        train_changed,
        lambda changed, history: diagnose(changed, history, target),
        codes,
        workers,
    )
    if not search.run():
        return None
    return Repair(
        experiment,
        Rate.of(before),
        float(yardstick.scores(history).mean()),
        yardstick.goal.passes,
        findings,
        tuple(search.trials.values()),
        search.best,
        _left_out(runs, history.runs),
    )


def repair(
    experiment: Experiment,
    runs: int = 16,
    budget: int = BUDGET,
    seed: int = 0,
    target: float = TARGET,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Trial | None:
    """The smallest verified change: the fewest suggested fixes that do as well as the best found.

    Args:
        experiment: As it is.
        runs: Of each experiment.
        budget: Experiments that may be trained.
        seed: Of all of them.
        target: The accuracy that counts as success.
        on_progress: Called as the training proceeds.
        should_stop: Asked between steps whether to give up.

    Returns:
        None where no fix improves the success rate significantly, nothing is wrong, or
        `should_stop` ended it.
    """
    outcome = try_fixes(experiment, None, runs, seed, on_progress, should_stop, target, budget)
    return None if outcome is None else outcome.smallest


def expected(
    experiment: Experiment, findings: tuple[Finding, ...], codes: Sequence[str] | None = None
) -> tuple[Experiment, ...]:
    """What `try_fixes` is likely to train: how many combinations follow depends on the outcome.

    Each suggested fix alone; then, unless a network is only slow, the first one with each other.

    Args:
        experiment: As it is.
        findings: Of the experiment.
        codes: Of the findings whose fixes are tried; None for all above cosmetic.

    Returns:
        The unchanged experiment first.
    """
    alone = [fix for fix, _ in suggested(findings, codes)][: BUDGET // 2]
    chosen: list[tuple[Fix, ...]] = [(fix,) for fix in alone]
    if findings and findings[0].severity is not Severity.SLOW:
        chosen += [(alone[0], fix) for fix in alone[1:]]
    changed = [combined(experiment, some) for some in chosen]
    return (experiment, *dict.fromkeys(each for each in changed if each is not None))


@dataclass(frozen=True)
class Plan:
    """What a search is likely to train.

    Args:
        runs: Of the unchanged experiment, and of what is tried to the end.
        works: The unchanged experiment, the candidates, and those that get all runs.
        workers: That share the long trainings.
    """

    runs: int
    works: tuple[Work, ...]
    workers: int = 1

    @property
    def seconds(self) -> float:
        """Of all of it."""
        return sum(priced(work, self.workers).seconds for work in self.works)


def planned(
    likely: tuple[Experiment, ...],
    runs: int,
    seconds: float = math.inf,
    size: float = math.inf,
    workers: int = 1,
) -> Plan:
    """The search with the most runs that can try LEAST_TRIED experiments; or the smallest one.

    Args:
        likely: As `expected` gives them.
        runs: Of each experiment, at most.
        seconds: The most that all of it may be priced at.
        size: The most bytes that a training may be priced at.
        workers: That share the long trainings.
    """
    experiment, *candidates = likely
    needed = min(LEAST_TRIED, len(candidates))
    # Where nothing is known yet that can be tried, the training may show what.
    room = seconds if candidates else seconds / (1 + LEAST_TRIED)
    for each in (runs, *(fewer for fewer in RUNS if fewer < runs)):
        fits = priced(_work([experiment], each)).bytes <= size
        for count in range(len(candidates), needed - 1, -1):
            plan = _plan(experiment, candidates[:count], each, workers)
            if fits and plan.seconds <= room:
                return plan
    return _plan(experiment, candidates[:1], min(runs, RUNS[-1]), workers)


def _plan(experiment: Experiment, candidates: list[Experiment], runs: int, workers: int) -> Plan:
    works = [_work([experiment], runs)]
    if candidates:
        first = first_runs(candidates, runs, workers)
        works.append(_work(candidates, first))
        if first < runs:
            works.append(_work(candidates[: -(-len(candidates) // 2)], runs))
    return Plan(runs, tuple(works), workers)


def _work(experiments: Sequence[Experiment], runs: int) -> Work:
    return Work(tuple(experiments), runs, returned=False)


def _left_out(asked: int, runs: int) -> str:
    if runs == asked:
        return ""
    return f"With {runs} runs of each change rather than {asked}, which would take too long here."


class _Meter:
    """How much of all trials is done, in seconds of their price."""

    def __init__(self, plan: Plan, workers: int):
        self.workers = workers
        self.done, self.finished, self.share = 0.0, 0, 0.0
        self.expect(plan)

    def expect(self, plan: Plan) -> None:
        """What will be trained in all, as far as is known now."""
        # At least one fix is trained, which takes about as long as the experiment itself.
        self.total = max(plan.seconds, 2 * priced(plan.works[0], self.workers).seconds)
        self.count = sum(len(work.experiments) for work in plan.works)

    def reporting(
        self,
        on_progress: Callable[[Progress], object] | None,
        experiments: list[Experiment],
        runs: int,
    ) -> Callable[[Progress], None]:
        """What hands on the progress of the next round, as one of the whole trial."""
        before, finished = self.done, self.finished
        round_ = priced(_work(experiments, runs), self.workers).seconds
        self.done, self.finished = before + round_, finished + len(experiments)

        def report(progress: Progress) -> None:
            so_far = before + progress.share * round_
            # What was not expected makes the trial longer, and never takes the bar back.
            self.share = max(self.share, so_far / max(self.total, self.done))
            of = max(self.count, self.finished)
            if on_progress is not None:
                on_progress(Progress(self.share, finished + progress.finished, of))

        return report
