"""How many faults the diagnosis finds, how often it alarms for nothing, and whether its fixes help.

    python -m benchmarks.diagnosis [--json] [--quick] [--seed N]

Healthy experiments of many shapes are drawn and trained over 16 runs. Into some of them every
fault is put alone, and many in pairs; each is trained as well, and counts where it harms. The
fixes that the findings suggest are then trained over the same seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context

import numpy as np

from core.data import generator, prepare
from core.diagnosis import Finding, Severity, diagnose
from core.diagnosis.estimates import bayes_accuracy
from core.diagnosis.observations import Observations
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Dropout,
    Experiment,
    InvalidExperiment,
    Model,
    RMSprop,
    Table,
    Training,
)
from core.fixes import Fix, with_data, with_hidden, with_training
from core.history import TARGET, History
from core.problems import PROBLEMS
from core.rates import paired_gain

RUNS = 16
PROCESSES = 2
CHUNK = 12
HEALTHY, HEALTHY_QUICK = 72, 8
"""Healthy experiments that are drawn; those that do not succeed in every run are replaced."""
BASES, BASES_QUICK = 7, 1
PAIRS, PAIRS_QUICK = 30, 4
VERIFIED, VERIFIED_QUICK = 40, 5
"""Faulty experiments whose suggested fixes are trained."""
FIXES_EACH = 4
VERIFIED_RUNS = 64
"""Runs that a fix is verified over: where 14 of 16 runs succeed as it is, 16 cannot show a gain."""
SLACK = 0.05
"""A noisy experiment is healthy if every run comes this close to the best possible accuracy."""
SHOWN_RUNS = 64
"""Runs of the history that a diagnosis is timed with."""

FOUND, FOUND_EACH, HEALTHY_LEAST, HELPED = 0.95, 0.80, 60, 0.80
STATIC_SECONDS, HISTORY_SECONDS = 0.050, 0.300


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# --- healthy experiments ------------------------------------------------------------------------


def healthy_experiments(seed: int) -> Iterator[Experiment]:
    """Experiments as a careful person would set them up, in shapes drawn at random, without end."""
    rng = generator(seed, 99)
    while True:
        yield _drawn_experiment(rng)


def _drawn_experiment(rng: np.random.Generator) -> Experiment:
    features = int(rng.choice([1, 2, 3, 5, 10, 20]))
    classes = int(rng.choice([2, 2, 2, 3, 5]))
    depth = int(rng.integers(1, 5))
    activation = str(rng.choice(["relu", "relu", "tanh", "elu", "leaky_relu", "sigmoid"]))
    depth = min(depth, 2) if activation == "sigmoid" else depth
    initialiser = "he_normal" if activation in ("relu", "leaky_relu") else "glorot_uniform"
    units = int(rng.choice([8, 12, 16, 32]))
    hidden = tuple(Dense(units, activation, initialiser) for _ in range(depth))
    samples = int(rng.choice([100, 150, 250]))
    epochs = int(rng.choice([30, 40, 60]))
    batch = int(rng.choice([8, 16, 32]))
    optimizer = (Adam(0.01), Adam(0.003), RMSprop(0.003), SGD(0.1), SGD(0.05, 0.9))[rng.integers(5)]
    # Clouds along a diagonal through 0, or where a person leaves them: at some place, then scaled.
    spacing, noise = float(rng.uniform(1.0, 1.6)), float(rng.choice([0.0, 0.0, 0.1, 0.4]))
    low = -spacing * classes / 2
    bounds = tuple((low + k * spacing, low + (k + 0.8) * spacing) for k in range(classes))
    if features >= 5 and classes == 2 and rng.random() < 0.3:
        bounds = ((-0.4, 0.4), (-1.6, 1.6))  # one cloud around the other: no straight cut
    scaling = "none"
    if rng.random() < 0.5:
        where, size = float(rng.uniform(-50, 50)), float(rng.choice([0.1, 1, 30, 1000]))
        bounds = tuple((size * (a + where), size * (b + where)) for a, b in bounds)
        noise, scaling = noise * size, str(rng.choice(["standardise", "standardise", "min-max"]))
    elif rng.random() < 0.3:
        # Left off centre and off scale, as many do; it counts where it learns all the same.
        where, size = float(rng.uniform(-3, 3)), float(rng.choice([0.3, 3, 10]))
        bounds = tuple((size * (a + where), size * (b + where)) for a, b in bounds)
        noise *= size
    source = Blobs(bounds, samples, features, noise=noise)
    form = str(
        rng.choice(
            ["binary", "categorical", "sparse"] if classes == 2 else ["categorical", "sparse"]
        )
    )
    form_loss = {
        "binary": "binary_crossentropy",
        "categorical": "categorical_crossentropy",
        "sparse": "sparse_categorical_crossentropy",
    }[form]
    output = Dense(1, "sigmoid") if form == "binary" else Dense(classes, "softmax")
    data = Data(
        source,
        hold_out=float(rng.choice([0.0, 0.2])),
        scaling=scaling,
        label_values=tuple(range(classes)),
        encoding="one-hot" if form == "categorical" else "index",
    )
    extra: tuple = ()
    if rng.random() < 0.15:
        extra = (BatchNormalisation(),)
    elif units >= 16 and rng.random() < 0.2:
        extra = (Dropout(0.2),)
    layers = (*hidden[:1], *extra, *hidden[1:], output)
    return Experiment(data, Model(layers), Training(form_loss, optimizer, batch, epochs))


def is_healthy(experiment: Experiment, history: History) -> bool:
    """Every run reaches the target, or comes close to the best possible."""
    best = bayes_accuracy(experiment.data.source)
    return bool((history.final_accuracy >= min(TARGET, best - SLACK)).all())


# --- faults -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """What is put in: edit gives the faulty experiment, or None where it does not fit.

    codes: findings of which any one names it. harmless: it is worth a word but stops no run, so
    that it counts without harm.
    """

    name: str
    codes: tuple[str, ...]
    edit: Callable[[Experiment], Experiment | None]
    harmless: bool = False


FAULTS: list[Fault] = []


def fault(name: str, *codes: str, harmless: bool = False):
    def register(edit):
        FAULTS.append(Fault(name, codes, edit, harmless))
        return edit

    return register


def with_output(**changes) -> Callable[[Experiment], Experiment]:
    def edit(experiment: Experiment) -> Experiment:
        *below, output = experiment.model.layers
        return replace(experiment, model=Model((*below, replace(output, **changes))))

    return edit


def binary(experiment: Experiment) -> bool:
    return experiment.training.loss == "binary_crossentropy"


def rated(factor: float, experiment: Experiment) -> Experiment:
    optimizer = experiment.training.optimizer
    changed = replace(optimizer, learning_rate=optimizer.learning_rate * factor)
    return with_training(optimizer=changed)(experiment)


def hidden(experiment: Experiment) -> tuple[Dense, ...]:
    return experiment.model.dense[:-1]


@fault("ReLU output", "output-not-probability")
def _(experiment):
    return with_output(activation="relu")(experiment)


@fault("linear output", "output-not-probability")
def _(experiment):
    return with_output(activation="linear")(experiment)


@fault("tanh output", "output-not-probability")
def _(experiment):
    return with_output(activation="tanh")(experiment)


@fault("softmax over one unit", "softmax-one-unit")
def _(experiment):
    return with_output(activation="softmax")(experiment) if binary(experiment) else None


@fault("one unit for many classes", "one-unit-many-classes")
def _(experiment):
    if experiment.data.source.classes < 3:
        return None
    *below, output = experiment.model.layers
    return Experiment(
        replace(experiment.data, encoding="as-is"),
        Model((*below, replace(output, units=1, activation="sigmoid"))),
        replace(experiment.training, loss="binary_crossentropy"),
    )


@fault("one unit against one-hot labels", "one-unit-one-hot")
def _(experiment):
    if experiment.data.encoding != "one-hot":
        return None
    *below, output = experiment.model.layers
    model = Model((*below, replace(output, units=1, activation="sigmoid")))
    training = replace(experiment.training, loss="mean_squared_error")
    return Experiment(experiment.data, model, training)


@fault("labels 1 and 2", "labels-outside-loss")
def _(experiment):
    if not binary(experiment):
        return None
    return with_data(label_values=(1.0, 2.0), encoding="as-is")(experiment)


@fault("labels -1 and 1", "labels-outside-loss")
def _(experiment):
    if not binary(experiment):
        return None
    return with_data(label_values=(-1.0, 1.0), encoding="as-is")(experiment)


@fault("labels -1 and 1 under the squared error", "labels-outside-accuracy")
def _(experiment):
    if not binary(experiment):
        return None
    changed = with_training(loss="mean_squared_error")(with_output(activation="tanh")(experiment))
    return with_data(label_values=(-1.0, 1.0), encoding="as-is")(changed)


@fault("squared error on a ReLU output", "squared-error", "dead-units")
def _(experiment):
    encoding = "index" if binary(experiment) else "one-hot"
    changed = with_output(activation="relu")(experiment)
    return Experiment(
        replace(changed.data, encoding=encoding),
        changed.model,
        replace(changed.training, loss="mean_squared_error"),
    )


@fault("sigmoid under a categorical loss", "unusual-output", harmless=True)
def _(experiment):
    return None if binary(experiment) else with_output(activation="sigmoid")(experiment)


@fault("spare output units", "spare-output-units", harmless=True)
def _(experiment):
    if not experiment.training.loss.startswith("sparse"):
        return None
    return with_output(units=experiment.model.output.units + 4)(experiment)


@fault("inputs times 10,000", "inputs-unscaled")
def _(experiment):
    return with_data(scaling="divide", divisor=1e-4)(experiment)


@fault("inputs left as they are", "inputs-unscaled", "one-signed-inputs")
def _(experiment):
    return None if experiment.data.scaling == "none" else with_data(scaling="none")(experiment)


@fault("inputs divided by 1,000", "inputs-unscaled", "too-few-updates")
def _(experiment):
    return with_data(scaling="divide", divisor=1e3 * _size(experiment))(experiment)


def _size(experiment: Experiment) -> float:
    return float(np.abs(np.array(experiment.data.source.bounds)).max())


@fault("inputs far to one side", "one-signed-inputs", "inputs-unscaled")
def _(experiment):
    source = experiment.data.source
    width = np.ptp(np.array(source.bounds))
    low = np.array(source.bounds).min()
    bounds = tuple((a - low + 3 * width, b - low + 3 * width) for a, b in source.bounds)
    data = replace(experiment.data, source=replace(source, bounds=bounds))
    return replace(experiment, data=replace(data, scaling="divide", divisor=float(width / 2)))


@fault("rows lost to the shuffle", "rows-lost", harmless=True)
def _(experiment):
    return with_data(shuffling="rows")(experiment)


@fault("evaluation on the training data", "evaluated-on-training-data", harmless=True)
def _(experiment):
    return with_data(hold_out=0.0)(experiment)


@fault("sorted and never shuffled", "sorted-unshuffled")
def _(experiment):
    changed = with_data(shuffling="none", hold_out=0.0)(experiment)
    return with_training(shuffle=False)(changed)


@fault("clouds that overlap", "label-conflict", harmless=True)
def _(experiment):
    source = experiment.data.source
    changed = replace(source, overlap=0.9)
    return None if bayes_accuracy(changed) > 0.99 else with_data(source=changed)(experiment)


@fault("a constant column", "constant-column", harmless=True)
def _(experiment):
    inputs, classes = _rows(experiment)
    return _table(experiment, np.column_stack([inputs, np.full(len(inputs), 3.0)]), classes)


@fault("repeated rows", "rows-repeated", harmless=True)
def _(experiment):
    inputs, classes = _rows(experiment)
    half = len(inputs) // 2
    return _table(experiment, np.tile(inputs[:half], (2, 1)), np.tile(classes[:half], 2))


@fault("a rare class", "class-imbalance", harmless=True)
def _(experiment):
    inputs, classes = _rows(experiment)
    kept = (classes > 0) | (np.arange(len(classes)) % 20 == 0)
    return _table(experiment, inputs[kept], classes[kept])


@fault("one class only", "one-class-only", harmless=True)
def _(experiment):
    if not binary(experiment):
        return None
    inputs, _ = _rows(experiment)
    changed = _table(experiment, inputs, np.zeros(len(inputs), int), (0.0,))
    return changed


@fault("labels on a continuous scale", "continuous-labels")
def _(experiment):
    if not binary(experiment):
        return None
    inputs, _ = _rows(experiment)
    inputs = inputs[:200]
    means = inputs.mean(axis=1)
    values = np.tanh((means - means.mean()) / means.std()) + 2
    levels, classes = np.unique(values, return_inverse=True)
    data = replace(
        experiment.data,
        source=Table(_tuples(inputs), tuple(classes.tolist())),
        label_values=tuple(levels.tolist()),
        encoding="as-is",
    )
    return replace(experiment, data=data)


@fault("labels by chance", "overfitting", "label-conflict", "unexplained")
def _(experiment):
    inputs, classes = _rows(experiment)
    changed = _table(experiment, inputs, np.random.default_rng(0).permutation(classes))
    return with_data(hold_out=0.3)(changed)


def _rows(experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """At most 400 raw rows of the experiment, and their classes."""
    data = replace(experiment.data, scaling="none", hold_out=0.0, encoding="index", seed=5)
    rows = prepare(data, 0, 0)
    return rows.x[:400].astype(float), rows.y[:400, 0].astype(int)


def _tuples(inputs: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in inputs.tolist())


def _table(experiment, inputs, classes, values=None) -> Experiment:
    values = values or tuple(float(k) for k in range(classes.max() + 1))
    source = Table(_tuples(inputs), tuple(classes.tolist()))
    return replace(experiment, data=replace(experiment.data, source=source, label_values=values))


@fault("learning rate / 1,000", "learning-rate-too-low")
def _(experiment):
    return rated(1e-3, experiment)


@fault("learning rate / 10,000", "learning-rate-too-low")
def _(experiment):
    return rated(1e-4, experiment)


@fault("learning rate x 300", "learning-rate-too-high", "non-finite-loss")
def _(experiment):
    return rated(300, experiment)


@fault("two epochs", "too-few-updates")
def _(experiment):
    return with_training(epochs=2, batch_size=64)(experiment)


@fault("one batch an epoch", "batch-too-large", "too-few-updates")
def _(experiment):
    return with_training(batch_size=10_000, epochs=10)(experiment)


@fault("zero initialisation", "zero-initialisation")
def _(experiment):
    layers = tuple(
        replace(layer, initialiser="zeros") if isinstance(layer, Dense) else layer
        for layer in experiment.model.layers
    )
    return replace(experiment, model=Model(layers))


@fault("no activation", "no-nonlinearity")
def _(experiment):
    if not _needs_bend(experiment):
        return None
    return with_hidden(activation="linear")(experiment)


@fault("no hidden layer", "no-nonlinearity")
def _(experiment):
    if not _needs_bend(experiment):
        return None
    return replace(experiment, model=Model((experiment.model.output,)))


def _needs_bend(experiment: Experiment) -> bool:
    (a, b), (c, d) = experiment.data.source.bounds[:2]
    return c < a and b < d


@fault("one unit a hidden layer", "bottleneck", "dead-units")
def _(experiment):
    return with_hidden(units=1)(experiment)


@fault("dead units", "dead-units")
def _(experiment):
    source = experiment.data.source
    width = np.ptp(np.array(source.bounds))
    low = np.array(source.bounds).min()
    bounds = tuple((a - low + 2 * width, b - low + 2 * width) for a, b in source.bounds)
    data = replace(experiment.data, source=replace(source, bounds=bounds), scaling="divide")
    narrow = with_hidden(units=2, activation="relu", initialiser="he_normal")(experiment)
    return replace(narrow, data=replace(data, divisor=float(width)))


@fault("softmax in the hidden layers", "hidden-softmax")
def _(experiment):
    return with_hidden(activation="softmax")(experiment)


@fault("dropout 0.9", "dropout-too-high")
def _(experiment):
    *below, output = experiment.model.layers
    return replace(experiment, model=Model((*below, Dropout(0.9), output)))


@fault("batch normalisation of single rows", "batch-norm-small-batch")
def _(experiment):
    first, *rest = experiment.model.layers
    model = Model((first, BatchNormalisation(), *rest))
    return replace(with_training(batch_size=1, epochs=3)(experiment), model=model)


@fault("batch normalisation with few updates", "batch-norm-unsettled")
def _(experiment):
    first, *rest = experiment.model.layers
    model = Model((first, BatchNormalisation(), *rest))
    return replace(with_training(batch_size=64, epochs=3)(experiment), model=model)


@fault("deep sigmoid stack", "vanishing-gradient")
def _(experiment):
    layers = tuple(Dense(hidden(experiment)[0].units, "sigmoid") for _ in range(5))
    return replace(experiment, model=Model((*layers, experiment.model.output)))


@fault("saturated hidden layers", "saturated-units")
def _(experiment):
    changed = with_hidden(activation="sigmoid", initialiser="glorot_uniform")(experiment)
    return with_data(scaling="divide", divisor=1e-3)(changed)


@fault("explosion", "exploding-gradient", "non-finite-loss", "learning-rate-too-high")
def _(experiment):
    optimizer = SGD(5.0, 0.9)
    changed = with_hidden(activation="relu", initialiser="he_normal")(experiment)
    return with_training(optimizer=optimizer)(changed)


# --- judging ------------------------------------------------------------------------------------


@dataclass
class Case:
    """An experiment with some faults in it, and what came of it."""

    faults: tuple[Fault, ...]
    base: Experiment
    experiment: Experiment
    history: History | None = None
    harmed: bool = False
    findings: tuple[Finding, ...] = ()
    static: tuple[Finding, ...] = ()

    def found(self, fault: Fault) -> bool:
        """A code names it; of a fault that harms, as more than cosmetic."""
        serious = self.harmed and not fault.harmless
        return any(
            finding.code in fault.codes
            and (not serious or finding.severity is not Severity.COSMETIC)
            for finding in self.findings
        )


def cases(bases: list[Experiment], pairs: int, seed: int) -> list[Case]:
    rng = generator(seed)
    singles = []
    for base in bases:
        for one in FAULTS:
            changed = _edited(base, (one,))
            if changed is not None and changed != base:
                singles.append(Case((one,), base, changed))
    doubles: list[Case] = []
    while len(doubles) < pairs:
        base = bases[rng.integers(len(bases))]
        chosen = tuple(FAULTS[k] for k in sorted(rng.choice(len(FAULTS), 2, replace=False)))
        changed = _edited(base, chosen)
        alone = [_edited(base, (one,)) for one in chosen]
        # A fault that hides the other is one fault, not a pair; so are labels written anew twice.
        tables = [a is not None and isinstance(a.data.source, Table) for a in alone]
        if all(tables):
            continue
        if changed is not None and all(a not in (None, base, changed) for a in alone):
            doubles.append(Case(chosen, base, changed))
    return singles + doubles


def _edited(base: Experiment, faults: tuple[Fault, ...]) -> Experiment | None:
    try:
        for one in faults:
            base = one.edit(base)
            if base is None:
                return None
    except (InvalidExperiment, AttributeError, TypeError, ValueError):
        return None
    return base


def trained(experiments: list[Experiment], what: str, runs: int = RUNS) -> list[History]:
    """Train some runs of each in PROCESSES processes: most of the time goes into compiling."""
    # What shares a program stays together.
    order = sorted(range(len(experiments)), key=lambda k: repr(experiments[k].model))
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]
    jobs = [([experiments[k] for k in chunk], runs) for chunk in chunks]
    histories: dict[int, History] = {}
    for chunk, found in zip(chunks, _pool().map(_train, jobs), strict=True):
        histories |= dict(zip(chunk, found, strict=True))
        say(f"{what}: {len(histories)} of {len(experiments)}")
    return [histories[k] for k in range(len(experiments))]


@cache
def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"))


def _train(job: tuple[list[Experiment], int]) -> list[History]:
    from core.training import train_all

    # The first and the last weights are all that a diagnosis reads.
    return [
        replace(
            history,
            key_epochs=history.key_epochs[[0, -1]],
            weights=tuple(array[[0, -1]] for array in history.weights),
        )
        for history in train_all(*job)
    ]


def gather_healthy(count: int, seed: int) -> tuple[list[Experiment], list[History], int]:
    """The first `count` that are healthy, their histories, and how many had to be drawn."""
    source = healthy_experiments(seed)
    experiments, histories, drawn = [], [], 0
    while len(experiments) < count:
        some = [next(source) for _ in range(count - len(experiments))]
        drawn += len(some)
        for experiment, history in zip(some, trained(some, "healthy"), strict=True):
            if is_healthy(experiment, history):
                experiments.append(experiment)
                histories.append(history)
    return experiments, histories, drawn


def success(experiment: Experiment, history: History) -> np.ndarray:
    return Observations(experiment, history, TARGET).end.passed


def verify(chosen: list[Case]) -> list[dict]:
    """Train each fatal or fragile finding's fixes; a row a finding: code, fault, alone, helped."""
    plans = []
    for case in chosen:
        serious = [f for f in case.findings if f.severity in (Severity.FATAL, Severity.FRAGILE)]
        by_key: dict[str, Fix] = {}
        for finding in serious:
            for fix in finding.fixes[:FIXES_EACH]:
                by_key.setdefault(fix.key, fix)
        plans.append((case, serious, by_key))
    sets, experiments = [], []
    for case, serious, by_key in plans:
        firsts = tuple(dict.fromkeys(f.fixes[0].key for f in serious if f.fixes))
        combinations = {(key,) for key in by_key}
        combinations |= {
            tuple(sorted({a, b})) for n, a in enumerate(firsts) for b in firsts[n + 1 :]
        }
        for keys in sorted(combinations):
            changed = _fixed(case.experiment, [by_key[key] for key in keys])
            if changed is not None:
                sets.append((case, keys))
                experiments.append(changed)
    outcomes: dict[int, dict[tuple, np.ndarray]] = defaultdict(dict)
    unchanged = [case.experiment for case in chosen]
    histories = trained(unchanged + experiments, "fixes", VERIFIED_RUNS)
    befores = [success(e, h) for e, h in zip(unchanged, histories, strict=False)]
    histories = histories[len(unchanged) :]
    for (case, keys), changed, history in zip(sets, experiments, histories, strict=True):
        outcomes[id(case)][keys] = success(changed, history)
    rows = []
    for (case, serious, _), before in zip(plans, befores, strict=True):
        after = outcomes[id(case)]
        for finding in serious:
            keys = {fix.key for fix in finding.fixes[:FIXES_EACH]}
            alone = any(
                paired_gain(before, after[(key,)])[1] > 0 for key in keys if (key,) in after
            )
            joined = any(
                len(pair) == 2
                and keys & set(pair)
                and paired_gain(before, runs)[1] > 0
                # The other one alone must not do as much.
                and all(runs.mean() > after.get((key,), before).mean() for key in set(pair) - keys)
                for pair, runs in after.items()
            )
            rows.append(
                {
                    "code": finding.code,
                    "fault": " and ".join(one.name for one in case.faults),
                    "before": f"{before.sum()} of {len(before)} runs",
                    "alone": alone,
                    "helped": alone or joined,
                }
            )
    return rows


