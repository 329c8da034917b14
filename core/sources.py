"""Where rows come from: one class a source, with all that is known of it.

A source says how its rows are drawn, how a script draws them, which settings it has, and the best
accuracy that any classifier of its rows can reach. What the rows look like decides how they are
pictured: by the number of features, not by the source.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np

from core.entries import written
from core.fields import Checked, Float, Int, InvalidExperiment, Ranges, field
from core.normal import normal_cdf
from core.streams import generator

CEILING_ROWS = 1_500
"""Fresh rows that the best possible accuracy is measured on: known to within 0.025 (95%)."""
SCRIPT_WIDTH = 88
"""Columns of a line in a script."""

Drawn = tuple[np.ndarray, np.ndarray]
"""Inputs, float64 (rows, features), and the class of each row, int (rows,)."""


class Source(Checked):
    """Rows with a class each.

    label, help: in a control. random: every run draws its own rows, unless the data have a seed.
    """

    label: ClassVar[str]
    help: ClassVar[str]
    random: ClassVar[bool] = True

    @property
    def features(self) -> int:
        """Columns of the inputs."""
        raise NotImplementedError

    @property
    def classes(self) -> int:
        raise NotImplementedError

    @property
    def rows(self) -> int:
        raise NotImplementedError

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Inputs, float64 (rows, features), and the class of each row, int (rows,)."""
        raise NotImplementedError

    def ceiling(self) -> float | None:
        """The best accuracy that a classifier can have, in expectation; None where unknown."""
        return None

    def with_rows(self, rows: int) -> Source:
        """The same with about so many rows, where it can have any number."""
        return self

    @property
    def may_be_constant(self) -> bool:
        """Whether all rows may have the same value of a feature."""
        return False

    @property
    def span(self) -> tuple[float, float] | None:
        """Where the values of the one feature lie; None to take them from the rows."""
        return None

    @property
    def boundary(self) -> float | None:
        """The value of the one feature at which the class changes; None where there is none."""
        return None

    def script(self, values: Sequence[float]) -> tuple[str, tuple[str, ...]]:
        """A sentence, and the lines that make x and y from `np` and, where random, `rng`.

        Args:
            values: the label of each class.
        """
        raise NotImplementedError


SOURCES: dict[str, type[Source]] = {}
"""Every source by the name of its class."""

Class = TypeVar("Class", bound=type[Source])


def source(kind: Class) -> Class:
    """Register a source."""
    SOURCES[kind.__name__] = kind
    return kind


SAMPLES = Int(2, 100_000, step=100)
SAMPLES_DESCRIBED: dict[str, Any] = {
    "label": "Samples per class",
    "help": "Rows drawn for each class.",
}


