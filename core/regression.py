"""What a regression predicts of rows whose targets are known, in the targets' own unit."""

from __future__ import annotations

import pandas as pd

from core.history import History
from core.inspection import (
    SHOWN_ROWS,
    evenly,
    predictions,
    shown_keys,
    target_names,
    target_samples,
)


def against_truth(history: History, run: int) -> pd.DataFrame:
    """What a regression predicts of rows, and what is true, in the targets' own unit.

    Args:
        history: A training on continuous targets.
        run: Whose weights are used, and whose rows: held-out ones if there are any.

    Returns:
        At most SHOWN_ROWS rows for each target, with columns target, true and, for each of at most
        SHOWN_EPOCHS key epochs, "epoch_<number>" (the prediction).
    """
    experiment = history.experiment
    rows = history.rows(run)
    x, y = rows.judged
    chosen = evenly(len(x), SHOWN_ROWS)
    true = rows.in_unit_of_targets(y[chosen])
    names = target_names(experiment)
    frames = [pd.DataFrame({"target": name, "true": true[:, k]}) for k, name in enumerate(names)]
    for key in shown_keys(history):
        predicted = predictions(experiment, history.weights_at(key, run), rows, x[chosen])
        for k, frame in enumerate(frames):
            frame[f"epoch_{history.key_epochs[key]}"] = predicted[:, k]
    return pd.concat(frames, ignore_index=True)


def samples_over_x(history: History, run: int) -> pd.DataFrame:
    """Some training rows of the only feature: x (unscaled), target and value, in its own unit."""
    rows = history.rows(run)
    samples = target_samples(history.experiment, rows)
    raw = (rows.x * rows.scale + rows.offset)[:, 0]
    return samples.assign(x=raw[samples["row"]]).drop(columns="row")
