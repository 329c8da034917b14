"""The registry of losses, each computed in NumPy as Keras 3 on TensorFlow computes it.

Cross-entropies take the weighted sums of a sigmoid or softmax output layer as logits, and clip the
outputs of any other layer to probabilities. The formulas are those of `keras.losses`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
        low, high: The bounds of the labels that it is made for.
        signs: Whether it is made for labels -1 and 1; Keras converts labels that are 0 and 1.
        link: The activation that gives the outputs it is made for: "sigmoid", "softmax" or "".
        logits: Whether it takes `from_logits`, and then applies the link to the outputs itself.
        sees_through: Whether it takes the sums of a sigmoid or softmax layer as logits, so that
            `from_logits` changes nothing there.
        smooth: Maps labels and Keras's `label_smoothing` to smoothed labels; None where Keras has
            no such argument.
    """

    name: str
    judge: Callable[..., Judged]
    cross_entropy: bool = False
    class_numbers: bool = False
    broadcasts: bool = False
    distance: bool = False
    low: float = -math.inf
    high: float = math.inf
    signs: bool = False
    link: str = ""
    logits: bool = False
    sees_through: bool = True
    smooth: Callable[[np.ndarray, float], np.ndarray] | None = None

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    @property
    def keras_class(self) -> str:
        """The name of Keras's class, of a loss with arguments."""
        return "".join(part.capitalize() for part in self.name.split("_"))

    def judged(
        self, activation: Activation, z, out, y, from_logits=False, label_smoothing=0.0
    ) -> Judged:
        """`judge` with Keras's arguments of the loss."""
        if self.smooth is not None and label_smoothing:
            y = self.smooth(y, np.float32(label_smoothing))
        if not self.logits or not from_logits or (activation.probability and self.sees_through):
            return self.judge(activation, z, out, y)
        link = ACTIVATIONS[self.link]
        each, slope = self.judge(link, out, link.value(out), y)
        return each, activation.slope(z, out, slope)


def _column_by_column(value: Callable, slope: Callable) -> Callable[..., Judged]:
    """The mean over the columns of a value of outputs and labels, whose slope is by the outputs."""

    def judge(activation: Activation, z, out, y) -> Judged:
        each, upstream = value(out, y), slope(out, y)
        if out.shape[-1] == 1:
            upstream = upstream.sum(axis=-1, keepdims=True)
        return each.mean(axis=-1), activation.slope(z, out, upstream / each.shape[-1])

    return judge


_squared = _column_by_column(lambda out, y: (out - y) ** 2, lambda out, y: 2 * (out - y))
_absolute = _column_by_column(lambda out, y: np.abs(out - y), lambda out, y: np.sign(out - y))
_huber = _column_by_column(
    lambda out, y: np.where(
        np.abs(out - y) <= 1, 0.5 * (out - y) ** 2, np.abs(out - y) - np.float32(0.5)
    ),
    lambda out, y: np.clip(out - y, -1, 1),
)
_log_cosh = _column_by_column(
    lambda out, y: (out - y) + np.logaddexp(0, -2 * (out - y)) - np.float32(math.log(2)),
    lambda out, y: np.tanh(out - y),
)
_percentage = _column_by_column(
    lambda out, y: 100 * np.abs(out - y) / np.maximum(np.abs(y), EPSILON),
    lambda out, y: 100 * np.sign(out - y) / np.maximum(np.abs(y), EPSILON),
)
_poisson = _column_by_column(
    lambda out, y: out - y * np.log(out + EPSILON), lambda out, y: 1 - y / (out + EPSILON)
)


def _log1(values):
    return np.log(np.maximum(values, EPSILON) + 1)


_logarithmic = _column_by_column(
    lambda out, y: (_log1(out) - _log1(y)) ** 2,
    lambda out, y: (out >= EPSILON) * 2 * (_log1(out) - _log1(y)) / (np.maximum(out, EPSILON) + 1),
)


def _signs(y):
    """Labels 0 and 1 as -1 and 1; others as they are."""
    return 2 * y - 1 if np.isin(y, (0, 1)).all() else y


def _margin(out, y):
    return np.maximum(1 - _signs(y) * out, 0)


_hinge = _column_by_column(
    _margin, lambda out, y: np.where(1 - _signs(y) * out >= 0, -_signs(y), 0)
)
_squared_hinge = _column_by_column(
    lambda out, y: _margin(out, y) ** 2, lambda out, y: -2 * _signs(y) * _margin(out, y)
)


def _categorical_hinge(activation: Activation, z, out, y) -> Judged:
    others = (1 - y) * out
    margin = others.max(axis=-1) - (y * out).sum(axis=-1) + 1
    highest = others == others.max(axis=-1, keepdims=True)
    slope = highest * (1 - y) / highest.sum(axis=-1, keepdims=True) - y
    slope = np.where(margin[..., None] >= 0, slope, 0)
    return np.maximum(margin, 0), activation.slope(z, out, slope)


