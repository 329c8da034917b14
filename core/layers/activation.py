"""Activations as layers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from core import activations
from core.activations import ACTIVATIONS
from core.fields import Choice, Float, Optional, field
from core.initialisers import INITIALISER, Initialiser
from core.layers.base import Activating, Arrays, Layer, Slot, layer, over_rows


class ActivationLayer(Activating):
    """An activation of its inputs, which are its sums."""

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        out = arrays.activate(self.function, x)
        return out, (x, x, out)


def _slope(default: float) -> Any:
    return field(
        Float(0, 1_000), default, label="Slope below", help="The slope below the threshold, or 0."
    )


@layer
@dataclass(frozen=True)
class Activation(ActivationLayer):
    """One of the activations by name."""

    activation: str = field(
        Choice(ACTIVATIONS), "relu", label="Activation", help="The function applied to each input."
    )

    keras_name = label = "Activation"
    positional = ("activation",)
    help = "An activation as a layer of its own."

    @property
    def function(self) -> activations.Activation:
        return activations.activation(self.activation)


@layer
@dataclass(frozen=True)
class ReLU(ActivationLayer):
    """Inputs above the threshold, up to `max_value`; below it a line of this slope."""

    max_value: float | None = field(
        Optional(Float(0, 1e6)),
        None,
        label="Largest output",
        help="Outputs are cut off there; none for no limit.",
    )
    negative_slope: float = _slope(0.0)
    threshold: float = field(
        Float(0, 1e6), 0.0, label="Threshold", help="Inputs below it count as negative."
    )

    keras_name = label = "ReLU"
    help = "ReLU with a limit, a slope below and a threshold."

    @property
    def function(self) -> activations.Activation:
        return activations.rectified(self.negative_slope, self.max_value, self.threshold)


@layer
@dataclass(frozen=True)
class LeakyReLU(ActivationLayer):
    """A line of this slope below 0."""

    negative_slope: float = _slope(0.3)

    keras_name, label = "LeakyReLU", "Leaky ReLU"
    help = "ReLU with a slope below 0."

    @property
    def function(self) -> activations.Activation:
        return activations.leaky(self.negative_slope)


@layer
@dataclass(frozen=True)
class PReLU(Layer):
    """A slope below 0 for each unit, which is trained."""

    initialiser: str | Initialiser = field(
        INITIALISER,
        "zeros",
        label="Initialiser",
        help="The distribution of the initial slopes.",
    )

    keras_name = label = "PReLU"
    keras_arguments: ClassVar = {"initialiser": "alpha_initializer"}
    help = "Leaky ReLU with a slope per unit, which is trained."

    @property
    def function(self) -> activations.Activation:
        return replace(ACTIVATIONS["leaky_relu"], name="prelu")

    def slots(self, width: int) -> tuple[Slot, ...]:
        return (Slot((width,), True, self.initialiser, "initialiser"),)

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        relu = ACTIVATIONS["relu"]
        return arrays.activate(relu, x) - weights[0] * arrays.activate(relu, -x), x

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        below = memory < 0
        slope = (memory > 0) + below * weights[0]
        return upstream * slope, [over_rows(upstream * np.where(below, memory, 0))]


@layer
@dataclass(frozen=True)
class ELU(ActivationLayer):
    """An exponential below 0, down to -alpha."""

    alpha: float = field(
        Float(0, 1_000, step=0.1), 1.0, label="Alpha", help="How far the outputs go below 0."
    )

    keras_name = label = "ELU"
    help = "ELU with a bound of its own."

    @property
    def function(self) -> activations.Activation:
        return activations.exponential_linear(self.alpha)


@layer
@dataclass(frozen=True)
class Softmax(ActivationLayer):
    """Positive outputs that sum to 1."""

    keras_name = label = "Softmax"
    help = "Makes the outputs positive, with the sum 1."

    @property
    def function(self) -> activations.Activation:
        return ACTIVATIONS["softmax"]
