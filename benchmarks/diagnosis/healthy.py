"""Experiments as a careful person would set them up, in shapes drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

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
from core.streams import generator


def healthy_experiments(seed: int) -> Iterator[Experiment]:
    """Experiments as a careful person would set them up, in shapes drawn at random, without end."""
    rng, other = generator(seed, 99), generator(seed, 98)
    while True:
        for draw in (_drawn_regression, _drawn_labels, _drawn_regression, _drawn_imbalance):
            for _ in range(3):
                yield _drawn_experiment(rng)
            yield draw(other)


def _drawn_experiment(rng: np.random.Generator) -> Experiment:
    features = int(rng.choice([1, 2, 3, 5, 10, 20]))
    classes = int(rng.choice([2, 2, 2, 3, 5]))
    depth = int(rng.integers(1, 5))
    activation = str(rng.choice(["relu", "relu", "tanh", "elu", "leaky_relu", "sigmoid"]))
    depth = min(depth, 2) if activation == "sigmoid" else depth
    initialiser = "he_normal" if activation in ("relu", "leaky_relu") else "glorot_uniform"
    units = int(rng.choice([8, 12, 16, 32]))
    hidden = tuple(Dense(units, activation, initialiser) for _ in range(depth))
    samples = int(rng.choice([100, 150, 250]))
    epochs = int(rng.choice([30, 40, 60]))
    batch = int(rng.choice([8, 16, 32]))
    optimizer = (Adam(0.01), Adam(0.003), RMSprop(0.003), SGD(0.1), SGD(0.05, 0.9))[rng.integers(5)]
    # Clouds along a diagonal through 0, or where a person leaves them: at some place, then scaled.
    spacing, noise = float(rng.uniform(1.0, 1.6)), float(rng.choice([0.0, 0.0, 0.1, 0.4]))
    low = -spacing * classes / 2
    bounds = tuple((low + k * spacing, low + (k + 0.8) * spacing) for k in range(classes))
    if features >= 5 and classes == 2 and rng.random() < 0.3:
        bounds = ((-0.4, 0.4), (-1.6, 1.6))  # one cloud around the other: no straight cut
    scaling = "none"
    if rng.random() < 0.5:
        where, size = float(rng.uniform(-50, 50)), float(rng.choice([0.1, 1, 30, 1000]))
        bounds = tuple((size * (a + where), size * (b + where)) for a, b in bounds)
        noise, scaling = noise * size, str(rng.choice(["standardise", "standardise", "min-max"]))
    elif rng.random() < 0.3:
        # Left off centre and off scale, as many do; it counts where it learns all the same.
        where, size = float(rng.uniform(-3, 3)), float(rng.choice([0.3, 3, 10]))
        bounds = tuple((size * (a + where), size * (b + where)) for a, b in bounds)
        noise *= size
    source = Blobs(bounds, samples, features, noise=noise)
    form = str(
        rng.choice(
            ["binary", "categorical", "sparse"] if classes == 2 else ["categorical", "sparse"]
        )
    )
    form_loss = {
        "binary": "binary_crossentropy",
        "categorical": "categorical_crossentropy",
        "sparse": "sparse_categorical_crossentropy",
    }[form]
    output = Dense(1, "sigmoid") if form == "binary" else Dense(classes, "softmax")
    data = Data(
        source,
        hold_out=float(rng.choice([0.0, 0.2])),
        scaling=scaling,
        label_values=tuple(range(classes)),
        encoding="one-hot" if form == "categorical" else "index",
    )
    extra: tuple = ()
    if rng.random() < 0.15:
        extra = (BatchNormalisation(),)
    elif units >= 16 and rng.random() < 0.2:
        extra = (Dropout(0.2),)
    layers = (*hidden[:1], *extra, *hidden[1:], output)
    return Experiment(data, Model(layers), Training(form_loss, optimizer, batch, epochs))


def _hidden(rng: np.random.Generator, units: int) -> tuple[Dense, ...]:
    activation = str(rng.choice(["relu", "relu", "tanh", "elu"]))
    initialiser = "he_normal" if activation == "relu" else "glorot_uniform"
    return (Dense(units, activation, initialiser),) * int(rng.integers(1, 4))


def _drawn_regression(rng: np.random.Generator) -> Experiment:
    """A curve of 1 to 10 features, standardised where its targets are off scale."""
    features = int(rng.choice([1, 1, 2, 3, 5, 10]))
    shape = str(rng.choice(["line", "sine", "parabola", "vee", "step"]))
    shape = "line" if features > 3 else shape
    noise = float(rng.choice([0.0, 0.1, 0.3, 0.8]))
    size, offset = float(rng.choice([1, 1, 0.01, 40, 5_000])), float(rng.choice([0, 0, 3, -20]))
    plain = size == 1 and abs(offset) < 5
    source = Curve(600, features, shape, noise, size, size * offset)
    data = Data(
        source,
        hold_out=float(rng.choice([0.0, 0.2])),
        scaling=str(rng.choice(["none", "standardise"])),
        target_scaling="none" if plain else "standardise",
    )
    optimizer = (Adam(0.01), Adam(0.003), RMSprop(0.003))[rng.integers(3)]
    name = str(rng.choice(["mean_squared_error", "mean_squared_error", "mean_absolute_error"]))
    layers = (*_hidden(rng, int(rng.choice([16, 32]))), Dense(1))
    return Experiment(data, Model(layers), Training(name, optimizer, 16, 60))


def _drawn_labels(rng: np.random.Generator) -> Experiment:
    """Several labels a row, each of them on one side of a plane."""
    features, labels = int(rng.choice([3, 5, 10])), int(rng.choice([2, 3, 5]))
    x = rng.normal(size=(500, features))
    y = x @ rng.normal(size=(features, labels)) > rng.normal(0, 0.3, labels)
    data = Data(Table(x, y.astype(int)), hold_out=0.2)
    layers = (*_hidden(rng, 16), Dense(labels, "sigmoid"))
    return Experiment(data, Model(layers), Training("binary_crossentropy", Adam(0.01), 16, 40))


def _drawn_imbalance(rng: np.random.Generator) -> Experiment:
    """Two clouds, one of them with a twelfth to a fifth of the rows."""
    features, rare = int(rng.choice([2, 5, 10])), float(rng.uniform(0.08, 0.2))
    labels = (np.arange(500) < 500 * rare).astype(int)
    x = rng.normal(0, 0.7, (500, features)) + 2.4 * labels[:, None] - 1.2
    data = Data(Table(x, labels), hold_out=0.2)
    layers = (*_hidden(rng, 16), Dense(1, "sigmoid"))
    return Experiment(data, Model(layers), Training("binary_crossentropy", Adam(0.01), 16, 40))
