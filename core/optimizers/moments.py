"""Adam and its relatives: a moving average of the gradient over one of its size."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.fields import Bool, field
from core.optimizers.base import (
    Arrays,
    Optimizer,
    average_field,
    decay_field,
    epsilon_field,
    rate_field,
)

if TYPE_CHECKING:
    from core.optimizers.follower import Follower


@dataclass(frozen=True)
class _Moments(Optimizer):
    """The arguments that they share, with Keras's defaults."""

    learning_rate: float = rate_field(0.001)
    _: KW_ONLY
    beta_1: float = average_field(0.9, "Beta 1", "of the gradients")
    beta_2: float = average_field(0.999, "Beta 2", "of the size of the gradients")
    epsilon: float = epsilon_field()

    def mean(self, follower: Follower, gradients: Arrays) -> Arrays:
        """The moving average of the gradients after one more update."""
        return follower.average("mean", gradients, gradients, self.beta_1)

    def squares(self, follower: Follower, gradients: Arrays) -> Arrays:
        """The moving average of their squares."""
        return follower.average("squares", gradients, [g * g for g in gradients], self.beta_2)


@dataclass(frozen=True)
class Adam(_Moments):
    """Adam with Keras's defaults (beta_1 0.9, beta_2 0.999, epsilon 1e-7)."""

    _: KW_ONLY
    amsgrad: bool = field(
        Bool(),
        False,
        label="AMSGrad",
        help="Divides by the largest moving average so far.",
        advanced=True,
        added=True,
    )

    keras_name = label = "Adam"
    help = "Divides a moving average of each gradient by a moving average of its size."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        squares = self.squares(follower, gradients)
        mean = self.mean(follower, gradients)
        if self.amsgrad:
            largest = follower.state("largest", gradients)
            largest[:] = [np.maximum(a, v) for a, v in zip(largest, squares, strict=True)]
            squares = largest
        count = follower.count
        correction = math.sqrt(1 - self.beta_2**count) / (1 - self.beta_1**count)
        return [
            correction * m / (np.sqrt(v) + self.epsilon) for m, v in zip(mean, squares, strict=True)
        ]


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with a weight decay of 0.004, Keras's default."""

    weight_decay: float = decay_field(0.004, advanced=False)

    keras_name = label = "AdamW"
    help = "Adam that also shrinks the weights."


@dataclass(frozen=True)
class Nadam(_Moments):
    """Nadam with Keras's defaults (beta_1 0.9, beta_2 0.999, epsilon 1e-7)."""

    keras_name = label = "Nadam"
    help = "Adam with Nesterov's momentum."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        squares = self.squares(follower, gradients)
        mean = self.mean(follower, gradients)
        count = follower.count
        # Dozat's warming momentum ("Incorporating Nesterov momentum into Adam", 2016).
        now, following = (self.beta_1 * (1 - 0.5 * 0.96**k) for k in (count, count + 1))
        product = math.prod(self.beta_1 * (1 - 0.5 * 0.96**k) for k in range(1, count + 1))
        ahead, here = following / (1 - product * following), (1 - now) / (1 - product)
        correction = 1 - self.beta_2**count
        return [
            (ahead * m + here * g) / (np.sqrt(v / correction) + self.epsilon)
            for m, g, v in zip(mean, gradients, squares, strict=True)
        ]


@dataclass(frozen=True)
class Adamax(_Moments):
    """Adamax with Keras's defaults (beta_1 0.9, beta_2 0.999, epsilon 1e-7)."""

    keras_name = label = "Adamax"
    help = "Divides a moving average of each gradient by its largest size of late."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        mean = self.mean(follower, gradients)
        largest = follower.state("largest", gradients)
        largest[:] = [
            np.maximum(self.beta_2 * u, np.abs(g)) for u, g in zip(largest, gradients, strict=True)
        ]
        correction = 1 - self.beta_1**follower.count
        return [m / (correction * (u + self.epsilon)) for m, u in zip(mean, largest, strict=True)]
