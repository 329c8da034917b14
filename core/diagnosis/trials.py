"""Which suggested fix really frees a training, and the smallest change that does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.diagnosis import Finding, Severity, diagnose, from_settings
from core.diagnosis.observations import Observations
from core.experiment import Experiment, InvalidExperiment
from core.history import History, Progress
from core.jobs.costs import Work, priced
from core.problems import TARGET, Fix
from core.rates import Rate, Z

BUDGET = 24
"""Experiments that are trained at most to find the fixes that help."""
LARGEST = 4
"""Fixes in a combination."""
FREED = 0.9
"""A change that lets this share of the runs succeed needs no further fix."""


@dataclass(frozen=True)
class Trial:
    """What some fixes together make of an experiment, on the same seeds.

    fixes: keys, titles: in the order in which they are applied. findings: codes that suggested
    them. experiment: the changed one. gain, low, high: difference of the success rates with its
    95% interval for paired runs.
    """

    fixes: tuple[str, ...]
    titles: tuple[str, ...]
    findings: tuple[str, ...]
    experiment: Experiment
    rate: Rate
    gain: float
    low: float
    high: float

    @property
    def helps(self) -> bool:
        """The gain is not chance."""
        return self.low > 0


@dataclass(frozen=True)
class Repair:
    """The experiment as it is and with the fixes that its findings suggest.

    before: the rate of its runs that pass. passes: what these do, "succeed", or what counts where
    the target is out of reach. findings: with the history of these runs. trials: every fix alone,
    then the combinations that were tried. smallest: the fewest fixes that free the runs, or
    do as well as any; None where nothing helps, or nothing is wrong.
    """

    experiment: Experiment
    before: Rate
    passes: str
    findings: tuple[Finding, ...]
    trials: tuple[Trial, ...]
    smallest: Trial | None

    def trial(self, key: str) -> Trial | None:
        """The trial of one fix alone."""
        return next((trial for trial in self.trials if trial.fixes == (key,)), None)


def try_fixes(
    experiment: Experiment,
    findings: Sequence[str] | None = None,
    runs: int = 16,
    seed: int = 0,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    target: float = TARGET,
    budget: int = BUDGET,
) -> Repair | None:
    """Train the experiment with each fix that its findings suggest, and with useful combinations.

    findings: codes whose fixes are tried; None for all above cosmetic. budget: the most
    experiments that are trained, the unchanged one included. Returns None when should_stop ended
    it. Raises InvalidExperiment where the number of runs or the seed cannot be.
    """
    # TensorFlow is loaded by a training alone.
    from core.training import train, train_all

    def stopped() -> bool:
        return should_stop is not None and should_stop()

    course = _Course(expected(experiment, from_settings(experiment, target), findings), runs)
    report = course.reporting(on_progress, [experiment])
    # Loading and compiling come before the first epoch.
    report(Progress(0.0, 0, 1))
    history = train(
        experiment,
        runs,
        seed,
        lambda epoch: report(Progress(epoch.number / epoch.of, epoch.number // epoch.of, 1)),
        should_stop,
    )
    if history.cancelled:
        return None
    found = diagnose(experiment, history, target)
    seen = Observations(experiment, history, target)
    before = seen.passed
    # Half of the budget is left to combinations.
    suggested = _suggested(found, findings)[: max(budget // 2, 1)]
    known: dict[tuple[str, ...], Trial] = {}
    by_key = {fix.key: fix for fix, _ in suggested}
    codes = {fix.key: code for fix, code in suggested}
    done = 1
    course.expect(expected(experiment, found, findings))

    def run(combinations: Iterable[tuple[str, ...]]) -> bool:
        """Train these combinations; False when stopped."""
        nonlocal done
        changed = {}
        for keys in combinations:
            after = _applied(experiment, [by_key[key] for key in keys])
            if keys not in known and after is not None and done + len(changed) < budget:
                changed[keys] = after
        if not changed:
            return not stopped()
        report = course.reporting(on_progress, list(changed.values()))
        histories = train_all(list(changed.values()), runs, seed, report, should_stop)
        if histories is None:
            return False
        done += len(changed)
        for (keys, after), outcome in zip(changed.items(), histories, strict=True):
            titles = tuple(by_key[key].title for key in keys)
            why = tuple(dict.fromkeys(codes[key] for key in keys))
            known[keys] = _trial(keys, titles, why, after, before, outcome, target)
        return True

    if not run((key,) for key in by_key):
        return None
    if by_key and not before.all():
        while (grown := _next_combinations(known, tuple(by_key), found)) and done < budget:
            if not run(grown):
                return None
        best = _best(known.values())
        # A combination may hold fixes that it does not need.
        while best is not None and len(best.fixes) > 1 and done < budget:
            smaller = [tuple(k for k in best.fixes if k != drop) for drop in best.fixes]
            if not run(smaller):
                return None
            again = _best(known.values())
            if again is None or again.fixes == best.fixes:
                break
            best = again
    trials = tuple(known.values())
    return Repair(experiment, seen.passing, seen.passes, found, trials, _best(trials))


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

    None where no fix improves the success rate significantly, or nothing is wrong.
    runs: of each experiment; budget: experiments that may be trained.
    """
    outcome = try_fixes(experiment, None, runs, seed, on_progress, should_stop, target, budget)
    return None if outcome is None else outcome.smallest


