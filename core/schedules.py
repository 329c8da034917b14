"""The registry of learning-rate schedules: the factor of the learning rate at each update.

Keras's schedules hold rates; here each holds factors of the optimizer's learning rate, so that
runs of one stack differ in their rates and a changed learning rate keeps its schedule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from core.entries import KerasEntry, written
from core.fields import Bool, Float, Int, InvalidExperiment, Numbers, field

UPDATES = Int(1, 100_000_000, step=100)
SUMMED = 20_000
"""Points at which a sum over more updates is taken."""


class Schedule(KerasEntry):
    """The learning rate over the updates, which are counted from 0 through all epochs."""

    def factors(self, updates: np.ndarray) -> np.ndarray:
        """What the learning rate is multiplied by at each of these updates."""
        raise NotImplementedError

    def check(self) -> None:
        """Check what its fields must agree in.

        Raises:
            InvalidExperiment: If they do not.
        """

    def arguments(self, rate: float) -> dict[str, Any]:
        """The arguments of Keras's class for a learning rate."""
        return {"initial_learning_rate": rate, **self.keras_options()}

    def script_arguments(self, rate: float) -> list[str]:
        """The arguments of a call to Keras's class, as Python code."""
        return [f"{name}={_code(value)}" for name, value in self.arguments(rate).items()]

    def travel(self, updates: float) -> float:
        """The sum of the factors over so many updates."""
        return float(np.interp(updates, *self._sums(updates)))

    def updates_to(self, travel: float, most: float) -> float:
        """The updates whose factors add up to `travel`; inf where `most` updates do not."""
        numbers, sums = self._sums(most)
        return float(np.interp(travel, sums, numbers)) if travel <= sums[-1] else math.inf

    def _sums(self, updates: float) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of updates, up to this one, and the sum of the factors before each."""
        whole = max(math.ceil(updates), 1)
        count = min(whole, SUMMED)
        # Evenly spaced ones for the end, and finer ones for the beginning.
        edges = np.concatenate([np.linspace(0, whole, count + 1), np.geomspace(1, whole, count)])
        edges = np.unique(edges.round())
        factors = self.factors((edges[1:] + edges[:-1] - 1) / 2)
        return edges, np.concatenate([[0.0], np.cumsum(factors * np.diff(edges))])


SCHEDULES: dict[str, type[Schedule]] = {}
"""The schedules by the name of their class, which is Keras's."""

Class = TypeVar("Class", bound=type[Schedule])


def schedule(kind: Class) -> Class:
    """Register a class of schedules in SCHEDULES."""
    SCHEDULES[kind.__name__] = kind
    return kind


def _steps_field(default: int = 1_000, label: str = "Decay steps") -> Any:
    return field(UPDATES, default, label=label, help="Updates of the decay: one is made a batch.")


def _staircase_field() -> Any:
    return field(
        Bool(),
        False,
        label="In steps",
        help="The rate changes only after each whole number of decay steps.",
    )


def _alpha_field() -> Any:
    return field(
        Float(0, 1, step=0.01),
        0.0,
        label="Smallest factor",
        help="The factor of the learning rate at the end of the decay.",
    )


@schedule
@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """The factor is decay_rate to the power of updates / decay_steps."""

    decay_steps: int = _steps_field()
    decay_rate: float = field(
        Float(0, 10, step=0.01, above=True),
        0.9,
        label="Decay rate",
        help="The factor of the learning rate after the decay steps.",
    )
    staircase: bool = _staircase_field()

    keras_name: ClassVar[str] = "ExponentialDecay"
    label: ClassVar[str] = "Exponential"
    help: ClassVar[str] = "The learning rate falls by the same share in the same time."

    def factors(self, updates: np.ndarray) -> np.ndarray:
        return self.decay_rate ** _passed(updates, self.decay_steps, self.staircase)


@schedule
@dataclass(frozen=True)
class InverseTimeDecay(Schedule):
    """The factor is 1 / (1 + decay_rate updates / decay_steps).

    With one decay step it is the argument `decay` of optimizers before Keras 2.11.
    """

    decay_steps: int = _steps_field(1)
    decay_rate: float = field(
        Float(0, 1e6, step=0.001, format="%g"),
        0.001,
        label="Decay rate",
        help="After the decay steps the learning rate is divided by 1 plus this.",
    )
    staircase: bool = _staircase_field()

    keras_name: ClassVar[str] = "InverseTimeDecay"
    label: ClassVar[str] = "Inverse time"
    help: ClassVar[str] = "The learning rate is divided by a number that grows with the updates."

    def factors(self, updates: np.ndarray) -> np.ndarray:
        return 1 / (1 + self.decay_rate * _passed(updates, self.decay_steps, self.staircase))


@schedule
@dataclass(frozen=True)
class PiecewiseConstantDecay(Schedule):
    """The factor is 1 up to the first boundary, then that of the last boundary passed."""

    boundaries: tuple[float, ...] = field(
        Numbers(1, 20), (1_000.0,), label="Boundaries", help="Updates after which the rate changes."
    )
    factors_after: tuple[float, ...] = field(
        Numbers(1, 20),
        (0.1,),
        label="Factors",
        help="Of the learning rate after each boundary.",
    )

    keras_name: ClassVar[str] = "PiecewiseConstantDecay"
    label: ClassVar[str] = "Piecewise constant"
    help: ClassVar[str] = "The learning rate changes at given updates."

    def check(self) -> None:
        many = len(self.boundaries)
        rising = self.boundaries == tuple(sorted(self.boundaries))
        if not rising or self.boundaries[0] < 0 or any(b % 1 for b in self.boundaries):
            expected = "whole numbers of updates in rising order"
            raise InvalidExperiment("boundaries", self.boundaries, expected)
        if len(self.factors_after) != many or min(self.factors_after) < 0:
            expected = f"{many} numbers from 0 up, one for each of the boundaries"
            raise InvalidExperiment("factors_after", self.factors_after, expected)

    def arguments(self, rate: float) -> dict[str, Any]:
        values = [rate, *(_times(rate, factor) for factor in self.factors_after)]
        return {"boundaries": [int(b) for b in self.boundaries], "values": values}

    def factors(self, updates: np.ndarray) -> np.ndarray:
        passed = np.searchsorted(self.boundaries, np.ceil(updates), side="left")
        return np.array([1.0, *self.factors_after])[passed]


