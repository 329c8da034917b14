"""What a trained network computes: the outputs of its layers, its predictions and their changes.

Plain NumPy on the weights that a `History` keeps, so that a page needs no TensorFlow to show them.
Units are named as in "layer 1, unit 2", both counted from 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import network
from core.data import Rows
from core.experiment import Data, Experiment, Model
from core.history import History
from core.sources import Source

SHOWN_EPOCHS = 20
"""The most key epochs that a view covers."""
SHOWN_TARGETS = 3
"""The most targets that a view covers."""
SHOWN_CELLS = 4_800
"""The most cells of a surface, over all its targets."""
SHOWN_CLASSES = 8
"""The most classes that a histogram tells apart."""
SHOWN_ROWS = 400
"""The most rows that a view covers."""
SHOWN_SAMPLES = 180
"""The most samples on a surface."""
NO_CLASS = -1
"""The predicted class of a row whose predicted label belongs to no class."""
PROBABILITY = "P(y = 1 | x)"


def outputs(model: Model, weights: list[np.ndarray], x: np.ndarray) -> list[np.ndarray]:
    """The outputs of every dense layer at inference.

    Args:
        model: The network.
        weights: Of one run, in the order of Keras's `get_weights()`.
        x: Scaled inputs, (rows, features).

    Returns:
        One float32 array (rows, units) per dense layer.
    """
    stacked = [array[None] if array.ndim == 2 else array[None, None] for array in weights]
    # Weights that have diverged give infinities and NaN here, as they do in Keras.
    with np.errstate(all="ignore"):
        done = network.forward(model, stacked, np.asarray(x, np.float32)[None])
    return [output[0].astype(np.float32) for output in done.outputs]


def decisions(experiment: Experiment, out: np.ndarray) -> np.ndarray:
    """The class that Keras's "accuracy" predicts from each output.

    One output unit predicts the label 1 above 0.5 and 0 otherwise, several units predict the
    column of the largest output, whatever the labels are.

    Args:
        experiment: Whose labels the classes have.
        out: Outputs of the last layer, (rows, units).

    Returns:
        int (rows,); NO_CLASS where no class has the predicted label.
    """
    data = experiment.data
    if out.shape[1] > 1:
        return _class_of(data, out.argmax(axis=1))
    if data.encoding == "one-hot":
        # One unit is compared with several columns of labels, and no row of them is all 0 or all 1.
        return np.full(len(out), NO_CLASS)
    return _class_of(data, (out[:, 0] > 0.5).astype(int))


def _class_of(data: Data, targets: np.ndarray) -> np.ndarray:
    """The class, int (rows,), that has each of these targets; NO_CLASS where none has it."""
    matches = targets[:, None] == np.asarray(data.targets, np.float32)
    return np.where(matches.any(axis=1), matches.argmax(axis=1), NO_CLASS)


def confusion(experiment: Experiment, weights: list[np.ndarray], rows: Rows) -> pd.DataFrame:
    """The confusion matrix of one run, on the rows on which the final accuracy is measured.

    Args:
        experiment: What was trained.
        weights: Of one run, in the order of Keras's `get_weights()`.
        rows: The data of the run; its held-out rows are used if there are any, and otherwise its
            training rows.

    Returns:
        One row per actual and predicted class, with columns actual, predicted (labels as text, such
        as "0") and count. The class "none" is predicted where no class has the predicted label; it
        is left out if there is no such row.
    """
    x, y = rows.judged
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
    """The class of each row, int (rows,), from the encoded labels `y` (rows, width)."""
    return _class_of(data, y.argmax(axis=1) if y.shape[1] > 1 else y[:, 0])


def shown_keys(history: History, most: int = SHOWN_EPOCHS) -> list[int]:
    """Indices into `history.key_epochs`: at most `most`, evenly spread from first to last."""
    keys = len(history.key_epochs)
    return np.unique(np.linspace(0, keys - 1, min(most, keys)).round().astype(int)).tolist()


def _shown_class(data: Data) -> int:
    """Class 1, or the only one."""
    return min(1, len(data.targets) - 1)


def _probability(data: Data, out: np.ndarray) -> np.ndarray:
    """The output for the shown class, (rows,), from the outputs (rows, units), not clipped."""
    shown = data.targets[_shown_class(data)]
    if out.shape[1] > 1:
        return out[:, int(shown)]
    return out[:, 0] if shown == _label_of_one_unit(data) else 1 - out[:, 0]


def _label_of_one_unit(data: Data) -> float:
    """The label whose probability the output of one unit is taken as: the highest, if not alone."""
    return max(data.targets) if len(data.targets) > 1 else 1.0


def target_names(experiment: Experiment) -> tuple[str, ...]:
    """The names of the continuous targets that are shown; none of a classifier."""
    if experiment.task.name != "regression":
        return ()
    width = experiment.data.target_width
    many = [f"target {k + 1}" for k in range(min(width, SHOWN_TARGETS))]
    return tuple(many) if width > 1 else ("target",)


def predictions(
    experiment: Experiment, weights: list[np.ndarray], rows: Rows, x: np.ndarray
) -> np.ndarray:
    """What a regression predicts of scaled inputs, (rows, targets), in the targets' own unit."""
    out = outputs(experiment.model, weights, x)[-1]
    return rows.in_unit_of_targets(out)


