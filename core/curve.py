"""A source of rows with one continuous target: a curve of known shape, and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.entries import named, written
from core.fields import Choice, Float, Int, field
from core.sources import Drawn, Source, source


@dataclass(frozen=True)
class Shape:
    """A function of one input, with mean 0 and variance 1 where the input is uniform on [-1, 1].

    Attributes:
        name: In a control.
        value: Element-wise.
        script: The same in Python, of an array x.
    """

    name: str
    value: Callable[[np.ndarray], np.ndarray]
    script: str


SHAPES = named(
    (
        Shape("line", lambda x: np.sqrt(3) * x, "np.sqrt(3) * x"),
        Shape("sine", lambda x: np.sqrt(2) * np.sin(np.pi * x), "np.sqrt(2) * np.sin(np.pi * x)"),
        Shape(
            "parabola",
            lambda x: np.sqrt(45 / 4) * (x**2 - 1 / 3),
            "np.sqrt(45 / 4) * (x**2 - 1 / 3)",
        ),
        Shape(
            "vee",
            lambda x: np.sqrt(12) * (np.abs(x) - 1 / 2),
            "np.sqrt(12) * (np.abs(x) - 1 / 2)",
        ),
        Shape("step", lambda x: np.where(x > 0, 1.0, -1.0), "np.where(x > 0, 1.0, -1.0)"),
    )
)


@source
@dataclass(frozen=True)
class Curve(Source):
    """Inputs uniform on [-1, 1], and a target that is a curve of each, summed, with normal noise.

    The target is offset + scale * (the sum of the shape over the features, divided by the square
    root of their number so that its variance is 1, + noise * a standard normal number).
    """

    samples: int = field(Int(2, 100_000, step=100), 1_000, label="Samples", help="Rows drawn.")
    features: int = field(Int(1, 100), 1, label="Features", help="Columns of the inputs.")
    shape: str = field(
        Choice(SHAPES), "sine", label="Shape", help="Of the target over each of the inputs."
    )
    noise: float = field(
        Float(0, 100),
        0.1,
        label="Noise",
        help="Standard deviation of the noise, relative to the target's without it.",
    )
    scale: float = field(
        Float(0, 1e9, above=True),
        1.0,
        label="Target scale",
        help="Standard deviation of the target without its noise.",
    )
    offset: float = field(
        Float(-1e9, 1e9), 0.0, label="Target offset", help="Added to every target."
    )

    label = "Curve"
    help = "A continuous target along a line or a curve."
    classes = 0
    outputs = 1

    @property
    def rows(self) -> int:
        return self.samples

    def draw(self, rng: np.random.Generator) -> Drawn:
        x = rng.uniform(-1, 1, (self.samples, self.features))
        y = SHAPES[self.shape].value(x).sum(axis=1) / np.sqrt(self.features)
        if self.noise:
            y = y + rng.normal(0, self.noise, len(y))
        return x, (self.offset + self.scale * y)[:, None]

    def ceiling(self) -> float:
        """The R² of the curve itself: the share of the variance that is not noise."""
        return 1 / (1 + self.noise**2)

    def with_rows(self, rows: int) -> Curve:
        return replace(self, samples=max(rows, 2))

    @property
    def span(self) -> tuple[float, float]:
        return -1.0, 1.0

    def script(self, values: Sequence[float]) -> tuple[str, tuple[str, ...]]:
        lines = [
            f"x = rng.uniform(-1, 1, ({self.samples:_}, {self.features}))",
            f"y = ({SHAPES[self.shape].script}).sum(axis=1) / np.sqrt({self.features})",
        ]
        if self.noise:
            lines.append(f"y = y + rng.normal(0, {written(self.noise)}, len(y))")
        if self.offset or self.scale != 1:
            lines.append(f"y = {written(self.offset)} + {written(self.scale)} * y")
        return "A target along a curve, with noise.", tuple(lines)
