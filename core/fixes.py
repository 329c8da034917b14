"""What a fix is, the edits that fixes are made of, and the fixes for any experiment.

Those proposed for one of the questions are in `core.problems`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

from core.draft import Draft
from core.experiment import (
    Adam,
    BatchNormalisation,
    Dropout,
    Experiment,
    InvalidExperiment,
    Model,
)
from core.losses import loss
from core.network_edits import (
    WIDE,
    change_hidden,
    changed_output,
    initialised_by_activation,
    one_output_activation,
    widened,
    with_hidden_layer,
    without_output_noise,
)

DEFAULT_BATCH = 32
"""Keras's batch size where none is given."""
MOST_SAMPLES = 20_000
LOWEST_RATE, HIGHEST_RATE = 1e-5, 0.1
"""Learning rates that are worth a try where nothing is known: most optimizers' defaults are 0.001,
gradient descent's 0.01."""

Edit = Callable[[Experiment], Experiment]
"""A function of a module, or a `partial` of one, so that it can be pickled."""


@dataclass(frozen=True)
class Fix:
    """A named edit of an experiment.

    Args:
        key: Stable name, in kebab case.
        title: Two or three words.
        why: One sentence.
        source: Who proposed it: "asker", "answer", "comment" or "ours".
        edit: From the experiment to the changed one.
    """

    key: str
    title: str
    why: str
    source: str
    edit: Edit

    def apply(self, experiment: Experiment) -> Experiment:
        """The changed experiment.

        Raises:
            InvalidExperiment: The edit does not fit this experiment.
        """
        return self.edit(experiment)


def apply_all(fixes: Iterable[Fix], experiment: Experiment) -> Experiment:
    """The experiment after every fix, in the given order.

    Raises:
        InvalidExperiment: An edit does not fit what the fixes before it give.
    """
    for fix in fixes:
        experiment = fix.apply(experiment)
    return experiment


def excluded(fixes: Mapping[str, Fix], experiment: Experiment) -> dict[str, tuple[str, ...]]:
    """For each fix the fixes that it excludes on this experiment.

    Two fixes exclude each other where each changes the experiment and applying both, in either
    order, gives what the later one gives alone: it replaces the earlier one.

    Args:
        fixes: By key.
        experiment: What they are applied to.

    Returns:
        For each key the keys of the fixes that it excludes, in the order of `fixes`.
    """
    alone = {key: fix.apply(experiment) for key, fix in fixes.items()}
    acting = [key for key in fixes if alone[key] != experiment]

    def replaces(later: str, earlier: str) -> bool:
        try:
            return fixes[later].apply(alone[earlier]) == alone[later]
        except InvalidExperiment:
            return False

    pairs = {
        frozenset((one, other))
        for one, other in combinations(acting, 2)
        if replaces(one, other) and replaces(other, one)
    }
    return {key: tuple(other for other in fixes if {key, other} in pairs) for key in fixes}


def default_rate(experiment: Experiment) -> float:
    """Keras's own learning rate for the experiment's optimizer."""
    return type(experiment.training.optimizer)().learning_rate


def follows_gradient(experiment: Experiment) -> bool:
    """Whether the optimizer follows the gradient itself, without a scale of its own."""
    return not experiment.training.optimizer.rescales


# --- edits --------------------------------------------------------------------------------------


def with_data(**changes) -> Edit:
    """An edit that replaces these fields of the data."""
    return partial(_change_data, changes)


def with_training(**changes) -> Edit:
    """An edit that replaces these fields of the training."""
    return partial(_change_training, changes)


def with_hidden(**changes) -> Edit:
    """An edit that replaces these fields of every hidden dense layer."""
    return partial(change_hidden, changes)


def _change_data(changes: dict, experiment: Experiment) -> Experiment:
    return replace(experiment, data=replace(experiment.data, **changes))


def _change_training(changes: dict, experiment: Experiment) -> Experiment:
    return replace(experiment, training=replace(experiment.training, **changes))


def sigmoid_output(experiment: Experiment) -> Experiment:
    """A sigmoid unit a label and binary cross-entropy; one-hot labels become one column."""
    data = experiment.data
    return replace(
        experiment,
        data=replace(data, encoding="index") if data.encoding == "one-hot" else data,
        model=changed_output(experiment, "sigmoid", data.source.label_columns or 1),
        training=replace(experiment.training, loss="binary_crossentropy", from_logits=False),
    )


def softmax_output(experiment: Experiment) -> Experiment:
    """A softmax unit a class and the cross-entropy that fits the labels' encoding."""
    data = experiment.data
    one_hot = data.encoding == "one-hot"
    name = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
    return replace(
        experiment,
        data=data if one_hot else replace(data, encoding="index"),
        model=changed_output(experiment, "softmax", data.source.classes),
        training=replace(experiment.training, loss=name, from_logits=False),
    )


def linear_regression_output(experiment: Experiment) -> Experiment:
    """A linear unit a target, and the squared error where the loss is for classification."""
    name = experiment.training.loss
    return replace(
        experiment,
        data=replace(experiment.data, encoding="as-is"),
        model=changed_output(experiment, "linear", experiment.data.source.outputs or 1),
        training=replace(
            experiment.training, loss=name if loss(name).distance else "mean_squared_error"
        ),
    )


