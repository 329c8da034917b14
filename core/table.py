"""Rows that are given: inputs with classes, several labels or continuous targets."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.fields import InvalidExperiment
from core.sources import Drawn, Source, source, written_list
from core.streams import generator

SCRIPT_WIDTH = 88
"""Columns of a line in a script."""
MOST_ROWS, MOST_COLUMNS, MOST_OUTPUTS = 100_000, 1_000, 1_000
"""The most rows of a table, columns of its inputs, and labels or targets a row."""


@source
@dataclass(frozen=True, eq=False)
class Table(Source):
    """Rows that are given, the same in every run, with either labels or targets.

    Two are equal, and hash alike, where their `digest` is the same. The arrays are read-only.

    Args:
        inputs: Finite numbers, (rows, features): an array, or one sequence a row. They are kept as
            float32.
        labels: The class of each row, (rows,), counted from 0, whose written values are
            `Data.label_values`; or, with several labels a row, 0 or 1 for each, (rows, labels).
            They are kept as int32.
        targets: Continuous, (rows,) or (rows, outputs). They are kept as float32 (rows, outputs).

    Raises:
        InvalidExperiment: If the arrays are none of that, have more than MOST_ROWS rows (see
            `sampled`), or there are both labels and targets, or neither.
    """

    inputs: np.ndarray
    labels: np.ndarray | None = None
    targets: np.ndarray | None = None

    label = "Table"
    help = "Rows that are given."
    random = False

    def __post_init__(self) -> None:
        expected = "rows of finite numbers, all of one length"
        inputs = _numbers("inputs", self.inputs, (2,), np.float32, expected)
        if not 2 <= len(inputs) <= MOST_ROWS:
            expected = f"2 to {MOST_ROWS:,} {expected}"
            raise InvalidExperiment("inputs", f"{len(inputs)} rows", expected)
        _check_columns("inputs", inputs, MOST_COLUMNS)
        object.__setattr__(self, "inputs", inputs)
        if (self.labels is None) == (self.targets is None):
            given = "neither" if self.labels is None else "both"
            raise InvalidExperiment("labels and targets", given, "one of both")
        if self.labels is not None:
            object.__setattr__(self, "labels", _labels(self.labels, len(inputs)))
        else:
            expected = "finite numbers, as many a row"
            targets = _numbers("targets", self.targets, (1, 2), np.float32, expected)
            _check_rows("targets", targets, expected, len(inputs))
            targets = targets.reshape(len(targets), -1)
            _check_columns("targets", targets, MOST_OUTPUTS)
            object.__setattr__(self, "targets", targets)

    @classmethod
    def sampled(
        cls, inputs: Any, labels: Any = None, targets: Any = None, rows: int = MOST_ROWS
    ) -> tuple[Table, int]:
        """A table of at most `rows` rows, which are a random sample where there are more.

        The sample is the same each time, and in the order of the rows.

        Returns:
            The table, and how many rows were left out.
        """
        left_out = max(len(inputs) - rows, 0)
        arrays = [inputs, labels, targets]
        if left_out:
            chosen = np.sort(generator(0).permutation(len(inputs))[:rows])
            arrays = [None if a is None else np.asarray(a)[chosen] for a in arrays]
        return cls(*arrays), left_out

    @cached_property
    def digest(self) -> bytes:
        """BLAKE2 of the shapes and all values."""
        shape = repr(self.inputs.shape)
        if self.label_columns:
            shape += f" {self.label_columns} labels"
        if self.outputs:
            shape += f" {self.outputs} targets"
        made = hashlib.blake2b(shape.encode(), digest_size=16)
        made.update(self.inputs.data)
        made.update(self._learnt.data)
        return made.digest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self is other or self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple:
        # Made anew, the arrays are read-only again.
        return Table, (self.inputs, self.labels, self.targets)

    @property
    def _learnt(self) -> np.ndarray:
        learnt = self.targets if self.labels is None else self.labels
        assert learnt is not None, "a table has labels or targets"
        return learnt

    @property
    def features(self) -> int:
        return self.inputs.shape[1]

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return 0 if self.targets is None else self.targets.shape[1]

    @property
    def label_columns(self) -> int:  # type: ignore[override]
        return 0 if self.labels is None or self.labels.ndim == 1 else self.labels.shape[1]

    @cached_property
    def classes(self) -> int:  # type: ignore[override]
        if self.labels is None:
            return 0
        return 2 if self.labels.ndim == 2 else int(self.labels.max()) + 1

    @property
    def rows(self) -> int:
        return len(self.inputs)

    def draw(self, rng: np.random.Generator) -> Drawn:
        if self.labels is None:
            return self.inputs.astype(float), self._learnt.astype(float)
        return self.inputs.astype(float), self.labels.astype(int)

    @property
    def may_be_constant(self) -> bool:
        return True

    def script(self, values: Sequence[float]) -> tuple[str, tuple[str, ...]]:
        if self.labels is None:
            learnt, what = decimals(self._learnt), "targets"
            learnt = learnt[:, 0] if self.outputs == 1 else learnt
        else:
            learnt, what = np.asarray(values)[self.labels], "label"
            what = "labels" if self.label_columns else what
        return (
            f"One row of inputs after the other, and the {what} of each.",
            (*_array("x", decimals(self.inputs)), *_array("y", learnt)),
        )


def _labels(given: Any, rows: int) -> np.ndarray:
    expected = "one whole number from 0 a row, or 0 or 1 for each of several labels a row"
    labels = _numbers("labels", given, (1, 2), np.int32, expected)
    _check_rows("labels", labels, expected, rows)
    if labels.ndim == 2:
        _check_columns("labels", labels, MOST_OUTPUTS)
    if labels.min() < 0:
        raise InvalidExperiment("labels", labels.min(), expected)
    if labels.ndim == 2 and labels.max() > 1:
        raise InvalidExperiment("labels", labels.max(), "0 or 1 for each of several labels")
    return labels


def _check_rows(name: str, array: np.ndarray, expected: str, rows: int) -> None:
    if len(array) != rows:
        raise InvalidExperiment(name, f"{len(array)} {name}", f"{expected}: {rows}")


def _check_columns(name: str, array: np.ndarray, most: int) -> None:
    if not 1 <= array.shape[1] <= most:
        raise InvalidExperiment(name, f"{array.shape[1]} columns", f"1 to {most:,} columns")


def _array(name: str, values: np.ndarray) -> tuple[str, ...]:
    """The lines that make an array of one or two axes."""
    if values.ndim == 2:
        rows = (f"    {written_list(row)}," for row in values.tolist())
        return f"{name} = np.array([", *rows, "])"
    line = f"{name} = np.array({written_list(values.tolist())})"
    if len(line) <= SCRIPT_WIDTH:
        return (line,)
    wrapped = textwrap.wrap(f"{written_list(values.tolist())[1:-1]},", SCRIPT_WIDTH - 4)
    return f"{name} = np.array([", *(f"    {part}" for part in wrapped), "])"


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


def _numbers(
    name: str, values: Any, axes: tuple[int, ...], dtype: type, expected: str
) -> np.ndarray:
    """A read-only copy of this type. Raises InvalidExperiment for what it cannot hold."""
    try:
        given = np.asarray(values)
    except (TypeError, ValueError):  # rows of several lengths
        raise InvalidExperiment(name, "no table", expected) from None
    if given.dtype.kind not in "iuf" or given.ndim not in axes:
        raise InvalidExperiment(name, "no table", expected)
    with np.errstate(over="ignore", invalid="ignore"):
        # Row by row, as the digest reads it: a frame's values come column by column.
        array: np.ndarray = given.astype(dtype, order="C")
    wrong = ~np.isfinite(array) if dtype == np.float32 else array != given
    if wrong.any():
        raise InvalidExperiment(name, given[wrong][0].item(), expected)
    array.setflags(write=False)
    return array


_BLOCK = 2**14
"""Values whose decimals are looked for at once, few enough for the processor's cache."""
