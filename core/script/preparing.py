"""The lines that prepare a script's rows as changed settings of `Data` say."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import numpy as np

from core.entries import written
from core.experiment import Data
from core.script.training import FIT
from core.script.values import Span
from core.sources import written_list

if TYPE_CHECKING:
    from core.script.edits import Editor


def prepared_lines(editor: Editor, before: Data, after: Data) -> tuple[list[str], str]:
    """Lines before `fit`, and the code of its `validation_data` where that is new.

    Raises:
        LookupError: If the change is not one that lines before `fit` can make.
    """
    from core.script.patch import CannotPatch

    if before.source != after.source:
        raise CannotPatch("the rows themselves are others")
    x, y, held_out, fraction = _names(editor)
    lines: list[str] = []
    if after.shuffling != before.shuffling:
        if before.shuffling == "rows" and editor.places.shuffle:
            _repair_shuffle(editor)
        elif after.shuffling == "permutation":
            np_ = editor.numpy()
            lines.append(f"order = {np_}.random.permutation(len({x}))")
            lines.append(f"{x}, {y} = {x}[order], {y}[order]")
        else:
            raise CannotPatch("the order of the rows cannot be changed")
    labels = [y, *held_out[1:]]
    lines += _labels(editor, before, after, labels)
    validation = ""
    if after.hold_out != before.hold_out:
        if before.hold_out or fraction:
            raise CannotPatch("the script already holds rows out")
        editor.need("sklearn.model_selection", "train_test_split")
        held_out = [f"{x}_test", f"{y}_test"]
        lines.append(
            f"{x}, {held_out[0]}, {y}, {held_out[1]} = "
            f"train_test_split({x}, {y}, test_size={after.held_out_rows})"
        )
        validation = f"({held_out[0]}, {held_out[1]})"
    lines += _scaling(editor, before, after, [x, *held_out[:1]], fraction)
    return lines, validation


def _names(editor: Editor) -> tuple[str, str, list[str], float]:
    """The names of inputs and labels in the call of `fit`, those held out, and the fraction."""
    from core.script.patch import CannotPatch

    span = editor.places.fit
    if span is None:
        raise CannotPatch("the script has no fit")
    for node in ast.walk(ast.parse(editor.source)):
        if isinstance(node, ast.Call) and Span.of(node) == span:
            break
    else:
        raise CannotPatch("fit is not found")
    given: dict[str, ast.expr] = dict(zip(FIT, node.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    x, y = given.get("x"), given.get("y")
    names: list[str] = []
    for which, value in (("x", x), ("y", y)):
        if value is None:
            raise CannotPatch("fit does not name inputs and labels")
        if isinstance(value, ast.Name):
            names.append(value.id)
        else:
            name = {"x": "inputs", "y": "targets"}[which]
            editor.before(span, [f"{name} = {ast.get_source_segment(editor.source, value)}"])
            editor.call(span).options[which] = name
            names.append(name)
    held_out = _held_out(editor, given.get("validation_data"))
    fraction = given.get("validation_split")
    share = fraction.value if isinstance(fraction, ast.Constant) else 0.0
    return names[0], names[1], held_out, float(share) if isinstance(share, (int, float)) else 0.0


def _held_out(editor: Editor, value: ast.expr | None) -> list[str]:
    """The names of held-out inputs and labels."""
    if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) >= 2:
        names = [each.id for each in value.elts[:2] if isinstance(each, ast.Name)]
        return names if len(names) == 2 else []
    found = re.search(r"\.evaluate\(\s*(\w+)\s*,\s*(\w+)", editor.source)
    return [found.group(1), found.group(2)] if found and value is None else []


def _repair_shuffle(editor: Editor) -> None:
    """Shuffle rows with NumPy, which keeps all of them."""
    line = editor.places.shuffle
    rows = editor.source.split("\n")
    changed = re.sub(
        r"\b(?:random\.)?shuffle\(", f"{editor.numpy()}.random.shuffle(", rows[line - 1]
    )
    rows[line - 1] = changed
    # The only edit outside calls of Keras; nothing else is on that line.
    editor.source = "\n".join(rows)


def _labels(editor: Editor, before: Data, after: Data, names: list[str]) -> list[str]:
    if (after.encoding, after.label_values) == (before.encoding, before.label_values):
        return []
    np_ = editor.numpy()
    lines = []
    index = before.encoding == "index"
    if before.encoding == "one-hot":
        if after.encoding == "one-hot":
            return []
        lines += [f"{name} = {np_}.argmax({name}, axis=1)" for name in names]
        index = True
    trained = tuple(float(k) for k in range(after.source.classes)) if index else before.label_values
    wanted = after.targets
    if tuple(trained) != tuple(wanted):
        values = written_list(sorted(before.label_values))
        lines += [f"{name} = {np_}.searchsorted({values}, {name})" for name in names]
    if after.encoding == "one-hot":
        call = editor.home("utils", "to_categorical")
        lines += [f"{name} = {call}({name}, {after.source.classes})" for name in names]
    return lines


def _scaling(
    editor: Editor, before: Data, after: Data, names: list[str], fraction: float
) -> list[str]:
    from core.script.patch import CannotPatch

    if (after.scaling, after.divisor) == (before.scaling, before.divisor):
        return []
    if after.scaling == before.scaling != "divide":
        return []
    if before.scaling not in ("none", "divide") or after.scaling == "none":
        raise CannotPatch("the script's own scaling would have to be removed")
    x, *rest = names
    if after.scaling == "divide":
        if before.scaling == "divide":
            raise CannotPatch("the script's own scaling would have to be removed")
        return [f"{name} = {name} / {written(after.divisor)}" for name in names]
    np_ = editor.numpy()
    start = f"{x} = {np_}.asarray({x}, dtype=float)"
    fitted = f"{x}[:int(len({x}) * {written(round(1 - fraction, 10))})]" if fraction else x
    if after.scaling == "standardise":
        made = f"mean, spread = {fitted}.mean(axis=0), {fitted}.std(axis=0)"
        scaled = "({0} - mean) / spread"
    else:
        made = f"low, spread = {fitted}.min(axis=0), {np_}.ptp({fitted}, axis=0)"
        scaled = "({0} - low) / spread"
    lines = [start, made]
    if _constant(after):
        lines.append(f"spread = {np_}.where(spread > 0, spread, 1)")
    return [*lines, *(f"{name} = {scaled.format(name)}" for name in (x, *rest))]


def _constant(data: Data) -> bool:
    inputs = getattr(data.source, "inputs", None)
    return inputs is None or bool((np.ptp(inputs, axis=0) == 0).any()) or len(inputs) < 100
