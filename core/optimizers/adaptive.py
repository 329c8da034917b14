"""Optimizers that divide the gradient by its sizes so far."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.fields import Bool, Float, field
from core.optimizers.base import (
    FOREVER,
    Arrays,
    Optimizer,
    average_field,
    epsilon_field,
    momentum_field,
    per_run,
    rate_field,
)

if TYPE_CHECKING:
    from core.optimizers.follower import Follower

STRENGTH = Float(0, 1e6, step=0.001)


def start_field() -> float:
    """The field of what sums of squared gradients begin with."""
    return field(
        Float(0, 1e6, step=0.1),
        0.1,
        label="Initial accumulator",
        help="What the sums of squared gradients begin with.",
        advanced=True,
        added=True,
    )


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """RMSprop with Keras's defaults (rho 0.9, epsilon 1e-7)."""

    learning_rate: float = rate_field(0.001)
    _: KW_ONLY
    rho: float = average_field(0.9, "Rho", "of the squared gradients")
    momentum: float = momentum_field(advanced=True)
    epsilon: float = epsilon_field()
    centered: bool = field(
        Bool(),
        False,
        label="Centered",
        help="Divides by the variance of the gradient rather than by its square.",
        advanced=True,
        added=True,
    )

    keras_name = label = "RMSprop"
    help = "Divides each gradient by a moving average of its size."

    def changes(
        self, follower: Follower, weights: Arrays, gradients: Arrays, rates: np.ndarray | float
    ) -> Arrays:
        sizes = follower.average("squares", gradients, [g * g for g in gradients], self.rho)
        if self.centered:
            mean = follower.average("mean", gradients, gradients, self.rho)
            sizes = [np.maximum(v - m * m, 0) for v, m in zip(sizes, mean, strict=True)]
        steps = [
            rates * g / np.sqrt(v + self.epsilon) for g, v in zip(gradients, sizes, strict=True)
        ]
        if not self.momentum:
            return steps
        velocity = follower.state("velocity", steps)
        velocity[:] = [self.momentum * v + s for v, s in zip(velocity, steps, strict=True)]
        return velocity

    def leap(
        self, follower: Follower, weights: Arrays, gradients: Arrays, move: float
    ) -> tuple[Arrays, np.ndarray]:
        # The variance is that of the batches, which a long step does not see.
        uncentred = replace(self, centered=False) if self.centered else self
        return super(RMSprop, uncentred).leap(follower, weights, gradients, move)

    @property
    def reach(self) -> float:
        return 1 - min(self.momentum, FOREVER)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Adagrad with Keras's defaults."""

    learning_rate: float = rate_field(
        0.001, help="About how much the first update moves a weight; later ones move it less."
    )
    _: KW_ONLY
    initial_accumulator_value: float = start_field()
    epsilon: float = epsilon_field()

    keras_name = label = "Adagrad"
    help = "Divides each gradient by all of its past, so that the updates get smaller."
    former_rate = 0.01

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        sums = follower.state("sums", gradients, self.initial_accumulator_value)
        sums[:] = [s + g * g for s, g in zip(sums, gradients, strict=True)]
        return [g / np.sqrt(s + self.epsilon) for g, s in zip(gradients, sums, strict=True)]

    def leap(
        self, follower: Follower, weights: Arrays, gradients: Arrays, move: float
    ) -> tuple[Arrays, np.ndarray]:
        sums = follower.state("sums", gradients, self.initial_accumulator_value)
        changes, updates = _long_run(sums, gradients, self.learning_rate, move, 0.5)
        return changes, self.learning_rate * updates


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Adadelta with Keras's defaults (rho 0.95, epsilon 1e-7)."""

    learning_rate: float = rate_field(
        0.001, help="A factor of what the method computes; in its paper it is 1."
    )
    _: KW_ONLY
    rho: float = average_field(0.95, "Rho", "of the squared gradients")
    epsilon: float = epsilon_field()

    keras_name = label = "Adadelta"
    help = "Divides the size of its latest updates by that of the gradients; it begins slowly."
    former_rate = 1.0

    def directions(self, follower: Follower, gradients: Arrays) -> Arrays:
        squares = follower.average("squares", gradients, [g * g for g in gradients], self.rho)
        moves = follower.state("moves", gradients)
        directions = [
            np.sqrt(d + self.epsilon) * g / np.sqrt(v + self.epsilon)
            for d, v, g in zip(moves, squares, gradients, strict=True)
        ]
        follower.average("moves", gradients, [d * d for d in directions], self.rho)
        return directions

    def leap(
        self, follower: Follower, weights: Arrays, gradients: Arrays, move: float
    ) -> tuple[Arrays, np.ndarray]:
        # Under a constant gradient an update squared is `moves` + epsilon, and each update adds
        # (1 - rho) epsilon to it: the way is the integral of the root of that.
        moves = follower.state("moves", gradients)
        growth = (1 - self.rho) * self.epsilon
        if not growth:
            return super().leap(follower, weights, gradients, move)
        shares = [np.abs(g) / np.sqrt(g * g + self.epsilon) for g in gradients]
        each = []
        for share, d in zip(shares, moves, strict=True):
            way = 1.5 * growth * move / (self.learning_rate * np.maximum(share, 1e-30))
            each.append((((d + self.epsilon) ** 1.5 + way) ** (2 / 3) - d - self.epsilon) / growth)
        updates = _fewest(each, gradients)
        taken = per_run(np.where(np.isfinite(updates), updates, 0))
        changes = []
        for index, (g, share) in enumerate(zip(gradients, shares, strict=True)):
            before = moves[index] + self.epsilon
            after = before + growth * taken
            way = share * (after**1.5 - before**1.5) / (1.5 * growth)
            changes.append(self.learning_rate * np.sign(g) * way)
            moves[index] = moves[index] + growth * taken * share**2
        return changes, self.learning_rate * updates


