"""Streams of random numbers."""

from __future__ import annotations

import numpy as np

DATA, WEIGHTS, DROPOUT, RUN_ORDER, EPOCH_ORDER = range(5)
"""What a stream of random numbers is for: the third number of `generator`, after seed and run."""


def generator(*seeds: int) -> np.random.Generator:
    """A generator that depends on nothing but these numbers, each 0 or more.

    Zeros at the end do not count: (5, 0) and (5,) give the same stream.
    """
    return np.random.default_rng(seeds)
