"""Python's own functions and methods that a script may use."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from core.script import frames
from core.script.budget import elements_of
from core.script.functions import HOME, SELF
from core.script.values import (
    TYPES,
    Array,
    Bound,
    Function,
    Graph,
    Instance,
    Missing,
    Parent,
    Symbol,
    Unknown,
    plain,
)
from core.script.words import words

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

__all__ = ["BUILTINS", "attribute", "called", "is_frame", "math_called", "method", "plain"]

PURE: dict[str, Any] = {
    **{"abs": abs, "all": all, "any": any, "bool": bool, "divmod": divmod, "float": float},
    **{"len": len, "max": max, "min": min, "round": round, "sum": sum, "str": str},
}
BUILTINS = frozenset(PURE) | words(
    """
    int range xrange list tuple dict set enumerate zip reversed sorted map filter print type
    isinstance input raw_input open getattr pow exec eval super object id hash repr iter next vars
    """
)
STRING_METHODS = words("lower upper strip lstrip rstrip split startswith endswith")
LIST_METHODS = words("append extend insert pop index count reverse sort remove copy")
DICT_METHODS = words("get items keys values update copy pop")
MATH = words(
    """
    sin cos tan asin acos atan atan2 sinh cosh tanh exp log log2 log10 sqrt floor ceil fabs
    pow degrees radians hypot fmod erf isnan isinf
    """
)


def is_frame(value: Any) -> bool:
    """Whether a value is a table or a column of pandas."""
    return type(value).__module__.startswith("pandas") and hasattr(value, "iloc")


def math_called(name: str, arguments: list[Any], line: int) -> Any:
    """The result of a function of `math`."""
    if name not in MATH:
        return Unknown(f"math.{name} is not understood", line)
    return getattr(math, name)(*(plain(each) for each in arguments))


def called(
    script: Evaluator, name: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of one of Python's own functions."""
    line = node.lineno
    if name in ("print", "exec", "eval"):
        return None if name == "print" else Unknown(f"{name} is never run", line)
    for value in arguments[: 1 if name == "zip" else None]:
        if isinstance(value, Unknown):
            return value
    if name in ("range", "xrange"):
        made = range(*(int(plain(each)) for each in arguments))
        if len(made) > script.budget.steps:
            raise Missing(Unknown("the range is too long", line))
        return made
    if name == "len":
        (value,) = arguments
        return len(value.value) if isinstance(value, Array) else len(value)
    if name in ("int", "float", "bool", "str"):
        value = plain(arguments[0]) if arguments else 0
        if isinstance(value, str) and len(value) > 300 and name != "str":
            raise Missing(Unknown("the number is too large", line))
        return TYPES[f"builtins.{name}"](value)
    if name in ("map", "filter"):
        return _mapped(script, name, arguments, node)
    if name in ("sorted", "max", "min") and "key" in options:
        return _sorted(script, name, arguments, options, node)
    if name in ("list", "tuple", "set", "sorted", "reversed", "enumerate", "zip", "dict"):
        return _collected(script, name, arguments, options, line)
    if name == "vars" and isinstance(arguments[0], Instance):
        return dict(arguments[0].names)
    if name == "super":
        scope = script.scopes[-1]
        if HOME in scope:
            return Parent(scope[HOME], scope[SELF])
    if name == "open" and arguments and isinstance(arguments[0], str):
        return frames.not_here(script, arguments[0], line)
    if name == "getattr" and len(arguments) > 1 and isinstance(arguments[1], str):
        return script.attribute(arguments[0], arguments[1], line)
    if name in ("isinstance", "type", "getattr", "open", "input", "raw_input", "pow"):
        return Unknown(f"{name}() is not understood", line)
    if name not in PURE:
        return Unknown(f"{name}() is not understood", line)
    for value in arguments:
        script.budget.size(value.value.size if isinstance(value, Array) else _length(value))
    if len(arguments) > 1 and (
        (name == "sum" and not isinstance(arguments[1], (int, float)))
        or (name == "round" and not (isinstance(arguments[1], int) and abs(arguments[1]) < 100))
    ):
        # A sum of lists takes the square of their number, and digits the power of ten.
        return Unknown(f"{name}() of these is not understood", line)
    result = PURE[name](*plain(arguments), **plain(options))
    return Array.of(result) if isinstance(result, np.ndarray) else result


def _length(value: Any) -> float:
    return len(value) if hasattr(value, "__len__") else 1


def _collected(script: Evaluator, name: str, arguments: list[Any], options: dict, line: int) -> Any:
    if name == "dict":
        return {**(dict(script.items(arguments[0], line)) if arguments else {}), **options}
    if name == "zip":
        if arguments and isinstance(arguments[0], Graph):
            return arguments[0]
        columns = [script.items(each, line) for each in arguments]
        return list(zip(*columns, strict=False))
    items = script.items(arguments[0], line) if arguments else []
    if name == "enumerate":
        start = arguments[1] if len(arguments) > 1 else options.get("start", 0)
        return list(enumerate(items, start))
    if name == "sorted":
        return sorted(items, reverse=bool(options.get("reverse", False)))
    if name == "reversed":
        return items[::-1]
    return tuple(items) if name == "tuple" else set(items) if name == "set" else items


def _mapped(script: Evaluator, name: str, arguments: list[Any], node: ast.Call) -> Any:
    function, *columns = arguments
    rows = list(zip(*(script.items(each, node.lineno) for each in columns), strict=False))
    results = []
    for row in rows:
        script.budget.step()
        result = script.call(function, list(row), {}, node)
        if name == "map":
            results.append(result)
        elif script.truth(result):
            results.append(row[0])
    return results


def _sorted(
    script: Evaluator, name: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    items = script.items(arguments[0], node.lineno)
    key = options["key"]
    if not isinstance(key, (Function, Symbol)):
        return Unknown("the key is not understood", node.lineno)
    keys = [plain(script.call(key, [item], {}, node)) for item in items]
    order = sorted(
        range(len(items)), key=keys.__getitem__, reverse=bool(options.get("reverse", False))
    )
    ordered = [items[i] for i in order]
    return {"sorted": ordered, "max": ordered[-1], "min": ordered[0]}[name]


def attribute(owner: Any, name: str, line: int) -> Any:
    """A method of a string, list or dictionary."""
    for kind, names in ((str, STRING_METHODS), (list, LIST_METHODS), (dict, DICT_METHODS)):
        if isinstance(owner, kind) and name in names:
            return Bound(owner, name)
    return Unknown(f".{name} is not understood", line)


def method(
    script: Evaluator, owner: Any, name: str, arguments: list[Any], options: dict, line: int
) -> Any:
    """The result of a method of a string, list or dictionary."""
    if isinstance(owner, list):
        if name == "sort" and "key" in options:
            return Unknown("the key is not understood", line)
        script.budget.size(len(owner) + 1)
        if name == "extend":
            return owner.extend(script.items(arguments[0], line))
        if name == "remove":
            arguments = plain(arguments)
        return getattr(owner, name)(*arguments, **options)
    if isinstance(owner, dict):
        result = getattr(owner, name)(*arguments, **options)
        return list(result) if name in ("items", "keys", "values") else result
    script.budget.size(elements_of(len(owner)))
    return getattr(owner, name)(*plain(arguments), **plain(options))
