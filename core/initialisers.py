"""The initialisers of kernels: one entry each, what Keras draws with it.

Uniform limits sqrt(6 / (in + out)) and sqrt(6 / in), normal deviations sqrt(2 / in) and
sqrt(1 / in), truncated at two of them (Glorot and Bengio 2010, He et al. 2015, LeCun et al. 1998),
and 0.05 for random_normal, not truncated, as in Keras.
"""

from __future__ import annotations

import numpy as np

from core.entries import entry

Shape = tuple[int, int, int]
"""Runs, inputs and units."""


def _uniform(limit: float, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    return rng.uniform(-limit, limit, shape)


def _truncated(variance: float, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.normal(size=shape)
    while (outside := np.abs(drawn) > 2).any():
        drawn[outside] = rng.normal(size=outside.sum())
    # The deviation of a normal distribution truncated at two deviations is 0.8796 of the whole.
    return drawn * np.sqrt(variance) / 0.8796


INITIALISERS = {
    "glorot_uniform": lambda shape, rng: _uniform(np.sqrt(6 / (shape[1] + shape[2])), shape, rng),
    "he_uniform": lambda shape, rng: _uniform(np.sqrt(6 / shape[1]), shape, rng),
    "he_normal": lambda shape, rng: _truncated(2 / shape[1], shape, rng),
    "lecun_normal": lambda shape, rng: _truncated(1 / shape[1], shape, rng),
    "zeros": lambda shape, rng: np.zeros(shape),
    "random_normal": lambda shape, rng: rng.normal(0, 0.05, shape),
}


def draw_kernel(name: str, shape: Shape, rng: np.random.Generator) -> np.ndarray:
    """Kernels of this shape. Raises ValueError for an unknown initialiser."""
    return entry("initialiser", INITIALISERS, name)(shape, rng)
