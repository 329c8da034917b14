"""The score that is enough for nothing to be wrong."""

from __future__ import annotations

from functools import cached_property

from core.diagnosis.observations.rows import RowStatistics
from core.experiment import Experiment


class Goal:
    """The target, or the same share of the way from the baseline to the best possible score.

    Runs succeed by the target alone (`History.successes`); those that reach a goal below it pass,
    and are said to reach it.

    Args:
        experiment: Whose runs are judged.
        target: The score that counts as success.
        rows: Statistics of its training rows.
    """

    def __init__(self, experiment: Experiment, target: float, rows: RowStatistics):
        self.experiment, self.target, self.rows = experiment, target, rows

    @property
    def regression(self) -> bool:
        """The score is R²."""
        return self.experiment.task.name == "regression"

    @cached_property
    def score(self) -> float:
        """The accuracy, or R², at which a run passes."""
        chance = self.rows.baseline(self.experiment.task)
        if self.target <= chance or self.rows.ceiling >= 1:
            return self.target
        part = (self.target - chance) / (1 - chance)
        return chance + max(self.rows.ceiling - chance, 0) * part

    @cached_property
    def printable(self) -> float:
        """The best accuracy that Keras can print, whatever the weights: it only matches 0 and 1."""
        data, model = self.experiment.data, self.experiment.model
        if model.output.units > 1 or self.rows.continuous:
            return 1.0
        if data.target_width > 1:
            return 1 - 1 / data.target_width
        # Softmax of one number is 1, whatever the number.
        matched = (1,) if model.output_activation.name == "softmax" else (0, 1)
        by_class = zip(self.rows.shares, data.targets, strict=True)
        return float(sum(share for share, target in by_class if target in matched))

    @property
    def learnable(self) -> bool:
        """The goal can be printed at all, so that the pace towards it means something."""
        return self.printable >= self.score

    @property
    def is_target(self) -> bool:
        """The runs that pass are those that succeed."""
        return self.score == self.target

    @property
    def passes(self) -> str:
        """What the runs do that pass, as a verb in the plural."""
        return "succeed" if self.is_target else f"reach {self._name}"

    @property
    def fails(self) -> str:
        """What the others do."""
        return "fail" if self.is_target else f"fall short of {self._name}"

    @property
    def _name(self) -> str:
        return f"an R² of {self.score:.2f}" if self.regression else f"{self.score:.2f}"
