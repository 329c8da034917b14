"""The registry of callbacks: what changes a training after an epoch, for each run by itself.

A `Course` follows all runs of a stack in NumPy, as Keras's callbacks follow one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from core.entries import KerasEntry
from core.fields import Bool, Choice, Float, Int, Optional, field

MEASURED = ("loss", "accuracy", "binary_accuracy", "r2_score")
MONITORS = tuple(f"{part}{name}" for name in MEASURED for part in ("val_", ""))
"""What a callback can watch, by Keras's names: the loss, or the score by the task's metric."""
MODES = ("auto", "min", "max")

Figures = Mapping[str, np.ndarray]
"""The figures of an epoch, (runs,) each, by Keras's names."""


class Callback(KerasEntry):
    """Something done after an epoch."""

    def begin(self, runs: int) -> Watch:
        """What follows this many runs."""
        raise NotImplementedError


class Watch:
    """A callback that follows some runs."""

    def after(self, epoch: int, figures: Figures, course: Course) -> None:
        """Act on the figures of an epoch.

        Args:
            epoch: Counted from 1.
            figures: Of the epoch.
            course: Of the runs, which is changed.
        """
        raise NotImplementedError


class Course:
    """Which runs are still trained, at which rate, and which weights they end with.

    Args:
        callbacks: In the order in which they act.
        rates: Learning rates, (runs,).

    Attributes:
        rates: float32 (runs,).
        stopped: int (runs,), the epoch after which each run was stopped; 0 while it is trained.
        best: int (runs,), the epoch whose weights are restored at the end; 0 for none.
    """

    def __init__(self, callbacks: Sequence[Callback], rates: np.ndarray):
        self.rates = rates.astype(np.float32)
        runs = len(rates)
        self.stopped, self.best = np.zeros(runs, int), np.zeros(runs, int)
        self._watches = [callback.begin(runs) for callback in callbacks]

    @property
    def going(self) -> np.ndarray:
        """bool (runs,): whether the run is still trained."""
        return self.stopped == 0

    def after(self, epoch: int, figures: Figures) -> np.ndarray:
        """Act on the figures of an epoch, counted from 1.

        Returns:
            bool (runs,), the runs that may end with their weights of this epoch: their best ones,
            or the last ones of a run that was stopped just now.
        """
        best, going = self.best.copy(), self.going
        for watch in self._watches:
            watch.after(epoch, figures, self)
        return (self.best != best) | (going & ~self.going & (self.best == 0))

    @property
    def stops(self) -> bool:
        """Whether a run has been stopped, or ends with the weights of an earlier epoch."""
        return bool(self.stopped.any() or self.best.any())

    def over(self, epoch: int, last: int) -> np.ndarray:
        """bool (runs,): whether the weights of this epoch are those that a run ends with.

        Args:
            epoch: From 0 on.
            last: That any run was trained.
        """
        stopped = (self.stopped > 0) & (epoch >= self.stopped)
        return stopped | ((self.best > 0) & (epoch == last))

    def stop(self, runs: np.ndarray, epoch: int) -> None:
        """Stop these runs, bool (runs,), after this epoch."""
        self.stopped[runs & self.going] = epoch


CALLBACKS: dict[str, type[Callback]] = {}
"""The callbacks by the name of their class, which is Keras's."""

Class = TypeVar("Class", bound=type[Callback])


def callback(kind: Class) -> Class:
    """Register a class of callbacks in CALLBACKS."""
    CALLBACKS[kind.__name__] = kind
    return kind


def _monitor_field() -> Any:
    return field(
        Choice(MONITORS),
        "val_loss",
        label="Monitor",
        help="The figure that should improve. Where it is not measured, as val_loss without "
        "held-out rows, the callback does nothing.",
    )


def _patience_field(default: int) -> Any:
    return field(
        Int(0, 10_000),
        default,
        label="Patience",
        help="Epochs without an improvement after which it acts.",
    )


def _least_field(default: float) -> Any:
    return field(
        Float(0, 1e6, step=0.001),
        default,
        label="Smallest improvement",
        help="A smaller change counts as none.",
        advanced=True,
    )


def _mode_field() -> Any:
    return field(
        Choice(MODES),
        "auto",
        label="Direction",
        help="Whether less or more is better; 'auto' knows by the name.",
        advanced=True,
    )


@callback
@dataclass(frozen=True)
class EarlyStopping(Callback):
    """Stops a run whose figure no longer improves, with Keras's defaults."""

    monitor: str = _monitor_field()
    min_delta: float = _least_field(0.0)
    patience: int = _patience_field(0)
    mode: str = _mode_field()
    baseline: float | None = field(
        Optional(Float(-1e9, 1e9, step=0.1)),
        None,
        label="Baseline",
        help="An improvement counts only if the figure is better than this, too.",
        advanced=True,
    )
    restore_best_weights: bool = field(
        Bool(),
        False,
        label="Restore the best weights",
        help="A run ends with the weights of its best epoch, stopped or not.",
    )
    start_from_epoch: int = field(
        Int(0, 10_000),
        0,
        label="Start from epoch",
        help="Epochs at the beginning that are not watched.",
        advanced=True,
    )

    keras_name: ClassVar[str] = "EarlyStopping"
    label: ClassVar[str] = "Early stopping"
    help: ClassVar[str] = "Stops each run when its figure has not improved for some epochs."

    def begin(self, runs: int) -> Watch:
        return _Stopping(self, runs)


