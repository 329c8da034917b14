"""The description of the data: where rows come from, and their preprocessing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.fields import Checked, Choice, Float, Instance, Int, Numbers, Optional, field
from core.sources import SOURCES, Source

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

    source: Source = field(
        Instance(SOURCES), label="Source", help="What the rows are, and how they are drawn."
    )
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
