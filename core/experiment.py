"""What is trained: data, model and training as frozen values, checked when they are made.

An `Experiment` holds everything that decides a run except its seed. Two experiments with the
same values are equal, hash alike, and survive `Experiment.from_json(experiment.to_json())`.
To change one, make another with `dataclasses.replace`.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from core import activations, initialisers, losses

ACTIVATIONS = tuple(activations.ACTIVATIONS)
INITIALISERS = tuple(initialisers.INITIALISERS)
LOSSES = tuple(losses.LOSSES)
SCALINGS = ("none", "divide", "min-max", "standardise")
SHUFFLINGS = ("rows", "permutation", "none")
ENCODINGS = ("as-is", "index", "one-hot")


class InvalidExperiment(ValueError):
    """A value that cannot be trained: says which field, what it was and what would be right.

    A value of more than 200 characters is cut in the message: it may be a stranger's whole file.
    """

    def __init__(self, field: str, value: object, expected: str):
        shown = repr(value)
        if len(shown) > 200:
            shown = f"{shown[:200]}..."
        super().__init__(f"{field} is {shown}; it should be {expected}.")
        self.field, self.value, self.expected = field, value, expected

    def __reduce__(self):
        return type(self), (self.field, self.value, self.expected)


def _whole(owner: object, field: str, low: int, high: int) -> None:
    value = getattr(owner, field)
    expected = f"a whole number from {low:,} to {high:,}"
    try:
        whole = int(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidExperiment(field, value, expected) from None
    if isinstance(value, (bool, str)) or whole != value or not low <= whole <= high:
        raise InvalidExperiment(field, value, expected)
    object.__setattr__(owner, field, whole)


def _real(field: str, value: object, expected: str) -> float:
    if isinstance(value, (bool, str)):
        raise InvalidExperiment(field, value, expected)
    try:
        real = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidExperiment(field, value, expected) from None
    if not math.isfinite(real):
        raise InvalidExperiment(field, value, expected)
    return real


def _between(owner: object, field: str, low: float, high: float, *, above_low=False) -> None:
    """Check a number in [low, high], or in (low, high] with `above_low`."""
    value = getattr(owner, field)
    expected = (
        f"a number {'above' if above_low else 'from'} {low:,g} {'up ' * above_low}to {high:,g}"
    )
    real = _real(field, value, expected)
    if not low <= real <= high or (above_low and real == low):
        raise InvalidExperiment(field, value, expected)
    object.__setattr__(owner, field, real)


def _choice(owner: object, field: str, choices: tuple[str, ...]) -> None:
    value = getattr(owner, field)
    if value not in choices:
        raise InvalidExperiment(field, value, f"one of {', '.join(choices)}")


def _flag(owner: object, field: str) -> None:
    value = getattr(owner, field)
    if not isinstance(value, bool):
        raise InvalidExperiment(field, value, "true or false")


def _one_of(owner: object, field: str, kinds: tuple[type, ...]) -> None:
    value = getattr(owner, field)
    if not isinstance(value, kinds):
        names = ", ".join(kind.__name__ for kind in kinds)
        raise InvalidExperiment(field, value, f"one of {names}")


# --- data ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Threshold:
    """Whole numbers drawn uniformly from [0, threshold) (class 0) and [threshold, 2 threshold).

    `samples` rows a class, the classes alternating; one feature.
    """

    threshold: int = 50_000
    samples: int = 5_000

    def __post_init__(self):
        _whole(self, "threshold", 1, 1_000_000_000)
        _whole(self, "samples", 2, 100_000)

    features = 1
    classes = 2

    @property
    def rows(self) -> int:
        return self.samples * self.classes


@dataclass(frozen=True)
class Blobs:
    """One square cloud a class: every feature uniform in the class's own (low, high).

    `samples` rows a class, one class after the other. `overlap` moves each cloud towards the
    first: 0 leaves it where it is, 1 puts its centre on the first one's. `noise` is the standard
    deviation of normal noise that is added to every feature, in the features' own unit.
    """

    bounds: tuple[tuple[float, float], ...] = ((0.2, 0.4), (0.5, 0.7))
    samples: int = 200
    features: int = 2
    overlap: float = 0.0
    noise: float = 0.0

    def __post_init__(self):
        _whole(self, "samples", 2, 100_000)
        _whole(self, "features", 1, 100)
        _between(self, "overlap", 0, 1)
        _between(self, "noise", 0, 1e6)
        try:
            pairs = tuple((low, high) for low, high in self.bounds)
        except (TypeError, ValueError):
            raise InvalidExperiment("bounds", self.bounds, "a (low, high) pair a class") from None
        if not 2 <= len(pairs) <= 100:
            raise InvalidExperiment("bounds", self.bounds, "2 to 100 (low, high) pairs")
        pairs = tuple(
            (_real("bounds", low, "finite numbers"), _real("bounds", high, "finite numbers"))
            for low, high in pairs
        )
        for low, high in pairs:
            if low > high:
                raise InvalidExperiment("bounds", (low, high), "a low bound not above its high one")
        object.__setattr__(self, "bounds", pairs)

    @property
    def classes(self) -> int:
        return len(self.bounds)

    @property
    def rows(self) -> int:
        return self.samples * self.classes


@dataclass(frozen=True)
class Table:
    """Rows that are given, the same in every run.

    inputs: one tuple of finite numbers a row, all of one length; labels: the class of each row,
    counted from 0, whose written values are `Data.label_values`. Labels on a continuous scale are
    one class a distinct value.
    """

    inputs: tuple[tuple[float, ...], ...]
    labels: tuple[int, ...]

    def __post_init__(self):
        expected = "rows of finite numbers, all of one length"
        try:
            rows = tuple(tuple(_real("inputs", v, expected) for v in row) for row in self.inputs)
            labels = tuple(self.labels)
        except TypeError:
            raise InvalidExperiment("inputs", "no table", expected) from None
        if not 2 <= len(rows) <= 100_000 or len({len(row) for row in rows}) != 1:
            raise InvalidExperiment("inputs", f"{len(rows)} rows", f"2 to 100,000 {expected}")
        if not 1 <= len(rows[0]) <= 1_000:
            raise InvalidExperiment("inputs", f"{len(rows[0])} columns", "1 to 1,000 columns wide")
        expected = "one whole number from 0 a row"
        if len(labels) != len(rows):
            raise InvalidExperiment("labels", f"{len(labels)} labels", f"{expected}: {len(rows)}")
        for label in labels:
            if _real("labels", label, expected) % 1 or label < 0:
                raise InvalidExperiment("labels", label, expected)
        object.__setattr__(self, "inputs", rows)
        object.__setattr__(self, "labels", tuple(int(label) for label in labels))

    @property
    def features(self) -> int:
        return len(self.inputs[0])

    @cached_property
    def classes(self) -> int:
        return max(self.labels) + 1

    @property
    def rows(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Data:
    """Where the rows come from and what happens to them before they reach the network.

    The steps, in order: draw the rows from `source`; shuffle them once (`rows`: Python's
    `random.shuffle` on the two-dimensional array, which overwrites rows; `permutation`; `none`);
    set a random `hold_out` fraction aside for evaluation; scale the inputs (`divide` by `divisor`,
    `min-max` to [0, 1], `standardise`; the last two fitted on the training part alone); write
    class k as `label_values[k]` and encode that for the loss (`as-is`, its `index` in sorted
    order, or `one-hot` of the index).

    `seed` None draws fresh data for every run; a number gives all runs the same data.
    """

    source: Threshold | Blobs | Table
    shuffling: str = "permutation"
    hold_out: float = 0.0
    scaling: str = "none"
    divisor: float = 100_000.0
    label_values: tuple[float, ...] = (0.0, 1.0)
    encoding: str = "as-is"
    seed: int | None = None

    def __post_init__(self):
        _one_of(self, "source", (Threshold, Blobs, Table))
        _choice(self, "shuffling", SHUFFLINGS)
        _between(self, "hold_out", 0, 0.9)
        _choice(self, "scaling", SCALINGS)
        _between(self, "divisor", 0, 1e12, above_low=True)
        _choice(self, "encoding", ENCODINGS)
        if self.seed is not None:
            _whole(self, "seed", 0, 2**31 - 1)
        expected = f"{self.source.classes} different numbers, one a class"
        try:
            values = tuple(_real("label_values", value, expected) for value in self.label_values)
        except TypeError:
            raise InvalidExperiment("label_values", self.label_values, expected) from None
        if len(values) != self.source.classes or len(set(values)) != len(values):
            raise InvalidExperiment("label_values", self.label_values, expected)
        object.__setattr__(self, "label_values", values)

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


# --- model --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: `units` outputs, biases that start at 0."""

    units: int
    activation: str = "linear"
    initialiser: str = "glorot_uniform"

    def __post_init__(self):
        _whole(self, "units", 1, 1_024)
        _choice(self, "activation", ACTIVATIONS)
        _choice(self, "initialiser", INITIALISERS)


