"""What a finding is, and the words that findings are written in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from core.diagnosis.observations import FinalState, Observations
from core.fixes import Fix


class Severity(str, Enum):
    """How bad it is.

    Attributes:
        FATAL: The network cannot learn.
        FRAGILE: Whether it learns depends on the seed.
        SLOW: It improves, but not fast enough.
        COSMETIC: Harmless here.
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

    Args:
        severity: How bad it is for this experiment or history.
        title: A few words.
        evidence: Numbers of this experiment or history, with units.
        cause: What goes wrong, in two sentences.
        fixes: Edits of this experiment that address it, the best first.
        confidence: "certain", "likely" or "cannot tell".
        settle: What would settle it, where it is not certain.
        layer: Index of the dense layer concerned, for a picture.
        run: Index of a run that shows it.
        because: The cause as a clause, for the verdict: "the loss clips the output".
        code: Stable, in kebab case; that of the rule which makes it.
    """

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
    code: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it does harm here shows only when the network is trained."""
        return self.severity is COSMETIC and self.confidence == CANNOT_TELL


def failing_severity(obs: Observations) -> Severity:
    """Of what need not do harm: SLOW or FRAGILE where runs fail, COSMETIC where none does."""
    if not obs.failing:
        return COSMETIC
    return SLOW if obs.failing.moving else FRAGILE


def confidence_in(obs: Observations, severity: Severity, settle: str) -> tuple[str, str | None]:
    """The confidence in a finding on something that need not do harm.

    Args:
        obs: Of the experiment.
        severity: Of the finding.
        settle: What would settle it.

    Returns:
        The confidence, and what would settle it; None where it is certain.
    """
    if severity is not COSMETIC:
        return LIKELY, settle
    if obs.history is None:
        return CANNOT_TELL, settle
    return CERTAIN, None


# --- words --------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Three digits, with separators: 49,900, 0.0123."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.2g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{round(value, digits):,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(count: int, what: str) -> str:
    """Such as "1 run" or "2,048 runs"."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def runs_that_fail(failed: np.ndarray) -> str:
    """Such as "1 run that fails" or "3 runs that fail"; failed: bool (runs,)."""
    count = int(failed.sum())
    return f"{counted(count, 'run')} that fail{'s' * (count == 1)}"


def rounded_up(value: float) -> int:
    """A count to two digits, rounded up."""
    unit = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return int(math.ceil(value / unit) * unit)


def scores_of_failed(end: FinalState) -> str:
    """The range of the scores of the runs that fail, as a clause."""
    scores = np.nan_to_num(end.scores[end.failed])
    who = "the other ends" if len(scores) == 1 else "the others end"
    if not end.passed.any():
        who = "it ends" if len(scores) == 1 else "they end"
    task, goal = end.history.experiment.task, end.goal.score

    def stated(score: float) -> str:
        # 89.97% has not reached 90%.
        short = score < goal and task.stated(score) == task.stated(goal)
        return task.stated(score - (0.0005 if task.share else 0.005) * short)

    low, high = stated(scores.min()), stated(scores.max())
    return f"{who} at an {task.score_name} of {low}" + (f" to {high}" if high != low else "")


def layer_name(index: int, obs: Observations) -> str:
    """A dense layer by its index, as "layer 1" or "the output layer"."""
    return "the output layer" if index == len(obs.hidden) else f"layer {index + 1}"
