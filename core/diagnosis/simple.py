"""What simple models reach on rows that they have not seen, at once and in NumPy alone.

Each row is predicted from all others: by ridge regression on the inputs, and on their squares and
products, in closed form, and by nearest neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from core.baselines import Estimate
from core.diagnosis.estimates import standardised

NEIGHBOURS = (5, 15, 45)
"""Few neighbours follow a boundary closely, many average noise out."""
QUADRATIC_COLUMNS = 20
"""Inputs up to which there is a quadratic model."""
STRENGTHS = (1e-3, 0.1, 10.0)
"""Of the penalty, as shares of the variance of an input."""

Hits = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From predictions and targets (rows, width) to what each row adds to the score, (rows,)."""


def best_simple_model(
    inputs: np.ndarray, targets: np.ndarray, hits: Hits, enough: float
) -> Estimate:
    """The best of them; the first whose score is enough ends the search.

    Args:
        inputs: (rows, features).
        targets: (rows, width); classes are one-hot.
        hits: Of the task.
        enough: A score that needs no better model.
    """
    best = Estimate("", -np.inf, 0.0)
    for name, predicted in _predictions(standardised(inputs), targets):
        here = Estimate.of(name, hits(predicted, targets))
        best = max(best, here, key=lambda model: model.score)
        if best.score >= enough:
            break
    return best


def _predictions(z: np.ndarray, targets: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    near = _nearest(z, max(NEIGHBOURS))
    for count in NEIGHBOURS:
        if count < near.shape[1] + 1:
            votes = np.zeros((len(z), len(z)))
            np.put_along_axis(votes, near[:, :count], 1 / count, axis=1)
            yield "nearest neighbours", votes @ targets
    yield "a linear model", left_out_ridge(z, targets)
    if z.shape[1] > QUADRATIC_COLUMNS:
        return  # too many products
    one, other = np.triu_indices(z.shape[1])
    products = z[:, one] * z[:, other]
    yield (
        "a quadratic model",
        left_out_ridge(standardised(np.concatenate([z, products], axis=1)), targets),
    )


def _nearest(z: np.ndarray, count: int) -> np.ndarray:
    """int (rows, count), the nearest others of each row, the nearest first."""
    count = min(count, len(z) - 1)
    square = np.square(z).sum(axis=1)
    distance = square[:, None] + square[None] - 2 * z @ z.T
    np.fill_diagonal(distance, np.inf)
    near = np.argpartition(distance, count - 1, axis=1)[:, :count]
    order = np.take_along_axis(distance, near, axis=1).argsort(axis=1)
    return np.take_along_axis(near, order, axis=1)


def left_out_ridge(z: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Each row's prediction by a ridge regression on all others, (rows, width).

    The residual of a row that is left out is its residual over 1 - leverage (Allen, "The
    relationship between variable selection and data augmentation", 1974). Of STRENGTHS, the one
    with the smallest squared error.

    Args:
        z: (rows, terms), standardised.
        targets: (rows, width).
    """
    rows, terms = z.shape
    if terms <= rows:
        squares, axes = np.linalg.eigh(z.T @ z)
        keep = squares > 1e-9 * rows
        scores = z @ axes[:, keep] / np.sqrt(squares[keep])
    else:
        squares, scores = np.linalg.eigh(z @ z.T)
        keep = squares > 1e-9 * rows
        scores = scores[:, keep]
    squares, mean = squares[keep], targets.mean(axis=0)
    along = scores.T @ (targets - mean)
    best, least = np.broadcast_to(mean, targets.shape), np.inf
    for strength in STRENGTHS:
        shrunk = squares / (squares + strength * rows)
        leverage = np.square(scores) @ shrunk + 1 / rows
        residual = targets - mean - scores @ (shrunk[:, None] * along)
        residual /= np.maximum(1 - leverage, 1e-9)[:, None]
        error = float(np.square(residual).mean())
        if error < least:
            best, least = targets - residual, error
    return best
