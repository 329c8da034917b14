"""The comparison of each problem's default fixes, trained once and kept, to be shown at once.

    python -m core.recorded_comparisons     # trains them again and writes the files

A file holds what a comparison is drawn from, exactly: the loss and the score after each epoch and
the final ones. Its histories have neither weights nor the health of the layers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from core.comparison import Comparison, compare, distinct, plan
from core.experiment import Experiment
from core.history import History
from core.problems import PROBLEMS, Problem
from core.versions import Versioned, versions

FOLDER = Path(__file__).with_name("comparisons")
RUNS, SEED = 32, 0
ARRAYS = ("evaluated_loss", "evaluated_score", "val_loss", "val_score", "final_loss", "final_score")
"""The fields of a history that are kept, where it has them."""


@dataclass(frozen=True)
class RecordedComparison(Versioned):
    """A comparison, and how it was made.

    Attributes:
        comparison: Its histories without weights and health.
        date: When it was trained, in ISO format.
        versions: Of the libraries, by name.
    """

    comparison: Comparison
    date: str
    versions: Mapping[str, str]


def _planned(problem: Problem) -> Mapping[tuple[str, ...], Experiment]:
    return plan(problem.experiment, {key: problem.fixes[key] for key in problem.compared})


def fingerprint(problem: Problem) -> str:
    """Of the experiments that are compared: a record of others is out of date."""
    digests = "".join(experiment.digest for experiment in _planned(problem).values())
    return hashlib.sha256(digests.encode()).hexdigest()[:16]


def make(problem: Problem) -> Comparison:
    """Train the comparison of a problem's default fixes."""
    fixes = {key: problem.fixes[key] for key in problem.compared}
    comparison = compare(problem.experiment, fixes, RUNS, SEED)
    assert comparison is not None, "nothing stops it"
    return comparison


def save(problem: Problem, comparison: Comparison) -> None:
    """Write the record of a problem."""
    histories = list({each.experiment: each for each in comparison.histories}.values())
    about = {
        "date": date.today().isoformat(),
        "versions": versions(),
        "fingerprint": fingerprint(problem),
        "seconds": [[each.seconds, each.compile_seconds] for each in histories],
    }
    arrays = {
        f"{number}.{name}": value
        for number, history in enumerate(histories)
        for name in ARRAYS
        if (value := getattr(history, name)) is not None
    }
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(_path(problem), about=np.array(json.dumps(about)), **arrays)


def load(problem: Problem) -> RecordedComparison | None:
    """The record of a problem; None if there is none of its experiments as they are now."""
    path = _path(problem)
    if not problem.compared or not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        about = json.loads(str(kept["about"]))
        if about["fingerprint"] != fingerprint(problem):
            return None
        planned = _planned(problem)
        histories = {
            experiment: _history(experiment, number, kept, *about["seconds"][number])
            for number, experiment in enumerate(distinct(planned))
        }
    comparison = Comparison(
        problem.experiment,
        problem.compared,
        tuple(planned),
        tuple(histories[each] for each in planned.values()),
    )
    return RecordedComparison(comparison, about["date"], about["versions"])


def _history(
    experiment: Experiment,
    number: int,
    kept: Mapping[str, np.ndarray],
    seconds: float,
    compile_seconds: float,
) -> History:
    arrays: dict[str, Any] = {name: kept.get(f"{number}.{name}") for name in ARRAYS}
    unknown = np.full_like(kept[f"{number}.evaluated_loss"], np.nan)
    return History(
        experiment=experiment,
        seed=SEED,
        loss=unknown,
        score=unknown,
        health=None,
        key_epochs=np.zeros(0, int),
        weights=(),
        cancelled=False,
        seconds=seconds,
        compile_seconds=compile_seconds,
        **arrays,
    )


def _path(problem: Problem) -> Path:
    return FOLDER / f"{problem.key}.npz"


if __name__ == "__main__":
    for each in PROBLEMS.values():
        save(each, make(each))
