"""What a trained network does: the outputs of its layers, its decisions, and where they change.

Plain NumPy on the weights that a `History` keeps, so that a page can look into a network without
TensorFlow. Layers are named as in "layer 1, unit 2", both counted from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import network
from core.data import Rows, prepare
from core.experiment import Data, Experiment, Model
from core.history import History

SHOWN_EPOCHS = 20
"""The most key epochs that a view covers,"""
SHOWN_UNITS = 24
"""and about the most hidden units, spread over the layers."""
NO_CLASS = -1
PROBABILITY = "P(y = 1 | x)"


def outputs(model: Model, weights: list[np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    """The outputs of every dense layer at inference, float32 (rows, units) each.

    weights: in the order of Keras's `get_weights()`; x: (rows, features), scaled.
    """
    stacked = [array[None] if array.ndim == 2 else array[None, None] for array in weights]
    # Weights that grew without bound give infinities and NaN here as they do in Keras.
    with np.errstate(all="ignore"):
        done = network.forward(model, stacked, np.asarray(x, np.float32)[None])
    return [output[0].astype(np.float32) for output in done.outputs]


def decisions(experiment: Experiment, out: np.ndarray) -> np.ndarray:
    """The class, int (rows,), that Keras's "accuracy" takes each output (rows, units) for.

    NO_CLASS where no class has the decided label: an output of one unit decides between the labels
    1 (above 0.5) and 0, and several units for the column of the largest, whatever the labels are.
    """
    data = experiment.data
    if out.shape[1] > 1:
        return _class_of(data, out.argmax(axis=1))
    if data.encoding == "one-hot":
        # One unit against several columns of labels: no row of labels is all 0 or all 1.
        return np.full(len(out), NO_CLASS)
    return _class_of(data, (out[:, 0] > 0.5).astype(int))


def _class_of(data: Data, targets: np.ndarray) -> np.ndarray:
    """The class, int (rows,), that has each of these targets; NO_CLASS where none has it."""
    matches = targets[:, None] == np.asarray(data.targets, np.float32)
    return np.where(matches.any(axis=1), matches.argmax(axis=1), NO_CLASS)


def confusion(experiment: Experiment, weights: list[np.ndarray], rows: Rows) -> pd.DataFrame:
    """How many rows of each class were taken for which: actual, predicted, count.

    The held-out rows where there are any, else the training rows, as for the final accuracy.
    actual and predicted are labels as text, such as "0"; predicted is "none" where no class has
    the label that was decided, and "none" is left out where that never happens.
    """
    x, y = (rows.held_out_x, rows.held_out_y) if len(rows.held_out_x) else (rows.x, rows.y)
    actual = classes(experiment.data, y)
    predicted = decisions(experiment, outputs(experiment.model, weights, x)[-1])
    names = [f"{value:g}" for value in experiment.data.label_values]
    columns = dict(enumerate(names))
    if (predicted == NO_CLASS).any():
        columns[NO_CLASS] = "none"
    return pd.DataFrame(
        [
            (names[k], name, int(((actual == k) & (predicted == column)).sum()))
            for k in range(len(names))
            for column, name in columns.items()
        ],
        columns=["actual", "predicted", "count"],
    )


def classes(data: Data, y: np.ndarray) -> np.ndarray:
    """The class of each row, int (rows,), from its encoded label (rows, width)."""
    return _class_of(data, y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0])


def shown_keys(history: History, most: int = SHOWN_EPOCHS) -> list[int]:
    """Indices into `history.key_epochs`: at most `most`, evenly spread, the first and last kept."""
    keys = len(history.key_epochs)
    return np.unique(np.linspace(0, keys - 1, min(most, keys)).round().astype(int)).tolist()


def _probability(data: Data, out: np.ndarray, k: int = 1) -> np.ndarray:
    """What the output layer (rows, units) says for class k, (rows,); not clipped to [0, 1].

    One unit is taken for the probability of the class with the highest label.
    """
    if out.shape[1] > 1:
        return out[:, int(data.targets[k])]
    return out[:, 0] if data.targets[k] == max(data.targets) else 1 - out[:, 0]


def _shown_units(model: Model) -> list[tuple[int, int]]:
    """(layer, unit), from 0, of the hidden units that are shown."""
    hidden = model.dense[:-1]
    most = max(1, SHOWN_UNITS // max(1, len(hidden)))
    return [(k, unit) for k, layer in enumerate(hidden) for unit in range(min(layer.units, most))]


def _named_values(
    experiment: Experiment, weights: list[np.ndarray], x: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """(name, values (rows,)) of the output for class 1 and of each shown hidden unit."""
    layers = outputs(experiment.model, weights, x)
    yield PROBABILITY, _probability(experiment.data, layers[-1])
    for layer, unit in _shown_units(experiment.model):
        yield f"layer {layer + 1}, unit {unit + 1}", layers[layer][:, unit]


def response(history: History, run: int, points: int = 200) -> pd.DataFrame:
    """What every unit puts out over the range of the one feature: key, epoch, x, unit, value.

    key: index into `history.key_epochs`; x: raw, over the range of the rows; unit:
    "P(y = 1 | x)" for the output, "layer 1, unit 2" for the hidden units, of which about
    SHOWN_UNITS are covered. At most SHOWN_EPOCHS key epochs.
    """
    data = history.experiment.data
    if data.source.features != 1:
        raise ValueError("a response needs a single feature")
    rows = prepare(data, history.seed, run)
    given = rows.x * rows.scale + rows.offset
    low, high = data.source.span or (float(given.min()), float(given.max()))
    raw = np.linspace(low, high, points)
    x = (raw[:, None] - rows.offset) / rows.scale
    keys = shown_keys(history)
    named = [
        dict(_named_values(history.experiment, history.weights_at(key, run), x)) for key in keys
    ]
    units = list(named[0])
    return pd.DataFrame(
        {
            "key": np.repeat(keys, len(units) * points),
            "epoch": np.repeat(history.key_epochs[keys], len(units) * points),
            "x": np.tile(raw, len(keys) * len(units)),
            "unit": np.tile(np.repeat(units, points), len(keys)),
            "value": np.concatenate([values for each in named for values in each.values()]),
        }
    )


@dataclass(frozen=True)
class Surface:
    """What a network of two features does in the plane, at some key epochs.

    epochs: the key epochs covered; each has a column "epoch_<number>" in the frames.
    output: one row a grid cell: x0, x1 (one edge and the other of feature 1), y0, y1 (of feature
        2), and what the output says for class 1 at the cell's centre, a column an epoch.
    hidden: the same on a coarser grid for each hidden unit shown, with a column unit
        ("layer 1, unit 2").
    samples: the run's training rows, thinned: x, y, label (text).
    label: the label, as text, of class 1.
    """

    epochs: list[int]
    output: pd.DataFrame
    hidden: pd.DataFrame
    samples: pd.DataFrame
    label: str


def surface(history: History, run: int, size: int = 40) -> Surface:
    """The decision surface of a run: size x size cells over its samples and a margin."""
    experiment = history.experiment
    if experiment.data.source.features != 2:
        raise ValueError("a surface needs two features")
    rows = prepare(experiment.data, history.seed, run)
    raw = rows.x * rows.scale + rows.offset
    units = len(_shown_units(experiment.model))
    coarse = int(np.clip(np.sqrt(3_000 / max(1, units)), 8, min(20, size)))
    # A grid can hold what the whole chart may: small ones for many units.
    fine_grid, fine_x = _grid(raw, size)
    coarse_grid, coarse_x = _grid(raw, coarse)
    output: dict[str, np.ndarray] = {}
    hidden: dict[str, dict[str, np.ndarray]] = {}
    keys = shown_keys(history)
    for key in keys:
        weights, column = history.weights_at(key, run), f"epoch_{history.key_epochs[key]}"
        fine = outputs(experiment.model, weights, (fine_x - rows.offset) / rows.scale)[-1]
        output[column] = _probability(experiment.data, fine)
        _, *values = _named_values(experiment, weights, (coarse_x - rows.offset) / rows.scale)
        for unit, value in values:
            hidden.setdefault(unit, {})[column] = value
    per_unit = [coarse_grid.assign(unit=unit, **columns) for unit, columns in hidden.items()]
    return Surface(
        epochs=[int(history.key_epochs[key]) for key in keys],
        output=fine_grid.assign(**output),
        hidden=pd.concat(per_unit, ignore_index=True) if per_unit else pd.DataFrame(),
        samples=_samples(experiment.data, raw, rows.y),
        label=f"{experiment.data.label_values[1]:g}",
    )


def _grid(raw: np.ndarray, size: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Cells x0, x1, y0, y1 over the samples (rows, 2), and the centres (cells, 2)."""
    low, high = raw.min(axis=0), raw.max(axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 0.5)
    edges = np.linspace(low - margin, high + margin, size + 1)
    first, second = (
        index.ravel() for index in np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    )
    cells = pd.DataFrame(
        {
            "x0": edges[first, 0],
            "x1": edges[first + 1, 0],
            "y0": edges[second, 1],
            "y1": edges[second + 1, 1],
        }
    )
    centres = (edges[:-1] + edges[1:]) / 2
    return cells, np.column_stack([centres[first, 0], centres[second, 1]])