def _divergence(activation: Activation, z, out, y) -> Judged:
    y, p = np.clip(y, EPSILON, 1), np.clip(out, EPSILON, 1)
    slope = -y / p * ((out >= EPSILON) & (out <= 1))
    return (y * np.log(y / p)).sum(axis=-1), activation.slope(z, out, slope)


def _binary_focal(activation: Activation, z, out, y) -> Judged:
    """(1 - p)^2 times the cross-entropy, p the probability of the label."""
    each, slope = _binary_by_column(activation, z, out, y)
    off = 1 - (y * out + (1 - y) * (1 - out))
    by_factor = activation.slope(z, out, 2 * off * (1 - 2 * y) * each)
    return (off**2 * each).mean(axis=-1), (off**2 * slope + by_factor) / y.shape[-1]


def _categorical_focal(activation: Activation, z, out, y) -> Judged:
    """(1 - p)^2 / 4 times the cross-entropy, p the share of the label's output."""
    total = out.sum(axis=-1, keepdims=True)
    share = out / total
    p = np.clip(share, EPSILON, 1 - EPSILON)
    inside = (share >= EPSILON) & (share <= 1 - EPSILON)
    log, alpha = np.log(p), np.float32(0.25)
    upstream = inside * alpha * y * (2 * (1 - p) * log - (1 - p) ** 2 / p)
    slope = (upstream - (upstream * share).sum(axis=-1, keepdims=True)) / total
    return (-alpha * (1 - p) ** 2 * y * log).sum(axis=-1), activation.slope(z, out, slope)


def _binary_by_column(activation: Activation, z, out, y) -> Judged:
    """Loss and slope of every column, (runs, rows, width)."""
    if activation.probability:
        each = np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))
        return each, ACTIVATIONS["sigmoid"].value(z) - y
    p = np.clip(out, EPSILON, 1 - EPSILON)
    inside = (out >= EPSILON) & (out <= 1 - EPSILON)
    each = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return each, activation.slope(z, out, inside * ((1 - y) / (1 - p) - y / p))


def _binary(activation: Activation, z, out, y) -> Judged:
    each, slope = _binary_by_column(activation, z, out, y)
    return each.mean(axis=-1), slope / y.shape[-1]


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


def _half_smoothed(y, amount):
    return y * (1 - amount) + amount / 2


def _evenly_smoothed(y, amount):
    return y * (1 - amount) + amount / y.shape[-1]


def _number(name: str, judge: Callable[..., Judged], **options) -> Loss:
    return Loss(name, judge, broadcasts=True, distance=True, **options)


def _probability(name: str, judge: Callable[..., Judged], link: str, **options) -> Loss:
    return Loss(name, judge, cross_entropy=True, low=0.0, high=1.0, link=link, **options)


_OF_COLUMNS: dict[str, Any] = {"link": "sigmoid", "logits": True, "smooth": _half_smoothed}
_OF_CLASSES: dict[str, Any] = {"link": "softmax", "logits": True, "smooth": _evenly_smoothed}
_OF_SIGNS: dict[str, Any] = {"low": -1.0, "high": 1.0, "signs": True, "broadcasts": True}
_ALL = (
    _probability("binary_crossentropy", _binary, **_OF_COLUMNS),
    _probability("categorical_crossentropy", _categorical, **_OF_CLASSES),
    Loss(
        "sparse_categorical_crossentropy",
        _sparse,
        cross_entropy=True,
        class_numbers=True,
        low=0.0,
        link="softmax",
        logits=True,
    ),
    _number("mean_squared_error", _squared),
    _number("mean_absolute_error", _absolute),
    _number("huber", _huber),
    _number("log_cosh", _log_cosh),
    _number("mean_absolute_percentage_error", _percentage),
    _number("mean_squared_logarithmic_error", _logarithmic, low=0.0),
    _number("poisson", _poisson, low=0.0),
    Loss("hinge", _hinge, **_OF_SIGNS),
    Loss("squared_hinge", _squared_hinge, **_OF_SIGNS),
    Loss("categorical_hinge", _categorical_hinge, low=0.0, high=1.0),
    _probability("kl_divergence", _divergence, "softmax"),
    _probability("binary_focal_crossentropy", _binary_focal, sees_through=False, **_OF_COLUMNS),
    _probability(
        "categorical_focal_crossentropy", _categorical_focal, sees_through=False, **_OF_CLASSES
    ),
)
LOSSES = named(_ALL)


def loss(name: str) -> Loss:
    """The loss of this name.

    Raises:
        ValueError: If the name is unknown.
    """
    return entry("loss", LOSSES, name)
