"""The registry of initialisers, with the distributions that Keras uses.

A field holds the name of an initialiser with its defaults, or an instance with other arguments.
With `in` inputs and `out` units, glorot_uniform and he_uniform draw from uniform distributions with
the limits sqrt(6 / (in + out)) and sqrt(6 / in); he_normal and lecun_normal draw from normal
distributions truncated at two standard deviations, with the variances 2 / in and 1 / in (Glorot and
Bengio 2010, He et al. 2015, LeCun et al. 1998).
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np

from core.entries import EntryOf, KerasEntry, entry
from core.fields import Choice, Float, InvalidExperiment, Numerical, field

Shape = tuple[int, ...]
"""(runs, inputs, units) of kernels, (runs, units) of vectors."""


class Initialiser(KerasEntry):
    """What the elements of an array of weights start from.

    Attributes:
        random: Whether Keras's class takes a seed.
        for_vectors: Whether it can draw biases, which have one axis.
        by_size: Whether the size of the weights follows from the number of inputs or units.
        level: What every element starts from; None where they differ.
        proportional: The fields that what is drawn is proportional to, all together.
    """

    keras_module = "initializers"
    random: ClassVar[bool] = True
    for_vectors: ClassVar[bool] = True
    proportional: ClassVar[tuple[str, ...]] = ()
    by_size: ClassVar[bool] = False

    @property
    def level(self) -> float | None:
        return None

    def scaled(self, factor: float) -> Initialiser:
        """The one that draws, from the same seed, `factor` times as much."""
        changed = {name: getattr(self, name) * factor for name in self.proportional}
        return replace(self, **changed)  # type: ignore[type-var]

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        """Arrays of a shape whose first axis is the runs."""
        raise NotImplementedError

    def check_shape(self, name: str, shape: Shape) -> None:
        """Raise InvalidExperiment if an array of one run cannot have this shape.

        Args:
            name: Of the field, for the error message.
            shape: (inputs, units) of a kernel, (units,) of a vector.
        """
        if len(shape) < 2 and not self.for_vectors:
            raise InvalidExperiment(
                name, INITIALISER.name(self), "an initialiser of vectors, such as zeros"
            )


INITIALISERS: dict[str, type[Initialiser]] = {}
"""The initialisers by Keras's name."""
INITIALISER = EntryOf(INITIALISERS)
"""The kind of a field that has one."""

Class = TypeVar("Class", bound=type[Initialiser])


def registered(kind: Class) -> Class:
    """Register a class of initialisers in INITIALISERS, by its name in snake case."""
    INITIALISERS[re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()] = kind
    return kind


def initialiser(value: str | Initialiser) -> Initialiser:
    """The initialiser that a name stands for; an instance as it is.

    Raises:
        ValueError: If the name is unknown.
    """
    return entry("initialiser", INITIALISERS, value)() if isinstance(value, str) else value


# --- by the numbers of inputs and units ---------------------------------------------------------


