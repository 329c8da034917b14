"""Fixes for any experiment; those of the two problems are in `core.problems`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.activations import activation
from core.experiment import SGD, Adam, BatchNormalisation, Dense, Dropout, Experiment, Model
from core.problems import (
    HOLD_OUT,
    STANDARDISE,
    Fix,
    labels_from_zero,
    sigmoid_output,
    with_data,
    with_hidden,
    with_training,
)

DEFAULT_BATCH = 32
"""Keras's batch size where none is given."""
ROOMY = 16
"""Units of a hidden layer that is widened: with half of them dead, eight still carry the signal."""

__all__ = ["HOLD_OUT", "STANDARDISE"]


def ours(key: str, title: str, why: str, edit) -> Fix:
    return Fix(key, title, why, "ours", edit)


def default_rate(experiment: Experiment) -> float:
    """Keras's own learning rate for the experiment's optimizer."""
    return type(experiment.training.optimizer)().learning_rate


# --- edits --------------------------------------------------------------------------------------


def softmax_output(experiment: Experiment) -> Experiment:
    """A softmax unit a class and the cross-entropy that fits the labels' encoding."""
    data = experiment.data
    one_hot = data.encoding == "one-hot"
    loss = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    *below, output = experiment.model.layers
    output = replace(output, units=data.source.classes, activation="softmax")
    return replace(
        experiment,
        data=data if one_hot else replace(data, encoding="index"),
        model=Model((*below, output)),
        training=replace(experiment.training, loss=loss),
    )


def linear_regression_output(experiment: Experiment) -> Experiment:
    """One linear unit and the squared error, for labels on a continuous scale."""
    *below, output = experiment.model.layers
    return replace(
        experiment,
        data=replace(experiment.data, encoding="as-is"),
        model=Model((*below, replace(output, units=1, activation="linear"))),
        training=replace(experiment.training, loss="mean_squared_error"),
    )


def variance_keeping_start(experiment: Experiment) -> Experiment:
    """He's initialisation before rectifiers, Glorot's everywhere else."""
    layers = [
        replace(
            layer,
            initialiser="he_normal" if activation(layer.activation).rectifier else "glorot_uniform",
        )
        if isinstance(layer, Dense)
        else layer
        for layer in experiment.model.layers
    ]
    return replace(experiment, model=Model(tuple(layers)))


def rectified(experiment: Experiment) -> Experiment:
    return with_hidden(activation="relu", initialiser="he_normal")(experiment)


def widened(experiment: Experiment) -> Experiment:
    """Every hidden dense layer at least ROOMY units wide."""
    *below, output = experiment.model.layers
    layers = (
        replace(layer, units=max(layer.units, ROOMY)) if isinstance(layer, Dense) else layer
        for layer in below
    )
    return replace(experiment, model=Model((*layers, output)))


def with_hidden_layer(experiment: Experiment) -> Experiment:
    *below, output = experiment.model.layers
    hidden = Dense(ROOMY, "relu", "he_normal")
    return replace(experiment, model=Model((*below, hidden, output)))


def without(kind: type, experiment: Experiment) -> Experiment:
    layers = tuple(layer for layer in experiment.model.layers if not isinstance(layer, kind))
    return replace(experiment, model=Model(layers))


def standardised_without_normalisation(experiment: Experiment) -> Experiment:
    return without(BatchNormalisation, STANDARDISE.apply(experiment))


def with_rate(rate: float, experiment: Experiment) -> Experiment:
    optimizer = replace(experiment.training.optimizer, learning_rate=rate)
    return with_training(optimizer=optimizer)(experiment)


# --- fixes --------------------------------------------------------------------------------------

