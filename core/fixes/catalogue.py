"""The fixes for any experiment; those proposed for one of the questions are in `core.problems`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.draft import Draft
from core.experiment import Adam, Dropout, Experiment, InvalidExperiment, Model
from core.fixes.edits import (
    labels_from_zero,
    linear_regression_output,
    sigmoid_output,
    softmax_output,
    standardised_without_normalisation,
    with_data,
    with_hidden,
    with_rate,
    with_training,
    without_layers,
)
from core.fixes.fix import Fix, ours
from core.fixes.network_edits import (
    WIDE,
    initialised_by_activation,
    one_output_activation,
    widened,
    with_hidden_layer,
    without_output_noise,
    without_penalties,
)

DEFAULT_BATCH = 32
"""Keras's batch size where none is given."""
MOST_SAMPLES = 20_000
LOWEST_RATE, HIGHEST_RATE = 1e-5, 0.1
"""Learning rates that are worth a try where nothing is known: most optimizers' defaults are 0.001,
gradient descent's 0.01."""


STANDARDISE = Fix(
    "standardise-inputs",
    "Standardise inputs",
    "Inputs with zero mean and unit variance suit the scale of the initial weights and lie on "
    "both sides of zero.",
    "answer",
    with_data(scaling="standardise"),
)
STANDARDISE_TARGETS = ours(
    "standardise-targets",
    "Standardise targets",
    "Targets with zero mean and unit variance suit the scale of the initial weights and the "
    "learning rate.",
    with_data(target_scaling="standardise"),
)
HOLD_OUT = Fix(
    "hold-out",
    "Hold out data",
    "The score on the training rows cannot show whether the network generalises; a fifth of the "
    "rows is kept for that.",
    "comment",
    with_data(hold_out=0.2),
)
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
    "Linear output",
    "A continuous target is a number to approximate, with an output that can be any number.",
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
    initialised_by_activation,
)
RECTIFY = ours(
    "relu-hidden",
    "ReLU hidden layers",
    "ReLU is non-linear, so the boundary can bend, and it passes the gradient on undiminished.",
    with_hidden(activation="relu", initialiser="he_normal"),
)
LEAK = ours(
    "leaky-hidden",
    "Leaky ReLU hidden layers",
    "A leaky ReLU has a gradient below zero as well, so no unit can die.",
    with_hidden(activation="leaky_relu"),
)
WIDEN = ours(
    "wider-hidden",
    f"{WIDE} units per hidden layer",
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
    partial(without_layers, Dropout),
)
NO_OUTPUT_DROPOUT = ours(
    "no-output-dropout",
    "No dropout after the output",
    "The loss then judges what the network puts out, not what is left of it.",
    without_output_noise,
)
ONE_OUTPUT_ACTIVATION = ours(
    "one-output-activation",
    "One output activation",
    "A second activation squeezes outputs that are probabilities already.",
    one_output_activation,
)
ADAM = ours(
    "adam",
    "Adam",
    "Adam scales each weight's step by its own gradients, so small gradients still move weights.",
    with_training(optimizer=Adam()),
)
NO_PENALTY = ours(
    "no-penalty",
    "No regularisers",
    "Only the error of the outputs is then minimised.",
    without_penalties,
)
NO_NORMALISATION = ours(
    "no-batch-normalisation",
    "No batch normalisation",
    "In a small network, standardised inputs do what batch normalisation is meant to do.",
    standardised_without_normalisation,
)


def fitting_output(experiment: Experiment) -> Fix:
    """The output and loss for these labels.

    One sigmoid for two classes or for each of several labels, a softmax unit for each of more
    classes, a linear unit for each target.
    """
    data = experiment.data
    if data.continuous:
        return REGRESSION
    if data.source.label_columns:
        return SIGMOID
    return SIGMOID if data.source.classes == 2 and data.encoding != "one-hot" else SOFTMAX


