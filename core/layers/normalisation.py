"""Layers that normalise their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.fields import Bool, Float, field
from core.layers.base import Arrays, Layer, Slot, layer, over_rows


def _centre() -> Any:
    return field(
        Bool(),
        True,
        label="Shift",
        help="Adds a learnt number per unit.",
        added=True,
        advanced=True,
    )


def _scale() -> Any:
    return field(
        Bool(),
        True,
        label="Scale",
        help="Multiplies by a learnt number per unit.",
        added=True,
        advanced=True,
    )


def _epsilon() -> Any:
    return field(
        Float(0, 1, step=0.001, above=True),
        0.001,
        label="Epsilon",
        help="Added to the variance, so that it is never 0.",
        added=True,
        advanced=True,
    )


class Normalisation(Layer):
    """Inputs of mean 0 and variance 1, then a learnt scale and shift.

    Attributes:
        epsilon: Added to the variance.
        center, scale: Whether there are a shift and a scale.
    """

    epsilon: float
    center: bool
    scale: bool

    def slots(self, width: int) -> tuple[Slot, ...]:
        gamma, beta = Slot((width,), True, "ones"), Slot((width,), True, "zeros")
        return (*((gamma,) * self.scale), *((beta,) * self.center))

    def _scaled(
        self, arrays: Arrays, weights: Sequence[Any], x: Any, mean: Any, variance: Any
    ) -> tuple[Any, Any]:
        spread = arrays.inverse_root(variance + self.epsilon)
        centred = x - mean
        out = centred * (spread * weights[0] if self.scale else spread)
        if self.center:
            out = out + weights[int(self.scale)]
        return out, (centred, spread)

    def _through(
        self, weights: Sequence[Any], memory: Any, upstream: Any, axis: int
    ) -> tuple[Any, Sequence[Any]]:
        """`backward`, with the axis that mean and variance are taken over."""
        centred, spread = memory
        unit = centred * spread
        gradients = [over_rows(upstream * unit)] if self.scale else []
        if self.center:
            gradients.append(over_rows(upstream))
        inner = upstream * weights[0] if self.scale else upstream
        centred_inner = inner - inner.mean(axis=axis, keepdims=True)
        through = (inner * unit).mean(axis=axis, keepdims=True)
        return spread * (centred_inner - unit * through), gradients


@layer
@dataclass(frozen=True)
class BatchNormalisation(Normalisation):
    """Batch normalisation: by the batch in training, otherwise by moving averages."""

    momentum: float = field(
        Float(0, 1, step=0.01),
        0.99,
        label="Momentum",
        help="The share of a moving average that each update keeps.",
        added=True,
        advanced=True,
    )
    epsilon: float = _epsilon()
    center: bool = _centre()
    scale: bool = _scale()

    keras_name = "BatchNormalization"
    label = "Batch normalisation"
    help = "Normalises each input to mean 0 and variance 1, then applies a learnt scale and shift."

    def slots(self, width: int) -> tuple[Slot, ...]:
        averages = Slot((width,), False, "zeros"), Slot((width,), False, "ones")
        return *super().slots(width), *averages

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        *_, moving_mean, moving_variance = weights
        mean, variance = moving_mean, moving_variance
        if arrays.training:
            mean, variance = arrays.moments(x)
            arrays.follow(moving_mean, mean, self.momentum)
            arrays.follow(moving_variance, variance, self.momentum)
        return self._scaled(arrays, weights, x, mean, variance)

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return self._through(weights, memory, upstream, axis=1)


@layer
@dataclass(frozen=True)
class LayerNormalisation(Normalisation):
    """Layer normalisation: each row by the mean and the variance of its own units."""

    epsilon: float = _epsilon()
    center: bool = _centre()
    scale: bool = _scale()

    keras_name = "LayerNormalization"
    label = "Layer normalisation"
    help = "Normalises the units of each sample, then applies a learnt scale and shift."
    work = 2.0  # Sums over the units, beside those over the rows in the backward pass.

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        return self._scaled(arrays, weights, x, *arrays.unit_moments(x))

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return self._through(weights, memory, upstream, axis=2)
