"""Charts of one classifier's outputs over its inputs, with a slider over the epochs."""

from __future__ import annotations

from itertools import pairwise
from math import gcd

import altair as alt
import numpy as np
import pandas as pd

from core.inspection import PROBABILITY, Surface
from pages.elements.charts.downsample import MAX_ROWS, spread
from pages.elements.charts.spec import (
    ACCENT,
    APART,
    GREY,
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
        .mark_text(color=GREY, fontSize=12, align="right", baseline="bottom", tooltip=None)
        .encode(x=alt.value("width"), y=alt.value(-9), text="text:N")
    )


def epochs_of(frame: pd.DataFrame) -> list[int]:
    """The epochs of which a frame has a column "epoch_<number>"."""
    return [int(name.removeprefix("epoch_")) for name in frame if name.startswith("epoch_")]


def _range_text(values: np.ndarray) -> str:
    """The range of a unit's values in words, such as "0 to 41,200"."""
    values = values[np.isfinite(values)]
    if not len(values):
        return "not a number"
    low, high = float(values.min()), float(values.max())
    if low == high == 0:
        return "dead: always 0"
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return f"flat at {short(low)}"
    return f"{short(low)} to {short(high)}"


def short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


# --- one feature --------------------------------------------------------------------------------


def response_view(
    frame: pd.DataFrame, key_epochs: list[int], run: int, boundary: float | None = None
) -> Chart:
    """P(y = 1 | x) over x, and below it every hidden unit's output, with a slider over the epochs.

    Args:
        frame: As from `core.inspection.response`.
        key_epochs: The epochs of the slider, reduced to MOST_KEYS; it starts at the last one.
        run: Its number, for the label.
        boundary: The x at which the true class changes.
    """
    units = frame["unit"].unique()
    epochs, wide = by_unit(frame, key_epochs)
    output = wide.loc[PROBABILITY].reset_index()
    columns = output.columns.drop("x")
    clips = bool(output[columns].min().min() < 0 or output[columns].max().max() > 1)
    output[columns] = output[columns].clip(0, 1)
    low, high = float(output["x"].min()), float(output["x"].max())
    marks = {"at": boundary, "label": "" if boundary is None else f"threshold {short(boundary)}"}
    marks["level"], marks["note"] = 0.5, f"run {run}, {'clipped to [0, 1], ' if clips else ''}"
    tables = {"output": output, "marks": pd.DataFrame([marks]).astype({"at": float})}
    hidden = [unit for unit in units if unit != PROBABILITY]
    if hidden:
        tables["units"], tables["words"] = unit_rows(wide, hidden)
    built = _response_view(len(hidden), large=high >= 10)
    return Chart(built, tables, {**slider(epochs), "low": low, "high": high})