@source
@dataclass(frozen=True)
class Threshold(Source):
    """Whole numbers drawn uniformly from [0, threshold) (class 0) and [threshold, 2 threshold).

    `samples` rows a class, the classes alternating; one feature.
    """

    threshold: int = field(
        Int(1, 1_000_000_000, step=1_000),
        50_000,
        label="Threshold",
        help="Numbers below it are class 0; those from it up to twice as much are class 1.",
    )
    samples: int = field(SAMPLES, 5_000, **SAMPLES_DESCRIBED)

    label = "Threshold"
    help = "Whole numbers below and above a threshold."
    features = 1
    classes = 2

    @property
    def rows(self) -> int:
        return self.samples * self.classes

    def draw(self, rng: np.random.Generator) -> Drawn:
        below = rng.integers(0, self.threshold, self.samples)
        above = rng.integers(self.threshold, 2 * self.threshold, self.samples)
        inputs = np.column_stack([below, above]).reshape(-1, 1).astype(float)
        return inputs, np.tile([0, 1], self.samples)

    def ceiling(self) -> float:
        return 1.0

    @property
    def span(self) -> tuple[float, float]:
        return 0.0, 2.0 * self.threshold

    @property
    def boundary(self) -> float:
        return float(self.threshold)

    def with_rows(self, rows: int) -> Threshold:
        return replace(self, samples=max(rows // self.classes, SAMPLES.low))

    def script(self, values: Sequence[float]) -> tuple[str, tuple[str, ...]]:
        limit, samples = self.threshold, self.samples
        return (
            f"Whole numbers: those below {limit:,} have one label, those from it up the other.",
            (
                f"below = rng.integers(0, {limit:_}, {samples:_})",
                f"above = rng.integers({limit:_}, {2 * limit:_}, {samples:_})",
                "x = np.column_stack([below, above]).reshape(-1, 1)",
                f"y = np.tile({written_list(values)}, {samples:_})",
            ),
        )


@source
@dataclass(frozen=True)
class Blobs(Source):
    """One square cluster a class: every feature uniform in the class's own (low, high).

    `samples` rows a class, one class after the other. `overlap` moves each cluster towards the
    first: 0 leaves it where it is, 1 puts its centre on the first one's. `noise` is the standard
    deviation of normal noise that is added to every feature, in the features' own unit.
    """

    bounds: tuple[tuple[float, float], ...] = field(
        Ranges(2, 100),
        ((0.2, 0.4), (0.5, 0.7)),
        label="Bounds",
        help="Every feature of a class is drawn uniformly between the class's two bounds.",
    )
    samples: int = field(SAMPLES, 200, **SAMPLES_DESCRIBED)
    features: int = field(Int(1, 100), 2, label="Features", help="Columns of the inputs.")
    overlap: float = field(
        Float(0, 1),
        0.0,
        label="Overlap",
        help="Moves each cluster towards the first; at 1 they have the same centre.",
    )
    noise: float = field(
        Float(0, 1e6, step=0.01),
        0.0,
        label="Noise",
        help="Standard deviation of normal noise on every feature, in its own unit.",
    )

    label = "Clusters"
    help = "One square cluster of points a class."

    @property
    def classes(self) -> int:
        return len(self.bounds)

    @property
    def rows(self) -> int:
        return self.samples * self.classes

    @property
    def clusters(self) -> tuple[tuple[float, float], ...]:
        """The bounds of each cluster where the overlap has moved it to."""
        centre = sum(self.bounds[0]) / 2
        moved = []
        for low, high in self.bounds:
            shift = self.overlap * (centre - (low + high) / 2)
            moved.append((low + shift, high + shift))
        return tuple(moved)

    def draw(self, rng: np.random.Generator) -> Drawn:
        shape = (self.samples, self.features)
        inputs = np.concatenate([rng.uniform(low, high, shape) for low, high in self.clusters])
        if self.noise:
            inputs += rng.normal(0, self.noise, inputs.shape)
        return inputs, np.repeat(np.arange(self.classes), self.samples)

    def ceiling(self) -> float:
        """The accuracy of the best possible classifier, over fresh rows.

        It chooses the class with the highest density: a product over the features of a uniform
        density, convolved with the normal noise.
        """
        x, classes = self.with_rows(CEILING_ROWS).draw(generator(0, 2))
        scores = np.empty((len(x), self.classes))
        for k, (low, high) in enumerate(self.clusters):
            with np.errstate(divide="ignore"):
                scores[:, k] = np.log(_density(x, low, high, self.noise)).sum(axis=1)
        # Equal densities are a coin toss between the classes, not a win for the first one.
        best = scores == scores.max(axis=1, keepdims=True)
        right = best[np.arange(len(x)), classes] / best.sum(axis=1)
        return float(right.mean())

    def with_rows(self, rows: int) -> Blobs:
        return replace(self, samples=max(rows // self.classes, 20))

    @property
    def may_be_constant(self) -> bool:
        return not self.noise and any(low == high for low, high in self.bounds)

    def script(self, values: Sequence[float]) -> tuple[str, tuple[str, ...]]:
        text = "One cluster of points a label; the bounds of a cluster hold for all its features."
        if self.overlap:
            text += f" Each is moved {self.overlap:.0%} of the way to the first."
        bounds = ", ".join(f"({written(low)}, {written(high)})" for low, high in self.clusters)
        lines = [
            f"bounds = [{bounds}]",
            "x = np.concatenate([",
            f"    rng.uniform(low, high, ({self.samples:_}, {self.features})) "
            "for low, high in bounds",
            "])",
        ]
        if self.noise:
            lines.append(f"x += rng.normal(0, {written(self.noise)}, x.shape)")
        lines.append(f"y = np.repeat({written_list(values)}, {self.samples:_})")
        return text, tuple(lines)


@source
@dataclass(frozen=True, eq=False)
class Table(Source):
    """Rows that are given, the same in every run.

    Two are equal, and hash alike, where their `digest` is the same.

    Args:
        inputs: finite numbers, (rows, features): an array, or one sequence a row. They are kept as
            float32, read-only.
        labels: the class of each row, counted from 0, whose written values are
            `Data.label_values`. Labels on a continuous scale are one class a distinct value.
            They are kept as int32, read-only.
    """

    inputs: np.ndarray
    labels: np.ndarray

    label = "Table"
    help = "Rows that are given."
    random = False

    def __post_init__(self) -> None:
        expected = "rows of finite numbers, all of one length"
        inputs = _numbers("inputs", self.inputs, 2, np.float32, expected)
        if not 2 <= len(inputs) <= 100_000:
            raise InvalidExperiment("inputs", f"{len(inputs)} rows", f"2 to 100,000 {expected}")
        if not 1 <= inputs.shape[1] <= 1_000:
            raise InvalidExperiment("inputs", f"{inputs.shape[1]} columns", "1 to 1,000 columns")
        expected = "one whole number from 0 a row"
        labels = _numbers("labels", self.labels, 1, np.int32, expected)
        if len(labels) != len(inputs):
            raise InvalidExperiment("labels", f"{len(labels)} labels", f"{expected}: {len(inputs)}")
        if labels.min() < 0:
            raise InvalidExperiment("labels", labels.min(), expected)
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "labels", labels)

    @cached_property
    def digest(self) -> bytes:
        """BLAKE2 of the shape and all values."""
        made = hashlib.blake2b(repr(self.inputs.shape).encode(), digest_size=16)
        made.update(self.inputs.data)
        made.update(self.labels.data)
        return made.digest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple:
        # Made anew, the arrays are read-only again.
        return Table, (self.inputs, self.labels)

    @property
    def features(self) -> int:
        return self.inputs.shape[1]

    @cached_property
    def classes(self) -> int:  # type: ignore[override]
        return int(self.labels.max()) + 1

    @property
    def rows(self) -> int:
        return len(self.inputs)

    def draw(self, rng: np.random.Generator) -> Drawn:
        return decimals(self.inputs), self.labels.astype(int)

    @property
    def may_be_constant(self) -> bool:
        return True

    def script(self, values: Sequence[float]) -> tuple[str, tuple[str, ...]]:
        rows = (f"    {written_list(row)}," for row in decimals(self.inputs).tolist())
        labels = written_list([values[k] for k in self.labels])
        line = f"y = np.array({labels})"
        if len(line) > SCRIPT_WIDTH:
            wrapped = textwrap.wrap(f"{labels[1:-1]},", SCRIPT_WIDTH - 4)
            lines = ["y = np.array([", *(f"    {part}" for part in wrapped), "])"]
        else:
            lines = [line]
        return (
            "One row of inputs after the other, and the label of each.",
            ("x = np.array([", *rows, "])", *lines),
        )


def decimals(array: np.ndarray) -> np.ndarray:
    """float32 as the shortest decimals that read back as the same, in float64.

    0.1 in float32 is 0.10000000149011612 in float64, and becomes 0.1: what was given, to about
    seven digits.
    """
    out = array.astype(float)
    flat = out.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        # Whole numbers below 2**24 are exact.
        rest = np.flatnonzero((block != np.rint(block)) | (np.abs(block) >= 2**24))
        for digits in range(6, 10):
            if not rest.size:
                break
            values = block[rest]
            places = digits - 1 - np.floor(np.log10(np.abs(values))).astype(int)
            # A quotient of two numbers that float64 holds is the nearest to the decimal.
            power = 10.0 ** np.clip(np.abs(places), 0, 22)
            rounded = np.where(
                places >= 0, np.rint(values * power) / power, np.rint(values / power) * power
            )
            same = (rounded.astype(np.float32) == values) & (np.abs(places) <= 22)
            block[rest[same]] = rounded[same]
            rest = rest[~same]
        # Beyond the powers of 10 that float64 holds.
        block[rest] = [float(text) for text in block[rest].astype(np.float32).astype(str)]
    return out


def written_list(values: Iterable[float]) -> str:
    """Numbers as a list in Python."""
    return f"[{', '.join(written(value) for value in values)}]"


def _numbers(name: str, values: Any, axes: int, dtype: type, expected: str) -> np.ndarray:
    """A read-only copy of this type. Raises InvalidExperiment for what it cannot hold."""
    try:
        given = np.asarray(values)
    except (TypeError, ValueError):  # rows of several lengths
        raise InvalidExperiment(name, "no table", expected) from None
    if given.dtype.kind not in "iuf" or given.ndim != axes:
        raise InvalidExperiment(name, "no table", expected)
    with np.errstate(over="ignore", invalid="ignore"):
        array: np.ndarray = given.astype(dtype)
    wrong = ~np.isfinite(array) if dtype == np.float32 else array != given
    if wrong.any():
        raise InvalidExperiment(name, given[wrong][0].item(), expected)
    array.setflags(write=False)
    return array


def _density(x: np.ndarray, low: float, high: float, noise: float) -> np.ndarray:
    width = high - low
    if noise == 0:
        inside = (x >= low - 1e-12) & (x <= high + 1e-12)
        return inside / width if width else inside.astype(float)
    if width <= 1e-6 * noise:
        return np.exp(-0.5 * ((x - low) / noise) ** 2) / noise
    return np.maximum(normal_cdf((x - low) / noise) - normal_cdf((x - high) / noise), 0) / width


_BLOCK = 2**14
"""Values whose decimals are looked for at once, few enough for the processor's cache."""
