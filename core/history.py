"""What a training leaves behind: figures for every epoch and run, and the weights at key epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.experiment import Experiment

TARGET = 0.9
"""A run succeeds when its final accuracy reaches this, unless another target is chosen."""
CURVES = (
    "loss",
    "accuracy",
    "evaluated_loss",
    "evaluated_accuracy",
    "val_loss",
    "val_accuracy",
)
"""The figures of an epoch and run, as `Epoch` and `History` name them."""


SUCCEEDED, STUCK, IMPROVING, LOST = "succeeded", "stuck", "still improving", "lost again"
"""What can become of a run; see `History.outcomes`."""
OUTCOMES = (SUCCEEDED, STUCK, IMPROVING, LOST)
LAST_PART, LEAST_FALL, LEAST_RISE = 1 / 3, 0.002, 0.05
"""A run still improves if in this last part of its epochs the loss falls by this share of itself,
or the score rises by so much."""


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures, as they are reported while a training goes on.

    number: from 1; of: epochs in all. The arrays are float32 (runs,), as in `History`.
    """

    number: int
    of: int
    loss: np.ndarray
    accuracy: np.ndarray
    evaluated_loss: np.ndarray
    evaluated_accuracy: np.ndarray
    val_loss: np.ndarray | None
    val_accuracy: np.ndarray | None


@dataclass(frozen=True)
class Progress:
    """How far a training of several experiments is.

    share: of the work done, from 0 to 1; finished: experiments that are complete, `of` all.
    """

    share: float
    finished: int
    of: int


@dataclass(frozen=True)
class Health:
    """The dense layers at the end of every epoch: float32 (epochs, dense layers, runs) each.

    dead: share of units whose output is 0 for every training sample.
    saturated: share of units whose output is within 1 % of a bound of its activation's range
        for every training sample (sigmoid and softmax 0 and 1, tanh -1 and 1, elu -1).
    gradient_norm: root mean square, over the epoch's batches, of the kernel gradient's L2 norm.
    update_ratio: root mean square of the kernel's change in one update, over the norm of the
        kernel at the end of the epoch.
    output_min, output_max: smallest and largest output over all units and training samples.
    """

    dead: np.ndarray
    saturated: np.ndarray
    gradient_norm: np.ndarray
    update_ratio: np.ndarray
    output_min: np.ndarray
    output_max: np.ndarray