def _fixed(experiment: Experiment, some: list[Fix]) -> Experiment | None:
    for order in (some, some[::-1]):
        try:
            changed = experiment
            for fix in order:
                changed = fix.apply(changed)
            return None if changed == experiment else changed
        except InvalidExperiment:
            continue
    return None


def measure_seconds(experiments: list[Experiment]) -> tuple[float, float]:
    """Seconds of a diagnosis without and with a history of 64 runs: the slowest experiment's."""
    from core.training import train

    without, with_history = [], []
    for experiment in experiments:
        history = train(experiment, SHOWN_RUNS)
        for seconds, arguments in ((without, (experiment,)), (with_history, (experiment, history))):
            each = []
            for _ in range(5):
                started = time.perf_counter()
                diagnose(*arguments)
                each.append(time.perf_counter() - started)
            seconds.append(float(np.median(each)))
    return max(without), max(with_history)


def run(quick: bool, seed: int) -> dict:
    count = HEALTHY_QUICK if quick else HEALTHY
    experiments, histories, drawn = gather_healthy(count, seed)
    alarms = {"history": defaultdict(int), "static": defaultdict(int)}
    examples = []
    for experiment, history in zip(experiments, histories, strict=True):
        for kind, findings in (
            ("history", diagnose(experiment, history)),
            ("static", diagnose(experiment)),
        ):
            for severity in {finding.severity for finding in findings}:
                alarms[kind][severity.value] += 1
            for finding in findings:
                if finding.severity in (Severity.FATAL, Severity.FRAGILE) or (
                    finding.severity is Severity.SLOW
                ):
                    examples.append((kind, finding, experiment))
    # Bases that are unlike each other: every kind of loss, and clouds that need a bend.
    bases = _spread(experiments, BASES_QUICK if quick else BASES)
    chosen = cases(bases, PAIRS_QUICK if quick else PAIRS, seed + 1)
    outcomes = trained([case.experiment for case in chosen], "faults")
    healthy_runs = {id(base): success(base, histories[experiments.index(base)]) for base in bases}
    by_code: dict[str, list[bool]] = defaultdict(list)
    by_fault: dict[str, list[bool]] = defaultdict(list)
    static_found: list[bool] = []
    harmless = 0
    missed = []
    for case, history in zip(chosen, outcomes, strict=True):
        case.history = history
        case.findings, case.static = diagnose(case.experiment, history), diagnose(case.experiment)
        after = success(case.experiment, history)
        case.harmed = paired_gain(healthy_runs[id(case.base)], after)[2] < 0
        for one in case.faults:
            if not case.harmed and not one.harmless:
                harmless += 1
                continue
            hit = case.found(one)
            by_code[one.codes[0]].append(hit)
            by_fault[one.name].append(hit)
            static_found.append(any(f.code in one.codes for f in case.static))
            if not hit:
                missed.append((one.name, case))
    serious = [
        case
        for case in chosen
        if any(f.severity in (Severity.FATAL, Severity.FRAGILE) for f in case.findings)
    ]
    limit = VERIFIED_QUICK if quick else VERIFIED
    picked = [
        serious[k] for k in np.linspace(0, len(serious) - 1, min(limit, len(serious))).astype(int)
    ]
    verified = verify(picked)
    timed = [problem.experiment for problem in PROBLEMS.values()] + bases[:3]
    static_seconds, history_seconds = measure_seconds(timed)
    result = {
        "healthy": count,
        "drawn": drawn,
        "false_alarms": {kind: dict(counts) for kind, counts in alarms.items()},
        "alarm_examples": [
            f"{kind} {f.severity.value} {f.code}: {f.evidence}" for kind, f, _ in examples
        ],
        "injected": sum(map(len, by_code.values())),
        "without_harm": harmless,
        "codes": {code: [sum(hits), len(hits)] for code, hits in sorted(by_code.items())},
        "faults": {name: [sum(hits), len(hits)] for name, hits in by_fault.items()},
        "found_before_training": [sum(static_found), len(static_found)],
        "fixes": {
            code: [
                sum(r["helped"] for r in verified if r["code"] == code),
                sum(r["code"] == code for r in verified),
            ]
            for code in sorted({r["code"] for r in verified})
        },
        "helped": [sum(r["helped"] for r in verified), len(verified)],
        "helped_alone": [sum(r["alone"] for r in verified), len(verified)],
        "static_seconds": static_seconds,
        "history_seconds": history_seconds,
    }
    result["targets"] = _targets(result)
    result["missed"] = [
        f"{name} (in {', '.join(one.name for one in case.faults)}): "
        + ", ".join(f"{f.severity.value} {f.code}" for f in case.findings)
        for name, case in missed
    ]
    result["unhelped"] = [r for r in verified if not r["helped"]]
    return result


