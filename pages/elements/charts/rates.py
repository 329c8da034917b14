"""Charts of rates with their intervals, and of distributions over the runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from core.history import SUCCEEDED
from core.rates import signed, signed_points
from core.tasks import Task
from pages.elements.charts.downsample import finite
from pages.elements.charts.spec import (
    ACCENT,
    CLASSES,
    COUNTS,
    DASHES,
    FAILED,
    FLOOR,
    GREY,
    INK,
    LEGEND,
    Chart,
    above,
    counted,
    counts_legend,
    each,
    fitted,
    form,
    named,
    outcome,
    parameters,
    possible,
    rules,
    rules_table,
    score_scale,
    table,
    value,
)

MET, UNMET = "meets it", "does not"
NAMED = "\u2605"
"""The mark before the result of a row that the page names."""
NARROW = 36
"""Letters of a label that fit beside the result on a phone; there, longer ones have two lines."""
ROW, TALL_ROW, LINE = 46, 54, 14
"""Pixels of a row, of one with room for a second line of its label, and of that line."""
SIGNED = "datum.value == 0 ? '0' : format(datum.value, '{}')"
"""The label of a tick with its sign, of which 0 has none."""
BIN = 0.02
"""The bin width of the final scores."""


class Unit(NamedTuple):
    """How a measured quantity is written: on an axis, in words, and the least width of its bins."""

    format: str
    words: Callable[[float], str]
    least: float

    def text(self, value: float) -> str:
        return self.words(value).replace("-", "\u2212")


PERCENT, POINTS = "percent", "percentage points"
UNITS = {
    "": Unit(",.4~g", "{:,.4g}".format, 1.0),
    PERCENT: Unit(".1%", "{:.1%}".format, 0.002),
    POINTS: Unit("+.1f", lambda points: signed_points(points / 100, digits=1), 0.2),
}
"""Of a share, percent, and of a difference between shares, percentage points."""


def final_scores(
    final: np.ndarray,
    outcomes: np.ndarray,
    target: float,
    baseline: float | None = None,
    height: int = 220,
    task: Task = CLASSES,
) -> Chart:
    """A histogram of the final scores with the outcomes stacked.

    Args:
        final: The final scores, (runs,). Those below the axis are counted in its first bar.
        outcomes: bool or str (runs,), as for `curves`.
        target, baseline: Drawn as vertical rules.
        height: Of the plot in pixels.
        task: Whose score it is.
    """
    known = np.isfinite(final)
    # A float32 0.9 is slightly below 0.9 and would fall into the bin below.
    bins = np.floor(final[known].astype(float) / BIN + 1e-4)
    lowest = 0 if task.share else round(FLOOR / BIN)
    bins = np.clip(bins, lowest, round(1 / BIN) - 1).astype(int)
    counts = _stacked(bins, named(outcomes)[known])
    counts["low"], counts["high"] = counts["bin"] * BIN, (counts["bin"] + 1) * BIN
    counts["left"], counts["right"] = counts["low"] + BIN / 10, counts["high"] - BIN / 10
    marks = {"target": target, task.baseline_name: baseline}
    tables = {"runs": counts, "rules": rules_table(marks, height, task)}
    missing, below = int((~known).sum()), int((final[known] < lowest * BIN).sum())
    built = _final_scores(missing, below, possible(outcomes), task, height)
    return Chart(built, tables, counted(outcomes))


def _stacked(bins: np.ndarray, outcomes: np.ndarray) -> pd.DataFrame:
    """The number of runs of each outcome in each bin, stacked.

    Returns:
        Columns bin, outcome, runs, base and top.
    """
    counts = pd.DataFrame({"bin": bins, "outcome": outcomes})
    counts = counts.groupby(["bin", "outcome"]).size().reset_index(name="runs")
    counts["top"] = counts.groupby("bin")["runs"].cumsum()
    counts["base"] = counts["top"] - counts["runs"]
    return counts


def _bars(x: alt.X, colour, solid: str, tooltip: list[alt.Tooltip]) -> alt.Chart:
    """Stacked bars; the `solid` outcome is filled, and `colour` maps a channel to its encoding."""
    runs = alt.Axis(format="d", tickMinStep=1, tickCount=5, **above("Runs"))
    return (
        table("runs")
        .mark_bar(strokeWidth=1.5, cornerRadius=1)
        .encode(
            x=x,
            x2="right:Q",
            y=alt.Y("base:Q", axis=runs),
            y2="top:Q",
            color=colour(alt.Color),
            stroke=colour(alt.Stroke),
            fillOpacity=alt.condition(
                f"datum.outcome === '{solid}'", alt.value(1.0), alt.value(0.35)
            ),
            tooltip=tooltip,
        )
    )


@form
def _final_scores(
    missing: int, below: int, domain: tuple[str, ...], task: Task, height: int
) -> alt.LayerChart:
    title = f"Final {task.score_name}"
    title += f"; {below} lower ones in the first bar" if below else ""
    title += f"; {missing} without a number left out" if missing else ""
    x = alt.X(
        "left:Q",
        title=title,
        scale=score_scale(task),
        axis=alt.Axis(format=".0%" if task.share else ".1f", grid=False, tickCount=6),
    )
    digits = ".0%" if task.share else ".2f"
    tooltip = [
        alt.Tooltip("low:Q", title="From", format=digits),
        alt.Tooltip("high:Q", title="To", format=digits),
        alt.Tooltip("runs:Q", title="Runs"),
        alt.Tooltip("outcome:N", title="Outcome"),
    ]

    def colour(channel):
        return outcome(channel, domain, counts_legend(symbolType="square"))

    bars = _bars(x, colour, SUCCEEDED, tooltip)
    bars = bars.encode(strokeDash=each(alt.StrokeDashValue, domain, DASHES))
    return fitted(alt.layer(bars, *rules(along="x")), height).add_params(*parameters(*COUNTS))


def measured(
    values: np.ndarray, met: np.ndarray, name: str, *, unit: str = "", height: int = 240
) -> Chart:
    """A histogram of the values measured for a claim, stacked by whether runs meet its criterion.

    Args:
        values: Measured, (runs,). Values that are not finite, such as an epoch that was never
            reached, have their own bar at the right.
        met: bool (runs,), whether each run meets the criterion.
        name: Of the measured quantity.
        unit: Of UNITS, as which shares are written; "" for a quantity that is no share.
        height: Of the plot in pixels.
    """
    values, met = np.asarray(values, float), np.asarray(met, bool)
    if unit == POINTS:
        values = 100 * values
    known = np.isfinite(values)
    low, high = (values[known].min(), values[known].max()) if known.any() else (0.0, 1.0)
    step = _bin_width(low, high, UNITS[unit].least)
    # The bar of a single value is centred on it.
    origin = low - step / 2 if low == high else 0.0
    first = np.floor((low - origin) / step + 1e-6)
    last = np.floor((high - origin) / step + 1e-6)
    # A float32 bound is slightly off and would fall into the neighbouring bin.
    filled = np.where(known, values, low)
    bins = np.where(known, np.floor((filled - origin) / step + 1e-4), last + 3)
    counts = _stacked(bins, np.where(met, MET, UNMET))
    for side, part in (("left", 0.08), ("right", 0.92)):
        counts[side] = origin + (counts["bin"] + part) * step
    only = UNITS[unit].text(low) if low == high else None
    counts["what"] = [
        "never" if bin > last else only or f"from {UNITS[unit].text(bin * step)}"
        for bin in counts["bin"]
    ]
    never = int((~known).sum())
    # At least 12 bins wide, so that equal values make a narrow bar.
    room = max(0, 12 - (last - first)) // 2
    shown = first - room, last + room + (4 if never else 1)
    ends = dict(zip(("low", "high"), (origin + end * step for end in shown), strict=True))
    return Chart(_measured(name, unit, never, height), {"runs": counts}, ends)


@form
def _measured(name: str, unit: str, never: int, height: int) -> alt.Chart:
    labels = {"format": UNITS[unit].format}
    if unit == POINTS:
        labels = {"labelExpr": SIGNED.format(labels["format"])}
    x = alt.X(
        "left:Q",
        title=name
        + (f" in {POINTS}" if unit == POINTS else "")
        + (f"; {never} never, at the right" if never else ""),
        scale=alt.Scale(domain=[value("low"), value("high")], nice=False),
        axis=alt.Axis(grid=False, tickCount=5, **labels),
    )
    tooltip = [
        alt.Tooltip("what:N", title=name),
        alt.Tooltip("runs:Q", title="Runs"),
        alt.Tooltip("outcome:N", title="Criterion"),
    ]
    scale, legend = alt.Scale(domain=[MET, UNMET]), alt.Legend(**LEGEND)

    def colour(channel):
        return channel("outcome:N", title=None, scale=scale, legend=legend)

    return fitted(_bars(x, colour, MET, tooltip), height).add_params(*parameters("low", "high"))


def _bin_width(low: float, high: float, least: float) -> float:
    """1, 2 or 5 times a power of ten that gives about 30 bins and is at least `least`."""
    width = max((high - low) / 30, least)
    power = 10 ** np.floor(np.log10(width))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= width * 0.999))


def before_after(frame: pd.DataFrame, title: str, height: int = 240) -> Chart:
    """Shares before and after a change, as pairs of bars.

    Args:
        frame: Columns label, when ("before" or "after") and share.
        title: Of the y axis.
        height: Of the plot in pixels.
    """
    texts = [f"{share:.0%}" for share in frame["share"]]
    return Chart(_before_after(title, height), {"shares": frame.assign(text=texts)})


@form
def _before_after(title: str, height: int) -> alt.LayerChart:
    base = table("shares").encode(
        x=alt.X("label:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelLimit=200)),
        xOffset=alt.XOffset("when:N", sort=["before", "after"]),
        y=alt.Y(
            "share:Q",
            # Room for the number above a bar of 100 %.
            scale=alt.Scale(domain=[0, 1.12], nice=False),
            axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], **above(title)),
        ),
    )
    scale = alt.Scale(domain=["before", "after"], range=[GREY, ACCENT])
    color = alt.Color("when:N", title=None, scale=scale, legend=alt.Legend(**LEGEND))
    bars = base.mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3).encode(color=color)
    texts = base.mark_text(dy=-7, fontSize=13, color=INK, tooltip=None).encode(text="text:N")
    return fitted(alt.layer(bars, texts), height)


def rate(
    frame: pd.DataFrame, title: str | None = "Runs that succeed", required: float | None = None
) -> Chart:
    """Success rates with their intervals, in the order of the frame.

    Args:
        frame: Columns label, rate, low, high, and either successes and runs or the text of the
            result; optionally named (bool), for rows to be marked.
        title: Of the x axis.
        required: The required rate, drawn as a grey tick in each row.
    """
    frame = finite(frame, "rate", "low", "high")
    if "text" in frame:
        text = frame["text"].tolist()
    else:
        text = [f"{s} of {n}" for s, n in zip(frame["successes"], frame["runs"], strict=True)]
    if "named" in frame:
        marked = zip(frame["named"], text, strict=True)
        text = [f"{NAMED} {result}" if named else result for named, result in marked]
    return _intervals(frame.assign(point=frame["rate"], text=text), title, required=required)


def contributions(frame: pd.DataFrame) -> Chart:
    """The contribution of each fix to the success rate, in percentage points, with its interval.

    Args:
        frame: Columns fix, value, low and high, as shares; optionally identical (bool), for fixes
            that change nothing.
    """
    shares = finite(frame, "value", "low", "high")
    points = 100 * shares[["value", "low", "high"]]
    frame = pd.DataFrame(
        {
            "label": shares["fix"],
            "point": points["value"],
            "low": points["low"],
            "high": points["high"],
            "text": [signed(value) for value in shares["value"]],
        }
    )
    if "identical" in shares:
        frame.loc[shares["identical"], "text"] = "identical"
    bounds = [0, *frame["low"], *frame["high"]]
    room = max(5.0, 0.05 * (max(bounds) - min(bounds)))
    ends = min(bounds) - room, max(bounds) + room
    return _intervals(frame, "Change in percentage points", ends)


def _intervals(
    frame: pd.DataFrame,
    title: str | None,
    ends: tuple[float, float] | None = None,
    required: float | None = None,
) -> Chart:
    """A row per label, in the order of the frame; `ends` of the axis are for signed points."""
    # Rates and gains have the colour of successes, and losses that of failures.
    outcomes = np.where(frame["point"] >= 0, SUCCEEDED, FAILED)
    rows = frame[["label", "point", "low", "high", "text"]].assign(outcome=outcomes)
    values = {} if ends is None else dict(zip(("first", "last"), ends, strict=True))
    # A tick in each row, where a line over all rows would cross their labels.
    ruled = 0 if ends is not None else required
    if ruled is not None:
        rows["required"] = ruled
    built = _intervals_form(
        max(1, len(rows)),
        title,
        around_zero=ends is not None,
        ruled=ruled is not None,
        long=bool((rows["label"].str.len() > NARROW).any()),
    )
    return Chart(built, {"rows": rows.reset_index(drop=True)}, values)


@form
def _intervals_form(
    rows: int, title: str | None, *, around_zero: bool, ruled: bool, long: bool
) -> alt.LayerChart:
    """A row per label: label and result above, point and interval below.

    The labels are above so that, on a phone, the interval has the whole width.
    """
    # A label that would reach the result is broken before a plus, and its first line may have the
    # whole width; the letters that fit are counted.
    all_letters, letters = "floor(width / 6.2)", "floor((width - 80) / 6.2)"
    plus = f"lastindexof(slice(datum.label, 0, {all_letters}), ' + ')"
    broken = f"length(datum.label) > {letters} && {plus} > 0"
    rest = f"truncate(slice(datum.label, {plus} + 1), {letters})"
    lines = f"[slice(datum.label, 0, {plus}), {rest}]"
    # Labels of an axis have the theme's text colour; these are inside the plot.
    names = alt.Axis(
        labelAlign="left",
        labelPadding=-3,
        labelExpr=f"{broken} ? {lines} : truncate(datum.label, {letters})"
        if long
        else alt.Undefined,
        labelOffset={"condition": {"test": broken, "value": -9 - LINE}, "value": -9}
        if long
        else -9,
        labelLineHeight=LINE,
        labelFontSize=13,
        labelLimit=value("width" if long else "width - 80"),
        labelOverlap=False,
        labelFlush=False,
        grid=False,
    )
    if around_zero:
        axis, digits = alt.Axis(labelExpr=SIGNED.format("+.0f"), tickCount=5), ".1f"
        scale = alt.Scale(domain=[value("first"), value("last")], nice=True)
    else:
        axis, digits = alt.Axis(format=".0%", tickCount=5), ".1%"
        scale = alt.Scale(domain=[0, 1])
    options = {"title": title, "axis": axis, "scale": scale}
    tooltip = [
        alt.Tooltip("label:N", title=" "),
        alt.Tooltip("text:N", title="Result"),
        alt.Tooltip("low:Q", title="95% interval from", format=digits),
        alt.Tooltip("high:Q", title="to", format=digits),
    ]
    base = table("rows").encode(y=alt.Y("label:N", sort=None, title=None, axis=names))
    interval = base.mark_rule(strokeWidth=3, opacity=0.6, yOffset=9).encode(
        x=alt.X("low:Q", **options), x2="high:Q", color=outcome(alt.Color), tooltip=tooltip
    )
    point = base.mark_point(filled=True, size=110, opacity=1, yOffset=9).encode(
        x=alt.X("point:Q", **options), color=outcome(alt.Color), tooltip=tooltip
    )
    words = {"color": INK, "fontSize": 13, "dy": -9, "tooltip": None}
    results = base.mark_text(align="right", fontWeight="bold", **words).encode(
        text="text:N", x=alt.value("width")
    )
    layers = [interval, point, results]
    if ruled:
        part = base.mark_tick(color=GREY, size=16, thickness=1.5, yOffset=9, tooltip=None)
        layers.insert(0, part.encode(x=alt.X("required:Q", **options)))
    chart = fitted(alt.layer(*layers), rows * (TALL_ROW if long else ROW))
    return chart.add_params(*parameters("first", "last")) if around_zero else chart
