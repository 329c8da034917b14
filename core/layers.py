"""The layers: one class each, with its settings, its weights, its pass forward and back.

A layer's `apply` is written once, against an `Arrays`: the operations of the array library and the
layout that compute it. `core.network` brings those of NumPy, `core.engine.layouts` TensorFlow's,
where Keras's own gradients take the place of `backward`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from core.activations import ACTIVATIONS
from core.entries import KerasEntry
from core.fields import Choice, Float, Int, field
from core.initialisers import INITIALISERS

MOMENTUM, EPSILON = 0.99, 1e-3
"""Keras's defaults for batch normalisation."""


class Slot(NamedTuple):
    """One array of a layer's weights, in the order of Keras's `get_weights()`.

    shape: of one run; trained: by the optimizer; start: its first value, None where the layer's
    initialiser draws it.
    """

    shape: tuple[int, ...]
    trained: bool
    start: float | None


class Arrays(Protocol):
    """The operations that layers are made of; every array holds all runs.

    training: batch statistics and dropout are on, and moving averages follow.
    """

    training: bool

    def product(self, x: Any, kernel: Any) -> Any:
        """A matrix product for each run: of (batch, inputs) and (inputs, units)."""

    def activate(self, name: str, sums: Any) -> Any:
        """The activation of this name, over the units where it looks at all of them."""

    def moments(self, x: Any) -> tuple[Any, Any]:
        """Mean and variance of each column over the batch's rows."""

    def follow(self, average: Any, value: Any) -> None:
        """Move a moving average towards a value, where the weights are updated at all."""

    def inverse_root(self, x: Any) -> Any:
        """1 / sqrt(x)."""

    def kept(self, x: Any, rate: float) -> Any | None:
        """0 with probability `rate`, else 1 / (1 - rate), for each of x; None to keep all."""


class Layer(KerasEntry):
    """A layer from `width` columns to `outputs(width)`."""

    initialiser: str
    """Of the kernel, in a layer that has one."""
    work: ClassVar[float] = 1.0
    """How much computing an output takes, in those of a dense layer without its product."""

    def outputs(self, width: int) -> int:
        """Columns that it puts out."""
        return width

    def slots(self, width: int) -> tuple[Slot, ...]:
        """Its weights, for so many inputs."""
        return ()

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        """The outputs, and what `backward` needs of the way there."""
        raise NotImplementedError

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        """From the gradient of the outputs to that of the inputs and of the weights, in NumPy.

        Every array has the axes (runs, rows, columns). The gradient of weights that are not
        trained may be left out at the end.
        """
        raise NotImplementedError


LAYERS: dict[str, type[Layer]] = {}
"""Every layer by the name of its class."""

Class = TypeVar("Class", bound=type[Layer])


def layer(kind: Class) -> Class:
    """Register a layer."""
    LAYERS[kind.__name__] = kind
    return kind


@layer
@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer: `units` outputs, biases that start at 0."""

    units: int = field(Int(1, 1_024), label="Units", help="Outputs of the layer.")
    activation: str = field(
        Choice(ACTIVATIONS),
        "linear",
        label="Activation",
        help="The function applied to each weighted sum.",
    )
    initialiser: str = field(
        Choice(INITIALISERS),
        "glorot_uniform",
        label="Initialiser",
        help="The distribution of the initial weights.",
    )

    keras_name = label = "Dense"
    keras_arguments: ClassVar = {"initialiser": "kernel_initializer"}
    positional = ("units",)
    help = "Weighted sums of all inputs, then an activation."

    def outputs(self, width: int) -> int:
        return self.units

    def slots(self, width: int) -> tuple[Slot, ...]:
        return Slot((width, self.units), True, None), Slot((self.units,), True, 0.0)

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        kernel, bias = weights
        sums = arrays.product(x, kernel) + bias
        out = arrays.activate(self.activation, sums)
        return out, (x, sums, out)

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        _, sums, out = memory
        return self.backward_from_sums(
            weights, memory, ACTIVATIONS[self.activation].slope(sums, out, upstream)
        )

    def backward_from_sums(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        """`backward` from the gradient of the sums: a loss may give that of the last layer."""
        x, _, _ = memory
        kernel, _ = weights
        gradients = x.swapaxes(1, 2) @ upstream, upstream.sum(axis=1, keepdims=True)
        return upstream @ kernel.swapaxes(1, 2), gradients


@layer
@dataclass(frozen=True)
class Dropout(Layer):
    """In training, sets each input to 0 with probability `rate` and scales the rest up."""

    rate: float = field(
        Float(0, 0.95), 0.5, label="Rate", help="The share of inputs set to 0 during training."
    )

    keras_name = label = "Dropout"
    positional = ("rate",)
    help = "Sets a random share of its inputs to 0 during training."
    work = 4.0  # A mask takes a dozen operations an output.

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        kept = arrays.kept(x, self.rate) if arrays.training and self.rate else None
        return (x if kept is None else x * kept), kept

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return (upstream if memory is None else upstream * memory), ()


@layer
@dataclass(frozen=True)
class BatchNormalisation(Layer):
    """Batch normalisation with Keras's defaults (momentum 0.99, epsilon 0.001)."""

    keras_name = "BatchNormalization"
    label = "Batch normalisation"
    help = "Mean 0 and variance 1 within the batch, then a scale and a shift that are learnt."

    def slots(self, width: int) -> tuple[Slot, ...]:
        trained = Slot((width,), True, 1.0), Slot((width,), True, 0.0)
        return *trained, Slot((width,), False, 0.0), Slot((width,), False, 1.0)

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        gamma, beta, moving_mean, moving_variance = weights
        mean, variance = moving_mean, moving_variance
        if arrays.training:
            mean, variance = arrays.moments(x)
            arrays.follow(moving_mean, mean)
            arrays.follow(moving_variance, variance)
        spread = arrays.inverse_root(variance + EPSILON)
        centred = x - mean
        return centred * (spread * gamma) + beta, (centred, spread)

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        centred, spread = memory
        unit = centred * spread
        gradients = [(upstream * unit).sum(axis=1, keepdims=True)]
        gradients.append(upstream.sum(axis=1, keepdims=True))
        inner = upstream * weights[0]
        centred_inner = inner - inner.mean(axis=1, keepdims=True)
        through = (inner * unit).mean(axis=1, keepdims=True)
        return spread * (centred_inner - unit * through), gradients
