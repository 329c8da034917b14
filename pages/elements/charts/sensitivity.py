"""Charts of where a network learns: its success rate over one setting, or over two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from pages.elements.charts.spec import (
    GREY,
    LEGEND,
    TICKS,
    Chart,
    above,
    fitted,
    form,
    parameters,
    table,
    value,
)

CELL = "cell"
"""The selection of a chart: the values of the setting that was clicked."""
FAILS, EVEN, SUCCEEDS = "#d55e00", "#f4f1ea", "#0072b2"
"""The colours of rates of 0, 50 and 100%."""
INK = "#10161d"
REGION = 0.9
"""The rate from which on the region is outlined."""


class Scale(NamedTuple):
    """An axis of settings.

    Attributes:
        title: Of the axis.
        values: In order.
        texts: The values in words.
        log: Whether the values are spaced by their logarithms.
    """

    title: str
    values: Sequence[float]
    texts: Sequence[str]
    log: bool

    @property
    def edges(self) -> list[float]:
        """The ends of the values' cells, one more than there are values."""
        numbers = np.log(self.values) if self.log else np.asarray(self.values, float)
        middles = (numbers[1:] + numbers[:-1]) / 2
        ends = [2 * numbers[0] - middles[0], *middles, 2 * numbers[-1] - middles[-1]]
        return (np.exp(ends) if self.log else np.array(ends)).tolist()

    @property
    def ticks(self) -> list[float]:
        """The powers of ten between the ends, or the values."""
        if not self.log:
            return list(self.values)
        low, high = (math.log10(end) for end in (self.edges[0], self.edges[-1]))
        powers = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
        return powers if len(powers) > 1 else list(self.values)


def learning_map(
    frame: pd.DataFrame,
    x: Scale,
    y: Scale,
    present: tuple[float, float] | None,
    height: int = 420,
) -> Chart:
    """Success rates over two settings, with the region of REGION or more outlined.

    Args:
        frame: A row for each setting that was trained, with columns x and y (indices of the
            values), successes, runs, rate, low and high.
        x, y: The settings.
        present: The values that the experiment has; None if it is not on the map.
        height: Of the plot in pixels.
    """
    cells = frame.drop(columns=["x", "y"])
    for name, scale in (("x", x), ("y", y)):
        edges, place = np.array(scale.edges), frame[name].to_numpy()
        cells[name] = np.array(scale.values)[place]
        cells[f"{name}_text"] = np.array(scale.texts)[place]
        cells[f"{name}_low"], cells[f"{name}_high"] = edges[place], edges[place + 1]
    cells["result"] = _results(frame)
    marked = [] if present is None else [dict(zip("xy", present, strict=True))]
    tables = {
        "cells": cells,
        "region": _outline(frame, x, y),
        "present": pd.DataFrame(marked, columns=["x", "y"]),
    }
    values = {
        f"{name}_{what}": own
        for name, scale in (("x", x), ("y", y))
        for what, own in (
            ("first", scale.edges[0]),
            ("last", scale.edges[-1]),
            ("ticks", scale.ticks),
        )
    }
    return Chart(_learning_map(x.title, x.log, y.title, y.log, height), tables, values)


def _results(frame: pd.DataFrame) -> list[str]:
    return [
        f"{met} of {runs} runs" for met, runs in zip(frame["successes"], frame["runs"], strict=True)
    ]


def _outline(frame: pd.DataFrame, x: Scale, y: Scale) -> pd.DataFrame:
    """The edges between cells of the region and others, as lines from (x, y) to (x2, y2)."""
    inside = np.zeros((len(x.values) + 2, len(y.values) + 2), bool)
    reached = frame[frame["rate"] >= REGION]
    inside[reached["x"] + 1, reached["y"] + 1] = True
    across, up = x.edges, y.edges
    lines = []
    for i, j in np.argwhere(inside[:-1] != inside[1:]):
        if 1 <= j <= len(y.values):
            lines.append((across[i], up[j - 1], across[i], up[j]))
    for i, j in np.argwhere(inside[:, :-1] != inside[:, 1:]):
        if 1 <= i <= len(x.values):
            lines.append((across[i - 1], up[j], across[i], up[j]))
    return pd.DataFrame(lines, columns=["x", "y", "x2", "y2"])


def _position(channel: type, column: str, name: str, title: str, log: bool):
    scale = alt.Scale(
        type="log" if log else "linear",
        domain=[value(f"{name}_first"), value(f"{name}_last")],
        nice=False,
        zero=alt.Undefined if log else False,
    )
    titles = above(title) if name == "y" else {"title": title}
    axis = alt.Axis(
        format=TICKS,
        values=value(f"{name}_ticks"),
        grid=False,
        labelOverlap=True,
        **titles,
    )
    return channel(f"{column}:Q", scale=scale, axis=axis)


