"""Histories without a training."""

from typing import Any

import numpy as np

from core.history import History


def made_up(experiment, loss, score, **others) -> History:
    """A history with these curves, during and after each epoch, and nothing else of interest.

    Args:
        loss, score: float32 (epochs, runs).
        **others: Fields of the history that are not to follow from the curves.
    """
    fields: dict[str, Any] = {
        "seed": 0,
        "evaluated_loss": loss,
        "evaluated_score": score,
        "val_loss": None,
        "val_score": None,
        "health": None,
        "final_loss": loss[-1],
        "final_score": score[-1],
        "key_epochs": np.array([0, len(loss)]),
        "weights": (),
        "cancelled": False,
        "seconds": 0.0,
        "compile_seconds": 0.0,
    }
    return History(experiment=experiment, loss=loss, score=score, **fields | others)
