"""Charts of one regression's predictions, with a slider over the epochs."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from core.inspection import Surface
from pages.elements.charts.network import (
    CLASSES,
    RULE,
    after_epoch,
    by_output,
    column_of_views,
    epochs_of,
    overlapping,
    slider,
)
from pages.elements.charts.spec import ACCENT, GREY, TICKS, Chart, above, form, table, value

ROOM = 0.05
"""Of an axis beyond its values, as a fraction of their range."""
REACH = 2.0
"""How far an axis follows predictions beyond the targets, in ranges of the targets; those further
out are drawn at its end."""
SHOWN = {"value": "datum[shown]", "after": "slice(shown, 6)"}
NUMBER = ",.4~g"


def _ends(true: pd.Series, predicted: pd.Series) -> tuple[float, float]:
    """The ends of an axis for targets and their predictions."""
    low, high = float(true.min()), float(true.max())
    spread = (high - low) or max(abs(high), 1.0)
    known = predicted[np.isfinite(predicted)]
    if len(known):
        low = max(min(low, float(known.min())), low - REACH * spread)
        high = min(max(high, float(known.max())), high + REACH * spread)
    room = ROOM * ((high - low) or spread)
    return low - room, high + room


def _values(low: str, high: str, ends: tuple[float, float]) -> dict[str, float]:
    return dict(zip((low, high), ends, strict=True))


def _domain(low: str, high: str) -> alt.Scale:
    return alt.Scale(domain=[value(low), value(high)], nice=False, zero=False, clamp=True)


def _note(run: int) -> pd.DataFrame:
    return pd.DataFrame([{"note": f"run {run}, "}])


# --- one feature --------------------------------------------------------------------------------


def curve_view(
    frame: pd.DataFrame, samples: pd.DataFrame, key_epochs: list[int], run: int
) -> Chart:
    """The prediction of each target over x with the samples, with a slider.

    Args:
        frame: As from `core.inspection.response`.
        samples: As from `core.regression.samples_over_x`.
        key_epochs: The epochs of the slider, which starts at the last one.
        run: Its number, for the label.
    """
    epochs, wide = by_output(frame, key_epochs)
    names = tuple(samples["target"].unique())
    curves = wide.loc[list(names)].reset_index().rename(columns={"output": "target"})
    tables = {"curves": curves, "samples": samples, "note": _note(run)}
    x = pd.concat([curves["x"], samples["x"]])
    values = {**slider(epochs), "low": float(x.min()), "high": float(x.max())}
    for k, name in enumerate(names):
        last = curves.loc[curves["target"] == name, f"epoch_{epochs[-1]}"]
        known = samples.loc[samples["target"] == name, "value"]
        values |= _values(f"low_{k}", f"high_{k}", _ends(known, last))
    return Chart(_curve_view(names), tables, values)


@form
def _curve_view(names: tuple[str, ...]) -> alt.VConcatChart:
    axis = alt.Axis(format=TICKS, tickCount=5, grid=False)
    scale = alt.Scale(domain=[value("low"), value("high")], nice=False)
    x = alt.X("x:Q", title="x", axis=axis, scale=scale)
    views = [_curve(x, k, name, len(names)) for k, name in enumerate(names)]
    ends = [f"{end}_{k}" for k in range(len(names)) for end in ("low", "high")]
    return column_of_views(views, "low", "high", *ends)


def _curve(x: alt.X, k: int, name: str, targets: int) -> alt.LayerChart:
    axis = alt.Axis(format=TICKS, tickCount=5, **above(name.capitalize()))

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", scale=_domain(f"low_{k}", f"high_{k}"), axis=axis)

    of_target = f"datum.target === '{name}'"
    points = (
        table("samples")
        .transform_filter(of_target)
        .mark_point(size=26, color=GREY, opacity=0.55, strokeWidth=1.2)
        .encode(
            x=x,
            y=y("value"),
            tooltip=[
                alt.Tooltip("x:Q", format=NUMBER),
                alt.Tooltip("value:Q", title=name.capitalize(), format=NUMBER),
            ],
        )
    )
    line = (
        table("curves")
        .transform_filter(of_target)
        .transform_calculate(**SHOWN)
        .mark_line(color=ACCENT, strokeWidth=3)
        .encode(
            x=x,
            y=y("value"),
            tooltip=[
                alt.Tooltip("x:Q", format=NUMBER),
                alt.Tooltip("value:Q", title="Prediction", format=NUMBER),
                alt.Tooltip("after:N", title="After epoch"),
            ],
        )
    )
    layers = [points, line, after_epoch(table("note"))]
    return alt.layer(*layers).properties(height=260 if targets == 1 else 180)


# --- two features -------------------------------------------------------------------------------


def targets_surface_view(surface: Surface, run: int) -> Chart:
    """The prediction of each target over two features with the samples.

    Args:
        surface: Of a regression.
        run: Its number, for the label.
    """
    names = tuple(surface.samples["target"].unique())
    cells = overlapping(surface.output)
    numbers = cells.columns.drop("target")
    tables = {
        "cells": cells.astype(dict.fromkeys(numbers, "float32")),
        "samples": surface.samples,
        "note": _note(run),
    }
    values = slider(surface.epochs)
    for k, name in enumerate(names):
        known = surface.samples.loc[surface.samples["target"] == name, "value"]
        low, high = float(known.min()), float(known.max())
        values |= _values(f"low_{k}", f"high_{k}", (low, high if high > low else low + 1))
    return Chart(_targets_surface_view(names), tables, values)


@form
def _targets_surface_view(names: tuple[str, ...]) -> alt.VConcatChart:
    views = [_target_surface(k, name, len(names)) for k, name in enumerate(names)]
    ends = [f"{end}_{k}" for k in range(len(names)) for end in ("low", "high")]
    return column_of_views(views, *ends)


def _target_surface(k: int, name: str, targets: int) -> alt.LayerChart:
    """Predictions as cells and samples as points, in the same colours."""
    position = alt.Scale(zero=False, nice=False)
    axis = {"format": TICKS, "tickCount": 5, "grid": False}
    low, high = f"low_{k}", f"high_{k}"
    ends = [low, f"{low} + ({high} - {low}) / 3", f"{high} - ({high} - {low}) / 3", high]
    scale = alt.Scale(
        domain=[value(end) for end in ends], range=CLASSES, clamp=True, interpolate="rgb"
    )
    legend = alt.Legend(orient="bottom", gradientLength=150, format=TICKS, tickCount=4)
    color = alt.Color("value:Q", title=name.capitalize(), scale=scale, legend=legend)
    of_target = f"datum.target === '{name}'"
    heat = (
        table("cells")
        .transform_filter(of_target)
        .transform_calculate(**SHOWN)
        .mark_rect(clip=True)
        .encode(
            x=alt.X("x0:Q", title="Feature 1", scale=position, axis=alt.Axis(**axis)),
            x2="x1:Q",
            y=alt.Y("y0:Q", scale=position, axis=alt.Axis(**axis, **above("Feature 2"))),
            y2="y1:Q",
            color=color,
            tooltip=[
                alt.Tooltip("value:Q", title="Prediction", format=NUMBER),
                alt.Tooltip("after:N", title="After epoch"),
            ],
        )
    )
    points = (
        table("samples")
        .transform_filter(of_target)
        .mark_circle(size=44, stroke="white", strokeWidth=1, opacity=1)
        .encode(
            x=alt.X("x:Q", scale=position),
            y=alt.Y("y:Q", scale=position),
            color=color,
            tooltip=[alt.Tooltip("value:Q", title=name.capitalize(), format=NUMBER)],
        )
    )
    layers = alt.layer(heat, points, after_epoch(table("note")))
    return layers.properties(height=320 if targets == 1 else 220)


# --- predictions and truth ----------------------------------------------------------------------


def predictions_view(frame: pd.DataFrame, run: int) -> Chart:
    """The predictions of each target against the truth, and the residuals of a single target.

    Args:
        frame: As from `core.regression.against_truth`.
        run: Its number, for the label.
    """
    epochs, names = epochs_of(frame), tuple(frame["target"].unique())
    last = f"epoch_{epochs[-1]}"
    values, diagonals = slider(epochs), []
    for k, name in enumerate(names):
        rows = frame[frame["target"] == name]
        across, up = _ends(rows["true"], rows["true"]), _ends(rows["true"], rows[last])
        values |= _values(f"left_{k}", f"right_{k}", across)
        values |= _values(f"low_{k}", f"high_{k}", up)
        diagonals += [{"target": name, "true": end} for end in across]
    if len(names) == 1:
        residuals = frame[last] - frame["true"]
        known = residuals[np.isfinite(residuals)].abs()
        widest = (1 + REACH) * float(np.ptp(frame["true"]) or 1)
        most = (1 + ROOM) * min(float(known.max()) if len(known) else widest, widest)
        values["most"] = most or 1.0
    tables = {"rows": frame, "diagonals": pd.DataFrame(diagonals), "note": _note(run)}
    return Chart(_predictions_view(names), tables, values)


@form
def _predictions_view(names: tuple[str, ...]) -> alt.VConcatChart:
    views = [_predicted(k, name, len(names)) for k, name in enumerate(names)]
    ends = ("left", "right", "low", "high")
    filled_in = [f"{end}_{k}" for k in range(len(names)) for end in ends]
    if len(names) == 1:
        views.append(_residuals())
        filled_in.append("most")
    return column_of_views(views, *filled_in)


def _across(k: int, name: str) -> alt.X:
    axis = alt.Axis(format=TICKS, tickCount=5, grid=False)
    scale = _domain(f"left_{k}", f"right_{k}")
    return alt.X("true:Q", title=f"True {name}", scale=scale, axis=axis)


def _points(name: str, tooltip: list[alt.Tooltip]) -> alt.Chart:
    return (
        table("rows")
        .transform_filter(f"datum.target === '{name}'")
        .transform_calculate(**SHOWN, residual="datum[shown] - datum.true")
        .mark_point(size=26, color=ACCENT, opacity=0.8, strokeWidth=1.2)
        .encode(tooltip=[*tooltip, alt.Tooltip("after:N", title="After epoch")])
    )


def _predicted(k: int, name: str, targets: int) -> alt.LayerChart:
    x = _across(k, name)
    axis = alt.Axis(format=TICKS, tickCount=5, **above(f"Predicted {name}"))

    def y(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", scale=_domain(f"low_{k}", f"high_{k}"), axis=axis)

    tooltip = [
        alt.Tooltip("true:Q", title="True", format=NUMBER),
        alt.Tooltip("value:Q", title="Predicted", format=NUMBER),
    ]
    points = _points(name, tooltip).encode(x=x, y=y("value"))
    diagonal = (
        table("diagonals")
        .transform_filter(f"datum.target === '{name}'")
        .mark_line(**RULE)
        .encode(x=x, y=y("true"))
    )
    layers = alt.layer(diagonal, points, after_epoch(table("note")))
    return layers.properties(height=230 if targets == 1 else 180)


def _residuals() -> alt.LayerChart:
    axis = alt.Axis(format=TICKS, tickCount=5, **above("Residual: predicted \u2212 true"))
    scale = alt.Scale(domain=[value("-most"), value("most")], nice=False, clamp=True)
    tooltip = [
        alt.Tooltip("true:Q", title="True", format=NUMBER),
        alt.Tooltip("residual:Q", title="Residual", format=NUMBER),
    ]
    y = alt.Y("residual:Q", scale=scale, axis=axis)
    points = _points("target", tooltip).encode(x=_across(0, "target"), y=y)
    zero = table("note").mark_rule(**RULE).encode(y=alt.YDatum(0, scale=scale, axis=axis))
    return alt.layer(zero, points).properties(height=150)
