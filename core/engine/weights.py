"""The variables of a stack of runs: small arrays lie side by side in one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from core.engine.layouts import Layout
from core.layers import Slot


class Weights:
    """The weights of all runs, a variable an array or a variable for several.

    Keras updates each variable by operations of its own, some ten of them, which take as long for a
    bias as for a kernel and each have to be compiled. So trained arrays of fewer than
    `Layout.packed_below` entries are one variable, of the shape of a layer's biases. An optimizer
    works element by element, and what clips gradients comes before it, so that they learn what they
    would learn apart.

    Args:
        layout: Of the arrays.
        slots: The arrays of the network.
        lanes: Number of runs.

    Attributes:
        trained: The variables that an optimizer updates.
        averages: Those that layers update: one for each array that is not trained.
    """

    def __init__(self, layout: type[Layout], slots: Sequence[Slot], lanes: int):
        self.layout, self.slots = layout, slots
        self.axis = 1 if layout.run_axis == 0 else 0  # along which arrays are joined
        self.trained_slots = [slot for slot in slots if slot.trained]
        self.shapes = [layout.variable_shape(slot.shape, lanes) for slot in self.trained_slots]
        sizes = [prod(slot.shape) for slot in self.trained_slots]
        places = range(len(sizes))
        packed = [place for place in places if sizes[place] < layout.packed_below]
        self.groups = [packed] if packed else []
        self.groups += [[place] for place in places if place not in packed]
        self.sizes = [[sizes[place] for place in group] for group in self.groups]
        self.trained = [
            keras.Variable(tf.zeros(layout.unit_shape(sum(each), lanes))) for each in self.sizes
        ]
        self.averages = [
            keras.Variable(tf.zeros(layout.variable_shape(slot.shape, lanes)))
            for slot in slots
            if not slot.trained
        ]

    def assign(self, arrays: Sequence[np.ndarray]) -> None:
        """Set all weights, (lanes, *shape) for each slot."""
        pairs = [
            (self.layout.from_runs(array), slot)
            for array, slot in zip(arrays, self.slots, strict=True)
        ]
        trained = self.join([array for array, slot in pairs if slot.trained])
        averages = [array for array, slot in pairs if not slot.trained]
        variables = self.trained + self.averages
        for variable, value in zip(variables, trained + averages, strict=True):
            variable.assign(value)

    def read(self) -> list:
        """The trained arrays as they are now, in the layout's shapes."""
        return self.split([variable.value for variable in self.trained])

    def in_order(self, trained: Sequence[Any]) -> list:
        """One array or variable for each slot: the trained ones given, and the averages."""
        given, averages = iter(trained), iter(self.averages)
        return [next(given if slot.trained else averages) for slot in self.slots]

    def split(self, variables: Sequence[Any]) -> list:
        """What belongs to each trained array, in its shape, of one value for each of `trained`."""
        parts = {}
        for value, group, sizes in zip(variables, self.groups, self.sizes, strict=True):
            # One alone is not copied, which large ones are.
            some = tf.split(value, sizes, self.axis) if len(group) > 1 else [value]
            for place, part in zip(group, some, strict=True):
                parts[place] = tf.reshape(part, self.shapes[place])
        return [parts[place] for place in range(len(parts))]

    def join(self, arrays: Sequence[Any]) -> list:
        """The reverse of `split`."""
        joined = []
        for variable, group in zip(self.trained, self.groups, strict=True):
            shape = [-1 if axis == self.axis else n for axis, n in enumerate(variable.shape)]
            parts = [tf.reshape(arrays[place], shape) for place in group]
            joined.append(tf.concat(parts, self.axis) if len(parts) > 1 else parts[0])
        return joined
