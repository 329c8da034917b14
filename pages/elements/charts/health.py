"""Charts of the layers' health, by epoch and beside a finding."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from core.history import SUCCEEDED
from pages.elements.charts.downsample import MAX_ROWS, finite, spread
from pages.elements.charts.spec import (
    ACCENT,
    EPOCHS,
    FAILED,
    GREY,
    LEGEND,
    SHAPES,
    TICKS,
    Chart,
    above,
    epoch_axis,
    epoch_ends,
    fitted,
    form,
    is_share,
    name_of,
    number_format,
    outcome,
    parameters,
    table,
    value,
)

LAYERS = ("#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a6fd1", GREY)
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])
DECADES = 12
"""The most powers of ten that a logarithmic axis spans."""
AXIS = ("least", "most", "nought", "ticks")
"""The values that `_axis` needs."""


def health(
    frame: pd.DataFrame, measure: str, *, epochs: int, log: bool = False, height: int = 220
) -> list[Chart]:
    """A measure of the layers' health by epoch: the mean of the runs' shares, or median and
    quartiles of what is no share.

    Args:
        frame: As from `core.inspection.layer_health`.
        measure: The name of the measure.
        epochs: Number of epochs of the training.
        log: Whether the axis is logarithmic.
        height: Of the plot in pixels.

    Returns:
        One chart of the runs that failed and one of the others, with the same axes; a group without
        finite values has none.
    """
    frame = finite(frame, "value")
    if frame.empty:
        return []
    layers = tuple(frame["layer"].unique())
    runs = frame.groupby("stuck")["run"].nunique()
    kept = spread(np.sort(frame["epoch"].unique()), max(2, MAX_ROWS // (2 * max(1, len(layers)))))
    grouped = frame[frame["epoch"].isin(kept)].groupby(["stuck", "layer", "epoch"], sort=False)
    if is_share(measure):
        middles = grouped["value"].mean().to_frame("middle").reset_index()
    else:
        columns = ["low", "middle", "high"]
        quantiles = grouped["value"].quantile([0.25, 0.5, 0.75]).unstack()
        middles = quantiles.set_axis(columns, axis=1).reset_index()
    values = {**_raised(middles, measure, log), **epoch_ends(epochs)}
    log = values["least"] > 0
    built = _health(measure, log, layers, points=len(kept) == 1, height=height)
    panels = []
    for stuck in (True, False):
        if stuck in runs:
            rows = middles[middles["stuck"] == stuck].drop(columns="stuck")
            count = f"{runs[stuck]:,} run{'' if runs[stuck] == 1 else 's'}"
            heading = f"{FAILED if stuck else SUCCEEDED}: {count}".capitalize()
            tables = {"health": rows.reset_index(drop=True)}
            panels.append(Chart(built, tables, {**values, "heading": heading}))
    return panels


def _raised(rows: pd.DataFrame, measure: str, log: bool) -> dict[str, object]:
    """The values of AXIS, common to all panels; "least" is above 0 on a logarithmic axis.

    If there are zeros, the lower end of a logarithmic axis, "nought", stands for them: a gradient
    of exactly 0 indicates a dead network and must be visible. The columns low, middle and high
    of the rows, of those that they have, are raised to the lower end, in place.
    """
    values = rows[rows.columns.intersection(["low", "middle", "high"])]
    if is_share(measure) or values.empty:
        return dict(zip(AXIS, (0, 1, 0, []), strict=True))
    positive = values.to_numpy()[values.to_numpy() > 0]
    if not log or not len(positive):
        low, high = min(0.0, values.min().min()), float(values.max().max()) or 1.0
        return dict(zip(AXIS, (low, high, 0, []), strict=True))
    least, most = np.floor(np.log10(positive.min())), np.ceil(np.log10(positive.max()))
    least = max(min(least, most - 1), most - DECADES)
    powers = np.unique(np.linspace(least, most, min(6, int(most - least) + 1)).round())
    ticks = [10.0**power for power in powers]
    nought = ticks[0] / 10 if (values < ticks[0]).any(axis=None) else 0
    floor = nought or ticks[0]
    rows[values.columns] = values.clip(lower=floor)
    ends = (floor, ticks[-1], nought, [nought, *ticks] if nought else ticks)
    return dict(zip(AXIS, ends, strict=True))


def _axis(measure: str, log: bool, title: str) -> dict:
    """The scale and axis of a measure of health."""
    if is_share(measure):
        return {"scale": alt.Scale(domain=[0, 1]), "axis": alt.Axis(format=".0%", **above(title))}
    domain = [value("least"), value("most")]
    if not log:
        axis = alt.Axis(format=TICKS, tickCount=5, **above(title))
        return {"scale": alt.Scale(domain=domain), "axis": axis}
    label = "datum.value === nought ? '0' : format(datum.value, '~g')"
    axis = alt.Axis(values=value("ticks"), labelExpr=label, **above(title))
    return {"scale": alt.Scale(type="log", domain=domain, nice=False), "axis": axis}


@form
def _health(measure: str, log: bool, layers: tuple, *, points: bool, height: int) -> alt.LayerChart:
    axis = _axis(measure, log, name_of(measure) + (", logarithmic" if log else ""))
    colours = [LAYERS[k % len(LAYERS)] for k in range(len(layers))]
    dashes = [DASHES[k % len(DASHES)] for k in range(len(layers))]
    legend = alt.Legend(
        **LEGEND, symbolType="stroke", symbolStrokeWidth=3, symbolSize=240, symbolOpacity=1
    )
    scale = alt.Scale(domain=list(layers), range=colours)
    color = alt.Color("layer:N", title=None, scale=scale, legend=legend)
    scale = alt.Scale(domain=list(layers), range=dashes)
    base = table("health")
    # The middle half of the shares of a layer with few units may be all or nothing.
    banded = not is_share(measure)
    band = base.mark_area(opacity=0.18, clip=True, tooltip=None).encode(
        x=epoch_axis(), y=alt.Y("low:Q", **axis), y2="high:Q", color=color
    )
    digits = number_format(measure)
    ends = [
        alt.Tooltip("low:Q", title="Quartile", format=digits),
        alt.Tooltip("high:Q", title="to", format=digits),
    ]
    line = base.mark_line(strokeWidth=2.5, clip=True, point=points).encode(
        x=epoch_axis(),
        y=alt.Y("middle:Q", **axis),
        color=color,
        strokeDash=alt.StrokeDash("layer:N", title=None, scale=scale, legend=legend),
        tooltip=[
            alt.Tooltip("layer:N", title="Layer"),
            alt.Tooltip("epoch:Q", title="Epoch"),
            alt.Tooltip("middle:Q", title="Median" if banded else "Mean", format=digits),
            *(ends if banded else ()),
        ],
    )
    title = alt.Title(value("heading"), fontSize=14, offset=6, limit=600)
    chart = fitted(alt.layer(*[band] * banded, line), height, title=title)
    return chart.add_params(*parameters(*EPOCHS, *AXIS, "heading"))


def by_layer(frame: pd.DataFrame, measure: str, title: str, height: int = 150) -> Chart:
    """A figure of every layer's health at one epoch, of the runs that failed and that succeeded:
    the mean of shares, the median of what is no share.

    frame: layer, value, stuck (bool), as `core.inspection.layer_health` gives for the epoch. A
    gradient norm or ratio is on a logarithmic axis, on which exact zeros have a place of their own.
    """
    grouped = finite(frame, "value").groupby(["layer", "stuck"], sort=False)["value"]
    middles = (grouped.mean() if is_share(measure) else grouped.median()).reset_index()
    middles["middle"] = middles["value"]
    values = _raised(middles, measure, log=True)
    log = values["least"] > 0
    middles["outcome"] = np.where(middles["stuck"], FAILED, SUCCEEDED)
    values["occurring"] = middles["outcome"].unique().tolist()
    tables = {"health": middles[["layer", "outcome", "middle", "value"]]}
    return Chart(_by_layer(measure, title, log, height), tables, values)


@form
def _by_layer(measure: str, title: str, log: bool, height: int) -> alt.Chart:
    legend = alt.Legend(**LEGEND, values=value("occurring"))
    chart = (
        table("health")
        .mark_point(filled=True, size=90, opacity=0.9)
        .encode(
            x=alt.X("layer:N", title=None, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("middle:Q", **_axis(measure, log, title)),
            color=outcome(alt.Color, legend=legend),
            shape=outcome(alt.Shape, legend=legend, range=SHAPES),
            tooltip=[
                alt.Tooltip("layer:N", title="Layer"),
                alt.Tooltip("value:Q", title=title, format=number_format(measure)),
                alt.Tooltip(
                    "outcome:N", title=f"{'Mean' if is_share(measure) else 'Median'} of runs"
                ),
            ],
        )
    )
    return fitted(chart, height).add_params(*parameters(*AXIS, "occurring"))


def outputs(
    values: np.ndarray, run: int, threshold: float | None = None, height: int = 150
) -> Chart:
    """A histogram of a run's outputs over its samples, with 30 bins.

    Args:
        values: The outputs, (rows,).
        run: Its number, for the title.
        threshold: The output at which the predicted class changes. It is marked, and outputs far
            from it count in the outermost bins.
        height: Of the plot in pixels.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    least, most, beyond = None, None, False
    if threshold is not None and len(values):
        beyond = bool(values.min() < threshold - 0.5 or values.max() > threshold + 0.5)
        reach = 1.0 if beyond else 0.5
        least, most = threshold - reach, threshold + reach
        values = values.clip(least, most)
    span = None if least is None else (least, most)
    counts, edges = (
        np.histogram(values, bins=30, range=span) if len(values) else (np.array([]), np.array([0]))
    )
    bins = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "samples": counts, "base": 0})
    rules = pd.DataFrame({"at": [] if threshold is None else [threshold]})
    drawn = _outputs(run, least, most, beyond, height)
    return Chart(drawn, {"bins": bins, "rules": rules})


