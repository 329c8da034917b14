"""What a statement may change, from its text alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from core.script.words import words

IN_PLACE = {"shuffle", "seed", "adapt"}
"""Functions that change their arguments, or what is drawn later."""
SHOWING = words(
    """
    evaluate predict predict_classes predict_proba summary save save_weights get_weights to_json
    head tail info describe plot hist show score count_params get_config
    """
)
"""Methods that change nothing."""
KEEPING = {*SHOWING, "fit", "fit_generator", "train_on_batch", "compile", "build"}
"""Methods after which a model's layers are still known, if whether they run is not."""

TRAINING = {"fit", "fit_generator", "train_on_batch", "apply_gradients", "compile"}
"""Calls that train a model, or say how."""
BUILDING = {"Sequential", "Model", *TRAINING}
"""Calls that make a model, or train it."""


def called_in(node: ast.stmt) -> Iterator[str]:
    """The last names of the functions that are called in a statement."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            yield getattr(inner.func, "attr", getattr(inner.func, "id", ""))


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without the bodies of functions that it defines."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            yield ast.Name(child.name, ast.Store())
        elif not isinstance(child, ast.Lambda):
            yield from inside(child)


def _base(node: ast.AST) -> str | None:
    """The name at the beginning of a dotted or subscripted expression."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def written(node: ast.stmt) -> Iterator[str]:
    """The names that a statement may change."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]
        return
    for inner in inside(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, (ast.Subscript, ast.Attribute)):
            if isinstance(inner.ctx, (ast.Store, ast.Del)) and (name := _base(inner)):
                yield name
        elif isinstance(inner, ast.Call):
            name = _base(inner.func)
            if name and isinstance(inner.func, ast.Attribute) and inner.func.attr not in SHOWING:
                yield name
            leaf = getattr(inner.func, "attr", getattr(inner.func, "id", ""))
            if leaf in IN_PLACE or isinstance(inner.func, ast.Name):
                yield from (each.id for each in inner.args if isinstance(each, ast.Name))


def methods(node: ast.stmt, name: str) -> Iterator[str]:
    """The methods of a name that a statement calls, and "=" where it assigns to it.

    The name may be that of an attribute: "self.model".
    """
    dotted = "." in name
    for inner in inside(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if (ast.unparse(inner.func.value) if dotted else _base(inner.func)) == name:
                yield inner.func.attr
        elif isinstance(inner, (ast.Attribute, ast.Name)) and isinstance(inner.ctx, ast.Store):
            target = ast.unparse(inner) if dotted else getattr(inner, "id", "")
            if target == name:
                yield "="
