"""The dense layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.activations import ACTIVATIONS, Activation, activation
from core.fields import Bool, Choice, Int, field
from core.initialisers import INITIALISER, Initialiser
from core.layers.base import Activating, Arrays, Slot, layer, over_rows
from core.regularisers import REGULARISER, Regulariser


@layer
@dataclass(frozen=True)
class Dense(Activating):
    """A fully connected layer.

    An initialiser or regulariser is the name of one, which stands for its defaults, or an instance.
    """

    units: int = field(Int(1, 1_024), label="Units", help="Outputs of the layer.")
    activation: str = field(
        Choice(ACTIVATIONS),
        "linear",
        label="Activation",
        help="The function applied to each weighted sum.",
    )
    initialiser: str | Initialiser = field(
        INITIALISER,
        "glorot_uniform",
        label="Initialiser",
        help="The distribution of the initial weights.",
    )
    use_bias: bool = field(
        Bool(),
        True,
        label="Bias",
        help="Adds a number to each weighted sum.",
        added=True,
        advanced=True,
    )
    bias_initialiser: str | Initialiser = field(
        INITIALISER,
        "zeros",
        label="Bias initialiser",
        help="The distribution of the initial biases.",
        matters=lambda layer: layer.use_bias,
        added=True,
        advanced=True,
    )
    kernel_regulariser: str | Regulariser | None = field(
        REGULARISER,
        None,
        label="Kernel regulariser",
        help="A penalty on the weights, which is part of the loss.",
        added=True,
        advanced=True,
    )
    bias_regulariser: str | Regulariser | None = field(
        REGULARISER,
        None,
        label="Bias regulariser",
        help="A penalty on the biases, which is part of the loss.",
        matters=lambda layer: layer.use_bias,
        added=True,
        advanced=True,
    )
    activity_regulariser: str | Regulariser | None = field(
        REGULARISER,
        None,
        label="Activity regulariser",
        help="A penalty on the outputs, which is part of the loss.",
        added=True,
        advanced=True,
    )

    keras_name = label = "Dense"
    keras_arguments: ClassVar = {
        "initialiser": "kernel_initializer",
        "bias_initialiser": "bias_initializer",
        "kernel_regulariser": "kernel_regularizer",
        "bias_regulariser": "bias_regularizer",
        "activity_regulariser": "activity_regularizer",
    }
    positional = ("units",)
    help = "Weighted sums of all inputs, then an activation."

    @property
    def function(self) -> Activation:
        return activation(self.activation)

    @property
    def activity(self) -> Regulariser | None:
        return REGULARISER.instance(self.activity_regulariser)

    def outputs(self, width: int) -> int:
        return self.units

    def slots(self, width: int) -> tuple[Slot, ...]:
        penalty = REGULARISER.instance(self.kernel_regulariser)
        kernel = Slot((width, self.units), True, self.initialiser, "initialiser", penalty)
        if not self.use_bias:
            return (kernel,)
        penalty = REGULARISER.instance(self.bias_regulariser)
        bias = Slot((self.units,), True, self.bias_initialiser, "bias_initialiser", penalty)
        return kernel, bias

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        sums = arrays.product(x, weights[0])
        if self.use_bias:
            sums = sums + weights[1]
        out = arrays.activate(self.function, sums)
        return out, (x, sums, out)

    def backward_from_sums(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return upstream @ weights[0].swapaxes(1, 2), self.weight_gradients(memory, upstream)

    def weight_gradients(self, memory: Any, upstream: Any) -> Sequence[Any]:
        """The gradient for each slot alone, from that with respect to the sums."""
        gradients = [memory[0].swapaxes(1, 2) @ upstream]
        if self.use_bias:
            gradients.append(over_rows(upstream))
        return gradients
