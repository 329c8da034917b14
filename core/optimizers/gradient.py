"""Optimizers that follow the gradient, or its sign."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.fields import Bool, Float, field
from core.optimizers.base import (
    FOREVER,
    Arrays,
    Optimizer,
    average_field,
    largest_of_run,
    momentum_field,
    per_run,
    rate_field,
)

if TYPE_CHECKING:
    from core.optimizers.follower import Follower


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with Keras's defaults."""

    learning_rate: float = rate_field(
        0.01, help="The factor from the gradient to the change of a weight."
    )
    momentum: float = momentum_field()
    _: KW_ONLY
    nesterov: bool = field(
        Bool(),
        False,
        label="Nesterov momentum",
        help="Takes the momentum's step before the gradient's; without momentum it has no effect.",
        advanced=True,
        added=True,
    )

    keras_name = label = "SGD"
    help = "Moves each weight in proportion to its gradient."
    rescales = False

    def changes(
        self, follower: Follower, weights: Arrays, gradients: Arrays, rates: np.ndarray | float
    ) -> Arrays:
        steps = [rates * g for g in gradients]
        if not self.momentum:
            return steps
        velocity = follower.state("velocity", steps)
        velocity[:] = [self.momentum * v + s for v, s in zip(velocity, steps, strict=True)]
        if not self.nesterov:
            return velocity
        return [self.momentum * v + s for v, s in zip(velocity, steps, strict=True)]

    def leap(
        self, follower: Follower, weights: Arrays, gradients: Arrays, move: float
    ) -> tuple[Arrays, np.ndarray]:
        steepest = largest_of_run(gradients, len(weights[0]))
        lengths = np.where(steepest > 0, move / np.maximum(steepest, 1e-30), np.inf)
        taken = per_run(np.where(np.isfinite(lengths), lengths, 0))
        return [taken * g for g in gradients], lengths * self.reach

    @property
    def reach(self) -> float:
        return 1 - min(self.momentum, FOREVER)


@dataclass(frozen=True)
class Lion(Optimizer):
    """Lion with Keras's defaults (beta_1 0.9, beta_2 0.99)."""

    learning_rate: float = rate_field(0.001, help="How much an update moves each weight.")
    _: KW_ONLY
    beta_1: float = field(
        Float(0, 1, step=0.01, above=True),
        0.9,
        label="Beta 1",
        help="Weight of the moving average in the direction of an update.",
        advanced=True,
        added=True,
    )
    beta_2: float = average_field(0.99, "Beta 2", "of the gradients")

    keras_name = label = "Lion"
    help = "Moves each weight by the learning rate, by the sign of a moving average."

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        average = follower.state("average", gradients)
        signs = [
            np.sign(self.beta_1 * a + (1 - self.beta_1) * g)
            for a, g in zip(average, gradients, strict=True)
        ]
        follower.average("average", gradients, gradients, self.beta_2)
        return signs
