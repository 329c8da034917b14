"""How fast the engine trains, next to the alternatives, all measured in one run.

    python -m benchmarks.engine [--layers] [--json]

The threshold question as asked: 1-3-5-1 ReLU, Adam, batch size 5, 10,000 rows, so 2,000 steps an
epoch. Medians of interleaved repeats. The engine's time is that of a whole `train` of 10 epochs
but for compiling: data, initial weights, training, evaluation, health figures. That of the others
is their epochs alone. JAX and scikit-learn join in where they are installed (requirements.txt
next to this file); give them an environment of their own, as Keras imports scikit-learn if it can.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from datetime import datetime, timezone
from importlib import metadata
from typing import NamedTuple

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

from core import models
from core import program as programs
from core.data import prepare
from core.experiment import Blobs, Data, Dense, Experiment, Model, Training
from core.problems import THRESHOLD, TWO_BLOB, sigmoid_output, with_hidden, with_training
from core.training import layer_seeds, train

ASKED = THRESHOLD.experiment
SIZE = ASKED.training.batch_size
STEPS = ASKED.data.training_rows // SIZE
REPEATS = 3
ENGINE, FIT, JAX = "this engine", "Keras model.fit", "JAX jit"
OPTIONAL = ("jax", "scikit-learn")


class Way(NamedTuple):
    """One way to train; `measure` returns seconds an epoch."""

    how: str
    runs: int
    measure: Callable[[], float]
    compile_seconds: float | None = None


def timed(call: Callable) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def keras_way(steps_per_execution: int) -> Way:
    """`model.fit` of one epoch, after one that traces it."""
    model, rows = models.keras_model(ASKED, layer_seeds(ASKED, 0, 0)), prepare(ASKED.data, 0, 0)
    optimizer = models.keras_optimizer(ASKED, ASKED.training.optimizer.learning_rate)
    many = {"steps_per_execution": steps_per_execution}
    model.compile(optimizer, ASKED.training.loss, metrics=["accuracy"], **many)
    fit = functools.partial(model.fit, rows.x, rows.y, batch_size=SIZE, verbose=0)
    fit()
    how = FIT if steps_per_execution == 1 else f"{FIT}, {steps_per_execution} steps an execution"
    return Way(how, 1, lambda: timed(fit))


def engine_way(runs: int) -> Way:
    """The engine with all epochs of the question, after a call that compiles."""
    seconds = train(with_training(epochs=1)(ASKED), runs).compile_seconds
    epochs, seeds = ASKED.training.epochs, itertools.count()
    return Way(ENGINE, runs, lambda: train(ASKED, runs, next(seeds)).seconds / epochs, seconds)


def sklearn_way() -> Way:
    """scikit-learn's network, whose output is a sigmoid: a classifier has no other."""
    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore", "Stochastic Optimizer")
    network, rows = MLPClassifier((3, 5), batch_size=SIZE, max_iter=1), prepare(ASKED.data, 0, 0)
    call = functools.partial(network.fit, rows.x, rows.y[:, 0])
    return Way("scikit-learn MLPClassifier", 1, lambda: timed(call))


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
    arrays = [jnp.asarray(a if last else np.moveaxis(a, -1, 0)) for a in arrays]
    x, y, *flat = arrays
    weights = list(zip(flat[::2], flat[1::2], strict=True))
    none, rng = jax.tree.map(jnp.zeros_like, weights), np.random.default_rng(0)
    state, done = (weights, none, none), 0

    def measure():
        nonlocal state, done
        batches = rng.permutation(STEPS * SIZE).reshape(STEPS, SIZE)
        numbers = np.arange(1, STEPS + 1, dtype=np.float32) + done * STEPS
        started, done = time.perf_counter(), done + 1
        state, _ = jax.block_until_ready(call(state, x, y, batches, numbers))
        return time.perf_counter() - started

    call = jax.jit(epoch if last else jax.vmap(epoch, in_axes=(0, 0, 0, None, None)))
    compile_seconds = measure() - measure()
    how = f"{JAX}(scan), runs last" if last else f"{JAX}(vmap(scan)), runs first"
    return Way(how, runs, measure, compile_seconds)


def compare(missing: list[str]) -> list[dict]:
    """Every way to train, `REPEATS` times in turn."""
    ways = [keras_way(1), keras_way(200), *map(engine_way, (1, 32, 128, 512))]
    if "jax" not in missing:
        ways += [jax_way(runs, last) for runs in (128, 512) for last in (False, True)]
    if "scikit-learn" not in missing:
        ways.append(sklearn_way())
    rounds = [[way.measure() for way in ways] for _ in range(REPEATS)]
    steps = [1e6 * statistics.median(seconds) / STEPS for seconds in zip(*rounds, strict=True)]
    return [
        {
            "how": way.how,
            "runs": way.runs,
            "µs a step": step,
            "µs a run and step": step / way.runs,
            "times model.fit": steps[0] / (step / way.runs),
            "compile s": way.compile_seconds,
        }
        for way, step in zip(ways, steps, strict=True)
    ]