@callback
@dataclass(frozen=True)
class ReduceLROnPlateau(Callback):
    """Lowers the learning rate of a run whose figure no longer improves, with Keras's defaults."""

    monitor: str = _monitor_field()
    factor: float = field(
        Float(0, 0.999, step=0.1),
        0.1,
        label="Factor",
        help="What the learning rate is multiplied by.",
    )
    patience: int = _patience_field(10)
    mode: str = _mode_field()
    min_delta: float = _least_field(1e-4)
    cooldown: int = field(
        Int(0, 10_000),
        0,
        label="Cooldown",
        help="Epochs to wait after a reduction.",
        advanced=True,
    )
    min_lr: float = field(
        Float(0, 1_000, step=0.001),
        0.0,
        label="Smallest rate",
        help="The learning rate is not lowered further.",
        advanced=True,
    )

    keras_name: ClassVar[str] = "ReduceLROnPlateau"
    label: ClassVar[str] = "Lower rate on a plateau"
    help: ClassVar[str] = "Lowers the learning rate of each run whose figure no longer improves."

    def begin(self, runs: int) -> Watch:
        return _Reducing(self, runs)


@callback
@dataclass(frozen=True)
class TerminateOnNaN(Callback):
    """Stops a run whose loss is no longer finite.

    Keras ends the epoch as well, whose weights are NaN by then.
    """

    keras_name: ClassVar[str] = "TerminateOnNaN"
    label: ClassVar[str] = "Stop on NaN"
    help: ClassVar[str] = "Stops each run whose loss is NaN or infinite."

    def begin(self, runs: int) -> Watch:
        return _Terminating()


class _Improvement:
    """The best value of a figure so far, for each run."""

    def __init__(self, of: EarlyStopping | ReduceLROnPlateau, runs: int):
        less = of.mode == "min" or (of.mode == "auto" and of.monitor.endswith("loss"))
        self._sign = 1 if less else -1
        self._least = of.min_delta
        self.best = np.full(runs, np.nan)
        self.known = np.zeros(runs, bool)

    def over(self, values: np.ndarray, reference: np.ndarray | float) -> np.ndarray:
        """bool (runs,): whether the values are better than a reference by the least improvement.

        In float32, as Keras compares.
        """
        moved = (self._sign * values.astype(float) + self._least).astype(np.float32)
        return moved < (self._sign * np.asarray(reference, float)).astype(np.float32)

    def take(self, values: np.ndarray, runs: np.ndarray) -> np.ndarray:
        """bool (runs,): which of these runs have improved; their values are the best now."""
        improved = runs & (self.over(values, self.best) | ~self.known)
        self.best[improved], self.known[improved] = values[improved], True
        return improved


class _Stopping(Watch):
    def __init__(self, of: EarlyStopping, runs: int):
        self._of, self._improvement = of, _Improvement(of, runs)
        self._wait = np.zeros(runs, int)

    def after(self, epoch: int, figures: Figures, course: Course) -> None:
        of, values = self._of, figures.get(self._of.monitor)
        if values is None or epoch <= of.start_from_epoch:
            return
        going = course.going
        self._wait[going] += 1
        improved = self._improvement.take(values, going)
        if of.restore_best_weights:
            course.best[improved] = epoch
        counts = improved
        if of.baseline is not None:
            counts = improved & self._improvement.over(values, of.baseline)
        self._wait[counts] = 0
        if epoch > 1:
            course.stop(going & ~improved & (self._wait >= of.patience), epoch)


class _Reducing(Watch):
    def __init__(self, of: ReduceLROnPlateau, runs: int):
        self._of, self._improvement = of, _Improvement(of, runs)
        self._wait, self._cooling = np.zeros(runs, int), np.zeros(runs, int)

    def after(self, epoch: int, figures: Figures, course: Course) -> None:
        of, values = self._of, figures.get(self._of.monitor)
        if values is None:
            return
        going = course.going
        cooling = self._cooling > 0
        self._cooling[cooling] -= 1
        self._wait[cooling] = 0
        improved = self._improvement.take(values, going)
        self._wait[improved] = 0
        waiting = going & ~improved & (self._cooling == 0)
        self._wait[waiting] += 1
        reduced = waiting & (self._wait >= of.patience) & (course.rates > np.float32(of.min_lr))
        rates = np.maximum(course.rates.astype(float) * of.factor, of.min_lr)
        course.rates[reduced] = rates[reduced]
        self._cooling[reduced], self._wait[reduced] = of.cooldown, 0


class _Terminating(Watch):
    def after(self, epoch: int, figures: Figures, course: Course) -> None:
        course.stop(~np.isfinite(figures["loss"]), epoch)
