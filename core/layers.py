"""The registry of layers, each with its settings, weights, forward pass and backward pass.

A layer's `apply` is written against the interface `Arrays`, so that it works for any array library
and memory layout. `core.network` implements `Arrays` in NumPy and `core.engine.layouts` in
TensorFlow, which computes gradients itself and does not use `backward`.
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

    Attributes:
        shape: For one run.
        trained: Whether the optimizer updates it.
        start: The initial value of its elements; None if the layer's initialiser draws them.
    """

    shape: tuple[int, ...]
    trained: bool
    start: float | None


class Arrays(Protocol):
    """The array operations that layers use; every array holds all runs.

    Attributes:
        training: Whether dropout and batch statistics are used and moving averages are updated.
    """

    training: bool

    def product(self, x: Any, kernel: Any) -> Any:
        """The matrix product (batch, inputs) by (inputs, units) of each run."""

    def activate(self, name: str, sums: Any) -> Any:
        """The activation of this name applied to the sums."""

    def moments(self, x: Any) -> tuple[Any, Any]:
        """Mean and variance of each column over the rows of the batch."""

    def follow(self, average: Any, value: Any) -> None:
        """Update a moving average with a value, if weights are updated at all."""

    def inverse_root(self, x: Any) -> Any:
        """1 / sqrt(x)."""

    def kept(self, x: Any, rate: float) -> Any | None:
        """A dropout mask of the shape of `x`: 0 with probability `rate`, otherwise 1 / (1 - rate).

        None to keep all of `x`.
        """


class Layer(KerasEntry):
    """A layer of a network.

    Attributes:
        initialiser: Of the kernel, in a layer that has one.
        work: The cost of computing one output, relative to a dense layer's without the matrix
            product.
    """

    initialiser: str
    work: ClassVar[float] = 1.0

    def outputs(self, width: int) -> int:
        """The number of output columns, for `width` input columns."""
        return width

    def slots(self, width: int) -> tuple[Slot, ...]:
        """The arrays of weights, for `width` input columns."""
        return ()

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        """The forward pass.

        Args:
            arrays: The operations to use.
            weights: One array per slot.
            x: Inputs of a batch.

        Returns:
            The outputs, and the intermediate values that `backward` needs.
        """
        raise NotImplementedError

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        """The backward pass, in NumPy. Every array has the axes (runs, rows, columns).

        Args:
            weights: One array per slot.
            memory: The second result of `apply`.
            upstream: The gradient with respect to the outputs.

        Returns:
            The gradient with respect to the inputs, and one for each slot, which may leave out
            slots at the end that are not trained.
        """
        raise NotImplementedError


LAYERS: dict[str, type[Layer]] = {}
"""The layers by the name of their class."""

Class = TypeVar("Class", bound=type[Layer])


def layer(kind: Class) -> Class:
    """Register a class of layers in LAYERS."""
    LAYERS[kind.__name__] = kind
    return kind


@layer
@dataclass(frozen=True)
class Dense(Layer):
    """A fully connected layer; its biases are initialised to 0."""

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
        """`backward`, with the gradient with respect to the sums as `upstream`."""
        x, _, _ = memory
        kernel, _ = weights
        gradients = x.swapaxes(1, 2) @ upstream, upstream.sum(axis=1, keepdims=True)
        return upstream @ kernel.swapaxes(1, 2), gradients


@layer
@dataclass(frozen=True)
class Dropout(Layer):
    """In training, sets each input to 0 with probability `rate` and scales up the others."""

    rate: float = field(
        Float(0, 0.95), 0.5, label="Rate", help="The share of inputs set to 0 during training."
    )

    keras_name = label = "Dropout"
    positional = ("rate",)
    help = "Sets a random share of its inputs to 0 during training."
    work = 4.0  # Drawing the mask takes a dozen operations per output.

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
    help = "Normalises each input to mean 0 and variance 1, then applies a learnt scale and shift."

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