@form
def _outputs(
    run: int, least: float | None, most: float | None, beyond: bool, height: int
) -> alt.LayerChart:
    axis, scale = {"tickCount": 4, "grid": False}, alt.Undefined
    if least is not None:
        scale = alt.Scale(domain=[least, most], nice=False)
        axis["values"] = sorted({least, 0.0, (least + most) / 2, 1.0, most})
        axis["labelOverlap"] = False
    if beyond:
        ends = f"datum.value <= {least} ? '≤ ' : datum.value >= {most} ? '≥ ' : ''"
        axis["labelExpr"] = f"({ends}) + format(datum.value, '~g')"
    bars = (
        table("bins")
        .mark_bar(color=ACCENT)
        .encode(
            x=alt.X("low:Q", title=f"Output of run {run}", axis=alt.Axis(**axis), scale=scale),
            x2="high:Q",
            y=alt.Y("base:Q", axis=alt.Axis(tickCount=3, **above("Samples"))),
            y2="samples:Q",
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".3~g"),
                alt.Tooltip("high:Q", title="To", format=".3~g"),
                alt.Tooltip("samples:Q", title="Samples", format=",d"),
            ],
        )
    )
    rule = table("rules").mark_rule(color=GREY, strokeDash=[3, 3], tooltip=None).encode(x="at:Q")
    return fitted(alt.layer(bars, rule), height)
