"""What a record keeps of trainings and of their diagnosis, and how it is written as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.diagnosis import Finding
from core.history import TARGET, History
from core.rates import Rate

DRAWN_RUNS, DRAWN_EPOCHS = 48, 40
"""How much of a training's curves is kept."""


@dataclass(frozen=True)
class Trained:
    """What is kept of a training.

    Attributes:
        learned: runs that passed, of `runs`.
        median_accuracy: of the final scores.
        epochs: the epochs drawn.
        accuracy: of the first runs, one tuple of scores over these epochs a run, evaluated after
            each, on the held-out rows where there are any.
        success: whether each of these runs passed.
    """

    runs: int
    learned: int
    median_accuracy: float
    epochs: tuple[int, ...]
    accuracy: tuple[tuple[float, ...], ...]
    success: tuple[bool, ...]

    @property
    def rate(self) -> Rate:
        return Rate(self.learned, self.runs)

    def frame(self) -> pd.DataFrame:
        """The kept curves: run, epoch, evaluated_score."""
        runs = len(self.accuracy)
        return pd.DataFrame(
            {
                "run": np.repeat(np.arange(runs), len(self.epochs)),
                "epoch": np.tile(self.epochs, runs),
                "evaluated_score": np.ravel(self.accuracy),
            }
        )


@dataclass(frozen=True)
class RecordedFinding:
    """A finding of the diagnosis, without the fixes, which hold functions."""

    severity: str
    title: str
    evidence: str
    cause: str

    @classmethod
    def of(cls, finding: Finding) -> RecordedFinding:
        return cls(finding.severity.value, finding.title, finding.evidence, finding.cause)


def trained(history: History, passed: np.ndarray | None = None) -> Trained:
    """What is kept of a training.

    Args:
        history: Of all its runs.
        passed: bool (runs,), the runs that count as successes; None for those that reach TARGET.
    """
    _, accuracy = history.judged
    drawn = np.linspace(0, history.epochs - 1, min(DRAWN_EPOCHS, history.epochs))
    rows = np.unique(drawn.round().astype(int))
    success = history.successes(TARGET) if passed is None else passed
    return Trained(
        runs=history.runs,
        learned=int(success.sum()),
        median_accuracy=round(float(np.median(history.final_score)), 4),
        epochs=tuple((rows + 1).tolist()),
        accuracy=tuple(
            tuple(round(float(a), 3) for a in run) for run in accuracy[rows, :DRAWN_RUNS].T
        ),
        success=tuple(success[:DRAWN_RUNS].tolist()),
    )


def digest(text: str) -> str:
    """Twelve hexadecimal digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# --- as JSON ------------------------------------------------------------------------------------


def compact(value: object) -> str:
    """A value on one line."""
    return json.dumps(value, separators=(",", ":"))


def lines(entries: Mapping[str, object]) -> str:
    """An object with one line an entry."""
    return "{\n" + ",\n".join(f'"{k}": {compact(v)}' for k, v in entries.items()) + "\n}"


def read(path: Path) -> Any:
    """What a file holds; equal numbers are one object, of which curves have thousands."""
    return json.loads(path.read_text(encoding="utf-8"), parse_float=cache(float))


def frozen(value: Any) -> Any:
    """Tuples in the place of lists."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value
