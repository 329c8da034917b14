"""Operators of the evaluator: what they do with arrays, tensors and Python's own values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.script import model, tape
from core.script.arrays import operated
from core.script.budget import DIGITS, check_power, check_product
from core.script.values import Array, Graph, Symbol, Tensor, Unknown, plain

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
UNARY: dict[type, Callable] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
COMPARISONS: dict[type, Callable] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def operate(script: Evaluator, kind: type, left: Any, right: Any, line: int) -> Any:
    """The result of a binary operator."""
    for value in (left, right):
        if isinstance(value, Unknown):
            return value
    if kind not in OPERATORS:
        return Unknown("this operator is not understood", line)
    if isinstance(left, Graph) or isinstance(right, Graph):
        return tape.operated(kind, left, right)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return model.operated([left, right], f"the operator {kind.__name__}", line)
    if isinstance(left, str) and kind is ast.Mod:
        return Unknown("the text is not known", line)
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        left, right = plain(left), plain(right)
    if kind is ast.Mult:
        check_product(script.budget, left, right, line)
    if kind is ast.Pow:
        check_power(left, right, line)
    if kind is ast.LShift and isinstance(right, int) and right > DIGITS:
        return Unknown("the number is too large", line)
    if isinstance(left, Array) or isinstance(right, Array):
        return operated(script.budget, OPERATORS[kind], left, right, kind is ast.MatMult, line)
    if isinstance(left, (list, tuple, str)) and kind is ast.Add:
        script.budget.size(len(left) + len(right))
    return OPERATORS[kind](left, right)