def compare_structures() -> list[dict]:
    """Seconds to compile a structure for 64 runs."""
    wide = with_training(batch_size=32)(sigmoid_output(ASKED))
    structures = {
        "threshold question as asked": ASKED,
        "the same, sigmoid output": sigmoid_output(ASKED),
        "the same, hidden layers 10-10": with_hidden(units=10)(ASKED),
        "two-blob question as asked": TWO_BLOB.experiment,
        "hidden layers 16-16, batch size 32": with_hidden(units=16)(wide),
        "hidden layers 32-32, batch size 32": with_hidden(units=32)(wide),
    }

    def seconds(experiment):
        programs._kept.clear()
        return timed(lambda: programs.program(experiment, 64))

    rounds = [[seconds(e) for e in structures.values()] for _ in range(REPEATS)]
    medians = map(statistics.median, zip(*rounds, strict=True))
    return [{"structure": n, "compile s": m} for n, m in zip(structures, medians, strict=True)]


def compare_products() -> list[dict]:
    """Both kinds of product for two hidden layers of the same width, to place MATMUL_FROM."""
    default, found = models.MATMUL_FROM, []
    for units, batch, runs in itertools.product((8, 16, 32, 64), (5, 32), (16, 128)):
        steps = int(np.clip(5e7 / (units * units * batch * runs), 50, 1_000))
        experiment = Experiment(
            Data(Blobs(samples=steps * batch // 2)),
            Model((Dense(units, "relu"), Dense(units, "relu"), Dense(1, "sigmoid"))),
            Training(batch_size=batch, epochs=2),
        )
        row = {"two layers of": units, "batch size": batch, "runs": runs}
        # The kernel between the hidden layers is the only one with this many entries.
        for kind, least in (("broadcast", units**2 + 1), ("matmul", units**2)):
            programs._kept.clear()
            models.MATMUL_FROM = least
            train(with_training(epochs=1)(experiment), runs)
            seconds = [train(experiment, runs, seed).seconds for seed in range(REPEATS)]
            row[f"{kind}, µs a run and step"] = (
                1e6 * statistics.median(seconds) / (2 * steps * runs)
            )
        found.append(row)
    models.MATMUL_FROM = default
    return found


def targets(ways: list[dict], structures: list[dict]) -> list[dict]:
    """What the engine should reach, what it did, and whether that is enough."""
    per_run = {(w["how"], w["runs"]): w["µs a run and step"] for w in ways}
    jax = [us / per_run[ENGINE, n] for (how, n), us in per_run.items() if how.startswith(JAX)]
    ahead, slowest = min(jax, default=None), max(row["compile s"] for row in structures)
    one, many = (per_run[FIT, 1] / per_run[ENGINE, runs] for runs in (1, 512))
    rows = [
        ("1 run at least 100 times as fast as model.fit", one, one >= 100),
        ("512 runs at least 3,000 times a run", many, many >= 3_000),
        ("faster than either JAX form (times, least)", ahead, ahead > 1 if jax else None),
        ("compile at most 2 s a structure (slowest)", slowest, slowest <= 2),
    ]
    return [dict(zip(("target", "measured", "met"), row, strict=True)) for row in rows]


def table(rows: list[dict]) -> str:
    """The rows under their keys; numbers to three figures."""

    def text(value) -> str:
        if isinstance(value, float):
            return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        # By the value's own text: 1, a number of runs, is equal to True.
        return {"None": "-", "True": "met", "False": "NOT met"}.get(str(value), str(value))

    lines = [list(rows[0]), *([text(value) for value in row.values()] for row in rows)]
    first, *rest = (max(map(len, column)) for column in zip(*lines, strict=True))
    padded = ([line[0].ljust(first), *map(str.rjust, line[1:], rest)] for line in lines)
    return "\n".join(map("  ".join, padded))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--layers", action="store_true", help="also compare products by width")
    parser.add_argument("--json", action="store_true", help="print the same figures for machines")
    options = parser.parse_args()
    tf.get_logger().setLevel("ERROR")
    found = {"python": platform.python_version(), "tensorflow": tf.__version__}
    for name in ("keras", "numpy", *OPTIONAL):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    missing = [name for name in OPTIONAL if name not in found]
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    report = {"date": now, "cpus": os.cpu_count(), "versions": found, "missing": missing}
    report |= {"training": compare(missing), "compiling": compare_structures()}
    report["products"] = compare_products() if options.layers else []
    report["targets"] = targets(report["training"], report["compiling"])
    if options.json:
        print(json.dumps(report, indent=1))
        return
    named = ", ".join(" ".join(pair) for pair in found.items())
    print(f"{now}, {os.cpu_count()} CPUs, {named}\n\n{table(report['training'])}")
    for name in missing:
        print(f"{name} is not installed: not measured.")
    print(f"\nFor 64 runs:\n{table(report['compiling'])}")
    if report["products"]:
        print(f"\nMATMUL_FROM is {models.MATMUL_FROM}.\n{table(report['products'])}")
    print(f"\n{table(report['targets'])}")


if __name__ == "__main__":
    main()
