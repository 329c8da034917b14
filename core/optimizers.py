"""The optimizers in NumPy: one entry each, the direction in which its updates take the weights."""

from __future__ import annotations

import math

import numpy as np

from core.entries import entry
from core.experiment import SGD, Adam, RMSprop

EPSILON = 1e-7
"""Keras's, of RMSprop and Adam."""


class Follower:
    """An optimizer's own direction, for steps of any length."""

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.first, self.second, self.count = None, None, 0

    def directions(self, slopes):
        """What a learning rate of 1 would take off each weight."""
        self.count += 1
        if self.first is None:
            self.first = [np.zeros_like(g) for g in slopes]
            self.second = [np.zeros_like(g) for g in slopes]
        return self._directions(slopes)

    def update(self, weights, slopes, rates):
        for place, direction in enumerate(self.directions(slopes)):
            weights[place] = weights[place] - rates * direction

    def step(self, weights, slopes, move):
        """Take one long step; (runs,), the learning rate that would take it in one update."""
        self.update(weights, slopes, move)
        return np.full(len(weights[0]), move)

    def _directions(self, slopes):
        raise NotImplementedError

    def _mean_squares(self, slopes, keep):
        return [keep * v + (1 - keep) * g * g for v, g in zip(self.second, slopes, strict=True)]


class _SGD(Follower):
    def _directions(self, slopes):
        momentum = self.optimizer.momentum
        self.first = [momentum * m + g for m, g in zip(self.first, slopes, strict=True)]
        return self.first

    def step(self, weights, slopes, move):
        steepest = np.max(
            [np.abs(g).reshape(len(g), -1).max(axis=1) * np.ones(len(weights[0])) for g in slopes],
            axis=0,
        )
        lengths = np.where(steepest > 0, move / np.maximum(steepest, 1e-30), np.inf)
        taken = np.where(np.isfinite(lengths), lengths, 0).astype(np.float32)[:, None, None]
        for place, slope in enumerate(slopes):
            weights[place] = weights[place] - taken * slope
        return lengths * (1 - self.optimizer.momentum)


class _RMSprop(Follower):
    def _directions(self, slopes):
        self.second = self._mean_squares(slopes, 0.9)
        return [g / np.sqrt(v + EPSILON) for g, v in zip(slopes, self.second, strict=True)]


class _Adam(Follower):
    def _directions(self, slopes):
        self.second = self._mean_squares(slopes, 0.999)
        self.first = [0.9 * m + 0.1 * g for m, g in zip(self.first, slopes, strict=True)]
        correction = math.sqrt(1 - 0.999**self.count) / (1 - 0.9**self.count)
        return [
            correction * m / (np.sqrt(v) + EPSILON)
            for m, v in zip(self.first, self.second, strict=True)
        ]


FOLLOWERS = {SGD: _SGD, RMSprop: _RMSprop, Adam: _Adam}


def follow(optimizer: SGD | RMSprop | Adam) -> Follower:
    """A follower at its start. Raises ValueError for an unknown optimizer."""
    return entry("optimizer", FOLLOWERS, type(optimizer))(optimizer)
