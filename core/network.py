"""A network in NumPy, for several runs at once: its initial weights, its pass forward and back.

The run axis is first: inputs (runs, rows, features), kernels (runs, inputs, units), biases
(runs, 1, units). It serves the views of a trained network and the diagnosis, which must answer
within milliseconds in a process without TensorFlow; `core.training` is what trains.
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
    """`core.layers.Arrays` in NumPy, with the runs first.

    rng: as in training, by batch statistics and with dropout drawn from it, which `drop` False
    leaves out; None for inference.
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
        """Nothing looks at the moving averages of a network that is only tried out."""

    def inverse_root(self, x: np.ndarray) -> np.ndarray:
        return 1 / np.sqrt(x)

    def kept(self, x: np.ndarray, rate: float) -> np.ndarray | None:
        if self.rng is None or not self.drop:
            return None
        return (self.rng.random(x.shape) >= rate).astype(np.float32) / (1 - rate)


def draw_weights(
    model: Model, features: int, runs: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Initial weights by each initialiser's formula, in the order of Keras's `get_weights()`.

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
    """`History.weights` at one key epoch for some runs, with the run axis first."""
    picked = [np.moveaxis(array[key][..., runs], -1, 0) for array in weights]
    return [array if array.ndim == 3 else array[:, None, :] for array in picked]


@dataclass
class Pass:
    """One pass forward.

    sums, outputs: what each dense layer adds up and puts out, (runs, rows, units) each.
    memories: what each layer needs for the way back.
    """

    sums: list[np.ndarray]
    outputs: list[np.ndarray]
    memories: list

    @property
    def output(self) -> np.ndarray:
        """(runs, rows, units), of the last layer."""
        return self.outputs[-1]


def forward(
    model: Model,
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    rng: np.random.Generator | None = None,
    drop: bool = True,
) -> Pass:
    """The network's outputs for x (runs, rows, features); rng, drop: see `NumpyArrays`."""
    arrays, rest = NumpyArrays(rng, drop), iter(weights)
    done = Pass([], [], [])
    for layer in model.layers:
        own = [next(rest) for _ in layer.slots(x.shape[-1])]
        x, memory = layer.apply(arrays, own, x)
        done.memories.append(memory)
        if isinstance(layer, Dense):
            done.sums.append(memory[1])
            done.outputs.append(x)
    return done


def gradients(
    model: Model, weights: Sequence[np.ndarray], done: Pass, slope: np.ndarray
) -> list[np.ndarray]:
    """The gradient of the mean loss for each array of weights; 0 for what is not trained.

    Args:
        slope: that of each row's loss with respect to the output layer's sums,
            (runs, rows, units).
    """
    gradient = [np.zeros((1, 1, 1), np.float32)] * len(weights)
    upstream, end = slope / slope.shape[1], len(weights)
    for layer, memory in zip(reversed(model.layers), reversed(done.memories), strict=True):
        start = end - len(layer.slots(1))
        own = weights[start:end]
        if end == len(weights):
            upstream, parts = model.output.backward_from_sums(own, memory, upstream)
        else:
            upstream, parts = layer.backward(own, memory, upstream)
        gradient[start : start + len(parts)] = parts
        end = start
    return gradient


def kernel_slots(model: Model) -> list[int]:
    """Where the dense layers' kernels stand among the weights."""
    slots, index = [], 0
    for layer in model.layers:
        if isinstance(layer, Dense):
            slots.append(index)
        index += len(layer.slots(1))
    return slots


def judge(experiment: Experiment, done: Pass, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's loss (runs, rows) and its slope with respect to the output layer's sums.

    Args:
        y: labels as the loss sees them, (runs, rows, width).
    """
    output = activation(experiment.model.output.activation)
    return loss(experiment.training.loss).judge(output, done.sums[-1], done.output, y)


def hits(output: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float (runs, rows): 1 where Keras's "accuracy" counts a row as right.

    One output unit: whether the output, cut at 0.5, equals the label; several: whether the largest
    output is the label's column or number.
    """
    if output.shape[-1] == 1:
        return ((output > 0.5) == y).mean(axis=-1)
    label = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    return (output.argmax(axis=-1) == label).astype(float)
