"""How fast the engine trains, next to the alternatives, all measured in one run.

    python -m benchmarks.engine [--layouts] [--json]

The threshold question as asked: 1-3-5-1 ReLU, Adam, batch size 5, 10,000 rows, so 2,000 steps an
epoch. Then networks of the sizes that people have (`benchmarks.engine_sizes`). Medians of
interleaved repeats. The engine's time is that of a whole `train` of 10 epochs but for compiling:
data, initial weights, training, evaluation, health figures. That of the others is their epochs
alone, and there is a row of the engine's epochs alone too. JAX and scikit-learn join in where they
are installed (requirements.txt next to this file); give them an environment of their own, as Keras
imports scikit-learn if it can. So does a program in C (limit.c) where there is a compiler. JAX has
one thread, as the engine and the program in C have, and XLA's flags are those of the app for both;
`fit` has as many threads as it starts.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import metadata
from timeit import timeit
from typing import NamedTuple

from core.engine.flags import xla_environment

# NPROC is what XLA's CPU client, which is JAX's, reads the number of its threads from.
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "NPROC": "1", **xla_environment()}

import numpy as np
import pandas as pd
import tensorflow as tf

from benchmarks.engine_sizes import (
    compare_layouts,
    compare_parts,
    compare_sizes,
    epochs_alone,
    fitted_rule,
    limit,
    peak_megabytes,
)
from core.data import prepare
from core.engine import compiled as programs
from core.engine import keras_models
from core.fixes import sigmoid_output, with_hidden, with_training
from core.problems import THRESHOLD, TWO_BLOB
from core.training import layer_seeds, train

ASKED = THRESHOLD.experiment
SIZE = ASKED.training.batch_size
STEPS = ASKED.data.training_rows // SIZE
REPEATS = 3
ENGINE, FIT, JAX, C = "this engine", "Keras model.fit", "JAX jit", "C program"
ALONE = f"{ENGINE}, its epochs alone"
OPTIONAL = ("jax", "scikit-learn")
COLUMNS = ("how", "runs", "µs a step", "µs a run and step", "times model.fit", "compile s")


class Way(NamedTuple):
    """One way to train; `measure` returns seconds an epoch."""

    how: str
    runs: int
    measure: Callable[[], float]
    compiling: float | None = None


def keras_way(many: int) -> Way:
    """`model.fit` of one epoch, after one that traces it."""
    model, rows = (
        keras_models.keras_model(ASKED, layer_seeds(ASKED, 0, 0)),
        prepare(ASKED.data, 0, 0),
    )
    optimizer = keras_models.keras_optimizer(ASKED, ASKED.training.optimizer.learning_rate)
    model.compile(optimizer, ASKED.training.loss, metrics=["accuracy"], steps_per_execution=many)
    fit = functools.partial(model.fit, rows.x, rows.y, batch_size=SIZE, verbose=0)
    fit()
    how = FIT if many == 1 else f"{FIT}, {many} steps an execution"
    return Way(how, 1, lambda: timeit(fit, number=1))


def engine_way(runs: int) -> Way:
    """The engine with all epochs of the question, after a call that compiles."""
    seconds = train(with_training(epochs=1)(ASKED), runs).compile_seconds
    epochs, seeds = ASKED.training.epochs, itertools.count()
    return Way(ENGINE, runs, lambda: train(ASKED, runs, next(seeds)).seconds / epochs, seconds)


def limit_ways(runs: int) -> list[Way]:
    """The program in C, where there is a compiler."""
    us = limit(runs)
    return [] if us is None else [Way(C, runs, lambda: us() * 1e-6 * runs * STEPS)]


def sklearn_way() -> Way:
    """scikit-learn's network, whose output is a sigmoid: a classifier has no other."""
    from sklearn.neural_network import MLPClassifier

    network, rows = MLPClassifier((3, 5), batch_size=SIZE, max_iter=1), prepare(ASKED.data, 0, 0)
    fit = functools.partial(network.fit, rows.x, rows.y[:, 0])
    return Way("scikit-learn MLPClassifier", 1, functools.partial(timeit, fit, number=1))