def _samples(data: Data, raw: np.ndarray, y: np.ndarray, most: int = 300) -> pd.DataFrame:
    """At most `most` samples, evenly spread over the rows: x, y, label."""
    chosen = np.unique(np.linspace(0, len(raw) - 1, min(most, len(raw))).round().astype(int))
    labels = np.array([f"{value:g}" for value in data.label_values])
    return pd.DataFrame(
        {
            "x": raw[chosen, 0],
            "y": raw[chosen, 1],
            "label": labels[classes(data, y[chosen])],
        }
    )


BINS = 20


def own_class(history: History, run: int) -> pd.DataFrame:
    """How likely the network finds each row's own class: a histogram for every class.

    Returns:
        One row a class and bin: low, high (of the bin), label (text), and the number of the run's
        training rows in it, a column "epoch_<number>" for each of at most SHOWN_EPOCHS key epochs.
        Outputs beyond [0, 1] count in the first and last bin, and those that are no number nowhere.
    """
    experiment, data = history.experiment, history.experiment.data
    rows = prepare(data, history.seed, run)
    labels = classes(data, rows.y)
    edges = np.linspace(0, 1, BINS + 1)
    frames = [
        pd.DataFrame({"low": edges[:-1], "high": edges[1:], "label": f"{value:g}"})
        for value in data.label_values
    ]
    for key in shown_keys(history):
        out = outputs(experiment.model, history.weights_at(key, run), rows.x)[-1]
        for k, frame in enumerate(frames):
            likely = _probability(data, out[labels == k], k)
            likely = np.clip(likely[np.isfinite(likely)], 0, 1)
            frame[f"epoch_{history.key_epochs[key]}"] = np.histogram(likely, edges)[0]
    return pd.concat(frames, ignore_index=True)


def layer_health(history: History, measure: str, success: np.ndarray) -> pd.DataFrame:
    """One of `core.history.Health`'s figures: run, epoch, layer, value, stuck.

    success: bool (runs,). layer is "layer 1", "layer 2", ... and "output".
    """
    values = getattr(history.health, measure)
    epochs, layers, runs = values.shape
    names = [f"layer {k + 1}" for k in range(layers - 1)] + ["output"]
    return pd.DataFrame(
        {
            "run": np.tile(np.arange(runs), epochs * layers),
            "epoch": np.repeat(np.arange(1, epochs + 1), layers * runs),
            "layer": np.tile(np.repeat(names, runs), epochs),
            "value": values.ravel(),
            "stuck": np.tile(~np.asarray(success, bool), epochs * layers),
        }
    )
