"""How much the evaluation of a script may take: steps, time and the size of values."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from core.script.values import Array, Exhausted, Missing, Unknown

STEPS = 600_000
"""Nodes that are evaluated; about a second."""
RESERVE = 20_000
"""Steps for what comes after a statement that used up the others."""
SECONDS = 1.1
LAST_SECONDS = 1.4
"""With what comes after statements that used up the time."""
ELEMENTS = 4_000_000
"""Of one array, list or string."""
TOTAL = 60_000_000
"""Elements of all arrays that are made."""
DIGITS = 4_096
"""Bits of a whole number."""
clock = time.thread_time
"""Of this thread's own time, so that a busy machine does not cut a reading short."""
DEPTH = 25
"""Calls of functions of the script inside one another."""
_OFTEN = 64


class Budget:
    """Counts what an evaluation takes; every method raises `Exhausted` where it is too much."""

    def __init__(self) -> None:
        self.steps = STEPS
        started = clock()
        self.deadline = started + SECONDS
        self.end = started + LAST_SECONDS
        self.elements = TOTAL
        self.depth = 0

    def step(self) -> None:
        """One more node."""
        self.steps -= 1
        if self.steps < 0:
            raise Exhausted("it takes too many steps to evaluate")
        if self.steps % _OFTEN == 0 and clock() > self.deadline:
            raise Exhausted("it takes too long to evaluate")

    def renew(self) -> None:
        """Allow a little more, after a statement that took too much: half of what is left."""
        self.steps = max(self.steps, RESERVE)
        now = clock()
        self.deadline = max(self.deadline, now + max(self.end - now, 0) / 2)

    def postpone(self, seconds: float) -> None:
        """Allow so much time more, which the script did not cause."""
        self.deadline += seconds
        self.end += seconds

    def size(self, elements: float) -> None:
        """A value of so many elements is about to be made."""
        if not elements <= ELEMENTS:
            raise Exhausted(f"it has more than {ELEMENTS:,} elements")
        self.elements -= int(elements)
        if self.elements < 0:
            raise Exhausted("its arrays are too large together")


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape that an array would have."""
    if isinstance(value, Array):
        return value.value.shape
    return np.shape(value) if isinstance(value, (np.ndarray, np.generic)) else ()


def elements_of(shape: Any) -> float:
    """The number of elements of a shape, a whole number or several; infinite if it is none."""
    try:
        sides = shape if isinstance(shape, Iterable) and not isinstance(shape, str) else (shape,)
        return math.prod(max(int(side), 0) for side in sides)
    except (TypeError, ValueError, OverflowError):
        return math.inf


def check_product(budget: Budget, left: Any, right: Any, line: int) -> None:
    """Raise for a repetition, power or shift whose result would be too large."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, (str, list, tuple, bytes)) and isinstance(other, int):
            budget.size(len(one) * max(other, 0))
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() + right.bit_length()
        if bits > DIGITS:
            raise Missing(Unknown("the number is too large", line))


def check_power(left: Any, right: Any, line: int) -> None:
    """Raise for a power of whole numbers that would be too large."""
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and right > 0 and left.bit_length() * right > DIGITS:
        raise Missing(Unknown("the number is too large", line))