def jax_way(runs: int, last: bool) -> Way:
    """The same training written in JAX, one compiled call an epoch.

    Runs first: one run's code under `vmap`. Runs last: broadcast products, as the engine has them.
    """
    import jax
    import jax.numpy as jnp

    rate, beta1, beta2 = ASKED.training.optimizer.learning_rate, 0.9, 0.999

    def loss(weights, x, y):
        for kernel, bias in weights:
            x = (x[:, :, None] * kernel).sum(1) if last else x @ kernel
            x = jax.nn.relu(x + bias)
        p = jnp.clip(x, 1e-7, 1 - 1e-7)
        each = -(y * jnp.log(p) + (1 - y) * jnp.log(1 - p)).mean((0, 1))
        return each.sum(), each

    def step(x, y, state, now):
        weights, mean, square = state
        batch, number = now
        slopes, each = jax.grad(loss, has_aux=True)(weights, x[batch], y[batch])
        mean = jax.tree.map(lambda m, g: m + (g - m) * (1 - beta1), mean, slopes)
        square = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - beta2), square, slopes)
        a = rate * jnp.sqrt(1 - beta2**number) / (1 - beta1**number)
        change = jax.tree.map(lambda m, v: a * m / (jnp.sqrt(v) + 1e-7), mean, square)
        return (jax.tree.map(jnp.subtract, weights, change), mean, square), each

    def epoch(state, x, y, batches, numbers):
        state, each = jax.lax.scan(lambda *a: step(x, y, *a), state, (batches, numbers))
        return state, each.mean(0)

    rows = [prepare(ASKED.data, 0, run) for run in range(runs)]
    arrays = [np.stack([r.x for r in rows], -1), np.stack([r.y for r in rows], -1)]
    arrays += [w[0] for w in train(with_training(epochs=1)(ASKED), runs).weights]
    x, y, *flat = (jnp.asarray(a if last else np.moveaxis(a, -1, 0)) for a in arrays)
    weights = list(zip(flat[::2], flat[1::2], strict=True))
    none, rng = jax.tree.map(jnp.zeros_like, weights), np.random.default_rng(0)
    state, done = (weights, none, none), 0

    def given():
        numbers = np.arange(1, STEPS + 1, dtype=np.float32) + done * STEPS
        return state, x, y, rng.permutation(STEPS * SIZE).reshape(STEPS, SIZE), numbers

    def measure():
        nonlocal state, done
        arguments, started = given(), time.perf_counter()
        (state, _), done = jax.block_until_ready(compiled(*arguments)), done + 1
        return time.perf_counter() - started

    call = jax.jit(epoch if last else jax.vmap(epoch, in_axes=(0, 0, 0, None, None)))
    started, compiled = time.perf_counter(), call.lower(*given()).compile()
    seconds = time.perf_counter() - started
    measure()
    how = f"{JAX}(scan), runs last" if last else f"{JAX}(vmap(scan)), runs first"
    return Way(how, runs, measure, seconds)


def compare(missing: list[str]) -> list[dict]:
    """Every way to train, `REPEATS` times in turn."""
    ways = [keras_way(1), keras_way(200), *map(engine_way, (1, 32, 128, 512))]
    ways += [Way(ALONE, 512, epochs_alone(ASKED, 512)), *limit_ways(512)]
    if "jax" not in missing:
        ways += [jax_way(runs, last) for runs in (128, 512) for last in (False, True)]
    if "scikit-learn" not in missing:
        ways.append(sklearn_way())
    rounds = [[way.measure() for way in ways] for _ in range(REPEATS)]
    steps = [1e6 * statistics.median(seconds) / STEPS for seconds in zip(*rounds, strict=True)]
    each = zip(ways, steps, strict=True)
    figures = [(w.how, w.runs, s, s / w.runs, steps[0] * w.runs / s, w.compiling) for w, s in each]
    return [dict(zip(COLUMNS, row, strict=True)) for row in figures]


def compare_structures() -> list[dict]:
    """Seconds to compile a structure for 64 runs."""
    wide = with_training(batch_size=32)(sigmoid_output(ASKED))
    structures = {
        "threshold question as asked": ASKED,
        "the same, sigmoid output": sigmoid_output(ASKED),
        "the same, hidden layers 10-10": with_hidden(units=10)(ASKED),
        "two-blob question as asked": TWO_BLOB.experiment,
    }
    structures |= {f"{n}-{n}, batch size 32": with_hidden(units=n)(wide) for n in (16, 32)}
    seconds = {name: [] for name in structures}
    for _, (name, experiment) in itertools.product(range(REPEATS), structures.items()):
        programs._kept.clear()
        make = functools.partial(programs.program, experiment, 64)
        seconds[name].append(timeit(make, number=1))
    return [{"structure": n, "compile s": statistics.median(s)} for n, s in seconds.items()]


