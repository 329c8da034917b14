"""What is kept of a chunk of runs: statistics that add up, in any order, to those of all runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from core.history import History
from core.sweep.sketch import LOSSES, SCORES, Counts, added, counted

CURVE_EPOCHS = 40
"""The most epochs whose scores and losses are kept."""
EXTREMES = 8
"""The best and the worst runs that are kept."""


class Run(NamedTuple):
    """A run's number, final score and final loss; None for what is not finite."""

    number: int
    score: float | None
    loss: float | None


@dataclass(frozen=True)
class Statistics:
    """Counts and sketches of some runs; `+` is associative and commutative, to the last bit.

    Attributes:
        runs: How many there are.
        successes: Of them, those whose final score reaches the target.
        not_finite: Those whose loss is not finite in some epoch.
        dead: Those in which, at the end, all units of a dense layer output 0 for every row; one
            number a layer.
        epochs: By the first epoch after which the score reaches the target; 0 for never.
        final_scores: By cell of SCORES.
        scores, losses: By epoch, and by cell of SCORES or LOSSES: of the runs that were trained in
            the epoch, measured after it on the rows of the final score.
        best, worst: The EXTREMES runs with the highest and the lowest final scores, the first of
            each the extreme one; ties go by the loss, then the number.
        microseconds, compiling: That the chunks took to train, and to compile the program.
    """

    runs: int = 0
    successes: int = 0
    not_finite: int = 0
    dead: tuple[int, ...] = ()
    epochs: Counts = field(default_factory=dict)
    final_scores: Counts = field(default_factory=dict)
    scores: Mapping[int, Counts] = field(default_factory=dict)
    losses: Mapping[int, Counts] = field(default_factory=dict)
    best: tuple[Run, ...] = ()
    worst: tuple[Run, ...] = ()
    microseconds: int = 0
    compiling: int = 0

    @classmethod
    def of(cls, history: History, target: float) -> Statistics:
        """The statistics of the runs of a history, which is of all epochs."""
        loss, score = history.judged
        reached = np.nan_to_num(history.epochs_until(target), nan=0)
        runs = [
            Run(history.first + index, _finite(own_score), _finite(own_loss))
            for index, (own_score, own_loss) in enumerate(
                zip(history.final_score.tolist(), history.final_loss.tolist(), strict=True)
            )
        ]
        scores, losses = {}, {}
        for epoch in kept_epochs(history.experiment.training.epochs):
            if epoch <= history.epochs and (trained := history.trained[epoch - 1]).any():
                scores[epoch] = counted(SCORES.cells(score[epoch - 1, trained]))
                losses[epoch] = counted(LOSSES.cells(loss[epoch - 1, trained]))
        dead: tuple[int, ...] = ()
        if history.health is not None:
            dead = tuple((history.at_end(history.health.dead) == 1).sum(axis=1).tolist())
        return cls(
            runs=history.runs,
            successes=int(history.successes(target).sum()),
            not_finite=int((~history.finite).sum()),
            dead=dead,
            epochs=counted(reached.astype(int)),
            final_scores=counted(SCORES.cells(history.final_score)),
            scores=scores,
            losses=losses,
            best=_best(runs),
            worst=_worst(runs),
            microseconds=round(1e6 * history.seconds),
            compiling=round(1e6 * history.compile_seconds),
        )

    def __add__(self, other: Statistics) -> Statistics:
        return Statistics(
            self.runs + other.runs,
            self.successes + other.successes,
            self.not_finite + other.not_finite,
            tuple(a + b for a, b in zip_longest(self.dead, other.dead, fillvalue=0)),
            added(self.epochs, other.epochs),
            added(self.final_scores, other.final_scores),
            _by_epoch(self.scores, other.scores),
            _by_epoch(self.losses, other.losses),
            _best([*self.best, *other.best]),
            _worst([*self.worst, *other.worst]),
            self.microseconds + other.microseconds,
            self.compiling + other.compiling,
        )

    def plain(self) -> dict[str, Any]:
        """As values of JSON, for `restored`."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @classmethod
    def restored(cls, plain: Mapping[str, Any]) -> Statistics:
        """The statistics that `plain` made, after their way through JSON.

        Raises:
            ValueError: If the values are anything else.
        """
        try:
            values = {each.name: plain[each.name] for each in fields(cls)}
            for name in ("epochs", "final_scores"):
                values[name] = _counts(values[name])
            for name in ("scores", "losses"):
                by_epoch = {int(e): _counts(c) for e, c in values[name].items()}
                values[name] = dict(sorted(by_epoch.items()))
            for name in ("best", "worst"):
                values[name] = tuple(
                    Run(_count(number), _number(score), _number(loss))
                    for number, score, loss in values[name]
                )
            values["dead"] = tuple(map(_count, values["dead"]))
            for name in ("runs", "successes", "not_finite", "microseconds", "compiling"):
                _count(values[name])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"no statistics of a sweep: {error}") from None
        if max(values["successes"], values["not_finite"], *values["dead"], 0) > values["runs"]:
            raise ValueError("no statistics of a sweep: more runs succeed than there are")
        return cls(**values)


def kept_epochs(epochs: int) -> list[int]:
    """The epochs whose scores and losses are kept: CURVE_EPOCHS, evenly from 1 to the last."""
    kept = np.linspace(1, epochs, min(epochs, CURVE_EPOCHS)).round().astype(int)
    return np.unique(kept).tolist()


def _by_epoch(one: Mapping[int, Counts], other: Mapping[int, Counts]) -> dict[int, Counts]:
    epochs = sorted({*one, *other})
    return {epoch: added(one.get(epoch, {}), other.get(epoch, {})) for epoch in epochs}


def _best(runs: list[Run]) -> tuple[Run, ...]:
    return tuple(sorted(runs, key=lambda run: (-_score(run), _loss(run), run.number))[:EXTREMES])


def _worst(runs: list[Run]) -> tuple[Run, ...]:
    return tuple(sorted(runs, key=lambda run: (_score(run), -_loss(run), run.number))[:EXTREMES])


def _score(run: Run) -> float:
    return -np.inf if run.score is None else run.score


def _loss(run: Run) -> float:
    return np.inf if run.loss is None else run.loss


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _counts(plain: Any) -> dict[int, int]:
    return {int(cell): _count(count) for cell, count in plain.items()}


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{str(value)[:40]!r} is no count")
    return value


def _number(value: Any) -> float | None:
    if value is None or (isinstance(value, (int, float)) and np.isfinite(value)):
        return value
    raise ValueError(f"{str(value)[:40]!r} is no number")