class _Scaled(Initialiser):
    """Uniform or normal numbers of the variance scale / n; n is that of `mode`."""

    scale: float
    mode: str
    distribution: str
    by_size = True

    def scaled(self, factor: float) -> Initialiser:
        return VarianceScaling(self.scale * factor**2, self.mode, self.distribution)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        inputs, units = (shape[1], shape[-1])
        counts = {"fan_in": inputs, "fan_out": units, "fan_avg": (inputs + units) / 2}
        variance = self.scale / max(1.0, counts[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return rng.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return rng.normal(0, math.sqrt(variance), shape)
        # Truncation at two standard deviations reduces the standard deviation to 0.8796 of its
        # value.
        return _truncated(shape, rng) * math.sqrt(variance) / 0.8796


def _truncated(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers, drawn again where they are beyond 2."""
    drawn = rng.normal(size=shape)
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = rng.normal(size=outside.sum())
    return drawn


@registered
@dataclass(frozen=True)
class GlorotUniform(_Scaled):
    keras_name, label = "GlorotUniform", "Glorot uniform"
    help = "Uniform, by the mean of inputs and units."
    scale, mode, distribution = 1.0, "fan_avg", "uniform"


@registered
@dataclass(frozen=True)
class HeUniform(_Scaled):
    keras_name, label = "HeUniform", "He uniform"
    help = "Uniform, by the inputs; for ReLU."
    scale, mode, distribution = 2.0, "fan_in", "uniform"


@registered
@dataclass(frozen=True)
class HeNormal(_Scaled):
    keras_name, label = "HeNormal", "He normal"
    help = "Truncated normal, by the inputs; for ReLU."
    scale, mode, distribution = 2.0, "fan_in", "truncated_normal"


@registered
@dataclass(frozen=True)
class LecunNormal(_Scaled):
    keras_name, label = "LecunNormal", "LeCun normal"
    help = "Truncated normal, by the inputs; for SELU."
    scale, mode, distribution = 1.0, "fan_in", "truncated_normal"


@registered
@dataclass(frozen=True)
class Zeros(Initialiser):
    keras_name = label = "Zeros"
    help = "All 0."
    random = False

    @property
    def level(self) -> float | None:
        return 0.0

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.zeros(shape)


# --- with arguments of their own ----------------------------------------------------------------

LEVEL = Float(-1e6, 1e6)
WIDTH = Float(0, 1e6)


@registered
@dataclass(frozen=True)
class RandomNormal(Initialiser):
    mean: float = field(LEVEL, 0.0, label="Mean", help="Of the distribution.")
    stddev: float = field(WIDTH, 0.05, label="Standard deviation", help="Of the distribution.")

    keras_name, label = "RandomNormal", "Random normal"
    proportional = ("mean", "stddev")
    help = "Normal with a standard deviation of its own."

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(self.mean, self.stddev, shape)


@registered
@dataclass(frozen=True)
class GlorotNormal(_Scaled):
    keras_name, label = "GlorotNormal", "Glorot normal"
    help = "Truncated normal, by the mean of inputs and units."
    scale, mode, distribution = 1.0, "fan_avg", "truncated_normal"


@registered
@dataclass(frozen=True)
class LecunUniform(_Scaled):
    keras_name, label = "LecunUniform", "LeCun uniform"
    help = "Uniform, by the inputs."
    scale, mode, distribution = 1.0, "fan_in", "uniform"


@registered
@dataclass(frozen=True)
class RandomUniform(Initialiser):
    minval: float = field(LEVEL, -0.05, label="Lowest", help="Bound of the distribution.")
    maxval: float = field(LEVEL, 0.05, label="Highest", help="Bound of the distribution.")

    keras_name, label = "RandomUniform", "Random uniform"
    proportional = ("minval", "maxval")
    help = "Uniform between two bounds."

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        # Like Keras, with the bounds in either order.
        return self.minval + (self.maxval - self.minval) * rng.random(shape)


@registered
@dataclass(frozen=True)
class Orthogonal(Initialiser):
    """Orthonormal rows or columns (Saxe et al. 2014), times `gain`."""

    gain: float = field(LEVEL, 1.0, label="Gain", help="Factor of the orthonormal matrix.")

    keras_name = label = "Orthogonal"
    proportional = ("gain",)
    help = "Orthonormal rows or columns."
    for_vectors, by_size = False, True

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        runs, inputs, units = shape
        drawn = rng.normal(size=(runs, max(inputs, units), min(inputs, units)))
        q, r = np.linalg.qr(drawn)
        q = self.gain * q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
        return q if inputs >= units else q.swapaxes(1, 2)


@registered
@dataclass(frozen=True)
class TruncatedNormal(Initialiser):
    mean: float = field(LEVEL, 0.0, label="Mean", help="Of the distribution.")
    stddev: float = field(
        WIDTH, 0.05, label="Standard deviation", help="Before it is truncated at twice that."
    )

    keras_name, label = "TruncatedNormal", "Truncated normal"
    proportional = ("mean", "stddev")
    help = "Normal, without what lies beyond two standard deviations."

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return self.mean + self.stddev * _truncated(shape, rng)


@registered
@dataclass(frozen=True)
class VarianceScaling(_Scaled):
    scale: float = field(
        Float(0, 1e6, step=0.1, above=True), 1.0, label="Scale", help="Of the variance."
    )
    mode: str = field(
        Choice(("fan_in", "fan_out", "fan_avg")),
        "fan_in",
        label="Mode",
        help="Whether the variance is divided by the inputs, the units, or their mean.",
    )
    distribution: str = field(
        Choice(("truncated_normal", "untruncated_normal", "uniform")),
        "truncated_normal",
        label="Distribution",
        help="What is drawn.",
    )

    keras_name, label = "VarianceScaling", "Variance scaling"
    help = "A variance by the number of inputs or units."


# --- the same in every run ----------------------------------------------------------------------


@registered
@dataclass(frozen=True)
class Ones(Initialiser):
    keras_name = label = "Ones"
    help = "All 1."
    random = False

    @property
    def level(self) -> float | None:
        return 1.0

    def scaled(self, factor: float) -> Initialiser:
        return Constant(factor)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.ones(shape)


@registered
@dataclass(frozen=True)
class Constant(Initialiser):
    value: float = field(LEVEL, 0.0, label="Value", help="Of every element.")

    keras_name = label = "Constant"
    proportional = ("value",)
    help = "All the same."
    random = by_name = False

    @property
    def level(self) -> float | None:
        return self.value

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.full(shape, self.value)


@registered
@dataclass(frozen=True)
class Identity(Initialiser):
    gain: float = field(LEVEL, 1.0, label="Gain", help="Factor of the identity matrix.")

    keras_name = label = "Identity"
    proportional = ("gain",)
    help = "1 on the diagonal, otherwise 0."
    random = for_vectors = False

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.broadcast_to(self.gain * np.eye(shape[1], shape[2]), shape)


@registered
@dataclass(frozen=True, eq=False)
class Given(Initialiser):
    """Values that are given, as by `set_weights`: float32, read-only, the same in every run.

    Two are equal, and hash alike, where their `digest` is the same.
    """

    values: np.ndarray = field(
        Numerical(), (), label="Values", help="In rows: the weights from one input each."
    )

    keras_name, label = "Constant", "Given"
    proportional = ("values",)
    help = "Numbers that are given."
    random = False

    @cached_property
    def digest(self) -> bytes:
        """BLAKE2 of the shape and all values."""
        made = hashlib.blake2b(repr(self.values.shape).encode(), digest_size=16)
        made.update(self.values.data)
        return made.digest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Given):
            return NotImplemented
        return self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple:
        # Made anew, the array is read-only again.
        return Given, (self.values,)

    def draw(self, shape: Shape, rng: np.random.Generator) -> np.ndarray:
        return np.broadcast_to(self.values, shape)

    def check_shape(self, name: str, shape: Shape) -> None:
        if self.values.shape != shape:
            raise InvalidExperiment(
                name, f"of shape {self.values.shape}", f"an array of shape {shape}"
            )

    def keras_options(self) -> dict[str, Any]:
        return {"value": self.values}

    def script(self) -> str:
        # By way of text, 0.1 in float32 is 0.1.
        return f"Constant(np.array({np.array(self.values.astype(str), float).tolist()}))"