@dataclass(frozen=True)
class Dropout:
    """In training, sets each input to 0 with probability `rate` and scales the rest up."""

    rate: float = 0.5

    def __post_init__(self):
        _between(self, "rate", 0, 0.95)


@dataclass(frozen=True)
class BatchNormalisation:
    """Batch normalisation with Keras's defaults (momentum 0.99, epsilon 0.001)."""


@dataclass(frozen=True)
class Model:
    """The layers from the input to the output; the last one is dense."""

    layers: tuple[Dense | Dropout | BatchNormalisation, ...]

    def __post_init__(self):
        object.__setattr__(self, "layers", tuple(self.layers))
        if not 1 <= len(self.layers) <= 64:
            raise InvalidExperiment("layers", len(self.layers), "1 to 64 layers")
        for layer in self.layers:
            if not isinstance(layer, (Dense, Dropout, BatchNormalisation)):
                raise InvalidExperiment("layers", layer, "Dense, Dropout or BatchNormalisation")
        if not isinstance(self.layers[-1], Dense):
            raise InvalidExperiment("layers", self.layers[-1], "a dense layer at the end")

    @property
    def dense(self) -> tuple[Dense, ...]:
        return tuple(layer for layer in self.layers if isinstance(layer, Dense))

    @property
    def output(self) -> Dense:
        return self.layers[-1]


