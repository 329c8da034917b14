"""The expressions of a script, evaluated by a whitelist over `ast`: nothing of the script is run.

Only what is listed here and in the libraries (`core.script.builtin`, `arrays`, `draws`, `frames`,
`learn`, `model`) has a value; all else is `Unknown`, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import numpy as np

from core.script import classes, functions, library, operators
from core.script.arrays import compared, subscripted
from core.script.budget import Budget
from core.script.builtin import BUILTINS
from core.script.draws import Draws
from core.script.names import canonical, convention
from core.script.values import (
    Array,
    Bound,
    Class,
    Dataset,
    Exhausted,
    Function,
    Instance,
    KerasCall,
    Missing,
    ModelValue,
    Parent,
    Symbol,
    Unknown,
)


class Evaluator:
    """Evaluates expressions; `core.script.execute.Interpreter` adds the statements.

    Attributes:
        budget: What is left of steps, time and sizes.
        scopes: Names and their values: those of the script first, then of each running function.
        imported: The paths of imported names.
        read: The names that the running statement has read.
        draws: The random numbers of the script.
        models: The models that were made, in order.
        table: The uploaded table, in place of any file that the script reads; or None.
        iterated: The data sets that loops of the script go through.
        wanted: Files that the script reads and that are not here, with the line.
        remarks: What has to be said of a line: (line, text).
    """

    draws: Draws
    models: list[ModelValue]
    table: Any
    iterated: list[Dataset]
    wanted: list[tuple[str, int]]
    remarks: list[tuple[int, str]]

    def __init__(self) -> None:
        self.budget = Budget()
        self.scopes: list[dict[str, Any]] = [{}]
        self.imported: dict[str, str] = {}
        self.read: set[str] = set()

    # --- names ------------------------------------------------------------------------------------

    def lookup(self, name: str, line: int) -> Any:
        """The value of a name."""
        self.read.add(name)
        for scope in (self.scopes[-1], self.scopes[0]):
            if name in scope:
                return scope[name]
        if name in self.imported:
            return Symbol(self.imported[name])
        if name == "__name__":
            return "__main__"
        if name in BUILTINS:
            return Symbol(f"builtins.{name}")
        path = convention(name)
        if path is not None:
            return Symbol(path)
        if name.startswith("__"):
            return Unknown(f"{name} is not understood", line)
        return Unknown(f"{name} is not defined in the text", line)

    # --- expressions ------------------------------------------------------------------------------

    def value(self, node: ast.AST) -> Any:
        """The value of an expression; Unknown where it cannot be known.

        Raises:
            Exhausted: If it takes too much.
        """
        self.budget.step()
        line = getattr(node, "lineno", 0)
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        if handler is None:
            return Unknown(f"{type(node).__name__.lower()} expressions are not understood", line)
        try:
            return handler(node)
        except Missing as missing:
            return missing.unknown
        except (Exhausted, RecursionError):
            raise
        except MemoryError:
            return Unknown("it takes too much memory", line)
        # Python or NumPy refuses it as well, for whatever reason.
        except Exception as error:
            return Unknown(f"{type(error).__name__}: {str(error)[:120]}", line)

    def values(self, nodes: list[ast.expr]) -> list[Any]:
        """The values of several expressions; a starred one gives several."""
        values: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                values.extend(self.items(self.value(node.value), node.lineno))
            else:
                values.append(self.value(node))
        return values

    def items(self, value: Any, line: int) -> list[Any]:
        """The items of a value that can be iterated over.

        Raises:
            Missing: If they are not known.
        """
        if isinstance(value, Unknown):
            raise Missing(value)
        if isinstance(value, Dataset):
            # Its batches at once: a loop over them is an epoch.
            self.iterated.append(value)
            return [(value.x, value.y)]
        if isinstance(value, Array):
            if value.value.ndim == 0:
                raise Missing(Unknown("it cannot be iterated over", line))
            self.budget.size(value.value.size)
            if value.value.ndim == 1:
                return list(value.value)
            return [Array.of(row) for row in value.value]
        if isinstance(value, (list, tuple, str, dict, set, range)):
            self.budget.size(len(value))
            return list(value)
        if isinstance(value, (np.ndarray,)) or type(value).__module__.startswith("pandas"):
            self.budget.size(len(value))
            return list(value)
        raise Missing(Unknown("it cannot be iterated over", line))

    def _constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, (complex, bytes)):
            return Unknown(f"{type(node.value).__name__} numbers are not understood", node.lineno)
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return self.lookup(node.id, node.lineno)

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.values(node.elts))

    def _list(self, node: ast.List) -> Any:
        return self.values(node.elts)

    def _set(self, node: ast.Set) -> Any:
        return set(self.values(node.elts))

    def _dict(self, node: ast.Dict) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                other = self.value(value)
                if not isinstance(other, dict):
                    return Unknown("the dictionary is not known", node.lineno)
                made |= other
            else:
                made[self.value(key)] = self.value(value)
        return made

    def _joinedstr(self, node: ast.JoinedStr) -> Any:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.value(part.value)
                if part.format_spec is not None or not isinstance(value, (str, int, float)):
                    return Unknown("the text is not known", node.lineno)
                parts.append(str(value))
            else:
                parts.append(str(self.value(part)))
        return "".join(parts)

    def _namedexpr(self, node: ast.NamedExpr) -> Any:
        value = self.value(node.value)
        self.scopes[-1][node.target.id] = value
        return value

    def _lambda(self, node: ast.Lambda) -> Any:
        return self.function(node)

    def function(self, node: ast.FunctionDef | ast.Lambda) -> Function:
        """The function that a definition makes."""
        arguments = node.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
        defaults = dict(
            zip(names[::-1], [self.value(d) for d in arguments.defaults[::-1]], strict=False)
        )
        for keyword, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                defaults[keyword.arg] = self.value(default)
        closure = dict(self.scopes[-1]) if len(self.scopes) > 1 else {}
        yields = isinstance(node, ast.FunctionDef) and functions.yields(node)
        return Function(node, defaults, closure, yields=yields)

    # --- operators --------------------------------------------------------------------------------

    def operate(self, kind: type, left: Any, right: Any, line: int) -> Any:
        """The result of a binary operator."""
        return operators.operate(self, kind, left, right, line)

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        return self.operate(type(node.op), left, right, node.lineno)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, Array):
            return Array.of(operators.UNARY[type(node.op)](value.value))
        return operators.UNARY[type(node.op)](value)

    def truth(self, value: Any) -> bool:
        """Whether a value counts as true.

        Raises:
            Missing: If that is not known.
        """
        if isinstance(value, Unknown):
            raise Missing(value)
        if isinstance(value, Array):
            return bool(value.value)
        if isinstance(value, (Symbol, KerasCall)):
            return True
        return bool(value)

    def _boolop(self, node: ast.BoolOp) -> Any:
        value: Any = None
        unknown: Unknown | None = None
        for each in node.values:
            value = self.value(each)
            if isinstance(value, Unknown):
                unknown = unknown or value
            elif self.truth(value) != isinstance(node.op, ast.And):
                # It decides, whatever those before it are.
                return value
        return value if unknown is None else unknown

    def _compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        result: Any = True
        for kind, other in zip(node.ops, node.comparators, strict=True):
            right = self.value(other)
            for value in (left, right):
                if isinstance(value, Unknown):
                    return value
            result = compared(operators.COMPARISONS[type(kind)], left, right)
            if isinstance(result, bool) and not result:
                return False
            left = right
        return result

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.truth(self.value(node.test)) else node.orelse)

    # --- parts ------------------------------------------------------------------------------------

    def index(self, node: ast.AST) -> Any:
        """The value of what is in square brackets."""
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            values = [None if part is None else self.value(part) for part in parts]
            for value in values:
                if isinstance(value, Unknown):
                    raise Missing(value)
            return slice(*values)
        if isinstance(node, ast.Tuple):
            return tuple(self.index(part) for part in node.elts)
        return self.value(node)

    def _subscript(self, node: ast.Subscript) -> Any:
        owner, index = self.value(node.value), self.index(node.slice)
        return subscripted(self, owner, index, node.lineno)

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        return self.attribute(owner, node.attr, node.lineno)

    def attribute(self, owner: Any, name: str, line: int) -> Any:
        """An attribute that is on a list; for all others, Unknown."""
        if isinstance(owner, Unknown):
            return owner
        if isinstance(owner, (Class, Instance, Parent)):
            return classes.attribute(self, owner, name, line)
        if name.startswith("_"):
            return Unknown(f"attributes like {name} are not read", line)
        if isinstance(owner, Symbol):
            return Symbol(canonical(f"{owner.path}.{name}"))
        return library.attribute(self, owner, name, line)

    # --- comprehensions ---------------------------------------------------------------------------

    def _comprehended(self, node: Any, add: Callable[[], None]) -> None:
        scope = self.scopes[-1]
        self.scopes.append(dict(scope) if len(self.scopes) > 1 else {})
        try:
            self._generate(node.generators, add)
        finally:
            self.scopes.pop()

    def _generate(self, generators: list[ast.comprehension], add: Callable[[], None]) -> None:
        if not generators:
            add()
            return
        first, *rest = generators
        for item in self.items(self.value(first.iter), first.target.lineno):
            self.budget.step()
            self.assign(first.target, item)
            if all(self.truth(self.value(condition)) for condition in first.ifs):
                self._generate(rest, add)

    def assign(self, target: ast.AST, value: Any) -> None:
        """Give a name, or several, a value."""
        raise NotImplementedError

    def _listcomp(self, node: ast.ListComp) -> Any:
        made: list[Any] = []
        self._comprehended(node, lambda: made.append(self.value(node.elt)))
        return made

    _generatorexp = _listcomp

    def _setcomp(self, node: ast.SetComp) -> Any:
        made: set[Any] = set()
        self._comprehended(node, lambda: made.add(self.value(node.elt)))
        return made

    def _dictcomp(self, node: ast.DictComp) -> Any:
        made: dict[Any, Any] = {}
        self._comprehended(
            node, lambda: made.__setitem__(self.value(node.key), self.value(node.value))
        )
        return made

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Any:
        function = self.value(node.func)
        arguments = self.values(node.args)
        options: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                options[keyword.arg] = value
            elif isinstance(value, dict):
                options |= value
            else:
                options["**"] = Unknown("these arguments are not known", node.lineno)
        return self.call(function, arguments, options, node)

    def call(
        self, function: Any, arguments: list[Any], options: dict[str, Any], node: ast.Call
    ) -> Any:
        """The result of a call of a value."""
        if isinstance(function, Function):
            return self.called(function, arguments, options, node.lineno)
        if isinstance(function, Symbol):
            return library.call(self, function, arguments, options, node)
        if isinstance(function, Bound):
            return library.method(self, function, arguments, options, node)
        if isinstance(function, Class):
            return classes.made(self, function, arguments, options, node)
        return library.called(self, function, arguments, options, node)

    def essential(self) -> None:
        """The statement that runs now is needed."""
        raise NotImplementedError

    def called(
        self, function: Function, arguments: list[Any], options: dict[str, Any], line: int
    ) -> Any:
        """The result of a function of the script."""
        raise NotImplementedError
