"""The line of a script that a change of its experiment concerns."""

from __future__ import annotations

from dataclasses import fields

from core.experiment import Dense, Experiment, InvalidExperiment, Training
from core.fixes import Fix
from core.script.reading import Reading

OF_COMPILE = ("loss", "from_logits", "label_smoothing", "metrics")
"""The settings of the training that `compile` takes; `fit` takes the others."""


def line_of(reading: Reading, fixes: tuple[Fix, ...], layer: int | None = None) -> int:
    """The line of the paste that a finding is about: the first one that its first fix edits.

    Args:
        reading: With an experiment.
        fixes: Of the finding, the best first.
        layer: Index of the dense layer concerned, which decides where no fix does.

    Returns:
        Its number from 1; 0 for none.
    """
    assert reading.experiment is not None, "only what was read has lines"
    for fix in fixes:
        try:
            after = fix.apply(reading.experiment)
        except InvalidExperiment:
            continue
        if line := _changed(reading, reading.experiment, after):
            return line
    if layer is not None:
        dense = [
            n for n, each in enumerate(reading.experiment.model.layers) if isinstance(each, Dense)
        ]
        return _of_layer(reading, dense[layer]) if layer < len(dense) else 0
    return 0


def _changed(reading: Reading, before: Experiment, after: Experiment) -> int:
    """The line of the first difference: of the layers, then of the training, then of the data."""
    old, new = before.model.layers, after.model.layers
    if old != new:
        index = next(
            (n for n, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0
        )
        return _of_layer(reading, min(index, len(old) - 1))
    numbers = reading.numbers
    for each in fields(Training):
        if getattr(before.training, each.name) == getattr(after.training, each.name):
            continue
        if each.name == "optimizer":
            return numbers.get("optimizer") or numbers.get("compile", 0)
        return numbers.get("compile" if each.name in OF_COMPILE else "fit", 0)
    if before.data.shuffling != after.data.shuffling and "shuffle" in numbers:
        return numbers["shuffle"]
    return numbers.get("fit", 0) if before.data != after.data else 0


def _of_layer(reading: Reading, index: int) -> int:
    """The line of a layer of the experiment."""
    trained = [each.line for each in reading.outline if each.trainable]
    return trained[index] if index < len(trained) else 0
