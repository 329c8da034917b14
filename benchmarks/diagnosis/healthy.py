"""Experiments as a careful person would set them up, in shapes drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.diagnosis.runs import trained
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Dropout,
    Experiment,
    Model,
    RMSprop,
    Training,
)
from core.history import TARGET, History
from core.streams import generator

SLACK = 0.05
"""A noisy experiment is healthy if every run comes this close to the best possible accuracy."""


def healthy_experiments(seed: int) -> Iterator[Experiment]:
    """Experiments as a careful person would set them up, in shapes drawn at random, without end."""
    rng = generator(seed, 99)
    while True:
        yield _drawn_experiment(rng)


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


def is_healthy(experiment: Experiment, history: History) -> bool:
    """Every run reaches the target, or comes close to the best possible."""
    best = experiment.data.source.ceiling()
    return bool((history.final_score >= min(TARGET, best - SLACK)).all())


def gather_healthy(count: int, seed: int) -> tuple[list[Experiment], list[History], int]:
    """The first `count` that are healthy, their histories, and how many had to be drawn."""
    source = healthy_experiments(seed)
    experiments, histories, drawn = [], [], 0
    while len(experiments) < count:
        some = [next(source) for _ in range(count - len(experiments))]
        drawn += len(some)
        for experiment, history in zip(some, trained(some, "healthy"), strict=True):
            if is_healthy(experiment, history):
                experiments.append(experiment)
                histories.append(history)
    return experiments, histories, drawn
