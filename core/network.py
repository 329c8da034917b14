"""A network in NumPy, for several runs at once: initial weights, forward and backward pass.

The first axis is the runs: inputs (runs, rows, features), kernels (runs, inputs, units), biases
(runs, 1, units). It is used by the views of a trained network and by the diagnosis, which must be
ready within milliseconds in a process without TensorFlow. Training is in `core.training`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.activations import activation
from core.experiment import Dense, Experiment, Model
from core.initialisers import initialiser
from core.losses import loss


class NumpyArrays:
    """`core.layers.Arrays` in NumPy, with the runs as the first axis.

    Args:
        rng: The generator of dropout masks, for a pass as in training with batch statistics; None
            for inference.
        drop: Whether dropout is applied in training.
    """

    def __init__(self, rng: np.random.Generator | None = None, drop: bool = True):
        self.rng, self.drop = rng, drop
        self.training = rng is not None

    def product(self, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        return x @ kernel

    def activate(self, name: str, sums: np.ndarray) -> np.ndarray:
        return activation(name).value(sums)

    def moments(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)

    def follow(self, average: np.ndarray, value: np.ndarray) -> None:
        """Does nothing: no caller uses the moving averages after a pass as in training."""

    def inverse_root(self, x: np.ndarray) -> np.ndarray:
        return 1 / np.sqrt(x)

    def kept(self, x: np.ndarray, rate: float) -> np.ndarray | None:
        if self.rng is None or not self.drop:
            return None
        return (self.rng.random(x.shape) >= rate).astype(np.float32) / (1 - rate)


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
    for layer in model.layers:
        for slot in layer.slots(features):
            if slot.start is None:
                drawn = initialiser(layer.initialiser).draw((runs, *slot.shape), rng)
                weights.append(drawn.astype(np.float32))
            else:
                weights.append(np.full((runs, 1, *slot.shape), slot.start, np.float32))
        features = layer.outputs(features)
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
class Pass:
    """The results of a forward pass.

    Attributes:
        sums: The weighted sums of each dense layer, (runs, rows, units) each.
        outputs: The outputs of each dense layer, (runs, rows, units) each.
        memories: The intermediate values of each layer for its backward pass.
    """

    sums: list[np.ndarray]
    outputs: list[np.ndarray]
    memories: list

    @property
    def output(self) -> np.ndarray:
        """The outputs of the last layer, (runs, rows, units)."""
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
    done = Pass([], [], [])
    for layer in model.layers:
        layer_weights = [next(rest) for _ in layer.slots(x.shape[-1])]
        x, memory = layer.apply(arrays, layer_weights, x)
        done.memories.append(memory)
        if isinstance(layer, Dense):
            done.sums.append(memory[1])
            done.outputs.append(x)
    return done


def gradients(
    model: Model, weights: Sequence[np.ndarray], done: Pass, slope: np.ndarray
) -> list[np.ndarray]:
    """The gradient of the mean loss with respect to each array of weights.

    Args:
        model: The network.
        weights: As from `draw_weights`.
        done: The forward pass.
        slope: The gradient of each row's loss with respect to the output layer's sums,
            (runs, rows, units).

    Returns:
        One array per array of weights, of a shape that broadcasts to it; 0 for weights that are
        not trained.
    """
    gradient = [np.zeros((1, 1, 1), np.float32)] * len(weights)
    upstream, end = slope / slope.shape[1], len(weights)
    for layer, memory in zip(reversed(model.layers), reversed(done.memories), strict=True):
        start = end - len(layer.slots(1))
        layer_weights = weights[start:end]
        if end == len(weights):
            upstream, parts = model.output.backward_from_sums(layer_weights, memory, upstream)
        else:
            upstream, parts = layer.backward(layer_weights, memory, upstream)
        gradient[start : start + len(parts)] = parts
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
    """The loss of each row and its gradient.

    Args:
        experiment: Whose loss and output activation are used.
        done: The forward pass.
        y: Encoded labels, (runs, rows, width).

    Returns:
        The losses (runs, rows), and their gradients with respect to the output layer's sums
        (runs, rows, units).
    """
    output = activation(experiment.model.output.activation)
    return loss(experiment.training.loss).judge(output, done.sums[-1], done.output, y)
