"""Charts of the quantiles of very many runs."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from core.tasks import Task
from pages.elements.charts.spec import (
    CLASSES,
    EPOCHS,
    Chart,
    epoch_axis,
    epoch_ends,
    fitted,
    form,
    number_format,
    parameters,
    rules,
    rules_table,
    table,
    value_axis,
)

BLUE = "#0072b2"
HEIGHT = 260
"""Of the plot in pixels."""


def bands(
    frame: pd.DataFrame,
    measure: str,
    epochs: int,
    target: float | None = None,
    task: Task = CLASSES,
) -> Chart:
    """The median over the runs by epoch, with the bands of half and of nine tenths of them.

    Args:
        frame: As from `core.sweep.Result.frame`.
        measure: "score" or "loss".
        epochs: Of the training.
        target: Drawn as a horizontal rule.
        task: Whose score it is.
    """
    names = {f"{measure}_{q}": f"q{q}" for q in (5, 25, 50, 75, 95)}
    rows = frame[["epoch", "runs", *names]].rename(columns=names)
    rows = rows.replace([np.inf, -np.inf], np.nan)
    tables = {"quantiles": rows, "rules": rules_table({"target": target}, HEIGHT, task)}
    return Chart(_bands(measure, task), tables, epoch_ends(epochs))


@form
def _bands(measure: str, task: Task) -> alt.LayerChart:
    digits = number_format(measure, task)
    base = table("quantiles").encode(x=epoch_axis())

    def y(column):
        axis = value_axis(f"evaluated_{measure}", False, column, task)
        return axis.title(None) if measure == "loss" else axis

    tooltip = [
        alt.Tooltip("epoch:Q", title="Epoch", format=",d"),
        alt.Tooltip("q50:Q", title="Median", format=digits),
        alt.Tooltip("q25:Q", title="Half of the runs from", format=digits),
        alt.Tooltip("q75:Q", title="to", format=digits),
        alt.Tooltip("q5:Q", title="Nine tenths from", format=digits),
        alt.Tooltip("q95:Q", title="to", format=digits),
    ]
    wide = base.mark_area(opacity=0.15, color=BLUE, tooltip=None).encode(y=y("q5"), y2="q95:Q")
    half = base.mark_area(opacity=0.25, color=BLUE, tooltip=None).encode(y=y("q25"), y2="q75:Q")
    point = alt.OverlayMarkDef(color=BLUE)
    median = base.mark_line(color=BLUE, strokeWidth=2.5, point=point).encode(
        y=y("q50"), tooltip=tooltip
    )
    layers = [wide, half, median] + (rules() if measure == "score" else [])
    return fitted(alt.layer(*layers), HEIGHT).add_params(*parameters(*EPOCHS))
