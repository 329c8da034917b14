"""Where rows come from: one class a source, with all that is known of it.

A source says how its rows are drawn, how a script draws them, which settings it has, and the best
score that any model of its rows can reach. What the rows look like decides how they are pictured:
by the number of features, not by the source. `core.curve` and `core.table` have the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from core.entries import written
from core.fields import Checked, Float, Int, InvalidExperiment, Ranges, field, settings
from core.normal import normal_cdf
from core.streams import generator

CEILING_ROWS = 1_500
"""Fresh rows that the best possible accuracy is measured on: known to within 0.025 (95%)."""
Drawn = tuple[np.ndarray, np.ndarray]
"""Inputs, float64 (rows, features), and what is to be learnt of each row: its class, int (rows,);
the class of each of its labels, 0 or 1, int (rows, label columns); or its continuous targets,
float64 (rows, outputs)."""


class Source(Checked):
    """Rows with a class, several labels or continuous targets each.

    Attributes:
        label, help: In a control.
        random: Whether every run draws its own rows, unless the data have a seed.
        outputs: Number of continuous targets; 0 for a source of classes.
        label_columns: Number of labels a row, each of which is absent or present; 0 for a source
            of one class a row.
    """

    label: ClassVar[str]
    help: ClassVar[str]
    random: ClassVar[bool] = True
    outputs: int = 0
    label_columns: int = 0

    @property
    def features(self) -> int:
        """Columns of the inputs."""
        raise NotImplementedError

    @property
    def classes(self) -> int:
        """Number of classes; 2 with several labels a row, 0 with continuous targets."""
        raise NotImplementedError

    @property
    def rows(self) -> int:
        raise NotImplementedError

    def draw(self, rng: np.random.Generator) -> Drawn:
        """The inputs, and what is to be learnt of them."""
        raise NotImplementedError

    def ceiling(self) -> float | None:
        """The best accuracy, or R² of continuous targets, in expectation; None where unknown."""
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
            values: The label of each class; none with continuous targets.
        """
        raise NotImplementedError


SOURCES: dict[str, type[Source]] = {}
"""Every source by the name of its class."""

Class = TypeVar("Class", bound=type[Source])


def source(kind: Class) -> Class:
    """Register a source."""
    SOURCES[kind.__name__] = kind
    return kind


def of_class(kind: type[Source], source: Source) -> Source:
    """A source of another class, with the settings of `source` that both have, where allowed."""
    kept = {}
    for name in settings(kind).keys() & settings(source).keys():
        with suppress(InvalidExperiment):
            kept[name] = settings(kind)[name].kind.check(name, getattr(source, name))
    return kind(**kept)


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
        Ranges(2, 1_000),
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
        return replace(self, samples=max(rows // self.classes, 20 if self.classes <= 100 else 2))

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


def written_list(values: Iterable[float]) -> str:
    """Numbers as a list in Python."""
    return f"[{', '.join(written(value) for value in values)}]"


def _density(x: np.ndarray, low: float, high: float, noise: float) -> np.ndarray:
    width = high - low
    if noise == 0:
        inside = (x >= low - 1e-12) & (x <= high + 1e-12)
        return inside / width if width else inside.astype(float)
    if width <= 1e-6 * noise:
        return np.exp(-0.5 * ((x - low) / noise) ** 2) / noise
    return np.maximum(normal_cdf((x - low) / noise) - normal_cdf((x - high) / noise), 0) / width
