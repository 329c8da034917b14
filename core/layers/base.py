"""What a layer is, and the registry of layers.

A layer's `apply` is written against the interface `Arrays`, so that it works for any array library
and memory layout. `core.network` implements `Arrays` in NumPy and `core.engine.layouts` in
TensorFlow, which computes gradients itself and does not use `backward`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np

from core.activations import Activation
from core.entries import KerasEntry
from core.fields import settings
from core.initialisers import INITIALISER, Initialiser
from core.regularisers import Regulariser


class Slot(NamedTuple):
    """One array of a layer's weights, in the order of Keras's `get_weights()`.

    Attributes:
        shape: For one run.
        trained: Whether the optimizer updates it.
        initialiser: What draws its initial value.
        field: The layer's field that says so; "" if it is always the same.
        regulariser: Its penalty, if it has one.
    """

    shape: tuple[int, ...]
    trained: bool
    initialiser: str | Initialiser
    field: str = ""
    regulariser: Regulariser | None = None


class Arrays(Protocol):
    """The array operations that layers use; every array holds all runs.

    Attributes:
        training: Whether dropout and batch statistics are used and moving averages are updated.
    """

    training: bool

    def product(self, x: Any, kernel: Any) -> Any:
        """The matrix product (batch, inputs) by (inputs, units) of each run."""

    def activate(self, activation: Activation, sums: Any) -> Any:
        """The activation applied to the sums."""

    def moments(self, x: Any) -> tuple[Any, Any]:
        """Mean and variance of each column over the rows of the batch."""

    def unit_moments(self, x: Any) -> tuple[Any, Any]:
        """Mean and variance of each row over its columns."""

    def follow(self, average: Any, value: Any, momentum: float) -> None:
        """Update a moving average with a value, if weights are updated at all."""

    def inverse_root(self, x: Any) -> Any:
        """1 / sqrt(x)."""

    def kept(self, x: Any, rate: float) -> Any | None:
        """A dropout mask of the shape of `x`: 0 with probability `rate`, otherwise 1 / (1 - rate).

        None to keep all of `x`.
        """

    def noise(self, x: Any) -> Any | None:
        """Standard normal numbers in the shape of `x`; None for no noise."""


class Layer(KerasEntry):
    """A layer of a network.

    Attributes:
        work: The cost of computing one output, relative to a dense layer's without the matrix
            product.
        passes: Whether its outputs are its inputs where nothing is trained.
        random: Whether it computes with random numbers in training.
    """

    keras_module = "layers"
    work: ClassVar[float] = 1.0
    passes: ClassVar[bool] = False
    random: ClassVar[bool] = False

    @property
    def function(self) -> Activation | None:
        """The activation that it ends with, if any, for what is said about the layer."""
        return None

    @property
    def activity(self) -> Regulariser | None:
        """The penalty on its outputs, summed over the units, as a mean over the rows."""
        return None

    def outputs(self, width: int) -> int:
        """The number of output columns, for `width` input columns."""
        return width

    def slots(self, width: int) -> tuple[Slot, ...]:
        """The arrays of weights, for `width` input columns."""
        return ()

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        """The forward pass.

        Where Keras's layer returns the very inputs, so does this: a cross-entropy then still finds
        the logits of a sigmoid or softmax before it.

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

    @classmethod
    def initialised(cls) -> tuple[str, ...]:
        """The fields that hold an initialiser."""
        return tuple(name for name, s in settings(cls).items() if s.kind is INITIALISER)


class Activating(Layer):
    """A layer whose outputs are an activation of its sums.

    Its `apply` returns the memory (inputs, sums, outputs).
    """

    @property
    def function(self) -> Activation:
        raise NotImplementedError

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        _, sums, out = memory
        return self.backward_from_sums(weights, memory, self.function.slope(sums, out, upstream))

    def backward_from_sums(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        """`backward`, with the gradient with respect to the sums as `upstream`."""
        return upstream, ()


LAYERS: dict[str, type[Layer]] = {}
"""The layers by the name of their class."""

Class = TypeVar("Class", bound=type[Layer])


def layer(kind: Class) -> Class:
    """Register a class of layers in LAYERS."""
    LAYERS[kind.__name__] = kind
    return kind


def over_rows(gradient: np.ndarray) -> np.ndarray:
    """The gradient of a vector, (runs, 1, units), from that of each row."""
    return gradient.sum(axis=1, keepdims=True)
