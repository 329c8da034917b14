"""An experiment in the making: its parts, each right by itself, which need not fit each other yet.

Who changes a network step by step passes through combinations that cannot be trained; a draft holds
them, and `Draft.experiment` says what does not fit. A path names a value inside it:
("training", "optimizer", "learning_rate"), ("model", "layers", 0, "units").
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple

from core.experiment import Data, Experiment, Model, Training, plain, restored
from core.sources import Source

Path = tuple[str | int, ...]


class Draft(NamedTuple):
    """Data, model and training."""

    data: Data
    model: Model
    training: Training

    @classmethod
    def of(cls, experiment: Experiment) -> Draft:
        return cls(experiment.data, experiment.model, experiment.training)

    def experiment(self) -> Experiment:
        """The whole. Raises InvalidExperiment where the parts do not fit each other."""
        return Experiment(*self)

    def to_json(self) -> str:
        return plain(tuple(self))

    @classmethod
    def from_json(cls, text: str) -> Draft:
        """Read what `to_json` wrote. Raises InvalidExperiment."""
        return cls(*restored(text))

    def value(self, path: Path) -> Any:
        """What stands at a path."""
        value: Any = self
        for step in path:
            value = value[step] if isinstance(step, int) else getattr(value, step)
        return value

    def put(self, path: Path, value: Any) -> Draft:
        """The same with another value at a path.

        Where the number of classes changes, each new class gets a label of its own.

        Raises:
            InvalidExperiment: where the value is not allowed there.
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
        labels.append(max(labels) + 1)
    return replace(data, source=source, label_values=tuple(labels))


def converted(value: Any, kind: type) -> Any:
    """A value of another class, with the fields that both have as they were."""
    shared = {each.name for each in fields(kind)} & {each.name for each in fields(value)}
    return kind(**{name: getattr(value, name) for name in shared})


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    """The plain values in nested dataclasses by their path; layers are counted from the output."""
    if is_dataclass(value):
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
