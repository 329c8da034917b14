"""Rates and their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054
"""The 97.5% point of the normal distribution: intervals are 95% intervals."""

FINE = 1_000
"""Runs from which an interval is written to a tenth of a point."""
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Rate:
    """So many successes in so many runs, with the 95% Wilson score interval [low, high].

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.

    Raises:
        ValueError: There are no runs, or more successes than runs.
    """

    successes: int
    runs: int

    def __post_init__(self):
        if not 0 <= self.successes <= self.runs or self.runs < 1:
            raise ValueError(f"{self.successes} successes in {self.runs} runs is no rate")

    @classmethod
    def of(cls, met: np.ndarray) -> Rate:
        """The rate of the runs that meet something: bool (runs,)."""
        return cls(int(np.sum(met)), len(met))

    @property
    def failures(self) -> int:
        return self.runs - self.successes

    @property
    def value(self) -> float:
        return self.successes / self.runs

    @property
    def low(self) -> float:
        # At the ends the interval closes exactly; rounding would leave it a hair off.
        return 0.0 if self.successes == 0 else self._bound(-1)

    @property
    def high(self) -> float:
        return 1.0 if self.successes == self.runs else self._bound(1)

    def _bound(self, side: int) -> float:
        n, p, zz = self.runs, self.value, Z * Z
        spread = Z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
        return (p + zz / (2 * n) + side * spread) / (1 + zz / n)

    @property
    def count(self) -> str:
        """Such as "1,608 of 2,048"."""
        return f"{self.successes:,} of {self.runs:,}"

    @property
    def interval(self) -> str:
        """Such as "59 to 65%", or "76.7 to 80.0%" of the many runs that can tell so much."""
        digits = 0 if self.runs < FINE else 1
        return f"{100 * self.low:.{digits}f} to {100 * self.high:.{digits}f}%"

    def __str__(self) -> str:
        return f"{self.count} runs ({self.interval})"


def percent(share: float) -> str:
    """A share to a tenth of a percent, such as "90%" or "50.2%"; "0%" and "100%" are exact."""
    if 0 < share < 1:
        share = min(max(share, 0.001), 0.999)
    return f"{_tenths(share)}%"


def points(difference: float) -> str:
    """A difference of two shares, such as "3 percentage points"."""
    return _counted(_tenths(difference))


def signed(difference: float, digits: int = 0) -> str:
    """A difference of two shares in percentage points with its sign, such as "+3"; 0 has none."""
    text = f"{100 * difference:+.{digits}f}"
    return text.replace("-", MINUS) if float(text) else text[1:]


def signed_points(difference: float, digits: int = 0) -> str:
    """The same with its unit, such as "+3 percentage points"."""
    return _counted(signed(difference, digits))


def _counted(count: str) -> str:
    return f"{count} percentage point{'s' * (count not in ('1', '+1', MINUS + '1'))}"


def _tenths(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0")


def runs_to_show(share: float, required: float) -> int | None:
    """The fewest runs at which a rate of `share` has its interval at or above the required rate.

    Returns:
        None where no number of runs has: the share is not above it.
    """
    if share <= required:
        return None
    # Wilson's interval reaches down to the rates that a test of the share does not reject.
    return math.ceil(Z * Z * required * (1 - required) / (share - required) ** 2)


def paired_gain(before: np.ndarray, after: np.ndarray) -> tuple[float, float, float]:
    """Difference of two success rates over the same runs, and its 95% interval.

    The interval is that of A. Agresti and Y. Min, "Simple improved confidence intervals for
    comparing matched proportions" (2005): Wald's with half a run added to each of the four cells.

    Args:
        before: bool (runs,), which runs succeed.
        after: The same runs with the change.

    Returns:
        The gain, and the two ends of its interval.
    """
    runs = len(before)
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    count = runs + 2
    up, down = (won + 0.5) / count, (lost + 0.5) / count
    margin = Z * math.sqrt(max(up + down - (up - down) ** 2, 0) / count)
    return (won - lost) / runs, max(up - down - margin, -1.0), min(up - down + margin, 1.0)


def mean_difference_interval(differences: np.ndarray) -> tuple[float, float]:
    """The 95% interval of a mean difference between runs with the same seeds.

    Two runs are added, one with a difference of 1 and one of -1, so that the interval does not
    collapse where all runs agree (A. Agresti and Y. Min, 2005).

    Args:
        differences: (runs,), each from -1 to 1.

    Returns:
        The two ends of the interval, within [-1, 1].
    """
    count = len(differences) + 2
    mean = differences.sum() / count
    variance = (np.square(differences).sum() + 1) / count - mean**2
    margin = Z * math.sqrt(variance / count)
    return max(mean - margin, -1.0), min(mean + margin, 1.0)
