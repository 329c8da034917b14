"""What a training costs, estimated from its settings before it starts.

    price(Train(experiment, runs=512))    # Price(seconds=..., bytes=..., kept=..., weights=...)

The coefficients are fitted to measurements by `python -m benchmarks.price`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.data import is_shared
from core.engine.grouping import (
    KEPT_WEIGHTS,
    KEY_EPOCHS,
    lanes_for,
    most_parts,
    row_bytes,
    runs_first,
    sizes,
    stacks,
    steps,
    structure,
)
from core.experiment import Experiment, InvalidExperiment

MEGABYTE = 2**20
FLOAT = 4
"""Bytes of a number."""

COMPILING, COMPILING_LAYER = 1.1, 0.35
"""Seconds to compile a structure, and more for each of its layers."""
BESIDE = 0.65
"""Share of all compiling and training that passes while one goes on beside the other."""
EPOCH, RUN, VALUE = 1e-3, 2.5e-4, 3e-8
"""Seconds that an epoch takes however small it is; to prepare a run; to draw one value of it."""
ORDER = 2e-8
"""Seconds to order one row of a run whose rows are those of the others."""
FIT, FIT_EPOCH, FIT_STEP = 0.8, 0.1, 1.3e-3
"""Seconds of Keras's `fit` to start, for each epoch with its evaluation, and for each step."""
DATA, STATES, ACTIVATIONS = 4, 8, 4
"""Copies at once: of the data while they are stacked and handed over; of the weights, with the
optimizer's and the gradients; of a batch's outputs, forwards and backwards."""
COPIES = 3
"""Of the figures: as they are made, stacked, and on their way to the server."""
FIGURES, HELD_OUT, HEALTH = 8, 4, 6
"""Numbers per epoch and run, in the history and in the events; more with held-out rows; more for
each dense layer."""
LONG = 8
"""Seconds of training from which several processes share it; less is over before another process
has begun. Programs that wait for the first one count half: one process compiles two at a time."""
PROGRAM, COMPILER = 25 * MEGABYTE, 50 * MEGABYTE
"""What TensorFlow keeps of a compiled program, and takes while it compiles."""


@dataclass(frozen=True)
class Coefficients:
    """Seconds of a stack's updates and evaluations in one layout.

    Attributes:
        step, step_layer: of an update however small it is; more for each layer.
        run_layer: of an update, for each run and layer.
        weight: of an update, for each run and weight.
        entry, output: of an update, for each run and row, by kernel entry and by layer's output.
        evaluated_entry, evaluated_output: for each run and row that is evaluated.
        exponential: more for each run and row, of an update or evaluated, by unit that computes
            an exponential.
    """

    step: float
    step_layer: float
    run_layer: float
    weight: float
    entry: float
    output: float
    evaluated_entry: float
    evaluated_output: float
    exponential: float


RUNS_LAST = Coefficients(1.3e-6, 0.65e-6, 0, 2.5e-9, 4e-10, 1.3e-9, 1.5e-10, 4e-10, 6e-9)
RUNS_FIRST = Coefficients(4e-6, 2.5e-6, 5e-7, 2.5e-9, 7e-11, 2e-9, 3e-11, 6e-10, 6e-9)


@dataclass(frozen=True)
class Work:
    """Some experiments, `runs` runs of each: stacked, or with `plain` through Keras's `fit`.

    Attributes:
        returned: their histories go to the server; otherwise only what is concluded from them.
    """

    experiments: tuple[Experiment, ...]
    runs: int
    plain: bool = False
    returned: bool = True


@dataclass(frozen=True)
class Price:
    """What a training is expected to take.

    Attributes:
        seconds: wall-clock time, compiling included, on two cores as in benchmarks/price.py.
        bytes: of memory in the training process at its peak, on top of what it has at rest.
        kept: bytes of the figures that the server keeps for the page.
        weights: of one run's network.
        part_bytes: of these in each process, where several share it.
    """

    seconds: float
    bytes: float
    kept: float
    weights: int
    part_bytes: float


FREE = Price(0.0, 0.0, 0.0, 0, 0.0)


def price(request: Any, workers: int = 1) -> Price:
    """What a request's `work` costs in all; a request without any trains nothing.

    Args:
        request: a `core.jobs.requests.Request`.
        workers: that share long trainings.
    """
    try:
        prices = [priced(work, workers) for work in getattr(request, "work", ())]
    except InvalidExperiment:
        return FREE  # a fix does not fit the experiment: the training itself says so
    if not prices:
        return FREE
    return Price(
        sum(each.seconds for each in prices),
        max(each.bytes for each in prices),
        sum(each.kept for each in prices),
        max(each.weights for each in prices),
        max(each.part_bytes for each in prices),
    )


def is_long(work: Work) -> bool:
    """Whether several processes share this work, where there are several."""
    if work.plain or not work.experiments:
        return False
    return _is_long(*_seconds(_stacked(work)))


def _is_long(training: float, compiling: Sequence[float]) -> bool:
    return training + (sum(compiling) - max(compiling)) / 2 >= LONG


