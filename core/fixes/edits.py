"""The edits that fixes are made of: from an experiment to the changed one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from core.experiment import BatchNormalisation, Experiment, Model
from core.fixes.fix import Edit
from core.fixes.network_edits import change_hidden, changed_output
from core.losses import loss


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
    return without_layers(BatchNormalisation, with_data(scaling="standardise")(experiment))


def with_rate(rate: float, experiment: Experiment) -> Experiment:
    """The same optimizer at another learning rate."""
    optimizer = experiment.training.optimizer.at_rate(rate)
    return with_training(optimizer=optimizer)(experiment)