def made_to_fit(draft: Draft) -> tuple[Fix, Experiment] | None:
    """The output and loss for the rows of a draft whose parts do not fit each other.

    Returns:
        The fix, and the experiment with it; None if something else does not fit.
    """
    model = draft.model
    # One unit and the squared error fit any rows.
    begun = Model((*model.before, replace(model.output, units=1), *model.after))
    try:
        training = replace(draft.training, loss="mean_squared_error")
        experiment = Experiment(draft.data, begun, training)
        fix = fitting_output(experiment)
        return fix, fix.apply(experiment)
    except InvalidExperiment:
        return None


def rate(value: float) -> Fix:
    """Another learning rate."""
    return ours(
        f"learning-rate-{value:g}",
        f"Learning rate {value:g}",
        "The learning rate sets the size of each update.",
        partial(with_rate, value),
    )


def epochs(count: int) -> Fix:
    """Another number of epochs."""
    return ours(
        f"epochs-{count}",
        f"{count:,} epochs",
        "A network that is still improving only needs more updates.",
        with_training(epochs=count),
    )


def batch(size: int) -> Fix:
    """Another batch size."""
    return ours(
        f"batch-size-{size}",
        f"Batch size {size}",
        "Smaller batches make more updates per epoch.",
        with_training(batch_size=size),
    )


def against_constant_output(experiment: Experiment, moving: bool) -> tuple[Fix, ...]:
    """What most often helps against a constant output, which is a symptom more than a cause.

    Args:
        experiment: To be mended.
        moving: Whether the network is still improving when training ends.
    """
    remedies = []
    model, now = experiment.model, experiment.training.optimizer.learning_rate
    hidden = model.dense[:-1]
    clips = model.output_activation.name not in ("sigmoid", "softmax")
    if experiment.training.takes_probabilities and clips:
        remedies.append(fitting_output(experiment))
    if experiment.data.source.outputs:
        remedies.append(STANDARDISE_TARGETS)
    if experiment.data.scaling != "standardise":
        remedies.append(STANDARDISE)
    if hidden and min(layer.units for layer in hidden) < WIDE:
        remedies.append(WIDEN)
    if hidden and any(each.name in ("sigmoid", "softmax") for each in model.activations[:-1]):
        remedies.append(RECTIFY)
    if moving:
        remedies.append(rate(min(10 * now, 0.1)))
    if now > default_rate(experiment):
        remedies.append(rate(default_rate(experiment)))
    return tuple(remedies)


def lower_rates(experiment: Experiment) -> tuple[Fix, ...]:
    """Lower learning rates: Keras's default, where it is far below, and a tenth."""
    now, default = experiment.training.optimizer.learning_rate, default_rate(experiment)
    if now > 3 * default:
        return rate(default), rate(now / 10)
    return rate(now / 10), rate(now / 100)


def other_rates(experiment: Experiment) -> tuple[Fix, ...]:
    """A higher and a lower learning rate, neither of which is out of the usual range."""
    now, default = experiment.training.optimizer.learning_rate, default_rate(experiment)
    values = (min(10 * now, HIGHEST_RATE), default, max(now / 10, LOWEST_RATE))
    higher = [value for value in values if value > now]
    lower = [value for value in values if value < now]
    return tuple(rate(value) for value in dict.fromkeys([*higher[:1], *lower]))


def more_rows(experiment: Experiment) -> Fix:
    """Ten times the rows, of a source that draws as many as it is asked for.

    Raises:
        TypeError: The source is a table.
    """
    source = experiment.data.source
    if not source.random:
        raise TypeError("a table has no more rows to draw")
    rows = min(10 * source.rows, MOST_SAMPLES * source.classes)
    return ours(
        "more-rows",
        "Ten times the rows",
        "More rows are harder to memorise.",
        with_data(source=source.with_rows(rows)),
    )


def default_rate(experiment: Experiment) -> float:
    """Keras's own learning rate for the experiment's optimizer."""
    return type(experiment.training.optimizer)().learning_rate


def usual_rate(experiment: Experiment) -> float:
    """The learning rate that programs with this optimizer were written for.

    It is Keras's default, or that before TensorFlow 2 where it was higher.
    """
    return experiment.training.optimizer.former_rate or default_rate(experiment)


def follows_gradient(experiment: Experiment) -> bool:
    """Whether the optimizer follows the gradient itself, without a scale of its own."""
    return not experiment.training.optimizer.rescales
