"""How well the outcome of a failed run tells whether more epochs would help it.

    python -m benchmarks.outcomes [--runs 64] [--seeds 1 2] [--json]

Trains both questions and several of their fixes for four times their epochs, takes the outcomes
after their own number of epochs and after half of it, and counts which of the failed runs reach the
target when the same runs go on to four times as many. The thresholds of
`core.history.History.outcomes` were chosen on seed 0, so others show how they do.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import pandas as pd

from core.experiment import Experiment
from core.fixes import apply_all
from core.history import CURVES, IMPROVING, LOST, STUCK, TARGET, History
from core.problems import PROBLEMS
from core.training import train

TIMES = 4
SHARES = (0.5, 1.0)
"""Of an experiment's own number of epochs, after which the outcomes are taken."""
FIXES = {
    "threshold": (
        (),
        ("sigmoid-output",),
        ("scale-inputs",),
        ("standardise-inputs",),
        ("wider-hidden",),
        ("sigmoid-output", "scale-inputs"),
        ("sigmoid-output", "wider-hidden"),
        ("sigmoid-output", "scale-inputs", "hold-out"),
    ),
    "two-blob": (
        (),
        ("sigmoid-output",),
        ("rmsprop",),
        ("standardise-inputs",),
        ("hold-out",),
        ("rmsprop", "hold-out"),
        ("sigmoid-output", "standardise-inputs"),
        ("sigmoid-output", "wider-hidden"),
    ),
}


def cases() -> list[tuple[str, str, Experiment]]:
    """Problem, what is done about it, experiment."""
    experiments = []
    for key, subsets in FIXES.items():
        problem = PROBLEMS[key]
        for keys in subsets:
            fixes = tuple(problem.fixes[name] for name in keys)
            done = " + ".join(keys) or "baseline"
            experiments.append((key, done, apply_all(fixes, problem.experiment)))
        experiments += [(key, name, form) for name, form in problem.variants.items()]
    return experiments


def after(history: History, epochs: int) -> History:
    """The history as it stood then."""
    curves = {name: getattr(history, name) for name in CURVES}
    cut = replace(history, **{k: v if v is None else v[:epochs] for k, v in curves.items()})
    loss, accuracy = cut.judged
    return replace(cut, final_loss=loss[-1], final_score=accuracy[-1])


def measured(experiment: Experiment, runs: int, seed: int) -> list[dict]:
    """A row for each share of the epochs: runs of each outcome, and how many of them get there."""
    own = experiment.training.epochs
    training = replace(experiment.training, epochs=TIMES * own)
    history = train(replace(experiment, training=training), runs, seed)
    rows = []
    for share in SHARES:
        epochs = round(share * own)
        outcomes = after(history, epochs).outcomes(TARGET)
        later = history.judged[1][epochs : TIMES * epochs]
        there = (later >= TARGET).any(axis=0)
        row = {"epochs": epochs}
        for outcome in (IMPROVING, STUCK, LOST):
            row[outcome] = int((outcomes == outcome).sum())
            row[f"{outcome}, get there"] = int((there & (outcomes == outcome)).sum())
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    rows = [
        {"seed": seed, "problem": problem, "with": done, **row}
        for seed in options.seeds
        for problem, done, experiment in cases()
        for row in measured(experiment, options.runs, seed)
    ]
    table = pd.DataFrame(rows)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    counts = table.columns[4:]
    by_case = table.groupby(["problem", "with", "epochs"], sort=False)[list(counts)].sum()
    print(by_case.to_string())
    total = table[counts].sum()
    for outcome in (IMPROVING, STUCK, LOST):
        there, of = total[f"{outcome}, get there"], total[outcome]
        print(f"{outcome}: {there} of {of} runs get there within {TIMES} times as many epochs")


if __name__ == "__main__":
    main()
