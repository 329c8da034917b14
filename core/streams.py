"""Streams of random numbers."""

from __future__ import annotations

import numpy as np


def generator(*seeds: int) -> np.random.Generator:
    """A generator that depends on nothing but these numbers, each 0 or more."""
    return np.random.default_rng(seeds)
