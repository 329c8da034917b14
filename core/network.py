"""A network in NumPy, for several runs at once: initial weights, forward and backward pass.

The first axis is the runs: inputs (runs, rows, features), kernels (runs, inputs, units), biases
(runs, 1, units). It is used by the views of a trained network and by the diagnosis, which must be
ready within milliseconds in a process without TensorFlow. Training is in `core.training`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.activations import ACTIVATIONS, Activation
from core.data import row_weights
from core.experiment import Dense, Experiment, Model
from core.initialisers import initialiser
from core.layers import Activating
from core.losses import loss


class NumpyArrays:
    """`core.layers.Arrays` in NumPy, with the runs as the first axis.

    Args:
        rng: The generator of dropout masks, for a pass as in training with batch statistics; None
            for inference.
        drop: Whether dropout and noise are applied in training.
    """

    def __init__(self, rng: np.random.Generator | None = None, drop: bool = True):
        self.rng, self.drop = rng, drop
        self.training = rng is not None

    def product(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return x @ kernel

    def activate(self, activation: Activation, sums: np.ndarray) -> np.ndarray:
        return activation.value(sums)

    def moments(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)

    def unit_moments(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x.mean(axis=2, keepdims=True), x.var(axis=2, keepdims=True)

    def follow(self, average: np.ndarray, value: np.ndarray, momentum: float) -> None:
        """Does nothing: no caller uses the moving averages after a pass as in training."""

    def inverse_root(self, x: np.ndarray) -> np.ndarray:
        return 1 / np.sqrt(x)

    def kept(self, x: np.ndarray, rate: float) -> np.ndarray | None:
        if self.rng is None or not self.drop:
            return None
        return (self.rng.random(x.shape) >= rate).astype(np.float32) / (1 - rate)

    def noise(self, x: np.ndarray) -> np.ndarray | None:
        if self.rng is None or not self.drop:
            return None
        return self.rng.standard_normal(x.shape, np.float32)


def draw_weights(
    model: Model, features: int, runs: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Initial weights, in the order of Keras's `get_weights()`.

    Args:
        model: The network.
        features: Number of inputs.
        runs: Number of runs.
        rng: The generator to draw from.

    Returns:
        float32 (runs, inputs, units) for a kernel, (runs, 1, units) for any other array.
    """
    weights = []
    for _, slot in model.slots(features):
        drawn = initialiser(slot.initialiser).draw((runs, *slot.shape), rng).astype(np.float32)
        weights.append(drawn if drawn.ndim == 3 else drawn[:, None])
    return weights


def run_first(weights: Sequence[np.ndarray], key: int, runs: np.ndarray) -> list[np.ndarray]:
    """`History.weights` at one key epoch with the runs as the first axis.

    Args:
        weights: As in `History.weights`.
        key: Index of the key epoch.
        runs: Indices of the runs, (picked runs,).

    Returns:
        (picked runs, inputs, units) for a kernel, (picked runs, 1, units) for any other array.
    """
    picked = [np.moveaxis(array[key][..., runs], -1, 0) for array in weights]
    return [array if array.ndim == 3 else array[:, None, :] for array in picked]


@dataclass
class Judged:
    """Where a loss enters the network.

    Attributes:
        layer: Index of the layer whose outputs, unchanged, are the network's.
        activation: Of that layer, or linear if its outputs are not an activation of sums.
        sums: What the activation was applied to, (runs, rows, units); the outputs if it is linear.
    """

    layer: int
    activation: Activation
    sums: np.ndarray


@dataclass
class Pass:
    """The results of a forward pass.

    Attributes:
        outputs: The outputs of each dense layer with its activation (`Model.shown`), (runs, rows,
            units) each; the last ones are the network's.
        every: The outputs of each layer.
        memories: The intermediate values of each layer for its backward pass.
        judged: Where the loss enters.
        penalty: Of the regularisers on weights, (runs, 1), and on outputs, (runs, rows).
    """

    outputs: list[np.ndarray]
    every: list[np.ndarray]
    memories: list
    judged: Judged
    penalty: np.ndarray | float

    @property
    def output(self) -> np.ndarray:
        return self.outputs[-1]


