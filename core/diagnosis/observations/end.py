"""How the runs ended, and where those that failed would go from there."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from core import network
from core.diagnosis import lookahead
from core.diagnosis.observations.ahead import LONGEST_MOVE, MOVES, LookAhead
from core.diagnosis.observations.draws import RUNS, Draws
from core.diagnosis.observations.goal import Goal
from core.diagnosis.observations.start import InitialState
from core.diagnosis.thresholds import ORDER, SOUND
from core.engine.grouping import steps
from core.history import IMPROVING, LAST_PART, LEAST_FALL, History
from core.metrics import balanced_accuracy
from core.rates import Rate

LATER_MOVES = np.concatenate([MOVES, np.full(32, LONGEST_MOVE)])
"""The steps of a look ahead from the end of a training, where the answer may take longer."""


class FinalState:
    """The runs of a history after their last epoch.

    Args:
        history: Of the experiment.
        goal: The score at which a run passes.
        draws: Where the rows come from.
        start: The network before training.
        ahead: What looks ahead from the last weights.
    """

    def __init__(
        self, history: History, goal: Goal, draws: Draws, start: InitialState, ahead: LookAhead
    ):
        self.history, self.goal, self.draws = history, goal, draws
        self.start, self.ahead = start, ahead

    @property
    def scores(self) -> np.ndarray:
        """(runs,), the final score."""
        return self.history.final_score

    @cached_property
    def passed(self) -> np.ndarray:
        """bool (runs,): the score reaches the goal, and not by always giving one answer."""
        reached = self.history.successes(self.goal.score)
        if self.goal.is_trivial:
            return reached & ~self._one_answer
        if self.goal.is_unknown:
            return reached & ~self._constant
        return reached

    @property
    def _constant(self) -> np.ndarray:
        """bool (runs,): every row gets about the same prediction."""
        if self.goal.regression:
            return self.output_spread < 1 / ORDER
        return self.constant_decision

    @property
    def failed(self) -> np.ndarray:
        """bool (runs,): the score does not."""
        return ~self.passed

    @cached_property
    def rate(self) -> Rate:
        """Of the runs that pass."""
        return Rate.of(self.passed)

    @property
    def sound(self) -> bool:
        """So nearly all runs pass, or come so close, that the others are no sign of a fault."""
        return self.rate.value >= SOUND or self.close

    @cached_property
    def close(self) -> bool:
        """On the rows held out, the runs are as good as the goal to within its standard error.

        On the training rows they have reached it.
        """
        if self.rate.value >= SOUND or not self.goal.error or self.goal.is_trivial:
            return False
        near = (
            float(np.nan_to_num(self.scores, nan=-1.0).mean()) >= self.goal.score - self.goal.error
        )
        return near and self._fits_training_rows and not self._constant.any()

    @cached_property
    def output(self) -> np.ndarray:
        """(runs, rows, units), of the output layer with the final weights of every run."""
        return self._output_of(self.draws.repeated(self.history.runs)[0])

    def _output_of(self, x: np.ndarray) -> np.ndarray:
        """(runs, rows, units), of inputs x (runs, rows, features)."""
        runs = np.arange(self.history.runs)
        weights = network.run_first(self.history.weights, -1, runs)
        with np.errstate(all="ignore"):
            return network.forward(self.history.experiment.model, weights, x).output

    @property
    def labels(self) -> np.ndarray:
        """(runs, rows, width), of the same rows."""
        return self.draws.repeated(self.history.runs)[1]

    @cached_property
    def _one_answer(self) -> np.ndarray:
        """bool (runs,): the decision is the same for rows of every class."""
        return self.balanced_accuracy <= 1 / (self.goal.rows.shares > 0).sum() + 1e-9

    @cached_property
    def balanced_accuracy(self) -> np.ndarray:
        """(runs,): the mean over the classes of the share of right decisions."""
        rows = self.goal.rows.prepared
        output, y = self._output_of(rows.x[None].repeat(self.history.runs, axis=0)), rows.y
        return np.array([balanced_accuracy(each, y) for each in output])

    @cached_property
    def constant_decision(self) -> np.ndarray:
        """bool (runs,): the trained network decides the same for every row."""
        several = self.output.shape[-1] > 1
        if several and not self.history.experiment.data.source.label_columns:
            decision = self.output.argmax(axis=-1)[..., None]
        else:
            decision = self.output > 0.5
        return (decision == decision[:, :1]).all(axis=(1, 2))

    @cached_property
    def constant_output(self) -> np.ndarray:
        """bool (runs,): the trained network outputs the very same number for every row."""
        out = self.output
        return (np.ptp(out, axis=1) <= 1e-6 * (1 + np.abs(out).max(axis=1))).all(axis=1)

    @cached_property
    def output_spread(self) -> np.ndarray:
        """(runs,): the outputs' standard deviation over that of the targets, largest of all."""
        with np.errstate(all="ignore"):
            return (self.output.std(axis=1) / self.labels.std(axis=1)).max(axis=-1)

    @cached_property
    def growth(self) -> np.ndarray:
        """(runs,): the norm of all kernels after the training over that before; 1 if unknown."""
        kernels = [
            self.history.weights[slot]
            for slot in network.kernel_slots(self.history.experiment.model)
            if slot < len(self.history.weights)
        ]
        if not kernels:
            return np.ones(self.history.runs)
        with np.errstate(all="ignore"):
            squares = sum(
                np.square(each[[0, -1]]).sum(axis=(1, 2), dtype=float) for each in kernels
            )
            before, after = np.sqrt(squares)
            return np.nan_to_num(after / np.maximum(before, 1e-30), nan=np.inf)

    @cached_property
    def _relu_layers(self) -> list[int]:
        hidden = self.history.experiment.model.activations[:-1]
        return [index for index, activation in enumerate(hidden) if activation.name == "relu"]

    @property
    def lost(self) -> bool:
        """In most of the runs that do not pass the loss was infinite or NaN."""
        return bool((self.failed & ~self.history.finite).sum() > self.failed.sum() / 2)

    @cached_property
    def silenced(self) -> np.ndarray:
        """bool (runs,): a hidden ReLU layer is dead as a whole after the last epoch."""
        if self.history.health is None or not self._relu_layers:
            return np.zeros(self.history.runs, bool)
        return (self.history.at_end(self.history.health.dead)[self._relu_layers] == 1).any(axis=0)

    @cached_property
    def silenced_in_training(self) -> float:
        """Share of the failed runs that lost a whole layer, less the share that starts without."""
        if not self._relu_layers:
            return 0.0
        at_start = [self.start.dead[index] == 1 for index in self._relu_layers]
        return float(self.silenced[self.failed].mean() - np.any(at_start, axis=0).mean())

    @cached_property
    def _onwards(self) -> lookahead.Pace | None:
        """Where failed runs go from their last weights; None where it cannot be said."""
        runs = np.flatnonzero(self.failed & self.history.finite)[:RUNS]
        if not len(runs):
            return None
        weights = network.run_first(self.history.weights, -1, runs)
        x, y = self.draws.sample
        rows = x[: len(runs)], y[: len(runs)]
        return self.ahead.follow(self.history.experiment, rows, weights, LATER_MOVES)

    @cached_property
    def way_left(self) -> float:
        """The sum of learning rates that failed runs still need, median; inf beyond the ahead."""
        if self._onwards is None:
            return np.inf
        return float(np.median(self._onwards.path_to(self.goal.score)))

    @cached_property
    def updates_left(self) -> np.ndarray:
        """Updates that failed runs still need; inf where none is in sight."""
        begun = steps(self.history.experiment) * self.history.epochs
        if self._onwards is None:
            return begun * self._epochs_left / self.history.epochs
        optimizer = self.history.experiment.training.optimizer
        ways = self._onwards.path_to(self.goal.score)
        left = ways / optimizer.learning_rate
        if optimizer.schedule is not None:
            left = np.array([optimizer.updates_over(way, begun) for way in ways])
        if self.ahead.is_coarse and not np.isfinite(left).any():
            # One run in few steps may miss what the curves of all of them show.
            return begun * self._epochs_left / self.history.epochs
        return left

    @cached_property
    def _epochs_left(self) -> np.ndarray:
        """(failed runs,): epochs to the goal if the score goes on as in the last third of them.

        inf where the loss does not fall, or the score rises by less than its own restlessness.
        """
        loss, score = self.history.evaluated_loss, self.history.evaluated_score
        loss, score = loss[:, self.failed], score[:, self.failed]
        since = self.history.epochs - max(round(self.history.epochs * LAST_PART), 1) - 1
        if since < 0:
            return np.full(loss.shape[1], np.inf)
        with np.errstate(all="ignore"):
            falls = loss[since] - loss[-1] > LEAST_FALL * np.abs(loss[since])
            rise = score[-1] - score[since]
            restless = np.abs(np.diff(score[since:], axis=0)).mean(axis=0)
            going = falls & (rise > np.maximum(restless, LEAST_FALL))
            left = (self.goal.score - score[-1]) * (self.history.epochs - 1 - since) / rise
        return np.where(going & np.isfinite(left), np.maximum(left, 1), np.inf)

    @cached_property
    def improving(self) -> bool:
        """The curves of most failed runs still show a gain in the last third of the epochs."""
        outcomes = self.history.outcomes(self.goal.score)[self.failed]
        return bool((outcomes == IMPROVING).mean() > 0.5)

    @cached_property
    def moving(self) -> bool:
        """Most failed runs would get to the goal if they went on."""
        left = np.median(self.updates_left)
        return bool(np.isfinite(left)) and not self.goal.is_trivial and not self._fits(left)

    def _fits(self, left: float) -> bool:
        """The training rows have the score that others lack, which more updates do not mend.

        Args:
            left: Updates to the goal on them, of the median run.
        """
        if left > 0 or self.goal.regression:
            return left == 0
        return self.history.experiment.data.held_out_rows > 0 and self._fits_training_rows

    @property
    def _fits_training_rows(self) -> bool:
        """Most of the runs that do not pass have the score of the goal on the training rows."""
        shown = self.history.at_end(self.history.evaluated_score)[self.failed]
        return bool(np.median(shown) >= self.goal.score)
