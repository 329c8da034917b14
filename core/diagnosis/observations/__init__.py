"""What a diagnosis looks at: the rows, the start, a look ahead, and the end of a training.

Each figure is computed once, on first use.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from core.baselines import Baselines, Estimate
from core.diagnosis.observations.ahead import LookAhead
from core.diagnosis.observations.draws import SEED, Draws
from core.diagnosis.observations.end import FinalState
from core.diagnosis.observations.goal import Goal
from core.diagnosis.observations.rows import RowStatistics
from core.diagnosis.observations.start import InitialState, parameters
from core.diagnosis.thresholds import DECAYED, EARLY, ENDURING, SHRUNK
from core.experiment import BatchNormalisation, Data, Dense, Experiment, Model, Training
from core.fixes import without_penalties
from core.history import History
from core.initialisers import initialiser

LUCK = 2.5
"""Standard errors by which the best of 64 runs is better than it should be."""

__all__ = ["FinalState", "Observations", "final_state"]


class Observations:
    """The figures of one experiment and, where there is one, of its history.

    Args:
        experiment: What is diagnosed.
        history: Of this experiment, or None before any training.
        target: The accuracy that counts as success.
        baselines: What other models reach on the same rows, where that was measured.

    Attributes:
        rows: What the training rows say.
        goal: The score that is enough for nothing to be wrong.
        start: The network before training.
        ahead: Where the optimizer leads from there.
        end: How the runs of the history ended; None without one.
    """

    def __init__(
        self,
        experiment: Experiment,
        history: History | None,
        target: float,
        baselines: Baselines | None = None,
    ):
        self.experiment, self.history = experiment, history
        seed = SEED if history is None else history.seed
        self.rows = RowStatistics(experiment.data, seed, baselines, _reached(history))
        self.goal = Goal(experiment, target, self.rows)
        draws = Draws(self.rows)
        self.start = InitialState(experiment, history, draws)
        self.ahead = LookAhead(experiment, self.goal, draws, self.travel, self.start)
        self.end: FinalState | None = None
        if history is not None:
            self.end = FinalState(history, self.goal, draws, self.start, self.ahead)

    @cached_property
    def failing(self) -> FinalState | None:
        """The end of the training if more runs of it than one in 16 do not pass; else None.

        So few are no sign of a fault, and what they show is none either.
        """
        return None if self.end is None or self.end.sound else self.end

    @property
    def all_passed(self) -> bool:
        """There is a history, and every run of it passes, or all but one in 16."""
        return self.end is not None and self.failing is None

    @property
    def data(self) -> Data:
        return self.experiment.data

    @property
    def model(self) -> Model:
        return self.experiment.model

    @property
    def training(self) -> Training:
        return self.experiment.training

    @property
    def hidden(self) -> tuple[Dense, ...]:
        """The dense layers before the output."""
        return self.model.dense[:-1]

    @property
    def activations(self) -> tuple[str, ...]:
        """The names of the hidden dense layers' activations, from whichever layer they come."""
        return tuple(activation.name for activation in self.model.activations[:-1])

    @property
    def levels(self) -> tuple[float | None, ...]:
        """For each dense layer what all its weights start from; None where they differ."""
        return tuple(initialiser(layer.initialiser).level for layer in self.model.dense)

    @property
    def output_activation(self) -> str:
        """The name of the activation of the network's outputs."""
        return self.model.output_activation.name

    @property
    def parameters(self) -> int:
        """Weights and biases of the dense layers."""
        return parameters(self.model, self.data.source.features)

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.training.optimizer.learning_rate

    @property
    def updates_per_epoch(self) -> int:
        return -(-self.data.training_rows // self.training.batch_size)

    @property
    def updates(self) -> int:
        """In all epochs."""
        return self.updates_per_epoch * self.training.epochs

    @property
    def travel(self) -> float:
        """How far the training can take a weight: the sum of its learning rates."""
        return self.training.optimizer.travel(self.updates)

    @cached_property
    def rate_dies(self) -> int | None:
        """Updates after which a schedule leaves next to nothing of the learning rate.

        None where it never does in the first half of the training.
        """
        schedule = self.training.optimizer.schedule
        if schedule is None:
            return None
        numbers = np.unique(np.linspace(0, self.updates, 1_000).round())
        factors = schedule.factors(numbers)
        alive = numbers[factors >= DECAYED * factors.max()]
        dies = int(alive.max()) + 1
        return dies if dies <= EARLY * self.updates else None

    @property
    def futile(self) -> bool:
        """More updates lead nowhere.

        The momentum never ends, a batch is its own mean, or a decay has taken the weights.
        """
        momentum = getattr(self.training.optimizer, "momentum", 0.0)
        normalised = any(isinstance(layer, BatchNormalisation) for layer in self.model.layers)
        batch = min(self.training.batch_size, self.data.training_rows)
        return (
            momentum >= ENDURING
            or (normalised and batch == 1)
            or (self.decayed_away or self.penalised_away)
        )

    @property
    def decayed_away(self) -> bool:
        """Under a weight decay the runs that do not pass end with far smaller weights."""
        return bool(self.training.optimizer.weight_decay) and self._shrunk

    @property
    def is_penalised(self) -> bool:
        """The loss includes penalties on weights or outputs."""
        return without_penalties(self.experiment) != self.experiment

    @property
    def penalised_away(self) -> bool:
        """The same under such penalties."""
        return self._shrunk and self.is_penalised

    @property
    def _shrunk(self) -> bool:
        end = self.failing
        return end is not None and bool(np.median(end.growth[end.failed]) < SHRUNK)

    @property
    def stopped_early(self) -> bool:
        """A callback stopped most of the runs that do not pass before their last epoch."""
        if self.failing is None:
            return False
        ends = self.failing.history.ends[self.failing.failed]
        return bool(np.median(ends) < self.training.epochs)


def final_state(history: History, target: float, baselines: Baselines | None = None) -> FinalState:
    """How the runs of a history ended, judged by a target."""
    end = Observations(history.experiment, history, target, baselines).end
    assert end is not None, "there is a history"
    return end


def _reached(history: History | None) -> Estimate | None:
    """What the best run surely reached on held-out rows: of so many, the luckiest is best."""
    if history is None or not history.experiment.data.held_out_rows:
        return None
    best = float(np.nan_to_num(history.final_score, nan=-np.inf).max())
    rows = history.experiment.data.held_out_rows
    if not best > 0:
        return None
    if history.experiment.task.share:
        error = math.sqrt(best * max(1 - best, 1 / rows) / rows)
    else:
        error = 2 * math.sqrt(best / rows) * (1 - best)
    return Estimate("the best of these runs", best - LUCK * error, error)
