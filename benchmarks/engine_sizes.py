"""How fast the engine trains networks of the sizes that people have, and where its layouts part."""

from __future__ import annotations

import functools
import itertools
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np

from core.data import prepare
from core.engine import compiled as programs
from core.engine import grouping, keras_models
from core.engine.layouts import RunsFirst
from core.engine.rows import stacked_rows
from core.experiment import Data, Dense, Experiment, Model, Table, Training
from core.training import _initial_weights, layer_seeds, train

SIZES = (
    (8, (12, 8), 1, 10, 1_000),
    (20, (64, 64), 1, 32, 1_000),
    (64, (128,), 10, 32, 1_797),
    (784, (128, 64), 10, 128, 4_000),
)
"""Inputs, hidden layers, outputs, batch size, rows."""
RUNS = (1, 16, 64)
REPEATS = 5
EPOCHS = 10
"""Of the engine's trainings, and in a row of the engine's and JAX's epochs."""
AROUND = (
    (2, (5,), 5),
    (2, (8, 8), 5),
    (10, (16,), 5),
    (8, (16, 16), 5),
    (10, (32,), 5),
    (1, (3, 5), 100),
    (2, (10,), 32),
    (2, (8, 8), 32),
    (8, (12, 8), 32),
    (10, (32,), 32),
)
"""Inputs, hidden layers and batch sizes around the sizes where the layouts part."""
LIMIT = Path(__file__).with_name("limit.c")


def network(inputs, hidden, outputs, batch, rows, epochs=1) -> Experiment:
    """ReLU and Adam on rows that are the same for all runs."""
    rng, classes = np.random.default_rng(0), max(outputs, 2)
    source = Table(rng.normal(size=(rows, inputs)), np.arange(rows) % classes)
    loss = "binary_crossentropy" if outputs == 1 else "sparse_categorical_crossentropy"
    last = Dense(outputs, "sigmoid" if outputs == 1 else "softmax")
    return Experiment(
        Data(source, label_values=tuple(map(float, range(classes)))),
        Model((*(Dense(units, "relu") for units in hidden), last)),
        Training(loss, batch_size=batch, epochs=epochs),
    )


def compare_sizes(missing: list[str]) -> list[dict]:
    """Milliseconds an epoch and run, the least of REPEATS: the engine, `fit` and JAX.

    "training" is a tenth of a whole training of ten epochs, as people run it: rows and weights made
    ready, evaluation, health figures and the weights of key epochs. The others are epochs alone,
    ten in a row of the engine and of JAX, which evaluates all rows after each, as the engine does,
    and has an order of its own for each run. `fit` evaluates nothing.
    """
    rows = []
    for size in SIZES:
        fit = _fit(network(*size))
        for runs in RUNS:
            compiling = train(network(*size), runs).compile_seconds
            ways = {"training": _engine(size, runs), "engine": epochs_alone(network(*size), runs)}
            ways["model.fit"] = fit
            if "jax" not in missing:
                ways["JAX"] = _jax(network(*size), runs)
            rounds = [{name: way() for name, way in ways.items()} for _ in range(REPEATS)]
            least = {name: 1e3 * min(each[name] for each in rounds) for name in ways}
            for name in least.keys() - {"model.fit"}:
                least[name] /= runs
            layers = "-".join(map(str, (size[0], *size[1], size[2])))
            row = {"network": layers, "batch size": size[3], "runs": runs}
            row |= {f"{name} ms": ms for name, ms in least.items()}
            row |= {"times fit": least["model.fit"] / least["training"]}
            if "JAX" in least:
                row["times JAX"] = least["JAX"] / least["engine"]
            rows.append(row | {"compile s": compiling})
    return rows


def _engine(size, runs: int) -> Callable[[], float]:
    seeds = itertools.count(1)
    experiment = network(*size, epochs=EPOCHS)
    return lambda: train(experiment, runs, next(seeds)).seconds / EPOCHS


def epochs_alone(experiment: Experiment, runs: int) -> Callable[[], float]:
    """Seconds an epoch of the engine, EPOCHS in a row, with evaluation and health figures."""
    members = [(experiment, run) for run in range(runs)]
    lanes = grouping.lanes_for(experiment, runs)
    program = programs.program(experiment, lanes)
    own, held_out = stacked_rows(members, 0, program.layout, lanes)
    order = np.arange(experiment.data.training_rows, dtype=np.int32)
    keys = np.zeros(lanes, np.uint32)
    rates = np.full(lanes, experiment.training.optimizer.learning_rate)

    def measure() -> float:
        program.reset(_initial_weights(members, 0, lanes), rates)
        one = functools.partial(program.epoch, own, held_out, order, keys)
        return _timed(lambda: [one() for _ in range(EPOCHS)]) / EPOCHS

    return measure