def labels_from_zero(experiment: Experiment) -> Experiment:
    """Class k labelled k."""
    classes = range(experiment.data.source.classes)
    return with_data(label_values=tuple(float(k) for k in classes))(experiment)


def without_layers(kind: type, experiment: Experiment) -> Experiment:
    """The experiment without its layers of one class."""
    layers = tuple(layer for layer in experiment.model.layers if not isinstance(layer, kind))
    return replace(experiment, model=Model(layers))


def standardised_without_normalisation(experiment: Experiment) -> Experiment:
    """Standardised inputs in place of batch normalisation."""
    return without_layers(BatchNormalisation, STANDARDISE.apply(experiment))


def with_rate(rate: float, experiment: Experiment) -> Experiment:
    """The same optimizer at another learning rate."""
    optimizer = experiment.training.optimizer.at_rate(rate)
    return with_training(optimizer=optimizer)(experiment)


# --- fixes --------------------------------------------------------------------------------------


def _ours(key: str, title: str, why: str, edit: Edit) -> Fix:
    return Fix(key, title, why, "ours", edit)


STANDARDISE = Fix(
    "standardise-inputs",
    "Standardise inputs",
    "Inputs with zero mean and unit variance suit the scale of the initial weights and lie on "
    "both sides of zero.",
    "answer",
    with_data(scaling="standardise"),
)
STANDARDISE_TARGETS = Fix(
    "standardise-targets",
    "Standardise targets",
    "Targets with zero mean and unit variance suit the scale of the initial weights and the "
    "learning rate.",
    "ours",
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
SIGMOID = _ours(
    "sigmoid-output",
    "Sigmoid output",
    "A sigmoid gives a probability for every input, and a gradient everywhere.",
    sigmoid_output,
)
SOFTMAX = _ours(
    "softmax-output",
    "Softmax output",
    "One softmax unit per class gives each a probability, and a gradient everywhere.",
    softmax_output,
)
REGRESSION = _ours(
    "regression-output",
    "Linear output",
    "A continuous target is a number to approximate, with an output that can be any number.",
    linear_regression_output,
)
LABELS_FROM_ZERO = _ours(
    "labels-from-zero",
    "Labels from zero",
    "Both loss and accuracy count the classes from 0.",
    labels_from_zero,
)
PERMUTE = _ours(
    "shuffle-rows",
    "Shuffle without losing rows",
    "random.shuffle on the rows of a NumPy array overwrites about half of them; a permutation "
    "keeps every row.",
    with_data(shuffling="permutation"),
)
RESHUFFLE = _ours(
    "shuffle-every-epoch",
    "Shuffle every epoch",
    "Each batch then holds a mixture of classes.",
    with_training(shuffle=True),
)
KEEP_VARIANCE = _ours(
    "variance-keeping-initialisation",
    "He and Glorot initialisation",
    "Weights drawn to suit each layer's activation keep the size of the signal across layers, "
    "and no two units start alike.",
    initialised_by_activation,
)
RECTIFY = _ours(
    "relu-hidden",
    "ReLU hidden layers",
    "ReLU is non-linear, so the boundary can bend, and it passes the gradient on undiminished.",
    with_hidden(activation="relu", initialiser="he_normal"),
)
LEAK = _ours(
    "leaky-hidden",
    "Leaky ReLU hidden layers",
    "A leaky ReLU has a gradient below zero as well, so no unit can die.",
    with_hidden(activation="leaky_relu"),
)
WIDEN = _ours(
    "wider-hidden",
    f"{WIDE} units per hidden layer",
    "With more units it is less likely that all of them are dead or point the wrong way.",
    widened,
)
ADD_HIDDEN = _ours(
    "hidden-layer",
    "Add a hidden layer",
    "A non-linear hidden layer lets the network draw a boundary that is not straight.",
    with_hidden_layer,
)
NO_DROPOUT = _ours(
    "no-dropout",
    "No dropout",
    "With few units, dropping some leaves too little of the signal.",
    partial(without_layers, Dropout),
)
NO_OUTPUT_DROPOUT = _ours(
    "no-output-dropout",
    "No dropout after the output",
    "The loss then judges what the network puts out, not what is left of it.",
    without_output_noise,
)
ONE_OUTPUT_ACTIVATION = _ours(
    "one-output-activation",
    "One output activation",
    "A second activation squeezes outputs that are probabilities already.",
    one_output_activation,
)
ADAM = _ours(
    "adam",
    "Adam",
    "Adam scales each weight's step by its own gradients, so small gradients still move weights.",
    with_training(optimizer=Adam()),
)
NO_NORMALISATION = _ours(
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
    return _ours(
        f"learning-rate-{value:g}",
        f"Learning rate {value:g}",
        "The learning rate sets the size of each update.",
        partial(with_rate, value),
    )


def epochs(count: int) -> Fix:
    """Another number of epochs."""
    return _ours(
        f"epochs-{count}",
        f"{count:,} epochs",
        "A network that is still improving only needs more updates.",
        with_training(epochs=count),
    )


def batch(size: int) -> Fix:
    """Another batch size."""
    return _ours(
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
    return _ours(
        "more-rows",
        "Ten times the rows",
        "More rows are harder to memorise.",
        with_data(source=source.with_rows(rows)),
    )
