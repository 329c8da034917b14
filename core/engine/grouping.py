"""Which experiments are trained together, and what a stack of runs is made of, in numbers.

Without TensorFlow, so that the server can price a training that it does not run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from core.experiment import Dense, Experiment

LANES = 16
"""Runs are padded to a multiple of this: every run is then computed in a full vector register,
and the same way whatever the number of others."""
STACK_RUNS = 512
"""Experiments of one structure are trained together up to this many runs."""

KEY_EPOCHS = 60
"""Weights are kept for at most this many epochs,"""
KEPT_WEIGHTS = 64 * 2**20
"""and for fewer where they would take more than this many bytes."""


def structure(experiment: Experiment) -> tuple:
    """What a program depends on: experiments that agree in it can be trained together.

    The rest, such as data, scaling, labels, initialisers and learning rate, may differ by run.
    """
    data, training = experiment.data, experiment.training
    layers = tuple(
        replace(layer, initialiser="zeros") if isinstance(layer, Dense) else layer
        for layer in experiment.model.layers
    )
    shapes = (data.source.features, data.target_width, data.training_rows, data.held_out_rows)
    optimizer = replace(training.optimizer, learning_rate=1.0)
    return layers, shapes, replace(training, optimizer=optimizer, epochs=1, shuffle=True)


def stacks(experiments: Sequence[Experiment], runs: int) -> list[list[int]]:
    """The places of the experiments that share a stack, one list a stack, `runs` runs of each."""
    alike: dict[tuple, list[int]] = {}
    for place, experiment in enumerate(experiments):
        training = experiment.training
        key = (structure(experiment), training.epochs, training.shuffle)
        alike.setdefault(key, []).append(place)
    most = max(STACK_RUNS // runs, 1)
    return [
        places[start : start + most]
        for places in alike.values()
        for start in range(0, len(places), most)
    ]


def lanes_for(members: int) -> int:
    """Length of the run axis for so many runs."""
    return -(-members // LANES) * LANES


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
