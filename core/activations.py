"""The registry of activations, each with its value, its gradient and its range."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.entries import entry, named
from core.normal import normal_cdf, normal_density

LEAK = 0.2
"""The slope of Keras's leaky_relu below 0."""
SHRINK = 0.5
"""The threshold of Keras's hard_shrink and soft_shrink."""
NEAR_BOUND = 0.01
"""An output this close to a bound counts as saturated, as a fraction of the activation's range."""


@dataclass(frozen=True)
class Activation:
    """An activation, as Keras computes it.

    Attributes:
        name: Keras's.
        value: Maps weighted sums (..., units) to outputs of the same shape.
        slope: Maps the sums, the outputs and the gradient with respect to the outputs to the
            gradient with respect to the sums; all have the shape (..., units).
        low, high: The bounds of the outputs.
        saturates: Whether the gradient vanishes near the bounds.
        rectifier: Whether it is a variant of ReLU.
        exponential: Whether it computes an exponential per unit.
        probability: Whether cross-entropies take the sums as logits, as Keras does.
        over_units: Whether it depends on all units of the layer, along an axis.
        options: Arguments of Keras's function besides the sums.
        function: The name of Keras's function where it is another one.
    """

    name: str
    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    low: float = -math.inf
    high: float = math.inf
    saturates: bool = False
    rectifier: bool = False
    exponential: bool = False
    probability: bool = False
    over_units: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")

    @property
    def unsaturated(self) -> tuple[float, float]:
        """The range of outputs that are not saturated; unbounded if it does not saturate."""
        if not self.saturates:
            return -math.inf, math.inf
        span = self.high - self.low
        margin = NEAR_BOUND * (span if math.isfinite(span) else 1.0)
        return self.low + margin, self.high - margin


def _softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _softmax_slope(z: np.ndarray, out: np.ndarray, upstream: np.ndarray) -> np.ndarray:
    return out * (upstream - (upstream * out).sum(axis=-1, keepdims=True))


def _log_softmax(z: np.ndarray) -> np.ndarray:
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


def _softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(z, 0)


