"""A network's first steps in NumPy: what its weights, gradients and pace are before any training.

Several runs are computed at once with the run axis first: inputs (runs, rows, features), kernels
(runs, in, out), biases (runs, 1, out). It serves the diagnosis, which must answer within
milliseconds in a process without TensorFlow; `core.training` is what trains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.activations import activation
from core.experiment import BatchNormalisation, Dense, Dropout, Experiment, Model
from core.initialisers import draw_kernel
from core.losses import judged
from core.optimizers import follow

BATCH_NORM_EPSILON = 1e-3
KEPT = 3
"""Steps of a look ahead that a score must last to count."""


def draw_weights(
    model: Model, features: int, runs: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Initial weights by each initialiser's formula, in the order of Keras's `get_weights()`."""
    weights = []
    for layer in model.layers:
        if isinstance(layer, Dense):
            shape = (runs, features, layer.units)
            weights.append(draw_kernel(layer.initialiser, shape, rng).astype(np.float32))
            weights.append(np.zeros((runs, 1, layer.units), np.float32))
            features = layer.units
        elif isinstance(layer, BatchNormalisation):
            weights += [np.full((runs, 1, features), v, np.float32) for v in (1, 0, 0, 1)]
    return weights


def run_first(weights: Sequence[np.ndarray], key: int, runs: np.ndarray) -> list[np.ndarray]:
    """`History.weights` at one key epoch for some runs, with the run axis first."""
    picked = [np.moveaxis(array[key][..., runs], -1, 0) for array in weights]
    return [array if array.ndim == 3 else array[:, None, :] for array in picked]


# --- the network --------------------------------------------------------------------------------


@dataclass
class Pass:
    """One forward pass: what each dense layer adds up and puts out, (runs, rows, units) each."""

    sums: list[np.ndarray]
    outputs: list[np.ndarray]
    steps: list[tuple]

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
    """x: (runs, rows, features). With `rng` as in training: by batch statistics, with dropout."""
    sums, outputs, steps, place = [], [], [], 0
    for layer in model.layers:
        if isinstance(layer, Dense):
            total = x @ weights[place] + weights[place + 1]
            out = activation(layer.activation).value(total)
            steps.append(("dense", layer.activation, place, x, total, out))
            sums.append(total)
            outputs.append(out)
            x, place = out, place + 2
        elif isinstance(layer, Dropout):
            if rng is not None and layer.rate and drop:
                kept = rng.random(x.shape) >= layer.rate
                mask = kept.astype(np.float32) / (1 - layer.rate)
                steps.append(("scale", mask))
                x = x * mask
        else:
            gamma, beta, mean, variance = weights[place : place + 4]
            if rng is not None:
                mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
            spread = 1 / np.sqrt(variance + BATCH_NORM_EPSILON)
            unit = (x - mean) * spread
            steps.append(("normalise", place, unit, spread, gamma))
            x, place = unit * gamma + beta, place + 4
    return Pass(sums, outputs, steps)


def gradients(model: Model, weights: Sequence[np.ndarray], done: Pass, slope: np.ndarray) -> list:
    """The gradient of the mean loss for each array of weights; 0 for what is not trained.

    slope: that of each row's loss with respect to the output layer's sums (runs, rows, units).
    """
    found = [np.zeros((1, 1, 1), np.float32)] * len(weights)
    upstream, first = slope / slope.shape[1], True
    for kind, *step in reversed(done.steps):
        if kind == "dense":
            name, place, x, total, out = step
            if not first:
                upstream = activation(name).slope(total, out, upstream)
            first = False
            found[place] = np.swapaxes(x, 1, 2) @ upstream
            found[place + 1] = upstream.sum(axis=1, keepdims=True)
            upstream = upstream @ np.swapaxes(weights[place], 1, 2)
        elif kind == "scale":
            upstream = upstream * step[0]
        else:
            place, unit, spread, gamma = step
            found[place] = (upstream * unit).sum(axis=1, keepdims=True)
            found[place + 1] = upstream.sum(axis=1, keepdims=True)
            inner = upstream * gamma
            centred = inner - inner.mean(axis=1, keepdims=True)
            upstream = spread * (centred - unit * (inner * unit).mean(axis=1, keepdims=True))
    return found


# --- loss and accuracy --------------------------------------------------------------------------


