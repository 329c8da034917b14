"""An uploaded table: what is in it, and what is left out, filled or sampled before it is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from core.experiment import Table
from core.script.standin import label_of
from core.script.uploads import archive_arrays, csv_table

MOST_ROWS = int(os.environ.get("PLATEAU_TABLE_ROWS", 20_000))
"""Rows that are read; of more, a random sample."""
DROP, FILL = "drop", "fill"
FEW = 20
"""Values from which on a text or a label is no class."""
IDENTIFIED = 0.99
"""The share of different values from which on a column identifies the rows."""

Rows: TypeAlias = "pd.DataFrame | dict[str, np.ndarray]"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: As its header says.
        kind: "number" or "text".
        missing: How many of its values are missing.
        different: How many values it has.
        remark: Why it should be looked at; "" where nothing stands out.
    """

    name: str
    kind: str
    missing: int
    different: int
    remark: str = ""


@dataclass(frozen=True)
class Facts:
    """What is in a table.

    Attributes:
        rows: Before any is left out.
        columns: In order; of an archive, its arrays.
        label: The column that is most likely the label; "" for an archive.
        sampled: How many rows were left out at random.
    """

    rows: int
    columns: tuple[Column, ...]
    label: str = ""
    sampled: int = 0

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return sum(column.missing for column in self.columns)


@dataclass(frozen=True)
class Uploaded:
    """An uploaded file with rows, and what becomes of them.

    Attributes:
        name: Of the file.
        content: Its bytes.
        label: The column of labels, which is never left out; "" for the likeliest.
        left_out: Names of columns.
        missing: DROP for leaving out rows with missing values, or FILL for the median of a number
            and the most frequent text.
    """

    name: str
    content: bytes
    label: str = ""
    left_out: tuple[str, ...] = ()
    missing: str = DROP

    def _all(self) -> Rows:
        if self.name.lower().endswith(".npz"):
            return archive_arrays(self.content)
        return csv_table(self.content)

    def rows(self) -> Rows:
        """The table to read a script with, or the arrays of an archive.

        Raises:
            BadUpload: If it is no table.
        """
        table = self._all()
        if isinstance(table, dict):
            return {name: _sampled_array(array) for name, array in table.items()}
        label = self.label or label_of(table)
        table = table.drop(
            columns=[name for name in self.left_out if name in table and name != label]
        )
        if table.isna().any().any():
            table = _filled(table, label) if self.missing == FILL else table.dropna()
        return table.iloc[_chosen(len(table))].reset_index(drop=True)

    def facts(self) -> Facts:
        """What is in it.

        Raises:
            BadUpload: If it is no table.
        """
        table = self._all()
        if isinstance(table, dict):
            arrays = tuple(
                Column(
                    name,
                    "number",
                    int(np.isnan(array).sum()) if array.dtype.kind == "f" else 0,
                    len(np.unique(array)),
                    f"shape {array.shape}",
                )
                for name, array in table.items()
            )
            rows = max((len(a) for a in table.values() if a.ndim), default=0)
            return Facts(rows, arrays, sampled=max(rows - MOST_ROWS, 0))
        table.columns = [str(name) for name in table.columns]
        label = self.label if self.label in table.columns else label_of(table)
        columns = tuple(_column(table, name, label) for name in table.columns)
        return Facts(len(table), columns, label, max(len(table) - MOST_ROWS, 0))


def identifiers(facts: Facts) -> tuple[str, ...]:
    """The columns that only tell the rows apart."""
    return tuple(column.name for column in facts.columns if column.remark == IDENTIFIER)


IDENTIFIER = "a different value in every row: possibly an identifier"
LEAK = "it determines the label by itself: possibly a leak"
CONSTANT = "the same value in every row"


def _column(table: pd.DataFrame, name: str, label: str) -> Column:
    values = table[name]
    number = pd.api.types.is_numeric_dtype(values)
    different = int(values.nunique())
    remark = ""
    if name != label:
        remark = _remark(values, table[label], number, different)
    return Column(name, "number" if number else "text", int(values.isna().sum()), different, remark)


def _remark(values: pd.Series, labels: pd.Series, number: bool, different: int) -> str:
    rows = int(values.notna().sum())
    if different <= 1:
        return CONSTANT
    whole = not number or bool((values.dropna() % 1 == 0).all())
    if rows >= FEW and whole and different >= IDENTIFIED * rows:
        return IDENTIFIER
    return LEAK if rows >= FEW and _tells(values, labels, number, different) else ""


def _tells(values: pd.Series, labels: pd.Series, number: bool, different: int) -> bool:
    """Whether a column decides the label in every row.

    By its value, where it has few of them; or, of two quantities, by a straight line.
    """
    known = values.notna() & labels.notna()
    values, labels = values[known], labels[known]
    if labels.nunique() < 2:
        return False
    if different <= FEW and labels.nunique() <= FEW:
        return bool((labels.groupby(values).nunique() == 1).all())
    if number and pd.api.types.is_numeric_dtype(labels) and labels.nunique() > FEW:
        return bool(abs(np.corrcoef(values, labels)[0, 1]) > 0.9999)
    return False


def _filled(table: pd.DataFrame, label: str) -> pd.DataFrame:
    table = table.dropna(subset=[label]).copy()
    for name in table.columns[table.isna().any()]:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values):
            table[name] = values.fillna(values.median())
        else:
            table[name] = values.fillna(values.mode().iloc[0] if values.notna().any() else "")
    return table


def _chosen(rows: int) -> np.ndarray:
    """The rows that `Table.sampled` keeps."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    numbers = np.arange(rows, dtype=float)[:, None]
    table, _ = Table.sampled(numbers, targets=numbers, rows=MOST_ROWS)
    return table.inputs[:, 0].astype(int)


def _sampled_array(array: np.ndarray) -> np.ndarray:
    return array[_chosen(len(array))] if array.ndim else array
