"""Experiments without a fault, the ways to put one in, and histories that a test makes up."""

from dataclasses import replace

import numpy as np

from core.experiment import Adam, Blobs, Curve, Data, Dense, Experiment, Model, Table, Training
from core.history import Health
from core.network import draw_weights
from core.problems import PROBLEMS
from support.histories import made_up

THRESHOLD, TWO_BLOB = (PROBLEMS[key].experiment for key in ("threshold", "two-blob"))
HEALTHY = Experiment(
    Data(Blobs(((-1.2, -0.2), (0.2, 1.2)), 200, 3), hold_out=0.2, encoding="index"),
    Model((Dense(16, "relu", "he_normal"), Dense(16, "relu", "he_normal"), Dense(1, "sigmoid"))),
    Training("binary_crossentropy", Adam(0.01), 16, 30),
)
MANY = replace(
    HEALTHY,
    data=Data(
        Blobs(((-2.0, -1.0), (-0.5, 0.5), (1.0, 2.0)), 150, 3),
        hold_out=0.2,
        label_values=(0, 1, 2),
        encoding="one-hot",
    ),
    model=Model((Dense(16, "relu", "he_normal"), Dense(3, "softmax"))),
    training=replace(HEALTHY.training, loss="categorical_crossentropy"),
)
SPARSE = Experiment(
    replace(MANY.data, encoding="index"),
    MANY.model,
    replace(MANY.training, loss="sparse_categorical_crossentropy"),
)
XOR_ROWS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))


def data(experiment=HEALTHY, **changes):
    return replace(experiment, data=replace(experiment.data, **changes))


def layers(*some, experiment=HEALTHY):
    return replace(experiment, model=Model(some))


def training(experiment=HEALTHY, **changes):
    return replace(experiment, training=replace(experiment.training, **changes))


def output(experiment=HEALTHY, **changes):
    *below, last = experiment.model.layers
    return layers(*below, replace(last, **changes), experiment=experiment)


def hidden(units=16, activation="relu", count=2, initialiser="glorot_uniform", experiment=HEALTHY):
    some = (Dense(units, activation, initialiser),) * count
    return layers(*some, experiment.model.output, experiment=experiment)


def table(inputs, labels, values=None, experiment=HEALTHY, **changes):
    source = Table(tuple(map(tuple, inputs)), tuple(labels))
    values = values or tuple(range(max(labels) + 1))
    return data(experiment, source=source, label_values=values, hold_out=0.0, **changes)


def rows(count=100, columns=2):
    inputs = np.random.default_rng(0).normal(size=(count, columns))
    return inputs.tolist(), (inputs[:, 0] > 0).astype(int).tolist()


def with_rows(edit, **changes):
    inputs, labels = rows()
    return table(*edit(inputs, labels), **changes)


def with_targets(inputs, targets, *layers, experiment=None, **changes):
    """A regression on a table."""
    base = experiment or REGRESSION
    units = np.atleast_2d(np.asarray(targets).T).T.shape[1]
    model = Model(layers or (Dense(16, "relu", "he_normal"), Dense(units)))
    source = Table(inputs, targets=targets)
    return replace(data(base, source=source, **changes), model=model)


REGRESSION = Experiment(
    Data(Curve(300, 1, "sine", noise=0.1), hold_out=0.2),
    Model((Dense(16, "relu", "he_normal"), Dense(16, "relu", "he_normal"), Dense(1))),
    Training("mean_squared_error", Adam(0.01), 16, 60),
)


def curve(**changes):
    """The regression on another curve."""
    return data(REGRESSION, source=replace(REGRESSION.data.source, **changes))


MULTI_LABEL = Experiment(
    Data(Table(rows()[0], (np.array(rows()[0]) > 0).astype(int)), hold_out=0.2),
    Model((Dense(16, "relu", "he_normal"), Dense(2, "sigmoid"))),
    Training("binary_crossentropy", Adam(0.01), 16, 60),
)
CONTINUOUS = table(rows()[0], range(100), tuple(np.linspace(2, 3, 100).tolist()), encoding="as-is")
NESTED = data(source=Blobs(((-0.4, 0.4), (-1.6, 1.6)), 200, 5))


def codes(findings):
    return {finding.code for finding in findings}


def history(experiment, accuracy=0.5, loss=0.69, epochs=10, runs=4, same_weights=False, **figures):
    """A history as a training would leave it, with figures that a test chooses.

    accuracy, loss: what broadcasts to (epochs, runs).
    """
    shape, depth = (epochs, runs), len(experiment.model.dense)
    rng = np.random.default_rng(0)
    weights = draw_weights(experiment.model, experiment.data.source.features, runs, rng)
    last = [array * (0 if same_weights else 1) for array in weights]
    kept = tuple(
        np.stack([np.moveaxis(array, 0, -1) for array in pair])
        for pair in zip(weights, last, strict=True)
    )
    flat = [array[:, 0] if place % 2 else array for place, array in enumerate(kept)]
    accuracy, loss = (np.broadcast_to(np.float32(v), shape).copy() for v in (accuracy, loss))
    calm = np.full((epochs, depth, runs), 0.01, np.float32)
    health = dict.fromkeys(("dead", "saturated", "output_min", "output_max"), 0 * calm)
    health |= {"gradient_norm": calm, "update_ratio": calm}
    health |= {name: figures.pop(name) for name in tuple(figures) if name in health}
    held_out = accuracy if experiment.data.held_out_rows else None
    fields = {
        "val_loss": loss if held_out is not None else None,
        "val_score": held_out,
        **figures,
    }
    return made_up(
        experiment, loss, accuracy, health=Health(**health), weights=tuple(flat), **fields
    )
