"""Faults of regressions, of several labels a row, and of the arguments of `compile` and `fit`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.diagnosis.faults import binary, fault, with_output
from core.data import prepare
from core.experiment import SGD, Dense, Experiment, Model, Table
from core.fixes import with_data, with_hidden, with_training


@fault("ReLU output for targets of both signs", "output-range", of="targets")
def _(experiment):
    changed = with_data(target_scaling="standardise")(experiment)
    return with_output(activation="relu")(changed)


@fault("sigmoid output for targets", "output-range", of="targets")
def _(experiment):
    return with_output(activation="sigmoid")(experiment)


@fault("cross-entropy for targets", "continuous-labels", "output-range", of="targets")
def _(experiment):
    changed = with_output(activation="sigmoid")(experiment)
    return with_training(loss="binary_crossentropy")(changed)


@fault("targets of thousands", "target-unscaled", of="targets")
def _(experiment):
    return _scaled(experiment, 1e3, 5e4)


@fault("targets of thousandths", "target-unscaled", of="targets")
def _(experiment):
    return _scaled(experiment, 1e-3, 0.0)


@fault("big targets under gradient descent", "target-unscaled", "non-finite-loss", of="targets")
def _(experiment):
    return with_training(optimizer=SGD(0.01))(_scaled(experiment, 1e3, 0.0))


def _scaled(experiment: Experiment, scale: float, offset: float) -> Experiment:
    source = replace(experiment.data.source, scale=scale, offset=offset)
    return with_data(source=source, target_scaling="none")(experiment)


@fault("linear network for a curve", "no-nonlinearity", of="targets")
def _(experiment):
    if experiment.data.source.shape == "line":
        return None
    return with_hidden(activation="linear")(experiment)


@fault("noise in the targets", "noisy-targets", of="targets", harmless=True, spoilt=True)
def _(experiment):
    return with_data(source=replace(experiment.data.source, noise=1.0))(experiment)


@fault("one output for several targets", "one-output-many-targets", of="targets")
def _(experiment):
    x, y = _rows(experiment)
    source = Table(x, targets=np.column_stack([y, -y, y**2]))
    return with_data(source=source)(experiment)


@fault("targets that are all alike", "one-class-only", of="targets", spoilt=True)
def _(experiment):
    x, y = _rows(experiment)
    return with_data(source=Table(x, targets=0 * y + 3))(experiment)


@fault("rows sorted by their target, never shuffled", "sorted-unshuffled", of="targets")
def _(experiment):
    return with_training(shuffle=False)(with_data(hold_out=0.0)(_sorted(experiment)))


@fault("validation split of sorted rows", "validation-of-last-rows", of="targets")
def _(experiment):
    return with_data(hold_out=0.2, held_out="last")(_sorted(experiment))


@fault("logarithmic error of negative targets", "targets-outside-loss", of="targets")
def _(experiment):
    changed = with_data(target_scaling="standardise")(experiment)
    return with_training(loss="mean_squared_logarithmic_error")(changed)


@fault("relative error of targets near zero", "relative-error-near-zero", of="targets")
def _(experiment):
    changed = with_data(target_scaling="standardise")(experiment)
    return with_training(loss="mean_absolute_percentage_error")(changed)


def _rows(experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and standardised targets of the rows, unscaled inputs."""
    data = replace(
        experiment.data, scaling="none", hold_out=0.0, target_scaling="standardise", seed=5
    )
    rows = prepare(data, 0, 0)
    return rows.x.astype(float), rows.y[:, 0].astype(float)


def _sorted(experiment: Experiment) -> Experiment:
    """The rows in the order of their targets."""
    x, y = _rows(experiment)
    order = np.argsort(y)
    return with_data(source=Table(x[order], targets=y[order]), shuffling="none")(experiment)


@fault("softmax for several labels", "multi-label-softmax", of="labels")
def _(experiment):
    changed = with_output(activation="softmax")(experiment)
    return with_training(loss="categorical_crossentropy")(changed)


@fault("one output for several labels", "one-output-many-targets", of="labels")
def _(experiment):
    model = Model((*experiment.model.layers[:-1], Dense(1, "sigmoid")))
    training = replace(experiment.training, loss="mean_squared_error")
    return replace(experiment, model=model, training=training)


@fault("validation split of rows sorted by class", "validation-of-last-rows")
def _(experiment):
    source = experiment.data.source
    if not source.random:
        return None
    return with_data(shuffling="none", hold_out=0.3, held_out="last")(experiment)


@fault("a class weight of zero", "class-weights")
def _(experiment):
    classes = experiment.data.source.classes
    return with_training(class_weight=(0.0, *(1.0,) * (classes - 1)))(experiment)


@fault("a metric of regressions", "metric-unfit", harmless=True)
def _(experiment):
    return with_training(metrics=("mean_squared_error",))(experiment)


@fault("from_logits with an activation", "logits-of-probabilities", harmless=True)
def _(experiment):
    return with_training(from_logits=True)(experiment)


@fault("labels 1 and 2 under a hinge loss", "labels-outside-loss", "labels-outside-accuracy")
def _(experiment):
    if not binary(experiment):
        return None
    changed = with_training(loss="hinge")(with_output(activation="tanh")(experiment))
    return with_data(label_values=(1.0, 2.0), encoding="as-is")(changed)


@fault("hinge loss of a sigmoid", "hinge-without-sign", harmless=True)
def _(experiment):
    return with_training(loss="hinge")(experiment) if binary(experiment) else None
