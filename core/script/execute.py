"""The statements of a script, evaluated one after the other, with a record of which were needed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.script import builtin
from core.script.budget import DEPTH
from core.script.draws import Draws
from core.script.evaluate import Evaluator
from core.script.names import canonical
from core.script.values import (
    Array,
    Bound,
    Exhausted,
    Function,
    KerasCall,
    Missing,
    ModelValue,
    Unknown,
)
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
HARMLESS = {"fit", "compile", "build"}
"""Methods after which a model's layers are still known, if whether they run is not."""


class _Returned(Exception):
    def __init__(self, value: Any):
        self.value = value


class _Broken(Exception):
    pass


class _Continued(Exception):
    pass


@dataclass
class Executed:
    """A statement that was evaluated.

    Attributes:
        node: The statement.
        reads, writes: The names that it reads and changes.
        essential: Whether it builds, compiles or fits a model.
        unknown: Why its value is not known, if it is not.
    """

    node: ast.stmt
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    essential: bool = False
    unknown: Unknown | None = None


class Interpreter(Evaluator):
    """Evaluates a script.

    Attributes:
        executed: The statements that were evaluated, by their first line.
    """

    def __init__(self, table: Any = None):
        super().__init__()
        self.executed: dict[int, Executed] = {}
        self.models = []
        self.draws = Draws()
        self.table = table
        self.wanted = []
        self.remarks = []
        self._running: list[Executed] = []

    def essential(self) -> None:
        """The statement that runs now, and all around it, are needed."""
        for each in self._running:
            each.essential = True

    def run(self, tree: ast.Module) -> None:
        """Evaluate all statements."""
        for statement in tree.body:
            try:
                with np.errstate(all="ignore"):
                    self.execute(statement)
            except (Exhausted, RecursionError, MemoryError) as error:
                reason = str(error) if isinstance(error, Exhausted) else "it is nested too deeply"
                self.taint([statement], Unknown(reason, statement.lineno))
                self.budget.depth = 0
                del self.scopes[1:], self._running[:]
                self.budget.renew()
            except (_Broken, _Continued, _Returned):
                pass

    def execute(self, node: ast.stmt) -> None:
        """Evaluate a statement."""
        self.budget.step()
        record = self.executed.setdefault(node.lineno, Executed(node))
        self._running.append(record)
        outside, self.read = self.read, set()
        try:
            handler = getattr(self, f"_do_{type(node).__name__.lower()}", None)
            if handler is not None:
                handler(node)
        except Missing as missing:
            self.taint([node], missing.unknown)
        finally:
            record.reads |= self.read
            if not isinstance(node, (ast.For, ast.While, ast.If, ast.With, ast.Try)):
                record.writes |= set(written(node))
            self.read |= outside
            if self._running:
                self._running.pop()

    def block(self, body: list[ast.stmt]) -> None:
        """Evaluate the statements of a block."""
        for statement in body:
            self.execute(statement)

    def taint(self, nodes: list[ast.stmt], unknown: Unknown) -> None:
        """Forget what these statements might have changed."""
        for node in nodes:
            record = self.executed.setdefault(node.lineno, Executed(node))
            record.unknown = record.unknown or unknown
            for name in written(node):
                record.writes.add(name)
                value = self.scopes[-1].get(name, self.scopes[0].get(name))
                if not isinstance(value, ModelValue):
                    self.scopes[-1][name] = unknown
                elif any(method not in HARMLESS for method in methods(node, name)):
                    value.unknown = value.unknown or unknown

    # --- simple statements ------------------------------------------------------------------------

    def _do_import(self, node: ast.Import) -> None:
        for alias in node.names:
            path = canonical(alias.name)
            if alias.asname:
                self.imported[alias.asname] = path
            else:
                top = alias.name.partition(".")[0]
                self.imported[top] = canonical(top)

    def _do_importfrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                path = canonical(f"{node.module or ''}.{alias.name}".strip("."))
                self.imported[alias.asname or alias.name] = path
                self.scopes[-1].pop(alias.asname or alias.name, None)

    def _do_expr(self, node: ast.Expr) -> None:
        value = self.value(node.value)
        if isinstance(value, Unknown):
            self._running[-1].unknown = value

    def _do_assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.assign(node.target, self.value(node.value))

    def _do_augassign(self, node: ast.AugAssign) -> None:
        read = ast.copy_location(_loaded(node.target), node.target)
        old, value = self.value(read), self.value(node.value)
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            old.extend(self.items(value, node.lineno))
            return
        try:
            self.assign(node.target, self.operate(type(node.op), old, value, node.lineno))
        except (Exhausted, Missing):
            raise
        # Whatever Python refuses here.
        except Exception as error:
            raise Missing(Unknown(f"{type(error).__name__}: {error}", node.lineno)) from None

    def _do_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scopes[-1].pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                owner, index = self.value(target.value), self.index(target.slice)
                if isinstance(owner, (list, dict)) or builtin.is_frame(owner):
                    del owner[index]

    def _do_functiondef(self, node: ast.FunctionDef) -> None:
        self.scopes[-1][node.name] = self.function(node)

    def _do_classdef(self, node: ast.ClassDef) -> None:
        self.imported[node.name] = f"custom.{node.name}"
        self.scopes[-1].pop(node.name, None)

    def _do_return(self, node: ast.Return) -> None:
        raise _Returned(None if node.value is None else self.value(node.value))

    def _do_break(self, node: ast.Break) -> None:
        raise _Broken

    def _do_continue(self, node: ast.Continue) -> None:
        raise _Continued

    # --- compound statements ----------------------------------------------------------------------

    def _do_if(self, node: ast.If) -> None:
        try:
            chosen = node.body if self.truth(self.value(node.test)) else node.orelse
        except (Missing, ValueError, TypeError) as error:
            unknown = (
                error.unknown
                if isinstance(error, Missing)
                else Unknown("the condition is not known", node.lineno)
            )
            self._skip(node, unknown)
            return
        self.block(chosen)

    def _skip(self, node: ast.stmt, unknown: Unknown) -> None:
        """A statement whose course is not known."""
        unknown = Unknown(f"whether it runs is not known: {unknown.reason}", node.lineno)
        self.taint([node], unknown)
        kinds = {type(inner) for inner in ast.walk(node)}
        if ast.Return in kinds and len(self.scopes) > 1:
            raise _Returned(unknown)
        if kinds & {ast.Break, ast.Continue}:
            raise Missing(unknown)

    def _do_for(self, node: ast.For) -> None:
        try:
            items = self.items(self.value(node.iter), node.lineno)
        except Missing as missing:
            self._skip(node, missing.unknown)
            return
        for item in items:
            self.assign(node.target, item)
            try:
                self.block(node.body)
            except _Continued:
                continue
            except _Broken:
                return
        self.block(node.orelse)

    def _do_while(self, node: ast.While) -> None:
        while self.truth(self.value(node.test)):
            self.budget.step()
            try:
                self.block(node.body)
            except _Continued:
                continue
            except _Broken:
                return

    def _do_with(self, node: ast.With) -> None:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value)
        self.block(node.body)

    def _do_try(self, node: ast.Try) -> None:
        self.block(node.body)
        self.block(node.orelse)
        self.block(node.finalbody)

    # --- assignment and calls ---------------------------------------------------------------------

    def assign(self, target: ast.AST, value: Any) -> None:
        if isinstance(target, ast.Name):
            self.scopes[-1][target.id] = value
            if isinstance(value, ModelValue):
                value.name = value.name or target.id
            if isinstance(value, Unknown) and self._running:
                self._running[-1].unknown = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value)
        elif isinstance(target, ast.Subscript):
            self._store(self.value(target.value), self.index(target.slice), value, target)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            if isinstance(owner, KerasCall):
                owner.changed[target.attr] = value
            elif builtin.is_frame(owner) and target.attr in ("columns", "index"):
                setattr(owner, target.attr, builtin.plain(value))
            elif isinstance(owner, ModelValue) and target.attr != "trainable":
                return
            elif isinstance(owner, ModelValue):
                for layer, _ in owner.layers:
                    layer.changed["trainable"] = value

    def _unpack(self, target: ast.Tuple | ast.List, value: Any) -> None:
        if isinstance(value, Unknown):
            for each in target.elts:
                self.assign(each, value)
            return
        items = self.items(value, target.lineno)
        stars = [i for i, each in enumerate(target.elts) if isinstance(each, ast.Starred)]
        if stars:
            after = len(target.elts) - stars[0] - 1
            end = len(items) - after
            items = [*items[: stars[0]], items[stars[0] : end], *items[end:]]
        if len(items) != len(target.elts):
            raise Missing(Unknown("the number of values does not fit", target.lineno))
        for each, item in zip(target.elts, items, strict=True):
            self.assign(each, item)

    def _store(self, owner: Any, index: Any, value: Any, target: ast.Subscript) -> None:
        if isinstance(owner, Unknown):
            return
        try:
            if isinstance(owner, Array):
                changed = owner.value.copy()
                changed[builtin.plain(index)] = builtin.plain(value)
                owner.changed(changed)
            elif isinstance(owner, list) or builtin.is_frame(owner):
                owner[builtin.plain(index)] = value if isinstance(owner, list) else _column(value)
            elif isinstance(owner, dict):
                owner[index] = value
            elif isinstance(owner, Bound) and owner.name in ("loc", "iloc"):
                getattr(owner.owner, owner.name)[builtin.plain(index)] = builtin.plain(value)
        except (Missing, Exhausted):
            raise
        # Whatever Python, NumPy or pandas refuses here.
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error)[:120]}"
            raise Missing(Unknown(reason, target.lineno)) from None

    def called(
        self, function: Function, arguments: list[Any], options: dict[str, Any], line: int
    ) -> Any:
        node = function.node
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
        if self.budget.depth >= DEPTH:
            raise Exhausted("its functions are nested too deeply")
        self.budget.depth += 1
        self.scopes.append(scope)
        try:
            if isinstance(node, ast.Lambda):
                return self.value(node.body)
            self.block(node.body)
        except _Returned as returned:
            return returned.value
        finally:
            self.budget.depth -= 1
            self.scopes.pop()
        return None


