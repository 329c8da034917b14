"""What is trained: data, model and training as frozen values, checked when they are made.

An `Experiment` holds everything that decides a run except its seed. Two experiments with the
same values are equal, hash alike, and survive `Experiment.from_json(experiment.to_json())`.
To change one, make another with `dataclasses.replace`. What can be chosen is an entry elsewhere:
a source of rows in `core.sources`, a layer in `core.layers`, an optimizer in `core.optimizers`.
"""

from __future__ import annotations

import hashlib
import json
from collections import ChainMap
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from core.fields import (
    Bool,
    Checked,
    Choice,
    Float,
    Instance,
    Int,
    InvalidExperiment,
    Numbers,
    Optional,
    field,
)
from core.layers import LAYERS, BatchNormalisation, Dense, Dropout, Layer
from core.losses import LOSSES, loss
from core.optimizers import OPTIMIZERS, SGD, Adam, Optimizer, RMSprop
from core.sources import SOURCES, Blobs, Source, Table, Threshold, decimals

__all__ = [
    "SGD",
    "Adam",
    "BatchNormalisation",
    "Blobs",
    "Data",
    "Dense",
    "Dropout",
    "Experiment",
    "InvalidExperiment",
    "Model",
    "RMSprop",
    "Table",
    "Threshold",
    "Training",
]

SCALINGS = ("none", "divide", "min-max", "standardise")
SHUFFLINGS = ("rows", "permutation", "none")
ENCODINGS = ("as-is", "index", "one-hot")
MOST_CLASSES = 100_000
MOST_LAYERS = 64


@dataclass(frozen=True)
class Data(Checked):
    """Where the rows come from and what happens to them before they reach the network.

    The steps, in order: draw the rows from `source`; shuffle them once (`rows`: Python's
    `random.shuffle` on the two-dimensional array, which overwrites rows; `permutation`; `none`);
    set a random `hold_out` fraction aside for evaluation; scale the inputs (`divide` by `divisor`,
    `min-max` to [0, 1], `standardise`; the last two fitted on the training part alone); write
    class k as `label_values[k]` and encode that for the loss (`as-is`, its `index` in sorted
    order, or `one-hot` of the index).

    `seed` None draws fresh data for every run; a number gives all runs the same data.
    """

    source: Source = field(Instance(SOURCES), label="Source")
    shuffling: str = field(
        Choice(SHUFFLINGS),
        "permutation",
        label="Row shuffling",
        help="'rows' is Python's random.shuffle on a two-dimensional array, which overwrites about "
        "half of the rows; a permutation keeps all of them.",
    )
    hold_out: float = field(
        Float(0, 0.9),
        0.0,
        label="Held-out fraction",
        help="Share of the rows kept for evaluation and never trained on; 0 evaluates on the "
        "training rows.",
    )
    scaling: str = field(
        Choice(SCALINGS),
        "none",
        label="Input scaling",
        help="Divide by a constant, map to [0, 1], or standardise to mean 0 and variance 1. The "
        "last two are fitted on the training rows only.",
    )
    divisor: float = field(
        Float(0, 1e12, step=1_000, above=True),
        100_000.0,
        label="Divide by",
        help="Used when the scaling is 'divide'.",
        matters=lambda data: data.scaling == "divide",
    )
    label_values: tuple[float, ...] = field(
        Numbers(1, MOST_CLASSES),
        (0.0, 1.0),
        label="Labels",
        help="The numbers that stand for the classes in the data.",
    )
    encoding: str = field(
        Choice(ENCODINGS),
        "as-is",
        label="Label encoding",
        help="As they are, replaced by 0, 1, ... in order, or one column per class.",
    )
    seed: int | None = field(
        Optional(Int(0, 2**31 - 1)),
        None,
        label="Data seed",
        help="Determines the data when it is the same for every run.",
    )

    def __post_init__(self) -> None:
        Instance(SOURCES).check("source", self.source)
        classes = self.source.classes
        Numbers(classes, classes).check("label_values", self.label_values)
        super().__post_init__()

    @property
    def held_out_rows(self) -> int:
        return round(self.source.rows * self.hold_out)

    @property
    def training_rows(self) -> int:
        return self.source.rows - self.held_out_rows

    @property
    def target_width(self) -> int:
        """Columns of the encoded labels."""
        return self.source.classes if self.encoding == "one-hot" else 1

    @property
    def targets(self) -> tuple[float, ...]:
        """The number that the loss sees for each class; for one-hot labels, the class's column."""
        if self.encoding == "as-is":
            return self.label_values
        ranks = {value: rank for rank, value in enumerate(sorted(self.label_values))}
        return tuple(float(ranks[value]) for value in self.label_values)


