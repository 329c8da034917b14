"""What a claim says of every run, as a test.

A criterion is a value: its `text` is made from the same numbers as its judgement, so that what a
page says is what was tested. `judge` returns two arrays of (runs,): whether the run meets the
criterion, and what was measured, in the criterion's `quantity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core import inspection
from core.experiment import Experiment
from core.history import TARGET, History
from core.rates import points, signed_points


@dataclass(frozen=True)
class Outcome:
    """What a claim's arms came to, all over the same runs of a seed.

    Attributes:
        experiments: of the arms, in order.
        histories: of the arms, in order; () where the criterion needs no training.
        first: the number of the first run.
    """

    experiments: tuple[Experiment, ...]
    histories: tuple[History, ...]
    runs: int
    seed: int
    first: int = 0

    @property
    def numbers(self) -> range:
        """The numbers of the runs."""
        return range(self.first, self.first + self.runs)

    @property
    def last(self) -> History:
        """Of the arm that the claim is about."""
        return self.histories[-1]


@dataclass(frozen=True)
class Quantity:
    """What is measured in a run, and how one value of it is written.

    Attributes:
        form: a format specification, or "points" for a difference in percentage points.
        never: the words for a value that did not come (infinity).
    """

    name: str
    form: str
    never: str = "never"

    def text(self, value: float) -> str:
        """One value in words."""
        if not np.isfinite(value):
            return self.never
        if self.form == "points":
            return signed_points(value, digits=1)
        return format(value, self.form)

    def between(self, low: float, high: float) -> str | None:
        """A range in words; None where both ends are written alike."""
        first, last = self.text(low), self.text(high)
        if first == last:
            return None
        return f"{first.removesuffix(' percentage points')} to {last}"


ACCURACY = Quantity("Final accuracy", ".1%")
DIFFERENCE = Quantity("Difference in accuracy", "points")
EPOCH = Quantity("Epoch", ".0f")
HAPPENED = Quantity("Runs in which it happened", ".0%")


class Criterion(Protocol):
    """The test of a claim in every run."""

    @property
    def quantity(self) -> Quantity:
        """What is measured in a run."""
        ...

    @property
    def trains(self) -> bool:
        """Whether the arms must be trained to judge it."""
        ...

    @property
    def text(self) -> str:
        """The criterion in a sentence."""
        ...

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        """Whether each run meets it, bool (runs,), and what was measured in it, float (runs,)."""
        ...


# --- one training -------------------------------------------------------------------------------


@dataclass(frozen=True)
class FinalAccuracy:
    """The final accuracy lies in [low, high]."""

    low: float = 0.0
    high: float = 1.0
    quantity = ACCURACY
    trains = True

    @property
    def text(self) -> str:
        if self.high == 1:
            return f"The final accuracy is at least {_percent(self.low)}."
        if self.low == 0:
            return f"The final accuracy is at most {_percent(self.high)}."
        return f"The final accuracy lies between {_percent(self.low)} and {_percent(self.high)}."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        values = outcome.last.final_score
        return (values >= np.float32(self.low)) & (values <= np.float32(self.high)), values


@dataclass(frozen=True)
class FirstEpoch:
    """The first epoch whose accuracy reaches `accuracy` is from `low` to `high`.

    Without `high` it may also never come.
    """

    accuracy: float
    low: int = 1
    high: int | None = None
    quantity = EPOCH
    trains = True

    @property
    def text(self) -> str:
        what = f"The accuracy of an epoch reaches {self.accuracy:.0%} for the first time"
        if self.high is None:
            return f"{what} in epoch {self.low} or later, or never."
        if self.low == 1:
            return f"{what} in epoch {self.high} or earlier."
        return f"{what} between epochs {self.low} and {self.high}."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        values = outcome.last.epochs_to(self.accuracy)
        late = ~(values < self.low)  # NaN is later than everything
        return late if self.high is None else late & (values <= self.high), values


@dataclass(frozen=True)
class OneClassPredicted:
    """Every training row is predicted as the same class."""

    quantity = ACCURACY
    trains = True
    text = "After the last epoch, every sample is predicted as the same class."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        history = outcome.last
        decided = [_decided(history, run) for run in range(history.runs)]
        met = np.array([len(np.unique(classes)) == 1 for classes in decided])
        return met, history.final_score


@dataclass(frozen=True)
class TrainingFlatters:
    """The accuracy on the training rows is more than `margin` above that on the held-out rows."""

    margin: float
    quantity = DIFFERENCE
    trains = True

    @property
    def text(self) -> str:
        return (
            f"The accuracy on the training rows is more than {points(self.margin)} above that on "
            "the held-out rows."
        )

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        history = outcome.last
        training = [
            float((_decided(history, run) == _actual(history, run)).mean())
            for run in range(history.runs)
        ]
        values = np.array(training) - history.final_score
        return values > self.margin, values


@dataclass(frozen=True)
class Overfits:
    """The held-out loss ends more than a share `rise` above its lowest."""

    rise: float
    quantity = Quantity("Rise of the held-out loss from its lowest", ".1%")
    trains = True

    @property
    def text(self) -> str:
        return f"The held-out loss ends more than {self.rise:.0%} above its lowest."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        loss = outcome.last.val_loss
        assert loss is not None, "the experiment holds out rows"
        values = loss[-1] / loss.min(axis=0) - 1
        return values > self.rise, values


@dataclass(frozen=True)
class StuckExactlyWhenDead:
    """A run fails if and only if all units of one of its hidden layers are dead."""

    quantity = Quantity("Dead units in the worst hidden layer", ".0%")
    trains = True
    text = (
        f"The run ends below {TARGET:.0%} with a hidden layer whose units all output 0 for every "
        f"sample, or reaches {TARGET:.0%} without one."
    )

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        health = outcome.last.health
        assert health is not None, "a stacked training measures it"
        worst = health.dead[-1, :-1].max(axis=0)
        return (worst == 1) == ~outcome.last.successes(TARGET), worst


# --- two trainings, run by run over the same seeds ----------------------------------------------


@dataclass(frozen=True)
class Frees:
    """A run that fails in the first arm succeeds in the last one."""

    quantity = DIFFERENCE
    trains = True
    text = f"The run ends below {TARGET:.0%} without the change, and reaches it with the change."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        before, after = outcome.histories[0], outcome.last
        return ~before.successes(TARGET) & after.successes(TARGET), _gain(outcome)


@dataclass(frozen=True)
class AllAccuracies:
    """The final accuracy lies in [low, high] in every arm."""

    low: float
    high: float
    quantity = ACCURACY
    trains = True

    @property
    def text(self) -> str:
        return (
            f"The final accuracy lies between {self.low:.0%} and {self.high:.0%} in every one of "
            "the networks."
        )

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        values = np.stack([history.final_score for history in outcome.histories])
        met = (values >= np.float32(self.low)) & (values <= np.float32(self.high))
        return np.logical_and.reduce(met), values.max(axis=0)


@dataclass(frozen=True)
class NoWorse:
    """The last arm's final accuracy is at most `margin` below the first one's."""

    margin: float
    quantity = DIFFERENCE
    trains = True

    @property
    def text(self) -> str:
        return (
            f"The run ends no more than {points(self.margin)} below the same run without the "
            "change."
        )

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        values = _gain(outcome)
        return values >= -self.margin, values


@dataclass(frozen=True)
class SameOutcome:
    """The run succeeds in both arms, or in neither."""

    quantity = DIFFERENCE
    trains = True
    text = f"The run reaches {TARGET:.0%} in both forms, or in neither."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        first, last = outcome.histories[0], outcome.last
        return first.successes(TARGET) == last.successes(TARGET), _gain(outcome)


@dataclass(frozen=True)
class Sooner:
    """The last arm reaches `accuracy` in an earlier epoch than the first."""

    accuracy: float
    quantity = EPOCH
    trains = True

    @property
    def text(self) -> str:
        return f"The run reaches {self.accuracy:.0%} in an earlier epoch than without the change."

    def judge(self, outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
        before = np.nan_to_num(outcome.histories[0].epochs_to(self.accuracy), nan=np.inf)
        values = outcome.last.epochs_to(self.accuracy)
        return values < before, values


# --- what several of them need ------------------------------------------------------------------


def _percent(share: float) -> str:
    return f"{100 * share:g}%"


def _gain(outcome: Outcome) -> np.ndarray:
    return outcome.last.final_score - outcome.histories[0].final_score


def _decided(history: History, run: int) -> np.ndarray:
    """The classes, int (rows,), that a run's trained network predicts for its training rows."""
    x = history.rows(run).x
    out = inspection.outputs(history.experiment.model, history.weights_at(-1, run), x)[-1]
    return inspection.decisions(history.experiment, out)


def _actual(history: History, run: int) -> np.ndarray:
    """The classes, int (rows,), of a run's training rows."""
    rows = history.rows(run)
    return inspection.classes(history.experiment.data, rows.y)