def _spread(experiments: list[Experiment], count: int) -> list[Experiment]:
    groups: dict[tuple, list[Experiment]] = defaultdict(list)
    for experiment in experiments:
        bend = experiment.data.source.classes == 2 and _needs_bend(experiment)
        groups[experiment.training.loss, bend].append(experiment)
    picked: list[Experiment] = []
    while len(picked) < count:
        for members in sorted(groups.items(), key=lambda item: str(item[0])):
            if members[1] and len(picked) < count:
                picked.append(members[1].pop(0))
    return picked


def _targets(result: dict) -> dict[str, bool]:
    found = sum(hits for hits, _ in result["codes"].values())
    serious = sum(
        counts.get(severity, 0)
        for counts in result["false_alarms"].values()
        for severity in ("fatal", "fragile")
    )
    return {
        f"found at least {FOUND:.0%}": found >= FOUND * result["injected"],
        f"no code below {FOUND_EACH:.0%}": all(
            hits >= FOUND_EACH * total for hits, total in result["codes"].values()
        ),
        f"no fatal or fragile alarm on {HEALTHY_LEAST} healthy experiments": serious == 0
        and result["healthy"] >= HEALTHY_LEAST,
        f"fixes help for {HELPED:.0%} of fatal and fragile findings": result["helped"][0]
        >= HELPED * result["helped"][1],
        "without training below 50 ms": result["static_seconds"] < STATIC_SECONDS,
        "with 64 runs below 300 ms": result["history_seconds"] < HISTORY_SECONDS,
    }


