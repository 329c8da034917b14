"""The description of a training: data, model and training settings as validated frozen dataclasses.

An `Experiment` holds everything that determines a run except its seed. Two experiments with the
same values are equal and have the same hash, and `Experiment.from_json(experiment.to_json())`
equals `experiment`. To change one, use `dataclasses.replace`. The sources of rows are registered
in `core.sources`, the layers in `core.layers` and the optimizers in `core.optimizers`.
"""

from __future__ import annotations

import hashlib
import json
from collections import ChainMap
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from core.callbacks import CALLBACKS, Callback, ReduceLROnPlateau
from core.curve import Curve
from core.entries import ByClass
from core.fields import (
    Bool,
    Checked,
    Choice,
    Float,
    Instance,
    Instances,
    Int,
    InvalidExperiment,
    Numbers,
    Optional,
    field,
    settings,
)
from core.initialisers import INITIALISERS, initialiser
from core.layers import LAYERS, BatchNormalisation, Dense, Dropout
from core.losses import LOSSES, loss
from core.model import Model
from core.optimizers import OPTIMIZERS, SGD, Adam, Optimizer, RMSprop
from core.regularisers import REGULARISERS
from core.schedules import SCHEDULES
from core.sources import SOURCES, Blobs, Source, Threshold
from core.table import Table, decimals
from core.tasks import TASKS, Task

