"""Rows in place of those that a script reads and that are not here, and a label column's choice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from core.experiment import Blobs, Data, Table
from core.losses import LOSSES
from core.streams import generator
from core.table import MOST_COLUMNS

ROWS, FEATURES, CLASSES = 1_000, 8, 2
"""What is proposed where a script says nothing."""
MOST_DRAWN, MOST_NUMBERS = 100, 4_000_000
"""Inputs of clusters that are drawn anew in every run; numbers of a table."""
OVERLAP, MAGNITUDE = 0.5, 1.0
EQUAL = "equal"
"""The shares of the classes, unless they are given."""
LIKELY = re.compile(
    r"(?i)^(outcome|target|label|labels|class|y|species|diagnosis|survived|output)$"
)
"""Names that a column of labels often has."""
MOST_VALUES = 50
"""Different texts of a column that becomes columns of 0 and 1."""


def numbers(
    answers: Mapping[str, Any], features: int | None, classes: int | None, rows: int | None = None
) -> dict[str, Any]:
    """The settings of a stand-in: what is answered, or else inferred, or else usual."""
    usual: dict[str, Any] = {
        "rows": rows or ROWS,
        "features": features or FEATURES,
        "classes": classes or CLASSES,
        "overlap": OVERLAP,
        "magnitude": MAGNITUDE,
        "shares": EQUAL,
    }
    return {key: type(value)(answers.get(key, value)) for key, value in usual.items()}


SCALINGS = {"StandardScaler": "standardise", "MinMaxScaler": "min-max"}
"""scikit-learn's scalers that `Data` has as well."""


def stand_in(
    settings: Mapping[str, Any],
    units: int,
    loss: str | None,
    done: tuple[str, ...] = (),
    *,
    quantity: bool = False,
    centred: bool = False,
) -> tuple[Data, str]:
    """Clusters of points with these settings, and what they are in words.

    Args:
        settings: As `numbers` gives them.
        units: Of the output layer.
        loss: A key of the losses, if it is known.
        done: The scalers that the script applies to its own rows.
        quantity: Whether a smooth target takes the place of clusters.
        centred: Whether the clusters lie around 0, as what layers give may.
    """
    entry = LOSSES.get(loss or "")
    rows, features, classes = (int(settings[key]) for key in ("rows", "features", "classes"))
    high = float(settings["magnitude"])
    if quantity:
        data = _quantity(rows, features, high, units)
        return data, f"{rows:,} rows with {_inputs(features)} at random and a smooth target"
    shares = shares_of(settings.get("shares", EQUAL), classes)
    low = -high / 2 if centred else 0.0
    step = high / classes
    bounds = tuple((low + step * k, low + step * (k + 1)) for k in range(classes))
    source = Blobs(
        bounds=bounds,
        samples=max(int(rows * max(shares)), 2),
        features=min(features, MOST_DRAWN),
        overlap=float(settings["overlap"]),
    )
    one_hot = units == classes > 1 and not (entry is not None and entry.class_numbers)
    values = tuple(float(k) for k in range(classes))
    data = Data(
        source=source,
        scaling=next((SCALINGS[name] for name in done if name in SCALINGS), "none"),
        label_values=values,
        encoding="one-hot" if one_hot else "as-is",
    )
    words = f"{rows:,} rows of {classes} clusters in {_inputs(features)}"
    unequal = len(set(shares)) > 1
    if unequal:
        words = f"{words}, {', '.join(f'{share:.0%}' for share in shares)} of them in each"
    if unequal or features > MOST_DRAWN:
        counts = [max(round(rows * share), 2) for share in shares]
        table = _clusters(source.clusters, counts, min(features, MOST_COLUMNS))
        data = replace(data, source=table, shuffling="none")
    return data, words


def _inputs(features: int) -> str:
    """So many inputs, in words."""
    if features <= MOST_COLUMNS:
        return f"{features:,} inputs"
    return f"{MOST_COLUMNS:,} inputs, of {features:,}"


def shares_of(text: str, classes: int) -> tuple[float, ...]:
    """The share of each class in a text such as "0.9, 0.1"; the numbers are made to sum to 1.

    Raises:
        ValueError: If it is neither EQUAL nor one number above 0 for each class.
    """
    if str(text).strip().lower() == EQUAL:
        return (1 / classes,) * classes
    try:
        parts = [float(part.strip().rstrip("%")) for part in str(text).split(",")]
    except ValueError:
        parts = []
    if len(parts) != classes or not all(0 < part < np.inf for part in parts):
        raise ValueError(f"the shares should be {classes} numbers, such as 0.9, 0.1")
    return tuple(part / sum(parts) for part in parts)