def judge(experiment: Experiment, done: Pass, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row's loss (runs, rows) and its slope with respect to the output layer's sums.

    y: (runs, rows, width).
    """
    output = activation(experiment.model.output.activation)
    return judged(experiment.training.loss, output, done.sums[-1], done.output, y)


def hits(output: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float (runs, rows): 1 where Keras's "accuracy" counts a row as right.

    One output unit: whether the output, cut at 0.5, equals the label; several: whether the largest
    output is the label's column or number.
    """
    if output.shape[-1] == 1:
        return ((output > 0.5) == y).mean(axis=-1)
    label = y[..., 0] if y.shape[-1] == 1 else y.argmax(axis=-1)
    return (output.argmax(axis=-1) == label).astype(float)


# --- the first steps ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """A look ahead along the way that the optimizer takes, measured by its length.

    path: (steps + 1, runs), the learning rate times the number of updates so far, so that at the
        learning rate r the place is reached after about path / r updates.
    loss, score: (steps + 1, runs), on the rows themselves; the score is the accuracy as printed.
    """

    path: np.ndarray
    loss: np.ndarray
    score: np.ndarray

    def path_to(self, goal: float) -> np.ndarray:
        """(runs,): length of the way to a score that lasts for KEPT steps; inf where none does."""
        there = self.score >= goal
        kept = there.copy()
        for ahead in range(1, KEPT):
            kept[:-ahead] &= there[ahead:]
        first = kept.argmax(axis=0)
        return np.where(kept.any(axis=0), self.path[first, np.arange(kept.shape[1])], np.inf)

    @property
    def end(self) -> np.ndarray:
        """(runs,): the score at the end, a mean of the last steps as each one is a large step."""
        return self.score[-KEPT:].mean(axis=0)


def pace(
    experiment: Experiment,
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    moves: np.ndarray,
    rng: np.random.Generator,
    enough: float = math.inf,
) -> Pace:
    """Follow the optimizer in few large steps, as small ones would lead there in the end.

    moves: (steps,), how far each step may take a weight. An optimizer that scales its gradients
    moves every weight by about its learning rate an update, so a step of length m stands for
    m / rate updates; gradient descent goes m / (largest gradient of all).
    x: (runs, rows, features), y: (runs, rows, width). It ends early once every run has kept a
    score of `enough`.
    """
    weights = [array.copy() for array in weights]
    follower = follow(experiment.training.optimizer)
    dropping = any(isinstance(layer, Dropout) and layer.rate for layer in experiment.model.layers)
    path = [np.zeros(x.shape[0])]
    losses, scores = [], []
    with np.errstate(all="ignore"):
        for number in range(len(moves) + 1):
            done = forward(experiment.model, weights, x, rng)
            each, slope = judge(experiment, done, y)
            losses.append(each.mean(axis=1))
            shown = done
            if dropping:
                shown = forward(experiment.model, weights, x, rng, drop=False)
            scores.append(hits(shown.output, y).mean(axis=1))
            arrived = number >= KEPT and np.min(scores[-KEPT:]) >= enough
            if number == len(moves) or arrived:
                break
            slopes = gradients(experiment.model, weights, done, slope)
            path.append(path[-1] + follower.step(weights, slopes, float(moves[number])))
    return Pace(np.array(path), np.array(losses), np.array(scores))


def first_updates(
    experiment: Experiment,
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    rates: np.ndarray,
    updates: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The very first updates, batch by batch.

    Returns loss and score over all rows, (2, runs) each: before and after.

    rates: (runs,), the learning rate of each run; otherwise as for `pace`.
    """
    weights = [array.copy() for array in weights]
    follower = follow(experiment.training.optimizer)
    rates = rates[:, None, None].astype(np.float32)
    size = min(experiment.training.batch_size, x.shape[1])
    losses, scores = [], []
    with np.errstate(all="ignore"):
        for number in range(updates + 1):
            if number in (0, updates):
                done = forward(experiment.model, weights, x)
                each, _ = judge(experiment, done, y)
                losses.append(each.mean(axis=1))
                scores.append(hits(done.output, y).mean(axis=1))
            batch = rng.integers(0, x.shape[1], size)
            done = forward(experiment.model, weights, x[:, batch], rng)
            _, slope = judge(experiment, done, y[:, batch])
            follower.update(weights, gradients(experiment.model, weights, done, slope), rates)
    return np.array(losses), np.array(scores)