def _answers(experiment: Experiment, rows: Rows, out: np.ndarray) -> dict[str, np.ndarray]:
    """Name and values (rows,) of what is shown of the outputs (rows, units) of the last layer.

    It is the output for class 1, or the prediction of each target that is shown.
    """
    if not (names := target_names(experiment)):
        return {PROBABILITY: _probability(experiment.data, out)}
    return dict(zip(names, rows.in_unit_of_targets(out).T, strict=False))


def response(history: History, run: int, points: int = 200) -> pd.DataFrame:
    """The outputs of the network over the range of the only feature.

    Args:
        history: A training on one feature.
        run: Whose weights are used.
        points: Number of inputs, evenly spaced.

    Returns:
        One row per key epoch (at most SHOWN_EPOCHS), output and input, with columns key (an index
        into `history.key_epochs`), epoch, x (unscaled), output ("P(y = 1 | x)" for a classifier,
        "target" or "target 2" for a prediction) and value.

    Raises:
        ValueError: If there are several features.
    """
    experiment = history.experiment
    if experiment.data.source.features != 1:
        raise ValueError("a response needs a single feature")
    rows = history.rows(run)
    raw = inputs_over(experiment.data.source, rows, points)
    x = (raw[:, None] - rows.offset) / rows.scale
    keys = shown_keys(history)
    answers = [
        _answers(experiment, rows, outputs(experiment.model, history.weights_at(key, run), x)[-1])
        for key in keys
    ]
    names = list(answers[0])
    return pd.DataFrame(
        {
            "key": np.repeat(keys, len(names) * points),
            "epoch": np.repeat(history.key_epochs[keys], len(names) * points),
            "x": np.tile(raw, len(keys) * len(names)),
            "output": np.tile(np.repeat(names, points), len(keys)),
            "value": np.concatenate([values for each in answers for values in each.values()]),
        }
    )


def inputs_over(source: Source, rows: Rows, points: int) -> np.ndarray:
    """Unscaled inputs, (points,), evenly spaced over the range of the only feature."""
    low, high = source.span or (float(end[0]) for end in _ends(rows))
    return np.linspace(low, high, points)


