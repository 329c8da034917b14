"""Charts of one classifier's outputs over its inputs, with a slider over the epochs."""

from __future__ import annotations

from itertools import pairwise
from math import gcd

import altair as alt
import numpy as np
import pandas as pd

from core.inspection import PROBABILITY, Surface
from pages.elements.charts.downsample import spread
from pages.elements.charts.spec import (
    ACCENT,
    APART,
    GREY,
    INK,
    TICKS,
    Chart,
    above,
    fitted,
    form,
    parameters,
    table,
    value,
)

MOST_KEYS = 20
CLASSES = ("#5b2d91", "#bfa6de", "#9bd6ba", "#00734f")
"""From the first class to the second; the decision boundary is between the middle two."""
SIGNED = ("#5b2d91", "#a48cc4", "#9aa0a6", "#63b897", "#00734f")
"""From negative values over 0 to positive ones."""
WRONG = "#d55e00"
"""Of a ring around a sample whose class is not predicted."""
SHAPE_LEGEND = alt.Legend(
    orient="bottom", direction="horizontal", symbolStrokeWidth=1, symbolSize=80
)
RULE = {"color": GREY, "strokeDash": [3, 3], "tooltip": None}
SLIDER = ("epoch", "shown")
"""The values that `slider` gives."""


def slider(epochs: list[int]) -> dict[str, object]:
    """The values of SLIDER: the slider, and the column of the last key epoch up to its position."""
    first, last = epochs[0], epochs[-1]
    column = f"'epoch_{first}'"
    for epoch in epochs[1:]:
        column = f"epoch >= {epoch} ? 'epoch_{epoch}' : ({column})"
    epoch = {"value": last}
    if first != last:
        step = gcd(*(b - a for a, b in pairwise(epochs)))
        slider = alt.binding_range(min=first, max=last, step=step, name="Epoch")
        epoch["bind"] = slider.to_dict()
    return dict(zip(SLIDER, (epoch, {"expr": column}), strict=True))


def column_of_views(views: list, *filled_in: str) -> alt.VConcatChart:
    """Views below one another, as wide as the page, with one slider."""
    chart = alt.vconcat(*views, spacing=16).resolve_scale(**APART)
    return fitted(chart).add_params(*parameters(*SLIDER, *filled_in))


def after_epoch(note: alt.Chart) -> alt.Chart:
    """A label above the upper right corner of a plot, with the run and epoch of the weights.

    Args:
        note: A chart on a table of one row, whose column note is put before the epoch. The run is
            in a table, not in the form: the browser then updates the chart and keeps its slider.
    """
    return (
        note.transform_calculate(text="datum.note + 'after epoch ' + slice(shown, 6)")
        .mark_text(color=INK, fontSize=12, align="right", baseline="bottom", tooltip=None)
        .encode(x=alt.value("width"), y=alt.value(-9), text="text:N")
    )


def epochs_of(frame: pd.DataFrame) -> list[int]:
    """The epochs of which a frame has a column "epoch_<number>"."""
    return [int(name.removeprefix("epoch_")) for name in frame if name.startswith("epoch_")]


def short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


# --- one feature --------------------------------------------------------------------------------


def response_view(
    frame: pd.DataFrame, key_epochs: list[int], run: int, boundary: float | None = None
) -> Chart:
    """P(y = 1 | x) over x, with a slider over the epochs.

    Args:
        frame: As from `core.inspection.response`.
        key_epochs: The epochs of the slider, reduced to MOST_KEYS; it starts at the last one.
        run: Its number, for the label.
        boundary: The x at which the true class changes.
    """
    epochs, wide = by_output(frame, key_epochs)
    output = wide.loc[PROBABILITY].reset_index()
    columns = output.columns.drop("x")
    clips = bool(output[columns].min().min() < 0 or output[columns].max().max() > 1)
    output[columns] = output[columns].clip(0, 1)
    low, high = float(output["x"].min()), float(output["x"].max())
    marks = {"at": boundary, "label": "" if boundary is None else f"threshold {short(boundary)}"}
    marks["level"], marks["note"] = 0.5, f"run {run}, {'clipped to [0, 1], ' if clips else ''}"
    tables = {"output": output, "marks": pd.DataFrame([marks]).astype({"at": float})}
    return Chart(
        _response_view(large=high >= 10), tables, slider(epochs) | {"low": low, "high": high}
    )


