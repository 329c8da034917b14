"""The fixes of a loss and its arguments, of class weights and of which rows are held out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from core.experiment import Experiment
from core.fixes.edits import with_data, with_training
from core.fixes.fix import Fix, ours
from core.fixes.network_edits import changed_output


def with_logits(experiment: Experiment) -> Experiment:
    """Linear outputs that the loss takes as logits."""
    return with_training(from_logits=True)(_with_output("linear", experiment))


def _with_output(activation: str, experiment: Experiment) -> Experiment:
    units = experiment.model.output.units
    return replace(experiment, model=changed_output(experiment, activation, units))


LOGITS = ours(
    "linear-logits",
    "Linear output, from_logits=True",
    "The loss then applies the sigmoid or softmax itself, and nothing is clipped.",
    with_logits,
)
PROBABILITIES = ours(
    "no-from-logits",
    "from_logits=False",
    "The output has its activation already; the loss then takes it as a probability.",
    with_training(from_logits=False),
)
SIGNED_OUTPUT = ours(
    "tanh-output",
    "Tanh output",
    "A tanh is negative for one class and positive for the other, as the hinge loss asks.",
    partial(_with_output, "tanh"),
)
ONE_HOT = ours(
    "one-hot-labels",
    "One-hot labels",
    "The loss takes a column of labels for each class, and compares it with that class's output.",
    with_data(encoding="one-hot"),
)
SPARSE = ours(
    "sparse-loss",
    "Sparse categorical cross-entropy",
    "It is the same loss, and takes class numbers in place of one-hot labels.",
    with_training(loss="sparse_categorical_crossentropy"),
)
SQUARED_ERROR = ours(
    "squared-error",
    "Squared error",
    "The squared error is made for targets of any sign and size.",
    with_training(loss="mean_squared_error"),
)
SHUFFLE_FIRST = ours(
    "shuffle-first",
    "Shuffle before splitting",
    "The held-out rows are then a random sample, like the training rows.",
    with_data(shuffling="permutation"),
)
NO_CLASS_WEIGHTS = ours(
    "no-class-weights",
    "No class weights",
    "Every row then counts alike.",
    with_training(class_weight=()),
)


def balanced(shares: np.ndarray) -> Fix:
    """Class weights that give every class the same weight in the loss.

    Args:
        shares: (classes,), of the rows; a class without rows is weighed as it is.
    """
    present = shares > 0
    inverse = 1 / np.where(present, shares * present.sum(), 1)
    weights = tuple(float(f"{weight:.3g}") for weight in inverse)
    return ours(
        "balanced-class-weights",
        "Balanced class weights",
        "A rare class then counts as much in the loss as a common one.",
        with_training(class_weight=weights),
    )
