"""The loops around a call in the text of a script."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection
from typing import NamedTuple

from core.script.values import Span

RANGES = ("range", "xrange")
Loop = ast.For | ast.While


class Repeated(NamedTuple):
    """A loop over `range(times)`, and where that call is; `times` is 0 where it is no number."""

    span: Span
    times: int


def around(text: str, span: Span) -> list[Loop]:
    """The loops around a call, the outermost first; of a function, those around its calls."""
    tree = ast.parse(text)
    loops, function = _around(tree, lambda node: Span.of(node) == span)
    if not loops and function:
        loops, _ = _around(tree, lambda node: getattr(node.func, "id", "") == function)
    return loops


def _around(tree: ast.AST, wanted: Callable[[ast.Call], bool]) -> tuple[list[Loop], str]:
    """The loops around the first call that is wanted, within its function, and that one's name."""
    waiting: list[tuple[ast.AST, list[Loop], str]] = [(tree, [], "")]
    while waiting:
        node, loops, function = waiting.pop()
        if isinstance(node, ast.Call) and wanted(node):
            return loops, function
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            loops, function = [], node.name
        elif isinstance(node, (ast.For, ast.While)):
            loops = [*loops, node]
        waiting.extend((child, loops, function) for child in ast.iter_child_nodes(node))
    return [], ""


def repeated(text: str, span: Span) -> Repeated | None:
    """The outermost loop over a range around a call."""
    for loop in around(text, span):
        call = loop.iter if isinstance(loop, ast.For) else None
        if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in RANGES:
            continue
        if len(call.args) == 1:
            count = getattr(call.args[0], "value", 0)
            return Repeated(Span.of(call), count if isinstance(count, int) else 0)
    return None


def outside(text: str, span: Span, names: Collection[str]) -> Span | None:
    """The outermost loop around a call, in its function, that changes none of these names."""
    for loop in _around(ast.parse(text), lambda node: Span.of(node) == span)[0]:
        stored = {
            inner.id
            for inner in ast.walk(loop)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
        }
        if not stored & {*names}:
            return Span.of(loop)
    return None
