"""The optimizers: one class each, with Keras's defaults and the direction of its updates in NumPy.

The names of the fields are those of Keras's arguments, and the directions are Keras's formulas:
the diagnosis follows them ahead in a process that has no TensorFlow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import numpy as np

from core.entries import KerasEntry
from core.fields import Float, field

EPSILON = 1e-7
"""Keras's, of RMSprop and Adam."""
RATE = Float(0, 1_000, step=0.001, above=True)
RATE_LABEL = "Learning rate"

Arrays = list[np.ndarray]


class Optimizer(KerasEntry):
    """An optimizer that updates every weight by itself, so that it serves a whole stack of runs.

    rescales: it divides by the size of the gradient, so that an update moves each weight by about
        the learning rate.
    """

    learning_rate: float
    rescales: ClassVar[bool] = True

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        """What a learning rate of 1 would take off each weight."""
        raise NotImplementedError

    @property
    def reach(self) -> float:
        """The length of an update over that of its direction, in the long run."""
        return 1.0

    def at_rate(self, rate: float) -> Optimizer:
        """The same at another learning rate."""
        return replace(self, learning_rate=rate)  # type: ignore[type-var]


OPTIMIZERS: dict[str, type[Optimizer]] = {}
"""Every optimizer by the name of its class, which is Keras's."""

Class = TypeVar("Class", bound=type[Optimizer])


def optimizer(kind: Class) -> Class:
    """Register an optimizer."""
    OPTIMIZERS[kind.__name__] = kind
    return kind


@optimizer
@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with Keras's defaults."""

    learning_rate: float = field(
        RATE, 0.01, label=RATE_LABEL, help="Times the gradient: the change of each weight."
    )
    momentum: float = field(
        Float(0, 1, step=0.1),
        0.0,
        label="Momentum",
        help="The share of the previous change that is added to the next one.",
    )

    keras_name = label = "SGD"
    help = "Follows the gradient itself."
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

    learning_rate: float = field(
        RATE, 0.001, label=RATE_LABEL, help="About how much an update moves each weight."
    )

    keras_name = label = "RMSprop"
    help = "Divides each gradient by its recent size."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        follower.second = mean_squares(follower.second, gradients, 0.9)
        return [g / np.sqrt(v + EPSILON) for g, v in zip(gradients, follower.second, strict=True)]


@optimizer
@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam with Keras's defaults (beta 0.9 and 0.999, epsilon 1e-7)."""

    learning_rate: float = field(
        RATE, 0.001, label=RATE_LABEL, help="About how much an update moves each weight."
    )

    keras_name = label = "Adam"
    help = "Momentum, divided by the gradient's recent size."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        follower.second = mean_squares(follower.second, gradients, 0.999)
        follower.first = [0.9 * m + 0.1 * g for m, g in zip(follower.first, gradients, strict=True)]
        correction = math.sqrt(1 - 0.999**follower.count) / (1 - 0.9**follower.count)
        return [
            correction * m / (np.sqrt(v) + EPSILON)
            for m, v in zip(follower.first, follower.second, strict=True)
        ]


def mean_squares(means: Arrays, gradients: Arrays, keep: float) -> Arrays:
    """Moving averages of the squared gradients."""
    return [keep * v + (1 - keep) * g * g for v, g in zip(means, gradients, strict=True)]


class Follower:
    """An optimizer on its way, in steps of any length.

    first, second: what it remembers of the gradients, one array a weight; count: of its updates.
    Every array of weights or gradients has the runs as its first axis.
    """

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer
        self.first: Arrays = []
        self.second: Arrays = []
        self.count = 0

    def directions(self, gradients: Arrays) -> Arrays:
        """What a learning rate of 1 would take off each weight."""
        self.count += 1
        if not self.first:
            self.first = [np.zeros_like(g) for g in gradients]
            self.second = [np.zeros_like(g) for g in gradients]
        return self.optimizer.directions(self, gradients)

    def update(self, weights: Arrays, gradients: Arrays, rates: np.ndarray | float) -> None:
        """One update at these learning rates, in place; rates: (runs, 1, 1), or one for all."""
        for index, direction in enumerate(self.directions(gradients)):
            weights[index] = weights[index] - rates * direction

    def step(self, weights: Arrays, gradients: Arrays, move: float) -> np.ndarray:
        """One long step, in place, that moves the weights by about `move`.

        Returns:
            (runs,), the learning rate that would take it in one update.
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