def _fit(experiment: Experiment) -> Callable[[], float]:
    rows = prepare(experiment.data, 0, 0)
    model = keras_models.keras_model(experiment, layer_seeds(experiment, 0, 0))
    optimizer = keras_models.keras_optimizer(experiment, 1e-3)
    model.compile(optimizer, experiment.training.loss, metrics=["accuracy"])
    call = functools.partial(
        model.fit, rows.x, rows.y, batch_size=experiment.training.batch_size, verbose=0
    )
    call()
    return lambda: _timed(call)


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _jax(experiment: Experiment, runs: int) -> Callable[[], float]:
    """One compiled call an epoch, of training and evaluation: the code of one run under `vmap`."""
    import jax
    import jax.numpy as jnp

    rows, batch = prepare(experiment.data, 0, 0), experiment.training.batch_size
    x, y = jnp.asarray(rows.x), jnp.asarray(rows.y[:, 0])
    steps, binary = len(x) // batch, experiment.model.output.units == 1

    def judged(weights, x, y):
        for kernel, bias in weights[:-1]:
            x = jax.nn.relu(x @ kernel + bias)
        out = x @ weights[-1][0] + weights[-1][1]
        if binary:
            logits = out[:, 0]
            return (jax.nn.softplus(logits) - y * logits).mean(), ((logits > 0) == y).mean()
        labels = y.astype(int)
        chosen = jnp.take_along_axis(jax.nn.log_softmax(out), labels[:, None], 1)
        return -chosen.mean(), (out.argmax(1) == labels).mean()

    def loss(weights, rows):
        return judged(weights, x[rows], y[rows])

    def step(state, now):
        weights, mean, square = state
        rows, number = now
        value, slopes = jax.value_and_grad(loss, has_aux=True)(weights, rows)
        mean = jax.tree.map(lambda m, g: m + (g - m) * 0.1, mean, slopes)
        square = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, square, slopes)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        change = jax.tree.map(lambda m, v: rate * m / (jnp.sqrt(v) + 1e-7), mean, square)
        return (jax.tree.map(jnp.subtract, weights, change), mean, square), value

    def epoch(state, batches, numbers):
        state, each = jax.lax.scan(step, state, (batches, numbers))
        return state, each, judged(state[0], x, y)

    flat = [jnp.asarray(np.moveaxis(w[0], -1, 0)) for w in train(experiment, runs).weights]
    weights = list(zip(flat[::2], flat[1::2], strict=True))
    none, rng = jax.tree.map(jnp.zeros_like, weights), np.random.default_rng(0)
    state, call = (weights, none, none), jax.jit(jax.vmap(epoch, in_axes=(0, 0, None)))
    numbers = np.arange(1, steps + 1, dtype=np.float32)

    def measure():
        orders = np.tile(np.arange(len(x)), (runs, 1))
        batches = rng.permuted(orders, axis=1)[:, : steps * batch].reshape(runs, steps, batch)

        def epochs():
            after = state
            for epoch in range(EPOCHS):
                after, *figures = call(after, batches, numbers + epoch * steps)
                jax.block_until_ready(figures)

        return _timed(epochs) / EPOCHS

    measure()
    return measure


def compare_layouts() -> list[dict]:
    """Both layouts on networks around the sizes where they part, µs a run and step."""
    rows = []
    for (inputs, hidden, batch), runs in itertools.product(AROUND, (1, 64)):
        size = (inputs, hidden, 1, batch, 40 * batch)
        row = {"hidden": hidden, "inputs": inputs, "batch size": batch, "runs": runs}
        entries = grouping.sizes(network(*size))[1]
        row |= {"entries": entries, "products": entries * batch / (len(hidden) + 1)}
        for name, least in (("last", inf), ("first", 0)):
            with _runs_first_from(least):
                train(network(*size), runs)
                us = min(_engine(size, runs)() for _ in range(REPEATS))
            row[f"{name} µs"] = 1e6 * us / 40 / runs
        chosen = "first" if grouping.runs_first(network(*size)) else "last"
        rows.append(row | {"last / first": row["last µs"] / row["first µs"], "chosen": chosen})
    return rows