def _column(value: Any) -> Any:
    plain = builtin.plain(value)
    return plain[:, 0] if getattr(plain, "ndim", 1) == 2 and plain.shape[1] == 1 else plain


def _loaded(target: Any) -> Any:
    """The expression that reads what a target writes."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    return ast.Subscript(target.value, target.slice, ast.Load())


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without the bodies of functions that it defines."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            yield ast.Name(child.name, ast.Store())
        elif not isinstance(child, ast.Lambda):
            yield from _inside(child)


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
    for inner in _inside(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, (ast.Subscript, ast.Attribute)) and isinstance(inner.ctx, ast.Store):
            if name := _base(inner):
                yield name
        elif isinstance(inner, ast.Call):
            name = _base(inner.func)
            if name and isinstance(inner.func, ast.Attribute) and inner.func.attr not in SHOWING:
                yield name
            leaf = getattr(inner.func, "attr", getattr(inner.func, "id", ""))
            if leaf in IN_PLACE or isinstance(inner.func, ast.Name):
                yield from (each.id for each in inner.args if isinstance(each, ast.Name))


def methods(node: ast.stmt, name: str) -> Iterator[str]:
    """The methods of a name that a statement calls, and "=" where it assigns to it."""
    for inner in _inside(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if _base(inner.func) == name:
                yield inner.func.attr
        elif isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Store):
            yield "="