def _ends(rows: Rows, margin: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest unscaled value of each feature, (features,), and some more.

    margin: This share of its range, at either end; where a feature is constant, 0.5 or what its
        rounding takes.
    """
    raw = rows.x * rows.scale + rows.offset
    low, high = raw.min(axis=0), raw.max(axis=0)
    more = np.where(high > low, margin * (high - low), np.maximum(0.5, np.abs(high) / 1e6))
    return low - more, high + more


@dataclass(frozen=True)
class Surface:
    """The outputs of a network over the plane of its two features, at some key epochs.

    Attributes:
        epochs: The key epochs covered; each has a column "epoch_<number>" in `output`.
        output: One row per grid cell, with columns x0 and x1 (the cell's bounds in feature 1), y0
            and y1 (in feature 2), and the output for class 1 at the cell's centre in each epoch;
            of a regression, so many rows for each target, and what is predicted of it, with a
            column target.
        samples: Some of the run's training rows, with columns x, y, label (text), class (its index)
            and for each epoch whether it is predicted; of a regression x, y, target and value.
        label: The label of class 1, as text; empty for a regression.
    """

    epochs: list[int]
    output: pd.DataFrame
    samples: pd.DataFrame
    label: str


def surface(history: History, run: int, size: int = 40) -> Surface:
    """The decision surface of a run, over its training rows and a margin.

    Args:
        history: A training on two features.
        run: Whose weights are used.
        size: Number of cells along each axis.

    Raises:
        ValueError: If there are not two features.
    """
    experiment = history.experiment
    if experiment.data.source.features != 2:
        raise ValueError("a surface needs two features")
    rows = history.rows(run)
    raw = rows.x * rows.scale + rows.offset
    names = target_names(experiment)
    size = min(size, int(np.sqrt(SHOWN_CELLS / max(1, len(names)))))
    grid, centres = cells_over(rows, size)
    x = (centres - rows.offset) / rows.scale
    chosen = evenly(len(raw), SHOWN_SAMPLES)
    found = classes(experiment.data, rows.y[chosen]) if not names else None
    output: dict[str, dict[str, np.ndarray]] = {}
    right: dict[str, np.ndarray] = {}
    keys = shown_keys(history)
    for key in keys:
        weights, column = history.weights_at(key, run), f"epoch_{history.key_epochs[key]}"
        out = outputs(experiment.model, weights, x)[-1]
        for name, value in _answers(experiment, rows, out).items():
            output.setdefault(name, {})[column] = value
        if found is not None:
            out = outputs(experiment.model, weights, rows.x[chosen])[-1]
            right[column] = decisions(experiment, out) == found
    epochs = [int(history.key_epochs[key]) for key in keys]
    if found is None:
        per_target = [grid.assign(target=name, **output[name]) for name in names]
        samples = target_samples(experiment, rows)
        x, y = raw[samples["row"]].T
        samples = samples.assign(x=x, y=y).drop(columns="row")
        return Surface(epochs, pd.concat(per_target, ignore_index=True), samples, "")
    labels = np.array([f"{value:g}" for value in experiment.data.label_values])
    label = str(labels[_shown_class(experiment.data)])
    x, y = raw[chosen].T
    samples = pd.DataFrame({"x": x, "y": y, "label": labels[found], "class": found, **right})
    return Surface(epochs, grid.assign(**output[PROBABILITY]), samples, label)


def cells_over(rows: Rows, size: int) -> tuple[pd.DataFrame, np.ndarray]:
    """A grid over two unscaled features, over the training rows and a margin.

    Args:
        rows: Of a run.
        size: Number of cells along each axis.

    Returns:
        The cells' bounds x0, x1, y0, y1, and their centres (cells, 2); cell i * size + j is the
        i-th in feature 1 and the j-th in feature 2.
    """
    edges = np.linspace(*_ends(rows, margin=0.08), size + 1)
    first, second = (index.ravel() for index in np.indices((size, size)))
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


def target_samples(experiment: Experiment, rows: Rows) -> pd.DataFrame:
    """At most SHOWN_ROWS training rows, evenly spread: row (its index), target and value."""
    chosen = evenly(len(rows.x), SHOWN_ROWS)
    values = rows.in_unit_of_targets(rows.y[chosen])
    frames = [
        pd.DataFrame({"row": chosen, "target": name, "value": values[:, k]})
        for k, name in enumerate(target_names(experiment))
    ]
    return pd.concat(frames, ignore_index=True)


def evenly(count: int, most: int) -> np.ndarray:
    """At most `most` indices below `count`, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(int))


BINS = 20
"""Of the histograms of `own_class`."""


def own_class(history: History, run: int) -> pd.DataFrame:
    """A histogram, for every class, of the network's outputs for the class of each row.

    With several labels a row, it is of the outputs for what each label is, 0 or 1.

    Args:
        history: A training on any number of features.
        run: Whose weights and training rows are used.

    Returns:
        One row per class (or for all of more than SHOWN_CLASSES) and bin, with columns low and
        high (the bin's bounds), label (text) and,
        for each of at most SHOWN_EPOCHS key epochs, "epoch_<number>" (the number of training rows
        in the bin). Outputs outside [0, 1] count in the first or last bin; those that are not
        finite are left out.
    """
    experiment, data = history.experiment, history.experiment.data
    rows = history.rows(run)
    labels = rows.y.astype(int) if data.source.label_columns else classes(data, rows.y)
    groups = [(f"{value:g}", labels == k) for k, value in enumerate(data.label_values)]
    if len(groups) > SHOWN_CLASSES:
        groups = [("all classes", labels >= 0)]
    edges = np.linspace(0, 1, BINS + 1)
    frames = [
        pd.DataFrame({"low": edges[:-1], "high": edges[1:], "label": name}) for name, _ in groups
    ]
    for key in shown_keys(history):
        out = outputs(experiment.model, history.weights_at(key, run), rows.x)[-1]
        own = _own_probability(data, out, labels)
        for frame, (_, chosen) in zip(frames, groups, strict=True):
            probability = own[chosen]
            probability = np.clip(probability[np.isfinite(probability)], 0, 1)
            frame[f"epoch_{history.key_epochs[key]}"] = np.histogram(probability, edges)[0]
    return pd.concat(frames, ignore_index=True)


def _own_probability(data: Data, out: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The output for the class of each row, or for each label of a row, in the shape of `labels`.

    Args:
        data: Whose classes.
        out: Outputs (rows, units).
        labels: Class of each row, int (rows,), or 0 or 1 for each of its labels, (rows, labels).
    """
    if data.source.label_columns:
        return np.where(labels == 1, out, 1 - out)
    if out.shape[1] > 1:
        return out[np.arange(len(out)), np.asarray(data.targets, int)[labels]]
    target = np.asarray(data.targets)[labels]
    return np.where(target == _label_of_one_unit(data), out[:, 0], 1 - out[:, 0])


def layer_health(history: History, measure: str, success: np.ndarray) -> pd.DataFrame:
    """One figure of the layers' health as a table.

    Args:
        history: A training with `health`.
        measure: The name of a field of `core.history.Health`.
        success: bool (runs,), whether each run succeeded.

    Returns:
        One row per epoch, layer and run, with columns run, epoch, layer ("layer 1", "layer 2", ...,
        "output"), value and stuck (whether the run failed).
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
