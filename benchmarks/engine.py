"""How fast the engine trains, next to the alternatives, all measured in one run.

    python -m benchmarks.engine [--layers] [--json]

The threshold question as asked: 1-3-5-1 ReLU, Adam, batch size 5, 10,000 rows, so 2,000 steps an
epoch. Medians of interleaved repeats. The engine's time covers everything that `train` does once
its program is compiled: data, initial weights, training, evaluation, health figures. That of the
others covers their epochs alone. JAX and scikit-learn join in where they are installed; use an
environment of its own for them (benchmarks/requirements.txt), as Keras imports scikit-learn
wherever it finds it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from importlib import metadata, util

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np

from core import models
from core import program as programs
from core.data import prepare
from core.experiment import Blobs, Data, Dense, Experiment, Model, Training
from core.problems import THRESHOLD, TWO_BLOB, sigmoid_output, with_hidden, with_training
from core.training import layer_seeds, train

ASKED = THRESHOLD.experiment
STEPS = ASKED.data.training_rows // ASKED.training.batch_size
REPEATS = 5
FIT, LAST, FIRST = "Keras model.fit", "JAX jit(scan), runs last", "JAX jit(vmap(scan)), runs first"
OPTIONAL = {"jax": "JAX", "scikit-learn": "scikit-learn"}
PACKAGES = ("tensorflow-cpu", "tensorflow", "keras", "numpy", *OPTIONAL)


@dataclass
class Row:
    """One way to train. `measure` returns seconds and the epochs done in them."""

    how: str
    runs: int
    measure: object
    compile_seconds: float | None = None
    samples: list[float] = field(default_factory=list)

    def take(self) -> None:
        seconds, epochs = self.measure()
        self.samples.append(1e6 * seconds / (epochs * STEPS))

    def figures(self, fit: float) -> dict:
        step = statistics.median(self.samples)
        return {
            "how": self.how,
            "runs": self.runs,
            "us_a_step": step,
            "us_a_run_and_step": step / self.runs,
            "times_model_fit": fit / (step / self.runs),
            "compile_seconds": self.compile_seconds,
        }


def timed(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def keras_row(steps_per_execution: int) -> Row:
    """`model.fit` of one epoch, after one that traces it."""
    model, rows = models.keras_model(ASKED, layer_seeds(ASKED, 0, 0)), prepare(ASKED.data, 0, 0)
    model.compile(
        loss=ASKED.training.loss,
        optimizer=models.keras_optimizer(ASKED, ASKED.training.optimizer.learning_rate),
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )

    def measure():
        fit = {"batch_size": ASKED.training.batch_size, "epochs": 1, "verbose": 0}
        return timed(lambda: model.fit(rows.x, rows.y, **fit)), 1

    measure()
    many = f", steps_per_execution={steps_per_execution}" if steps_per_execution > 1 else ""
    return Row(FIT + many, 1, measure)


def engine_row(runs: int) -> Row:
    """The engine with all epochs of the question, after a call that compiles."""

    def measure():
        return train(ASKED, runs, seed=len(row.samples)).seconds, ASKED.training.epochs

    short = with_training(epochs=1)(ASKED)
    row = Row("this engine", runs, measure, train(short, runs).compile_seconds)
    return row


def sklearn_row() -> Row:
    """scikit-learn's network, whose output is a sigmoid: it offers no other to a classifier."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = prepare(ASKED.data, 0, 0)
    network = MLPClassifier((3, 5), batch_size=ASKED.training.batch_size, max_iter=1)
    return Row(
        "scikit-learn MLPClassifier", 1, lambda: (timed(lambda: network.fit(rows.x, rows.y[:, 0])), 1)
    )


def jax_row(runs: int, last: bool) -> Row:
    """The same training written in JAX: one compiled call an epoch.

    Runs first: one run's code under `vmap`. Runs last: broadcast products, as the engine has them.
    """
    import jax
    import jax.numpy as jnp

    size, axis = ASKED.training.batch_size, -1 if last else 0
    rate, beta1, beta2 = ASKED.training.optimizer.learning_rate, 0.9, 0.999

    def product(x, kernel):
        return (x[:, :, None] * kernel[None]).sum(1) if last else x @ kernel

    def total_loss(weights, x, y):
        for kernel, bias in weights:
            x = jax.nn.relu(product(x, kernel) + bias)
        p = jnp.clip(x, 1e-7, 1 - 1e-7)
        losses = -(y * jnp.log(p + 1e-7) + (1 - y) * jnp.log(1 - p + 1e-7))[:, 0]
        hits = ((x > 0.5) == (y > 0.5)).astype(jnp.float32)[:, 0]
        return losses.mean(0).sum(), (losses.mean(0), hits.mean(0))

    def epoch(state, x, y, order, numbers):
        def step(state, now):
            weights, mean, square = state
            batch, number = now
            gradients, seen = jax.grad(total_loss, has_aux=True)(weights, x[batch], y[batch])
            by = jax.tree.map
            mean = by(lambda m, g: m + (g - m) * (1 - beta1), mean, gradients)
            square = by(lambda v, g: v + (g * g - v) * (1 - beta2), square, gradients)
            alpha = rate * jnp.sqrt(1 - beta2**number) / (1 - beta1**number)
            weights = by(
                lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + 1e-7), weights, mean, square
            )
            return (weights, mean, square), seen

        state, seen = jax.lax.scan(step, state, (order, numbers))
        return state, jax.tree.map(lambda s: s.mean(0), seen)

    def stacked(arrays):
        return jnp.asarray(np.stack(list(arrays), axis))

    rows = [prepare(ASKED.data, 0, run) for run in range(runs)]
    x, y = stacked(r.x for r in rows), stacked(r.y for r in rows)
    each = [
        models.keras_model(ASKED, layer_seeds(ASKED, 0, run)).get_weights() for run in range(runs)
    ]
    flat = [stacked(arrays) for arrays in zip(*each, strict=True)]
    weights = list(zip(flat[::2], flat[1::2], strict=True))
    none = jax.tree.map(jnp.zeros_like, weights)
    rng = np.random.default_rng(0)
    kept = {"state": (weights, none, none), "epochs": 0}

    def arguments():
        order = rng.permutation(len(rows[0].x)).reshape(STEPS, size)
        return kept["state"], x, y, order, np.arange(1.0, STEPS + 1) + kept["epochs"] * STEPS

    def measure():
        def call():
            kept["state"], seen = compiled(*given)
            jax.block_until_ready((kept["state"], seen))

        given = arguments()
        kept["epochs"] += 1
        return timed(call), 1

    call = jax.jit(epoch if last else jax.vmap(epoch, in_axes=(0, 0, 0, None, None)))
    started = time.perf_counter()
    compiled = call.lower(*arguments()).compile()
    row = Row(LAST if last else FIRST, runs, measure, time.perf_counter() - started)
    measure()
    return row