SIGMOID = ours(
    "sigmoid-output",
    "Sigmoid output",
    "A sigmoid gives a probability for every input, and a gradient everywhere.",
    sigmoid_output,
)
SOFTMAX = ours(
    "softmax-output",
    "Softmax output",
    "One softmax unit per class gives each a probability, and a gradient everywhere.",
    softmax_output,
)
REGRESSION = ours(
    "regression-output",
    "Linear output, squared error",
    "A continuous label is a number to approximate, not a class to choose.",
    linear_regression_output,
)
LABELS_FROM_ZERO = ours(
    "labels-from-zero",
    "Labels from zero",
    "Both loss and accuracy count the classes from 0.",
    labels_from_zero,
)
PERMUTE = ours(
    "shuffle-rows",
    "Shuffle without losing rows",
    "random.shuffle on the rows of a NumPy array overwrites about half of them; a permutation "
    "keeps every row.",
    with_data(shuffling="permutation"),
)
RESHUFFLE = ours(
    "shuffle-every-epoch",
    "Shuffle every epoch",
    "Each batch then holds a mixture of classes.",
    with_training(shuffle=True),
)
KEEP_VARIANCE = ours(
    "variance-keeping-initialisation",
    "He and Glorot initialisation",
    "Weights drawn to suit each layer's activation keep the size of the signal across layers, "
    "and no two units start alike.",
    variance_keeping_start,
)
RECTIFY = ours(
    "relu-hidden",
    "ReLU hidden layers",
    "ReLU is non-linear, so the boundary can bend, and it passes the gradient on undiminished.",
    rectified,
)
LEAK = ours(
    "leaky-hidden",
    "Leaky ReLU hidden layers",
    "A leaky ReLU has a gradient below zero as well, so no unit can die.",
    with_hidden(activation="leaky_relu"),
)
WIDEN = ours(
    "wider-hidden",
    f"{ROOMY} units per hidden layer",
    "With more units it is less likely that all of them are dead or point the wrong way.",
    widened,
)
ADD_HIDDEN = ours(
    "hidden-layer",
    "Add a hidden layer",
    "A non-linear hidden layer lets the network draw a boundary that is not straight.",
    with_hidden_layer,
)
NO_DROPOUT = ours(
    "no-dropout",
    "No dropout",
    "With few units, dropping some leaves too little of the signal.",
    partial(without, Dropout),
)
ADAM = ours(
    "adam",
    "Adam",
    "Adam scales each weight's step by its own gradients, so small gradients still move weights.",
    with_training(optimizer=Adam()),
)


def fitting_output(experiment: Experiment) -> Fix:
    """The output and loss for these classes: one sigmoid, or a softmax unit each."""
    data = experiment.data
    return SIGMOID if data.source.classes == 2 and data.encoding != "one-hot" else SOFTMAX


def rate(value: float) -> Fix:
    return ours(
        f"learning-rate-{value:g}",
        f"Learning rate {value:g}",
        "The learning rate sets the size of each update.",
        partial(with_rate, value),
    )


def epochs(count: int) -> Fix:
    return ours(
        f"epochs-{count}",
        f"{count:,} epochs",
        "A network that is still improving only needs more updates.",
        with_training(epochs=count),
    )


def batch(size: int) -> Fix:
    return ours(
        f"batch-size-{size}",
        f"Batch size {size}",
        "Smaller batches make more updates per epoch.",
        with_training(batch_size=size),
    )


def calmer(experiment: Experiment) -> tuple[Fix, ...]:
    """Lower learning rates: Keras's default, where it is far below, and a tenth."""
    now, usual = experiment.training.optimizer.learning_rate, default_rate(experiment)
    return (rate(usual), rate(now / 10)) if now > 3 * usual else (rate(now / 10), rate(now / 100))


def smooth(experiment: Experiment) -> bool:
    """Whether the optimizer follows the gradient itself, without a scale of its own."""
    return isinstance(experiment.training.optimizer, SGD)


NO_NORMALISATION = ours(
    "no-batch-normalisation",
    "No batch normalisation",
    "In a small network, standardised inputs do what batch normalisation is meant to do.",
    standardised_without_normalisation,
)


def more_rows(experiment: Experiment) -> Fix:
    samples = min(10 * experiment.data.source.samples, 20_000)
    return ours(
        "more-rows",
        "Ten times the rows",
        "More rows are harder to memorise.",
        with_data(source=replace(experiment.data.source, samples=samples)),
    )
