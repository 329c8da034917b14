"""The search for the fewest fixes with which runs pass: follow the advice, diagnose again, reduce.

One fault hides another: with ReLU outputs nothing can be said about the learning rate. So what is
diagnosed next is the experiment with the fixes that helped most so far, until enough runs pass, and
what the combination can do without is dropped in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core import fixes
from core.costs import Work, priced
from core.diagnosis._diagnose import main_cause
from core.diagnosis.combining import as_many_as_fit, combined, with_fix
from core.diagnosis.findings import Finding, Severity
from core.diagnosis.yardstick import Yardstick
from core.experiment import Experiment
from core.fixes import Fix, loss_fixes, update_fixes
from core.history import History
from core.rates import Rate, paired_gain

ENOUGH = 0.9
"""A change with which this share of the runs succeeds needs no further fix."""
FEW = 8
"""Runs of every candidate, before the better half of them gets all: of 8 runs, a change from none
to 4 that succeed is beyond chance."""
WORTH_HALVING = 1.5
"""All runs of all candidates cost this many times what FEW cost: below it, compiling takes the
time, and the better ones would be compiled again."""
DIAGNOSED, FOLLOWED = 2, 4
"""Experiments that are diagnosed a round, and fixes that are followed from each."""
KEPT_BACK = 6
"""Experiments of the budget that are left to reduce what was found."""
RECIPE = (
    fixes.LABELS_FROM_ZERO,
    fixes.STANDARDISE,
    fixes.PERMUTE,
    fixes.RESHUFFLE,
    fixes.ONE_OUTPUT_ACTIVATION,
    fixes.NO_OUTPUT_DROPOUT,
    fixes.NO_DROPOUT,
    fixes.NO_NORMALISATION,
    loss_fixes.NO_CLASS_WEIGHTS,
    update_fixes.NO_STOPPING,
    fixes.ADAM,
    fixes.batch(fixes.DEFAULT_BATCH),
)
"""What suits most networks, for those that no advice frees."""
USUAL_RATE, MOST_EPOCHS = 0.003, 1_000

Train = Callable[[list[Experiment], int], "Sequence[History] | None"]
"""From experiments and a number of runs to their histories, or to None where it was stopped."""


@dataclass(frozen=True)
class Trial:
    """What some fixes together make of an experiment, on the same seeds.

    Args:
        fixes: Keys, in the order in which they are applied.
        titles: Of the same fixes.
        findings: Codes of the findings that suggested them.
        experiment: The changed one.
        rate: Of its runs that pass.
        gain: Difference from the success rate as it is, over the same runs.
        low: Lower end of the gain's 95% interval, for paired runs.
        high: Upper end.
        score: The mean score of its runs (`Yardstick.scores`).
    """

    fixes: tuple[str, ...]
    titles: tuple[str, ...]
    findings: tuple[str, ...]
    experiment: Experiment
    rate: Rate
    gain: float
    low: float
    high: float
    score: float

    @property
    def helps(self) -> bool:
        """The gain is not chance."""
        return self.low > 0


class Search:
    """The trials of suggested fixes, and of the combinations that follow from them.

    Args:
        experiment: As it is.
        findings: Of its history.
        yardstick: What all runs are judged by.
        before: bool (runs,), the runs of the unchanged experiment that pass.
        budget: The most experiments that are trained, the unchanged one included.
        seconds: The most that all trainings may be priced at, without the unchanged one.
        train: Trains some experiments.
        diagnose: From an experiment and its history to its findings.
        codes: Of the findings whose fixes are tried; None for all above cosmetic.
        workers: That share the long trainings, by which their prices are divided.
    """

    def __init__(
        self,
        experiment: Experiment,
        findings: tuple[Finding, ...],
        yardstick: Yardstick,
        before: np.ndarray,
        budget: int,
        seconds: float,
        train: Train,
        diagnose: Callable[[Experiment, History], tuple[Finding, ...]],
        codes: Sequence[str] | None = None,
        workers: int = 1,
    ):
        self.workers = workers
        self.experiment, self.findings, self.codes = experiment, findings, codes
        self.yardstick, self.before = yardstick, before
        self.train, self.diagnose = train, diagnose
        self.left, self.seconds = budget - 1, seconds
        self.suggested = suggested(findings, codes)[: max(budget // 2, 1)]
        self.fixes: dict[str, Fix] = {}
        self.suggesting: dict[str, str] = {}
        self.trials: dict[tuple[str, ...], Trial] = {}
        self._histories: dict[tuple[str, ...], History] = {}
        self._diagnosed: set[tuple[str, ...]] = set()

    def run(self) -> bool:
        """Try every fix alone and the first ones together, then follow what helps most.

        Returns:
            Whether it went on to the end: False when stopped.
        """
        self._learn(self.suggested)
        alone = [[fix] for fix, _ in self.suggested]
        # Where nearly all runs pass as it is, no combination can show that it does better.
        open_ = paired_gain(self.before, np.ones_like(self.before))[1] > 0
        together = self._together([], self.findings) if open_ else []
        if not self._try([*alone, together]):
            return False
        if not open_:
            return True
        reserve = KEPT_BACK if self.left > 2 * KEPT_BACK else self.left // 3
        while not self.enough and self.left > reserve and (more := self._onwards()):
            if not self._try(more[: self.left - reserve]):
                return False
        if not self.enough and not self._try(self._recipes()):
            return False
        return self._reduce()

    @property
    def best(self) -> Trial | None:
        """The fewest fixes that help and make enough runs pass, or else those with the best rate.

        Those that were tried with all runs come first.
        """
        return best_of(self.trials.values())

    @property
    def enough(self) -> bool:
        return self.best is not None and self.best.rate.value >= ENOUGH

    def _learn(self, some: Iterable[tuple[Fix, str]]) -> None:
        for fix, code in some:
            self.fixes.setdefault(fix.key, fix)
            self.suggesting.setdefault(fix.key, code)

    def _try(self, combinations: Iterable[Sequence[Fix]], reducing: bool = False) -> bool:
        """Train these combinations as far as the budget goes; False when stopped.

        All get a few runs first where that saves time, and the better half then all runs.
        """
        changed: dict[tuple[str, ...], Experiment] = {}
        known = {trial.experiment for trial in self.trials.values()}
        for some in combinations:
            keys = tuple(fix.key for fix in some)
            after = combined(self.experiment, some) if some else None
            if after is None or keys in self.trials or after in known:
                continue
            if len(changed) < self.left:
                changed[keys] = after
                known.add(after)
        runs = len(self.before)
        first = first_runs(changed.values(), runs, self.workers)
        while changed and self._price(changed, first) > self.seconds:
            if first > FEW:
                first = FEW
            else:
                changed.popitem()
        if not self._train(changed, first):
            return False
        self.left -= len(changed)
        if first == runs:
            return True
        better = [
            keys
            for keys in sorted(changed, key=lambda keys: self._standing(keys), reverse=True)
            if self.trials[keys].gain > 0
        ][: -(-len(changed) // (1 if reducing else 2))]
        while better and self._price({k: changed[k] for k in better}, runs) > self.seconds:
            better.pop()
        return self._train({keys: changed[keys] for keys in better}, runs)

    def _price(self, changed: dict[tuple[str, ...], Experiment], runs: int) -> float:
        return _seconds(changed.values(), runs, self.workers)

    def _train(self, changed: dict[tuple[str, ...], Experiment], runs: int) -> bool:
        histories = self.train(list(changed.values()), runs)
        if histories is None:
            return False
        self.seconds -= self._price(changed, runs)
        for (keys, after), history in zip(changed.items(), histories, strict=True):
            passed = self.yardstick.passed(history)
            gain, low, high = paired_gain(self.before[:runs], passed)
            score = float(self.yardstick.scores(history).mean())
            self.trials[keys] = Trial(
                keys,
                tuple(self.fixes[key].title for key in keys),
                tuple(dict.fromkeys(filter(None, (self.suggesting.get(key) for key in keys)))),
                after,
                Rate.of(passed),
                gain,
                low,
                high,
                score,
            )
            self._histories[keys] = _first_and_last(history)
        # Only what stands best is diagnosed.
        for keys in sorted(self._histories, key=self._standing, reverse=True)[2 * DIAGNOSED :]:
            del self._histories[keys]
        return True

    def _standing(self, keys: tuple[str, ...]) -> tuple:
        """The better, the larger: by the runs that pass, the mean score, and the advice followed.

        Fixes of faults that hide each other change nothing alone, so more of them stand better.
        """
        trial = self.trials[keys]
        return trial.rate.value, round(trial.score, 2), len(keys)

    def _chosen(self, keys: tuple[str, ...]) -> list[Fix]:
        return [self.fixes[key] for key in keys]

    def _together(self, chosen: list[Fix], findings: tuple[Finding, ...]) -> list[Fix]:
        """The chosen fixes, and the first fix of every finding as far as they fit together."""
        firsts = [finding.fixes[0] for finding in self._serious(findings) if finding.fixes]
        by_key = {fix.key: fix for fix in firsts}
        if not by_key:
            return []
        leading, *others = by_key.values()
        begun = with_fix(self.experiment, chosen, leading)
        return as_many_as_fit(self.experiment, chosen if begun is None else begun, others)

    def _onwards(self) -> list[list[Fix]]:
        """What follows from the diagnosis of the experiments that stand best."""
        standing = sorted(self._histories, key=self._standing, reverse=True)
        more: list[list[Fix]] = []
        for keys in [keys for keys in standing if keys not in self._diagnosed][:DIAGNOSED]:
            self._diagnosed.add(keys)
            trial, chosen = self.trials[keys], self._chosen(keys)
            findings = self.diagnose(trial.experiment, self._histories[keys])
            advice = suggested(findings, self.codes)
            self._learn(advice)
            follow = [with_fix(self.experiment, chosen, fix) for fix, _ in advice]
            tried = [some for some in follow if some is not None][:FOLLOWED]
            more += [*tried[:1], self._together(chosen, findings), *tried[1:]]
        return [some for some in more if some and self._is_new(some)]

    def _is_new(self, some: list[Fix]) -> bool:
        after = combined(self.experiment, some)
        return after is not None and all(
            trial.experiment != after for trial in self.trials.values()
        )

    def _recipes(self) -> list[list[Fix]]:
        """What suits most networks, alone and with a higher rate or more epochs."""
        experiment = self.experiment
        fitting = fixes.fitting_output(experiment)
        hidden = experiment.model.activations[:-1]
        bend = fixes.KEEP_VARIANCE
        if any(each.name in ("linear", "sigmoid", "softmax", "relu") for each in hidden):
            bend = fixes.RECTIFY
        shape = [fixes.WIDEN] if hidden else [fixes.ADD_HIDDEN]
        scale = [fixes.STANDARDISE_TARGETS] if experiment.data.source.outputs else []
        common = as_many_as_fit(experiment, [], [fitting, *scale, *RECIPE, bend, *shape])
        longer = fixes.epochs(min(5 * experiment.training.epochs, MOST_EPOCHS))
        recipes = [
            as_many_as_fit(experiment, common, [fixes.rate(USUAL_RATE)]),
            as_many_as_fit(experiment, common, [longer]),
        ]
        if (keys := max(self.trials, key=self._standing, default=None)) is not None:
            recipes.append(as_many_as_fit(experiment, self._chosen(keys), [*common, longer]))
        self._learn((fix, "") for recipe in recipes for fix in recipe)
        return recipes

    def _reduce(self) -> bool:
        """Drop what the best combination does not need; False when stopped."""
        best = self.best
        while best is not None and len(best.fixes) > 1 and self.left > 0:
            smaller = [tuple(k for k in best.fixes if k != drop) for drop in best.fixes]
            if not self._try(map(self._chosen, smaller), reducing=True):
                return False
            least = min(best.rate.value, ENOUGH)
            spare = [
                drop
                for drop, keys in zip(best.fixes, smaller, strict=True)
                if (trial := self.trials.get(keys)) and trial.helps and trial.rate.value >= least
            ]
            if len(spare) > 1:
                # Often none of these is needed.
                without = tuple(key for key in best.fixes if key not in spare)
                if without and not self._try([self._chosen(without)], reducing=True):
                    return False
            before, best = best, self.best
            if best is None or len(best.fixes) >= len(before.fixes):
                break
        return True

    def _serious(self, findings: tuple[Finding, ...]) -> list[Finding]:
        return serious(findings, self.codes)


def serious(findings: tuple[Finding, ...], codes: Sequence[str] | None) -> list[Finding]:
    """The findings whose fixes are tried: those with these codes, or all above cosmetic.

    The main cause is the first, so that a fix which several name is tried as its own.
    """
    some = [
        finding
        for finding in findings
        if (finding.code in codes if codes is not None else finding.severity != Severity.COSMETIC)
    ]
    main = main_cause(tuple(some)) if some else None
    return sorted(some, key=lambda finding: finding is not main)


def suggested(findings: tuple[Finding, ...], codes: Sequence[str] | None) -> list[tuple[Fix, str]]:
    """Each fix once, with the code of the first finding that names it: first choices come first."""
    chosen = serious(findings, codes)
    deepest = max((len(finding.fixes) for finding in chosen), default=0)
    by_key: dict[str, tuple[Fix, str]] = {}
    for rank in range(deepest):
        for finding in chosen:
            if rank < len(finding.fixes):
                fix = finding.fixes[rank]
                by_key.setdefault(fix.key, (fix, finding.code))
    return list(by_key.values())


def first_runs(candidates: Iterable[Experiment], runs: int, workers: int = 1) -> int:
    """Runs that all candidates get before the better half of them gets all of the `runs`."""
    some = tuple(candidates)
    if runs <= FEW or _seconds(some, runs, workers) < WORTH_HALVING * _seconds(some, FEW, workers):
        return runs
    return FEW


def _seconds(experiments: Iterable[Experiment], runs: int, workers: int) -> float:
    return priced(Work(tuple(experiments), runs, returned=False), workers).seconds


def best_of(trials: Iterable[Trial]) -> Trial | None:
    """The fewest fixes that help and make enough runs pass, or else those with the best rate."""
    helping = [trial for trial in trials if trial.helps]
    if not helping:
        return None
    most = max(trial.rate.runs for trial in helping)
    helping = [trial for trial in helping if trial.rate.runs == most]
    top = max(trial.rate.value for trial in helping)
    candidates = [trial for trial in helping if trial.rate.value >= min(top, ENOUGH)]
    return min(candidates, key=lambda trial: (len(trial.fixes), -trial.rate.value))


def _first_and_last(history: History) -> History:
    """The history without the weights between its first and last epoch."""
    return replace(
        history,
        key_epochs=history.key_epochs[[0, -1]],
        weights=tuple(array[[0, -1]] for array in history.weights),
    )