def by_unit(frame: pd.DataFrame, key_epochs: list[int]) -> tuple[list[int], pd.DataFrame]:
    """The epochs of the slider, and the values by unit and x with a column for each of them.

    Args:
        frame: As from `core.inspection.response`.
        key_epochs: Of which at most MOST_KEYS are chosen.
    """
    measured = sorted(frame["epoch"].unique().tolist())
    offered = spread(np.asarray(key_epochs), MOST_KEYS).tolist()
    epochs = [epoch for epoch in offered if epoch in measured] or measured
    points = spread(np.sort(frame["x"].unique()), max(2, MAX_ROWS // frame["unit"].nunique()))
    frame = frame[frame["x"].isin(points) & frame["epoch"].isin(epochs)]
    values = frame["value"].astype("float32")
    frame = frame.assign(value=values.where(np.isfinite(values)))
    wide = frame.pivot(index=["unit", "x"], columns="epoch", values="value")
    wide.columns = [f"epoch_{epoch}" for epoch in wide.columns]
    return epochs, wide


def unit_rows(wide: pd.DataFrame, units: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of `units_view`: every unit's curve, and its texts, in a row of its own.

    Each row has its own scale, which is the same for all epochs. All rows are in one view, so that
    they are aligned.

    Args:
        wide: Outputs, indexed by unit and x, with a column per epoch.
        units: Names of the units, from the top row to the bottom row.
    """
    curves, words = [], []
    for row, unit in enumerate(units):
        values = wide.loc[unit]
        filled = values.fillna(0).to_numpy()
        low, top = min(0.0, filled.min()), max(0.0, filled.max())
        low, top = (0.0, 1.0) if not top > low else (low, top)
        bottom = -row - 0.92
        curve = bottom + 0.5 * (values - low) / (top - low)
        curves.append(curve.assign(row=row).reset_index())
        texts = {column: _range_text(values[column].to_numpy()) for column in values}
        zero = bottom - 0.5 * low / (top - low)
        words.append({"unit": unit, "at": -row - 0.2, "zero": zero, **texts})
    return pd.concat(curves, ignore_index=True), pd.DataFrame(words)


@form
def _response_view(units: int, *, large: bool) -> alt.VConcatChart:
    axis = alt.Axis(format=",.0f" if large else "~g", tickCount=5, grid=False)
    scale = alt.Scale(domain=[value("low"), value("high")], nice=False)
    x = alt.X("x:Q", title="x", axis=axis, scale=scale)
    views = [_probability_view(x)]
    if units:
        views.append(units_view(x, units))
    return column_of_views(views, "low", "high")


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
        color=GREY, fontSize=11, align="left", baseline="bottom", dx=5, dy=-4, tooltip=None
    ).encode(x="at:Q", y=alt.value("height"), text="label:N")
    return alt.layer(
        marks.mark_rule(**RULE).encode(x="at:Q"),
        marks.mark_rule(**RULE).encode(y="level:Q"),
        line,
        label,
        after_epoch(marks),
    ).properties(height=210)


def units_view(x: alt.X, units: int) -> alt.LayerChart:
    """A row per hidden unit: its name, the range of its values, and its output over x."""
    scale = alt.Scale(domain=[-units, 0], nice=False)
    lines = (
        table("units")
        .transform_calculate(y="datum[shown]")
        .mark_line(color=ACCENT, strokeWidth=2, tooltip=None)
        .encode(x=x, y=alt.Y("y:Q", axis=None, scale=scale), detail="row:N")
    )
    text = table("words").transform_calculate(text="datum[shown]")
    style = {"color": GREY, "fontSize": 12, "tooltip": None}
    y = alt.Y("at:Q", axis=None, scale=scale)
    zeros = text.mark_rule(color=GREY, opacity=0.35, tooltip=None).encode(
        y=alt.Y("zero:Q", axis=None, scale=scale)
    )
    names = text.mark_text(align="left", **style).encode(y=y, x=alt.value(2), text="unit:N")
    ranges = text.mark_text(align="right", **style).encode(y=y, x=alt.value("width"), text="text:N")
    return alt.layer(zeros, lines, names, ranges).properties(height=52 * units)


# --- two features -------------------------------------------------------------------------------


def surface_view(surface: Surface, run: int, columns: int = 3) -> Chart:
    """The decision surface with the samples, and the hidden units' outputs below, with a slider.

    Args:
        surface: The outputs.
        run: Its number, for the label.
        columns: The most hidden units side by side.
    """
    shown = [f"epoch_{epoch}" for epoch in surface.epochs]
    cells = overlapping(surface.output)
    tables = {"cells": cells.astype("float32"), "samples": surface.samples}
    tables["note"] = pd.DataFrame([{"note": f"run {run}, "}])
    units = surface.hidden["unit"].nunique() if len(surface.hidden) else 0
    columns = min(columns, units)
    if units:
        tables["units"], tables["words"] = unit_surfaces(surface.hidden, shown, columns)
    built = _surface_view(surface.label, units, columns)
    return Chart(built, tables, slider(surface.epochs))


def unit_surfaces(
    hidden: pd.DataFrame, shown: list[str], columns: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables of `units_surface`: every unit's cells and texts, each in a square of side 1.

    Values are divided by the unit's largest absolute value, so that each unit has its own scale.
    """
    cells, words = [], []
    for index, (unit, rows) in enumerate(hidden.groupby("unit", sort=False)):
        values = rows[shown].astype("float32")
        values = values.where(np.isfinite(values))
        most = float(values.abs().fillna(0).to_numpy().max()) or 1.0
        left, top = index % columns, -(index // columns)
        corners = {
            name: left + 0.02 + 0.96 * _unit_interval(rows[name], rows["x0"], rows["x1"])
            for name in ("x0", "x1")
        } | {
            name: top - 0.98 + 0.68 * _unit_interval(rows[name], rows["y0"], rows["y1"])
            for name in ("y0", "y1")
        }
        cells.append(overlapping((values / most).assign(**corners)).astype("float32"))
        texts = {name: _range_text(values[name].to_numpy()) for name in shown}
        words.append({"unit": unit, "x": left + 0.02, "y": top - 0.28, **texts})
    return pd.concat(cells, ignore_index=True), pd.DataFrame(words)


def overlapping(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells, slightly enlarged so that no gaps are visible between them."""
    reach = {
        high: np.minimum(cells[high] + 0.2 * (cells[high] - cells[low]), cells[high].max())
        for low, high in (("x0", "x1"), ("y0", "y1"))
    }
    return cells.assign(**reach)


def _unit_interval(values: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    return (values - low.min()) / (high.max() - low.min())


@form
def _surface_view(label: str, units: int, columns: int) -> alt.VConcatChart:
    views = [_decision_surface(label)]
    if units:
        views.append(units_surface(columns, -(-units // columns)))
    return column_of_views(views)


def _decision_surface(label: str) -> alt.LayerChart:
    # The axes end where the cells do.
    x = y = alt.Scale(zero=False, nice=False)
    axis = {"format": "~g", "tickCount": 5, "grid": False}
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
    shapes = alt.Scale(range=["circle", "triangle-up", "square", "diamond"])
    legend = alt.Legend(orient="bottom", direction="horizontal", symbolStrokeWidth=1, symbolSize=80)
    points = (
        table("samples")
        .mark_point(
            size=36, filled=True, fill="white", stroke="#1c2733", strokeWidth=1, opacity=0.9
        )
        .encode(
            x=alt.X("x:Q", scale=x),
            y=alt.Y("y:Q", scale=y),
            shape=alt.Shape("label:N", title="Label", scale=shapes, legend=legend),
            tooltip=["label:N"],
        )
    )
    return alt.layer(heat, points, after_epoch(table("note"))).properties(height=320)


def units_surface(columns: int, rows: int) -> alt.LayerChart:
    """The hidden units' outputs, grey for 0, in one view with two lines of text per unit."""
    x = alt.Scale(domain=[0, columns], nice=False)
    y = alt.Scale(domain=[-rows, 0], nice=False)
    scale = alt.Scale(domain=[-1, -0.5, 0, 0.5, 1], range=SIGNED, interpolate="rgb")
    heat = (
        table("units")
        .transform_calculate(value="datum[shown]")
        .mark_rect(tooltip=None)
        .encode(
            x=alt.X("x0:Q", axis=None, scale=x),
            x2="x1:Q",
            y=alt.Y("y0:Q", axis=None, scale=y),
            y2="y1:Q",
            color=alt.Color("value:Q", scale=scale, legend=None),
        )
    )
    text = (
        table("words")
        .transform_calculate(text="datum[shown]")
        .encode(x=alt.X("x:Q", axis=None, scale=x), y=alt.Y("y:Q", axis=None, scale=y))
    )
    style = {"align": "left", "baseline": "bottom", "color": GREY, "fontSize": 11, "tooltip": None}
    names = text.mark_text(dy=-16, **style).encode(text="unit:N")
    ranges = text.mark_text(dy=-2, **style).encode(text="text:N")
    return alt.layer(heat, names, ranges).properties(height=130 * rows)


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
