"""The registry of optimizers, with Keras's defaults and update formulas in NumPy.

The fields have the names of Keras's arguments. The NumPy formulas let the diagnosis simulate
updates in a process without TensorFlow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from core.entries import KerasEntry
from core.fields import Float, field

EPSILON = 1e-7
"""Keras's epsilon of RMSprop and Adam."""
RATE = Float(0, 1_000, step=0.001, above=True)

Arrays = list[np.ndarray]
"""One array per array of weights, with the runs as the first axis."""


def rate_field(default: float, help: str = "About how much an update moves each weight.") -> Any:
    """The field of a learning rate."""
    return field(RATE, default, label="Learning rate", help=help)


class Optimizer(KerasEntry):
    """An optimizer that updates each weight independently, so that it can train stacked runs.

    Attributes:
        learning_rate: Factor of the update's direction.
        rescales: Whether it divides by the size of the gradient, so that an update moves each
            weight by about the learning rate.
    """

    learning_rate: float
    rescales: ClassVar[bool] = True

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        """The amounts that a learning rate of 1 subtracts from the weights.

        Args:
            follower: The state of the optimizer, which is updated.
            gradients: Of the loss with respect to the weights.
        """
        raise NotImplementedError

    @property
    def reach(self) -> float:
        """The learning rate whose updates move, in the long run, as far as the gradient itself."""
        return 1.0

    def at_rate(self, rate: float) -> Optimizer:
        """The same optimizer with another learning rate."""
        return replace(self, learning_rate=rate)  # type: ignore[type-var]


OPTIMIZERS: dict[str, type[Optimizer]] = {}
"""The optimizers by the name of their class, which is Keras's."""

Class = TypeVar("Class", bound=type[Optimizer])


def optimizer(kind: Class) -> Class:
    """Register a class of optimizers in OPTIMIZERS."""
    OPTIMIZERS[kind.__name__] = kind
    return kind


@optimizer
@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with Keras's defaults."""

    learning_rate: float = rate_field(
        0.01, help="The factor from the gradient to the change of a weight."
    )
    momentum: float = field(
        Float(0, 1, step=0.1),
        0.0,
        label="Momentum",
        help="The fraction of the previous change that is added to the next one.",
    )

    keras_name = label = "SGD"
    help = "Moves each weight in proportion to its gradient."
    rescales = False

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        follower.first = [
            self.momentum * m + g for m, g in zip(follower.first, gradients, strict=True)
        ]
        return follower.first

    @property
    def reach(self) -> float:
        return 1 - self.momentum


@optimizer
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop with Keras's defaults (rho 0.9, epsilon 1e-7)."""

    learning_rate: float = rate_field(0.001)

    keras_name = label = "RMSprop"
    help = "Divides each gradient by a moving average of its size."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        follower.second = mean_squares(follower.second, gradients, 0.9)
        return [g / np.sqrt(v + EPSILON) for g, v in zip(gradients, follower.second, strict=True)]


@optimizer
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam with Keras's defaults (beta_1 0.9, beta_2 0.999, epsilon 1e-7)."""

    learning_rate: float = rate_field(0.001)

    keras_name = label = "Adam"
    help = "Divides a moving average of each gradient by a moving average of its size."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        follower.second = mean_squares(follower.second, gradients, 0.999)
        follower.first = [0.9 * m + 0.1 * g for m, g in zip(follower.first, gradients, strict=True)]
        correction = math.sqrt(1 - 0.999**follower.count) / (1 - 0.9**follower.count)
        return [
            correction * m / (np.sqrt(v) + EPSILON)
            for m, v in zip(follower.first, follower.second, strict=True)
        ]


def mean_squares(means: Arrays, gradients: Arrays, keep: float) -> Arrays:
    """The moving averages of the squared gradients after one more step; `keep` is their decay."""
    return [keep * v + (1 - keep) * g * g for v, g in zip(means, gradients, strict=True)]


class Follower:
    """An optimizer with its state, which can take steps at any learning rate.

    Attributes:
        optimizer: Whose formulas are used.
        first, second: Moving averages of the gradients and of their squares, as the optimizer
            defines them.
        count: Number of updates so far.
    """

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer
        self.first: Arrays = []
        self.second: Arrays = []
        self.count = 0

    def directions(self, gradients: Arrays) -> Arrays:
        """The amounts that a learning rate of 1 subtracts from the weights; updates the state."""
        self.count += 1
        if not self.first:
            self.first = [np.zeros_like(g) for g in gradients]
            self.second = [np.zeros_like(g) for g in gradients]
        return self.optimizer.directions(self, gradients)

    def update(self, weights: Arrays, gradients: Arrays, rates: np.ndarray | float) -> None:
        """One update of the weights, in place.

        Args:
            weights: To be updated.
            gradients: Of the loss with respect to the weights.
            rates: Learning rates, (runs, 1, 1), or one for all runs.
        """
        for index, direction in enumerate(self.directions(gradients)):
            weights[index] = weights[index] - rates * direction

    def step(self, weights: Arrays, gradients: Arrays, move: float) -> np.ndarray:
        """One long step, in place, that changes the weights by about `move`.

        Args:
            weights: To be updated.
            gradients: Of the loss with respect to the weights.
            move: The largest change of a weight.

        Returns:
            (runs,), the learning rate at which an update is as long in the long run; inf where all
            gradients are 0.
        """
        runs = len(weights[0])
        if self.optimizer.rescales:
            self.update(weights, gradients, move)
            return np.full(runs, move)
        largest = [np.abs(g).reshape(len(g), -1).max(axis=1) * np.ones(runs) for g in gradients]
        steepest = np.max(largest, axis=0)
        lengths = np.where(steepest > 0, move / np.maximum(steepest, 1e-30), np.inf)
        taken = np.where(np.isfinite(lengths), lengths, 0).astype(np.float32)[:, None, None]
        for index, gradient in enumerate(gradients):
            weights[index] = weights[index] - taken * gradient
        return lengths * self.optimizer.reach