# --- training -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SGD:
    """Gradient descent with Keras's defaults."""

    learning_rate: float = 0.01
    momentum: float = 0.0

    def __post_init__(self):
        _between(self, "learning_rate", 0, 1_000, above_low=True)
        _between(self, "momentum", 0, 1)


@dataclass(frozen=True)
class RMSprop:
    """RMSprop with Keras's defaults (rho 0.9, epsilon 1e-7)."""

    learning_rate: float = 0.001

    def __post_init__(self):
        _between(self, "learning_rate", 0, 1_000, above_low=True)


@dataclass(frozen=True)
class Adam:
    """Adam with Keras's defaults (beta 0.9 and 0.999, epsilon 1e-7)."""

    learning_rate: float = 0.001

    def __post_init__(self):
        _between(self, "learning_rate", 0, 1_000, above_low=True)


@dataclass(frozen=True)
class Training:
    """How the network is trained; `shuffle` draws a new order of rows an epoch, as `fit` does."""

    loss: str = "binary_crossentropy"
    optimizer: SGD | RMSprop | Adam = Adam()
    batch_size: int = 32
    epochs: int = 10
    shuffle: bool = True

    def __post_init__(self):
        _choice(self, "loss", LOSSES)
        _one_of(self, "optimizer", (SGD, RMSprop, Adam))
        _whole(self, "batch_size", 1, 100_000)
        _whole(self, "epochs", 1, 10_000)
        _flag(self, "shuffle")


# --- the whole ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Experiment:
    """Data, model and training: all that decides a run but its seed."""

    data: Data
    model: Model
    training: Training

    def __post_init__(self):
        _one_of(self, "data", (Data,))
        _one_of(self, "model", (Model,))
        _one_of(self, "training", (Training,))
        self._check_parts_fit()

    def _check_parts_fit(self) -> None:
        """Refuse what Keras refuses: labels and output that the loss cannot take together."""
        width, units, loss = self.data.target_width, self.model.output.units, self.training.loss
        if self.data.training_rows < 2:
            raise InvalidExperiment("hold_out", self.data.hold_out, "small enough to leave 2 rows")
        if loss == "sparse_categorical_crossentropy":
            if width != 1:
                raise InvalidExperiment(
                    "encoding", self.data.encoding, f"'index' or 'as-is' for the loss {loss}"
                )
            if not all(t == int(t) and 0 <= t < units for t in self.data.targets):
                raise InvalidExperiment(
                    "label_values",
                    self.data.targets,
                    f"whole numbers from 0 to {units - 1} for {loss} on {units} output units",
                )
        elif units != width and not (loss == "mean_squared_error" and units == 1):
            raise InvalidExperiment(
                "units of the output layer",
                units,
                f"{width} for {loss} on labels encoded {self.data.encoding!r}",
            )

    @cached_property
    def digest(self) -> str:
        """A short name for its values, the same on every machine: SHA-256 of its JSON, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(_plain(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Experiment:
        """Read what `to_json` wrote. Raises InvalidExperiment for anything else."""
        try:
            experiment = _made(json.loads(text))
        except InvalidExperiment:
            raise
        except (ValueError, RecursionError):
            raise InvalidExperiment("experiment", text[:80], "JSON as to_json writes it") from None
        if not isinstance(experiment, cls):
            raise InvalidExperiment("kind", type(experiment).__name__, "Experiment")
        return experiment


_KINDS = {
    kind.__name__: kind
    for kind in (
        *(Experiment, Data, Threshold, Blobs, Table, Model, Dense, Dropout, BatchNormalisation),
        *(Training, SGD, RMSprop, Adam),
    )
}


def _plain(value: Any) -> Any:
    if type(value) in _KINDS.values():
        named = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **named}
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
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InvalidExperiment("kind", name, f"one of {', '.join(_KINDS)}")
    known = {field.name for field in fields(kind)}
    for field in given:
        if field not in known:
            raise InvalidExperiment(f"a field of {name}", field, f"one of {sorted(known)}")
    try:
        return kind(**{field: _made(value) for field, value in given.items()})
    except TypeError:
        missing = sorted(known - given.keys())
        raise InvalidExperiment(name, sorted(given), f"given with {missing} as well") from None
