"""The registry of kernel initialisers, with the distributions that Keras uses.

With `in` inputs and `out` units, glorot_uniform and he_uniform draw from uniform distributions with
the limits sqrt(6 / (in + out)) and sqrt(6 / in); he_normal and lecun_normal draw from normal
distributions truncated at two standard deviations, with the variances 2 / in and 1 / in (Glorot and
Bengio 2010, He et al. 2015, LeCun et al. 1998). random_normal has a standard deviation of 0.05 and
is not truncated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.entries import entry, named

Shape = tuple[int, ...]
"""(runs, inputs, units)."""


@dataclass(frozen=True)
class Initialiser:
    """A kernel initialiser.

    Attributes:
        name: Keras's.
        draw: Draws kernels of a shape (runs, inputs, units) from a generator.
    """

    name: str
    draw: Callable[[Shape, np.random.Generator], np.ndarray]

    @property
    def label(self) -> str:
        """The name in words."""
        return self.name.replace("_", " ")


def _uniform(limit: float, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-limit, limit, shape)


def _truncated(variance: float, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.normal(size=shape)
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = rng.normal(size=outside.sum())
    # Truncation at two standard deviations reduces the standard deviation to 0.8796 of its value.
    return drawn * np.sqrt(variance) / 0.8796


def _orthogonal(shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Orthonormal rows or columns (Saxe et al. 2014)."""
    runs, inputs, units = shape
    drawn = rng.normal(size=(runs, max(inputs, units), min(inputs, units)))
    q, r = np.linalg.qr(drawn)
    q = q * np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return q if inputs >= units else q.swapaxes(1, 2)


_ALL = (
    Initialiser("glorot_uniform", lambda s, rng: _uniform(np.sqrt(6 / (s[1] + s[2])), s, rng)),
    Initialiser("he_uniform", lambda s, rng: _uniform(np.sqrt(6 / s[1]), s, rng)),
    Initialiser("he_normal", lambda s, rng: _truncated(2 / s[1], s, rng)),
    Initialiser("lecun_normal", lambda s, rng: _truncated(1 / s[1], s, rng)),
    Initialiser("zeros", lambda s, rng: np.zeros(s)),
    Initialiser("random_normal", lambda s, rng: rng.normal(0, 0.05, s)),
    Initialiser("glorot_normal", lambda s, rng: _truncated(2 / (s[1] + s[2]), s, rng)),
    Initialiser("lecun_uniform", lambda s, rng: _uniform(np.sqrt(3 / s[1]), s, rng)),
    Initialiser("random_uniform", lambda s, rng: _uniform(0.05, s, rng)),
    Initialiser("orthogonal", _orthogonal),
)
INITIALISERS = named(_ALL)


def initialiser(name: str) -> Initialiser:
    """The initialiser of this name.

    Raises:
        ValueError: If the name is unknown.
    """
    return entry("initialiser", INITIALISERS, name)
