"""The registry of losses, each computed in NumPy as Keras 3 on TensorFlow computes it.

Cross-entropies take the weighted sums of a sigmoid or softmax output layer as logits, and clip the
outputs of any other layer to probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.activations import ACTIVATIONS, Activation
from core.entries import entry, named

EPSILON = 1e-7
"""Keras clips probabilities to [EPSILON, 1 - EPSILON]."""

Judged = tuple[np.ndarray, np.ndarray]
"""Loss per row (runs, rows), and its gradient with respect to the sums (runs, rows, units)."""


@dataclass(frozen=True)
class Loss:
    """A loss, as Keras computes it.

    Attributes:
        name: Keras's.
        judge: Maps the output layer's activation, its sums and outputs (runs, rows, units) and the
            labels (runs, rows, width) to the loss of each row (runs, rows) and its gradient with
            respect to the sums (runs, rows, units).
        cross_entropy: Whether it takes the outputs as probabilities.
        class_numbers: Whether the labels are class numbers in one column, for any number of units.
        broadcasts: Whether Keras compares a single output with every column of the labels.
        distance: Whether it is a distance to a number, so that continuous labels are a regression.
    """

    name: str
    judge: Callable[..., Judged]
    cross_entropy: bool = False
    class_numbers: bool = False
    broadcasts: bool = False
    distance: bool = False

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")


def _squared(activation: Activation, z, out, y) -> Judged:
    error = out - y
    slope = (2 * error).sum(axis=-1, keepdims=True) if out.shape[-1] == 1 else 2 * error
    return (error**2).mean(axis=-1), activation.slope(z, out, slope / error.shape[-1])


def _binary(activation: Activation, z, out, y) -> Judged:
    if activation.probability:
        each = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
        return each.mean(axis=-1), (ACTIVATIONS["sigmoid"].value(z) - y) / y.shape[-1]
    p = np.clip(out, EPSILON, 1 - EPSILON)
    inside = (out >= EPSILON) & (out <= 1 - EPSILON)
    each = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    slope = inside * ((1 - y) / (1 - p) - y / p) / y.shape[-1]
    return each.mean(axis=-1), activation.slope(z, out, slope)


def _sparse(activation: Activation, z, out, y) -> Judged:
    y = (y == np.arange(out.shape[-1])).astype(np.float32)
    if activation.probability:
        return _of_logits(z, y)
    p = np.clip(out, EPSILON, 1 - EPSILON)
    share = p / p.sum(axis=-1, keepdims=True)
    inside = (out >= EPSILON) & (out <= 1 - EPSILON)
    slope = inside * (share - y) / p
    return -(y * np.log(share)).sum(axis=-1), activation.slope(z, out, slope)


def _categorical(activation: Activation, z, out, y) -> Judged:
    if activation.probability:
        return _of_logits(z, y)
    total = out.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = out / total
        inside = (share >= EPSILON) & (share <= 1 - EPSILON)
        p = np.clip(share, EPSILON, 1 - EPSILON)
        upstream = inside * -y / p
        slope = (upstream - (upstream * share).sum(axis=-1, keepdims=True)) / total
        return -(y * np.log(p)).sum(axis=-1), activation.slope(z, out, slope)


def _of_logits(z, y) -> Judged:
    """Categorical cross-entropy of logits `z` and one-hot labels `y`."""
    share = ACTIVATIONS["softmax"].value(z)
    each = -(y * np.log(np.maximum(share, 1e-30))).sum(axis=-1)
    return each, share * y.sum(axis=-1, keepdims=True) - y


_ALL = (
    Loss("binary_crossentropy", _binary, cross_entropy=True),
    Loss("categorical_crossentropy", _categorical, cross_entropy=True),
    Loss("sparse_categorical_crossentropy", _sparse, cross_entropy=True, class_numbers=True),
    Loss("mean_squared_error", _squared, broadcasts=True, distance=True),
)
LOSSES = named(_ALL)


def loss(name: str) -> Loss:
    """The loss of this name.

    Raises:
        ValueError: If the name is unknown.
    """
    return entry("loss", LOSSES, name)
