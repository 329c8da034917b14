"""What can be estimated of data and of outputs alone, without an experiment."""

from __future__ import annotations

import numpy as np

from core.activations import ACTIVATIONS, Activation

DESCENT_STEPS, DESCENT_RATE = 100, 2.0
"""Of the logistic regression behind `linear_accuracy`."""


def least_squares_r2(inputs: np.ndarray, targets: np.ndarray) -> float:
    """R² of the least-squares fit, adjusted for its number of coefficients (Theil, 1961).

    Args:
        inputs: (rows, features).
        targets: (rows, outputs).
    """
    z = standardised(inputs)
    terms = np.concatenate([np.ones((len(z), 1)), z], axis=1)
    fitted, _, rank, _ = np.linalg.lstsq(terms, targets, rcond=None)
    left = len(z) - int(rank)
    if left < 1:
        return 0.0
    error = np.square(targets - terms @ fitted).sum(axis=0) / left
    return _explained(error * (len(z) - 1) / len(z), targets)


def _explained(error: np.ndarray, targets: np.ndarray) -> float:
    """R² of mean squared errors (outputs,), a mean over the targets that vary."""
    variance = targets.var(axis=0)
    varies = variance > 0
    if not varies.any():
        return 0.0
    return float(np.mean(1 - error[varies] / variance[varies]))


def linear_accuracy(inputs: np.ndarray, classes: np.ndarray) -> float:
    """Training accuracy of the best linear boundaries found: discriminant analysis and descent.

    Fisher's discriminants (pooled covariance) and 100 steps of multinomial logistic regression.

    Args:
        inputs: (rows, features).
        classes: int (rows,).
    """
    z = standardised(inputs)
    present = np.unique(classes)
    means = np.array([z[classes == k].mean(axis=0) for k in present])
    within = z - means[np.searchsorted(present, classes)]
    inverse = np.linalg.pinv(within.T @ within / len(z) + 1e-6 * np.eye(z.shape[1]))
    kernel = inverse @ means.T
    bias = -0.5 * (means @ inverse * means).sum(axis=1)
    one_hot = (classes[:, None] == present).astype(float)
    labels = one_hot.argmax(axis=1)
    by_discriminants = float(((z @ kernel + bias).argmax(axis=1) == labels).mean())
    kernel, bias = np.zeros_like(kernel), np.zeros(len(present))
    for _ in range(DESCENT_STEPS):
        slope = (ACTIVATIONS["softmax"].value(z @ kernel + bias) - one_hot) / len(z)
        kernel = kernel - DESCENT_RATE * z.T @ slope
        bias = bias - DESCENT_RATE * slope.sum(axis=0)
    return max(by_discriminants, float(((z @ kernel + bias).argmax(axis=1) == labels).mean()))


def standardised(inputs: np.ndarray) -> np.ndarray:
    """The columns with zero mean and unit variance; constant ones 0."""
    spread = inputs.std(axis=0)
    return (inputs - inputs.mean(axis=0)) / np.where(spread > 0, spread, 1)


def agreement(groups: np.ndarray, classes: np.ndarray) -> float:
    """The share of rows that carry the most common label of all rows with the same inputs.

    Args:
        groups: int (rows,), the same number for rows with the same inputs.
        classes: int (rows,).
    """
    table = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(table, (groups, classes), 1)
    return float(table.max(axis=1).sum() / len(classes))


def alike(rows: np.ndarray) -> np.ndarray:
    """int (rows,), the same number for rows with the same values, counted from 0.

    Args:
        rows: (rows, columns).
    """
    # 0.0 added makes one of the two zeros; bytes are compared far faster than sorted columns.
    seen: dict[bytes, int] = {}
    return np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows + 0.0], int)


def near_bound(activation: Activation, out: np.ndarray) -> float:
    """Share of outputs within 1% of a bound of the activation's range; 0 where it has none.

    Args:
        activation: Whose outputs they are.
        out: Its outputs, of any shape.
    """
    low, high = activation.unsaturated
    return float(((out <= low) | (out >= high)).mean()) if activation.saturates else 0.0


def conditioning(inputs: np.ndarray) -> float:
    """How many times steeper the loss is along the inputs' mean than across it.

    1 + sum of (mean / deviation)^2 over the columns: gradient descent needs about as many times
    the updates that centred inputs would (LeCun et al., "Efficient BackProp", 1998).

    Args:
        inputs: (rows, features), no column constant.
    """
    if not inputs.size:
        return 1.0
    return float(1 + np.square(inputs.mean(axis=0) / inputs.std(axis=0)).sum())


def grown_share(loss: np.ndarray) -> float:
    """Share of runs whose loss has at least doubled or is no number.

    Args:
        loss: (2, runs), before and after.
    """
    return float((~(loss[1] < 2 * np.maximum(loss[0], 1e-3))).mean())