def by_output(frame: pd.DataFrame, key_epochs: list[int]) -> tuple[list[int], pd.DataFrame]:
    """The epochs of the slider, and the values by output and x with a column for each of them.

    Args:
        frame: As from `core.inspection.response`.
        key_epochs: Of which at most MOST_KEYS are chosen.
    """
    measured = sorted(frame["epoch"].unique().tolist())
    offered = spread(np.asarray(key_epochs), MOST_KEYS).tolist()
    epochs = [epoch for epoch in offered if epoch in measured] or measured
    frame = frame[frame["epoch"].isin(epochs)]
    values = frame["value"].astype("float32")
    frame = frame.assign(value=values.where(np.isfinite(values)))
    wide = frame.pivot(index=["output", "x"], columns="epoch", values="value")
    wide.columns = [f"epoch_{epoch}" for epoch in wide.columns]
    return epochs, wide


@form
def _response_view(*, large: bool) -> alt.VConcatChart:
    axis = alt.Axis(format=",.0f" if large else TICKS, tickCount=5, grid=False)
    scale = alt.Scale(domain=[value("low"), value("high")], nice=False)
    x = alt.X("x:Q", title="x", axis=axis, scale=scale)
    return column_of_views([_probability_view(x)], "low", "high")


def _probability_view(x: alt.X) -> alt.LayerChart:
    """The output over x."""
    line = (
        table("output")
        .transform_calculate(value="datum[shown]", after="slice(shown, 6)")
        .mark_line(color=ACCENT, strokeWidth=3)
        .encode(
            x=x,
            y=alt.Y(
                "value:Q",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(values=[0, 0.5, 1], format=".1f", **above(PROBABILITY)),
            ),
            tooltip=[
                alt.Tooltip("x:Q", format=",.0f"),
                alt.Tooltip("value:Q", title=PROBABILITY, format=".3f"),
                alt.Tooltip("after:N", title="After epoch"),
            ],
        )
    )
    marks = table("marks")
    # In the lower right corner, which is empty if the network has learnt.
    label = marks.mark_text(
        color=INK, fontSize=11, align="left", baseline="bottom", dx=5, dy=-4, tooltip=None
    ).encode(x="at:Q", y=alt.value("height"), text="label:N")
    return alt.layer(
        marks.mark_rule(**RULE).encode(x="at:Q"),
        marks.mark_rule(**RULE).encode(y="level:Q"),
        line,
        label,
        after_epoch(marks),
    ).properties(height=210)


# --- two features -------------------------------------------------------------------------------


def surface_view(surface: Surface, run: int) -> Chart:
    """The decision surface with the samples, with a slider over the epochs.

    Args:
        surface: The outputs.
        run: Its number, for the label.
    """
    cells = overlapping(surface.output)
    tables = {"cells": cells.astype("float32"), "samples": surface.samples}
    tables["note"] = pd.DataFrame([{"note": f"run {run}, "}])
    return Chart(_surface_view(surface.label), tables, slider(surface.epochs))


