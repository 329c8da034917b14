"""The registry of regularisers: penalties that Keras adds to the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from core.entries import EntryOf, KerasEntry
from core.fields import Float, field


class Regulariser(KerasEntry):
    """A penalty on every element of an array: l1 times its size plus l2 times its square.

    Attributes:
        l1, l2: The factors.
    """

    keras_module = "regularizers"
    l1: float = 0.0
    l2: float = 0.0

    def each(self, x: Any) -> Any:
        """The penalty of each element, for any array library."""
        if not self.l1:
            return self.l2 * (x * x)
        absolute = self.l1 * abs(x)
        return absolute + self.l2 * (x * x) if self.l2 else absolute

    def slope(self, x: np.ndarray) -> np.ndarray:
        """The gradient of the penalty with respect to each element."""
        return self.l1 * np.sign(x) + 2 * self.l2 * x


REGULARISERS: dict[str, type[Regulariser]] = {}
"""The regularisers by Keras's name."""
REGULARISER = EntryOf(REGULARISERS, none=True)
"""The kind of a field that has one, or none."""

Class = TypeVar("Class", bound=type[Regulariser])


def registered(kind: Class) -> Class:
    """Register a class of regularisers in REGULARISERS."""
    REGULARISERS[kind.__name__.lower()] = kind
    return kind


def _factor(default: float, label: str, of: str) -> Any:
    return field(
        Float(0, 1_000, step=0.001), default, label=label, help=f"Penalty per unit of {of}."
    )


@registered
@dataclass(frozen=True)
class L1(Regulariser):
    """A penalty in proportion to the size, which makes elements exactly 0."""

    l1: float = _factor(0.01, "L1", "size")

    keras_name = label = "L1"
    help = "Adds the sum of the absolute values to the loss."


@registered
@dataclass(frozen=True)
class L2(Regulariser):
    """A penalty in proportion to the square (weight decay)."""

    l2: float = _factor(0.01, "L2", "squared size")

    keras_name = label = "L2"
    help = "Adds the sum of the squares to the loss."


@registered
@dataclass(frozen=True)
class L1L2(Regulariser):
    """Both penalties; Keras's defaults are 0."""

    l1: float = _factor(0.0, "L1", "size")
    l2: float = _factor(0.0, "L2", "squared size")

    keras_name = label = "L1L2"
    help = "Adds the sums of the absolute values and of the squares to the loss."
