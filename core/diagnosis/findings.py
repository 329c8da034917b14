"""What a finding is, the registry of the rules that make them, and the thresholds that they use."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np

from core.diagnosis.observations import Observations
from core.fixes import Fix

RISK = 0.05
"""A share of the runs that counts: among 64 runs it is seen at least once (96%)."""
ORDER = 10.0
"""Inputs this many times off unit size are off scale: the initialisers are derived for unit
variance (Glorot and Bengio 2010), and an order of magnitude is more than their own spread."""
OFF_CENTRE = 1.0
"""A column is off centre if its mean is further from 0 than its deviation."""
MINORITY = 0.2
"""Of two classes one with a smaller share is rare; of more, one as far below an equal share. It is
where Google's course on imbalanced data calls an imbalance moderate."""
SATURATED = 0.5
"""Share of a layer's outputs near a bound (more than half: DeepDiagnosis, Wardat et al. 2022)."""
VANISHING = 1e-3
"""First to last kernel gradient (AutoTrainer, Zhang et al. 2021)."""
EXPLODING = 70.0
"""The same the other way round (AutoTrainer)."""
RESTLESS = 0.1
"""Change of a kernel in one update over its norm (TheDeepChecker, Braiek and Khomh 2023)."""
SWING = 0.03
SWINGING_EPOCHS = 0.2
"""Accuracy that falls by 0.03 or more in a fifth of the epochs oscillates (AutoTrainer)."""
GAP = 0.1
"""Training above held-out accuracy by what 100 held-out rows can tell from chance (95%)."""
PRECISION = 1.5
"""A look ahead tells the number of updates to within about this factor, as it takes big steps."""
BARELY = 0.05
"""A weight that moves by less has hardly moved: Glorot's limit for 16 units and one is 0.6."""
FALLING = 0.05
"""A loss that has fallen by this share has fallen (TheDeepChecker's 5%)."""
ENOUGH_SURVIVORS = 0.01
"""Share of samples for which a layer may be dropped as a whole without a word."""
LOUD = 0.25
"""Noise as a share of the signal's power from which on dropout may drown it: a sum of the units
then varies by half of itself."""
SETTLED = 0.1
"""Share of a moving average that may still stem from its initial value."""


class Severity(str, Enum):
    """How bad it is.

    fatal: cannot learn; fragile: depends on the seed; slow: improves, but not fast enough;
    cosmetic: harmless here.
    """

    FATAL = "fatal"
    FRAGILE = "fragile"
    SLOW = "slow"
    COSMETIC = "cosmetic"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


FATAL, FRAGILE, SLOW, COSMETIC = Severity
CERTAIN, LIKELY, CANNOT_TELL = "certain", "likely", "cannot tell"


@dataclass(frozen=True)
class Finding:
    """One fault, or one thing worth knowing.

    code: stable, in kebab case. title: a few words. evidence: numbers of this experiment or
    history, with units. cause: what goes wrong, in two sentences. fixes: edits of this experiment
    that address it. confidence: "certain", "likely" or "cannot tell"; settle: what would settle
    it, where it is not certain. layer: the dense layer concerned, from 0, for a picture; run: one
    that shows it. because: the cause as a clause, for the verdict: "the loss clips the output".
    """

    code: str
    severity: Severity
    title: str
    evidence: str
    cause: str
    fixes: tuple[Fix, ...] = ()
    confidence: str = CERTAIN
    settle: str | None = None
    layer: int | None = None
    run: int | None = None
    because: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it does harm here shows only when the network is trained."""
        return self.severity is COSMETIC and self.confidence == CANNOT_TELL


Rule = Callable[[Observations], Finding | None]
RULES: dict[str, Rule] = {}
"""Every rule by the code of its finding, in the order in which equals are reported."""


def rule(code: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[code] = function
        return function

    return register


# --- words ---


def number(value: float) -> str:
    """Three digits, with separators: 49,900, 0.0123."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.2g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{round(value, digits):,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def rounded_up(value: float) -> int:
    """A count to two digits, rounded up."""
    unit = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return int(math.ceil(value / unit) * unit)


def accuracies(seen: Observations) -> str:
    scores = np.nan_to_num(seen.scores[seen.stuck])
    what = "an R²" if seen.regression else "an accuracy"
    # Rounded down: 0.899 has not reached 0.90.
    low, high = (f"{math.floor(100 * score) / 100:.2f}" for score in (scores.min(), scores.max()))
    return f"the others end at {what} of {low}" + (f" to {high}" if high != low else "")


def layer_name(place: int, seen: Observations) -> str:
    return "the output layer" if place == len(seen.hidden) else f"layer {place + 1}"


def expected(seen: Observations, severity: Severity, how: str) -> tuple[str, str | None]:
    """Confidence, and what would settle it, for a finding on something that need not do harm."""
    if severity is not COSMETIC:
        return LIKELY, how
    if seen.history is None:
        return CANNOT_TELL, how
    return CERTAIN, None