@schedule
@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    """The factor goes from 1 to `end` as (1 - updates / decay_steps) ** power goes to 0."""

    decay_steps: int = _steps_field()
    end: float = field(
        Float(0, 1_000, step=0.01),
        0.01,
        label="End factor",
        help="Of the learning rate after the decay steps.",
    )
    power: float = field(
        Float(0, 100, step=0.5, above=True), 1.0, label="Power", help="1 is a straight line."
    )
    cycle: bool = field(
        Bool(),
        False,
        label="Cycle",
        help="Starts again after the decay steps, each time for longer.",
    )

    keras_name: ClassVar[str] = "PolynomialDecay"
    label: ClassVar[str] = "Polynomial"
    help: ClassVar[str] = "The learning rate goes to its end in a line or a power of it."

    def arguments(self, rate: float) -> dict[str, Any]:
        return {
            "initial_learning_rate": rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": _times(rate, self.end),
            "power": self.power,
            "cycle": self.cycle,
        }

    def factors(self, updates: np.ndarray) -> np.ndarray:
        over: Any = self.decay_steps
        if self.cycle:
            over = over * np.maximum(np.ceil(updates / over), 1)
        share = np.minimum(updates, over) / over
        return (1 - self.end) * (1 - share) ** self.power + self.end


@schedule
@dataclass(frozen=True)
class CosineDecay(Schedule):
    """After a linear rise to 1, half a period of a cosine from 1 to `alpha`."""

    decay_steps: int = _steps_field()
    alpha: float = _alpha_field()
    warmup_steps: int = field(
        Int(0, 100_000_000, step=100),
        0,
        label="Warm-up steps",
        help="Updates in which the learning rate rises to its full size.",
    )
    warmup_from: float = field(
        Float(0, 1, step=0.1),
        0.0,
        label="Warm-up from",
        help="The factor of the learning rate at the first update of a warm-up.",
        matters=lambda schedule: schedule.warmup_steps > 0,
    )

    keras_name: ClassVar[str] = "CosineDecay"
    label: ClassVar[str] = "Cosine"
    help: ClassVar[str] = "The learning rate falls as a cosine, after a warm-up if there is one."

    def arguments(self, rate: float) -> dict[str, Any]:
        shared = {"decay_steps": self.decay_steps, "alpha": self.alpha}
        if not self.warmup_steps:
            return {"initial_learning_rate": rate, **shared}
        return {
            "initial_learning_rate": _times(rate, self.warmup_from),
            **shared,
            "warmup_target": rate,
            "warmup_steps": self.warmup_steps,
        }

    def factors(self, updates: np.ndarray) -> np.ndarray:
        share = np.clip((updates - self.warmup_steps) / self.decay_steps, 0, 1)
        decayed = (1 - self.alpha) * (1 + np.cos(np.pi * share)) / 2 + self.alpha
        rising = self.warmup_from + (1 - self.warmup_from) * updates / max(self.warmup_steps, 1)
        return np.where(updates < self.warmup_steps, rising, decayed)


@schedule
@dataclass(frozen=True)
class CosineDecayRestarts(Schedule):
    """Halves of a cosine, each `t_mul` times as long and `m_mul` times as high as the last."""

    first_decay_steps: int = _steps_field(label="First decay steps")
    t_mul: float = field(
        Float(1, 100, step=0.5),
        2.0,
        label="Longer by",
        help="How many times as long each decay is as the one before.",
    )
    m_mul: float = field(
        Float(0, 10, step=0.1, above=True),
        1.0,
        label="Higher by",
        help="How many times as high each decay begins as the one before.",
    )
    alpha: float = _alpha_field()

    keras_name: ClassVar[str] = "CosineDecayRestarts"
    label: ClassVar[str] = "Cosine with restarts"
    help: ClassVar[str] = "The learning rate falls as a cosine again and again."

    def factors(self, updates: np.ndarray) -> np.ndarray:
        passed = updates / self.first_decay_steps
        if self.t_mul == 1:
            number = np.floor(passed)
            share = passed - number
        else:
            number = np.floor(np.log(1 - passed * (1 - self.t_mul)) / math.log(self.t_mul))
            begun = (1 - self.t_mul**number) / (1 - self.t_mul)
            share = (passed - begun) / self.t_mul**number
        height = self.m_mul**number * (1 + np.cos(np.pi * share)) / 2
        return (1 - self.alpha) * height + self.alpha


def _passed(updates: np.ndarray, decay_steps: int, staircase: bool) -> np.ndarray:
    passed = updates / decay_steps
    return np.floor(passed) if staircase else passed


def _times(rate: float, factor: float) -> float:
    """The product without the rounding of its binary fraction, as a script writes it."""
    return float(f"{rate * factor:.12g}")


def _code(value: Any) -> str:
    """A value, or a list of them, as Python code."""
    if isinstance(value, list):
        return f"[{', '.join(map(_code, value))}]"
    # Keras computes in whole numbers where the rate is one, so a rate of 1 is written as 1.0.
    return repr(value) if isinstance(value, float) else written(value)
