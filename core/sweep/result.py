"""What came of a sweep: rates with their intervals, curves, and the runs to look at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from core.experiment import Experiment, InvalidExperiment
from core.rates import Rate
from core.sweep.sketch import LOSSES, SCORES, Counts, Grid, quantile
from core.sweep.statistics import Statistics

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles in the files."""


@dataclass(frozen=True)
class Result:
    """The statistics of the runs of a sweep.

    Attributes:
        experiment: What was trained.
        seed: Of the runs, which are numbered from 0 on.
        target: The score at which a run succeeds.
        chunk: Runs that were trained together.
        asked: Runs that were asked for.
        until: How far the interval of the rate was to reach to either side; None for no such bound.
        statistics: Of the runs that were counted.
        seconds: Wall-clock time of the last call that added to it.
        versions: Of the libraries, by name.
    """

    experiment: Experiment
    seed: int
    target: float
    chunk: int
    asked: int
    until: float | None
    statistics: Statistics
    seconds: float
    versions: Mapping[str, str]

    @property
    def runs(self) -> int:
        """How many runs were counted."""
        return self.statistics.runs

    @cached_property
    def rate(self) -> Rate:
        """Of success. Raises ValueError where no run was counted."""
        return Rate(self.statistics.successes, self.runs)

    @property
    def complete(self) -> bool:
        """Whether it has all runs that were asked for, or an interval as narrow as asked for."""
        if self.runs == self.asked:
            return True
        return bool(self.until and self.runs and (self.rate.high - self.rate.low) / 2 <= self.until)

    @property
    def not_finite(self) -> Rate:
        """Of the runs whose loss is not finite in some epoch."""
        return Rate(self.statistics.not_finite, self.runs)

    @property
    def dead(self) -> tuple[Rate, ...]:
        """For each dense layer, of the runs in which all its units are dead at the end."""
        return tuple(Rate(count, self.runs) for count in self.statistics.dead)

    @property
    def best(self) -> tuple[int, ...]:
        """The numbers of the runs with the highest final scores, the highest first."""
        return tuple(run.number for run in self.statistics.best)

    @property
    def worst(self) -> tuple[int, ...]:
        """The numbers of the runs with the lowest final scores, the lowest first.

        `train(experiment, 1, seed, first=number)` trains one of them again.
        """
        return tuple(run.number for run in self.statistics.worst)

    def score(self, q: float) -> float:
        """The final score at a share `q` of the runs, from 0 to 1, to 0.0025."""
        return quantile(self.statistics.final_scores, q, SCORES)

    def curve(self, q: float, of: str = "score") -> pd.DataFrame:
        """A quantile over the runs after each epoch, with its 95% interval.

        Args:
            q: From 0 to 1.
            of: "score", to 0.0025, or "loss", to 0.25%, on the rows of the final score.

        Returns:
            Columns epoch, runs (that were trained in it), value, low and high. The interval is that
            of the ranks: between the quantiles at the ends of Wilson's interval of a rate of `q`.
        """
        counts: Mapping[int, Counts] = (
            self.statistics.scores if of == "score" else self.statistics.losses
        )
        grid: Grid = SCORES if of == "score" else LOSSES
        rows = []
        for epoch, cells in counts.items():
            runs = sum(cells.values())
            share = Rate(round(q * runs), runs)
            ends = {"value": q, "low": share.low, "high": share.high}
            values = {name: quantile(cells, end, grid) for name, end in ends.items()}
            rows.append({"epoch": epoch, "runs": runs, **values})
        return pd.DataFrame(rows, columns=["epoch", "runs", "value", "low", "high"])

    def reached(self) -> pd.DataFrame:
        """How many runs had reached the target by each epoch, for epochs in which some did first.

        Returns:
            Columns epoch, runs (so far), rate, low and high.
        """
        so_far, rows = 0, []
        for epoch, count in sorted(self.statistics.epochs.items()):
            if epoch:
                so_far += count
                rate = Rate(so_far, self.runs)
                rows.append((epoch, so_far, rate.value, rate.low, rate.high))
        return pd.DataFrame(rows, columns=["epoch", "runs", "rate", "low", "high"])

    def frame(self) -> pd.DataFrame:
        """The quantiles of score and loss after each epoch.

        Returns:
            Columns epoch, runs, and "score_5", ... "loss_95" for each of QUANTILES.
        """
        table = self.curve(0.5)[["epoch", "runs"]]
        for of in ("score", "loss"):
            for q in QUANTILES:
                table[f"{of}_{100 * q:.0f}"] = self.curve(q, of)["value"]
        return table

    def to_csv(self) -> str:
        """`frame` as CSV."""
        return self.frame().to_csv(index=False)

    def to_json(self) -> str:
        """Everything as JSON, for `from_json`, with the rate and the quantiles for readers."""
        rate = self.rate
        return (
            json.dumps(
                {
                    "experiment": json.loads(self.experiment.to_json()),
                    "seed": self.seed,
                    "runs": self.runs,
                    "target": self.target,
                    "rate": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                    "score_quantiles": {f"{q:g}": _plain(self.score(q)) for q in QUANTILES},
                    "chunk": self.chunk,
                    "asked": self.asked,
                    "until": self.until,
                    "seconds": round(self.seconds, 3),
                    "versions": dict(self.versions),
                    "statistics": self.statistics.plain(),
                },
                separators=(",", ":"),
                allow_nan=False,
            )
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> Result:
        """The result that `to_json` wrote.

        Raises:
            InvalidExperiment: If the text is anything else.
        """
        try:
            plain: dict[str, Any] = json.loads(text)
            statistics = Statistics.restored(plain["statistics"])
            if not statistics.runs:
                raise ValueError("no runs were counted")
            return cls(
                Experiment.from_json(json.dumps(plain["experiment"])),
                int(plain["seed"]),
                float(plain["target"]),
                int(plain["chunk"]),
                int(plain["asked"]),
                None if plain["until"] is None else float(plain["until"]),
                statistics,
                float(plain["seconds"]),
                {str(name): str(number) for name, number in plain["versions"].items()},
            )
        except InvalidExperiment:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise InvalidExperiment(
                "the file", text[:80], "the result of a sweep as python -m core.sweep writes it"
            ) from None


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
