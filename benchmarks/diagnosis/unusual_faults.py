"""Settings that are unlike what is usual: named as the fault often, and harmful at times."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.diagnosis.faults import binary, fault, with_output
from core.engine.grouping import steps
from core.experiment import SGD
from core.fixes import default_rate, with_data, with_hidden, with_training
from core.initialisers import RandomNormal


@fault("categorical cross-entropy over one unit", "categorical-one-column")
def _(experiment):
    if not binary(experiment):
        return None
    return with_training(loss="categorical_crossentropy")(experiment)


@fault("tiny initial weights", "initial-scale", "too-few-updates", "vanishing-gradient", of="")
def _(experiment):
    tiny = RandomNormal(stddev=1e-4)
    return with_output(initialiser=tiny)(with_hidden(initialiser=tiny)(experiment))


@fault("huge initial weights", "initial-scale", "saturated-units", of="")
def _(experiment):
    huge = RandomNormal(stddev=10.0)
    return with_output(initialiser=huge)(with_hidden(initialiser=huge)(experiment))


@fault("initial weights of a fixed size", "initial-scale", harmless=True, of="")
def _(experiment):
    return with_hidden(initialiser="random_normal")(experiment)


@fault(
    "learning rate of 20 times the default",
    "unusual-learning-rate",
    "learning-rate-too-high",
    harmless=True,
    of="",
)
def _(experiment):
    optimizer = experiment.training.optimizer
    changed = replace(optimizer, learning_rate=20 * default_rate(experiment))
    return with_training(optimizer=changed)(experiment)


@fault("few epochs", "few-updates", "too-few-updates", "batch-too-large", harmless=True, of="")
def _(experiment):
    epochs = max(300 // steps(experiment), 1)
    return with_training(epochs=epochs)(experiment) if epochs * steps(experiment) < 500 else None


@fault("batches of two rows", "unusual-batch-size", "batch-norm-small-batch", harmless=True, of="")
def _(experiment):
    return with_training(batch_size=2)(experiment)


@fault("gradient descent without momentum", "plain-gradient-descent", harmless=True, of="")
def _(experiment):
    return with_training(optimizer=SGD(0.01))(experiment)


@fault("few rows held out", "few-held-out-rows", harmless=True)
def _(experiment):
    return with_data(hold_out=20 / experiment.data.source.rows)(experiment)
