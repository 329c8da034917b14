"""A network as a picture: its units with what they put out, its weights and its gradients.

The figures of one run at the key epochs of its training, for the units that are shown. Figures by
epoch are in columns with the epoch's number, such as "weight_10".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from core import network
from core.activations import Activation
from core.data import Rows
from core.diagnosis.thresholds import VANISHING
from core.experiment import Experiment, Model
from core.history import History
from core.inspection import cells_over, evenly, inputs_over, shown_keys
from core.streams import generator

MOST_UNITS, FEWEST_UNITS, MOST_SHOWN = 16, 4, 96
"""Units of a layer that are shown; fewer where they would be more than MOST_SHOWN in all."""
MOST_EDGES = 800
"""The most weights that are shown, those that are largest within their layer."""
MOST_CELLS = 3_200
"""The most cells of all surfaces."""
POINTS, BINS, MOST_SIDE = 32, 12, 14
"""Points of a line, bars of a histogram, and the most cells along an axis of a surface."""
STRIP = 64
"""The most cells of a strip of activity."""
WORK, OUTPUTS = 1e9, 8e6
"""The most multiplications, and outputs of one layer, that are computed over all epochs."""
FEWEST_ROWS, MOST_ROWS = 64, 2_000
"""Rows that the outputs are computed of, as WORK and OUTPUTS allow."""
LINE, SURFACE, HISTOGRAM = "line", "surface", "histogram"


@dataclass(frozen=True)
class Diagram:
    """The figures of one run's network at some key epochs.

    Attributes:
        run: Its number.
        epochs: The key epochs.
        kind: What the picture of a unit is: its output over the only input (LINE) or over the two
            inputs (SURFACE), or how often it puts out what (HISTOGRAM).
        side: Points of a line, cells along each axis of a surface, or bars of a histogram.
        rows: Number of training rows, evenly spread, that the figures of the units are of.
        of_rows: Number of training rows.
        layers: One row for the inputs and for each dense layer, with columns layer (0 for the
            inputs), name, units, shown, activation (a label; empty for the inputs), middle (of the
            activation's range; 0 without one), and by epoch
            gradient (the norm of the kernel's gradient during the epoch, or during the first one
            for epoch 0; NaN for the inputs and where it was not measured) and lost (whether it is
            0 or less than VANISHING of the output layer's).
        units: One row per unit shown, with columns layer, place (among those shown, from 0), unit
            (its number, from 1), name, and by epoch low and high (the range of its outputs), bias
            (NaN without one), dead (its output is 0 for every row), saturated (its output is near a
            bound of the activation for every row) and lost (dead, or of a layer that is lost).
        edges: One row per weight shown, with columns layer, source and target (places in the layer
            before and in the layer), and by epoch weight.
        pictures: One row per unit shown and point, cell or bar, with columns layer, place, i, j
            (indices along the axes) and by epoch value: the output, or the share of the rows.
        strips: For each layer of which not all units are shown, one row per unit or several units
            in succession, with columns layer, cell, first and last (their numbers), and by epoch
            spread: the standard deviation of the output over the rows, a mean over these units.
    """

    run: int
    epochs: list[int]
    kind: str
    side: int
    rows: int
    of_rows: int
    layers: pd.DataFrame
    units: pd.DataFrame
    edges: pd.DataFrame
    pictures: pd.DataFrame
    strips: pd.DataFrame


def diagram(history: History, run: int) -> Diagram:
    """The figures of one run's network.

    Args:
        history: A training on any number of features.
        run: Whose weights and training rows are used.
    """
    model, features = history.experiment.model, history.experiment.data.source.features
    widths = [features, *(layer.units for layer in model.dense)]
    keys, many = _affordable(history, widths)
    epochs = [int(history.key_epochs[key]) for key in keys]
    rows = history.rows(run)
    weights = [array[keys, ..., run] for array in history.weights]
    weights = [array if array.ndim == 3 else array[:, None] for array in weights]

    def outputs(x: np.ndarray) -> list[np.ndarray]:
        """Inputs and outputs of every dense layer, (epochs, rows, units) each."""
        with np.errstate(all="ignore"):  # weights that have diverged give infinities and NaN
            done = network.forward(model, weights, x[None])
        every = [x[None], *done.outputs]
        return [np.broadcast_to(each, (len(keys), *each.shape[1:])) for each in every]

    chosen = evenly(len(rows.x), many)
    of_rows = outputs(rows.x[chosen])
    limit = max(FEWEST_UNITS, min(MOST_UNITS, MOST_SHOWN // len(widths)))
    shown = [evenly(width, limit) for width in widths]
    layers, lost = _layers(history, run, epochs, widths, shown)
    kind, side, values = _pictures(history, rows, of_rows, shown, outputs)
    return Diagram(
        run=run,
        epochs=epochs,
        kind=kind,
        side=side,
        rows=len(chosen),
        of_rows=len(rows.x),
        layers=layers,
        units=_units(model, epochs, weights, of_rows, shown, lost),
        edges=_edges(model, epochs, weights, shown),
        pictures=_frame(epochs, values, side),
        strips=_strips(epochs, of_rows, shown),
    )


def before_training(experiment: Experiment, seed: int = 0) -> Diagram:
    """The figures of a network with initial weights, as run 0 of this seed may draw them."""
    rng = generator(seed)
    drawn = network.draw_weights(experiment.model, experiment.data.source.features, 1, rng)
    none, unknown = np.zeros((0, 1), np.float32), np.full(1, np.nan, np.float32)
    history = History(
        experiment,
        seed,
        *(none, none, none, none, None, None, None),
        final_loss=unknown,
        final_score=unknown,
        key_epochs=np.array([0]),
        weights=tuple(np.moveaxis(array, 0, -1)[None] for array in drawn),
        cancelled=False,
        seconds=0.0,
        compile_seconds=0.0,
    )
    return diagram(history, 0)


def _affordable(history: History, widths: list[int]) -> tuple[list[int], int]:
    """The key epochs and the number of rows that are within WORK and OUTPUTS."""
    weights = sum(before * units for before, units in pairwise(widths))
    keys = shown_keys(history)
    keys = shown_keys(history, max(2, min(len(keys), int(WORK / (FEWEST_ROWS * weights)))))
    many = min(WORK / (len(keys) * weights), OUTPUTS / (len(keys) * max(widths)))
    return keys, int(np.clip(many, FEWEST_ROWS, MOST_ROWS))


def _by_epoch(name: str, epochs: list[int], values: np.ndarray) -> dict[str, np.ndarray]:
    """Columns of the figure `name`, from values (epochs, rows)."""
    return {f"{name}_{epoch}": values[n] for n, epoch in enumerate(epochs)}


def _layers(
    history: History, run: int, epochs: list[int], widths: list[int], shown: list[np.ndarray]
) -> tuple[pd.DataFrame, np.ndarray]:
    """The table of the layers, and whether each is lost, bool (epochs, layers)."""
    names = ["inputs", *(f"layer {n}" for n in range(1, len(widths) - 1)), "output"]
    norms = np.full((len(epochs), len(widths)), np.nan, np.float32)
    lost = np.zeros(norms.shape, bool)
    if history.health is not None:
        measured = np.clip(epochs, 1, history.ends[run]) - 1
        norms[:, 1:] = history.health.gradient_norm[measured, :, run]
        with np.errstate(invalid="ignore"):
            lost[:, 1:] = ~(norms[:, 1:] > VANISHING * norms[:, -1:])
    activations = history.experiment.model.activations
    table = {
        "layer": np.arange(len(widths)),
        "name": names,
        "units": widths,
        "shown": [len(units) for units in shown],
        "activation": ["", *(each.label for each in activations)],
        "middle": [0.0, *(_middle(each) for each in activations)],
    }
    table |= _by_epoch("gradient", epochs, norms) | _by_epoch("lost", epochs, lost)
    return pd.DataFrame(table), lost


def _middle(activation: Activation) -> float:
    middle = (activation.low + activation.high) / 2
    return middle if np.isfinite(middle) else 0.0


def _units(
    model: Model,
    epochs: list[int],
    weights: list[np.ndarray],
    of_rows: list[np.ndarray],
    shown: list[np.ndarray],
    lost: np.ndarray,
) -> pd.DataFrame:
    slots, frames = network.kernel_slots(model), []
    for layer, (outputs, units) in enumerate(zip(of_rows, shown, strict=True)):
        low, high = outputs.min(axis=1)[:, units], outputs.max(axis=1)[:, units]
        bias = np.full(low.shape, np.nan, np.float32)
        dead, saturated = np.zeros(low.shape, bool), np.zeros(low.shape, bool)
        if layer:
            dead = (low == 0) & (high == 0)
            saturated = _saturated(model.activations[layer - 1], outputs[..., units])
            if model.dense[layer - 1].use_bias:
                bias = weights[slots[layer - 1] + 1][:, 0, units]
        figures = {"low": low, "high": high, "bias": bias, "dead": dead, "saturated": saturated}
        figures["lost"] = dead | lost[:, layer, None]
        columns = {"layer": layer, "place": np.arange(len(units)), "unit": units + 1}
        columns["name"] = [_name(layer, unit + 1, of_rows) for unit in units]
        for name, values in figures.items():
            columns |= _by_epoch(name, epochs, values)
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def _saturated(activation: Activation, outputs: np.ndarray) -> np.ndarray:
    """Whether each unit is near a bound for every row, as `core.history.Health` counts them."""
    least, most = activation.unsaturated
    return ~((outputs > least) & (outputs < most)).any(axis=1) & np.isfinite(outputs).all(axis=1)


def _name(layer: int, unit: int, of_rows: list[np.ndarray]) -> str:
    units = of_rows[layer].shape[-1]
    if layer == 0:
        return "x" if units == 1 else f"feature {unit}"
    if layer == len(of_rows) - 1:
        return "output" if units == 1 else f"output {unit}"
    return f"layer {layer}, unit {unit}"


def _edges(
    model: Model, epochs: list[int], weights: list[np.ndarray], shown: list[np.ndarray]
) -> pd.DataFrame:
    frames, sizes = [], []
    for layer, slot in enumerate(network.kernel_slots(model), 1):
        kernel = weights[slot][:, shown[layer - 1]][:, :, shown[layer]]
        source, target = (index.ravel() for index in np.indices(kernel.shape[1:]))
        values = kernel.reshape(len(epochs), -1)
        columns = {"layer": layer, "source": source, "target": target}
        frames.append(pd.DataFrame(columns | _by_epoch("weight", epochs, values)))
        size = np.nan_to_num(np.abs(values)).max(axis=0)
        sizes.append(size / max(size.max(), np.finfo(np.float32).tiny))
    strongest = np.sort(np.argsort(-np.concatenate(sizes), kind="stable")[:MOST_EDGES])
    return pd.concat(frames, ignore_index=True).iloc[strongest].reset_index(drop=True)


def _pictures(
    history: History,
    rows: Rows,
    of_rows: list[np.ndarray],
    shown: list[np.ndarray],
    outputs: Callable[[np.ndarray], list[np.ndarray]],
) -> tuple[str, int, list[np.ndarray]]:
    """The kind of the pictures, their side, and for each layer (epochs, units, side or side²)."""
    source = history.experiment.data.source
    if source.features > 2:
        return HISTOGRAM, BINS, _histograms(history.experiment.model, of_rows, shown)
    if source.features == 1:
        kind, side, raw = LINE, POINTS, inputs_over(source, rows, POINTS)[:, None]
    else:
        kind = SURFACE
        side = int(np.sqrt(MOST_CELLS / sum(len(units) for units in shown)))
        side = min(side, MOST_SIDE)
        raw = cells_over(rows, side)[1]
    drawn = outputs(((raw - rows.offset) / rows.scale).astype(np.float32))
    return (
        kind,
        side,
        [each[..., units].swapaxes(1, 2) for each, units in zip(drawn, shown, strict=True)],
    )


def _histograms(
    model: Model, of_rows: list[np.ndarray], shown: list[np.ndarray]
) -> list[np.ndarray]:
    """The share of the rows in each of BINS bins, (epochs, units, bins) for each layer.

    The bins of a unit cover the range of its activation, or else its outputs at all epochs.
    """
    bounds = [(-np.inf, np.inf), *((each.low, each.high) for each in model.activations)]
    shares = []
    for outputs, units, (least, most) in zip(of_rows, shown, bounds, strict=True):
        values = outputs[..., units].swapaxes(1, 2)
        known = np.isfinite(values)
        low = np.where(known, values, np.inf).min(axis=(0, 2))
        high = np.where(known, values, -np.inf).max(axis=(0, 2))
        if np.isfinite(least) and np.isfinite(most):
            low, high = np.full_like(low, least), np.full_like(high, most)
        with np.errstate(all="ignore"):
            wide = np.where(high > low, high - low, 1)[:, None]
            bins = (values.astype(float) - low[:, None]) / wide * BINS
        bins = np.clip(np.where(known, bins, 0), 0, BINS - 1).astype(int)
        epochs, several, rows = values.shape
        flat = bins + BINS * np.arange(epochs * several).reshape(epochs, several, 1)
        counts = np.bincount(flat[known], minlength=epochs * several * BINS)
        shares.append((counts.reshape(epochs, several, BINS) / rows).astype(np.float32))
    return shares


def _frame(epochs: list[int], values: list[np.ndarray], side: int) -> pd.DataFrame:
    """The table of the pictures, from the values (epochs, units, side or side²) of each layer."""
    frames = []
    for layer, each in enumerate(values):
        _, units, many = each.shape
        place, cell = (index.ravel() for index in np.indices((units, many)))
        i, j = (cell, 0) if many == side else (cell // side, cell % side)
        columns = {"layer": layer, "place": place, "i": i, "j": j}
        frames.append(
            pd.DataFrame(columns | _by_epoch("value", epochs, each.reshape(len(epochs), -1)))
        )
    return pd.concat(frames, ignore_index=True)


def _strips(epochs: list[int], of_rows: list[np.ndarray], shown: list[np.ndarray]) -> pd.DataFrame:
    frames = []
    for layer, (outputs, units) in enumerate(zip(of_rows, shown, strict=True)):
        many = outputs.shape[-1]
        if many == len(units):
            continue
        with np.errstate(all="ignore"):
            spread = outputs.std(axis=1)
        parts = np.array_split(np.arange(many), min(many, STRIP))
        values = np.stack([spread[:, part].mean(axis=1) for part in parts], axis=1)
        columns = {"layer": layer, "cell": np.arange(len(parts))}
        columns |= {"first": [part[0] + 1 for part in parts]}
        columns |= {"last": [part[-1] + 1 for part in parts]}
        frames.append(pd.DataFrame(columns | _by_epoch("spread", epochs, values)))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
