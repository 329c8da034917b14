"""What a training is expected to cost, next to what it costs.

    python -m benchmarks.price [--count 80] [--seed 0] [--comparisons] [--json]

Draws experiments of many structures, numbers of runs, rows and batches, and trains each: seconds
to compile and to train, and the most memory on top of what the process held before. Each call's
time is the smaller of wall-clock and processor time, so that a busy machine does not make it worse.
The memory is read from Linux's /proc; elsewhere it is left out. With --comparisons it compares
fixes instead: the first four, the first six and the last six of each problem.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

from core import costs
from core.comparison import compare
from core.costs import MEGABYTE, Work, priced
from core.engine.compiled import _kept as programs
from core.engine.compiled import program
from core.engine.grouping import lanes_for
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Dropout,
    Experiment,
    Model,
    RMSprop,
    Table,
    Threshold,
    Training,
)
from core.fixes import Fix
from core.jobs.requests import Compare
from core.problems import PROBLEMS
from core.reference import fit
from core.training import train

ABOUT = 1.5
"""Seconds of epochs that each training should take."""
LARGEST = 300 * MEGABYTE
STATUS, REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def draw(rng: random.Random) -> tuple[Experiment, int]:
    """An experiment and a number of runs, so that its epochs take about `ABOUT` seconds."""
    while True:
        samples = rng.choice([50, 200, 1_000, 5_000, 20_000])
        features = rng.choice([1, 2, 10, 40, 64, 300, 784])
        activation, layers = rng.choice(["relu", "tanh", "sigmoid"]), []
        normalise, drop = rng.random() < 0.2, rng.random() < 0.2
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3, 4])):
            layers.append(Dense(rng.choice([2, 3, 5, 10, 16, 32, 64, 128, 256]), activation))
            layers += [BatchNormalisation()] * normalise + [Dropout(0.2)] * drop
        if features == 1:
            source = Threshold(samples=samples)
        elif features <= 40 and rng.random() < 0.6:
            source = Blobs(samples=samples, features=features)
        else:
            source = table(2 * samples, features)
        experiment = Experiment(
            Data(source, hold_out=rng.choice([0, 0, 0.2]), scaling="standardise"),
            Model((*layers, Dense(1, "sigmoid"))),
            Training(
                optimizer=rng.choice([Adam(), SGD(), RMSprop()]),
                batch_size=rng.choice([1, 5, 10, 32, 32, 128, 1_000]),
                epochs=1,
            ),
        )
        runs = rng.choice([1, 16, 32, 64, 128, 256, 512])
        one, two = (priced(Work((lasting(experiment, n),), runs)) for n in (1, 2))
        each = two.seconds - one.seconds
        if one.bytes < LARGEST and each < 2 * ABOUT:
            return lasting(experiment, int(np.clip(ABOUT / each, 1, 100))), runs


@functools.cache
def table(rows: int, features: int) -> Table:
    """Rows of numbers that are the same for all runs."""
    values = np.random.default_rng(0)
    return Table(values.normal(size=(rows, features)), values.integers(0, 2, rows))


def lasting(experiment: Experiment, epochs: int) -> Experiment:
    return replace(experiment, training=replace(experiment.training, epochs=epochs))


def timed(call: Callable[[], object]) -> float:
    processor, clock = time.process_time(), time.perf_counter()
    call()
    return min(time.process_time() - processor, time.perf_counter() - clock)


def memory(name: str) -> int:
    """Bytes: VmRSS, held now, or VmHWM, the most since the last `forget`."""
    lines = STATUS.read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def measured(experiment: Experiment, runs: int, seed: int) -> dict:
    """A stacked training: predicted and measured, in seconds and bytes."""
    if REFERENCES.exists():
        before = memory("VmRSS")
        REFERENCES.write_text("5")  # the peak begins anew
    short = lasting(experiment, 1)
    seconds = timed(lambda: program(experiment, lanes_for(experiment, runs)))
    # Its initialisers are traced once for each shape: part of what a new structure costs.
    seconds += max(timed(lambda: train(short, runs, seed)) - timed(lambda: train(short, runs)), 0)
    seconds += timed(lambda: train(experiment, runs, seed))
    price = priced(Work((experiment,), runs))
    row = {"how": "stack", "runs": runs, "predicted s": price.seconds, "measured s": seconds}
    if REFERENCES.exists():
        row |= {"predicted MB": price.bytes / MEGABYTE}
        row |= {"measured MB": (memory("VmHWM") - before) / MEGABYTE}
    return row | {"experiment": described(experiment)}


def measured_fit(experiment: Experiment) -> dict:
    """The same through Keras's `fit`, for one epoch."""
    experiment = lasting(experiment, 1)
    price = priced(Work((experiment,), 1, plain=True))
    if price.seconds > 10:
        return {}
    seconds = timed(lambda: fit(experiment))
    row = {"how": "fit", "runs": 1, "predicted s": price.seconds, "measured s": seconds}
    return row | {"experiment": described(experiment)}


