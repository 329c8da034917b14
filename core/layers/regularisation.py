"""Layers that do something in training alone: noise, dropout, penalties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.activations import SELU_ALPHA, SELU_SCALE
from core.fields import Float, field
from core.layers.base import Arrays, Layer, layer
from core.regularisers import L1L2, Regulariser


class Scaling(Layer):
    """Inputs times random numbers; the memory is these, or None."""

    passes = random = True
    work = 4.0  # Drawing the numbers takes a dozen operations per output.

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return (upstream if memory is None else upstream * memory), ()


@layer
@dataclass(frozen=True)
class Dropout(Scaling):
    """In training, sets each input to 0 with probability `rate` and scales up the others."""

    rate: float = field(
        Float(0, 0.95), 0.5, label="Rate", help="The share of inputs set to 0 during training."
    )

    keras_name = label = "Dropout"
    positional = ("rate",)
    help = "Sets a random share of its inputs to 0 during training."

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        kept = arrays.kept(x, self.rate) if arrays.training and self.rate else None
        return (x if kept is None else x * kept), kept


@layer
@dataclass(frozen=True)
class GaussianDropout(Scaling):
    """In training, multiplies by normal numbers of mean 1 and variance rate / (1 - rate)."""

    rate: float = field(
        Float(0, 0.95), 0.5, label="Rate", help="As of dropout with the same variance."
    )

    keras_name, label = "GaussianDropout", "Gaussian dropout"
    positional = ("rate",)
    help = "Multiplies its inputs by normal numbers around 1 during training."

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        noise = arrays.noise(x) if arrays.training and self.rate else None
        if noise is None:
            return x, None
        factor = 1 + math.sqrt(self.rate / (1 - self.rate)) * noise
        return x * factor, factor


@layer
@dataclass(frozen=True)
class AlphaDropout(Scaling):
    """Dropout that keeps mean and variance of SELU's outputs (Klambauer et al. 2017)."""

    rate: float = field(
        Float(0, 0.95), 0.5, label="Rate", help="The share of inputs dropped during training."
    )

    keras_name, label = "AlphaDropout", "Alpha dropout"
    positional = ("rate",)
    help = "Dropout for SELU: what is dropped gets SELU's lowest output."

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        kept = arrays.kept(x, self.rate) if arrays.training and self.rate else None
        if kept is None:
            return x, None
        kept = kept * (1 - self.rate)
        dropped = -SELU_ALPHA * SELU_SCALE
        scale = ((1 - self.rate) * (1 + self.rate * dropped**2)) ** -0.5
        shift = -scale * dropped * self.rate
        return scale * (x * kept + dropped * (1 - kept)) + shift, scale * kept


@layer
@dataclass(frozen=True)
class GaussianNoise(Layer):
    """In training, adds normal numbers of mean 0."""

    stddev: float = field(
        Float(0, 1), 0.1, label="Standard deviation", help="Of the noise that is added."
    )

    keras_name, label = "GaussianNoise", "Gaussian noise"
    positional = ("stddev",)
    help = "Adds normal noise to its inputs during training."
    passes = random = True
    work = 4.0

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        noise = arrays.noise(x) if arrays.training and self.stddev else None
        return (x if noise is None else x + self.stddev * noise), None

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return upstream, ()


@layer
@dataclass(frozen=True)
class ActivityRegularisation(Layer):
    """Adds a penalty on its inputs to the loss, and passes them on."""

    l1: float = field(
        Float(0, 1_000, step=0.001), 0.0, label="L1", help="Penalty per unit of size."
    )
    l2: float = field(
        Float(0, 1_000, step=0.001), 0.0, label="L2", help="Penalty per unit of squared size."
    )

    keras_name: ClassVar[str] = "ActivityRegularization"
    label = "Activity regularisation"
    help = "Adds a penalty on its inputs to the loss."
    passes = True

    @property
    def activity(self) -> Regulariser | None:
        return L1L2(self.l1, self.l2)

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        return x, None

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return upstream, ()
