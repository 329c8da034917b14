"""An experiment while it is edited: each part is valid, but the parts need not fit each other.

Changing a network step by step leads through combinations that cannot be trained. A draft can hold
them, and `Draft.experiment` raises an error that says what does not fit. A path names a value in a
draft: ("training", "optimizer", "learning_rate"), ("model", "layers", 0, "units").
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from core.experiment import Data, Experiment, Model, Training, plain, restored, task_of
from core.sources import Source
from core.tasks import Task

Path = tuple[str | int, ...]


class Draft(NamedTuple):
    """The data, model and training settings of an experiment, which need not fit each other."""

    data: Data
    model: Model
    training: Training

    @classmethod
    def of(cls, experiment: Experiment) -> Draft:
        """The draft of an experiment."""
        return cls(experiment.data, experiment.model, experiment.training)

    @property
    def task(self) -> Task:
        """What the network is to do, whether or not the parts fit each other."""
        return task_of(self.data, self.training)

    def experiment(self) -> Experiment:
        """The experiment with these parts.

        Raises:
            InvalidExperiment: If the parts do not fit each other.
        """
        return Experiment(*self)

    def to_json(self) -> str:
        """The parts as JSON, for `from_json`."""
        return plain(tuple(self))

    @classmethod
    def from_json(cls, text: str) -> Draft:
        """The draft that `to_json` wrote.

        Raises:
            InvalidExperiment: If the text is anything else.
        """
        return cls(*restored(text))

    def value(self, path: Path) -> Any:
        """The value at a path."""
        value: Any = self
        for step in path:
            value = value[step] if isinstance(step, int) else getattr(value, step)
        return value

    def put(self, path: Path, value: Any) -> Draft:
        """A draft with another value at a path.

        If the number of classes grows, each new class gets the highest label plus 1.

        Raises:
            InvalidExperiment: If the value is not allowed at this path.
        """
        if path[:2] == ("data", "source"):
            return self._replace(
                data=_with_source(self.data, _put(self.data.source, path[2:], value))
            )
        step, *rest = path
        return self._replace(**{str(step): _put(getattr(self, str(step)), tuple(rest), value)})


def _put(owner: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        items = list(owner)
        items[step] = _put(items[step], tuple(rest), value)
        return tuple(items)
    return replace(owner, **{step: _put(getattr(owner, step), tuple(rest), value)})


def _with_source(data: Data, source: Source) -> Data:
    labels = list(data.label_values[: source.classes])
    while len(labels) < source.classes:
        labels.append(max(labels, default=-1.0) + 1)
    return replace(data, source=source, label_values=tuple(labels))


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    """The values in nested dataclasses by dotted path; items of tuples are counted from the end.

    What holds arrays, such as a table, is one value.
    """
    if is_dataclass(value) and not any(
        isinstance(getattr(value, each.name), np.ndarray) for each in fields(value)
    ):
        parts: list[tuple[Any, Any]] = [(f.name, getattr(value, f.name)) for f in fields(value)]
        parts.append(("kind", type(value).__name__))
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        parts = list(zip(range(-len(value), 0), value, strict=True))
    else:
        return {name: value}
    collected: dict[str, Any] = {}
    for part, inner in parts:
        collected |= leaves(inner, f"{name}.{part}")
    return collected
