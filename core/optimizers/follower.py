"""An optimizer with its state, in NumPy."""

from __future__ import annotations

import numpy as np

from core.optimizers.base import Arrays, Optimizer, per_run


class Follower:
    """An optimizer with its state, which can take steps at any learning rate.

    Attributes:
        optimizer: Whose formulas are used.
        count: Number of updates so far.
    """

    def __init__(self, optimizer: Optimizer):
        self.optimizer = optimizer
        self.count = 0
        self._state: dict[str, Arrays] = {}

    def state(self, name: str, gradients: Arrays, start: float = 0.0) -> Arrays:
        """What the optimizer remembers under this name, which it may change in place.

        Args:
            name: Of the state.
            gradients: Whose shapes it has.
            start: Its value before the first update.
        """
        if name not in self._state:
            self._state[name] = [np.full_like(g, start) for g in gradients]
        return self._state[name]

    def average(self, name: str, gradients: Arrays, values: Arrays, keep: float) -> Arrays:
        """A moving average after one more step; `keep` is its decay."""
        average = self.state(name, gradients)
        average[:] = [
            keep * a + (1 - keep) * value for a, value in zip(average, values, strict=True)
        ]
        return average

    def update(self, weights: Arrays, gradients: Arrays, rates: np.ndarray | float) -> None:
        """One update of the weights, in place.

        Args:
            weights: To be updated.
            gradients: Of the loss with respect to the weights.
            rates: Learning rates, (runs, 1, 1), or one for all runs.
        """
        self.count += 1
        self._decay(weights, gradients, 1 - self.optimizer.weight_decay * rates)
        gradients = clipped(self.optimizer, gradients)
        changes = self.optimizer.changes(self, weights, gradients, rates)
        for index, change in enumerate(changes):
            weights[index] = weights[index] - change

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
        self.count += 1
        gradients = clipped(self.optimizer, gradients)
        changes, path = self.optimizer.leap(self, weights, gradients, move)
        decayed = self.optimizer.weight_decay * np.where(np.isfinite(path), path, 0)
        self._decay(weights, gradients, per_run(np.exp(-decayed)))
        for index, change in enumerate(changes):
            weights[index] = weights[index] - change
        return path

    def _decay(self, weights: Arrays, gradients: Arrays, kept: np.ndarray | float) -> None:
        """Keep this share of the weights that are trained: gradients of others are one 0."""
        if self.optimizer.weight_decay:
            for index, (array, gradient) in enumerate(zip(weights, gradients, strict=True)):
                if gradient.shape == array.shape:
                    weights[index] = array * kept


def clipped(optimizer: Optimizer, gradients: Arrays) -> Arrays:
    """The gradients within the optimizer's limits, as Keras clips those of one run."""
    if optimizer.clipvalue:
        return [np.clip(g, -optimizer.clipvalue, optimizer.clipvalue) for g in gradients]
    limit = optimizer.clipnorm or optimizer.global_clipnorm
    if not limit:
        return gradients
    squares = [np.square(g).sum(axis=(1, 2), keepdims=True) for g in gradients]
    if optimizer.global_clipnorm:
        squares = [sum(squares[1:], squares[0])] * len(squares)
    return [
        g * (limit / np.maximum(np.sqrt(s), limit)) for g, s in zip(gradients, squares, strict=True)
    ]
