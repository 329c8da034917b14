"""Healthy networks of any width on tables: noise, rare classes, repeated rows and columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, pairwise

import numpy as np

from benchmarks.diagnosis.healthy import healthy_experiment
from core.experiment import SGD, Adam, Data, Dense, Experiment, Model, RMSprop, Table, Training
from core.streams import generator

WEIGHTS = 60_000
"""The most that a drawn network has."""
MEMBERS = 4
"""Experiments of a family."""


@dataclass(frozen=True)
class Drawn:
    """An experiment, and the best score that any model of its rows can have."""

    experiment: Experiment
    best: float
    family: int


def drawn(seed: int) -> Iterator[Drawn]:
    """Experiments as a careful person would set them up, without end: of tables every other family.

    A family shares what a compiled program depends on, such as the layers and the number of rows,
    as compiling takes most of the time.
    """
    for family in count():
        for member in range(MEMBERS):
            shape, rng = generator(seed, 97, family), generator(seed, 96, family, member)
            if family % 2:
                yield _on_table(shape, rng, family)
            else:
                experiment = healthy_experiment(shape, rng, family // 2)
                best = experiment.data.source.ceiling()
                yield Drawn(experiment, 1.0 if best is None else best, family)


def _on_table(shape: np.random.Generator, rng: np.random.Generator, family: int) -> Drawn:
    """shape: what the family shares is drawn from it."""
    features = int(shape.choice([1, 2, 4, 8, 20, 64, 200, 800]))
    kind = str(shape.choice(["binary", "binary", "classes", "regression", "labels"]))
    rows, hold_out = int(shape.choice([160, 320])), float(shape.choice([0.0, 0.0, 0.25]))
    noise = float(rng.choice([0, 0, 0.1, 0.2, 0.3]))
    if kind == "regression":
        data, best = _targets(shape, rng, rows, features, noise)
    elif kind == "labels":
        data, best = _labels(shape, rng, rows, features, noise)
    else:
        classes = 2 if kind == "binary" else int(shape.choice([3, 5, 10] if features > 2 else [3]))
        data, best = _classes(shape, rng, rows, features, classes, noise)
    # Beyond that, held-out rows say more about the number of rows than about the network.
    data = Data(**data, hold_out=hold_out if features <= 20 else 0.0)
    return Drawn(_trained_with_care(shape, rng, data, kind), best, family)


def _classes(
    shape, rng, rows: int, features: int, classes: int, noise: float
) -> tuple[dict, float]:
    """Clouds around a centre a class, some of their labels wrong, one class perhaps rare."""
    shares = np.full(classes, 1 / classes)
    if rng.random() < 0.25:
        shares[0] /= 4
        shares /= shares.sum()
    labels = rng.choice(classes, rows, p=shares)
    centres = rng.normal(size=(classes, features))
    if features <= 2:
        centres = np.linspace(-1, 1, classes)[:, None] * np.ones(features)
    apart = np.sqrt(np.square(centres[:, None] - centres[None]).sum(-1))
    nearest = apart[np.triu_indices(classes, 1)].min()
    inputs = 7 / nearest * centres[labels] + rng.normal(size=(rows, features))
    inputs = inputs / inputs.std()
    wrong = rng.random(rows) < noise
    labels = np.where(wrong, (labels + rng.integers(1, classes, rows)) % classes, labels)
    inputs, labels = _repeated(shape, rng, inputs, labels)
    data = {"source": Table(inputs, labels), "label_values": tuple(range(classes))}
    if classes > 2 and shape.random() < 0.5:
        data["encoding"] = "one-hot"
    return data, 1 - noise


def _targets(shape, rng, rows: int, features: int, noise: float) -> tuple[dict, float]:
    inputs = rng.normal(size=(rows, features))
    slope = rng.normal(size=features)
    line = inputs @ slope / np.linalg.norm(slope)
    if features <= 4 and rng.random() < 0.5:
        line = np.abs(line) * 1.6
    targets = line + np.sqrt(noise / (1 - noise)) * line.std() * rng.normal(size=rows)
    inputs, targets = _repeated(shape, rng, inputs, targets)
    return {"source": Table(inputs, targets=targets)}, 1 - noise


def _labels(shape, rng, rows: int, features: int, noise: float) -> tuple[dict, float]:
    labels = int(shape.choice([2, 4, 6]))
    inputs = rng.normal(size=(rows, features))
    planes = rng.normal(size=(features, labels))
    right = inputs @ planes > 0
    wrong = rng.random(right.shape) < noise
    return {"source": Table(inputs, (right ^ wrong).astype(int))}, 1 - noise


def _repeated(shape, rng, inputs: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows, a fifth of the time with copies of some, a fifth with columns twice."""
    if shape.random() < 0.2:
        some = rng.integers(0, len(inputs), len(inputs) // 4)
        inputs, y = np.concatenate([inputs, inputs[some]]), np.concatenate([y, y[some]])
    if shape.random() < 0.2:
        twice = rng.integers(0, inputs.shape[1], max(inputs.shape[1] // 4, 1))
        inputs = np.column_stack([inputs, inputs[:, twice]])
    return inputs, y


def _trained_with_care(shape, rng, data: Data, kind: str) -> Experiment:
    features, outputs = data.source.features, data.target_width
    if kind in ("binary", "classes"):
        outputs = data.source.classes
    depth = int(shape.integers(1, 4))
    while True:
        units = [round(2 ** shape.uniform(1, 8.96)) for _ in range(depth)]
        sizes = [features, *units, outputs]
        if sum(a * b for a, b in pairwise(sizes)) <= WEIGHTS:
            break
    activation = str(shape.choice(["relu", "relu", "tanh", "gelu"]))
    initialiser = "glorot_uniform" if activation == "tanh" else "he_normal"
    hidden = tuple(Dense(width, activation, initialiser) for width in units)
    wide = max(units) >= 64
    optimizer = (
        Adam(0.001 if wide else 0.01),
        RMSprop(0.001 if wide else 0.003),
        SGD(0.05, 0.9) if kind != "regression" else Adam(0.003),
    )[shape.integers(3)]
    optimizer = replace(optimizer, learning_rate=optimizer.learning_rate * rng.uniform(0.7, 1.4))
    # Wide ones are trained for as long as it takes and no longer.
    epochs = int(rng.choice([12, 20] if wide else [40, 60]))
    if kind == "regression":
        last, name = Dense(outputs), "mean_squared_error"
    elif kind == "labels" or (kind == "binary" and shape.random() < 0.7):
        units = outputs if kind == "labels" else 1
        last, name = Dense(units, "sigmoid"), "binary_crossentropy"
    else:
        one_hot = data.encoding == "one-hot"
        name = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        last = Dense(outputs, "softmax")
    return Experiment(data, Model((*hidden, last)), Training(name, optimizer, 16, epochs))
