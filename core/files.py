"""Files with the results of a training or a comparison, and reading an experiment from a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.claims import CLAIMS
from core.claims.claim import Arm
from core.claims.record import Record
from core.comparison import Comparison
from core.experiment import Experiment, InvalidExperiment
from core.history import CURVES, History
from core.sweep import Result
from core.versions import versions

if TYPE_CHECKING:
    from core.jobs.trainings import Training

MOST_BYTES = 2_000_000
"""Size limit of an experiment's file; a table of 10,000 rows and 10 columns needs about half."""

UNCHANGED = ""
"""The key of the experiment without any fix, among the titles of the fixes."""


def history_csv(history: History) -> str:
    """The curves and final figures as CSV.

    Returns:
        One line per run and epoch: the columns of `History.frame` that were measured, and the
        run's final loss and score.
    """
    missing = [history.named(name) for name in CURVES if getattr(history, name) is None]
    frame = history.frame().drop(columns=missing)
    runs = frame["run"].to_numpy()
    finals = {
        history.named(name): getattr(history, name)[runs] for name in ("final_loss", "final_score")
    }
    return frame.assign(**finals).to_csv(index=False)


def history_json(history: History) -> str:
    """The experiment, the seed, the library versions, the curves and the final figures as JSON.

    Each curve is a list of runs, each a list of epochs. A value that is not finite is null.
    """
    curves = {name: getattr(history, name) for name in CURVES}
    return _json(
        {
            "experiment": json.loads(history.experiment.to_json()),
            "seed": history.seed,
            "runs": history.runs,
            "epochs": history.epochs,
            "cancelled": history.cancelled,
            "seconds": round(history.seconds, 3),
            "versions": versions(),
            "final_loss": _numbers(history.final_loss),
            history.named("final_score"): _numbers(history.final_score),
            **{history.named(name): _numbers(a.T) for name, a in curves.items() if a is not None},
        }
    )


def comparison_csv(comparison: Comparison, titles: dict[str, str], target: float) -> str:
    """`comparison_frame` as CSV."""
    return comparison_frame(comparison, titles, target).to_csv(index=False)


def trainings_csv(trainings: Sequence[Training], target: float) -> str:
    """The rates of some trainings that have ended, each with its experiment as JSON, as CSV."""
    rows = []
    for each in trainings:
        rate = each.rate(target)
        if rate is None:
            continue
        rows.append(
            {
                "name": each.name,
                "runs": rate.runs,
                "successes": rate.successes,
                "rate": rate.value,
                "low": rate.low,
                "high": rate.high,
                "target": target,
                "seed": each.request.seed,
                "experiment": each.request.experiment.to_json(),
            }
        )
    return pd.DataFrame(rows).to_csv(index=False)


def comparison_frame(comparison: Comparison, titles: dict[str, str], target: float) -> pd.DataFrame:
    """`Comparison.rates` with the combinations in words.

    Args:
        comparison: The runs.
        titles: As for `combination`.
        target: The accuracy at which a run succeeds.

    Returns:
        One row per combination, with a column combination in place of fixes.
    """
    table = comparison.rates(target)
    names = [combination(subset, titles) for subset in table.pop("fixes")]
    table.insert(0, "combination", names)
    return table


def combination(subset: tuple[str, ...], titles: dict[str, str]) -> str:
    """A combination of fixes in words, such as "Sigmoid output + He initialisation".

    Args:
        subset: The keys of the fixes.
        titles: Of the fixes by their keys, and of no fix at all, by UNCHANGED, where the experiment
            is no question's.
    """
    return " + ".join(titles[key] for key in subset) or titles.get(UNCHANGED, "As asked")


def comparison_json(comparison: Comparison, target: float) -> str:
    """The experiment, fixes, runs, seed, library versions and `Comparison.rates` as JSON.

    "missing" counts the combinations that a stopped training left out.
    """
    table = comparison.rates(target)
    rows = [
        {name: list(v) if isinstance(v, tuple) else _plain(v) for name, v in row.items()}
        for row in table.to_dict("records")
    ]
    return _json(
        {
            "experiment": json.loads(comparison.experiment.to_json()),
            "fixes": list(comparison.fixes),
            "runs": comparison.runs,
            "seed": comparison.histories[0].seed,
            "missing": comparison.missing,
            "target": target,
            "versions": versions(),
            "table": rows,
        }
    )


def claims_json(record: Record) -> str:
    """Every claim with its experiments, its measurements and its verdict as JSON.

    An epoch that was never reached is null.
    """
    rows = [
        {name: v if isinstance(v, str) else _plain(v) for name, v in row.items()}
        | {"arms": [_arm(arm) for arm in CLAIMS[row["key"]].arms]}
        for row in record.frame().to_dict("records")
    ]
    return _json(
        {
            "date": record.date,
            "versions": dict(record.versions),
            "runs": record.runs,
            "seed": record.seed,
            "claims": rows,
        }
    )


def _arm(arm: Arm) -> dict[str, object]:
    return {"label": arm.label, "experiment": json.loads(arm.experiment.to_json())}


def read_experiment(content: bytes) -> Experiment:
    """Read an experiment from a file's content.

    Raises:
        InvalidExperiment: If the content is too large or is not an experiment.
    """
    if len(content) > MOST_BYTES:
        expected = f"at most {MOST_BYTES / 1e6:g} MB"
        raise InvalidExperiment("the file's size", f"{len(content) / 1e6:.1f} MB", expected)
    try:
        return Experiment.from_json(content.decode("utf-8"))
    except (UnicodeDecodeError, RecursionError):
        expected = "an experiment that was saved here"
        raise InvalidExperiment("the file", content[:40], expected) from None


def read_sweep(content: bytes) -> Result | None:
    """Read the result of a sweep from a file's content; None if it is none.

    Raises:
        InvalidExperiment: If it is a result, but not as `core.sweep` writes it.
    """
    if len(content) > MOST_BYTES or b'"statistics"' not in content:
        return None
    return Result.from_json(content.decode("utf-8", "replace"))


def _json(plain: dict) -> str:
    return json.dumps(plain, separators=(",", ":"), allow_nan=False) + "\n"


def _numbers(array: np.ndarray) -> list:
    """Nested lists with the fewest digits that identify each float32; None if it is not finite.

    A float32 accuracy of 0.9 is then written as 0.9 and reaches a target of 0.9 when it is read.
    """
    if array.ndim > 1:
        return [_numbers(part) for part in array]
    return [_plain(float(str(value))) for value in array]


def _plain(value: float) -> float | int | None:
    value = value.item() if isinstance(value, np.generic) else value
    return value if np.isfinite(value) else None
