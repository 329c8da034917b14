"""pandas as a script may use it, and the files that it reads, which an uploaded table replaces."""

from __future__ import annotations

import ast
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.script.values import Array, Bound, Function, Missing, Symbol, Unknown, plain
from core.script.words import words

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

READ_OPTIONS = words(
    """
    sep delimiter header names index_col usecols skiprows na_values delim_whitespace decimal
    """
)
SEPARATORS = {r"\s+", r"\s*,\s*", ", ", "\\t", "; ", r"\s*;\s*"}
"""Separators of more than a character that are taken."""
READERS = words("read_csv read_table read_excel read_json read_parquet read_pickle")
METHODS = words(
    """
    drop dropna fillna head tail sample copy astype to_numpy reset_index set_index isnull isna
    notnull sum mean std min max median mode abs round map replace unique nunique value_counts
    select_dtypes pop tolist clip shift diff rename sort_values sort_index drop_duplicates
    between isin eq ne gt lt ge le any all count var quantile join to_list ravel reshape
    to_frame get apply applymap
    """
)
SILENT = words("info describe plot hist boxplot to_csv corr")
ATTRIBUTES = words("shape columns values index size dtypes T empty ndim")
TEXT_METHODS = words("lower upper strip lstrip rstrip replace contains len title")
PLACES = words("loc iloc at iat")
FUNCTIONS = words("get_dummies concat factorize to_numeric isnull isna merge cut qcut")
LARGEST = 20_000_000
"""Bytes of a file that is read."""


def loaded(script: Evaluator, reader: str, name: Any, options: dict, line: int) -> Any:
    """What a script reads from a file: the uploaded table, or Unknown."""
    table = script.table
    if isinstance(name, Bound) and isinstance(name.owner, str):
        # A text of the script's own.
        table = name.owner.encode()
    if table is None:
        return not_here(script, name, line)
    if isinstance(table, dict):
        return {key: Array.of(np.asarray(value)) for key, value in table.items()}
    known = {key: plain(value) for key, value in options.items() if key in READ_OPTIONS}
    for key in ("sep", "delimiter"):
        # Longer ones are regular expressions.
        if len(str(known.get(key) or "")) > 1 and known[key] not in SEPARATORS:
            return Unknown(f"the separator {known[key]!r} is not understood", line)
    if reader in ("loadtxt", "genfromtxt"):
        rows = {"skiprows": known.get("skiprows", options.get("skip_header", 0)), "header": None}
        if isinstance(table, pd.DataFrame):
            numbers = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
            return Array.of(numbers)
        separator = known.get("delimiter") or r"\s+"
        frame = pd.read_csv(io.BytesIO(table), sep=separator, **rows)
        return Array.of(frame.apply(pd.to_numeric, errors="coerce").to_numpy(float))
    if isinstance(table, pd.DataFrame):
        frame = table.copy()
        if "names" in known:
            frame.columns = known["names"]
        elif "header" in known and known["header"] is None:
            frame.columns = range(frame.shape[1])
        return frame
    if known.pop("delim_whitespace", False):
        known["sep"] = r"\s+"
    return pd.read_csv(io.BytesIO(table[:LARGEST]), **known)


def not_here(script: Evaluator, name: Any, line: int) -> Unknown:
    """What a script reads from a file that is not here, by its path or address."""
    shown = re.split(r"[/\\]", name)[-1] if isinstance(name, str) else "the file"
    script.wanted.append((shown, line))
    return Unknown(f"{shown} is not here", line)


