"""Rates and their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054
"""The 97.5% point of the normal distribution: intervals are 95% intervals."""


@dataclass(frozen=True)
class Rate:
    """So many successes in so many runs, with the 95% Wilson score interval [low, high].

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
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

    def __str__(self) -> str:
        percent = f"{100 * self.low:.0f} to {100 * self.high:.0f}%"
        return f"{self.successes} of {self.runs} runs ({percent})"


def runs_to_show(share: float, required: float) -> int | None:
    """The fewest runs at which a rate of `share` has its interval at or above the required rate.

    None where no number of runs has: the share is not above it.
    """
    if share <= required:
        return None
    # Wilson's interval reaches down to the rates that a test of the share does not reject.
    return math.ceil(Z * Z * required * (1 - required) / (share - required) ** 2)