def overlapping(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells, slightly enlarged so that no gaps are visible between them."""
    reach = {
        high: np.minimum(cells[high] + 0.2 * (cells[high] - cells[low]), cells[high].max())
        for low, high in (("x0", "x1"), ("y0", "y1"))
    }
    return cells.assign(**reach)


@form
def _surface_view(label: str) -> alt.VConcatChart:
    return column_of_views([_decision_surface(label)])


def _decision_surface(label: str) -> alt.LayerChart:
    # The axes end where the cells do.
    x = y = alt.Scale(zero=False, nice=False)
    axis = {"format": TICKS, "tickCount": 5, "grid": False}
    likely = f"P(label {label})"
    scale = alt.Scale(domain=[0, 0.4999, 0.5001, 1], range=CLASSES, clamp=True, interpolate="rgb")
    legend = alt.Legend(orient="bottom", gradientLength=150, format=".1f", values=[0, 0.5, 1])
    heat = (
        table("cells")
        .transform_calculate(value="datum[shown]", after="slice(shown, 6)")
        .mark_rect(clip=True)
        .encode(
            x=alt.X("x0:Q", title="Feature 1", scale=x, axis=alt.Axis(**axis)),
            x2="x1:Q",
            y=alt.Y("y0:Q", scale=y, axis=alt.Axis(**axis, **above("Feature 2"))),
            y2="y1:Q",
            color=alt.Color("value:Q", title=likely, scale=scale, legend=legend),
            tooltip=[
                alt.Tooltip("value:Q", title=likely, format=".3f"),
                alt.Tooltip("after:N", title="After epoch"),
            ],
        )
    )
    # Each class has the colour of the surface where it is likely, and a shape.
    shapes = alt.Scale(range=["circle", "triangle-up", "square", "diamond"])
    shape = alt.Shape("label:N", title="Label", scale=shapes, legend=SHAPE_LEGEND)
    fills = alt.Scale(range=[CLASSES[0], CLASSES[-1], "#e69f00", "#56b4e9"])
    fill = alt.Fill("label:N", title="Label", scale=fills, legend=None)
    samples = (
        table("samples")
        .transform_calculate(right="datum[shown]", after="slice(shown, 6)")
        .transform_calculate(said="datum.right ? 'right' : 'wrong'")
        .encode(x=alt.X("x:Q", scale=x), y=alt.Y("y:Q", scale=y))
    )
    points = samples.mark_point(size=42, stroke="white", strokeWidth=1, opacity=1).encode(
        shape=shape,
        fill=fill,
        tooltip=[
            alt.Tooltip("label:N", title="Label"),
            alt.Tooltip("said:N", title="Predicted"),
            alt.Tooltip("after:N", title="After epoch"),
        ],
    )
    wrong = samples.transform_filter("!datum.right").mark_point(
        size=130, filled=False, color=WRONG, strokeWidth=2, opacity=1, tooltip=None
    )
    return alt.layer(heat, points, wrong, after_epoch(table("note"))).properties(height=320)


# --- more features ------------------------------------------------------------------------------


def own_class_view(frame: pd.DataFrame, run: int) -> Chart:
    """A histogram of the outputs for each row's own class, with a slider over the epochs.

    Args:
        frame: As from `core.inspection.own_class`.
        run: Its number, for the label.
    """
    epochs = epochs_of(frame)
    tables = {"bins": frame, "note": pd.DataFrame([{"note": f"run {run}, "}])}
    return Chart(_own_class_view(), tables, slider(epochs))


@form
def _own_class_view() -> alt.VConcatChart:
    bars = (
        table("bins")
        .transform_calculate(count="datum[shown]", after="slice(shown, 6)")
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "low:Q",
                bin="binned",
                title="Output for the row's own class",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".2f", grid=False, values=[0, 0.25, 0.5, 0.75, 1]),
            ),
            x2="high:Q",
            y=alt.Y("count:Q", stack=True, axis=alt.Axis(format="~s", **above("Training rows"))),
            color=alt.Color(
                "label:N", title="Label", legend=alt.Legend(orient="bottom", direction="horizontal")
            ),
            tooltip=["label:N", "count:Q", alt.Tooltip("after:N", title="After epoch")],
        )
    )
    return column_of_views([alt.layer(bars, after_epoch(table("note"))).properties(height=260)])
