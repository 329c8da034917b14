"""A reading in words: its rows, and what is known of a training that has open questions."""

from __future__ import annotations

import numpy as np

from core.experiment import Data
from core.script.result import Reading

MOST_CLASSES = 6
"""Classes whose shares are listed."""


def rows_in_words(data: Data) -> str:
    """The rows of an experiment: how many, of how many inputs, and the share of each class."""
    source = data.source
    text = f"{source.rows:,} rows with {source.features:,} inputs"
    if not source.classes or data.continuous:
        return f"{text} and a continuous target"
    if source.label_columns:
        return f"{text} and {source.label_columns} labels of yes or no"
    labels = getattr(source, "labels", None)
    shares = np.full(source.classes, 1 / source.classes)
    if labels is not None:
        shares = np.bincount(labels, minlength=source.classes) / len(labels)
    if np.ptp(shares) < 0.005:
        return f"{text} in {source.classes} classes of equal size"
    if source.classes > MOST_CLASSES:
        low, high = shares.min(), shares.max()
        return (
            f"{text} in {source.classes} classes, the smallest {low:.1%} and the largest {high:.0%}"
        )
    values = [
        f"{value:g}: {share:.0%}" for value, share in zip(data.label_values, shares, strict=True)
    ]
    return f"{text} in {source.classes} classes ({', '.join(values)})"


def known_in_words(reading: Reading) -> list[str]:
    """What is known of a script of which something has to be asked, one line a part."""
    said = []
    layers = [layer.text for layer in reading.outline]
    if layers:
        said.append(f"Layers: {', '.join(layers)}")
    known = reading.known
    if "loss" in known:
        said.append(f"Loss: {known['loss'].replace('_', ' ')}")
    if optimizer := known.get("optimizer"):
        said.append(f"Optimizer: {optimizer.label} with learning rate {optimizer.learning_rate:g}")
    said += [f"Epochs: {known['epochs']:,}"] if "epochs" in known else []
    said += [f"Batch size: {known['batch_size']:,}"] if "batch_size" in known else []
    if reading.data is not None:
        said.append(f"Rows: {rows_in_words(reading.data)}")
    return said
