"""Recorded evidence: how often each form of the two questions learns, measured once and kept.

    python -m core.evidence            # print what is recorded, as a Markdown table
    python -m core.evidence --record   # train everything again and record it

The home page shows it at once, while TensorFlow is still starting.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from core.experiment import Experiment
from core.history import History
from core.problems import PROBLEMS, TARGET, apply_all
from core.statistics import Rate

RECORD = Path(__file__).with_name("evidence.json")
RUNS, DRAWN, SEED = 256, 64, 0
"""Runs of each form, how many of them are kept as curves, and their seed."""
COMBINATIONS = {
    "threshold": (
        ("sigmoid-output", "scale-inputs"),
        ("sigmoid-output", "standardise-inputs"),
        ("sigmoid-output", "standardise-inputs", "wider-hidden"),
    ),
    "two-blob": (
        ("sigmoid-output", "rmsprop"),
        ("sigmoid-output", "wider-hidden"),
        ("sigmoid-output", "higher-learning-rate"),
    ),
}
"""Fixes that are recorded together, besides each one alone."""
PICTURES = {
    "threshold": ((), ("sigmoid-output", "standardise-inputs", "wider-hidden")),
    "two-blob": ((), ("higher-learning-rate",)),
}
"""The forms whose curves are kept: stuck, and freed."""


@dataclass(frozen=True)
class Form:
    """One form of a question and how its runs ended.

    start: `as-asked` or a variant's key; fixes: keys applied to it. For the forms in PICTURES,
    accuracy: of the first runs, one list of epochs a run, and learned: whether each of them
    reached the target; for the others both are empty.
    """

    problem: str
    start: str
    fixes: tuple[str, ...]
    runs: int
    successes: int
    median_accuracy: float
    accuracy: tuple[tuple[float, ...], ...] = ()
    learned: tuple[bool, ...] = ()

    @property
    def rate(self) -> Rate:
        return Rate(self.successes, self.runs)

    @property
    def title(self) -> str:
        problem = PROBLEMS[self.problem]
        start = self.start.replace("-", " ").capitalize()
        if not self.fixes:
            return start
        names = " + ".join(problem.fixes[key].title for key in self.fixes)
        return names if self.start == "as-asked" else f"{start} + {names}"

    def frame(self) -> pd.DataFrame:
        """The kept curves: run, epoch, accuracy."""
        accuracy = np.array(self.accuracy)
        runs, epochs = accuracy.shape
        return pd.DataFrame(
            {
                "run": np.repeat(np.arange(runs), epochs),
                "epoch": np.tile(np.arange(1, epochs + 1), runs),
                "accuracy": accuracy.ravel(),
            }
        )


@dataclass(frozen=True)
class Evidence:
    """What was recorded, when, with which versions; `target` is what counts as a success."""

    date: str
    versions: dict[str, str]
    seed: int
    target: float
    forms: tuple[Form, ...]

    def form(self, problem: str, fixes: tuple[str, ...], start: str = "as-asked") -> Form:
        return next(
            f for f in self.forms if (f.problem, f.start, f.fixes) == (problem, start, fixes)
        )

    def markdown(self, problem: str) -> str:
        """The forms of one problem as a table."""
        lines = [
            f"| {PROBLEMS[problem].title} | runs that reach {self.target:.0%} | 95 % interval "
            "| median accuracy |",
            "|---|---|---|---|",
        ]
        for form in self.forms:
            if form.problem == problem:
                rate = form.rate
                lines.append(
                    f"| {form.title} | {rate.successes} of {rate.runs} "
                    f"| {rate.low:.0%} to {rate.high:.0%} | {form.median_accuracy:.3f} |"
                )
        return "\n".join(lines)


def load() -> Evidence:
    plain = json.loads(RECORD.read_text(encoding="utf-8"))
    forms = (
        Form(**{**f, "fixes": tuple(f["fixes"]), "accuracy": tuple(map(tuple, f["accuracy"]))})
        for f in plain.pop("forms")
    )
    return Evidence(**plain, forms=tuple(forms))


def experiments() -> dict[tuple[str, str, tuple[str, ...]], Experiment]:
    """Every form that is recorded, by problem, start and fixes."""
    found = {}
    for key, problem in PROBLEMS.items():
        singles = ((), *((name,) for name in problem.fixes))
        for names in (*singles, *COMBINATIONS[key]):
            fixes = tuple(problem.fixes[name] for name in names)
            found[key, "as-asked", names] = apply_all(fixes, problem.experiment)
        for start, variant in problem.variants.items():
            found[key, start, ()] = variant
    return found


def record(runs: int = RUNS) -> Evidence:
    """Train every form."""
    import keras
    import tensorflow

    from core.training import train_all

    chosen = experiments()
    histories = train_all(tuple(chosen.values()), runs, SEED)
    forms = (_form(*key, history) for key, history in zip(chosen, histories, strict=True))
    versions = {module.__name__: module.__version__ for module in (keras, np, tensorflow)}
    return Evidence(date.today().isoformat(), versions, SEED, TARGET, tuple(forms))


def _form(problem: str, start: str, fixes: tuple[str, ...], history: History) -> Form:
    drawn = fixes in PICTURES[problem] and start == "as-asked"
    accuracy = history.accuracy[:, : DRAWN * drawn].T
    success = history.successes(TARGET)
    return Form(
        problem=problem,
        start=start,
        fixes=fixes,
        runs=history.runs,
        successes=int(success.sum()),
        median_accuracy=round(float(np.median(history.final_accuracy)), 4),
        accuracy=tuple(tuple(round(float(a), 3) for a in run) for run in accuracy),
        learned=tuple(success[: DRAWN * drawn].tolist()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="train again and record")
    if parser.parse_args().record:
        text = json.dumps(asdict(record()), indent=None, separators=(",", ":"))
        RECORD.write_text(text.replace('{"problem"', '\n{"problem"') + "\n", encoding="utf-8")
    evidence = load()
    print("\n\n".join(evidence.markdown(key) for key in PROBLEMS))
    versions = ", ".join(f"{name} {number}" for name, number in evidence.versions.items())
    print(f"\nRecorded on {evidence.date} with {versions}; seed {evidence.seed}.")


if __name__ == "__main__":
    main()