@dataclass(frozen=True)
class History:
    """The runs of one training. Run `i` is the same run whatever the number of runs.

    loss, accuracy: float32 (epochs, runs), the mean over the epoch's batches that `fit` prints.
    evaluated_loss, evaluated_accuracy: the same, evaluated on the training rows after each epoch.
    val_loss, val_accuracy: the same on the held-out rows after each epoch; None without any.
    final_loss, final_accuracy: float32 (runs,), evaluated after the last epoch, on the held-out
        rows where there are any and else on the training rows.
    key_epochs: int (keys,), the epochs whose weights are kept; 0 is before training.
    weights: one float32 array (keys, *shape, runs) for each array of Keras's `get_weights()`.
    cancelled: the training was stopped before its last epoch; the arrays end where it did.
    seconds: wall-clock time of making the data, the weights and all epochs, compile_seconds: of
        compiling the program (0 where it was kept); an equal share of both where experiments were
        trained together.
    """

    experiment: Experiment
    seed: int
    loss: np.ndarray
    accuracy: np.ndarray
    evaluated_loss: np.ndarray
    evaluated_accuracy: np.ndarray
    val_loss: np.ndarray | None
    val_accuracy: np.ndarray | None
    health: Health | None
    final_loss: np.ndarray
    final_accuracy: np.ndarray
    key_epochs: np.ndarray
    weights: tuple[np.ndarray, ...]
    cancelled: bool
    seconds: float
    compile_seconds: float

    @property
    def epochs(self) -> int:
        return self.loss.shape[0]

    @property
    def runs(self) -> int:
        return self.loss.shape[1]

    @property
    def finite(self) -> np.ndarray:
        """bool (runs,): the loss stayed a finite number to the end."""
        return np.isfinite(self.loss).all(axis=0) & np.isfinite(self.final_loss)

    def successes(self, target: float) -> np.ndarray:
        """bool (runs,): the run's final accuracy reaches the target."""
        return self.final_accuracy >= np.float32(target)

    @property
    def judged(self) -> tuple[np.ndarray, np.ndarray]:
        """Loss and accuracy after each epoch, (epochs, runs) each, on the rows of the final ones.

        The last epoch's are `final_loss` and `final_accuracy`.
        """
        if self.val_loss is None or self.val_accuracy is None:
            return self.evaluated_loss, self.evaluated_accuracy
        return self.val_loss, self.val_accuracy

    def outcomes(self, target: float) -> np.ndarray:
        """str (runs,): what became of each run, one of OUTCOMES.

        SUCCEEDED: the final accuracy reaches the target. LOST: that of an earlier epoch does.
        IMPROVING: in the last third of the epochs the loss falls by 0.2% from where that third
        began, or the accuracy rises by 0.05, and the loss is not below 0, from where it could
        fall for ever. STUCK: all others, those that are no longer a finite number among them.

        The thresholds were chosen on seed 0, for telling which runs reach 90% when they are trained
        four times as long. On seeds 1 and 2, 83% of the improving runs do and 6% of the stuck ones
        (`benchmarks/outcomes.py`).
        """
        loss, accuracy = self.judged
        third = max(2, math.ceil(LAST_PART * self.epochs))
        with np.errstate(invalid="ignore"):
            fall = loss[-third:][0] - loss[-third:].min(axis=0)
            rise = accuracy[-third:].max(axis=0) - accuracy[-third:][0]
            better = (fall > LEAST_FALL * np.abs(loss[-third:][0])) | (rise > LEAST_RISE)
            improving = self.finite & better & (loss[-1] >= 0)
        reached = (accuracy >= np.float32(target)).any(axis=0)
        # The first that holds: a run that succeeded has also reached the target.
        conditions = [self.successes(target), reached, improving]
        return np.select(conditions, [SUCCEEDED, LOST, IMPROVING], STUCK)

    def epochs_to(self, target: float) -> np.ndarray:
        """float (runs,): first epoch whose accuracy reaches the target, NaN where none does.

        It is the accuracy that `fit` prints: the epoch's mean, or that on the held-out rows where
        there are any.
        """
        return _first(self.accuracy if self.val_accuracy is None else self.val_accuracy, target)

    def epochs_until(self, target: float) -> np.ndarray:
        """float (runs,): first epoch after which the evaluated accuracy reaches the target.

        NaN where it never does. It is measured on the rows that the final accuracy is measured on.
        """
        return _first(self.judged[1], target)

    def frame(self) -> pd.DataFrame:
        """One row per run and epoch: run, epoch and a column for each of CURVES.

        A curve that was not measured is NaN.
        """
        curves = {name: getattr(self, name) for name in CURVES}
        return _frame(np.arange(1, self.epochs + 1), curves)

    def weights_at(self, key: int, run: int) -> list[np.ndarray]:
        """The weights of one run at `key_epochs[key]`, in the order of Keras's `get_weights()`."""
        return [array[key, ..., run] for array in self.weights]

    def pick(self, kind: str) -> int:
        """The run of `best`, `median` or `worst` final accuracy; the lower loss breaks a tie."""
        accuracy = np.nan_to_num(self.final_accuracy, nan=-1.0)
        loss = np.nan_to_num(self.final_loss, nan=np.inf)
        order = np.lexsort((loss, -accuracy))
        return int(order[{"best": 0, "median": self.runs // 2, "worst": -1}[kind]])


def counted(outcomes: np.ndarray) -> dict[str, int]:
    """How many runs have each outcome, in the order of OUTCOMES; without those of no run."""
    counts = {outcome: int((outcomes == outcome).sum()) for outcome in OUTCOMES}
    return {outcome: count for outcome, count in counts.items() if count}


def _first(accuracy: np.ndarray, target: float) -> np.ndarray:
    """float (runs,): the first of the epochs, from 1, that reaches the target; else NaN."""
    reached = accuracy >= np.float32(target)
    return np.where(reached.any(axis=0), reached.argmax(axis=0) + 1.0, np.nan)


def epochs_frame(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """The same columns as `History.frame`, from the epochs that were reported so far."""
    curves = {
        name: None
        if getattr(epochs[0], name) is None
        else np.stack([getattr(epoch, name) for epoch in epochs])
        for name in CURVES
    }
    return _frame(np.array([epoch.number for epoch in epochs]), curves)


def _frame(numbers: np.ndarray, curves: Mapping[str, np.ndarray | None]) -> pd.DataFrame:
    """curves: (epochs, runs) each, by name; None for what was not measured."""
    epochs, runs = next(curve.shape for curve in curves.values() if curve is not None)
    missing = np.full((epochs, runs), np.nan, np.float32)
    columns = {k: missing if v is None else v for k, v in curves.items()}
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(runs), epochs),
            "epoch": np.tile(numbers, runs),
            **{name: values.T.ravel() for name, values in columns.items()},
        }
    )