def fitted_rule(rows: list[dict]) -> dict:
    """The bounds of kernel entries and products with the least time lost to the other layout.

    For many runs: one run is done soon in either.

    Args:
        rows: Of `compare_layouts`.

    Returns:
        The bounds, and the time that is taken with them and with those of
        `core.engine.grouping`, relative to the faster layout: a geometric mean over the rows.
    """

    def lost(bounds: tuple[float, float]) -> float:
        times = []
        for row in rows:
            first = row["entries"] >= bounds[0] and row["products"] >= bounds[1]
            last_us, first_us = row["last µs"], row["first µs"]
            times.append((first_us if first else last_us) / min(last_us, first_us))
        return statistics.geometric_mean(times)

    rows = [row for row in rows if row["runs"] == max(RUNS)]
    present = grouping.RUNS_FIRST_ENTRIES, grouping.RUNS_FIRST_PRODUCTS
    entries, products = (sorted({row[name] for row in rows}) for name in ("entries", "products"))
    best = min(itertools.product(entries, products), key=lost)
    return {
        "rule": "runs first from",
        "entries": best[0],
        "products": best[1],
        "time over the faster": lost(best),
        "with today's bounds": lost(present),
    }


class _runs_first_from:
    """All structures in one layout: those with so many products, whatever their entries."""

    def __init__(self, products: float):
        self.values = (0, products)

    def __enter__(self) -> None:
        programs._kept.clear()
        self.before = grouping.RUNS_FIRST_ENTRIES, grouping.RUNS_FIRST_PRODUCTS
        grouping.RUNS_FIRST_ENTRIES, grouping.RUNS_FIRST_PRODUCTS = self.values

    def __exit__(self, *_: object) -> None:
        grouping.RUNS_FIRST_ENTRIES, grouping.RUNS_FIRST_PRODUCTS = self.before
        programs._kept.clear()


def compare_parts(runs: int = 16) -> list[dict]:
    """What the norms for the health figures add to an epoch of SIZES, and what evaluation takes.

    Beside programs that measure the norms in the first step alone, and one that evaluates two rows;
    the least of 3 x REPEATS epochs each.
    """
    rows, as_is = [], RunsFirst.every
    for size in SIZES:
        experiment = network(*size)
        members = [(experiment, run) for run in range(runs)]
        least: dict[str, float] = {}
        made = {}
        for name, every in (("first", 10**6), ("eighth", as_is), ("every", 1)):
            RunsFirst.every = every
            made[name] = programs.Program(experiment, runs)
        RunsFirst.every = as_is
        made["unevaluated"] = _EvaluatesTwoRows(experiment, runs)
        own, held_out = stacked_rows(members, 0, RunsFirst, runs)
        order, keys = np.arange(size[-1], dtype=np.int32), np.zeros(runs, np.uint32)
        for _, (name, program) in itertools.product(range(3 * REPEATS), made.items()):
            seconds = _timed(functools.partial(program.epoch, own, held_out, order, keys))
            least[name] = min(least.get(name, inf), seconds)
        layers = "-".join(map(str, (size[0], *size[1], size[2])))
        row = {"network": layers, "runs": runs}
        for name in ("eighth", "every"):
            row[f"norms in {name} step, %"] = 100 * (least[name] / least["first"] - 1)
        row["evaluation, %"] = 100 * (1 - least["unevaluated"] / least["eighth"])
        rows.append(row)
    return rows


class _EvaluatesTwoRows(programs.Program):
    def _evaluated(self, data):
        return super()._evaluated(data._replace(index=data.index[:, :2]))


def limit(runs: int, epochs: int = 3) -> Callable[[], float] | None:
    """µs a run and step of the C program on one thread; None where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    folder = tempfile.TemporaryDirectory()
    program = str(Path(folder.name, "limit"))
    options = ["-O3", "-march=native", "-ffast-math", str(LIMIT), "-o", program, "-lm"]
    try:
        subprocess.run([compiler, *options], check=True)
    except subprocess.CalledProcessError:
        return None

    def measure(folder=folder) -> float:  # which is there for as long as this function is
        command = [program, str(runs), str(epochs)]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    return measure


def peak_megabytes(runs: int = 64) -> float | None:
    """The most memory of a process that trains the largest of SIZES; None where none is told.

    Without scikit-learn and JAX, which Keras imports where they are: as the app's training process
    is.
    """
    status = "/proc/self/status"
    if not Path(status).exists():
        return None
    program = (
        "import sys; sys.modules |= dict.fromkeys(('sklearn', 'jax')); "
        "from benchmarks.engine_sizes import EPOCHS, SIZES, network, train; "
        f"train(network(*SIZES[-1], epochs=EPOCHS), {runs}); print(open({status!r}).read())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