def forward(
    model: Model,
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    rng: np.random.Generator | None = None,
    drop: bool = True,
) -> Pass:
    """The forward pass.

    Args:
        model: The network.
        weights: As from `draw_weights`.
        x: Scaled inputs, (runs, rows, features).
        rng, drop: As for `NumpyArrays`.
    """
    arrays, rest = NumpyArrays(rng, drop), iter(weights)
    done = Pass([], [], [], Judged(0, ACTIVATIONS["linear"], x), 0.0)
    for index, layer in enumerate(model.layers):
        before = x
        slots = layer.slots(x.shape[-1])
        layer_weights = [next(rest) for _ in slots]
        x, memory = layer.apply(arrays, layer_weights, x)
        done.memories.append(memory)
        done.every.append(x)
        for slot, array in zip(slots, layer_weights, strict=True):
            if slot.regulariser is not None:
                done.penalty = done.penalty + slot.regulariser.each(array).sum(axis=(1, 2))[:, None]
        if layer.activity is not None:
            done.penalty = done.penalty + layer.activity.each(x).sum(axis=2)
        if isinstance(layer, Dense) or x is not before:
            done.judged = Judged(index, ACTIVATIONS["linear"], x)
            if isinstance(layer, Activating):
                done.judged = Judged(index, layer.function, memory[1])
    done.outputs += [done.every[index] for index in model.shown]
    return done


def gradients(
    model: Model, weights: Sequence[np.ndarray], done: Pass, slope: np.ndarray
) -> list[np.ndarray]:
    """The gradient of the mean loss with respect to each array of weights.

    Args:
        model: The network.
        weights: As from `draw_weights`.
        done: The forward pass.
        slope: The gradient of each row's loss with respect to `done.judged.sums`, (runs, rows,
            units), without the penalties.

    Returns:
        One array per array of weights, of a shape that broadcasts to it; 0 for weights that are
        not trained.
    """
    gradient = [np.zeros((1, 1, 1), np.float32)] * len(weights)
    rows, end = slope.shape[1], len(weights)
    upstream: np.ndarray | float = 0.0
    for index in reversed(range(len(model.layers))):
        layer, memory = model.layers[index], done.memories[index]
        slots = layer.slots(1)
        start = end - len(slots)
        layer_weights = weights[start:end]
        if layer.activity is not None:
            upstream = upstream + layer.activity.slope(done.every[index]) / rows
        if index > done.judged.layer:
            continue  # it passes on its inputs
        parts: Sequence[np.ndarray]
        judged = index == done.judged.layer
        if isinstance(layer, Activating):
            if isinstance(upstream, np.ndarray):
                _, sums, out = memory
                upstream = layer.function.slope(sums, out, upstream)
            if judged:
                upstream = upstream + slope / rows
            if start == 0 and isinstance(layer, Dense):
                # The gradient with respect to the inputs, which nobody asks for, takes the longest.
                parts = layer.weight_gradients(memory, upstream)
            else:
                upstream, parts = layer.backward_from_sums(layer_weights, memory, upstream)
        else:
            if judged:
                upstream = upstream + slope / rows
            upstream, parts = layer.backward(layer_weights, memory, upstream)
        gradient[start : start + len(parts)] = parts
        for place, slot in enumerate(slots, start):
            if slot.regulariser is not None:
                gradient[place] = gradient[place] + slot.regulariser.slope(weights[place])
        if start == 0:
            break
        end = start
    return gradient


def kernel_slots(model: Model) -> list[int]:
    """The indices of the dense layers' kernels in the list of weights."""
    slots, index = [], 0
    for layer in model.layers:
        if isinstance(layer, Dense):
            slots.append(index)
        index += len(layer.slots(1))
    return slots


def judge(experiment: Experiment, done: Pass, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The loss of each row, with the penalties, and its gradient without them.

    Args:
        experiment: Whose loss and class weights are used.
        done: The forward pass.
        y: Encoded labels, (runs, rows, width).

    Returns:
        The losses (runs, rows), and their gradients with respect to `done.judged.sums` (runs,
        rows, units).
    """
    judged, training = done.judged, experiment.training
    losses, slope = loss(training.loss).judged(
        judged.activation, judged.sums, done.output, y, **training.loss_options
    )
    if training.class_weight:
        weights = row_weights(experiment, y)
        losses, slope = losses * weights, slope * weights[..., None]
    return losses + done.penalty, slope