def expected(
    experiment: Experiment, found: tuple[Finding, ...], codes: Sequence[str] | None = None
) -> tuple[Experiment, ...]:
    """What `try_fixes` is likely to train: how many combinations follow depends on the outcome.

    Each suggested fix alone; then, unless a network is only slow, the first one with each other.
    """
    first, *others = [fix for fix, _ in _suggested(found, codes)][: BUDGET // 2] or [None]
    if first is None:
        return (experiment,)
    chosen = [(first,), *((fix,) for fix in others)]
    if found[0].severity is not Severity.SLOW:
        chosen += [(first, fix) for fix in others]
    changed = [_applied(experiment, combination) for combination in chosen]
    return (experiment, *dict.fromkeys(each for each in changed if each is not None))


class _Course:
    """How much of a trial is done, in seconds of its price."""

    def __init__(self, expected: tuple[Experiment, ...], runs: int):
        self.runs, self.done, self.finished, self.share = runs, 0.0, 0, 0.0
        self.expect(expected)
        # At least one fix is trained, which takes about as long as the experiment itself.
        self.total = max(self.total, 2 * self._seconds(expected[:1]))

    def expect(self, experiments: Sequence[Experiment]) -> None:
        self.total, self.count = self._seconds(experiments), len(experiments)

    def reporting(
        self, on_progress: Callable[[Progress], object] | None, experiments: list[Experiment]
    ) -> Callable[[Progress], None]:
        """What hands on the progress of the next round, as one of the whole trial."""
        before, finished, round_ = self.done, self.finished, self._seconds(experiments)
        self.done, self.finished = before + round_, finished + len(experiments)

        def report(progress: Progress) -> None:
            so_far = before + progress.share * round_
            # What was not expected makes the trial longer, and never takes the bar back.
            self.share = max(self.share, so_far / max(self.total, self.done))
            of = max(self.count, self.finished)
            if on_progress is not None:
                on_progress(Progress(self.share, finished + progress.finished, of))

        return report

    def _seconds(self, experiments: Sequence[Experiment]) -> float:
        return priced(Work(tuple(experiments), self.runs, returned=False)).seconds


def paired_gain(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """Difference of two success rates over the same runs, and its 95% interval.

    before, after: bool (runs,). The interval is that of A. Agresti and Y. Min, "Simple improved
    confidence intervals for comparing matched proportions" (2005): Wald's with half a run added
    to each of the four cells.
    """
    runs = len(before)
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    count = runs + 2
    up, down = (won + 0.5) / count, (lost + 0.5) / count
    margin = Z * math.sqrt(max(up + down - (up - down) ** 2, 0) / count)
    return (won - lost) / runs, max(up - down - margin, -1.0), min(up - down + margin, 1.0)


def _suggested(found: tuple[Finding, ...], codes: Sequence[str] | None) -> list[tuple[Fix, str]]:
    """Each fix once, with the code of the first finding that names it: first choices come first."""
    chosen = [
        finding
        for finding in found
        if (finding.code in codes if codes is not None else finding.severity != Severity.COSMETIC)
    ]
    deepest = max((len(finding.fixes) for finding in chosen), default=0)
    by_key: dict[str, tuple[Fix, str]] = {}
    for rank in range(deepest):
        for finding in chosen:
            if rank < len(finding.fixes):
                fix = finding.fixes[rank]
                by_key.setdefault(fix.key, (fix, finding.code))
    return list(by_key.values())


def _applied(experiment: Experiment, chosen: Sequence[Fix]) -> Experiment | None:
    """The experiment with the fixes; None where they do not fit it or change nothing."""
    changed = experiment
    for fix in chosen:
        try:
            after = fix.apply(changed)
        except InvalidExperiment:
            return None
        if after == changed:
            return None
        changed = after
    return changed


def _trial(keys, titles, why, after, before, outcome: History, target: float) -> Trial:
    success = Observations(after, outcome, target).passed
    gain, low, high = paired_gain(before, success)
    rate = Rate.of(success)
    return Trial(keys, titles, why, after, rate, gain, low, high)


def _next_combinations(
    known: dict[tuple[str, ...], Trial], keys: tuple[str, ...], found: tuple[Finding, ...]
) -> list[tuple[str, ...]]:
    """Combinations one fix larger than the best one so far; none once it frees the runs.

    Where nothing helps alone, as when two faults must both go, all pairs of first choices.
    """
    best = max(
        known.values(), key=lambda trial: (trial.rate.value, -len(trial.fixes)), default=None
    )
    if best is None or best.rate.value >= FREED:
        return []
    size = max(len(combination) for combination in known)
    if size >= min(LARGEST, len(keys)):
        return []
    if len(best.fixes) < size:
        return []  # the last fix that was added brought nothing
    if best.gain > 0:
        grown = [(*best.fixes, key) for key in keys if key not in best.fixes]
    else:
        first = {finding.fixes[0].key for finding in found if finding.fixes} & set(keys)
        ordered = [key for key in keys if key in first]
        grown = [(a, b) for n, a in enumerate(ordered) for b in ordered[n + 1 :]]
    return [tuple(key for key in keys if key in set(combination)) for combination in grown]


def _best(trials: Iterable[Trial]) -> Trial | None:
    """The fewest fixes that help and free the runs, or else those with the best rate."""
    helping = [trial for trial in trials if trial.helps]
    if not helping:
        return None
    top = max(trial.rate.value for trial in helping)
    enough = [trial for trial in helping if trial.rate.value >= min(top, FREED)]
    return min(enough, key=lambda trial: (len(trial.fixes), -trial.rate.value))
