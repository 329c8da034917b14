"""The faults that are put into healthy experiments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.callbacks import EarlyStopping
from core.data import prepare
from core.engine.grouping import steps
from core.experiment import SGD, BatchNormalisation, Dense, Dropout, Experiment, Model, Table
from core.fixes import with_data, with_hidden, with_training
from core.layers import Activation
from core.schedules import ExponentialDecay


@dataclass(frozen=True)
class Fault:
    """What is put in: edit gives the faulty experiment, or None where it does not fit.

    codes: findings of which any one names it. harmless: it is worth a word but stops no run, so
    that it counts without harm. of: what it is put into: "classes", "labels" (several a row),
    "targets" or "" for all. spoilt: the rows themselves hold nothing to learn, so that
    no change of the experiment mends it.
    """

    name: str
    codes: tuple[str, ...]
    edit: Callable[[Experiment], Experiment | None]
    harmless: bool = False
    of: str = "classes"
    spoilt: bool = False

    def fits(self, experiment: Experiment) -> bool:
        source = experiment.data.source
        kind = "targets" if source.outputs else "labels" if source.label_columns else "classes"
        return self.of in ("", kind)


FAULTS: list[Fault] = []


def fault(
    name: str, *codes: str, harmless: bool = False, of: str = "classes", spoilt: bool = False
):
    def register(edit):
        FAULTS.append(Fault(name, codes, edit, harmless, of, spoilt))
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


@fault("inputs times 10,000", "inputs-unscaled", of="")
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


@fault("rows lost to the shuffle", "rows-lost", harmless=True, of="")
def _(experiment):
    return with_data(shuffling="rows")(experiment)


@fault("evaluation on the training data", "evaluated-on-training-data", harmless=True, of="")
def _(experiment):
    return with_data(hold_out=0.0)(experiment)


@fault("sorted and never shuffled", "sorted-unshuffled")
def _(experiment):
    changed = with_data(shuffling="none", hold_out=0.0)(experiment)
    return with_training(shuffle=False)(changed)


@fault("clouds that overlap", "label-conflict", harmless=True, spoilt=True)
def _(experiment):
    source = experiment.data.source
    changed = replace(source, overlap=0.9)
    return None if changed.ceiling() > 0.99 else with_data(source=changed)(experiment)


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


@fault("one class only", "one-class-only", harmless=True, spoilt=True)
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


@fault("labels by chance", "overfitting", "label-conflict", "unexplained", spoilt=True)
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


@fault("learning rate / 1,000", "learning-rate-too-low", of="")
def _(experiment):
    return rated(1e-3, experiment)


@fault("learning rate / 10,000", "learning-rate-too-low", of="")
def _(experiment):
    return rated(1e-4, experiment)


@fault("learning rate x 300", "learning-rate-too-high", "non-finite-loss")
def _(experiment):
    return rated(300, experiment)


@fault("two epochs", "too-few-updates", of="")
def _(experiment):
    return with_training(epochs=2, batch_size=64)(experiment)


@fault("one batch an epoch", "batch-too-large", "too-few-updates", of="")
def _(experiment):
    return with_training(batch_size=10_000, epochs=10)(experiment)


@fault("zero initialisation", "zero-initialisation", of="")
def _(experiment):
    layers = tuple(
        replace(layer, initialiser="zeros") if isinstance(layer, Dense) else layer
        for layer in experiment.model.layers
    )
    return replace(experiment, model=Model(layers))


@fault("no activation", "no-nonlinearity")
def _(experiment):
    if not needs_bend(experiment):
        return None
    return with_hidden(activation="linear")(experiment)


@fault("no hidden layer", "no-nonlinearity")
def _(experiment):
    if not needs_bend(experiment):
        return None
    return replace(experiment, model=Model((experiment.model.output,)))


def needs_bend(experiment: Experiment) -> bool:
    (a, b), (c, d) = experiment.data.source.bounds[:2]
    return c < a and b < d


@fault("one unit a hidden layer", "bottleneck", "dead-units")
def _(experiment):
    return with_hidden(units=1)(experiment)


@fault("dead units", "dead-units", "one-signed-inputs", "bottleneck")
def _(experiment):
    source = experiment.data.source
    width = np.ptp(np.array(source.bounds))
    low = np.array(source.bounds).min()
    bounds = tuple((a - low + 2 * width, b - low + 2 * width) for a, b in source.bounds)
    data = replace(experiment.data, source=replace(source, bounds=bounds), scaling="divide")
    narrow = with_hidden(units=2, activation="relu", initialiser="he_normal")(experiment)
    return replace(narrow, data=replace(data, divisor=float(width)))


@fault("softmax in the hidden layers", "hidden-softmax", of="")
def _(experiment):
    return with_hidden(activation="softmax")(experiment)


@fault("dropout after the output layer", "dropout-after-output", of="")
def _(experiment):
    model = experiment.model
    return replace(experiment, model=Model((*model.layers, Dropout(0.5))))


@fault("two activations on the output", "repeated-output-activation")
def _(experiment):
    last = experiment.model.output_activation.name
    if last == "linear":
        return None
    return replace(experiment, model=Model((*experiment.model.layers, Activation(last))))


@fault("dropout 0.9", "dropout-too-high", of="")
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


@fault("deep sigmoid stack", "vanishing-gradient", of="")
def _(experiment):
    layers = tuple(Dense(hidden(experiment)[0].units, "sigmoid") for _ in range(5))
    return replace(experiment, model=Model((*layers, experiment.model.output)))


@fault("saturated hidden layers", "saturated-units", "inputs-unscaled")
def _(experiment):
    changed = with_hidden(activation="sigmoid", initialiser="glorot_uniform")(experiment)
    return with_data(scaling="divide", divisor=1e-3)(changed)


@fault("learning rate that is gone after a tenth", "rate-decays-too-early", of="")
def _(experiment):
    schedule = ExponentialDecay(max(steps(experiment) * experiment.training.epochs // 100, 1), 0.5)
    return with_training(optimizer=replace(experiment.training.optimizer, schedule=schedule))(
        experiment
    )


@fault("weight decay 10", "weight-decay-too-strong", of="")
def _(experiment):
    if experiment.training.optimizer.learning_rate * steps(experiment) < 0.05:
        return None
    return with_training(optimizer=replace(experiment.training.optimizer, weight_decay=10.0))(
        experiment
    )


@fault("momentum 1", "momentum-too-high", of="")
def _(experiment):
    return with_training(optimizer=SGD(0.01, 1.0))(experiment)


@fault("early stopping without patience", "stopped-too-early")
def _(experiment):
    return with_training(callbacks=(EarlyStopping("loss", min_delta=0.05),))(experiment)


@fault("explosion", "exploding-gradient", "non-finite-loss", "learning-rate-too-high")
def _(experiment):
    optimizer = SGD(5.0, 0.9)
    changed = with_hidden(activation="relu", initialiser="he_normal")(experiment)
    return with_training(optimizer=optimizer)(changed)
