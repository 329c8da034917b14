"""The lines that prepare a script's rows as changed settings of `Data` say."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.entries import written
from core.experiment import Data
from core.script.loops import on_tape, outside, whole
from core.script.training import FIT
from core.script.values import Span
from core.sources import written_list

if TYPE_CHECKING:
    from core.script.edits import Editor


def prepare_rows(editor: Editor, before: Data, after: Data) -> str:
    """Add the lines that prepare the rows, before they are used.

    Returns:
        The code of `validation_data` where that is new, or "".

    Raises:
        CannotPatch: If the change is not one that such lines can make.
    """
    from core.script.patch import CannotPatch

    if before.source != after.source:
        raise CannotPatch("the rows themselves are others")
    names = _names(editor)
    x, y, held_out, fraction = names.x, names.y, names.held_out, names.fraction
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
    lines += _scaling(
        editor,
        _Scaling(before.scaling, before.divisor),
        _Scaling(after.scaling, after.divisor),
        [x, *held_out[:1]],
        fraction,
        constant=_constant(after, "inputs"),
    )
    lines += _scaling(
        editor,
        _Scaling(before.target_scaling, before.target_divisor),
        _Scaling(after.target_scaling, after.target_divisor),
        [y, *held_out[1:]],
        fraction,
        prefix=f"{y}_",
        constant=_constant(after, "targets"),
    )
    loop = None if names.before else outside(editor.source, names.span, (x, y))
    if loop is not None:
        editor.before_loop(loop, lines)
    else:
        editor.before(names.span, [*names.before, *lines])
    return validation


@dataclass
class _Names:
    """What the script calls its rows.

    Attributes:
        span: Of the call that takes them.
        before: Lines that give them these names.
    """

    x: str
    y: str
    held_out: list[str]
    fraction: float
    span: Span
    before: list[str]


def _names(editor: Editor) -> _Names:
    """The names of inputs and labels, those held out, and the fraction."""
    from core.script.patch import CannotPatch

    span = editor.places.rows or editor.places.fit
    if span is None:
        raise CannotPatch("the script has no fit")
    for node in ast.walk(ast.parse(editor.source)):
        if isinstance(node, ast.Call) and Span.of(node) == span:
            break
    else:
        raise CannotPatch("fit is not found")
    given = _arguments(node)
    if editor.places.looped and span == editor.places.fit:
        (x, y), place = _of_updates(editor, given, span)
        return _Names(x, y, [], 0.0, place, [])
    names: list[str] = []
    before: list[str] = []
    for which in ("x", "y"):
        value: ast.expr | None = given.get(which)
        if value is None:
            raise CannotPatch("fit does not name inputs and labels")
        if isinstance(value, ast.Name):
            names.append(value.id)
        elif getattr(node.func, "attr", "") in ("fit", "fit_generator"):
            name = {"x": "inputs", "y": "targets"}[which]
            before.append(f"{name} = {ast.get_source_segment(editor.source, value)}")
            editor.call(span).options[which] = name
            names.append(name)
        else:
            raise CannotPatch("inputs and labels have no names")
    held_out = _held_out(editor, given.get("validation_data"))
    held_out = [] if {*held_out} & {*names} else held_out
    fraction = given.get("validation_split")
    share = fraction.value if isinstance(fraction, ast.Constant) else 0.0
    kept = float(share) if isinstance(share, (int, float)) else 0.0
    return _Names(names[0], names[1], held_out, kept, span, before)


def _of_updates(editor: Editor, given: dict[str, ast.expr], span: Span) -> tuple[list[str], Span]:
    """The names of the arrays that a loop of single updates takes rows of, and where to scale them.

    Args:
        editor: Of the script.
        given: The arguments of the call that makes an update.
        span: Of that call.
    """
    from core.script.patch import CannotPatch

    parts = (given["x"], given["y"]) if "y" in given else on_tape(editor.source, span)
    found = None if parts is None else whole(editor.source, span, parts)
    if found is None:
        raise CannotPatch(
            "the training loop does not take its rows from named arrays, such as X[i:i + 20]"
        )
    return found


def _arguments(node: ast.Call) -> dict[str, ast.expr]:
    """The arguments of a call that takes the rows, by the names of those of `fit`."""
    arguments = node.args
    function = getattr(node.func, "attr", getattr(node.func, "id", ""))
    if function in ("cross_val_score", "cross_validate"):
        arguments = arguments[1:]
    if len(arguments) == 1 and isinstance(arguments[0], ast.Tuple):
        arguments = arguments[0].elts
    given: dict[str, ast.expr] = dict(zip(FIT, arguments, strict=False))
    return given | {k.arg.lower(): k.value for k in node.keywords if k.arg}


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


class _Scaling(NamedTuple):
    """How inputs or targets are scaled, and the divisor where they are divided."""

    kind: str
    divisor: float


def _scaling(
    editor: Editor,
    before: _Scaling,
    after: _Scaling,
    names: list[str],
    fraction: float,
    *,
    prefix: str = "",
    constant: bool,
) -> list[str]:
    """The lines that scale arrays as the training rows of the first are.

    Args:
        editor: Of the script.
        before, after: The scaling of the script, and the one that is wanted.
        names: Of the arrays.
        fraction: Of the rows of the first that `fit` holds out.
        prefix: Of the names of mean and spread.
        constant: Whether a column may be constant.
    """
    from core.script.patch import CannotPatch

    if after == before or after.kind == before.kind != "divide":
        return []
    if before.kind not in ("none", "divide") or after.kind == "none":
        raise CannotPatch("the script's own scaling would have to be removed")
    x, *rest = names
    if after.kind == "divide":
        if before.kind == "divide":
            raise CannotPatch("the script's own scaling would have to be removed")
        return [f"{name} = {name} / {written(after.divisor)}" for name in names]
    np_ = editor.numpy()
    mean, low, spread = f"{prefix}mean", f"{prefix}low", f"{prefix}spread"
    start = f"{x} = {np_}.asarray({x}, dtype=float)"
    fitted = f"{x}[:int(len({x}) * {written(round(1 - fraction, 10))})]" if fraction else x
    if after.kind == "standardise":
        made = f"{mean}, {spread} = {fitted}.mean(axis=0), {fitted}.std(axis=0)"
        scaled = f"({{0}} - {mean}) / {spread}"
    else:
        made = f"{low}, {spread} = {fitted}.min(axis=0), {np_}.ptp({fitted}, axis=0)"
        scaled = f"({{0}} - {low}) / {spread}"
    lines = [start, made]
    if constant:
        lines.append(f"{spread} = {np_}.where({spread} > 0, {spread}, 1)")
    return [*lines, *(f"{name} = {scaled.format(name)}" for name in (x, *rest))]


def _constant(data: Data, columns: str) -> bool:
    """Whether a column of the inputs or targets may be constant."""
    values = getattr(data.source, columns, None)
    return values is None or bool((np.ptp(values, axis=0) == 0).any()) or len(values) < 100
