"""What a diagnosis looks at: each figure is computed once, on first use."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from core.activations import activation
from core.data import Rows, draw, prepare
from core.diagnosis import lookahead
from core.experiment import (
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Experiment,
    Table,
    Threshold,
)
from core.fixes import widened
from core.history import History
from core.rates import Rate
from core.streams import generator

SEED = 0
DRAWN_ROWS = 2_000
"""Rows drawn from a generator; what is said about them does not get more exact with more."""
SEEN_ROWS = 64
"""Rows that a look ahead is computed on: shares are then known to within 0.12 (95%)."""
RUNS_AHEAD = 8
"""Runs of a look ahead."""
STARTS = 64
"""Draws of the initial weights: enough to see a risk of 5% (96%)."""
LONGEST_MOVE = 0.1
"""Largest step of a look ahead: a fraction of a usual initial weight, to stay on the way."""
MOVES = np.minimum(0.01 * 1.22 ** np.arange(28), LONGEST_MOVE)
"""The steps of a look ahead: short ones first, as a short way needs a fine scale."""
LATER_MOVES = np.concatenate([MOVES, np.full(32, LONGEST_MOVE)])
"""The same from the end of a training on, where the answer may take longer."""
OPERATIONS, ACTIVATIONS = 2e8, 3e4
"""Multiplications that one look ahead may take, and units it may compute a step, about 20 ms each;
bigger networks get fewer rows, fewer runs or, in the end, no look ahead."""
TRIAL_UPDATES = 20
"""Updates that are computed one by one to see whether the learning rate makes them diverge."""
CLEAR = 0.5
"""Of eight runs ahead, a gain of half is beyond chance (one-sided Fisher test, 0.04)."""
BETTER = 0.1
"""A gain in accuracy that is worth a word."""
CEILING_ROWS = 1_500
ARRAYS = {Dense: 2, BatchNormalisation: 4}
"""Arrays of weights a layer."""
ENOUGH_ROWS = 100
"""Rows from which on the agreement of neighbours says something about the best accuracy."""
NEIGHBOURS = 5
EXPLAINED = 0.5
"""Share of a continuous label's variance that a fit must explain to count as a fit."""


class Start(NamedTuple):
    """Draws of the initial weights, and one forward pass with each.

    weights: as of `core.diagnosis.lookahead.draw_weights`; labels: (runs, rows, width).
    """

    weights: list[np.ndarray]
    labels: np.ndarray
    done: lookahead.Pass


