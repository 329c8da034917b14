"""The statements of a script, evaluated one after the other, with a record of which were needed."""

from __future__ import annotations

import ast
import contextlib
from typing import Any

import numpy as np

from core.script import builtin, classes, functions
from core.script.budget import DEPTH
from core.script.draws import Draws
from core.script.effects import BUILDING, KEEPING, TRAINING, called_in, inside, methods, written
from core.script.evaluate import Evaluator
from core.script.executed import COMPOUND, Executed
from core.script.names import canonical
from core.script.values import (
    Array,
    Bound,
    Class,
    Exhausted,
    Function,
    Instance,
    KerasCall,
    Missing,
    ModelValue,
    Unknown,
)

WHETHER = "whether it runs is not known: "


class _Returned(Exception):
    def __init__(self, value: Any):
        self.value = value


class _Broken(Exception):
    pass


class _Continued(Exception):
    pass


PASSED_ON = (Exhausted, RecursionError, MemoryError, _Returned, _Broken, _Continued)
"""What a statement raises that is not about itself alone."""


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
        self.iterated = []
        self.remarks = []
        self._running: list[Executed] = []

    def essential(self) -> None:
        """The statement that runs now, and all around it, are needed."""
        for each in self._running:
            each.essential = True

    def run(self, tree: ast.Module) -> None:
        """Evaluate all statements."""
        for statement in tree.body:
            before = len(self.models)
            try:
                with np.errstate(all="ignore"):
                    self.execute(statement)
            except (Exhausted, RecursionError, MemoryError) as error:
                unknown = Unknown(_limit(error), statement.lineno)
                self.cut(statement, unknown, before)
                self.taint([statement], unknown)
                self.budget.depth = 0
                del self.scopes[1:], self._running[:]
                self.budget.renew()
            except (_Broken, _Continued, _Returned):
                pass

    def execute(self, node: ast.stmt) -> None:
        """Evaluate a statement."""
        self.budget.step()
        record = self.executed.get(node.lineno)
        if record is None:
            around = self._running[-1:] if self._running else []
            inside = tuple(each for each in around if isinstance(each.node, COMPOUND))
            record = self.executed[node.lineno] = Executed(node, inside=inside)
        self._running.append(record)
        outside, self.read = self.read, set()
        try:
            handler = getattr(self, f"_do_{type(node).__name__.lower()}", None)
            if handler is not None:
                handler(node)
        except Missing as missing:
            self.taint([node], missing.unknown)
        except PASSED_ON:
            raise
        # Whatever Python, NumPy or pandas refuses here.
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error)[:120]}"
            self.taint([node], Unknown(reason, node.lineno))
        finally:
            if not isinstance(node, COMPOUND):
                record.reads |= self.read
                record.writes |= set(written(node))
            elif not record.entered:
                record.reads |= self.read
            self.read |= outside
            if self._running:
                self._running.pop()

    def block(self, body: list[ast.stmt]) -> None:
        """Evaluate the statements of a block."""
        if self._running and isinstance(self._running[-1].node, COMPOUND):
            # Of a statement with a block, what stands before the block.
            record = self._running[-1]
            record.reads |= set() if record.entered else self.read
            record.entered = True
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
                if isinstance(value, Instance):
                    self._taint_parts(node, name, value, unknown)
                elif not isinstance(value, ModelValue):
                    self.scopes[-1][name] = unknown
                elif any(each not in KEEPING for each in methods(node, name)):
                    value.unknown = value.unknown or unknown

    def _taint_parts(self, node: ast.stmt, name: str, owner: Instance, unknown: Unknown) -> None:
        """Forget what a statement might have changed of an object of a class of the script."""
        for inner in inside(node):
            if not isinstance(inner, ast.Attribute) or not isinstance(inner.value, ast.Name):
                continue
            if inner.value.id != name:
                continue
            value = owner.names.get(inner.attr)
            if isinstance(value, ModelValue):
                if any(each not in KEEPING for each in methods(node, f"{name}.{inner.attr}")):
                    value.unknown = value.unknown or unknown
            elif isinstance(inner.ctx, ast.Store) or isinstance(value, (Array, list, dict)):
                owner.names[inner.attr] = unknown

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
        self.assign(node.target, self.operate(type(node.op), old, value, node.lineno))

    def _do_delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.scopes[-1].pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                owner, index = self.value(target.value), self.index(target.slice)
                if isinstance(index, Unknown):
                    raise Missing(index)
                if isinstance(owner, (list, dict)) or builtin.is_frame(owner):
                    del owner[index]

    def _do_functiondef(self, node: ast.FunctionDef) -> None:
        self.scopes[-1][node.name] = self.function(node)

    def _do_classdef(self, node: ast.ClassDef) -> None:
        self.scopes[-1][node.name] = classes.defined(self, node)

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
            likely = self._likely(node)
            if likely is None:
                self._skip(node, unknown)
                return
            chosen = likely
        self.block(chosen)

    def _likely(self, node: ast.If) -> list[ast.stmt] | None:
        """The branch of an open condition that makes or trains a model, if only one does."""
        branches = [
            branch
            for branch in (node.body, node.orelse)
            if any(name in BUILDING for each in branch for name in called_in(each))
        ]
        if len(branches) != 1:
            return None
        self.remarks.append((node.lineno, "The branch that builds or trains the model is read."))
        return branches[0]

    def cut(self, node: ast.stmt, unknown: Unknown, before: int) -> None:
        """How often a statement trains the models made before it is not known."""
        lines = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for model in self.models[:before]:
            if any(used.span.line in lines for used in model.fits):
                model.cut = model.cut or unknown

    def _skip(self, node: ast.stmt, unknown: Unknown) -> None:
        """A statement whose course is not known."""
        reason = unknown.reason.removeprefix(WHETHER)
        unknown = Unknown(f"{WHETHER}{reason}", node.lineno)
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
            self._once(node, missing.unknown)
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

    def _once(self, node: ast.For, unknown: Unknown) -> None:
        """A loop of unknown length: what it trains is read from one round of it."""
        if any(name in TRAINING for name in called_in(node)):
            before = len(self.models)
            self.taint([node], unknown)
            self.assign(node.target, unknown)
            with contextlib.suppress(_Continued, _Broken):
                self.block(node.body)
            reason = f"how often it runs is not known: {unknown.reason}"
            self.cut(node, Unknown(reason, node.lineno), before)
        self._skip(node, unknown)

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
            self._store(self.value(target.value), self.index(target.slice), value)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value)
            if isinstance(owner, (Instance, Class)):
                owner.names[target.attr] = value
                if isinstance(value, ModelValue):
                    value.name = value.name or ast.unparse(target)
            elif isinstance(owner, KerasCall):
                owner.changed[target.attr] = value
                self._changed_between(owner, target)
            elif builtin.is_frame(owner) and target.attr in ("columns", "index"):
                setattr(owner, target.attr, builtin.plain(value))
            elif isinstance(owner, ModelValue) and target.attr != "trainable":
                return
            elif isinstance(owner, ModelValue):
                for layer, _ in owner.layers:
                    layer.changed["trainable"] = value

    def _changed_between(self, owner: KerasCall, target: ast.Attribute) -> None:
        """Say that a setting of an optimizer changes after a training with it."""
        if target.attr not in ("lr", "learning_rate"):
            return
        for model in self.models:
            used = model.compiled
            if model.fits and used and owner in (*used.arguments, *used.options.values()):
                said = "The learning rate changes between two trainings; the last one is read."
                self.remarks.append((target.lineno, said))

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

    def _store(self, owner: Any, index: Any, value: Any) -> None:
        if isinstance(owner, Unknown):
            return
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

    def called(
        self, function: Function, arguments: list[Any], options: dict[str, Any], line: int
    ) -> Any:
        scope = functions.scope_of(function, arguments, options, line)
        if isinstance(scope, Unknown):
            return scope
        if function.yields:
            return functions.generator(function, scope, line)
        if self.budget.depth >= DEPTH:
            raise Exhausted("its functions are nested too deeply")
        self.budget.depth += 1
        self.scopes.append(scope)
        try:
            if isinstance(function.node, ast.Lambda):
                return self.value(function.node.body)
            for statement in function.node.body:
                self.execute(statement)
        except _Returned as returned:
            return returned.value
        finally:
            self.budget.depth -= 1
            self.scopes.pop()
        return None


def _limit(error: Exception) -> str:
    """Which limit an error is about."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error) if isinstance(error, Exhausted) else "it takes too much memory"


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