@dataclass(frozen=True)
class Model:
    """The layers from the input to the output; the last one is dense."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not 1 <= len(self.layers) <= MOST_LAYERS:
            raise InvalidExperiment("layers", len(self.layers), f"1 to {MOST_LAYERS} layers")
        kind = Instance(LAYERS)
        for layer in self.layers:
            kind.check("layers", layer)
        if not isinstance(self.layers[-1], Dense):
            raise InvalidExperiment("layers", self.layers[-1], "a dense layer at the end")

    @property
    def dense(self) -> tuple[Dense, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @property
    def output(self) -> Dense:
        return self.dense[-1]


@dataclass(frozen=True)
class Training(Checked):
    """How the network is trained; `shuffle` draws a new order of rows an epoch, as `fit` does."""

    loss: str = field(
        Choice(LOSSES),
        "binary_crossentropy",
        label="Loss",
        help="The function that the optimizer minimises.",
    )
    optimizer: Optimizer = field(
        Instance(OPTIMIZERS), Adam(), label="Optimizer", help="With Keras's defaults."
    )
    batch_size: int = field(
        Int(1, 100_000), 32, label="Batch size", help="Rows per update of the weights."
    )
    epochs: int = field(
        Int(1, 10_000, step=10), 10, label="Epochs", help="Passes over the training rows."
    )
    shuffle: bool = field(
        Bool(), True, label="Shuffle every epoch", help="As Keras's fit does by default."
    )


@dataclass(frozen=True)
class Experiment(Checked):
    """Data, model and training: all that decides a run but its seed."""

    data: Data = field(Instance({"Data": Data}))
    model: Model = field(Instance({"Model": Model}))
    training: Training = field(Instance({"Training": Training}))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_parts_fit()

    def _check_parts_fit(self) -> None:
        """Refuse what Keras refuses: labels and output that the loss cannot take together."""
        width, units = self.data.target_width, self.model.output.units
        used = loss(self.training.loss)
        if self.data.training_rows < 2:
            raise InvalidExperiment("hold_out", self.data.hold_out, "small enough to leave 2 rows")
        if used.class_numbers:
            if width != 1:
                raise InvalidExperiment(
                    "encoding", self.data.encoding, f"'index' or 'as-is' for the loss {used.name}"
                )
            if not all(t == int(t) and 0 <= t < units for t in self.data.targets):
                raise InvalidExperiment(
                    "label_values",
                    self.data.targets,
                    f"whole numbers from 0 to {units - 1} for {used.name} on {units} output units",
                )
        elif units != width and not (used.broadcasts and units == 1):
            raise InvalidExperiment(
                "units of the output layer",
                units,
                f"{width} for {used.name} on labels encoded {self.data.encoding!r}",
            )

    @cached_property
    def digest(self) -> str:
        """A short name for its values, the same on every machine: SHA-256 of its JSON, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return plain(self)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """Read what `to_json` wrote. Raises InvalidExperiment for anything else."""
        experiment = restored(text)
        if not isinstance(experiment, cls):
            raise InvalidExperiment("kind", type(experiment).__name__, "Experiment")
        return experiment


_OWN = {kind.__name__: kind for kind in (Experiment, Data, Model, Training)}
_CLASSES: ChainMap[str, type] = ChainMap(_OWN, SOURCES, LAYERS, OPTIMIZERS)  # type: ignore[arg-type]
"""What JSON may name."""


def plain(value: Any) -> str:
    """An experiment, or any part of one, as JSON in which each value says its class."""
    return json.dumps(_plain(value), separators=(",", ":"))


def restored(text: str) -> Any:
    """Read what `plain` wrote. Raises InvalidExperiment for anything else."""
    try:
        return _made(json.loads(text))
    except InvalidExperiment:
        raise
    except (ValueError, RecursionError):
        raise InvalidExperiment("experiment", text[:80], "JSON as to_json writes it") from None


def _plain(value: Any) -> Any:
    if type(value) in _CLASSES.values():
        named = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        return {"kind": type(value).__name__, **named}
    if isinstance(value, np.ndarray):
        return (decimals(value) if value.dtype == np.float32 else value).tolist()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _made(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_made(item) for item in plain)
    if not isinstance(plain, dict):
        return plain
    given = dict(plain)
    name = given.pop("kind", None)
    kind = _CLASSES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidExperiment("kind", name, f"one of {', '.join(_CLASSES)}")
    known = {each.name for each in fields(kind)}
    for unknown in given.keys() - known:
        raise InvalidExperiment(f"a field of {name}", unknown, f"one of {sorted(known)}")
    try:
        return kind(**{name: _made(value) for name, value in given.items()})
    except TypeError:
        missing = sorted(known - given.keys())
        raise InvalidExperiment(name, sorted(given), f"given with {missing} as well") from None