class Observations:
    """The figures of one experiment and, where there is one, of its history.

    goal: the score that is enough for nothing to be wrong: the target, or the same share of the
        way from guessing to the best possible accuracy, where that lies below 1. Runs succeed by
        the target alone (`History.successes`); those that reach a goal below it pass, and are said
        to reach it.
    """

    def __init__(self, experiment: Experiment, history: History | None, target: float):
        self.experiment, self.history, self.target = experiment, history, target
        self.data, self.model = experiment.data, experiment.model
        self.training = experiment.training

    # --- the data ---

    @cached_property
    def drawn(self) -> Data:
        """The same data with no more rows than it takes to describe them."""
        source = self.data.source
        if isinstance(source, Table):
            return self.data
        samples = min(source.samples, max(DRAWN_ROWS // source.classes, 20))
        return replace(self.data, source=replace(source, samples=samples))

    @cached_property
    def rows(self) -> Rows:
        return self._rows(self.drawn, 0)

    def _rows(self, data: Data, run: int) -> Rows:
        seed = SEED if self.history is None else self.history.seed
        return prepare(data, seed, run)

    @cached_property
    def inputs(self) -> np.ndarray:
        """(rows, features), as they reach the network."""
        return self.rows.x.astype(float)

    @cached_property
    def classes(self) -> np.ndarray:
        """int (rows,), the class of each training row, counted in the order of `data.targets`."""
        y = self.rows.y
        if y.shape[1] > 1:
            return y.argmax(axis=1)
        order = np.argsort(self.data.targets)
        levels = np.asarray(self.data.targets, np.float32)[order]
        return order[np.clip(np.searchsorted(levels, y[:, 0]), 0, len(levels) - 1)]

    @cached_property
    def shares(self) -> np.ndarray:
        """(classes,), the share of each class in the training rows."""
        return np.bincount(self.classes, minlength=self.data.source.classes) / len(self.classes)

    @cached_property
    def continuous(self) -> bool:
        """The labels are measurements, not classes: broken numbers, or hardly one twice."""
        values = np.array(self.data.label_values)
        if self.data.encoding != "as-is" or len(values) < 3:
            return False
        return bool((values % 1).any()) or len(values) > max(10, self.data.source.rows / 2)

    @property
    def regression(self) -> bool:
        """Continuous labels under a loss that is meant for them."""
        return self.continuous and self.training.loss == "mean_squared_error"

    @cached_property
    def sizes(self) -> np.ndarray:
        """(features,), root mean square of each column that varies at all."""
        return np.sqrt(np.square(self.inputs[:, self.varying]).mean(axis=0))

    @cached_property
    def conditioning(self) -> float:
        """How many times steeper the loss is along the inputs' mean than across it.

        1 + sum of (mean / deviation)^2 over the columns: gradient descent needs about as many times
        the updates that centred inputs would (LeCun et al., "Efficient BackProp", 1998).
        """
        columns = self.inputs[:, self.varying]
        if not columns.size:
            return 1.0
        return float(1 + np.square(columns.mean(axis=0) / columns.std(axis=0)).sum())

    @cached_property
    def varying(self) -> np.ndarray:
        """bool (features,): the column is not constant."""
        return np.ptp(self.inputs, axis=0) > 0

    @cached_property
    def ceiling(self) -> float:
        """The best accuracy that any classifier of these inputs can have, in expectation."""
        source = self.data.source
        if self.continuous or isinstance(source, Threshold):
            return 1.0
        if isinstance(source, Blobs):
            return bayes_accuracy(source)
        return min(self.agreement, self._neighbours())

    @cached_property
    def agreement(self) -> float:
        """The share of rows that carry the most common label of all rows with the same inputs."""
        _, group = np.unique(self.inputs, axis=0, return_inverse=True)
        table = np.zeros((group.max() + 1, self.data.source.classes))
        np.add.at(table, (group.ravel(), self.classes), 1)
        return float(table.max(axis=1).sum() / len(self.classes))

    def _neighbours(self) -> float:
        """Accuracy of each row's nearest others, 1 where it would not mean much."""
        if len(self.inputs) < ENOUGH_ROWS:
            return 1.0
        accuracy = neighbour_accuracy(self.inputs[:400], self.classes[:400])
        return accuracy if accuracy > self.shares.max() + 0.1 else 1.0

    @cached_property
    def printable(self) -> float:
        """The best accuracy that Keras can print, whatever the weights: it only matches 0 and 1."""
        if self.model.output.units > 1 or self.continuous:
            return 1.0
        if self.data.target_width > 1:
            return 1 - 1 / self.data.target_width
        # Softmax of one number is 1, whatever the number.
        matched = (1,) if self.model.output.activation == "softmax" else (0, 1)
        by_class = zip(self.shares, self.data.targets, strict=True)
        return float(sum(share for share, target in by_class if target in matched))

    @cached_property
    def goal(self) -> float:
        if self.continuous:
            return EXPLAINED
        chance = float(self.shares.max())
        if self.target <= chance or self.ceiling >= 1:
            return self.target
        part = (self.target - chance) / (1 - chance)
        return chance + max(self.ceiling - chance, 0) * part

    @property
    def learnable(self) -> bool:
        """The goal can be printed at all, so that the pace towards it means something."""
        return self.printable >= self.goal

    # --- the training's size ---

    @cached_property
    def updates(self) -> int:
        return self.updates_an_epoch * self.training.epochs

    @property
    def updates_an_epoch(self) -> int:
        return -(-self.data.training_rows // self.training.batch_size)

    @property
    def rate(self) -> float:
        return self.training.optimizer.learning_rate

    @cached_property
    def way(self) -> float:
        """How far the training can take a weight: learning rate times updates."""
        return self.rate * self.updates

    # --- the start ---

    @cached_property
    def hidden(self) -> tuple[Dense, ...]:
        return self.model.dense[:-1]

    @cached_property
    def parameters(self) -> int:
        widths = [self.data.source.features, *(layer.units for layer in self.model.dense)]
        return sum((a + 1) * b for a, b in pairwise(widths))

    @cached_property
    def _rng(self) -> np.random.Generator:
        return generator(SEED, 1)

    def sample(self, data: Data, runs: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """x (runs, rows, features) and y (runs, rows, width): random training rows of every run."""
        # A table is the same in every run, and data that is big is slow to draw.
        draws = 1 if isinstance(data.source, Table) or data.source.features > 20 else min(runs, 4)
        prepared = [self._rows(data, run) for run in range(draws)]
        picks = []
        for run in range(runs):
            of = prepared[run % draws]
            picks.append((of, self._rng.permutation(len(of.x))[:rows]))
        x = np.stack([of.x[pick] for of, pick in picks])
        y = np.stack([of.y[pick] for of, pick in picks])
        return x, y

    @cached_property
    def sampled(self) -> tuple[np.ndarray, np.ndarray]:
        return self.sample(self.drawn, RUNS_AHEAD, SEEN_ROWS)

    @cached_property
    def start(self) -> Start:
        """Before training, over STARTS draws of the weights, fewer if big."""
        starts = int(np.clip(2e7 / (self.parameters * SEEN_ROWS), 4, STARTS))
        if self.history is not None:
            starts = min(self.history.runs, starts)
            weights = lookahead.run_first(self.history.weights, 0, np.arange(starts))
        else:
            weights = self._weights(self.experiment, starts)
        x, y = self.sampled
        x, y = (np.resize(array, (starts, *array.shape[1:])) for array in (x, y))
        with np.errstate(all="ignore"):
            return Start(weights, y, lookahead.forward(self.model, weights, x))

    @cached_property
    def start_gradients(self) -> list[np.ndarray]:
        """Norm of each dense layer's kernel gradient before training, (runs,) each."""
        weights, labels, done = self.start
        with np.errstate(all="ignore"):
            _, slope = lookahead.judge(self.experiment, done, labels)
            found = lookahead.gradients(self.model, weights, done, slope)
        return [np.sqrt(np.square(found[place]).sum(axis=(1, 2))) for place in self.kernels]

    @cached_property
    def kernels(self) -> list[int]:
        """Where the dense layers' kernels stand among the weights."""
        places, place = [], 0
        for layer in self.model.layers:
            if isinstance(layer, Dense):
                places.append(place)
            place += ARRAYS.get(type(layer), 0)
        return places

    def _weights(self, experiment: Experiment, runs: int) -> list[np.ndarray]:
        features = experiment.data.source.features
        return lookahead.draw_weights(experiment.model, features, runs, self._rng)

    @cached_property
    def dead_at_start(self) -> list[np.ndarray]:
        """For every hidden layer the share of units that output 0 for every row: (runs,) each."""
        return [(out == 0).all(axis=1).mean(axis=1) for out in self.start.done.outputs[:-1]]

    @cached_property
    def saturated_at_start(self) -> list[float]:
        """For every hidden layer the share of outputs within 1% of a bound of the activation."""
        return [
            near_bound(layer.activation, out)
            for layer, out in zip(self.hidden, self.start.done.outputs, strict=False)
        ]

    # --- ahead ---

    def ahead(
        self, experiment: Experiment, weights=None, rows=None, moves: np.ndarray = MOVES
    ) -> lookahead.Pace | None:
        """Where the optimizer leads; None where the network is too big to say so at once."""
        x, y = rows if rows is not None else self.sampled
        widths = [self.data.source.features, *(layer.units for layer in experiment.model.dense)]
        if 2 * x.shape[0] * x.shape[1] * sum(widths) > ACTIVATIONS:
            x, y = x[:, : SEEN_ROWS // 2], y[:, : SEEN_ROWS // 2]
        products = sum(a * b for a, b in pairwise(widths))
        every = 1
        while (
            6 * products * len(x[::every]) * x.shape[1] * len(MOVES) > OPERATIONS
            or len(x[::every]) * x.shape[1] * sum(widths) > ACTIVATIONS
        ):
            every *= 2
            if every > len(x) // 2:
                return None
        x, y = x[::every], y[::every]
        weights = None if weights is None else [array[::every] for array in weights]
        if weights is None:
            weights = self._weights(experiment, x.shape[0])
        enough = math.inf if self.regression else self.goal
        found = lookahead.pace(experiment, weights, x, y, moves, self._rng, enough)
        if self.regression:
            found = replace(found, score=1 - found.loss / max(y.var(), 1e-12))
        return found

    @cached_property
    def as_is(self) -> lookahead.Pace | None:
        return self.ahead(self.experiment)

    @cached_property
    def standardised(self) -> lookahead.Pace | None:
        scaled = replace(self.drawn, scaling="standardise")
        return self.ahead(self.experiment, rows=self.sample(scaled, RUNS_AHEAD, SEEN_ROWS))

    @cached_property
    def wide(self) -> lookahead.Pace | None:
        return self.ahead(widened(self.experiment))

    def reached(self, ahead: lookahead.Pace | None, way: float = math.inf) -> float:
        """Share of a look ahead's runs that are at the goal after this length of the way."""
        if ahead is None:
            return math.nan
        needed = ahead.path_to(min(self.goal, self.printable))
        return float((np.isfinite(needed) & (needed <= way)).mean())

    @cached_property
    def gain_from_scaling(self) -> float:
        """What standardised inputs add to the share of starts that get to the goal in time."""
        now = self.reached(self.as_is, self.way)
        if self.data.scaling == "standardise" or not now < 1:
            return 0.0
        return self.reached(self.standardised, self.way) - now

    @cached_property
    def scaling_helps(self) -> bool:
        """Looking ahead, standardised inputs come further."""
        if self.data.scaling == "standardise" or self.as_is is None:
            return False
        return self.gain_from_scaling >= CLEAR or ends_better(self.as_is, self.standardised)

    @cached_property
    def moved(self) -> float:
        """How far the whole training takes the weight that moves most, as far as is seen."""
        if self.as_is is None:
            return math.inf
        path = np.median(self.as_is.path, axis=1)
        lengths = np.concatenate([[0], np.cumsum(MOVES)])[: len(path)]
        return float(np.interp(self.way, path, lengths)) if np.isfinite(path).all() else math.inf

    @cached_property
    def fails_ahead(self) -> bool:
        """The look ahead covers the whole training, and few starts get to the goal in it."""
        if self.as_is is None or np.median(self.as_is.path[-1]) < self.way:
            return False
        return self.reached(self.as_is, self.way) <= 1 - CLEAR

    @cached_property
    def width_helps(self) -> bool:
        """Looking ahead, wide hidden layers come further."""
        if self.as_is is None or self.reached(self.as_is) > 1 - CLEAR:
            return False
        if self.wide is None:
            return False
        gain = self.reached(self.wide) - self.reached(self.as_is)
        return gain >= CLEAR or ends_better(self.as_is, self.wide)

    @cached_property
    def updates_needed(self) -> float:
        """Updates to the goal at this rate, median of the runs; inf beyond the look ahead."""
        if self.as_is is None:
            return math.nan
        return float(np.median(self.as_is.path_to(self.goal))) / self.rate

    @cached_property
    def seen_updates(self) -> float:
        """Updates at this learning rate that the look ahead covers, median of the runs."""
        if self.as_is is None:
            return 0.0
        return float(np.nan_to_num(np.median(self.as_is.path[-1]), posinf=0)) / self.rate

    @cached_property
    def trial(self) -> dict[float, tuple[np.ndarray, np.ndarray]]:
        """Loss and score (before, after) of the first updates, at parts of the learning rate."""
        x, y = self.sampled
        parts = (1.0, 0.1, 0.01)
        share = max(len(x) // 2, 1)
        x, y = np.resize(x, (share * 3, *x.shape[1:])), np.resize(y, (share * 3, *y.shape[1:]))
        rates = np.repeat(self.rate * np.array(parts), share)
        weights = self._weights(self.experiment, share)
        weights = [np.concatenate([array] * 3) for array in weights]
        loss, score = lookahead.first_updates(
            self.experiment, weights, x, y, rates, TRIAL_UPDATES, self._rng
        )
        runs = [slice(k * share, (k + 1) * share) for k in range(3)]
        return {part: (loss[:, r], score[:, r]) for part, r in zip(parts, runs, strict=True)}

    @cached_property
    def diverges(self) -> float:
        """Share of starts whose loss doubles in the first updates, but not at a lower rate."""
        grown = {part: grown_share(loss) for part, (loss, _) in self.trial.items()}
        return grown[1.0] - min(grown[0.1], grown[0.01])

    # --- the history ---

    @cached_property
    def scores(self) -> np.ndarray:
        """(runs,), final accuracy; for continuous labels the share of variance explained."""
        if self.regression:
            return 1 - self.history.final_loss / max(float(self.rows.y.var()), 1e-12)
        return self.history.final_accuracy

    @cached_property
    def passed(self) -> np.ndarray:
        """bool (runs,): the score reaches the goal."""
        if self.regression:
            return self.scores >= np.float32(self.goal)
        return self.history.successes(self.goal)

    @property
    def stuck(self) -> np.ndarray:
        return ~self.passed

    @cached_property
    def passing(self) -> Rate:
        return Rate.of(self.passed)

    @property
    def passes(self) -> str:
        """What the runs do that pass, as a verb of several."""
        return "succeed" if self.by_target else f"reach {self._named_goal}"

    @property
    def fails(self) -> str:
        """What the others do."""
        return "fail" if self.by_target else f"fall short of {self._named_goal}"

    @property
    def by_target(self) -> bool:
        """The runs that pass are those that succeed."""
        return self.goal == self.target and not self.regression

    @property
    def _named_goal(self) -> str:
        return f"an R² of {self.goal:.2f}" if self.regression else f"{self.goal:.2f}"

    @property
    def is_stuck(self) -> bool:
        """Some run of the history does not pass."""
        return self.history is not None and bool(self.stuck.any())

    @cached_property
    def end(self) -> lookahead.Pass:
        """The forward pass with the final weights of every run."""
        runs = np.arange(self.history.runs)
        weights = lookahead.run_first(self.history.weights, -1, runs)
        x, _ = self.sampled
        x = np.resize(x, (len(runs), *x.shape[1:]))
        with np.errstate(all="ignore"):
            return lookahead.forward(self.model, weights, x)

    @cached_property
    def constant(self) -> np.ndarray:
        """bool (runs,): the trained network decides the same for every row."""
        out = self.end.output
        decision = out[..., 0] > 0.5 if out.shape[-1] == 1 else out.argmax(axis=-1)
        return (decision == decision[:, :1]).all(axis=1)

    @cached_property
    def flat(self) -> np.ndarray:
        """bool (runs,): the trained network outputs the very same number for every row."""
        out = self.end.output
        return (np.ptp(out, axis=1) <= 1e-6 * (1 + np.abs(out).max(axis=1))).all(axis=1)

    @cached_property
    def silenced(self) -> np.ndarray:
        """bool (runs,): a hidden ReLU layer is dead as a whole after the last epoch."""
        if self.history.health is None or not self.hidden:
            return np.zeros(self.history.runs, bool)
        rectified = [n for n, layer in enumerate(self.hidden) if layer.activation == "relu"]
        return (self.history.health.dead[-1][rectified] == 1).any(axis=0)

    @cached_property
    def silenced_in_training(self) -> float:
        """Share of the stuck runs that lost a whole layer, less the share that starts without."""
        at_start = [
            dead == 1
            for layer, dead in zip(self.hidden, self.dead_at_start, strict=True)
            if layer.activation == "relu"
        ]
        if not at_start:
            return 0.0
        return float(self.silenced[self.stuck].mean() - np.any(at_start, axis=0).mean())

    @cached_property
    def further(self) -> tuple[np.ndarray, lookahead.Pace] | None:
        """Where stuck runs go from their last weights; their numbers, and the look ahead."""
        runs = np.flatnonzero(self.stuck & self.history.finite)[:RUNS_AHEAD]
        if not len(runs):
            return None
        weights = lookahead.run_first(self.history.weights, -1, runs)
        x, y = self.sampled
        x, y = x[: len(runs)], y[: len(runs)]
        found = self.ahead(self.experiment, weights, (x, y), LATER_MOVES)
        return None if found is None else (runs, found)

    @cached_property
    def updates_left(self) -> np.ndarray:
        """Updates that stuck runs still need at this learning rate; inf where none is in sight."""
        if self.further is None:
            return np.array([np.inf])
        return self.further[1].path_to(self.goal) / self.rate

    @cached_property
    def moving(self) -> bool:
        """Most stuck runs would get to the goal if they went on."""
        return bool(np.isfinite(np.median(self.updates_left)))


def grown_share(loss: np.ndarray) -> float:
    """Share of runs whose loss (before, after) has at least doubled or is no number."""
    return float((~(loss[1] < 2 * np.maximum(loss[0], 1e-3))).mean())


def ends_better(one: lookahead.Pace, other: lookahead.Pace | None) -> bool:
    """The other look ahead ends with a better score: by 0.1, and by three standard errors."""
    if other is None:
        return False
    gain = other.end.mean() - one.end.mean()
    error = math.sqrt(other.end.var() / len(other.end) + one.end.var() / len(one.end))
    return bool(gain > max(BETTER, 3 * error))


# --- figures that need no experiment --------------------------------------------------------------


def bayes_accuracy(source: Blobs) -> float:
    """The accuracy of the best possible classifier of the clouds, over fresh rows.

    It chooses the class with the highest density: a product over the features of a uniform
    density, convolved with the normal noise.
    """
    samples = max(CEILING_ROWS // source.classes, 20)
    x, classes = draw(replace(source, samples=samples), generator(SEED, 2))
    centre = sum(source.bounds[0]) / 2
    scores = np.empty((len(x), source.classes))
    for k, (low, high) in enumerate(source.bounds):
        shift = source.overlap * (centre - (low + high) / 2)
        with np.errstate(divide="ignore"):
            scores[:, k] = np.log(_density(x, low + shift, high + shift, source.noise)).sum(axis=1)
    # Equal densities are a coin toss between the classes, not a win for the first one.
    best = scores == scores.max(axis=1, keepdims=True)
    right = best[np.arange(len(x)), classes] / best.sum(axis=1)
    return float(right.mean())


def _density(x: np.ndarray, low: float, high: float, noise: float) -> np.ndarray:
    width = high - low
    if noise == 0:
        inside = (x >= low - 1e-12) & (x <= high + 1e-12)
        return inside / width if width else inside.astype(float)
    if width <= 1e-6 * noise:
        return np.exp(-0.5 * ((x - low) / noise) ** 2) / noise
    return np.maximum(_normal_cdf((x - low) / noise) - _normal_cdf((x - high) / noise), 0) / width


_GRID = np.linspace(-8, 8, 1_601)
_CDF = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in _GRID])


def _normal_cdf(z: np.ndarray) -> np.ndarray:
    return np.interp(z, _GRID, _CDF)


def neighbour_accuracy(inputs: np.ndarray, classes: np.ndarray) -> float:
    """Accuracy of the vote of each row's nearest others, the columns standardised."""
    spread = inputs.std(axis=0)
    z = (inputs - inputs.mean(axis=0)) / np.where(spread > 0, spread, 1)
    square = np.square(z).sum(axis=1)
    distance = square[:, None] + square[None] - 2 * z @ z.T
    np.fill_diagonal(distance, np.inf)
    nearest = np.argpartition(distance, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    votes = (classes[nearest][..., None] == np.arange(classes.max() + 1)).sum(axis=1)
    return float((votes.argmax(axis=1) == classes).mean())


def linear_accuracy(inputs: np.ndarray, classes: np.ndarray) -> float:
    """Training accuracy of the best straight boundaries found: discriminant analysis and descent.

    Fisher's discriminants (pooled covariance) and 100 steps of multinomial logistic regression.
    """
    spread = inputs.std(axis=0)
    z = (inputs - inputs.mean(axis=0)) / np.where(spread > 0, spread, 1)
    present = np.unique(classes)
    means = np.array([z[classes == k].mean(axis=0) for k in present])
    within = z - means[np.searchsorted(present, classes)]
    inverse = np.linalg.pinv(within.T @ within / len(z) + 1e-6 * np.eye(z.shape[1]))
    kernel = inverse @ means.T
    bias = -0.5 * (means @ inverse * means).sum(axis=1)
    hot = (classes[:, None] == present).astype(float)
    best = float(((z @ kernel + bias).argmax(axis=1) == hot.argmax(axis=1)).mean())
    kernel, bias = np.zeros_like(kernel), np.zeros(len(present))
    for _ in range(100):
        slope = (activation("softmax").value(z @ kernel + bias) - hot) / len(z)
        kernel, bias = kernel - 2.0 * z.T @ slope, bias - 2.0 * slope.sum(axis=0)
    return max(best, float(((z @ kernel + bias).argmax(axis=1) == hot.argmax(axis=1)).mean()))


def near_bound(name: str, out: np.ndarray) -> float:
    """Share of outputs within 1% of a bound of the activation's range; 0 where it has none."""
    low, high = activation(name).unsaturated
    return 0.0 if math.isinf(low) else float(((out <= low) | (out >= high)).mean())