def called(
    script: Evaluator, name: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a function of pandas."""
    line = node.lineno
    if name in READERS:
        return loaded(script, name, arguments[0] if arguments else None, options, line)
    if name in ("DataFrame", "Series"):
        made = getattr(pd, name)(*plain(arguments), **plain(options))
        script.budget.size(made.size)
        return made
    if name.startswith(("set_option", "options")):
        return None
    if name not in FUNCTIONS:
        return Unknown(f"pandas.{name} is not understood", line)
    values, named = plain(arguments), plain(options)
    script.budget.size(sum(getattr(value, "size", 1) for value in values))
    result = getattr(pd, name)(*values, **named)
    script.budget.size(getattr(result, "size", 1))
    return Array.of(result) if isinstance(result, np.ndarray) else result


def attribute(frame: Any, name: str, line: int) -> Any:
    """An attribute of a table or column; a column itself where it has this name."""
    if isinstance(frame, pd.DataFrame) and name in frame.columns:
        return frame[name]
    if isinstance(frame, Bound):
        return _accessed(frame, name, line)
    if name == "values":
        return _array(frame.to_numpy(), line)
    if name in PLACES or name in METHODS or name in SILENT or name in ("cat", "str"):
        return Bound(frame, name)
    if name == "columns":
        return list(frame.columns)
    if name == "shape":
        return tuple(int(side) for side in frame.shape)
    if name in ATTRIBUTES:
        return getattr(frame, name)
    return Unknown(f".{name} of a table is not understood", line)


def _accessed(accessor: Bound, name: str, line: int) -> Any:
    """What `.str` and `.cat` of a column give."""
    column = accessor.owner
    if accessor.name == "cat" and name in ("codes", "categories"):
        result = getattr(column.cat, name)
        return result if name == "codes" else list(result)
    if accessor.name == "str" and name in TEXT_METHODS:
        return Bound(accessor, name)
    return Unknown(f".{accessor.name}.{name} is not understood", line)


def of_text(accessor: Bound, name: str, arguments: list[Any], options: dict) -> Any:
    """The result of a method of `.str`, without regular expressions."""
    named = plain(options)
    if name in ("replace", "contains", "split"):
        named["regex"] = False
    return getattr(accessor.owner.str, name)(*plain(arguments), **named)


def _array(value: np.ndarray, line: int) -> Any:
    if value.dtype == object:
        try:
            return Array.of(value.astype(float))
        except (TypeError, ValueError):
            return Array.of(value)
    return Array.of(value)


def located(owner: Bound, index: Any) -> Any:
    """A part by `loc` or `iloc`."""
    return _value(getattr(owner.owner, owner.name)[index])


def selected(frame: Any, index: Any, line: int) -> Any:
    """A column, several, or the rows of a condition."""
    if isinstance(index, tuple) and isinstance(frame, pd.DataFrame):
        raise Missing(Unknown("this part of the table is not understood", line))
    if isinstance(index, str) and index not in getattr(frame, "columns", [index]):
        raise Missing(Unknown(f"the table has no column {index!r}", line))
    return _value(frame[index])


def _value(result: Any) -> Any:
    return Array.of(result) if isinstance(result, np.ndarray) else result


def method(
    script: Evaluator, frame: Any, name: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a method of a table or column."""
    if name in SILENT:
        return None
    script.budget.size(frame.size)
    if name in ("map", "apply", "applymap") and arguments:
        function = arguments[0]
        if isinstance(function, (Function, Symbol)):
            if not isinstance(frame, pd.Series):
                return Unknown(f"{name} on a table is not understood", node.lineno)
            results = [plain(script.call(function, [item], {}, node)) for item in frame]
            return pd.Series(results, index=frame.index, name=frame.name)
        if name != "map" or not isinstance(function, (dict, pd.Series)):
            # pandas takes the name of any of its methods, and some of them write files.
            return Unknown(f"{name} of this is not understood", node.lineno)
    values, named = plain(arguments), plain(options)
    if name == "sample" and named.get("random_state") is None:
        stream = script.draws.numpy
        script.draws.unseeded |= not stream.seeded
        named["random_state"] = stream.generator
    if name == "reset_index":
        named.setdefault("drop", False)
    if name == "reshape":
        return script.call(Bound(_array(frame.to_numpy(), node.lineno), name), arguments, {}, node)
    if named.get("regex"):
        return Unknown("regular expressions are not evaluated", node.lineno)
    in_place = named.pop("inplace", False) is True
    result = getattr(frame, name)(*values, **named)
    if in_place and isinstance(node.func, ast.Attribute):
        # Also of a column of a table, which pandas gives as a copy.
        script.assign(node.func.value, result)
        return None
    if isinstance(result, np.ndarray):
        return _array(result, node.lineno)
    if hasattr(result, "iloc") or isinstance(result, (int, float, str, list, bool, np.generic)):
        return result
    return (
        Unknown(f".{name} of a table is not understood", node.lineno)
        if result is not None
        else None
    )
