"""The result of a training: figures for every epoch and run, and the weights at key epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data import Rows, prepare
from core.experiment import Experiment
from core.tasks import TARGET as TARGET

CURVES = (
    "loss",
    "score",
    "evaluated_loss",
    "evaluated_score",
    "val_loss",
    "val_score",
)
"""The curves of a run, by the names of their fields in `Epoch` and `History`."""

SUCCEEDED, STUCK, IMPROVING, LOST = "succeeded", "stuck", "still improving", "lost again"
"""The outcomes of a run; see `History.outcomes`."""
OUTCOMES = (SUCCEEDED, STUCK, IMPROVING, LOST)
LAST_PART, LEAST_FALL, LEAST_RISE = 1 / 3, 0.002, 0.05
"""A run is still improving if, within this last fraction of its epochs, the loss falls by this
fraction of its value or the score rises by this much."""


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch, reported while a training is running.

    Attributes:
        number: Of the epoch, counted from 1.
        of: Total number of epochs.
        loss, score, evaluated_loss, evaluated_score: float32 (runs,), as in `History`.
        val_loss, val_score: The same; None without held-out rows.
    """

    number: int
    of: int
    loss: np.ndarray
    score: np.ndarray
    evaluated_loss: np.ndarray
    evaluated_score: np.ndarray
    val_loss: np.ndarray | None
    val_score: np.ndarray | None


@dataclass(frozen=True)
class Progress:
    """The progress of a training of several experiments.

    Attributes:
        share: Fraction of the work done, from 0 to 1.
        finished: Number of experiments that are complete.
        of: Total number of experiments.
    """

    share: float
    finished: int
    of: int


