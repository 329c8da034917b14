"""The description of a training: data, model and training settings as validated frozen dataclasses.

An `Experiment` holds everything that determines a run except its seed. Two experiments with the
same values are equal and have the same hash, and `Experiment.from_json(experiment.to_json())`
equals `experiment`. To change one, use `dataclasses.replace`. The data are described in
`core.dataset`; the sources of rows are registered in `core.sources`, the layers in `core.layers`
and the optimizers in `core.optimizers`.
"""

from __future__ import annotations

import hashlib
import json
from collections import ChainMap
from dataclasses import dataclass, fields
from functools import cached_property
from inspect import signature
from typing import Any

import numpy as np

from core.callbacks import CALLBACKS, Callback, ReduceLROnPlateau
from core.curve import Curve
from core.dataset import MOST_CLASSES, Data
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
    Names,
    Numbers,
    field,
    settings,
)
from core.initialisers import INITIALISERS, initialiser
from core.layers import LAYERS, BatchNormalisation, Dense, Dropout
from core.losses import LOSSES, loss
from core.metrics import METRICS
from core.model import Model
from core.optimizers import OPTIMIZERS, SGD, Adam, Optimizer, RMSprop
from core.regularisers import REGULARISERS
from core.schedules import SCHEDULES
from core.sources import SOURCES, Blobs, Threshold
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
        from_logits: Whether the loss applies the sigmoid or softmax to the outputs itself.
        label_smoothing: How far the labels are moved towards being all alike, from 0 to 1.
        class_weight: What the loss of a row of each class is multiplied by in training; empty or
            None to weigh all alike. Validation and evaluation weigh none.
        metrics: Keys of `core.metrics.METRICS`, measured beside the score of the task.
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
    from_logits: bool = field(
        Bool(),
        False,
        label="From logits",
        help="The loss takes the outputs as logits, and applies the sigmoid or softmax itself.",
        matters=lambda training: loss(training.loss).logits,
        added=True,
    )
    label_smoothing: float = field(
        Float(0, 1),
        0.0,
        label="Label smoothing",
        help="Moves the labels this share of the way towards being all alike.",
        matters=lambda training: loss(training.loss).smooth is not None,
        added=True,
    )
    class_weight: tuple[float, ...] = field(
        Numbers(0, MOST_CLASSES, distinct=False, low=0.0),
        (),
        label="Class weights",
        help="What the loss of a row of each class is multiplied by; none to weigh all alike.",
        added=True,
    )
    metrics: tuple[str, ...] = field(
        Names(METRICS),
        (),
        label="Metrics",
        help="What is measured beside the score.",
        added=True,
    )

    def __post_init__(self) -> None:
        if self.class_weight is None:
            object.__setattr__(self, "class_weight", ())
        super().__post_init__()

    @property
    def takes_probabilities(self) -> bool:
        """Whether the loss takes the outputs as probabilities."""
        function = loss(self.loss)
        return function.cross_entropy and not (function.logits and self.from_logits)

    @property
    def loss_options(self) -> dict[str, bool | float]:
        """The arguments of the loss that it takes and that differ from Keras's defaults."""
        options = {name: getattr(self, name) for name in ("from_logits", "label_smoothing")}
        matter = settings(self)
        return {n: value for n, value in options.items() if value and matter[n].matters(self)}


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
        elif units != width == 1 and loss_function.link == "softmax" and self.data.source.classes:
            raise InvalidExperiment(
                "encoding",
                self.data.encoding,
                f"'one-hot' for {name}, which takes a column of labels a class; for class numbers "
                "the loss is sparse_categorical_crossentropy",
            )
        elif units != width and not (loss_function.broadcasts and units == 1):
            on = f"labels encoded {self.data.encoding!r}"
            if not self.data.has_one_class_per_row:
                what = "target" if self.data.source.outputs else "label"
                on = f"{width} {what}{'s' * (width > 1)} a row"
            expected = f"{width} for {name} on {on}"
            raise InvalidExperiment("units of the output layer", units, expected)
        if loss_function.signs:
            self._check_signs(name)
        if self.training.class_weight:
            self._check_class_weight()

    def _check_signs(self, name: str) -> None:
        """Keras converts labels where all of a batch are 0 and 1, which must not vary by batch."""
        targets = self.data.targets
        if self.data.encoding == "one-hot" and self.data.has_one_class_per_row:
            return
        if self.data.source.outputs:
            raise InvalidExperiment("loss", name, "a loss for continuous targets")
        if 0 in targets and not set(targets) <= {0, 1}:
            raise InvalidExperiment("label_values", targets, f"-1 and 1, or 0 and 1, for {name}")

    def _check_class_weight(self) -> None:
        """Keras looks a row's weight up by its label, in whole numbers."""
        data, weights = self.data, self.training.class_weight
        if not data.has_one_class_per_row:
            expected = "none: a row has no class"
            raise InvalidExperiment("class_weight", weights, expected)
        if len(weights) != data.source.classes:
            expected = f"one weight for each of the {data.source.classes} classes"
            raise InvalidExperiment("class_weight", weights, expected)
        if any(target % 1 for target in data.targets):
            expected = "none: Keras weighs labels that are whole numbers"
            raise InvalidExperiment("class_weight", weights, expected)

    @property
    def task(self) -> Task:
        """What the network is to do, which decides its score."""
        return task_of(self.data, self.training)

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


def task_of(data: Data, training: Training) -> Task:
    """The task of data under a loss.

    Class labels that are measurements are a regression under a loss that is a distance.
    """
    source = data.source
    if data.continuous and (source.outputs or loss(training.loss).distance):
        return TASKS["regression"]
    if source.label_columns:
        return TASKS["multi_label"]
    return TASKS["binary" if source.classes <= 2 else "multiclass"]


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
    made = {name: _made(value) for name, value in values.items()}
    try:
        signature(kind).bind(**made)
    except TypeError:
        missing = sorted(known - values.keys())
        raise InvalidExperiment(name, sorted(values), f"given with {missing} as well") from None
    try:
        return kind(**made)
    except TypeError:
        raise InvalidExperiment(name, values, "of the values that `to_json` writes") from None
