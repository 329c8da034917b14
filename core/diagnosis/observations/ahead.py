"""Where the optimizer leads from the initial weights, in few large steps."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from core.diagnosis import lookahead
from core.diagnosis.estimates import grown_share
from core.diagnosis.observations.draws import ROWS, Draws
from core.diagnosis.observations.goal import Goal
from core.diagnosis.observations.start import InitialState
from core.experiment import Experiment
from core.fixes import widened, without_penalties

LONGEST_MOVE = 0.1
"""Largest step of a look ahead: a fraction of a typical initial weight, to stay on the path."""
MOVES = np.minimum(0.01 * 1.22 ** np.arange(28), LONGEST_MOVE)
"""The steps of a look ahead: short ones first, as a short way needs a fine scale."""
OPERATIONS, ACTIVATIONS = 2e8, 3e4
"""Multiplications that one look ahead may take, and units it may compute a step, about 20 ms each;
bigger networks get fewer rows, fewer runs or, in the end, coarser steps."""
COARSE = 10
"""Steps of the look ahead of a network that is too big for more, as far in all, of one run;"""
COARSE_OPERATIONS = 2.5e8
"""what they may take: beyond about 130,000 weights nothing is looked ahead."""
USUAL_INPUTS = 32
"""Inputs of a layer up to which the steps may be LONGEST_MOVE long: each moves a sum of as many
terms, so that with more inputs shorter ones lead as far."""
TRIAL_UPDATES = 20
"""Updates that are computed one by one to see whether the learning rate makes them diverge."""
TRIAL_RATES = (1.0, 0.1, 0.01)
"""What the learning rate is multiplied by for them, the lower ones only where it matters; of a big
network, half as many updates."""
CLEAR = 0.5
"""Of eight runs ahead, a gain of half is beyond chance (one-sided Fisher test, 0.04)."""
BETTER = 0.1
"""A gain in the score that is worth a word."""


class LookAhead:
    """A short simulation of the training, as it is and with changes.

    Args:
        experiment: What is simulated.
        goal: The score that its runs should reach.
        draws: Where rows and initial weights come from.
        travel: How far the training can take a weight: the sum of its learning rates.
        start: The network before training.
    """

    def __init__(
        self, experiment: Experiment, goal: Goal, draws: Draws, travel: float, start: InitialState
    ):
        self.experiment, self.goal, self.draws, self.travel = experiment, goal, draws, travel
        self.start = start
        self._trials: dict[float, np.ndarray] = {}

    @property
    def _rate(self) -> float:
        return self.experiment.training.optimizer.learning_rate

    @property
    def _is_standardised(self) -> bool:
        return self.experiment.data.scaling == "standardise"

    def follow(
        self,
        experiment: Experiment,
        rows: tuple[np.ndarray, np.ndarray],
        weights: list[np.ndarray] | None = None,
        moves: np.ndarray = MOVES,
    ) -> lookahead.Pace | None:
        """Where the optimizer leads.

        Args:
            experiment: With the features of this one.
            rows: x (runs, rows, features) and y (runs, rows, width).
            weights: Where it starts, with the same number of runs; None for initial weights.
            moves: (steps,), how far each step may take a weight.

        Returns:
            None where the network is too big to say so at once. The score is R² for a regression.
        """
        x, y = rows
        widths = self._widths(experiment)
        moves = moves * self.scale
        if 2 * x.shape[0] * x.shape[1] * sum(widths) > ACTIVATIONS:
            x, y = x[:, : ROWS // 2], y[:, : ROWS // 2]
        every = self._every(experiment, x, moves)
        if every is None:
            if self._operations(experiment, 1, x.shape[1], COARSE) > COARSE_OPERATIONS:
                return None
            moves, every = coarser(moves, COARSE * len(moves) // len(MOVES)), len(x)
        x, y = x[::every], y[::every]
        if weights is None:
            weights = self.draws.weights(experiment, x.shape[0])
        else:
            weights = [array[::every] for array in weights]
        return lookahead.pace(
            experiment, weights, x, y, moves, self.draws.rng, enough=self.goal.score
        )

    def _widths(self, experiment: Experiment) -> list[int]:
        features = self.experiment.data.source.features
        return [features, *(layer.units for layer in experiment.model.dense)]

    def _operations(self, experiment: Experiment, runs: int, rows: int, steps: int) -> float:
        return 6 * sum(a * b for a, b in pairwise(self._widths(experiment))) * runs * rows * steps

    def _every(self, experiment: Experiment, x: np.ndarray, moves: np.ndarray) -> int | None:
        """Which of the runs are followed, for it not to take long; None if two take too long."""
        every = 1
        while (
            self._operations(experiment, len(x[::every]), x.shape[1], len(moves)) > OPERATIONS
            or len(x[::every]) * x.shape[1] * sum(self._widths(experiment)) > ACTIVATIONS
        ):
            every *= 2
            if every > len(x) // 2:
                return None
        return every

    @property
    def is_coarse(self) -> bool:
        """The network is so big that one run alone is followed, if any."""
        return self._every(self.experiment, self.draws.sample[0][:, : ROWS // 2], MOVES) is None

    @cached_property
    def scale(self) -> float:
        """What the moves are multiplied by, so that they are short beside the initial weights."""
        return min(1.0, USUAL_INPUTS / max(self._widths(self.experiment)[:-1]))

    @cached_property
    def as_is(self) -> lookahead.Pace | None:
        """The experiment as it is."""
        return self.follow(self.experiment, self.draws.sample)

    @cached_property
    def standardised(self) -> lookahead.Pace | None:
        """With standardised inputs."""
        scaled = replace(self.draws.rows.reduced, scaling="standardise")
        return self.follow(self.experiment, self.draws.sample_of(scaled))

    @cached_property
    def undecayed(self) -> lookahead.Pace | None:
        """Without weight decay."""
        optimizer = replace(self.experiment.training.optimizer, weight_decay=0.0)
        training = replace(self.experiment.training, optimizer=optimizer)
        return self.follow(replace(self.experiment, training=training), self.draws.sample)

    @cached_property
    def unpenalised(self) -> lookahead.Pace | None:
        """Without penalties on weights and outputs."""
        return self.follow(without_penalties(self.experiment), self.draws.sample)

    @cached_property
    def wide(self) -> lookahead.Pace | None:
        """With wide hidden layers."""
        return self.follow(widened(self.experiment), self.draws.sample)

    def reached(self, pace: lookahead.Pace | None, travel: float = math.inf) -> float:
        """Share of a look ahead's runs that are at the goal after this length of the path."""
        if pace is None:
            return math.nan
        needed = pace.path_to(min(self.goal.score, self.goal.printable))
        return float((np.isfinite(needed) & (needed <= travel)).mean())

    @cached_property
    def reached_in_time(self) -> float:
        """Share of the runs that are at the goal when the training ends."""
        return self.reached(self.as_is, self.travel)

    @cached_property
    def scaling_helps(self) -> bool:
        """With standardised inputs the runs come further."""
        if self._is_standardised or self.as_is is None:
            return False
        return self._gain_from_scaling >= CLEAR or ends_better(self.as_is, self.standardised)

    @cached_property
    def scaled_targets(self) -> lookahead.Pace | None:
        """With standardised targets."""
        scaled = replace(self.draws.rows.reduced, target_scaling="standardise")
        return self.follow(self.experiment, self.draws.sample_of(scaled))

    @cached_property
    def target_scaling_helps(self) -> bool:
        """With standardised targets the runs come further."""
        if self.as_is is None:
            return False
        gain = self.reached(self.scaled_targets, self.travel) - self.reached_in_time
        return gain >= CLEAR or ends_better(self.as_is, self.scaled_targets)

    @property
    def _gain_from_scaling(self) -> float:
        """What standardised inputs add to the share of starts that get to the goal in time."""
        if not self.reached_in_time < 1:
            return 0.0
        return self.reached(self.standardised, self.travel) - self.reached_in_time

    @cached_property
    def width_helps(self) -> bool:
        """With wide hidden layers the runs come further."""
        if self.as_is is None or self.reached(self.as_is) > 1 - CLEAR:
            return False
        if self.wide is None:
            return False
        gain = self.reached(self.wide) - self.reached(self.as_is)
        return gain >= CLEAR or ends_better(self.as_is, self.wide)

    @property
    def covers_training(self) -> bool:
        """The look ahead goes as far as the whole training."""
        return self.as_is is not None and bool(np.median(self.as_is.path[-1]) >= self.travel)

    @cached_property
    def fails(self) -> bool:
        """The look ahead covers the whole training, and few starts get to the goal in it."""
        return self.covers_training and self.reached_in_time <= 1 - CLEAR

    @cached_property
    def farthest_move(self) -> float:
        """How far the whole training takes the weight that moves most, as far as is known."""
        if self.as_is is None:
            # An optimizer that divides by the size of the gradient moves no weight further; others
            # go as far as the gradient is large, which is that of the start while little moves.
            optimizer = self.experiment.training.optimizer
            size = 1.0 if optimizer.rescales else float(np.median(self.start.steepest))
            return self.travel * size / optimizer.reach if math.isfinite(size) else math.inf
        path = np.median(self.as_is.path, axis=1)
        lengths = np.concatenate([[0], np.cumsum(self.as_is.moves)])[: len(path)]
        return float(np.interp(self.travel, path, lengths)) if np.isfinite(path).all() else math.inf

    @cached_property
    def updates_needed(self) -> float:
        """Updates to the goal at this rate, median of the runs; inf beyond the look ahead."""
        if self.as_is is None:
            return math.nan
        way = float(np.median(self.as_is.path_to(self.goal.score)))
        return self.experiment.training.optimizer.updates_over(way)

    @cached_property
    def updates_covered(self) -> float:
        """Updates at this learning rate that the look ahead covers, median of the runs."""
        if self.as_is is None:
            return 0.0
        way = float(np.nan_to_num(np.median(self.as_is.path[-1]), posinf=0))
        return self.experiment.training.optimizer.updates_over(way)

    @property
    def trial_updates(self) -> int:
        """Updates in `trial`."""
        return TRIAL_UPDATES // 2 if self.is_coarse else TRIAL_UPDATES

    @cached_property
    def _trial_start(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], np.random.Generator]:
        """Rows, labels and weights before the first updates, and what draws their batches."""
        x, y = self.draws.sample
        runs = 1 if self.is_coarse else max(len(x) // 2, 1)
        weights = self.draws.weights(self.experiment, runs)
        return x[:runs], y[:runs], weights, deepcopy(self.draws.rng)

    def trial(self, part: float) -> np.ndarray:
        """Loss (2, runs), before and after the first updates.

        Args:
            part: What the learning rate is multiplied by, of `TRIAL_RATES`.
        """
        if part not in self._trials:
            x, y, weights, rng = self._trial_start
            rates = np.full(len(x), part * self._rate)
            self._trials[part], _ = lookahead.first_updates(
                self.experiment, weights, x, y, rates, self.trial_updates, deepcopy(rng)
            )
        return self._trials[part]

    @cached_property
    def diverging(self) -> float:
        """Share of starts whose loss doubles in the first updates, but not at a lower rate."""
        at_rate = grown_share(self.trial(1.0))
        if at_rate < CLEAR:
            return 0.0  # too few of them, whatever a lower rate does
        return at_rate - min(grown_share(self.trial(part)) for part in TRIAL_RATES[1:])


def coarser(moves: np.ndarray, steps: int) -> np.ndarray:
    """(steps,), fewer moves that lead as far in all."""
    ends = np.concatenate([[0], np.cumsum(moves)])
    places = np.linspace(0, len(moves), steps + 1)
    return np.diff(np.interp(places, np.arange(len(ends)), ends))


def ends_better(one: lookahead.Pace, other: lookahead.Pace | None) -> bool:
    """The other look ahead ends with a better score: by 0.1, and by three standard errors."""
    if other is None:
        return False
    # An R² below 0 is no better than another: both are worse than the mean.
    before, after = (np.maximum(np.nan_to_num(pace.end), 0) for pace in (one, other))
    gain = after.mean() - before.mean()
    error = math.sqrt(after.var() / len(after) + before.var() / len(before))
    return bool(gain > max(BETTER, 3 * error))
