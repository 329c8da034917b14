"""What a training leaves behind: figures for every epoch and run, and the weights at key epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.experiment import Experiment

NEAR_BOUND = 0.01
"""An output within this share of the range of its activation counts as saturated."""
RANGES = {
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "elu": (-1.0, math.inf),
}
"""The bounds that an activation's output can come close to."""


def unsaturated_range(activation: str) -> tuple[float, float]:
    """The outputs between these two are not saturated; all are where the range has no bound."""
    low, high = RANGES.get(activation, (-math.inf, math.inf))
    margin = NEAR_BOUND * (high - low if math.isfinite(high) else 1.0)
    return low + margin, high - margin


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures, as they are reported while a training goes on.

    number: from 1; of: epochs in all. The arrays are float32 (runs,), as in `History`.
    """

    number: int
    of: int
    loss: np.ndarray
    accuracy: np.ndarray
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

    loss, accuracy: float32 (epochs, runs), the mean over the epoch's batches that Keras reports.
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

    def epochs_to(self, target: float) -> np.ndarray:
        """float (runs,): first epoch whose accuracy reaches the target, NaN where none does.

        It is the accuracy on the held-out rows where there are any.
        """
        accuracy = self.accuracy if self.val_accuracy is None else self.val_accuracy
        reached = accuracy >= np.float32(target)
        return np.where(reached.any(axis=0), reached.argmax(axis=0) + 1.0, np.nan)

    def frame(self) -> pd.DataFrame:
        """One row a run and epoch: run, epoch, loss, accuracy, val_loss, val_accuracy."""
        figures = (self.loss, self.accuracy, self.val_loss, self.val_accuracy)
        return _frame(np.arange(1, self.epochs + 1), *figures)

    def weights_at(self, key: int, run: int) -> list[np.ndarray]:
        """The weights of one run at `key_epochs[key]`, in the order of Keras's `get_weights()`."""
        return [array[key, ..., run] for array in self.weights]

    def pick(self, kind: str) -> int:
        """The run of `best`, `median` or `worst` final accuracy; the lower loss breaks a tie."""
        accuracy = np.nan_to_num(self.final_accuracy, nan=-1.0)
        loss = np.nan_to_num(self.final_loss, nan=np.inf)
        order = np.lexsort((loss, -accuracy))
        return int(order[{"best": 0, "median": self.runs // 2, "worst": -1}[kind]])


def epochs_frame(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """The same columns as `History.frame`, from the epochs that were reported so far."""
    figures = (
        [epoch.loss for epoch in epochs],
        [epoch.accuracy for epoch in epochs],
        None if epochs[0].val_loss is None else [epoch.val_loss for epoch in epochs],
        None if epochs[0].val_accuracy is None else [epoch.val_accuracy for epoch in epochs],
    )
    return _frame(np.array([epoch.number for epoch in epochs]), *figures)


def _frame(numbers: np.ndarray, loss, accuracy, val_loss, val_accuracy) -> pd.DataFrame:
    loss = np.asarray(loss)
    missing = np.full(loss.shape, np.nan, np.float32)
    columns = {
        "loss": loss,
        "accuracy": np.asarray(accuracy),
        "val_loss": missing if val_loss is None else np.asarray(val_loss),
        "val_accuracy": missing if val_accuracy is None else np.asarray(val_accuracy),
    }
    epochs, runs = loss.shape
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(runs), epochs),
            "epoch": np.tile(numbers, runs),
            **{name: values.T.ravel() for name, values in columns.items()},
        }
    )
