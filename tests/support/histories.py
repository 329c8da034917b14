"""Histories without a training."""

from typing import Any

import numpy as np

from core.history import History


def made_up(experiment, loss, accuracy, **others) -> History:
    """A history with these curves, during and after each epoch, and nothing else of interest.

    Args:
        loss, accuracy: float32 (epochs, runs).
        **others: Fields of the history that are not to follow from the curves.
    """
    fields: dict[str, Any] = {
        "seed": 0,
        "evaluated_loss": loss,
        "evaluated_accuracy": accuracy,
        "val_loss": None,
        "val_accuracy": None,
        "health": None,
        "final_loss": loss[-1],
        "final_accuracy": accuracy[-1],
        "key_epochs": np.array([0, len(loss)]),
        "weights": (),
        "cancelled": False,
        "seconds": 0.0,
        "compile_seconds": 0.0,
    }
    return History(experiment=experiment, loss=loss, accuracy=accuracy, **fields | others)