def targets(ways: list[dict], structures: list[dict], sizes: list[dict]) -> list[dict]:
    """What the engine should reach, what it did, and whether that is enough."""
    per_run = {(w["how"], w["runs"]): w["µs a run and step"] for w in ways}
    jax = [us / per_run[ENGINE, n] for (how, n), us in per_run.items() if how.startswith(JAX)]
    ahead, slowest = min(jax, default=None), max(row["compile s"] for row in structures)
    one, many = (per_run[FIT, 1] / per_run[ENGINE, runs] for runs in (1, 512))
    least = per_run.get((C, 512))
    over, alone = ((per_run[how, 512] / least if least else None) for how in (ENGINE, ALONE))
    fit = min(row["times fit"] for row in sizes)
    ratios = [row["times JAX"] for row in sizes if "times JAX" in row]
    middle, lowest = (statistics.median(ratios), min(ratios)) if ratios else (None, None)
    compiling = max(row["compile s"] for row in sizes)
    peak = peak_megabytes()
    rows = (
        ("512 runs at most 3 times the C program", over, over and over <= 3),
        ("the same, epochs alone as the C program's", alone, alone and alone <= 3),
        ("people's sizes: never slower a run than model.fit (times, least)", fit, fit >= 1),
        ("people's sizes: JAX's time over the engine's, median", middle, middle and middle >= 1),
        ("people's sizes: JAX's time over the engine's, least", lowest, lowest and lowest >= 0.8),
        ("people's sizes: compile at most 4 s (slowest)", compiling, compiling <= 4),
        ("784-128-64-10 at 64 runs: peak memory under 1,200 MB", peak, peak and peak < 1_200),
        ("1 run at least 100 times as fast as model.fit", one, one >= 100),
        ("512 runs at least 3,000 times a run", many, many >= 3_000),
        ("faster than either JAX form (times, least)", ahead, ahead > 1 if jax else None),
        ("compile at most 2 s a structure (slowest)", slowest, slowest <= 2),
    )
    return [dict(zip(("target", "measured", "met"), row, strict=True)) for row in rows]


def table(rows: list[dict]) -> str:
    """The rows under their keys; numbers to three figures."""

    def text(value) -> str:
        if isinstance(value, float):
            return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        # By the value's own text: 1, a number of runs, is equal to True.
        return {"None": "-", "True": "met", "False": "NOT met"}.get(str(value), str(value))

    return pd.DataFrame(rows, dtype=object).map(text).to_string(index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name, text in (
        ("layouts", "also compare both layouts around the sizes where they part, and fit the rule"),
        ("json", "for machines"),
    ):
        parser.add_argument(f"--{name}", action="store_true", help=text)
    options = parser.parse_args()
    tf.get_logger().setLevel("ERROR")
    installed = {found.name.lower(): found.version for found in metadata.distributions()}
    found = {"python": platform.python_version(), "tensorflow": tf.__version__}
    found |= {name: installed[name] for name in ("keras", "numpy", *OPTIONAL) if name in installed}
    missing = [name for name in OPTIONAL if name not in found]
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    report = {"date": now, "cpus": os.cpu_count(), "versions": found, "missing": missing}
    report |= {"training": compare(missing), "compiling": compare_structures()}
    report |= {"sizes": compare_sizes(missing), "parts": compare_parts()}
    report["layouts"] = compare_layouts() if options.layouts else []
    report["rule"] = fitted_rule(report["layouts"]) if options.layouts else None
    report["targets"] = targets(report["training"], report["compiling"], report["sizes"])
    if options.json:
        return print(json.dumps(report, indent=1, ensure_ascii=False))
    print(f"{now}, {os.cpu_count()} CPUs, {found}\n\n{table(report['training'])}")
    print(*(f"{name} is not installed: not measured." for name in missing), sep="\n")
    print(f"For 64 runs:\n{table(report['compiling'])}")
    print(f"\n{table(report['sizes'])}\n\n{table(report['parts'])}")
    if report["layouts"]:
        print(f"\n{table(report['layouts'])}\n\n{table([report['rule']])}")
    print(f"\n{table(report['targets'])}")


if __name__ == "__main__":
    main()