@dataclass(frozen=True)
class Ftrl(Optimizer):
    """Ftrl with Keras's defaults."""

    learning_rate: float = rate_field(
        0.001, help="About how much the first update moves a weight; later ones move it less."
    )
    _: KW_ONLY
    learning_rate_power: float = field(
        Float(-0.99, 0, step=0.1),
        -0.5,
        label="Learning rate power",
        help="How the updates shrink with the sum of the squared gradients; 0 keeps their size.",
        advanced=True,
        added=True,
    )
    initial_accumulator_value: float = start_field()
    l1_regularization_strength: float = field(
        STRENGTH, 0.0, label="L1 strength", help="Of the pull to 0.", advanced=True
    )
    l2_regularization_strength: float = field(
        STRENGTH, 0.0, label="L2 strength", help="Of the shrinking of the weights.", advanced=True
    )
    l2_shrinkage_regularization_strength: float = field(
        STRENGTH,
        0.0,
        label="L2 shrinkage",
        help="Twice this times the weight is added to its gradient.",
        advanced=True,
        added=True,
    )
    beta: float = field(
        STRENGTH,
        0.0,
        label="Beta",
        help="Adds this over the learning rate to what the update is divided by.",
        advanced=True,
        added=True,
    )

    keras_name = label = "Ftrl"
    help = (
        "Follows the regularised leader; the first update takes nearly all of the initial weights "
        "away."
    )

    def changes(
        self, follower: Follower, weights: Arrays, gradients: Arrays, rates: np.ndarray | float
    ) -> Arrays:
        sums = follower.state("sums", gradients, self.initial_accumulator_value)
        ways = []
        for index, (g, w) in enumerate(zip(gradients, weights, strict=True)):
            after = sums[index] + g * g
            pull = g + 2 * self.l2_shrinkage_regularization_strength * w
            ways.append(rates * pull / after**-self.learning_rate_power)
        squares = [s + g * g for s, g in zip(sums, gradients, strict=True)]
        return self._proximal(follower, weights, ways, squares, rates)

    def leap(
        self, follower: Follower, weights: Arrays, gradients: Arrays, move: float
    ) -> tuple[Arrays, np.ndarray]:
        rate, runs = self.learning_rate, len(weights[0])
        if follower.count == 1:
            # The first update is another one, as it forgets the initial weights.
            return self.changes(follower, weights, gradients, rate), np.full(runs, rate)
        squares = list(follower.state("sums", gradients, self.initial_accumulator_value))
        ways, updates = _long_run(squares, gradients, rate, move, -self.learning_rate_power)
        return self._proximal(follower, weights, ways, squares, rate), rate * updates

    def _proximal(
        self,
        follower: Follower,
        weights: Arrays,
        ways: Arrays,
        squares: Arrays,
        rates: np.ndarray | float,
    ) -> Arrays:
        """The changes that lead to the minimum of the sum of all gradients so far, regularised.

        Args:
            follower: The state of the optimizer, which is updated.
            weights: Before the updates.
            ways: What would be subtracted without regularisation.
            squares: The sums of squared gradients after the updates.
            rates: Learning rates, (runs, 1, 1), or one for all runs.
        """
        power, l1 = -self.learning_rate_power, self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * rates)
        sums = follower.state("sums", ways, self.initial_accumulator_value)
        linear = follower.state("linear", ways)
        changes = []
        for index, (w, way, after) in enumerate(zip(weights, ways, squares, strict=True)):
            strength, before = after**power / rates, sums[index] ** power / rates
            linear[index] = linear[index] + strength * way - (strength - before) * w
            left = np.clip(linear[index], -l1, l1) - linear[index]
            changes.append(w - left / (strength + 2 * l2))
            sums[index] = after
        return changes


def _long_run(
    sums: Arrays, gradients: Arrays, rate: float, move: float, power: float
) -> tuple[Arrays, np.ndarray]:
    """The way of many updates by the gradient over a power of the sum of its squares.

    After n updates by the gradient g the sum s is s + n g², and the way the integral of
    rate g / (s + k g²)^power over k from 0 to n.

    Args:
        sums: Of the squared gradients; those after the updates take their place.
        gradients: Of all the updates.
        rate: The learning rate.
        move: The largest way of a weight.
        power: Below 1.

    Returns:
        The ways, and the number of updates, (runs,); inf where all gradients are 0.
    """
    rest = 1 - power
    each = []
    for s, g in zip(sums, gradients, strict=True):
        size = np.maximum(np.abs(g), 1e-15)
        longer = (s**rest + move * rest * size / rate) ** (1 / rest)
        each.append((longer - s) / size**2)
    updates = _fewest(each, gradients)
    taken = per_run(np.where(np.isfinite(updates), updates, 0))
    ways = []
    for index, g in enumerate(gradients):
        s, size = sums[index], np.maximum(np.abs(g), 1e-15)
        sums[index] = s + taken * g * g
        ways.append(rate * np.sign(g) * (sums[index] ** rest - s**rest) / (rest * size))
    return ways, updates


def _fewest(updates: Arrays, gradients: Arrays) -> np.ndarray:
    """(runs,): the fewest updates of any weight that has a gradient; inf where none has."""
    runs = max(len(each) for each in updates)
    fewest = [
        np.where(g != 0, n, np.inf).reshape(len(n), -1).min(axis=1) * np.ones(runs)
        for n, g in zip(updates, gradients, strict=True)
    ]
    return np.min(fewest, axis=0)
