"""Functions of a script: the names that a call of one begins with, and those that yield."""

from __future__ import annotations

import ast
from typing import Any

from core.script.values import Batches, Function, Unknown

HOME, SELF = " home", " self"
"""In the names of a running method, what `super()` needs; no name of a script has a space."""


def scope_of(
    function: Function, arguments: list[Any], options: dict[str, Any], line: int
) -> dict[str, Any] | Unknown:
    """The names with which a function begins; Unknown if an argument is missing."""
    node = function.node
    arguments = [*function.first, *arguments]
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    keywords = {each.arg for each in node.args.kwonlyargs}
    scope = {**function.closure, **function.defaults}
    scope.update(zip(names, arguments, strict=False))
    rest = {name: value for name, value in options.items() if name not in {*names, *keywords}}
    scope.update({name: value for name, value in options.items() if name not in rest})
    if node.args.vararg:
        scope[node.args.vararg.arg] = tuple(arguments[len(names) :])
    if node.args.kwarg:
        scope[node.args.kwarg.arg] = rest
    for name in (*names, *keywords):
        if name not in scope:
            return Unknown(f"the argument {name} is missing", line)
    if function.home is not None and function.first:
        scope |= {HOME: function.home, SELF: function.first[0]}
    return scope


def yields(node: ast.FunctionDef) -> bool:
    """Whether a function is a generator."""
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(inner, (ast.FunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(inner))
    return False


def generator(function: Function, scope: dict[str, Any], line: int) -> Batches:
    """What a call of a function that yields gives, whose rows are not evaluated."""
    name = getattr(function.node, "name", "a function")
    batch = scope.get("batch_size")
    known = batch if isinstance(batch, int) else None
    return Batches(f"the rows come from {name}, a generator of the script's own", line, known)
