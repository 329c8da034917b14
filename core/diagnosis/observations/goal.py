"""The score that is enough for nothing to be wrong."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from core.diagnosis.observations.rows import RowStatistics
from core.diagnosis.thresholds import FEW_HELD_OUT
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
        """The accuracy, or R², at which a run passes.

        Where the best possible score is an estimate, and of an R² always, it may be two standard
        errors lower. The variance of an R² is about 4 R² (1 - R²)² / rows (Olkin and Finn,
        "Correlations redux", 1995).
        """
        chance = self.rows.baseline(self.experiment.task)
        if self.target <= chance or self.rows.ceiling >= 1:
            return self.target
        part = (self.target - chance) / (1 - chance)
        enough = chance + max(self.rows.ceiling - chance, 0) * part
        if not self.regression and not self.is_estimated:
            return enough
        # Of the best model too, the score on few rows varies by chance.
        data, ceiling = self.experiment.data, max(self.rows.ceiling, 0)
        rows = data.held_out_rows or data.training_rows
        if self.regression:
            error = 2 * math.sqrt(ceiling / rows) * (1 - ceiling)
        else:
            error = math.sqrt(ceiling * (1 - ceiling) / rows)
        best = self.rows.best_known
        if not self.is_estimated or best is None:
            return max(enough - 2 * error, enough / 2)
        surely = ceiling - 2 * math.hypot(error, best.error)
        if surely >= self.target:
            return self.target
        if self.is_unknown and not self.regression:
            # Whoever does worse than a constant answer has learnt nothing, but on a few rows held
            # out it may be chance.
            return max(surely, chance - 2 * error * (0 < data.held_out_rows < FEW_HELD_OUT))
        return max(min(enough, surely), (chance + enough) / 2)

    @property
    def error(self) -> float:
        """The standard error of this score on the rows held out; 0 where none are."""
        rows, score = self.experiment.data.held_out_rows, min(max(self.score, 0), 1)
        if not rows:
            return 0.0
        if self.regression:
            return 2 * math.sqrt(score / rows) * (1 - score)
        return math.sqrt(score * (1 - score) / rows)

    @property
    def is_estimated(self) -> bool:
        """What is possible is known only from what some models reach."""
        rows = self.rows
        if rows.known_ceiling is not None or rows.best_known is None:
            return False
        return rows.continuous or rows.best_known.score < rows.agreement

    @cached_property
    def is_unknown(self) -> bool:
        """No model is clearly better than a constant answer, so that it may be all there is."""
        best = self.rows.best_known
        if not self.is_estimated or best is None:
            return False
        return best.score - 2 * best.error <= self.rows.baseline(self.experiment.task)

    @cached_property
    def printable(self) -> float:
        """The best score that Keras can print, whatever the weights.

        Its accuracy of one output only matches labels 0 and 1; an R² of 1 takes outputs that can
        be any of the targets.
        """
        data, model = self.experiment.data, self.experiment.model
        if self.regression:
            return self._printable_r2()
        if self.rows.continuous:
            return 1.0
        if data.source.label_columns and model.output_activation.name == "softmax":
            # Of outputs that sum to 1, one at most is above 0.5.
            present = self.rows.targets.sum(axis=1)
            return float(1 - np.maximum(present - 1, 0).mean() / data.target_width)
        if model.output.units > 1:
            return 1.0
        if data.target_width > 1 or data.source.label_columns:
            ones = self.rows.targets.mean(axis=1)
            return float(np.maximum(ones, 1 - ones).mean())
        # Softmax of one number is 1, whatever the number.
        matched = (1,) if model.output_activation.name == "softmax" else (0, 1)
        by_class = zip(self.rows.shares, data.targets, strict=True)
        return float(sum(share for share, target in by_class if target in matched))

    def _printable_r2(self) -> float:
        """Of the possible outputs that are nearest to the targets."""
        output, y = self.experiment.model.output_activation, self.rows.targets
        single = self.experiment.model.output.units == 1
        if single and output.name == "softmax":
            return 0.0
        nearest = np.clip(y.mean(axis=1, keepdims=True) if single else y, output.low, output.high)
        return float(self.experiment.task.hits(nearest, y).mean())

    @property
    def learnable(self) -> bool:
        """The goal can be printed at all, so that the pace towards it means something."""
        return self.printable >= self.score

    @cached_property
    def noisy(self) -> bool:
        """Noise keeps any model so far from an R² of 1 that it is worth a word."""
        return self.regression and self.rows.ceiling < (1 + self.target) / 2

    @cached_property
    def is_trivial(self) -> bool:
        """The target is reached without looking at the inputs, by always giving one answer."""
        one_class = self.experiment.data.has_one_class_per_row
        return one_class and self.target <= self.rows.baseline(self.experiment.task) < 1

    @property
    def is_target(self) -> bool:
        """The runs that pass are those that succeed."""
        return self.score == self.target and not self.is_trivial

    @property
    def passes(self) -> str:
        """What the runs do that pass, as a verb in the plural."""
        if self.is_trivial:
            return "tell the classes apart"
        return "succeed" if self.is_target else f"reach {self.name}"

    @property
    def fails(self) -> str:
        """What the others do."""
        if self.is_trivial:
            return "give every row one answer"
        return "fail" if self.is_target else f"fall short of {self.name}"

    @property
    def enough(self) -> str:
        """What counts in place of the target, in a sentence."""
        task = self.experiment.task
        where = "out of reach" if self.rows.ceiling < self.target else "close to that"
        return (
            f"The target of {task.stated(self.target)} is {where}, so the diagnosis counts "
            f"{task.stated(self.score)} as enough."
        )

    @property
    def name(self) -> str:
        """The goal in words, after "reach"."""
        return self.experiment.task.phrased(self.score)