__all__ = [
    "SGD",
    "Adam",
    "BatchNormalisation",
    "Blobs",
    "Curve",
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
TARGET_SCALINGS = ("none", "standardise", "divide")
SHUFFLINGS = ("rows", "permutation", "none")
HELD_OUT = ("random", "last")
ENCODINGS = ("as-is", "index", "one-hot")
MOST_CLASSES = 100_000


@dataclass(frozen=True)
class Data(Checked):
    """The rows and their preprocessing, in the order of the attributes up to `encoding`.

    Attributes:
        source: The generator of the rows, or a table.
        shuffling: How the rows are shuffled once: "rows" (Python's `random.shuffle` on the
            two-dimensional array, which overwrites rows), "permutation" or "none".
        hold_out: The fraction of the rows held out for evaluation.
        scaling: How the inputs are scaled: "divide" (by `divisor`), "min-max" (to [0, 1]),
            "standardise" (to mean 0 and variance 1) or "none". "min-max" and "standardise" are
            fitted on the training rows only.
        divisor: Of the scaling "divide".
        label_values: The label of each class; none with continuous targets.
        encoding: What the loss gets: the labels "as-is", the "index" of the label in sorted order,
            or the "one-hot" encoding of the index. Of one class a row only.
        seed: Of the data if all runs have the same; None to draw new data for every run.
        target_scaling: How continuous targets are scaled: "divide" (by `target_divisor`),
            "standardise" (to mean 0 and variance 1 on the training rows) or "none".
        target_divisor: Of the target scaling "divide".
        held_out: Which rows are held out: "random" ones, others in every run, or the "last" ones,
            as Keras's `validation_split` has them.
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
        Numbers(0, MOST_CLASSES),
        (0.0, 1.0),
        label="Labels",
        help="The number that represents each class in the data.",
        matters=lambda data: data.source.classes > 0,
    )
    encoding: str = field(
        Choice(ENCODINGS),
        "as-is",
        label="Label encoding",
        help="As they are, replaced by 0, 1, ... in order, or one column per class.",
        matters=lambda data: data.has_one_class_per_row,
    )
    seed: int | None = field(
        Optional(Int(0, 2**31 - 1)),
        None,
        label="Data seed",
        help="Determines the data when it is the same for every run.",
    )
    target_scaling: str = field(
        Choice(TARGET_SCALINGS),
        "none",
        label="Target scaling",
        help="Standardise to mean 0 and variance 1, as fitted on the training rows, or divide by a "
        "constant.",
        matters=lambda data: data.source.outputs > 0,
        added=True,
    )
    target_divisor: float = field(
        Float(0, 1e12, step=1_000, above=True),
        1_000.0,
        label="Divide targets by",
        help="Used when the target scaling is 'divide'.",
        matters=lambda data: data.source.outputs > 0 and data.target_scaling == "divide",
        added=True,
    )
    held_out: str = field(
        Choice(HELD_OUT),
        "random",
        label="Held-out rows",
        help="Random ones, others in every run, or the last ones, as Keras's validation_split.",
        matters=lambda data: data.hold_out > 0,
        added=True,
    )

    def __post_init__(self) -> None:
        Instance(SOURCES).check("source", self.source)
        classes = self.source.classes
        if not classes:
            object.__setattr__(self, "label_values", ())
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
        """Number of columns of the encoded labels, or of the continuous targets."""
        if not self.has_one_class_per_row:
            return self.source.outputs or self.source.label_columns
        return self.source.classes if self.encoding == "one-hot" else 1

    @property
    def has_one_class_per_row(self) -> bool:
        """Whether there are neither continuous targets nor several labels a row."""
        return not self.source.outputs and not self.source.label_columns

    @property
    def continuous(self) -> bool:
        """Whether the labels are measurements: targets, fractions, or hardly one twice."""
        if self.source.outputs:
            return True
        values = np.array(self.label_values)
        if self.encoding != "as-is" or len(values) < 3 or self.source.label_columns:
            return False
        return bool((values % 1).any()) or len(values) > max(10, self.source.rows / 2)

    @property
    def targets(self) -> tuple[float, ...]:
        """The encoded label of each class; for one-hot labels, the index of its column."""
        if self.encoding == "as-is" or not self.has_one_class_per_row:
            return self.label_values
        ranks = {value: rank for rank, value in enumerate(sorted(self.label_values))}
        return tuple(float(ranks[value]) for value in self.label_values)


@dataclass(frozen=True)
class Training(Checked):
    """The arguments of Keras's `compile` and `fit`.

    Attributes:
        loss: A key of `core.losses.LOSSES`.
        optimizer: With its learning rate.
        batch_size: Rows per update.
        epochs: Passes over the training rows.
        shuffle: Whether the rows are in a new random order in every epoch.
        callbacks: What stops a run or lowers its learning rate; of each class at most one.
    """

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
    callbacks: tuple[Callback, ...] = field(
        Instances(CALLBACKS), (), label="Callbacks", help="What is done after an epoch.", added=True
    )


@dataclass(frozen=True)
class Experiment(Checked):
    """Data, model and training settings: everything that determines a run except its seed.

    Raises:
        InvalidExperiment: If a value is not allowed, or labels, output layer and loss do not fit.
    """

    data: Data = field(Instance({"Data": Data}))
    model: Model = field(Instance({"Model": Model}))
    training: Training = field(Instance({"Training": Training}))

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_parts_fit()

    def _check_parts_fit(self) -> None:
        """Raise for what Keras rejects: shapes of labels and output that do not fit the loss."""
        self.training.optimizer.check()
        reducing = any(isinstance(each, ReduceLROnPlateau) for each in self.training.callbacks)
        if reducing and self.training.optimizer.schedule is not None:
            raise InvalidExperiment(
                "callbacks",
                "ReduceLROnPlateau",
                "without a schedule: Keras lowers a constant learning rate only",
            )
        width, units = self.data.target_width, self.model.output.units
        loss_function = loss(self.training.loss)
        if self.data.training_rows < 2:
            raise InvalidExperiment("hold_out", self.data.hold_out, "small enough to leave 2 rows")
        for _, slot in self.model.slots(self.data.source.features):
            initialiser(slot.initialiser).check_shape(slot.field, slot.shape)
        name = loss_function.name
        if loss_function.class_numbers:
            if not self.data.has_one_class_per_row:
                raise InvalidExperiment("loss", name, "a loss that is not for one class a row")
            if width != 1:
                raise InvalidExperiment(
                    "encoding", self.data.encoding, f"'index' or 'as-is' for the loss {name}"
                )
            if not all(t == int(t) and 0 <= t < units for t in self.data.targets):
                raise InvalidExperiment(
                    "label_values",
                    self.data.targets,
                    f"whole numbers from 0 to {units - 1} for {name} on {units} output units",
                )
        elif units != width and not (loss_function.broadcasts and units == 1):
            on = f"labels encoded {self.data.encoding!r}"
            if not self.data.has_one_class_per_row:
                on = f"{width} {'targets' if self.data.source.outputs else 'labels'} a row"
            expected = f"{width} for {name} on {on}"
            raise InvalidExperiment("units of the output layer", units, expected)

    @property
    def task(self) -> Task:
        """What the network is to do, which decides its score.

        Class labels that are measurements are a regression under a loss that is a distance.
        """
        source = self.data.source
        if self.data.continuous and (source.outputs or loss(self.training.loss).distance):
            return TASKS["regression"]
        if source.label_columns:
            return TASKS["multi_label"]
        return TASKS["binary" if source.classes <= 2 else "multiclass"]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its JSON in hex, which is the same in every process."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The values as JSON, for `from_json`."""
        return plain(self)

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """The experiment that `to_json` wrote.

        Raises:
            InvalidExperiment: If the text is not an experiment.
        """
        experiment = restored(text)
        if not isinstance(experiment, cls):
            raise InvalidExperiment("kind", type(experiment).__name__, "Experiment")
        return experiment


_OWN = {kind.__name__: kind for kind in (Experiment, Data, Model, Training)}
_CLASSES: ChainMap[str, type] = ChainMap(
    _OWN,  # type: ignore[arg-type]
    SOURCES,  # type: ignore[arg-type]
    LAYERS,  # type: ignore[arg-type]
    OPTIMIZERS,  # type: ignore[arg-type]
    SCHEDULES,  # type: ignore[arg-type]
    CALLBACKS,  # type: ignore[arg-type]
    ByClass(INITIALISERS),  # type: ignore[arg-type]
    ByClass(REGULARISERS),  # type: ignore[arg-type]
)
"""The classes that JSON may name."""


def plain(value: Any) -> str:
    """An experiment, or any part of one, as JSON; each object names its class as "kind"."""
    return json.dumps(_plain(value), separators=(",", ":"))


def restored(text: str) -> Any:
    """The value that `plain` wrote.

    Raises:
        InvalidExperiment: If the text is anything else.
    """
    try:
        return _made(json.loads(text))
    except InvalidExperiment:
        raise
    except (ValueError, RecursionError):
        raise InvalidExperiment("experiment", text[:80], "JSON as to_json writes it") from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    kind = _CLASSES.get(type(value).__name__)
    if kind is type(value):
        added = {name for name, setting in settings(kind).items() if setting.added}
        named = {
            each.name: _plain(own)
            for each in fields(kind)
            for own in [getattr(value, each.name)]
            if each.name not in added or own != each.default
        }
        if kind is Table:  # has labels or targets
            named = {name: own for name, own in named.items() if own is not None}
        return {"kind": kind.__name__, **named}
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
    values = dict(plain)
    name = values.pop("kind", None)
    kind = _CLASSES.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidExperiment("kind", name, f"one of {', '.join(_CLASSES)}")
    known = {each.name for each in fields(kind)}
    for unknown in values.keys() - known:
        raise InvalidExperiment(f"a field of {name}", unknown, f"one of {sorted(known)}")
    try:
        return kind(**{name: _made(value) for name, value in values.items()})
    except TypeError:
        missing = sorted(known - values.keys())
        raise InvalidExperiment(name, sorted(values), f"given with {missing} as well") from None