def _clusters(bounds: Any, counts: list[int], features: int) -> Table:
    """So many rows of each class, uniform between its bounds.

    Raises:
        ValueError: If they are too many.
    """
    if sum(counts) * features > MOST_NUMBERS:
        raise ValueError(f"{sum(counts):,} rows of {features:,} inputs are too many")
    rng = generator(0)
    parts = [
        rng.uniform(low, high, (count, features))
        for (low, high), count in zip(bounds, counts, strict=True)
    ]
    return Table(np.concatenate(parts), labels=np.repeat(np.arange(len(counts)), counts))


def _quantity(rows: int, features: int, high: float, units: int) -> Data:
    features = min(features, MOST_COLUMNS)
    if rows * features > MOST_NUMBERS:
        raise ValueError(f"{rows:,} rows of {features:,} inputs are too many")
    rng = generator(0)
    inputs = rng.uniform(0, high, (rows, features))
    weights = rng.normal(0, 1, (features, units))
    targets = np.sin(inputs / high * 3) @ weights
    return Data(source=Table(inputs, targets=targets), shuffling="none")


def features_of(labels: np.ndarray, settings: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Features around 0 that the labels follow from, as a network may give them.

    Args:
        labels: Numbers, (rows,) or (rows, columns).
        settings: As `numbers` gives them.

    Returns:
        The features, (rows, features), and the labels, of the first rows if they are too many.

    Raises:
        ValueError: If the labels are no rows of numbers.
    """
    features = min(int(settings["features"]), MOST_COLUMNS)
    labels = labels[: MOST_NUMBERS // features]
    if labels.dtype.kind not in "iufb" or labels.ndim > 2 or len(labels) < 2:
        raise ValueError("the labels are no rows of numbers")
    codes = labels.reshape(len(labels), -1).astype(float)
    values = np.unique(codes)
    if codes.shape[1] == 1 and len(values) <= MOST_VALUES:
        codes = (codes == values).astype(float)
    rng = generator(0)
    overlap, high = float(settings["overlap"]), float(settings["magnitude"])
    signal = codes - codes.mean(axis=0)
    signal = signal @ rng.normal(size=(codes.shape[1], features))
    signal /= max(float(signal.std()), 1e-12)
    made = (1 - overlap) * signal + overlap * rng.normal(size=signal.shape)
    return high / 2 * made, labels


def label_of(table: pd.DataFrame) -> str:
    """The column that is most likely the label: by its name, or else the last."""
    names = [str(name) for name in table.columns]
    return next((name for name in names if LIKELY.match(name.strip())), names[-1])


def columns(table: pd.DataFrame, label: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Inputs and labels of a table, and what was done to it.

    Rows with missing values are left out; texts of few different values become columns of 0 and 1,
    other texts are left out. Labels that are texts are numbered in sorted order.

    Raises:
        ValueError: If there is no such column, or nothing is left.
    """
    table = table.copy()
    table.columns = [str(name) for name in table.columns]
    if label not in table.columns:
        raise ValueError(f"the table has no column {label!r}")
    said = []
    complete = table.dropna()
    if len(complete) < len(table):
        said.append(f"{len(table) - len(complete):,} rows with missing values are left out")
    target = complete.pop(label)
    texts = [name for name in complete if not pd.api.types.is_numeric_dtype(complete[name])]
    many = [name for name in texts if complete[name].nunique() > MOST_VALUES]
    if many:
        said.append(f"texts with many values are left out: {', '.join(many)}")
    few = [name for name in texts if name not in many]
    if few:
        said.append(f"texts become columns of 0 and 1: {', '.join(few)}")
    inputs = pd.get_dummies(complete.drop(columns=many), columns=few).astype(float).to_numpy()
    if not inputs.size:
        raise ValueError("no row of the table has all its values")
    if pd.api.types.is_numeric_dtype(target):
        return inputs, target.to_numpy(float), said
    codes, values = pd.factorize(target, sort=True)
    said.append(f"labels are numbered: {', '.join(str(v) for v in values[:8])}")
    return inputs, codes.astype(float), said
