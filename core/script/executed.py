"""The record of a statement that was evaluated."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from core.script.values import Unknown

COMPOUND = (ast.For, ast.While, ast.If, ast.With, ast.Try)
"""Statements with blocks of others."""


@dataclass(eq=False)
class Executed:
    """A statement that was evaluated.

    Attributes:
        node: The statement.
        reads, writes: The names that it reads and changes.
        essential: Whether it builds, compiles or fits a model.
        unknown: Why its value is not known, if it is not.
        inside: The loop or condition around it, if there is one.
        entered: Whether its block was evaluated, if it has one.
    """

    node: ast.stmt
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    essential: bool = False
    unknown: Unknown | None = None
    inside: tuple[Executed, ...] = ()
    entered: bool = False
