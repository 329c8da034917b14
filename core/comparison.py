"""Every subset of some fixes, trained over the same seeds, and what each fix contributes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from core.experiment import Experiment
from core.history import History, Progress
from core.problems import TARGET, Fix, apply_all
from core.statistics import Rate, Z


@dataclass(frozen=True)
class Comparison:
    """The runs of every subset of the fixes; run `i` has the same seeds in all of them.

    fixes: keys, in the order in which they are applied. subsets: keys of each subset, smallest
    first. histories: one a subset.
    """

    experiment: Experiment
    fixes: tuple[str, ...]
    subsets: tuple[tuple[str, ...], ...]
    histories: tuple[History, ...]

    @property
    def runs(self) -> int:
        return self.histories[0].runs

    @property
    def table(self) -> pd.DataFrame:
        """`rates` at the project's own target."""
        return self.rates(TARGET)

    def rates(self, target: float) -> pd.DataFrame:
        """One row a subset: fixes, runs, successes, rate, low, high, median_epochs, seconds.

        low, high: 95 % Wilson interval of the rate. median_epochs: until the accuracy after an
        epoch reaches the target, among the runs that succeed. seconds: the subset's share of its
        stack.
        """
        rows = []
        for subset, history in zip(self.subsets, self.histories, strict=True):
            success = history.successes(target)
            rate = Rate(int(success.sum()), history.runs)
            epochs = history.epochs_until(target)[success]
            known = epochs[np.isfinite(epochs)]
            rows.append(
                {
                    "fixes": subset,
                    "runs": rate.runs,
                    "successes": rate.successes,
                    "rate": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                    "median_epochs": float(np.median(known)) if known.size else math.nan,
                    "seconds": history.seconds + history.compile_seconds,
                }
            )
        return pd.DataFrame(rows)

    def contributions(self, target: float) -> pd.DataFrame:
        """One row a fix: fix, value, low, high, identical.

        value: the Shapley value of the success rate (L. Shapley, 1953): what adding the fix
        changes, averaged over all orders in which the fixes can be added; the values add up to
        the rate with all fixes less the rate with none. It is a mean over runs, since run `i` is
        paired across the subsets; [low, high] is its 95 % interval with two runs added, one of
        them half a success and half a failure for the fix (A. Agresti and Y. Min, 2005), so that
        it does not collapse where all runs agree.
        identical: with and without it, every run ends exactly alike in every subset.
        """
        success = {
            subset: history.successes(target).astype(float)
            for subset, history in zip(self.subsets, self.histories, strict=True)
        }
        rows = []
        for fix in self.fixes:
            by_run = sum(
                self._weight(len(without)) * (success[joined] - success[without])
                for without, joined in self._pairs(fix)
            )
            count = self.runs + 2
            mean = by_run.sum() / count
            variance = (np.square(by_run).sum() + 1) / count - mean**2
            margin = Z * math.sqrt(variance / count)
            rows.append(
                {
                    "fix": fix,
                    "value": by_run.mean(),
                    "low": max(mean - margin, -1.0),
                    "high": min(mean + margin, 1.0),
                    "identical": self._identical(fix),
                }
            )
        return pd.DataFrame(rows)

    def smallest(self, rate: float, target: float) -> tuple[str, ...] | None:
        """The fewest fixes whose success rate is at least this; of equals the best, then fastest.

        None where no subset reaches it.
        """
        table = self.rates(target)
        enough = table[table["rate"] >= rate].copy()
        if enough.empty:
            return None
        enough["size"] = enough["fixes"].map(len)
        order = enough.sort_values(
            ["size", "rate", "median_epochs"], ascending=[True, False, True], kind="stable"
        )
        return order["fixes"].iloc[0]

    def history(self, subset: tuple[str, ...]) -> History:
        return self.histories[self.subsets.index(subset)]

    def _pairs(self, fix: str):
        """Every subset without the fix, and the same with it."""
        for subset in self.subsets:
            if fix not in subset:
                joined = tuple(key for key in self.fixes if key in subset or key == fix)
                yield subset, joined

    def _weight(self, size: int) -> float:
        """Share of the orders in which exactly these `size` others come before the fix."""
        count = len(self.fixes)
        return math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)

    def _identical(self, fix: str) -> bool:
        return all(
            np.array_equal(
                self.history(without).final_loss, self.history(joined).final_loss, equal_nan=True
            )
            for without, joined in self._pairs(fix)
        )


def subsets_of(keys: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """All subsets, smallest first, each in the given order."""
    return tuple(subset for size in range(len(keys) + 1) for subset in combinations(keys, size))


def compare(
    experiment: Experiment,
    fixes: Mapping[str, Fix],
    runs: int = 32,
    seed: int = 0,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Comparison | None:
    """Train the experiment with every subset of the fixes, `runs` runs each, over the same seeds.

    Returns None when should_stop ended it: with subsets missing there is nothing to compare.
    """
    # TensorFlow is loaded by a training alone, so that a page can hold a Comparison without it.
    from core.training import train_all

    keys = tuple(fixes)
    subsets = subsets_of(keys)
    edited = [apply_all(tuple(fixes[key] for key in subset), experiment) for subset in subsets]
    histories = train_all(edited, runs, seed, on_progress, should_stop)
    return None if histories is None else Comparison(experiment, keys, subsets, tuple(histories))
