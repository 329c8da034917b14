"""Which suggested fix really makes runs succeed, and the smallest change that does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.costs import Work, priced
from core.diagnosis import Finding, Severity, diagnose, from_settings
from core.diagnosis.observations import final_state
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.history import TARGET, History, Progress
from core.rates import Rate, paired_gain

BUDGET = 24
"""Experiments that are trained at most to find the fixes that help."""
LARGEST = 4
"""Fixes in a combination."""
ENOUGH = 0.9
"""A change with which this share of the runs succeeds needs no further fix."""


@dataclass(frozen=True)
class Trial:
    """What some fixes together make of an experiment, on the same seeds.

    Args:
        fixes: Keys, in the order in which they are applied.
        titles: Of the same fixes.
        findings: Codes of the findings that suggested them.
        experiment: The changed one.
        rate: Of its runs that pass.
        gain: Difference from the success rate as it is.
        low: Lower end of the gain's 95% interval, for paired runs.
        high: Upper end.
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

    Args:
        experiment: As it is.
        before: The rate of its runs that pass.
        passes: What these do: "succeed", or what counts where the target is out of reach.
        findings: With the history of these runs.
        trials: Every fix alone, then the combinations that were tried.
        smallest: The fewest fixes with which enough runs succeed, or that do as well as any; None
            where nothing helps, or nothing is wrong.
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
    codes: Sequence[str] | None = None,
    runs: int = 16,
    seed: int = 0,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    target: float = TARGET,
    budget: int = BUDGET,
) -> Repair | None:
    """Train the experiment with each fix that its findings suggest, and with useful combinations.

    Args:
        experiment: As it is.
        codes: Of the findings whose fixes are tried; None for all above cosmetic.
        runs: Of each experiment.
        seed: Of all of them.
        on_progress: Called as the training proceeds.
        should_stop: Asked between steps whether to give up.
        target: The accuracy that counts as success.
        budget: The most experiments that are trained, the unchanged one included.

    Returns:
        None when `should_stop` ended it.

    Raises:
        InvalidExperiment: The number of runs or the seed cannot be.
    """
    # TensorFlow is loaded by a training alone.
    from core.training import train, train_all

    meter = _Meter(expected(experiment, from_settings(experiment, target), codes), runs)
    report = meter.reporting(on_progress, [experiment])
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
    findings = diagnose(experiment, history, target)
    meter.expect(expected(experiment, findings, codes))
    end = final_state(history, target)

    def train_changed(experiments: list[Experiment]) -> Sequence[History] | None:
        if not experiments:
            return None if should_stop is not None and should_stop() else ()
        report = meter.reporting(on_progress, experiments)
        return train_all(experiments, runs, seed, report, should_stop)

    # Half of the budget is left to combinations.
    suggested = _suggested(findings, codes)[: max(budget // 2, 1)]
    search = _Search(experiment, findings, suggested, end.passed, target, budget, train_changed)
    if not search.run():
        return None
    trials = tuple(search.trials.values())
    return Repair(experiment, end.rate, end.goal.passes, findings, trials, _best(trials))


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
    suggested = [fix for fix, _ in _suggested(findings, codes)][: BUDGET // 2]
    chosen: list[tuple[Fix, ...]] = [(fix,) for fix in suggested]
    if findings and findings[0].severity is not Severity.SLOW:
        chosen += [(suggested[0], fix) for fix in suggested[1:]]
    changed = [_applied(experiment, some) for some in chosen]
    return (experiment, *dict.fromkeys(each for each in changed if each is not None))


class _Meter:
    """How much of all trials is done, in seconds of their price."""

    def __init__(self, expected: tuple[Experiment, ...], runs: int):
        self.runs, self.done, self.finished, self.share = runs, 0.0, 0, 0.0
        # At least one fix is trained, which takes about as long as the experiment itself.
        self.total = max(self._seconds(expected), 2 * self._seconds(expected[:1]))
        self.count = len(expected)

    def expect(self, experiments: Sequence[Experiment]) -> None:
        """What will be trained in all, as far as is known now."""
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


class _Search:
    """The trials of suggested fixes, and of the combinations that may do better.

    Args:
        experiment: As it is.
        findings: Of its history.
        suggested: Fixes of these findings, each with the code of the one that suggests it.
        before: bool (runs,), the runs of the unchanged experiment that pass.
        target: The accuracy that counts as success.
        budget: The most experiments that are trained, the unchanged one included.
        train: From experiments to their histories, or to None where it was stopped.
    """

    def __init__(
        self,
        experiment: Experiment,
        findings: tuple[Finding, ...],
        suggested: list[tuple[Fix, str]],
        before: np.ndarray,
        target: float,
        budget: int,
        train: Callable[[list[Experiment]], Sequence[History] | None],
    ):
        self.experiment, self.before, self.target, self.train = experiment, before, target, train
        self.fixes = {fix.key: fix for fix, _ in suggested}
        self.codes = {fix.key: code for fix, code in suggested}
        first = {finding.fixes[0].key for finding in findings if finding.fixes}
        self.first_choices = [key for key in self.fixes if key in first]
        self.left = budget - 1
        self.trials: dict[tuple[str, ...], Trial] = {}

    def run(self) -> bool:
        """Try every fix alone, larger combinations while they do better, then smaller ones.

        Returns:
            Whether it went on to the end: False when stopped.
        """
        if not self._try((key,) for key in self.fixes):
            return False
        if not self.fixes or self.before.all():
            return True
        while (larger := self._larger()) and self.left > 0:
            if not self._try(larger):
                return False
        best = _best(self.trials.values())
        # A combination may hold fixes that it does not need.
        while best is not None and len(best.fixes) > 1 and self.left > 0:
            if not self._try(tuple(k for k in best.fixes if k != drop) for drop in best.fixes):
                return False
            previous, best = best, _best(self.trials.values())
            if best is not None and best.fixes == previous.fixes:
                break
        return True

    def _try(self, subsets: Iterable[tuple[str, ...]]) -> bool:
        """Train these combinations, as far as the budget goes; False when stopped."""
        changed: dict[tuple[str, ...], Experiment] = {}
        for keys in subsets:
            after = _applied(self.experiment, [self.fixes[key] for key in keys])
            if keys not in self.trials and after is not None and len(changed) < self.left:
                changed[keys] = after
        histories = self.train(list(changed.values()))
        if histories is None:
            return False
        self.left -= len(changed)
        for (keys, after), history in zip(changed.items(), histories, strict=True):
            self.trials[keys] = self._trial(keys, after, history)
        return True

    def _trial(self, keys: tuple[str, ...], after: Experiment, history: History) -> Trial:
        passed = final_state(history, self.target).passed
        gain, low, high = paired_gain(self.before, passed)
        return Trial(
            keys,
            tuple(self.fixes[key].title for key in keys),
            tuple(dict.fromkeys(self.codes[key] for key in keys)),
            after,
            Rate.of(passed),
            gain,
            low,
            high,
        )

    def _larger(self) -> list[tuple[str, ...]]:
        """Combinations one fix larger than the best one so far; none once enough runs succeed.

        Where nothing helps alone, as when two faults must both go, all pairs of first choices.
        """
        best = max(
            self.trials.values(),
            key=lambda trial: (trial.rate.value, -len(trial.fixes)),
            default=None,
        )
        if best is None or best.rate.value >= ENOUGH:
            return []
        size = max(len(combination) for combination in self.trials)
        if size >= min(LARGEST, len(self.fixes)):
            return []
        if len(best.fixes) < size:
            return []  # the last fix that was added brought nothing
        if best.gain > 0:
            larger = [{*best.fixes, key} for key in self.fixes if key not in best.fixes]
        else:
            larger = [{one, other} for one, other in combinations(self.first_choices, 2)]
        return [tuple(key for key in self.fixes if key in chosen) for chosen in larger]


def _suggested(findings: tuple[Finding, ...], codes: Sequence[str] | None) -> list[tuple[Fix, str]]:
    """Each fix once, with the code of the first finding that names it: first choices come first."""
    chosen = [
        finding
        for finding in findings
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


def _best(trials: Iterable[Trial]) -> Trial | None:
    """The fewest fixes that help and make enough runs succeed, or else those with the best rate."""
    helping = [trial for trial in trials if trial.helps]
    if not helping:
        return None
    top = max(trial.rate.value for trial in helping)
    candidates = [trial for trial in helping if trial.rate.value >= min(top, ENOUGH)]
    return min(candidates, key=lambda trial: (len(trial.fixes), -trial.rate.value))
