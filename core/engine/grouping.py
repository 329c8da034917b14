"""Which experiments are trained together, and what a stack of runs is made of, in numbers.

Without TensorFlow, so that the server can price a training that it does not run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from core.data import has_scale_per_run, has_target_scale_per_run, is_shared
from core.experiment import Experiment
from core.losses import loss

RUNS_FIRST_ENTRIES, RUNS_FIRST_PRODUCTS = 80, 450
"""Kernel entries of a network, and multiplications of a run's batch in a dense layer on average,
from which the run axis comes first (`python -m benchmarks.engine --layouts` fits them)."""
LANES = 16
"""Where the run axis is last, runs are padded to a multiple of this: every run is then computed in
a full vector register, and the same way whatever the number of others."""
STACK_RUNS = 512
"""Experiments of one structure are trained together up to this many runs,"""
STACK_WEIGHTS = 2**23
"""and up to this many weights in all, which take some 260 MB with what the optimizer keeps."""

KEY_EPOCHS = 60
"""Weights are kept for at most this many epochs,"""
KEPT_WEIGHTS = 64 * 2**20
"""and for fewer where they would take more than this many bytes."""


def structure(experiment: Experiment) -> tuple:
    """What a program depends on: experiments that agree in it can be trained together.

    The rest, such as data, scaling, labels, initialisers, class weights and learning rate, may
    differ by run. Keras converts labels 0 and 1 to signs where all of a batch are so.
    """
    data, training = experiment.data, experiment.training
    layers = tuple(
        replace(layer, **dict.fromkeys(layer.initialised(), "zeros"))  # type: ignore[type-var]
        for layer in experiment.model.layers
    )
    shapes = (data.source.features, data.target_width, data.training_rows, data.held_out_rows)
    rows = (is_shared(data), has_scale_per_run(data), has_target_scale_per_run(data))
    optimizer = training.optimizer.at_rate(1.0)
    weighted = (1.0,) if training.class_weight else ()
    same = replace(
        training,
        optimizer=optimizer,
        epochs=1,
        shuffle=True,
        callbacks=(),
        class_weight=weighted,
        metrics=(),
    )
    signs = set(data.targets) <= {0, 1} if loss(training.loss).signs else None
    return layers, shapes, rows, same, experiment.task.metric, signs


def stack_key(experiment: Experiment) -> tuple:
    """What experiments must agree in to be trained in one stack.

    Rows that are the same in all runs are stored once a stack, and so must be those of all of it.
    """
    data, training = experiment.data, experiment.training
    rows = data if is_shared(data) else None
    return structure(experiment), training.epochs, training.shuffle, training.callbacks, rows


def stacks(experiments: Sequence[Experiment], runs: int) -> list[list[int]]:
    """The indices of the experiments that share a stack, one list a stack, `runs` runs of each."""
    alike: dict[tuple, list[int]] = {}
    for index, experiment in enumerate(experiments):
        alike.setdefault(stack_key(experiment), []).append(index)
    together = []
    for indices in alike.values():
        weights = sizes(experiments[indices[0]])[0]
        most = max(min(STACK_RUNS, STACK_WEIGHTS // weights) // runs, 1)
        together += [indices[start : start + most] for start in range(0, len(indices), most)]
    return together


def runs_first(experiment: Experiment) -> bool:
    """Whether the run axis comes first: matrix products a run are then faster than broadcast ones.

    Beside each other in one register, runs of a narrow network are computed several times as fast
    with the axis last; a wide one is up to ten times as fast with it first.
    """
    entries, training = sizes(experiment)[1], experiment.training
    batch = min(training.batch_size, experiment.data.training_rows)
    products = entries * batch / len(experiment.model.dense)
    return entries >= RUNS_FIRST_ENTRIES and products >= RUNS_FIRST_PRODUCTS


def lanes_for(experiment: Experiment, members: int) -> int:
    """Length of the run axis for so many runs."""
    return members if runs_first(experiment) else -(-members // LANES) * LANES


def most_parts(experiment: Experiment, members: int) -> int:
    """How many parts the runs of a stack can be divided into that end at the same last bit.

    With the run axis first, XLA chooses by the size of the stack how it adds up: it leaves a sum of
    32,768 numbers or more to YNNPACK, and without that networks of odd widths still differ.
    """
    return 1 if runs_first(experiment) else max(members // LANES, 1)


def row_bytes(experiment: Experiment, lanes: int) -> int:
    """What the rows of a stack take: once for all runs and an index a run, or once a run."""
    data = experiment.data
    values = data.source.rows * (data.source.features + data.target_width)
    if not is_shared(data):
        return 4 * values * lanes
    return 4 * (values + data.source.rows * lanes)


def steps(experiment: Experiment) -> int:
    """How many times an epoch updates one run's weights."""
    return -(-experiment.data.training_rows // experiment.training.batch_size)


def sizes(experiment: Experiment) -> tuple[int, int, float]:
    """Of one run's network: all its weights, the entries of its kernels, the outputs it computes.

    The outputs are those of every layer for one row, the inputs among them; each as often as
    computing it weighs.
    """
    width = experiment.data.source.features
    outputs: float = width
    kernels = others = 0
    for layer in experiment.model.layers:
        for slot in layer.slots(width):
            size = math.prod(slot.shape)
            if len(slot.shape) == 2:
                kernels += size
            else:
                others += size
        width = layer.outputs(width)
        outputs += width * layer.work
    return kernels + others, kernels, outputs