@form
def _learning_map(
    x_title: str, x_log: bool, y_title: str, y_log: bool, height: int
) -> alt.LayerChart:
    def across(column):
        return _position(alt.X, column, "x", x_title, x_log)

    def up(column):
        return _position(alt.Y, column, "y", y_title, y_log)

    colour = alt.Color(
        "rate:Q",
        title=None,
        scale=alt.Scale(domain=[0, 0.5, 1], range=[FAILS, EVEN, SUCCEEDS], interpolate="rgb"),
        legend=alt.Legend(
            **LEGEND | {"title": "Runs that succeed"},
            format=".0%",
            values=[0, 0.25, 0.5, 0.75, 1],
            gradientLength=240,
        ),
    )
    tooltip = [
        alt.Tooltip("x_text:N", title=x_title),
        alt.Tooltip("y_text:N", title=y_title),
        alt.Tooltip("result:N", title="Succeed"),
        alt.Tooltip("low:Q", title="95% interval from", format=".0%"),
        alt.Tooltip("high:Q", title="to", format=".0%"),
    ]
    picked = alt.selection_point(name=CELL, fields=["x", "y"], on="click", toggle=False)
    cells = (
        table("cells")
        .mark_rect(cursor="pointer", stroke=None)
        .encode(
            x=across("x_low"),
            x2="x_high:Q",
            y=up("y_low"),
            y2="y_high:Q",
            color=colour,
            tooltip=tooltip,
        )
        .add_params(picked)
    )
    lines = [
        table("region")
        .mark_rule(strokeWidth=width, color=color, strokeCap="round", tooltip=None)
        .encode(x=across("x"), x2="x2:Q", y=up("y"), y2="y2:Q")
        for width, color in ((4, EVEN), (2, INK))
    ]
    present = (
        table("present")
        .mark_point(
            size=170,
            filled=True,
            fill="#ffffff",
            stroke=INK,
            strokeWidth=2.5,
            opacity=1,
            tooltip=None,
        )
        .encode(x=across("x"), y=up("y"))
    )
    chart = fitted(alt.layer(cells, *lines, present), height)
    names = [f"{axis}_{what}" for axis in "xy" for what in ("first", "last", "ticks")]
    return chart.add_params(*parameters(*names))


def learning_curve(
    frame: pd.DataFrame, x: Scale, present: float | None, height: int = 300
) -> Chart:
    """Success rates over one setting, with their intervals.

    Args:
        frame, x, present, height: As for `learning_map`, without y.
    """
    points = frame.drop(columns="x").assign(
        x=np.array(x.values)[frame["x"]],
        x_text=np.array(x.texts)[frame["x"]],
        result=_results(frame),
    )
    tables = {
        "points": points,
        "present": pd.DataFrame({"x": [] if present is None else [present]}, dtype=float),
    }
    values = {"x_first": x.edges[0], "x_last": x.edges[-1], "x_ticks": x.ticks}
    return Chart(_learning_curve(x.title, x.log, height), tables, values)


@form
def _learning_curve(title: str, log: bool, height: int) -> alt.LayerChart:
    across = _position(alt.X, "x", "x", title, log)
    shares = alt.Scale(domain=[0, 1])
    axis = alt.Axis(format=".0%", tickCount=5, **above("Runs that succeed"))
    tooltip = [
        alt.Tooltip("x_text:N", title=title),
        alt.Tooltip("result:N", title="Succeed"),
        alt.Tooltip("low:Q", title="95% interval from", format=".0%"),
        alt.Tooltip("high:Q", title="to", format=".0%"),
    ]
    base = table("points").encode(x=across)
    present = (
        table("present")
        .mark_rule(color=GREY, strokeDash=[3, 3], strokeWidth=1.5, tooltip=None)
        .encode(x=across)
    )
    band = base.mark_area(opacity=0.2, color=SUCCEEDS, tooltip=None).encode(
        y=alt.Y("low:Q", scale=shares, axis=axis), y2="high:Q"
    )
    line = base.mark_line(color=SUCCEEDS, strokeWidth=2, tooltip=None).encode(
        y=alt.Y("rate:Q", scale=shares, axis=axis)
    )
    picked = alt.selection_point(name=CELL, fields=["x"], on="click", toggle=False)
    points = (
        base.mark_point(filled=True, size=90, color=SUCCEEDS, opacity=1, cursor="pointer")
        .encode(y=alt.Y("rate:Q", scale=shares, axis=axis), tooltip=tooltip)
        .add_params(picked)
    )
    chart = fitted(alt.layer(band, present, line, points), height)
    return chart.add_params(*parameters("x_first", "x_last", "x_ticks"))
