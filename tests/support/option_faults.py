"""Faults in the arguments of `compile` and `fit`, each beside an experiment without it."""

from dataclasses import replace

import numpy as np

from core.experiment import Dense, Model
from support.diagnosis import (
    HEALTHY,
    MULTI_LABEL,
    REGRESSION,
    curve,
    data,
    output,
    rows,
    table,
    training,
)

ROWS = np.array(rows(200)[0])
SORTED = ROWS[np.argsort(ROWS[:, 0])]
LAST = {"hold_out": 0.2, "held_out": "last", "shuffling": "none"}
LABELS = (SORTED[:, 0] > 0).astype(int)
BY_CLASS = data(table(SORTED, LABELS), **LAST)
MIXED = data(table(ROWS, (ROWS[:, 0] > 0).astype(int)), **LAST)
RARE = table(SORTED, (np.arange(200) >= 190).astype(int))
SUMMED = replace(
    MULTI_LABEL,
    model=Model((Dense(16, "relu", "he_normal"), Dense(2, "softmax"))),
    training=replace(MULTI_LABEL.training, loss="categorical_crossentropy"),
)
LOGITS = training(output(HEALTHY, activation="linear"), from_logits=True)
POSITIVE = curve(offset=10.0)
FAULTS = {
    "logits-of-probabilities": (
        training(loss="binary_focal_crossentropy", from_logits=True),
        LOGITS,
    ),
    "multi-label-softmax": (SUMMED, MULTI_LABEL),
    "hinge-without-sign": (
        training(loss="hinge"),
        training(output(HEALTHY, activation="tanh"), loss="hinge"),
    ),
    "targets-outside-loss": (
        training(REGRESSION, loss="mean_squared_logarithmic_error"),
        training(POSITIVE, loss="mean_squared_logarithmic_error"),
    ),
    "relative-error-near-zero": (
        training(REGRESSION, loss="mean_absolute_percentage_error"),
        training(POSITIVE, loss="mean_absolute_percentage_error"),
    ),
    "validation-of-last-rows": (BY_CLASS, MIXED),
    "class-weights": (training(class_weight=(1.0, 0.0)), training(class_weight=(1.0, 2.0))),
    "metric-unfit": (training(metrics=("r2_score", "auc")), training(metrics=("auc", "accuracy"))),
}
