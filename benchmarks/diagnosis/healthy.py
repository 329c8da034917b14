"""Experiments as a careful person would set them up, in shapes drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Curve,
    Data,
    Dense,
    Dropout,
    Experiment,
    Model,
    RMSprop,
    Table,
    Training,
)


def healthy_experiment(
    shape: np.random.Generator, rng: np.random.Generator, number: int
) -> Experiment:
    """An experiment as a careful person would set it up.

    Args:
        shape: What a compiled program depends on is drawn from it.
        rng: Everything else is.
        number: Of the experiment, which decides what it is of: clouds every other time.
    """
    others = (_drawn_regression, _drawn_labels, _drawn_imbalance)
    draw = others[number // 2 % len(others)] if number % 2 else _drawn_clouds
    experiment = draw(shape, rng)
    optimizer = experiment.training.optimizer
    rate = optimizer.learning_rate * rng.uniform(0.7, 1.4)
    training = replace(experiment.training, optimizer=replace(optimizer, learning_rate=rate))
    return replace(experiment, training=training)


def _drawn_clouds(shape: np.random.Generator, rng: np.random.Generator) -> Experiment:
    features = int(shape.choice([1, 2, 3, 5, 10, 20]))
    classes = int(shape.choice([2, 2, 2, 3, 5]))
    depth = int(shape.integers(1, 5))
    activation = str(shape.choice(["relu", "relu", "tanh", "elu", "leaky_relu", "sigmoid"]))
    depth = min(depth, 2) if activation == "sigmoid" else depth
    initialiser = "he_normal" if activation in ("relu", "leaky_relu") else "glorot_uniform"
    units = int(shape.choice([8, 12, 16, 32]))
    hidden = tuple(Dense(units, activation, initialiser) for _ in range(depth))
    samples = int(shape.choice([100, 150, 250]))
    epochs = int(shape.choice([30, 40, 60]))
    batch = int(shape.choice([8, 16, 32]))
    optimizers = (Adam(0.01), Adam(0.003), RMSprop(0.003), SGD(0.1), SGD(0.05, 0.9))
    optimizer = optimizers[shape.integers(len(optimizers))]
    # Clouds along a diagonal through 0, or where a person leaves them: at some place, then scaled.
    spacing, noise = float(rng.uniform(1.0, 1.6)), float(rng.choice([0.0, 0.0, 0.1, 0.4]))
    low = -spacing * classes / 2
    bounds = tuple((low + k * spacing, low + (k + 0.8) * spacing) for k in range(classes))
    if features >= 5 and classes == 2 and rng.random() < 0.3:
        bounds = ((-0.4, 0.4), (-1.6, 1.6))  # one cloud around the other: no straight cut
    scaling = "none"
    if shape.random() < 0.5:
        where, size = float(rng.uniform(-50, 50)), float(rng.choice([0.1, 1, 30, 1000]))
        bounds = tuple((size * (a + where), size * (b + where)) for a, b in bounds)
        noise, scaling = noise * size, str(shape.choice(["standardise", "standardise", "min-max"]))
    elif rng.random() < 0.3:
        # Left off centre and off scale, as many do; it counts where it learns all the same.
        where, size = float(rng.uniform(-3, 3)), float(rng.choice([0.3, 3, 10]))
        bounds = tuple((size * (a + where), size * (b + where)) for a, b in bounds)
        noise *= size
    source = Blobs(bounds, samples, features, noise=noise)
    forms = ["binary", "categorical", "sparse"] if classes == 2 else ["categorical", "sparse"]
    form = str(shape.choice(forms))
    form_loss = {
        "binary": "binary_crossentropy",
        "categorical": "categorical_crossentropy",
        "sparse": "sparse_categorical_crossentropy",
    }[form]
    output = Dense(1, "sigmoid") if form == "binary" else Dense(classes, "softmax")
    data = Data(
        source,
        hold_out=float(shape.choice([0.0, 0.2])),
        scaling=scaling,
        label_values=tuple(range(classes)),
        encoding="one-hot" if form == "categorical" else "index",
    )
    extra: tuple = ()
    if shape.random() < 0.15:
        extra = (BatchNormalisation(),)
    elif units >= 16 and shape.random() < 0.2:
        extra = (Dropout(0.2),)
    layers = (*hidden[:1], *extra, *hidden[1:], output)
    return Experiment(data, Model(layers), Training(form_loss, optimizer, batch, epochs))


def _hidden(shape: np.random.Generator, units: int) -> tuple[Dense, ...]:
    activation = str(shape.choice(["relu", "relu", "tanh", "elu"]))
    initialiser = "he_normal" if activation == "relu" else "glorot_uniform"
    return (Dense(units, activation, initialiser),) * int(shape.integers(1, 4))


def _drawn_regression(shape: np.random.Generator, rng: np.random.Generator) -> Experiment:
    """A curve of 1 to 10 features, standardised where its targets are off scale."""
    features = int(shape.choice([1, 1, 2, 3, 5, 10]))
    curve = str(rng.choice(["line", "sine", "parabola", "vee", "step"]))
    curve = "line" if features > 3 else curve
    noise = float(rng.choice([0.0, 0.1, 0.3, 0.8]))
    size, offset = float(rng.choice([1, 1, 0.01, 40, 5_000])), float(rng.choice([0, 0, 3, -20]))
    plain = size == 1 and abs(offset) < 5
    source = Curve(600, features, curve, noise, size, size * offset)
    data = Data(
        source,
        hold_out=float(shape.choice([0.0, 0.2])),
        scaling=str(shape.choice(["none", "standardise"])),
        target_scaling="none" if plain else "standardise",
    )
    optimizer = (Adam(0.01), Adam(0.003), RMSprop(0.003))[shape.integers(3)]
    name = str(shape.choice(["mean_squared_error", "mean_squared_error", "mean_absolute_error"]))
    layers = (*_hidden(shape, int(shape.choice([16, 32]))), Dense(1))
    return Experiment(data, Model(layers), Training(name, optimizer, 16, 60))


def _drawn_labels(shape: np.random.Generator, rng: np.random.Generator) -> Experiment:
    """Several labels a row, each of them on one side of a plane."""
    features, labels = int(shape.choice([3, 5, 10])), int(shape.choice([2, 3, 5]))
    x = rng.normal(size=(500, features))
    y = x @ rng.normal(size=(features, labels)) > rng.normal(0, 0.3, labels)
    data = Data(Table(x, y.astype(int)), hold_out=0.2)
    layers = (*_hidden(shape, 16), Dense(labels, "sigmoid"))
    return Experiment(data, Model(layers), Training("binary_crossentropy", Adam(0.01), 16, 40))


def _drawn_imbalance(shape: np.random.Generator, rng: np.random.Generator) -> Experiment:
    """Two clouds, one of them with a twelfth to a fifth of the rows."""
    features, rare = int(shape.choice([2, 5, 10])), float(rng.uniform(0.08, 0.2))
    labels = (np.arange(500) < 500 * rare).astype(int)
    x = rng.normal(0, 0.7, (500, features)) + 2.4 * labels[:, None] - 1.2
    data = Data(Table(x, labels), hold_out=0.2)
    layers = (*_hidden(shape, 16), Dense(1, "sigmoid"))
    return Experiment(data, Model(layers), Training("binary_crossentropy", Adam(0.01), 16, 40))