def _mish_derivative(z: np.ndarray) -> np.ndarray:
    through = np.tanh(_softplus(z))
    return through + z * _sigmoid(z) * (1 - through * through)


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""Of Klambauer et al., "Self-normalizing neural networks" (2017), as Keras has them."""


_ELU = Activation(
    "elu",
    lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    lambda z, out, upstream: upstream * np.where(z > 0, 1, out + 1),
    low=-1.0,
    saturates=True,
    rectifier=True,
    exponential=True,
)

_ALL = (
    Activation("linear", lambda z: z, lambda z, out, upstream: upstream),
    Activation(
        "relu",
        lambda z: np.maximum(z, 0),
        lambda z, out, upstream: upstream * (z > 0),
        low=0.0,
        rectifier=True,
    ),
    Activation(
        "leaky_relu",
        lambda z: np.where(z > 0, z, LEAK * z),
        lambda z, out, upstream: upstream * np.where(z > 0, 1, LEAK),
        rectifier=True,
    ),
    _ELU,
    Activation(
        "tanh",
        np.tanh,
        lambda z, out, upstream: upstream * (1 - out * out),
        low=-1.0,
        high=1.0,
        saturates=True,
        exponential=True,
    ),
    Activation(
        "sigmoid",
        _sigmoid,
        lambda z, out, upstream: upstream * out * (1 - out),
        low=0.0,
        high=1.0,
        saturates=True,
        exponential=True,
        probability=True,
    ),
    Activation(
        "softmax",
        _softmax,
        _softmax_slope,
        low=0.0,
        high=1.0,
        saturates=True,
        exponential=True,
        probability=True,
        over_units=True,
    ),
    Activation(
        "selu",
        lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(np.minimum(z, 0))),
        lambda z, out, upstream: (
            upstream * np.where(z > 0, SELU_SCALE, out + SELU_SCALE * SELU_ALPHA)
        ),
        low=-SELU_SCALE * SELU_ALPHA,
        saturates=True,
        rectifier=True,
        exponential=True,
    ),
    Activation(
        "gelu",
        lambda z: z * normal_cdf(z),
        lambda z, out, upstream: upstream * (normal_cdf(z) + z * normal_density(z)),
        low=-0.17,
        rectifier=True,
        exponential=True,
    ),
    Activation(
        "silu",
        lambda z: z * _sigmoid(z),
        lambda z, out, upstream: upstream * (_sigmoid(z) * (1 + z - out)),
        low=-0.279,
        rectifier=True,
        exponential=True,
    ),
    Activation(
        "mish",
        lambda z: z * np.tanh(_softplus(z)),
        lambda z, out, upstream: upstream * _mish_derivative(z),
        low=-0.309,
        rectifier=True,
        exponential=True,
    ),
    Activation(
        "softplus",
        _softplus,
        lambda z, out, upstream: upstream * _sigmoid(z),
        low=0.0,
        saturates=True,
        rectifier=True,
        exponential=True,
    ),
    Activation(
        "relu6",
        lambda z: np.clip(z, 0, 6),
        lambda z, out, upstream: upstream * ((z > 0) & (z < 6)),
        low=0.0,
        high=6.0,
        rectifier=True,
    ),
    Activation(
        "softsign",
        lambda z: z / (1 + np.abs(z)),
        lambda z, out, upstream: upstream * (1 - np.abs(out)) ** 2,
        low=-1.0,
        high=1.0,
        saturates=True,
    ),
    Activation(
        "hard_tanh",
        lambda z: np.clip(z, -1, 1),
        lambda z, out, upstream: upstream * (np.abs(z) < 1),
        low=-1.0,
        high=1.0,
        saturates=True,
    ),
    Activation(
        "hard_sigmoid",
        lambda z: np.clip(z + 3, 0, 6) / 6,
        lambda z, out, upstream: upstream * (np.abs(z) < 3) / 6,
        low=0.0,
        high=1.0,
        saturates=True,
    ),
    Activation(
        "exponential",
        lambda z: np.exp(np.minimum(z, 700)),
        lambda z, out, upstream: upstream * out,
        low=0.0,
        saturates=True,
        exponential=True,
    ),
    # With its default alpha of 1 it is ELU.
    replace(_ELU, name="celu"),
    Activation(
        "hard_silu",
        lambda z: z * np.clip(z + 3, 0, 6) / 6,
        lambda z, out, upstream: (
            upstream * np.where(np.abs(z) < 3, (2 * z + 3) / 6, (z > 0).astype(float))
        ),
        low=-0.375,
        rectifier=True,
    ),
    Activation(
        "hard_shrink",
        lambda z: np.where(np.abs(z) > SHRINK, z, 0),
        lambda z, out, upstream: upstream * (np.abs(z) > SHRINK),
    ),
    Activation(
        "soft_shrink",
        lambda z: z - np.clip(z, -SHRINK, SHRINK),
        lambda z, out, upstream: upstream * (np.abs(z) > SHRINK),
    ),
    Activation(
        "tanh_shrink",
        lambda z: z - np.tanh(z),
        lambda z, out, upstream: upstream * np.tanh(z) ** 2,
        exponential=True,
    ),
    Activation(
        "log_sigmoid",
        lambda z: -_softplus(-z),
        lambda z, out, upstream: upstream * _sigmoid(-z),
        high=0.0,
        saturates=True,
        exponential=True,
    ),
    Activation(
        "log_softmax",
        _log_softmax,
        lambda z, out, upstream: upstream - np.exp(out) * upstream.sum(axis=-1, keepdims=True),
        high=0.0,
        exponential=True,
        over_units=True,
    ),
    Activation(
        "sparse_plus",
        lambda z: np.where(z > 1, z, np.maximum(z + 1, 0) ** 2 / 4),
        lambda z, out, upstream: upstream * np.clip((z + 1) / 2, 0, 1),
        low=0.0,
        rectifier=True,
    ),
    Activation(
        "sparse_sigmoid",
        lambda z: np.clip((z + 1) / 2, 0, 1),
        lambda z, out, upstream: upstream * (np.abs(z) < 1) / 2,
        low=0.0,
        high=1.0,
        saturates=True,
    ),
)
ACTIVATIONS = named(_ALL)


def activation(name: str) -> Activation:
    """The activation of this name.

    Raises:
        ValueError: If the name is unknown.
    """
    return entry("activation", ACTIVATIONS, name)


# --- with arguments -----------------------------------------------------------------------------


def rectified(
    negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Activation:
    """Keras's relu with arguments: x above the threshold up to `max_value`, below it the slope.

    Below the threshold it is negative_slope * (x - threshold).
    """
    most = math.inf if max_value is None else max_value

    def value(z: np.ndarray) -> np.ndarray:
        above = np.clip(np.where(z > threshold, z, 0), 0, most)
        return above - negative_slope * np.maximum(threshold - z, 0) if negative_slope else above

    def slope(z: np.ndarray, out: np.ndarray, upstream: np.ndarray) -> np.ndarray:
        inside = (z > threshold) & (z <= most)
        return upstream * (inside + negative_slope * (z < threshold))

    # The name says to the diagnosis whether units can die; Keras's function is relu either way.
    base = ACTIVATIONS["leaky_relu" if negative_slope else "relu"]
    low = -math.inf if negative_slope else 0.0
    options = {"negative_slope": negative_slope, "max_value": max_value, "threshold": threshold}
    return replace(
        base, value=value, slope=slope, low=low, high=most, options=options, function="relu"
    )


def leaky(negative_slope: float) -> Activation:
    """Keras's leaky_relu with another slope below 0."""
    return replace(
        ACTIVATIONS["leaky_relu"],
        value=lambda z: np.where(z > 0, z, negative_slope * z),
        slope=lambda z, out, upstream: upstream * np.where(z > 0, 1, negative_slope),
        options={"negative_slope": negative_slope},
    )


def exponential_linear(alpha: float) -> Activation:
    """Keras's elu with another bound."""
    return replace(
        ACTIVATIONS["elu"],
        value=lambda z: np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))),
        slope=lambda z, out, upstream: upstream * np.where(z > 0, 1, out + alpha),
        low=-alpha,
        options={"alpha": alpha},
    )
