"""The layers of a network, and what follows from their order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from core.activations import ACTIVATIONS, Activation
from core.fields import Instance, InvalidExperiment
from core.layers import LAYERS, Dense, Layer, Slot

MOST_LAYERS = 64


@dataclass(frozen=True)
class Model:
    """The layers from input to output, at least one of them dense."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            raise InvalidExperiment("layers", len(self.layers), f"1 to {MOST_LAYERS} layers")
        kind = Instance(LAYERS)
        for layer in self.layers:
            kind.check("layers", layer)
        if not self.dense:
            raise InvalidExperiment("layers", self.layers, "layers with at least one dense layer")

    @property
    def dense(self) -> tuple[Dense, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """The index of each dense layer."""
        return tuple(n for n, layer in enumerate(self.layers) if isinstance(layer, Dense))

    @property
    def output_index(self) -> int:
        """The index of the last dense layer."""
        return self._places[-1]

    @property
    def output(self) -> Dense:
        """The last dense layer, which decides how many outputs there are."""
        return self.dense[-1]

    @property
    def before(self) -> tuple[Layer, ...]:
        """The layers before the last dense one."""
        return self.layers[: self.output_index]

    @property
    def after(self) -> tuple[Layer, ...]:
        """The layers after the last dense one."""
        return self.layers[self.output_index + 1 :]

    @cached_property
    def _acting(self) -> tuple[int, ...]:
        """For each dense layer the index of the layer whose activation its outputs have.

        That of the last non-linear activation before the next dense layer, or of the layer itself:
        a linear dense layer may be followed by an activation as a layer of its own, often with
        normalisation between the two.
        """
        ends = (*self._places[1:], len(self.layers))
        acting = []
        for start, end in zip(self._places, ends, strict=True):
            inside = [n for n in range(start, end) if _is_non_linear(self.layers[n])]
            acting.append(inside[-1] if inside else start)
        if any(
            not layer.passes and not _is_linear(layer) for layer in self.layers[acting[-1] + 1 :]
        ):
            acting[-1] = len(self.layers) - 1
        return tuple(acting)

    @property
    def shown(self) -> tuple[int, ...]:
        """For each dense layer the index of the layer whose outputs count as its own.

        Those after its activation; for the last one, the network's.
        """
        return (*self._acting[:-1], len(self.layers) - 1)

    @property
    def activations(self) -> tuple[Activation, ...]:
        """For each dense layer the activation that its outputs have, from wherever it comes.

        For the last one it is linear if the outputs are scaled after their activation.
        """
        return tuple(self.layers[n].function or ACTIVATIONS["linear"] for n in self._acting)

    @property
    def output_activation(self) -> Activation:
        """The activation of the network's outputs."""
        return self.activations[-1]

    @cached_property
    def initialised(self) -> tuple[tuple[int, str], ...]:
        """The index of the layer and the field of each initialiser, in the order of their seeds.

        The kernels of dense layers come first.
        """
        every = [(n, name) for n, layer in enumerate(self.layers) for name in layer.initialised()]
        return tuple(
            sorted(
                every,
                key=lambda each: each[1] != "initialiser" or each[0] not in self._places,
            )
        )

    def slots(self, features: int) -> list[tuple[int, Slot]]:
        """The arrays of weights in the order of Keras's `get_weights()`, with their layer's index.

        Args:
            features: Number of inputs.
        """
        arrays = []
        for index, layer in enumerate(self.layers):
            arrays += [(index, slot) for slot in layer.slots(features)]
            features = layer.outputs(features)
        return arrays


def _is_linear(layer: Layer) -> bool:
    return layer.function is not None and layer.function.name == "linear"


def _is_non_linear(layer: Layer) -> bool:
    return layer.function is not None and layer.function.name != "linear"
