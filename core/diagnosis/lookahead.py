"""A network's way ahead in NumPy: where its optimizer leads, before any training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.experiment import Experiment
from core.network import forward, gradients, judge
from core.optimizers import Follower

KEPT = 3
"""Steps of a look ahead that a score must last to count."""


# --- the first steps ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """A look ahead along the way that the optimizer takes, measured by its length.

    path: (steps + 1, runs), the learning rate times the number of updates so far, so that at the
        learning rate r the place is reached after about path / r updates.
    loss, score: (steps + 1, runs), on the rows themselves; the score is that of the task.
    moves: (steps,), how far each step may take a weight.
    """

    path: np.ndarray
    loss: np.ndarray
    score: np.ndarray
    moves: np.ndarray

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
    follower = Follower(experiment.training.optimizer)
    dropping = any(layer.random for layer in experiment.model.layers)
    hits = experiment.task.hits
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
    return Pace(np.array(path), np.array(losses), np.array(scores), moves[: len(path) - 1])


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
    follower = Follower(experiment.training.optimizer)
    rates = rates[:, None, None].astype(np.float32)
    size = min(experiment.training.batch_size, x.shape[1])
    schedule = experiment.training.optimizer.schedule
    factors = None if schedule is None else schedule.factors(np.arange(updates + 1))
    losses, scores = [], []
    with np.errstate(all="ignore"):
        for number in range(updates + 1):
            if number in (0, updates):
                done = forward(experiment.model, weights, x)
                each, _ = judge(experiment, done, y)
                losses.append(each.mean(axis=1))
                scores.append(experiment.task.hits(done.output, y).mean(axis=1))
            batch = rng.integers(0, x.shape[1], size)
            done = forward(experiment.model, weights, x[:, batch], rng)
            _, slope = judge(experiment, done, y[:, batch])
            now = rates if factors is None else rates * np.float32(factors[number])
            follower.update(weights, gradients(experiment.model, weights, done, slope), now)
    return np.array(losses), np.array(scores)
