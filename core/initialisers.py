"""The initialisers of kernels: one entry each, what Keras draws with it.

Uniform limits sqrt(6 / (in + out)) and sqrt(6 / in), normal deviations sqrt(2 / in) and
sqrt(1 / in), truncated at two of them (Glorot and Bengio 2010, He et al. 2015, LeCun et al. 1998),
and 0.05 for random_normal, not truncated, as in Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.entries import entry, named

Shape = tuple[int, ...]
"""Runs, inputs and units."""


@dataclass(frozen=True)
class Initialiser:
    """An initialiser of kernels, as Keras names it.

    draw: kernels of a shape (runs, inputs, units) from a generator.
    """

    name: str
    draw: Callable[[Shape, np.random.Generator], np.ndarray]

    @property
    def label(self) -> str:
        """The name in a control."""
        return self.name.replace("_", " ")


def _uniform(limit: float, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-limit, limit, shape)


def _truncated(variance: float, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.normal(size=shape)
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = rng.normal(size=outside.sum())
    # The deviation of a normal distribution truncated at two deviations is 0.8796 of the whole.
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
    """The entry of a name. Raises ValueError for an unknown one."""
    return entry("initialiser", INITIALISERS, name)
