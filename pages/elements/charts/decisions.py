"""Charts of what a classifier gets right."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from pages.elements.charts.spec import (
    GREY,
    INK,
    LEGEND,
    Chart,
    fitted,
    form,
    parameters,
    table,
    value,
)

MOST_LABELS = 20
"""The most classes or labels that `confusion` and `right_wrong` draw."""


def confusion(frame: pd.DataFrame, title: str) -> Chart:
    """A confusion matrix with counts and shares of the actual class.

    Args:
        frame: As from `core.inspection.confusion`.
        title: The run.
    """
    shares = frame["count"] / frame.groupby("actual")["count"].transform("sum").clip(lower=1)
    outcomes = np.where(frame["actual"] == frame["predicted"], "right", "wrong")
    # White text is on opaque cells and grey text on faint ones, so that both themes are legible.
    strong = shares >= 0.4
    depth = np.where(strong, 0.75 + 0.2 * shares, 0.04 + 0.35 * shares)
    cells = frame.assign(share=shares, outcome=outcomes, strong=strong, depth=depth)
    rows = max(1, frame["actual"].nunique())
    return Chart(_confusion(rows), {"cells": cells.reset_index(drop=True)}, {"heading": title})


def right_wrong(frame: pd.DataFrame, title: str) -> Chart:
    """How many rows are right and wrong, for each class or label.

    Args:
        frame: As from `core.measures.by_label`; of more than MOST_LABELS rows, those with the
            largest share of wrong ones are drawn.
        title: The run.
    """
    whole = (frame["right"] + frame["wrong"]).clip(lower=1)
    frame = frame.assign(share=frame["right"] / whole)
    if len(frame) > MOST_LABELS:
        title += f": the {MOST_LABELS} least often right, of {len(frame):,}"
        frame = frame.sort_values("share", kind="stable").head(MOST_LABELS)
    rows = frame.assign(text=[f"{share:.0%}" for share in frame["share"]])
    long = rows.melt(["label", "share", "text"], ["right", "wrong"], "outcome", "rows")
    values = {"heading": title}
    return Chart(_right_wrong(len(rows)), {"counts": long, "labels": rows}, values)


@form
def _right_wrong(rows: int) -> alt.LayerChart:
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(domain=False, ticks=False))
    colours = alt.Scale(domain=["right", "wrong"], range=["#0072b2", "#c65600"])
    bars = (
        table("counts")
        .mark_bar(strokeWidth=1.5, cornerRadius=1)
        .encode(
            x=alt.X("rows:Q", title="Rows", stack=True, axis=alt.Axis(format="~s", tickCount=4)),
            y=y,
            color=alt.Color("outcome:N", title=None, scale=colours, legend=alt.Legend(**LEGEND)),
            stroke=alt.Stroke("outcome:N", title=None, scale=colours),
            fillOpacity=alt.condition("datum.outcome === 'right'", alt.value(1.0), alt.value(0.35)),
            tooltip=[
                alt.Tooltip("label:N", title="Label"),
                alt.Tooltip("outcome:N", title="Outcome"),
                alt.Tooltip("rows:Q", title="Rows", format=","),
                alt.Tooltip("share:Q", title="Share that is right", format=".1%"),
            ],
        )
    )
    texts = (
        table("labels")
        .mark_text(color="white", align="left", dx=5, fontSize=12, tooltip=None)
        .encode(x=alt.value(0), y=y, text="text:N")
    )
    when = "After the last epoch"
    heading = alt.Title(
        value("heading"), subtitle=when, subtitleColor=INK, fontSize=13, anchor="start", offset=12
    )
    chart = fitted(alt.layer(bars, texts), max(1, rows) * 26, title=heading)
    return chart.add_params(*parameters("heading"))


@form
def _confusion(rows: int) -> alt.LayerChart:
    base = table("cells").encode(
        x=alt.X(
            "predicted:N",
            sort=None,
            title="Predicted",
            axis=alt.Axis(labelAngle=0, orient="top", domain=False),
        ),
        # Beside the axis; above it, the title would look like the label of the first column.
        y=alt.Y("actual:N", sort=None, title="Actual", axis=alt.Axis(domain=False)),
    )
    colours = alt.Scale(domain=["right", "wrong"], range=["#0072b2", "#c65600"])
    legend = alt.Legend(**LEGEND, symbolStrokeWidth=0)
    cells = base.mark_rect(cornerRadius=4, stroke=GREY, strokeOpacity=0.4).encode(
        color=alt.Color("outcome:N", title=None, scale=colours, legend=legend),
        fillOpacity=alt.FillOpacity("depth:Q", scale=None),
        tooltip=[
            alt.Tooltip("actual:N", title="Actual"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("count:Q", title="Rows", format=","),
            alt.Tooltip("share:Q", title="Share of the class", format=".1%"),
        ],
    )
    ink = alt.condition("datum.strong", alt.value("white"), alt.value(INK))
    counts = base.mark_text(fontSize=16, fontWeight="bold", dy=-8, tooltip=None).encode(
        text=alt.Text("count:Q", format=","), color=ink
    )
    parts = base.mark_text(fontSize=12, dy=11, tooltip=None).encode(
        text=alt.Text("share:Q", format=".0%"), color=ink
    )
    when = "After the last epoch"
    heading = alt.Title(
        value("heading"), subtitle=when, subtitleColor=INK, fontSize=13, anchor="start", offset=12
    )
    chart = fitted(alt.layer(cells, counts, parts), rows * 74, title=heading)
    return chart.add_params(*parameters("heading"))
