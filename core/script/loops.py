"""The loops around a call in the text of a script, and the arrays whose parts they take."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from core.script.values import Span

RANGES = ("range", "xrange")
Loop = ast.For | ast.While
SAME_ROWS = ("constant", "convert_to_tensor", "cast", "asarray", "array")
"""Functions that give the rows that they take."""
MOST_CALLS = 5
"""Functions that hand rows on to each other."""


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


def on_tape(text: str, span: Span) -> tuple[ast.expr, ast.expr] | None:
    """The rows that the model gets on a tape, and the labels that its loss gets.

    Args:
        text: Of a script.
        span: Of the call of `apply_gradients`.
    """
    scope = _scope(ast.parse(text), span)
    assigned = _assigned(scope)
    for node in [] if scope is None else ast.walk(scope):
        if isinstance(node, ast.Call) and len(node.args) >= 2:
            pair = node.args[:2]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            pair = [node.left, node.right]
        else:
            continue
        for labels, output in (pair, pair[::-1]):
            made = assigned.get(getattr(output, "id", ""), output)
            # A loss has two arguments, and functions of libraries are attributes.
            if isinstance(made, ast.Call) and len(made.args) == 1 and _is_own(made.func):
                return made.args[0], labels
    return None


def whole(text: str, span: Span, parts: Sequence[ast.expr]) -> tuple[list[str], Span] | None:
    """The names of the arrays that an update takes parts of, where they have names.

    Args:
        text: Of a script.
        span: Of the call that makes the update.
        parts: The expressions of the parts.

    Returns:
        The names, and the call at which they are known: that of the function that makes the
        update, if the parts are its arguments.
    """
    tree = ast.parse(text)
    values = list(parts)
    for _ in range(MOST_CALLS):
        scope = _scope(tree, span)
        assigned = _assigned(scope)
        values = [_array(value, assigned) for value in values]
        names = [value.id for value in values if isinstance(value, ast.Name)]
        if len(names) < len(parts):
            return None
        if not isinstance(scope, ast.FunctionDef):
            return names, span
        taken = [each.arg for each in scope.args.args]
        called = next((call for call in _calls(tree) if _name(call) == scope.name), None)
        if called is None or not {*names} <= {*taken}:
            return names, span
        taken = taken[taken[:1] == ["self"] :]
        given = dict(zip(taken, called.args, strict=False))
        given |= {each.arg: each.value for each in called.keywords if each.arg}
        if not {*names} <= {*given}:
            return None
        values, span = [given[name] for name in names], Span.of(called)
    return None


def _is_own(function: ast.expr) -> bool:
    """Whether a function has a name of the script's own, such as `model` or `self.model`."""
    return isinstance(function, ast.Name) or ast.unparse(function).startswith("self.")


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _scope(tree: ast.AST, span: Span) -> ast.AST | None:
    """The outermost loop around a call in its function, or else that function."""
    loops, function = _around(tree, lambda node: Span.of(node) == span)
    if loops:
        return loops[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return node
    return None


def _assigned(scope: ast.AST | None) -> dict[str, ast.expr]:
    """The expressions of the names that are assigned in a loop or function."""
    found: dict[str, ast.expr] = {}
    for node in [] if scope is None else ast.walk(scope):
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs = list(zip(target.elts, value.elts, strict=False))
        found |= {name.id: value for name, value in pairs if isinstance(name, ast.Name)}
    return found


def _array(value: ast.expr, assigned: dict[str, ast.expr]) -> ast.expr:
    """The array that an expression is a part of."""
    for _ in range(MOST_CALLS):
        if isinstance(value, ast.Subscript):
            value = value.value
        elif isinstance(value, ast.Call) and value.args and _name(value) in SAME_ROWS:
            value = value.args[0]
        elif isinstance(value, ast.Name) and value.id in assigned:
            value = assigned[value.id]
    return value
