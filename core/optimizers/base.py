"""What every optimizer has: its learning rate, schedule, weight decay and clipping."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from core.entries import KerasEntry, written
from core.fields import Float, Instance, InvalidExperiment, Optional, field
from core.schedules import SCHEDULES, Schedule

if TYPE_CHECKING:
    from core.optimizers.follower import Follower

RATE = Float(0, 1_000, step=0.001, above=True)
AVERAGE = Float(0, 0.999999, step=0.01)
"""The decay of a moving average."""
FOREVER = 0.9999
"""A momentum in the long run: one of 1 has no long run."""
EPSILON = Float(0, 1, step=1e-7)
FARTHEST = 1e7
"""Updates that a sum of scheduled learning rates covers."""
CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
"""The fields that limit the gradient; at most one of them is above 0."""

Arrays = list[np.ndarray]
"""One array per array of weights, with the runs as the first axis."""


def rate_field(default: float, help: str = "About how much an update moves each weight.") -> Any:
    """The field of a learning rate."""
    return field(RATE, default, label="Learning rate", help=help)


def momentum_field(*, advanced: bool = False) -> Any:
    """The field of a momentum."""
    return field(
        Float(0, 1, step=0.1),
        0.0,
        label="Momentum",
        help="The fraction of the previous change that is added to the next one.",
        advanced=advanced,
        added=advanced,
    )


def average_field(default: float, label: str, of: str) -> Any:
    """The field of the decay of a moving average."""
    return field(
        AVERAGE,
        default,
        label=label,
        help=f"Decay of the moving average {of}.",
        advanced=True,
        added=True,
    )


def epsilon_field() -> Any:
    """The field of the number that keeps a division finite."""
    return field(
        EPSILON,
        1e-7,
        label="Epsilon",
        help="Added to what the gradient is divided by; it limits the change by small gradients.",
        advanced=True,
        added=True,
    )


def decay_field(default: float, *, advanced: bool = True) -> Any:
    """The field of the weight decay."""
    return field(
        Float(0, 100, step=0.001),
        default,
        label="Weight decay",
        help="Every update also shrinks each weight, biases included, by this times the learning "
        "rate.",
        advanced=advanced,
        added=advanced,
    )


def _clip_field(label: str, what: str) -> Any:
    return field(
        Float(0, 1e9, step=0.1),
        0.0,
        label=label,
        help=f"{what} 0 is no limit.",
        advanced=True,
        added=True,
    )


@dataclass(frozen=True)
class Optimizer(KerasEntry):
    """An optimizer that updates each weight independently, so that it can train stacked runs.

    Attributes:
        learning_rate: Factor of the update's direction; with a schedule, what it multiplies.
        schedule: Of the learning rate over the updates; None where it is constant.
        weight_decay: Every update subtracts this times the learning rate times the weight.
        clipnorm: Largest norm of the gradient of one array of weights; 0 for no limit.
        clipvalue: Largest size of an entry of the gradient; 0 for no limit.
        global_clipnorm: Largest norm of the gradient of all weights; 0 for no limit.
        former_rate: Keras's default learning rate before TensorFlow 2, where it was another one.
        rescales: Whether it divides by the size of the gradient, so that an update moves each
            weight by about the learning rate.
    """

    learning_rate: float = rate_field(0.001)
    _: KW_ONLY
    schedule: Schedule | None = field(
        Optional(Instance(SCHEDULES)),
        None,
        label="Schedule",
        help="How the learning rate changes with the updates.",
        advanced=True,
        added=True,
    )
    weight_decay: float = decay_field(0.0)
    clipnorm: float = _clip_field(
        "Clip norm", "Scales the gradient of each array of weights down to this norm."
    )
    clipvalue: float = _clip_field("Clip value", "Limits each entry of the gradient to this size.")
    global_clipnorm: float = _clip_field(
        "Global clip norm", "Scales the gradient of all weights together down to this norm."
    )

    rescales: ClassVar[bool] = True
    former_rate: ClassVar[float | None] = None

    def check(self) -> None:
        """Check what Keras checks of several arguments together.

        Raises:
            InvalidExperiment: If more than one of CLIPPING is above 0, or the schedule is invalid.
        """
        if self.schedule is not None:
            self.schedule.check()
        clipping = [name for name in CLIPPING if getattr(self, name)]
        if len(clipping) > 1:
            name = clipping[1]
            expected = f"0 together with {clipping[0]}: Keras takes one limit of the gradient"
            raise InvalidExperiment(name, getattr(self, name), expected)

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        """The amounts that a learning rate of 1 subtracts from the weights.

        Args:
            follower: The state of the optimizer, which is updated.
            gradients: Of the loss with respect to the weights.
        """
        raise NotImplementedError

    def changes(
        self, follower: Follower, weights: Arrays, gradients: Arrays, rates: np.ndarray | float
    ) -> Arrays:
        """The amounts that an update subtracts from the weights.

        Args:
            follower: The state of the optimizer, which is updated.
            weights: Before the update.
            gradients: Of the loss with respect to the weights.
            rates: Learning rates, (runs, 1, 1), or one for all runs.
        """
        return [rates * direction for direction in self.directions(follower, gradients)]

    def leap(
        self, follower: Follower, weights: Arrays, gradients: Arrays, move: float
    ) -> tuple[Arrays, np.ndarray]:
        """The changes of many small updates at once, as long as the gradients stay as they are.

        Args:
            follower: The state of the optimizer, which is updated.
            weights: Before the updates.
            gradients: Of the loss with respect to the weights.
            move: About the largest change of a weight.

        Returns:
            The amounts to subtract, and the learning rate times the number of updates, (runs,).
        """
        runs = len(weights[0])
        path = move * self.reach
        return self.changes(follower, weights, gradients, path), np.full(runs, path)

    @property
    def reach(self) -> float:
        """The learning rate whose updates move, in the long run, as far as the gradient itself.

        Where the optimizer rescales, as far as a learning rate of 1 without a momentum.
        """
        return 1.0

    def travel(self, updates: float) -> float:
        """The sum of the learning rates of so many updates."""
        return self.learning_rate * (self.schedule.travel(updates) if self.schedule else updates)

    def updates_over(self, way: float, begun: float = 0.0) -> float:
        """The updates whose learning rates add up to `way`; inf where no number of them does.

        Args:
            way: Sum of learning rates.
            begun: Updates before these.
        """
        if self.schedule is None or not math.isfinite(way):
            return way / self.learning_rate
        factors = way / self.learning_rate + self.schedule.travel(begun)
        return self.schedule.updates_to(factors, max(FARTHEST, 10 * begun)) - begun

    def at_rate(self, rate: float) -> Optimizer:
        """The same optimizer with another learning rate."""
        return replace(self, learning_rate=rate)

    def keras_options(self) -> dict[str, Any]:
        """The keyword arguments of Keras's class but the learning rate.

        Options at their defaults are left out: Keras says "no limit" and "no decay" by None.
        """
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name not in ("learning_rate", "schedule")
            and not (each.kw_only and getattr(self, each.name) == each.default)
        }

    def script_arguments(self) -> list[str]:
        """The arguments of a call to Keras's class, as Python code, without those at defaults.

        With a schedule the learning rate is a variable of that name.
        """
        arguments = [] if self.schedule is None else ["learning_rate=learning_rate"]
        for each in fields(self):
            value = getattr(self, each.name)
            scheduled = self.schedule is not None and each.name in ("learning_rate", "schedule")
            if value != each.default and not scheduled:
                arguments.append(f"{each.name}={written(value)}")
        return arguments

    def script(self) -> str:
        return f"{self.keras_name}({', '.join(self.script_arguments())})"


OPTIMIZERS: dict[str, type[Optimizer]] = {}
"""The optimizers by the name of their class, which is Keras's."""


def largest_of_run(arrays: Arrays, runs: int) -> np.ndarray:
    """(runs,), the largest size of an entry in the arrays of each run."""
    sizes = [np.abs(each).reshape(len(each), -1).max(axis=1) * np.ones(runs) for each in arrays]
    return np.max(sizes, axis=0)


def per_run(values: np.ndarray) -> np.ndarray:
    """(runs,) as float32 (runs, 1, 1)."""
    return values.astype(np.float32)[:, None, None]