@dataclass(frozen=True)
class Health:
    """Figures of the dense layers for every epoch: float32 (epochs, dense layers, runs) each.

    Attributes:
        dead: Share of units whose output is 0 for every training sample.
        saturated: Share of units whose output is, for every training sample, within 1% of a bound
            of the activation's range (sigmoid and softmax 0 and 1, tanh -1 and 1, elu -1).
        gradient_norm: Root mean square, over the epoch's batches, of the kernel gradient's L2 norm;
            for wide networks over every eighth batch, from the first one on.
        update_ratio: Root mean square, over the same batches, of the norm of the kernel's change in
            one update, divided by the norm of the kernel at the end of the epoch.
        output_min, output_max: Smallest and largest output over all units and training samples.
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

    Attributes:
        experiment: What was trained.
        seed: Of the runs.
        loss, score: float32 (epochs, runs), the mean over the epoch's batches, as `fit` prints. The
            score is that of the experiment's task.
        evaluated_loss, evaluated_score: float32 (epochs, runs), on the training rows after each
            epoch.
        val_loss, val_score: float32 (epochs, runs), on the held-out rows after each epoch; None
            without held-out rows.
        health: Figures of the dense layers; None where they were not measured.
        final_loss, final_score: float32 (runs,), with the weights that each run ends with, on the
            held-out rows if there are any and otherwise on the training rows.
        key_epochs: int (keys,), the epochs whose weights are kept; 0 is before training.
        weights: One float32 array (keys, *shape, runs) for each array of Keras's `get_weights()`.
        cancelled: Whether the training was stopped early; the arrays then end at the last epoch
            trained.
        seconds: Wall-clock time of making the data and the weights and of training all epochs.
        compile_seconds: Wall-clock time of compiling the program; 0 if it was cached. Experiments
            that are trained together have an equal share of both times.
        last_epochs: int (runs,), the epoch after which a callback stopped each run, or the last
            one: later figures are NaN, and later weights those that it ends with. None where no
            run was stopped before the last epoch.
        final_epochs: int (runs,), the epoch whose weights each run ends with: its best one, where
            that is restored, or else its last. None where it is the last epoch of all.
        first: The number of the run at index 0 of every array: run `first` + i is at index i.
    """

    experiment: Experiment
    seed: int
    loss: np.ndarray
    score: np.ndarray
    evaluated_loss: np.ndarray
    evaluated_score: np.ndarray
    val_loss: np.ndarray | None
    val_score: np.ndarray | None
    health: Health | None
    final_loss: np.ndarray
    final_score: np.ndarray
    key_epochs: np.ndarray
    weights: tuple[np.ndarray, ...]
    cancelled: bool
    seconds: float
    compile_seconds: float
    last_epochs: np.ndarray | None = None
    final_epochs: np.ndarray | None = None
    first: int = 0

    def rows(self, run: int) -> Rows:
        """The rows of the run at an index, drawn and prepared anew."""
        return prepare(self.experiment.data, self.seed, self.first + run)

    @property
    def epochs(self) -> int:
        return self.loss.shape[0]

    @property
    def ends(self) -> np.ndarray:
        """int (runs,): the epoch after which each run was stopped, or the last one."""
        return np.full(self.runs, self.epochs) if self.last_epochs is None else self.last_epochs

    @property
    def trained(self) -> np.ndarray:
        """bool (epochs, runs): whether a run was trained in an epoch."""
        return np.arange(1, self.epochs + 1)[:, None] <= self.ends

    def at_end(self, figures: np.ndarray) -> np.ndarray:
        """The figures of each run after the epoch whose weights it ends with.

        Args:
            figures: (epochs, ..., runs).

        Returns:
            (..., runs).
        """
        return at(figures, self.final_epochs)

    @property
    def runs(self) -> int:
        return self.loss.shape[1]

    @property
    def finite(self) -> np.ndarray:
        """bool (runs,): whether the loss is finite in every epoch that the run was trained."""
        finite = np.isfinite(self.loss) | ~self.trained
        return finite.all(axis=0) & np.isfinite(self.final_loss)

    def successes(self, target: float) -> np.ndarray:
        """bool (runs,): whether the final score reaches the target."""
        return self.final_score >= np.float32(target)

    @property
    def judged(self) -> tuple[np.ndarray, np.ndarray]:
        """Loss and score after each epoch, (epochs, runs) each.

        They are measured on the same rows as `final_loss` and `final_score`, which are those
        of the epoch whose weights a run ends with (`final_epochs`).
        """
        if self.val_loss is None or self.val_score is None:
            return self.evaluated_loss, self.evaluated_score
        return self.val_loss, self.val_score

    def reached(self, target: float) -> np.ndarray:
        """float (epochs,): the share of the runs whose score after each epoch reaches the target.

        It is measured on the same rows as the final score; a run that was stopped keeps its last.
        """
        with np.errstate(invalid="ignore"):
            above = self.judged[1] >= np.float32(target)
        last = above[self.ends - 1, np.arange(self.runs)]
        return np.where(self.trained, above, last).mean(axis=1)

    def outcomes(self, target: float) -> np.ndarray:
        """The outcome of each run.

        - SUCCEEDED: The final score reaches the target.
        - LOST: The score after an earlier epoch reaches the target, the final one does not.
        - IMPROVING: Within the last third of the epochs the loss falls by more than 0.2% of its
          value at the start of that third, or the score rises by more than 0.05. Runs with a
          negative loss do not count, since it could fall without bound.
        - STUCK: All other runs, including those whose loss is no longer finite.

        The thresholds were chosen on seed 0 to predict which runs reach 90% when they are trained
        four times as long. On seeds 1 and 2, 83% of the improving runs do and 6% of the stuck ones
        (`benchmarks/outcomes.py`).

        Args:
            target: The score at which a run succeeds.

        Returns:
            str (runs,), one of OUTCOMES each.
        """
        loss, score = self.judged
        improving = np.zeros(self.runs, bool)
        for end in np.unique(self.ends):
            own = self.ends == end
            improving[own] = self.finite[own] & _improving(loss[:end, own], score[:end, own])
        reached = (score >= np.float32(target)).any(axis=0)
        # `select` takes the first condition that holds: a run that succeeded has also reached the
        # target.
        conditions = [self.successes(target), reached, improving]
        return np.select(conditions, [SUCCEEDED, LOST, IMPROVING], STUCK)

    def epochs_to(self, target: float) -> np.ndarray:
        """The first epoch whose score, as `fit` prints it, reaches the target.

        It is the validation score if there are held-out rows, and otherwise the mean over the
        epoch's batches.

        Returns:
            float (runs,), counted from 1; NaN where no epoch reaches the target.
        """
        return _first(self.score if self.val_score is None else self.val_score, target)

    def epochs_until(self, target: float) -> np.ndarray:
        """The first epoch after which the evaluated score reaches the target.

        It is measured on the same rows as the final score.

        Returns:
            float (runs,), counted from 1; NaN where no epoch reaches the target.
        """
        return _first(self.judged[1], target)

    @property
    def final_accuracy(self) -> np.ndarray:
        """`final_score` by the name of a classifier's score."""
        return self.final_score

    def curves(self) -> pd.DataFrame:
        """The curves as a table.

        Returns:
            One row per run and epoch, with columns run, epoch and one for each of CURVES; NaN for
            a curve that was not measured.
        """
        curves = {name: getattr(self, name) for name in CURVES}
        return _frame(np.arange(1, self.epochs + 1), curves)

    def frame(self) -> pd.DataFrame:
        """`curves`, with what the score is in the names of the columns, such as val_accuracy."""
        return self.curves().rename(columns=self.named)

    def named(self, figure: str) -> str:
        """The name of a figure with what the score is: "val_accuracy" of "val_score"."""
        return figure.replace("score", self.experiment.task.column)

    def weights_at(self, key: int, run: int) -> list[np.ndarray]:
        """The weights of one run at `key_epochs[key]`, in the order of Keras's `get_weights()`."""
        return [array[key, ..., run] for array in self.weights]

    def pick(self, kind: str) -> int:
        """The run with the "best", "median" or "worst" final score; ties go by the loss."""
        score = np.nan_to_num(self.final_score, nan=-np.inf)
        loss = np.nan_to_num(self.final_loss, nan=np.inf)
        order = np.lexsort((loss, -score))
        return int(order[{"best": 0, "median": self.runs // 2, "worst": -1}[kind]])


def _improving(loss: np.ndarray, score: np.ndarray) -> np.ndarray:
    """bool (runs,): whether loss or score, (epochs, runs) each, get better in their last part."""
    third = max(2, math.ceil(LAST_PART * len(loss)))
    with np.errstate(invalid="ignore"):
        fall = loss[-third:][0] - loss[-third:].min(axis=0)
        rise = score[-third:].max(axis=0) - score[-third:][0]
        better = (fall > LEAST_FALL * np.abs(loss[-third:][0])) | (rise > LEAST_RISE)
        return better & (loss[-1] >= 0)


def at(figures: np.ndarray, epochs: np.ndarray | None) -> np.ndarray:
    """The figures, (epochs, ..., runs), of an epoch a run, counted from 1; None for the last."""
    if epochs is None:
        return figures[-1]
    return np.moveaxis(figures, -1, 0)[np.arange(len(epochs)), epochs - 1].T


def counted(outcomes: np.ndarray) -> dict[str, int]:
    """The number of runs with each outcome, in the order of OUTCOMES.

    Args:
        outcomes: str (runs,), from `History.outcomes`.

    Returns:
        The counts by outcome, without outcomes that no run has.
    """
    counts = {outcome: int((outcomes == outcome).sum()) for outcome in OUTCOMES}
    return {outcome: count for outcome, count in counts.items() if count}


def _first(score: np.ndarray, target: float) -> np.ndarray:
    """float (runs,): the first epoch whose score (epochs, runs) reaches the target, else NaN."""
    reached = score >= np.float32(target)
    return np.where(reached.any(axis=0), reached.argmax(axis=0) + 1.0, np.nan)


def epochs_frame(epochs: Sequence[Epoch]) -> pd.DataFrame:
    """A table with the columns of `History.curves`, from the epochs reported so far."""
    curves = {
        name: None
        if getattr(epochs[0], name) is None
        else np.stack([getattr(epoch, name) for epoch in epochs])
        for name in CURVES
    }
    return _frame(np.array([epoch.number for epoch in epochs]), curves)


def _frame(numbers: np.ndarray, curves: Mapping[str, np.ndarray | None]) -> pd.DataFrame:
    """A row per run and epoch.

    Args:
        numbers: Of the epochs, (epochs,).
        curves: (epochs, runs) each, by name; None for one that was not measured.
    """
    epochs, runs = next(curve.shape for curve in curves.values() if curve is not None)
    missing = np.full((epochs, runs), np.nan, np.float32)
    columns = {name: missing if curve is None else curve for name, curve in curves.items()}
    return pd.DataFrame(
        {
            "run": np.repeat(np.arange(runs), epochs),
            "epoch": np.tile(numbers, runs),
            **{name: values.T.ravel() for name, values in columns.items()},
        }
    )