def show(result: dict) -> None:
    print(f"healthy experiments       {result['healthy']} (of {result['drawn']} drawn)")
    for kind, counts in result["false_alarms"].items():
        text = ", ".join(f"{counts.get(s.value, 0)} {s.value}" for s in Severity)
        print(f"  with findings, {kind:8s}  {text}")
    for line in result["alarm_examples"]:
        print(f"    {line}")
    print(f"\n{'code':28s} found of injected")
    for code, (hits, total) in result["codes"].items():
        print(f"{code:28s} {hits:3d} of {total:3d}")
    total = sum(hits for hits, _ in result["codes"].values())
    print(f"{'all':28s} {total:3d} of {result['injected']:3d}   ({total / result['injected']:.1%})")
    hits, of = result["found_before_training"]
    print(f"{'before any training':28s} {hits:3d} of {of:3d}")
    print(f"{'injected without harm':28s} {result['without_harm']:3d}   (not counted)")
    for line in result["missed"]:
        print(f"    missed {line}")
    print(f"\n{'code':28s} findings with a fix that verifiably helps")
    for code, (hits, of) in result["fixes"].items():
        print(f"{code:28s} {hits:3d} of {of:3d}")
    hits, of = result["helped"]
    alone, _ = result["helped_alone"]
    print(f"{'all':28s} {hits:3d} of {of:3d}   ({hits / max(of, 1):.1%}; alone {alone})")
    for row in result["unhelped"]:
        print(f"    not helped {row['code']} ({row['fault']}, {row['before']} before)")
    print(f"\na diagnosis without training  {result['static_seconds'] * 1e3:.0f} ms")
    print(f"a diagnosis of 64 runs        {result['history_seconds'] * 1e3:.0f} ms\n")
    for target, met in result["targets"].items():
        print(f"{'met    ' if met else 'NOT MET'} {target}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer experiments, some minutes")
    parser.add_argument("--seed", type=int, default=0, help="other healthy experiments and pairs")
    arguments = parser.parse_args()
    started = time.perf_counter()
    result = run(arguments.quick, arguments.seed)
    say(f"{time.perf_counter() - started:.0f} s")
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