def described(experiment: Experiment) -> str:
    """Its JSON, without the rows of a table."""
    data = experiment.data
    if isinstance(data.source, Table):
        rows, features = data.source.rows, data.source.features
        source = Table(np.eye(2, features), (0, 1))
        text = replace(experiment, data=replace(data, source=source)).to_json()
        return f"a table of {rows} rows, else {text}"
    return experiment.to_json()


def measured_comparison(fixes: tuple[Fix, ...], experiment: Experiment, runs: int) -> dict:
    """Every combination of some fixes, with no program compiled before."""
    programs.clear()
    price = costs.price(Compare(experiment, fixes, runs))
    by_key = {fix.key: fix for fix in fixes}
    seconds = timed(lambda: compare(experiment, by_key, runs))
    row = {"how": "comparison", "runs": runs, "fixes": list(by_key)}
    return row | {"predicted s": price.seconds, "measured s": seconds}


def measured_comparisons() -> list[dict]:
    rows = []
    for runs in (16, 128):
        for problem in PROBLEMS.values():
            fixes = tuple(problem.fixes.values())
            for chosen in (fixes[:4], fixes[:6], fixes[-6:]):
                rows.append(measured_comparison(chosen, problem.experiment, runs))
                print(json.dumps(rows[-1]), flush=True)
    return rows


def summary(rows: list[dict], unit: str) -> dict:
    """How far the predictions are off: predicted over measured."""
    ratios = sorted(row[f"predicted {unit}"] / row[f"measured {unit}"] for row in rows)
    low, median, high = np.quantile(ratios, [0.05, 0.5, 0.95])
    return {
        "count": len(ratios),
        "5 %": float(low),
        "median": float(median),
        "95 %": float(high),
        "within a factor of 2": statistics.mean(0.5 <= ratio <= 2 for ratio in ratios),
        "within a factor of 3": statistics.mean(1 / 3 <= ratio <= 3 for ratio in ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=80, help="experiments to draw")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--comparisons", action="store_true", help="measure comparisons of fixes")
    parser.add_argument("--json", action="store_true", help="for machines, with every experiment")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    train(Experiment(Data(Threshold()), Model((Dense(1, "sigmoid"),)), Training(epochs=1)), 16)
    if options.comparisons:
        print(json.dumps(summary(measured_comparisons(), "s"), indent=1))
        return
    stacked, plain = [], []
    for number in range(options.count):
        experiment, runs = draw(rng)
        stacked.append(measured(experiment, runs, number + 1))
        if number % 4 == 0 and (row := measured_fit(experiment)):
            plain.append(row)
        if not options.json:
            row = stacked[-1]
            figures = (f"{k} {v:.3g}" for k, v in row.items() if isinstance(v, float))
            print(f"{runs:4} runs: {', '.join(figures)}", flush=True)
    report = {"cpus": os.cpu_count(), "stacks, seconds": summary(stacked, "s")}
    if "measured MB" in stacked[0]:
        large = [row for row in stacked if row["measured MB"] > 50]
        report |= {"stacks above 50 MB, memory": summary(large, "MB")}
    report |= {"fit, seconds": summary(plain, "s")}
    if options.json:
        report |= {"rows": stacked + plain}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
