"""The random numbers of a script: `random`, `np.random` and NumPy's generators, bounded in size."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from core.script.budget import Budget, elements_of
from core.script.values import Array, Missing, Step, Unknown, plain

SIZED = {
    "rand": None,
    "randn": None,
    "random": 0,
    "random_sample": 0,
    "ranf": 0,
    "standard_normal": 0,
    "uniform": 2,
    "normal": 2,
    "randint": 2,
    "integers": 2,
    "random_integers": 2,
    "choice": 1,
    "binomial": 2,
    "poisson": 1,
    "exponential": 1,
    "beta": 2,
    "laplace": 2,
    "multivariate_normal": 2,
}
"""The functions of NumPy's generators, with the position of their size; None: all arguments."""
PYTHON = {
    *("random", "randint", "uniform", "gauss", "normalvariate", "choice", "sample", "randrange"),
    *("shuffle", "choices", "triangular", "betavariate", "expovariate"),
}
"""The functions of Python's `random`."""


class Stream:
    """A generator of random numbers of the script.

    Attributes:
        generator: NumPy's or Python's.
        seeded: Whether the script gives it a seed.
    """

    def __init__(self, generator: Any, seeded: bool):
        self.generator, self.seeded = generator, seeded


class Draws:
    """The generators of a script; without a seed in the script they start at 0.

    Attributes:
        numpy, python: The global ones.
        unseeded: Whether the script has drawn numbers that are others in every execution.
    """

    def __init__(self) -> None:
        self.numpy = Stream(np.random.RandomState(0), False)
        self.python = Stream(random.Random(0), False)
        self.unseeded = False

    def seed(self, which: str, value: Any) -> None:
        """Seed "numpy", "python" or "both"."""
        seeded = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        number = int(value) if seeded else 0
        if which in ("numpy", "both"):
            self.numpy = Stream(np.random.RandomState(number % 2**32), seeded)
        if which in ("python", "both"):
            self.python = Stream(random.Random(number), seeded)

    def stream(self, kind: str, seed: Any) -> Stream:
        """A generator of the script's own: "RandomState" or "default_rng"."""
        seeded = isinstance(seed, (int, np.integer))
        make = np.random.RandomState if kind == "RandomState" else np.random.default_rng
        return Stream(make(int(seed) if seeded else 0), seeded)

    def draw(
        self,
        budget: Budget,
        stream: Stream,
        name: str,
        arguments: list[Any],
        options: dict[str, Any],
        line: int,
    ) -> Any:
        """The result of a function of a generator.

        Raises:
            Missing: If the function is not on the list, or an argument not known.
            Exhausted: If the result would be too large.
        """
        if not stream.seeded:
            self.unseeded = True
        if isinstance(stream.generator, random.Random):
            return self._of_python(budget, stream, name, arguments, options, line)
        if name in ("shuffle", "permutation"):
            return self._ordered(budget, stream, name, arguments, line)
        if name not in SIZED or "out" in options:
            raise Missing(Unknown(f"random.{name} is not understood", line))
        values, named = [plain(each) for each in arguments], plain(options)
        place = SIZED[name]
        size = named.get("size") if place is not None else tuple(values)
        if place is not None and len(values) > place:
            size = values[place]
        shape = np.broadcast_shapes(*(np.shape(v) for v in values if not isinstance(v, tuple)))
        budget.size(max(elements_of(1 if size is None else size), elements_of(shape)))
        if name in ("binomial", "poisson", "multivariate_normal"):
            budget.size(sum(np.size(value) for value in values) ** 2)
        if name == "choice" and values and isinstance(values[0], int):
            budget.size(values[0])
        result = getattr(stream.generator, name)(*values, **named)
        return Array.of(result) if isinstance(result, np.ndarray) else result

    def _ordered(
        self, budget: Budget, stream: Stream, name: str, arguments: list[Any], line: int
    ) -> Any:
        first = arguments[0]
        if isinstance(first, Unknown):
            raise Missing(first)
        generator = stream.generator
        if name == "permutation":
            value = plain(first)
            budget.size(value if isinstance(value, int) else np.size(value))
            count = value if isinstance(value, int) else len(value)
            order = generator.permutation(int(count))
            kind, key = "other" if stream.seeded else "permute", object()
            if isinstance(value, int):
                return Array(order, order, (Step(f"{kind}-index", lambda v: v, key, line),))
            source = first if isinstance(first, Array) else Array.of(np.asarray(value))
            return source.then(kind, lambda v: v[order], key, line)
        if isinstance(first, Array):
            order = generator.permutation(len(first.value))
            kind = "other" if stream.seeded else "permute"
            shuffled = first.then(kind, lambda v: v[order], object(), line)
            first.value, first.steps = shuffled.value, shuffled.steps
        else:
            generator.shuffle(first)
        return None

    def _of_python(
        self,
        budget: Budget,
        stream: Stream,
        name: str,
        arguments: list[Any],
        options: dict[str, Any],
        line: int,
    ) -> Any:
        if name not in PYTHON:
            raise Missing(Unknown(f"random.{name} is not understood", line))
        if name == "shuffle":
            first = arguments[0]
            if isinstance(first, Unknown):
                raise Missing(first)
            if isinstance(first, Array) and first.value.ndim > 1:
                before = first.value.copy()
                order = np.arange(len(before)).reshape(-1, 1)
                # The rows are views: this is what loses about half of them.
                stream.generator.shuffle(order)
                kept = order[:, 0]
                shuffled = Array(before, first.root, first.steps, first.stand_in).then(
                    "shuffle-rows", lambda v: v[kept], object(), line
                )
                first.value, first.steps = shuffled.value, shuffled.steps
            else:
                stream.generator.shuffle(first.value if isinstance(first, Array) else first)
                if isinstance(first, Array):
                    first.changed(first.value)
            return None
        values, named = [plain(each) for each in arguments], plain(options)
        if name in ("sample", "choices"):
            count = named.get("k", values[-1] if len(values) > 1 else 1)
            budget.size(elements_of(count))
        return getattr(stream.generator, name)(*values, **named)
