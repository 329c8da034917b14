"""Training every combination of some fixes on the same seeds, and what each fix contributes."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix, excluded
from core.history import TARGET, History, Progress
from core.rates import Rate, mean_difference_interval, runs_to_show


@dataclass(frozen=True)
class Candidate:
    """A combination of fixes, compared with a required success rate.

    Attributes:
        fixes: Keys, in the order in which they are applied.
        rate: Of the runs that succeed.
        shown: Whether the whole interval of the rate is at or above the required rate.
        runs_to_show: The fewest runs at which it would be, if the rate stayed the same; None if
            no number of runs is enough.
    """

    fixes: tuple[str, ...]
    rate: Rate
    shown: bool
    runs_to_show: int | None


@dataclass(frozen=True)
class Verdict:
    """The combinations that reach a required success rate, as far as the runs can show it.

    Attributes:
        smallest: The combinations with the fewest fixes among those whose rate is at least the
            required one; the highest rate first, then the fastest. () if there is none.
        shown: The same among those whose whole interval is at least the required rate.
        best: The combination with the highest rate; the smallest of equals.
    """

    smallest: tuple[Candidate, ...]
    shown: tuple[Candidate, ...]
    best: Candidate


@dataclass(frozen=True)
class Comparison:
    """The runs of every combination of the fixes; run `i` has the same seeds in all of them.

    Attributes:
        experiment: Without any fix.
        fixes: Keys, in the order in which they are applied.
        subsets: The keys of each combination, smallest first; no two keys exclude each other.
        histories: One per subset; the same object for subsets that give equal experiments.
        missing: How many combinations more were planned when the training was stopped.
    """

    experiment: Experiment
    fixes: tuple[str, ...]
    subsets: tuple[tuple[str, ...], ...]
    histories: tuple[History, ...]
    missing: int = 0

    @property
    def runs(self) -> int:
        return self.histories[0].runs

    @property
    def exclusive(self) -> bool:
        """Whether some of the fixes exclude each other."""
        return self.fixes not in self.subsets

    @property
    def table(self) -> pd.DataFrame:
        """`rates` at the default target."""
        return self.rates(TARGET)

    def rates(self, target: float) -> pd.DataFrame:
        """The success rate of each subset.

        Args:
            target: The accuracy at which a run succeeds.

        Returns:
            One row per subset, with columns fixes, runs, successes, rate, low and high (the rate's
            95% Wilson interval), median_epochs (of the runs that succeed, the first epoch after
            which the accuracy reaches the target) and seconds (the subset's share of the time of
            its stack).
        """
        rows = []
        for subset, history in zip(self.subsets, self.histories, strict=True):
            success = history.successes(target)
            rate = Rate.of(success)
            epochs = history.epochs_until(target)[success]
            reached = epochs[np.isfinite(epochs)]
            rows.append(
                {
                    "fixes": subset,
                    "runs": rate.runs,
                    "successes": rate.successes,
                    "rate": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                    "median_epochs": float(np.median(reached)) if reached.size else math.nan,
                    "seconds": history.seconds + history.compile_seconds,
                }
            )
        return pd.DataFrame(rows)

    def contributions(self, target: float) -> pd.DataFrame:
        """The change in the success rate that each fix contributes.

        The change is averaged over all orders in which the fixes can be added, except those in
        which a fix that excludes it comes earlier. If no fixes exclude each other, it is the
        Shapley value (L. Shapley, 1953), and the values sum to the rate with all fixes minus the
        rate with none. Otherwise they need not sum to any gain.

        Args:
            target: The accuracy at which a run succeeds.

        Raises:
            ValueError: If combinations are missing.

        Returns:
            One row per fix, with columns fix, value (the mean over runs, since run `i` is paired
            across the subsets), low and high (its 95% interval from `mean_difference_interval`)
            and identical (whether every run has the same final loss with and without the fix, in
            every subset; the interval is then 0 to 0).
        """
        if self.missing:
            raise ValueError(f"combinations are missing: {self.missing}")
        success = {
            subset: history.successes(target).astype(float)
            for subset, history in zip(self.subsets, self.histories, strict=True)
        }
        rows = []
        for fix, orders in _orders(self.fixes, self.subsets).items():
            total = sum(orders.values())
            steps = [
                (without, _joined(self.fixes, without, fix), count / total)
                for without, count in orders.items()
            ]
            by_run = sum(
                share * (success[after] - success[before]) for before, after, share in steps
            )
            low, high = mean_difference_interval(by_run)
            identical = all(self._alike(before, after) for before, after, _ in steps)
            rows.append(
                {
                    "fix": fix,
                    "value": by_run.mean(),
                    "low": 0.0 if identical else low,
                    "high": 0.0 if identical else high,
                    "identical": identical,
                }
            )
        return pd.DataFrame(rows)

    def verdict(self, rate: float, target: float) -> Verdict:
        """The combinations that reach a success rate, and whether the runs are enough to show it.

        Args:
            rate: The required success rate.
            target: The accuracy at which a run succeeds.
        """
        table = self.rates(target)
        table["size"] = table["fixes"].map(len)
        table = table.sort_values(
            ["size", "rate", "median_epochs"], ascending=[True, False, True], kind="stable"
        )
        candidates = []
        for row in table.itertuples():
            reached = Rate(row.successes, row.runs)
            enough = runs_to_show(reached.value, rate)
            candidates.append(Candidate(row.fixes, reached, reached.low >= rate, enough))
        return Verdict(
            smallest=_fewest([c for c in candidates if c.rate.value >= rate]),
            shown=_fewest([c for c in candidates if c.shown]),
            best=max(candidates, key=lambda candidate: candidate.rate.value),
        )

    def smallest(self, rate: float, target: float) -> tuple[str, ...] | None:
        """The smallest combination that reaches a success rate; see `Verdict.smallest`.

        Args:
            rate: The required success rate.
            target: The accuracy at which a run succeeds.

        Returns:
            The keys of the fixes; None if no combination reaches the rate.
        """
        candidates = self.verdict(rate, target).smallest
        return candidates[0].fixes if candidates else None

    def history(self, subset: tuple[str, ...]) -> History:
        """The runs of one combination.

        Raises:
            ValueError: If it is not one of `subsets`.
        """
        return self.histories[self.subsets.index(subset)]

    def _alike(self, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        """Whether every run has the same final loss in both subsets."""
        before, after = self.history(one).final_loss, self.history(other).final_loss
        return np.array_equal(before, after, equal_nan=True)


def _fewest(candidates: list[Candidate]) -> tuple[Candidate, ...]:
    """The candidates of the smallest size; they are given in order of size."""
    return tuple(c for c in candidates if len(c.fixes) == len(candidates[0].fixes))


def subsets_of(keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """All subsets, smallest first, each in the given order."""
    return tuple(subset for size in range(len(keys) + 1) for subset in combinations(keys, size))


def _joined(keys: tuple[str, ...], subset: tuple[str, ...], fix: str) -> tuple[str, ...]:
    """The subset with one more fix, in the order of the keys."""
    return tuple(key for key in keys if key in subset or key == fix)


@lru_cache(maxsize=16)
def _orders(
    keys: tuple[str, ...], subsets: tuple[tuple[str, ...], ...]
) -> Mapping[str, Mapping[tuple[str, ...], int]]:
    """For each fix, the number of orders of all fixes in which it is added to each subset.

    A fix that an earlier one excludes is skipped.
    """
    possible = set(subsets)
    orders: dict[str, Counter] = {key: Counter() for key in keys}
    # The number of orders by the fixes that they begin with and those of them that were added.
    begun = Counter({(frozenset[str](), ()): 1})
    for left in range(len(keys) - 1, -1, -1):
        longer: Counter = Counter()
        for (visited, added), count in begun.items():
            for key in keys:
                if key in visited:
                    continue
                joined = _joined(keys, added, key)
                if joined in possible:
                    orders[key][added] += count * math.factorial(left)
                longer[visited | {key}, joined if joined in possible else added] += count
        begun = longer
    return orders


def plan(experiment: Experiment, fixes: Mapping[str, Fix]) -> Mapping[tuple[str, ...], Experiment]:
    """The experiment of every combination of fixes in which no two exclude each other.

    A combination is left out where one of its fixes does not fit what those before it give.

    Args:
        experiment: Without any fix.
        fixes: By key, in the order in which they are applied.

    Returns:
        The experiments by the keys of their fixes, the smallest combinations first.
    """
    excludes = excluded(fixes, experiment)
    planned: dict[tuple[str, ...], Experiment] = {(): experiment}
    for subset in subsets_of(tuple(fixes))[1:]:
        *before, last = subset
        base = planned.get(tuple(before))
        if base is not None and not set(before) & set(excludes[last]):
            with contextlib.suppress(InvalidExperiment):
                planned[subset] = fixes[last].apply(base)
    return planned


def distinct(planned: Mapping[tuple[str, ...], Experiment]) -> tuple[Experiment, ...]:
    """The distinct experiments of a plan."""
    return tuple(dict.fromkeys(planned.values()))


def compare(
    experiment: Experiment,
    fixes: Mapping[str, Fix],
    runs: int = 32,
    seed: int = 0,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Comparison | None:
    """Train the experiment with every combination of the fixes, on the same seeds.

    Fixes that exclude each other are never combined, and an experiment that results from several
    combinations is trained once.

    Args:
        experiment: Without any fix.
        fixes: By key, in the order in which they are applied.
        runs: Number of runs of each combination.
        seed: Of all combinations.
        on_progress: Called as the training proceeds.
        should_stop: Called between steps; the training stops when it returns true.

    Returns:
        The runs; where `should_stop` stopped the training, those of the combinations that were
        trained to their end, or None if the experiment itself is not among them.
    """
    # Imported here so that a page can hold a Comparison without loading TensorFlow.
    from core.training import train_all

    planned = plan(experiment, fixes)
    experiments = distinct(planned)
    histories: dict[Experiment, History] = {}

    def keep(index: int, history: History) -> None:
        histories[experiments[index]] = history

    train_all(experiments, runs, seed, on_progress, should_stop, on_history=keep)
    trained = {subset: each for subset, each in planned.items() if each in histories}
    if () not in trained:
        return None
    return Comparison(
        experiment,
        tuple(fixes),
        tuple(trained),
        tuple(histories[each] for each in trained.values()),
        missing=len(planned) - len(trained),
    )
