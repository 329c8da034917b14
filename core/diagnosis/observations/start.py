"""What the initial weights make of the rows, before any training."""

from __future__ import annotations

import math
from functools import cached_property
from itertools import pairwise

import numpy as np

from core import network
from core.diagnosis.estimates import near_bound
from core.diagnosis.observations.draws import ROWS, Draws
from core.experiment import Experiment, Model
from core.history import History

STARTS = 64
"""Draws of the initial weights: enough to see a risk of 5% (96%)."""
MULTIPLICATIONS = 2e7
"""Of the forward passes of all draws; bigger networks get fewer draws, but at least four."""


class InitialState:
    """The network before training, over STARTS draws of its weights.

    Args:
        experiment: Whose network it is.
        history: Whose initial weights are taken; None to draw some.
        draws: Where the rows come from.
    """

    def __init__(self, experiment: Experiment, history: History | None, draws: Draws):
        self.experiment, self.history, self.draws = experiment, history, draws

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """As of `network.draw_weights`, with one run a draw."""
        size = parameters(self.experiment.model, self.experiment.data.source.features)
        starts = int(np.clip(MULTIPLICATIONS / (size * ROWS), 4, STARTS))
        if self.history is None:
            return self.draws.weights(self.experiment, starts)
        starts = min(self.history.runs, starts)
        return network.run_first(self.history.weights, 0, np.arange(starts))

    @cached_property
    def _forward(self) -> tuple[network.Pass, np.ndarray]:
        """One forward pass with each draw, and the labels (runs, rows, width)."""
        weights = self.weights  # drawn before the rows, as the two share a generator
        x, y = self.draws.repeated(len(weights[0]))
        with np.errstate(all="ignore"):
            return network.forward(self.experiment.model, weights, x), y

    @property
    def output(self) -> np.ndarray:
        """(runs, rows, units), of the output layer."""
        return self._forward[0].output

    @cached_property
    def _slopes(self) -> list[np.ndarray]:
        """The gradient of each dense layer's kernel, (runs, inputs, units) each."""
        done, labels = self._forward
        with np.errstate(all="ignore"):
            _, slope = network.judge(self.experiment, done, labels)
            by_array = network.gradients(self.experiment.model, self.weights, done, slope)
        return [by_array[index] for index in network.kernel_slots(self.experiment.model)]

    @cached_property
    def loss(self) -> float:
        """The mean loss of the rows without penalties, the median of the draws."""
        done, labels = self._forward
        with np.errstate(all="ignore"):
            each = network.judge(self.experiment, done, labels)[0] - done.penalty
        return float(np.median(each.mean(axis=1)))

    @property
    def penalty(self) -> float:
        """What penalties on weights and outputs add to it."""
        return float(np.median(self._forward[0].penalty))

    @cached_property
    def gradients(self) -> list[np.ndarray]:
        """Norm of each dense layer's kernel gradient, (runs,) each."""
        return [np.sqrt(np.square(slope).sum(axis=(1, 2))) for slope in self._slopes]

    @cached_property
    def steepest(self) -> np.ndarray:
        """(runs,), the largest slope of the loss along one entry of a kernel."""
        return np.max([np.abs(slope).max(axis=(1, 2)) for slope in self._slopes], axis=0)

    @cached_property
    def signal(self) -> float:
        """How much the rows differ in the last hidden layer, over how much the inputs do.

        Standard deviations over the rows, the median of units and draws.
        """
        outputs = self._forward[0].outputs[:-1]
        spread = self.draws.repeated(len(self.weights[0]))[0].std(axis=1)
        if not len(outputs) or not spread.any():
            return 1.0
        return float(
            np.median(outputs[-1].std(axis=1).mean(axis=-1)) / np.median(spread[spread > 0])
        )

    @cached_property
    def spreads(self) -> list[float]:
        """For every dense layer the standard deviation of the kernel, over that of Glorot's."""
        kernels = [self.weights[slot] for slot in network.kernel_slots(self.experiment.model)]
        return [
            float(kernel.std() / math.sqrt(2 / (kernel.shape[1] + kernel.shape[2])))
            for kernel in kernels
        ]

    @cached_property
    def dead(self) -> list[np.ndarray]:
        """For every hidden layer the share of units that output 0 for every row: (runs,) each."""
        return [(out == 0).all(axis=1).mean(axis=1) for out in self._forward[0].outputs[:-1]]

    @cached_property
    def saturated(self) -> list[float]:
        """For every hidden layer the share of outputs within 1% of a bound of the activation."""
        activations = self.experiment.model.activations[:-1]
        return [
            near_bound(activation, out)
            for activation, out in zip(activations, self._forward[0].outputs, strict=False)
        ]


def parameters(model: Model, features: int) -> int:
    """Weights and biases of the dense layers."""
    widths = [features, *(layer.units for layer in model.dense)]
    return sum((before + 1) * after for before, after in pairwise(widths))
