"""Layers without weights that change form or scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.fields import Float, field
from core.layers.base import Arrays, Layer, layer


@layer
@dataclass(frozen=True)
class Flatten(Layer):
    """Keras's Flatten, on inputs that are flat already."""

    keras_name = label = "Flatten"
    help = "Makes one row of each sample; these are rows already."
    passes = True

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        # Another array, as in Keras: a cross-entropy does not find the logits before it.
        return x + 0, None

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return upstream, ()


@layer
@dataclass(frozen=True)
class Rescaling(Layer):
    """Inputs times `scale` plus `offset`."""

    scale: float = field(Float(-1e9, 1e9), 1.0, label="Scale", help="Factor of the inputs.")
    offset: float = field(Float(-1e9, 1e9), 0.0, label="Offset", help="Added to them.")

    keras_name = label = "Rescaling"
    positional = ("scale",)
    help = "Multiplies its inputs by a number and adds another."

    def apply(self, arrays: Arrays, weights: Sequence[Any], x: Any) -> tuple[Any, Any]:
        return x * self.scale + self.offset, None

    def backward(
        self, weights: Sequence[Any], memory: Any, upstream: Any
    ) -> tuple[Any, Sequence[Any]]:
        return upstream * self.scale, ()