def _seconds(grouped: Sequence[tuple[Experiment, int]]) -> tuple[float, list[float]]:
    """Of the training of all stacks, and to compile each of their programs."""
    programs = {(structure(stack[0]), lanes_for(*stack)) for stack in grouped}
    compiling = [COMPILING + len(layers) * COMPILING_LAYER for (layers, *_), _ in programs]
    return sum(itertools.starmap(stack_seconds, grouped)), compiling


def priced(work: Work, workers: int = 1) -> Price:
    """What some work costs: all stacks' time, and the memory of those that are trained at once.

    Args:
        work: To be done.
        workers: that share it, if it `is_long`.
    """
    if not work.experiments:
        return FREE
    weights = max(sizes(experiment)[0] for experiment in work.experiments)
    if work.plain:
        seconds = sum(_fit_seconds(experiment) for experiment in work.experiments) * work.runs
        kept = sum(_kept(experiment, work.runs) for experiment in work.experiments)
        size = max(_stack_bytes(experiment, 1) for experiment in work.experiments)
        size += COPIES * kept
        return Price(seconds, size, kept * work.returned, weights, size)
    grouped = _stacked(work)
    kept = sum(_kept(experiment, members) for experiment, members in grouped)
    training, compiling = _seconds(grouped)
    several = 1
    if _is_long(training, compiling):
        several = min(workers, sum(itertools.starmap(most_parts, grouped)))
    # All but the first program is compiled while others train; of several processes, each compiles
    # its own before it trains.
    beside = BESIDE if several == 1 else 1 / several
    seconds = max(max(compiling) + training / several, beside * (sum(compiling) + training))
    # Several processes train as many stacks at once, or the parts of fewer.
    at_once = sorted(itertools.starmap(_stack_bytes, grouped), reverse=True)
    size = sum(at_once[:several]) + COMPILER + len(compiling) * PROGRAM
    size += (COPIES if work.returned else 1) * kept
    return Price(seconds, size, kept * work.returned, weights, size / several)


def _stacked(work: Work) -> list[tuple[Experiment, int]]:
    """One of the experiments of each stack, and the stack's runs."""
    # The training itself refuses a number of runs that cannot be.
    runs = max(int(work.runs), 1)
    return [
        (work.experiments[indices[0]], len(indices) * runs)
        for indices in stacks(work.experiments, runs)
    ]


def stack_seconds(experiment: Experiment, members: int) -> float:
    """A stack's preparation and epochs, with its program compiled."""
    lanes, data = lanes_for(experiment, members), experiment.data
    weights, entries, outputs = sizes(experiment)
    each = RUNS_FIRST if runs_first(experiment) else RUNS_LAST
    layers, rows = len(experiment.model.layers), data.source.rows
    batch = min(experiment.training.batch_size, data.training_rows)
    exponential = each.exponential * _exponentials(experiment)
    row = entries * each.entry + outputs * each.output + exponential
    run = layers * each.run_layer + weights * each.weight + batch * row
    step = each.step + layers * each.step_layer + lanes * run
    evaluated_row = entries * each.evaluated_entry + outputs * each.evaluated_output + exponential
    epoch = EPOCH + steps(experiment) * step + rows * lanes * evaluated_row
    values = rows * (data.source.features + data.target_width) * VALUE
    once, a_run = (values, rows * ORDER) if is_shared(data) else (0.0, values)
    preparation = once + members * (RUN + a_run)
    return preparation + experiment.training.epochs * epoch


def _exponentials(experiment: Experiment) -> int:
    """How many exponentials the activations of one row take."""
    width, count = experiment.data.source.features, 0
    for layer in experiment.model.layers:
        width = layer.outputs(width)
        if layer.function is not None and layer.function.exponential:
            count += width
    return count


def _fit_seconds(experiment: Experiment) -> float:
    training, data = experiment.training, experiment.data
    weights, entries, outputs = sizes(experiment)
    batch = min(training.batch_size, data.training_rows)
    each = RUNS_FIRST
    arithmetic = weights * each.weight + batch * (entries * each.entry + outputs * each.output)
    batches = steps(experiment) + data.held_out_rows / batch
    return FIT + training.epochs * (FIT_EPOCH + batches * (FIT_STEP + arithmetic))


def _stack_bytes(experiment: Experiment, members: int) -> float:
    """Data, weights and one batch's outputs of a stack while it trains."""
    data, lanes = experiment.data, lanes_for(experiment, members)
    weights, _, outputs = sizes(experiment)
    batch = min(experiment.training.batch_size, data.training_rows)
    state = weights * STATES + batch * outputs * ACTIVATIONS
    return DATA * row_bytes(experiment, lanes) + FLOAT * lanes * state


def _kept(experiment: Experiment, members: int) -> float:
    """The figures and weights of a stack's runs, and the events before them."""
    dense = len(experiment.model.dense)
    epochs = experiment.training.epochs
    figures = FIGURES + HELD_OUT * bool(experiment.data.held_out_rows) + HEALTH * dense
    state = FLOAT * members * sizes(experiment)[0]
    snapshots = min(epochs + 1, KEY_EPOCHS + 1, max(KEPT_WEIGHTS / max(state, 1), 2))
    return FLOAT * members * epochs * figures + state * snapshots
