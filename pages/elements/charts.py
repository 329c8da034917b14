"""The charts: pure functions from a frame to an `alt.Chart`.

Colours come from the theme's categorical palette (`.streamlit/config.toml`): its first is for
freed runs and its second for stuck ones, each in a light and a dark shade. An outcome also has a
dash, a shape or a fill of its own. What is neither is drawn in colours that read well on both.

Every chart is one view, or one column of views, so that `width="stretch"` fits it to any page;
panels that stand side by side are a list of charts, for the page to lay out in columns.
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from core.view import PROBABILITY, Surface

MAX_ROWS = 5_000
"""The most rows that a chart draws."""
FEWEST_EPOCHS = 25
"""Runs are left out before a curve has fewer points than this."""
MOST_KEYS = 20
GREY = "#707b86"
ACCENT = "#009e73"
LAYERS = ("#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a6fd1", GREY)
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 3])
CLASSES = ("#5b2d91", "#bfa6de", "#9bd6ba", "#00734f")
"""From the first class to the second; the edge between the middle two is the decision."""
SIGNED = ("#5b2d91", "#a48cc4", "#9aa0a6", "#63b897", "#00734f")
"""From negative over 0 to positive."""

FREED, STUCK = "freed", "stuck"
MET, UNMET = "meets it", "does not"
APART = {"color": "independent", "strokeDash": "independent", "shape": "independent"}
"""Views that share their axes, each with a legend of its own."""
LEGEND = {"title": None, "orient": "bottom", "direction": "horizontal"}


# --- how much is drawn --------------------------------------------------------------------------


class Thinned(NamedTuple):
    """What is drawn of a frame: its rows, and the runs drawn of all runs."""

    frame: pd.DataFrame
    drawn: int
    runs: int

    def __str__(self) -> str:
        """Such as "200 of 512 runs drawn"; empty where all are."""
        return "" if self.drawn == self.runs else f"{self.drawn:,} of {self.runs:,} runs drawn"


def thin(frame: pd.DataFrame, *, ranked: bool = True, limit: int = MAX_ROWS) -> Thinned:
    """At most `limit` rows of a frame with columns run and epoch: fewer epochs, then fewer runs.

    The first and last epoch stay. Runs are spread over the ranks of their last accuracy, the best
    and the worst among them; not `ranked`, over their numbers, which does not change in training.
    """
    runs = frame["run"].nunique()
    epochs = np.sort(frame["epoch"].unique())
    if len(frame) <= limit:
        return Thinned(frame, runs, runs)
    epochs = _spread(epochs, max(FEWEST_EPOCHS, limit // runs))
    order = _ranking(frame) if ranked else np.sort(frame["run"].unique())
    chosen = _spread(order, max(1, limit // len(epochs)))
    kept = frame[frame["run"].isin(chosen) & frame["epoch"].isin(epochs)]
    return Thinned(kept, len(chosen), runs)


def _ranking(frame: pd.DataFrame) -> np.ndarray:
    """The runs from the worst last accuracy (held-out, where measured) to the best."""
    last = frame.loc[frame.groupby("run")["epoch"].idxmax()]
    for column in ("val_accuracy", "accuracy"):
        if column in last and last[column].notna().any():
            return last.sort_values(column, na_position="first")["run"].to_numpy()
    return last["run"].to_numpy()


def _spread(items: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the items, evenly spread, the first and the last among them."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return np.asarray(items)[np.unique(places)]


def _finite(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame[np.isfinite(frame[list(columns)].astype(float)).all(axis=1)]


# --- what charts share --------------------------------------------------------------------------


def _outcome(encoding: type, legend: alt.Legend | None = None, **scale):
    """An encoding of the column outcome, one of several that share a legend.

    A colour without a range has the theme's first two, in their light or dark shade.
    """
    scale = alt.Scale(domain=[FREED, STUCK], **scale)
    return encoding("outcome:N", title=None, scale=scale, legend=legend)


def _above(title: str) -> dict:
    """Axis options that put a y axis's title above it, level, where it takes no width."""
    return {
        "title": title,
        "titleAngle": 0,
        "titleAnchor": "end",
        "titleAlign": "left",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -10,
    }


NAMES = {"dead": "Share of dead units", "saturated": "Share of saturated units"}


def _name(measure: str) -> str:
    if measure in NAMES:
        return NAMES[measure]
    words = measure.removeprefix("val_").replace("_", " ")
    return f"Held-out {words}" if measure.startswith("val_") else words.capitalize()


def _epoch_axis(epochs: int) -> alt.X:
    domain = [1, epochs] if epochs > 1 else [0.5, 1.5]
    axis = alt.Axis(format=",d", tickMinStep=1, grid=False, tickCount=8)
    return alt.X("epoch:Q", title="Epoch", axis=axis, scale=alt.Scale(domain=domain, nice=False))


def _is_share(measure: str) -> bool:
    return measure.endswith(("accuracy", "dead", "saturated"))


def _value_axis(measure: str, log: bool, field: str = "value") -> alt.Y:
    if _is_share(measure):
        scale, axis = alt.Scale(domain=[0, 1]), {"format": ".1f", "tickCount": 5}
    else:
        scale = alt.Scale(type="log") if log else alt.Scale(zero=False, nice=True)
        axis = {"format": "~g", "tickCount": 5}
    title = _name(measure) + (", logarithmic" if log and not _is_share(measure) else "")
    return alt.Y(f"{field}:Q", scale=scale, axis=alt.Axis(**axis, **_above(title)))


def _number_format(measure: str) -> str:
    return ".3f" if _is_share(measure) else ".4~g"


def _rules(marks: dict[str, float | None], along: str = "y", end: float = 1) -> list[alt.Chart]:
    """A grey rule and a small label for each named value that is not None.

    along: the axis of the values; end: where on the other one the labels of level rules end.
    """
    found = sorted((value, name) for name, value in marks.items() if value is not None)
    if not found:
        return []
    other = "x" if along == "y" else "y"
    rows, below = [], None
    for value, name in found:
        # Two labels at nearly the same place: the lower one goes below its rule.
        rows.append({"at": value, "label": f"{name} {value:.2f}", "end": end, "low": False})
        if below is not None and value - below["at"] < 0.08:
            below["low"] = True
        below = rows[-1]
    layers = [
        alt.Chart(alt.InlineData(values=rows))
        .mark_rule(color=GREY, strokeDash=[3, 3], tooltip=None)
        .encode(**{along: "at:Q"})
    ]
    for low in (False, True):
        chosen = [row for row in rows if row["low"] == low]
        if not chosen:
            continue
        place = {"align": "right", "baseline": "top" if low else "bottom"}
        place |= {"dy": 4 if low else -4, "dx": -2}
        if along == "x":
            place = {"align": "right", "baseline": "top", "dx": -4, "dy": 16 if low else 2}
        text = alt.Chart(alt.InlineData(values=chosen)).mark_text(
            color=GREY, fontSize=11, tooltip=None, **place
        )
        position = {along: "at:Q"}
        position[other] = alt.value(0) if along == "x" else "end:Q"
        layers.append(text.encode(text="label:N", **position))
    return layers


def _with_outcomes(frame: pd.DataFrame, success: np.ndarray | None) -> pd.DataFrame:
    if success is None:
        return frame.assign(outcome="running")
    freed = np.asarray(success, bool)[frame["run"].to_numpy()]
    return frame.assign(outcome=np.where(freed, FREED, STUCK))


def _counts_legend(success: np.ndarray, **symbol) -> alt.Legend:
    freed = int(np.sum(success))
    counts = f"datum.label == '{FREED}' ? '{FREED} ({freed})' : '{STUCK} ({len(success) - freed})'"
    return alt.Legend(**LEGEND, labelExpr=counts, symbolOpacity=1, **symbol)


def _fitted(chart, height: int | None = None, **properties):
    """As wide as the page; `height` is the plot's alone, whatever axes and legend need."""
    # Streamlit's own choice, "fit", would take axes and legend out of the height, and it would not
    # fit layered views in a column to the page's width.
    properties["autosize"] = alt.AutoSizeParams(type="fit-x", contains="padding")
    if height is not None:
        properties["height"] = height
    return chart.properties(**properties)


# --- curves -------------------------------------------------------------------------------------


def curves(
    frame: pd.DataFrame,
    measure: str,
    success: np.ndarray | None,
    *,
    epochs: int,
    target: float | None = None,
    majority: float | None = None,
    log: bool = False,
    height: int = 340,
) -> alt.Chart:
    """Every run's `measure` over the epochs, and the median of the runs.

    frame: `History.frame()`, columns run, epoch and measure, possibly of a training that still
    goes on; success: bool (runs,), or None as long as it is open; epochs: to the end of training.
    Rules for target and majority are drawn on an accuracy.
    """
    whole = _measured(frame, measure, log)
    shown = _with_outcomes(thin(whole, ranked=success is not None).frame, success)
    lines = _run_lines(shown, measure, success, epochs, log)
    marks = {"target": target, "majority class": majority} if measure.endswith("accuracy") else {}
    layers = [lines, _median_line(whole, measure, epochs, log), *_rules(marks, end=max(1, epochs))]
    layers.append(_hover_targets(shown, measure, epochs, log))
    chart = _fitted(alt.layer(*layers).resolve_scale(**APART), height)
    # Left to itself, Streamlit changes from SVG to canvas at 2,000 marks: a growing chart blinks.
    return chart.properties(usermeta={"embedOptions": {"renderer": "canvas"}})


def _measured(frame: pd.DataFrame, measure: str, log: bool) -> pd.DataFrame:
    """The rows with a finite measure, copied to a column value; positive ones for a log axis."""
    frame = _finite(frame, measure)
    frame = frame[frame[measure] > 0] if log and not _is_share(measure) else frame
    columns = [name for name in ("accuracy", "val_accuracy") if name in frame]
    return frame[["run", "epoch", *columns]].assign(value=frame[measure].astype(float))


def _run_lines(shown, measure, success, epochs, log) -> alt.LayerChart:
    """A thin line a run and a small mark at its end, in the colours of the outcomes."""
    runs = max(1, shown["run"].nunique())
    opacity = float(np.clip(2.5 / np.sqrt(runs), 0.16, 0.9))
    shown = shown.assign(last=shown["epoch"] == shown.groupby("run")["epoch"].transform("max"))
    base = alt.Chart(shown[["run", "epoch", "value", "outcome", "last"]]).encode(
        x=_epoch_axis(epochs), y=_value_axis(measure, log), detail="run:N"
    )
    hovered = alt.condition("hover.run && hover.run[0] === datum.run", alt.value(3), alt.value(1))
    strong = alt.condition(
        "hover.run && hover.run[0] === datum.run", alt.value(1), alt.value(opacity)
    )
    lines = base.mark_line(tooltip=None, clip=True).encode(strokeWidth=hovered, opacity=strong)
    # The marks at the ends also show a training that has had one epoch only.
    ends = base.transform_filter("datum.last").mark_point(
        filled=True, size=22, opacity=min(1, 2 * opacity), tooltip=None, clip=True
    )
    if success is None:
        return alt.layer(lines.encode(color=alt.value(GREY)), ends.encode(color=alt.value(GREY)))
    legend = _counts_legend(success, symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=240)
    color = _outcome(alt.Color, legend)
    dash = _outcome(alt.StrokeDash, legend, range=[[1, 0], [4, 2]])
    return alt.layer(lines.encode(color=color, strokeDash=dash), ends.encode(color=color))


def _median_line(whole, measure, epochs, log) -> alt.Chart:
    median = whole.groupby("epoch", as_index=False)["value"].median()
    median = median[median["epoch"].isin(_spread(median["epoch"], 400))].assign(what="median")
    scale = alt.Scale(domain=["median"], range=[GREY])
    legend = alt.Legend(**LEGEND, symbolStrokeWidth=4, symbolSize=140)
    return (
        alt.Chart(median)
        .mark_line(strokeWidth=4, tooltip=None, clip=True)
        .encode(
            x=_epoch_axis(epochs),
            y=_value_axis(measure, log),
            color=alt.Color("what:N", title=None, scale=scale, legend=legend),
        )
    )


def _hover_targets(shown, measure, epochs, log) -> alt.Chart:
    """Unseen points whose cells fill the plane, so that the nearest run answers the pointer."""
    nearest = alt.selection_point(
        name="hover", fields=["run"], nearest=True, on="pointerover", clear="pointerout"
    )
    tooltip = [
        alt.Tooltip("run:Q", title="Run", format="d"),
        alt.Tooltip("epoch:Q", title="Epoch", format=",d"),
        alt.Tooltip("value:Q", title=_name(measure), format=_number_format(measure)),
        alt.Tooltip("outcome:N", title="Outcome"),
    ]
    return (
        alt.Chart(shown[["run", "epoch", "value", "outcome"]], name="targets")
        .mark_point(opacity=0, size=200)
        .encode(x=_epoch_axis(epochs), y=_value_axis(measure, log), tooltip=tooltip)
        .add_params(nearest)
    )


def overlay(
    frame: pd.DataFrame,
    reference: pd.DataFrame,
    measure: str,
    *,
    epochs: int,
    log: bool = False,
    height: int = 300,
) -> alt.Chart:
    """The stack's runs, pale, and on top the one run that `model.fit` trained, thick and dashed.

    frame, reference: `History.frame()` of each, with columns run, epoch and measure.
    """
    stack = f"{frame['run'].nunique()} stacked runs"
    single = "one run of model.fit"
    pale = thin(_measured(frame, measure, log)).frame.assign(series=stack, last=False)
    thick = _measured(reference, measure, log).assign(series=single, last=True)
    scale = alt.Scale(domain=[stack, single], range=[GREY, ACCENT])
    legend = alt.Legend(**LEGEND, symbolStrokeWidth=3, symbolSize=240, symbolOpacity=1)
    dash = alt.Scale(domain=[stack, single], range=[[1, 0], [7, 4]])

    def lines(rows: pd.DataFrame, **mark) -> alt.Chart:
        return (
            alt.Chart(rows[["run", "epoch", "value", "series"]])
            .mark_line(clip=True, **mark)
            .encode(
                x=_epoch_axis(epochs),
                y=_value_axis(measure, log),
                detail="run:N",
                color=alt.Color("series:N", title=None, scale=scale, legend=legend),
                strokeDash=alt.StrokeDash("series:N", title=None, scale=dash, legend=legend),
                tooltip=[
                    "series:N",
                    alt.Tooltip("epoch:Q", title="Epoch"),
                    alt.Tooltip("value:Q", title=_name(measure), format=_number_format(measure)),
                ],
            )
        )

    point = {"filled": True, "size": 45} if epochs == 1 else False
    layers = (
        lines(pale, strokeWidth=1, opacity=0.35, point=point),
        lines(thick, strokeWidth=3.5, point=point),
    )
    return _fitted(alt.layer(*layers), height)


def combinations(
    frame: pd.DataFrame, *, epochs: int, target: float | None = None, height: int = 150
) -> list[alt.Chart]:
    """A panel a combination of fixes, all with the same axes, its count of freed runs as title.

    frame: combination, run, epoch, accuracy, success. In the order of first appearance.
    """
    groups = list(frame.groupby("combination", sort=False))
    limit = max(400, MAX_ROWS // max(1, len(groups)))
    charts = []
    for _, rows in groups:
        by_run = rows.groupby("run")["success"].first()
        title = alt.Title(f"{by_run.sum()} of {len(by_run)} freed", fontSize=13, offset=12)
        rows = thin(_finite(rows, "accuracy"), limit=limit).frame
        shown = rows.assign(
            value=rows["accuracy"].astype(float), outcome=np.where(rows["success"], FREED, STUCK)
        )[["run", "epoch", "value", "outcome"]]
        lines = (
            alt.Chart(shown)
            .mark_line(strokeWidth=1, opacity=0.6, clip=True, point=epochs == 1)
            .encode(
                x=_epoch_axis(epochs),
                y=alt.Y(
                    "value:Q",
                    title=None,
                    scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(values=[0, 0.5, 1], format=".1f"),
                ),
                detail="run:N",
                color=_outcome(alt.Color),
                strokeDash=_outcome(alt.StrokeDash, range=[[1, 0], [4, 2]]),
                tooltip=[
                    alt.Tooltip("run:Q", title="Run"),
                    alt.Tooltip("epoch:Q", title="Epoch"),
                    alt.Tooltip("value:Q", title="Accuracy", format=".3f"),
                    alt.Tooltip("outcome:N", title="Outcome"),
                ],
            )
        )
        rules = _rules({"target": target}, end=max(1, epochs))[:1]
        charts.append(_fitted(alt.layer(lines, *rules), height, title=title))
    return charts


# --- rates and shares ---------------------------------------------------------------------------


def final_accuracies(
    final: np.ndarray, target: float, majority: float | None = None, height: int = 220
) -> alt.Chart:
    """How the final accuracies, (runs,), are spread: bins of 0.02, freed and stuck stacked."""
    final = np.asarray(final)
    freed = final >= np.float32(target)
    number = np.isfinite(final)
    # A float32 0.9 is a hair below 0.9 and would fall into the bin below.
    bins = np.clip(np.floor(final[number].astype(float) / 0.02 + 1e-4), 0, 49).astype(int)
    counts = pd.DataFrame({"bin": bins, "outcome": np.where(freed[number], FREED, STUCK)})
    counts = counts.groupby(["bin", "outcome"]).size().reset_index(name="runs")
    counts = counts.sort_values(["bin", "outcome"])
    counts["top"] = counts.groupby("bin")["runs"].cumsum()
    counts["base"] = counts["top"] - counts["runs"]
    counts["low"], counts["high"] = counts["bin"] * 0.02, (counts["bin"] + 1) * 0.02
    counts["left"], counts["right"] = counts["low"] + 0.002, counts["high"] - 0.002
    missing = int((~number).sum())
    left_out = f"; {missing} without a number left out" if missing else ""
    bars = (
        alt.Chart(counts)
        .mark_bar(strokeWidth=1.5, cornerRadius=1)
        .encode(
            x=alt.X(
                "left:Q",
                title=f"Final accuracy{left_out}",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".1f", grid=False, tickCount=6),
            ),
            x2="right:Q",
            y=alt.Y(
                "base:Q", axis=alt.Axis(format="d", tickMinStep=1, tickCount=5, **_above("Runs"))
            ),
            y2="top:Q",
            color=_outcome(alt.Color, _counts_legend(freed)),
            stroke=_outcome(alt.Stroke, _counts_legend(freed)),
            fillOpacity=alt.condition(alt.datum.outcome == STUCK, alt.value(0.35), alt.value(1.0)),
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".2f"),
                alt.Tooltip("high:Q", title="To", format=".2f"),
                alt.Tooltip("runs:Q", title="Runs"),
                alt.Tooltip("outcome:N", title="Outcome"),
            ],
        )
    )
    rules = _rules({"target": target, "majority class": majority}, along="x")
    return _fitted(alt.layer(bars, *rules), height)


def measured(
    values: np.ndarray, met: np.ndarray, name: str, *, share: bool, height: int = 240
) -> alt.Chart:
    """How the values measured for a claim, (runs,), are spread, and which runs meet it.

    name: of what was measured; share: it is a share, written in percent. Values that are not
    finite, such as an epoch that never came, have a bar of their own at the right.
    """
    values, met = np.asarray(values, float), np.asarray(met, bool)
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 1.0)
    step = _bin_width(low, high, 0.002 if share else 1.0)
    first = np.floor(low / step + 1e-6)
    last = np.floor(high / step + 1e-6)
    # A float32 bound is a hair off and would fall into the bin beside.
    bins = np.where(finite, np.floor(np.where(finite, values, low) / step + 1e-4), last + 3)
    counts = pd.DataFrame({"bin": bins, "outcome": np.where(met, MET, UNMET)})
    counts = counts.groupby(["bin", "outcome"]).size().reset_index(name="runs")
    counts["top"] = counts.groupby("bin")["runs"].cumsum()
    counts["base"] = counts["top"] - counts["runs"]
    counts["left"], counts["right"] = (counts["bin"] + 0.08) * step, (counts["bin"] + 0.92) * step
    form = ".1%" if share else ",.4~g"
    counts["what"] = [
        "never" if place > last else f"from {_written(place * step, share)}"
        for place in counts["bin"]
    ]
    never = int((~finite).sum())
    # Values that are all alike make a bar, not a wall.
    room = max(0, 12 - (last - first)) // 2
    ends = [(first - room) * step, (last + room + (4 if never else 1)) * step]
    scale = alt.Scale(domain=[MET, UNMET])
    legend = alt.Legend(**LEGEND)
    bars = (
        alt.Chart(counts)
        .mark_bar(strokeWidth=1.5, cornerRadius=1)
        .encode(
            x=alt.X(
                "left:Q",
                title=name + (f"; {never} never, at the right" if never else ""),
                scale=alt.Scale(domain=ends, nice=False),
                axis=alt.Axis(format=form, grid=False, tickCount=5),
            ),
            x2="right:Q",
            y=alt.Y(
                "base:Q", axis=alt.Axis(format="d", tickMinStep=1, tickCount=5, **_above("Runs"))
            ),
            y2="top:Q",
            color=alt.Color("outcome:N", title=None, scale=scale, legend=legend),
            stroke=alt.Stroke("outcome:N", title=None, scale=scale, legend=legend),
            fillOpacity=alt.condition(alt.datum.outcome == UNMET, alt.value(0.35), alt.value(1.0)),
            tooltip=[
                alt.Tooltip("what:N", title=name),
                alt.Tooltip("runs:Q", title="Runs"),
                alt.Tooltip("outcome:N", title="Criterion"),
            ],
        )
    )
    return _fitted(bars, height)


def _bin_width(low: float, high: float, least: float, bins: int = 30) -> float:
    """1, 2 or 5 times a power of ten, for about `bins` bins and no narrower than `least`."""
    width = max((high - low) / bins, least)
    power = 10 ** np.floor(np.log10(width))
    return float(next(k * power for k in (1, 2, 5, 10) if k * power >= width * 0.999))


def _written(value: float, share: bool) -> str:
    return f"{value:.1%}" if share else f"{value:,.4g}"


def before_after(frame: pd.DataFrame, title: str, height: int = 240) -> alt.Chart:
    """Shares before and after, as pairs of bars with their numbers.

    frame: label, when ("before" or "after"), share.
    """
    frame = frame.assign(text=[f"{share:.0%}" for share in frame["share"]])
    base = alt.Chart(frame).encode(
        x=alt.X("label:N", title=None, sort=None, axis=alt.Axis(labelAngle=0, labelLimit=200)),
        xOffset=alt.XOffset("when:N", sort=["before", "after"]),
        y=alt.Y(
            "share:Q",
            # Room for the number above a bar of 100 %.
            scale=alt.Scale(domain=[0, 1.12], nice=False),
            axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], **_above(title)),
        ),
    )
    scale = alt.Scale(domain=["before", "after"], range=[GREY, ACCENT])
    color = alt.Color("when:N", title=None, scale=scale, legend=alt.Legend(**LEGEND))
    bars = base.mark_bar(cornerRadiusTopLeft=3, cornerRadiusTopRight=3).encode(color=color)
    numbers = base.mark_text(dy=-7, fontSize=13, color=GREY, tooltip=None).encode(text="text:N")
    return _fitted(alt.layer(bars, numbers), height)


def rate(frame: pd.DataFrame, title: str = "Runs freed") -> alt.Chart:
    """Each success rate as a point on its interval.

    frame: label, rate, low, high, successes, runs.
    """
    frame = _finite(frame, "rate", "low", "high")
    text = [f"{s} of {n}" for s, n in zip(frame["successes"], frame["runs"], strict=True)]
    axis = alt.Axis(format=".0%", tickCount=5)
    x = alt.X("point:Q", title=title, axis=axis, scale=alt.Scale(domain=[0, 1]))
    return _intervals(frame.assign(point=frame["rate"], text=text), x, ".1%")


def contributions(frame: pd.DataFrame) -> alt.Chart:
    """What each fix adds to the success rate, in percentage points: point, interval, a rule at 0.

    frame: fix, value, low, high, as shares.
    """
    frame = _finite(frame, "value", "low", "high")
    points = 100 * frame[["value", "low", "high"]]
    frame = pd.DataFrame(
        {
            "label": frame["fix"],
            "point": points["value"],
            "low": points["low"],
            "high": points["high"],
            "text": [f"{value:+.0f} pp".replace("-", "\u2212") for value in points["value"]],
        }
    )
    bounds = [0, *frame["low"], *frame["high"]]
    room = max(5.0, 0.05 * (max(bounds) - min(bounds)))
    scale = alt.Scale(domain=[min(bounds) - room, max(bounds) + room], nice=True)
    signed = "datum.value == 0 ? '0' : format(datum.value, '+.0f')"
    axis = alt.Axis(labelExpr=signed, tickCount=5)
    x = alt.X("point:Q", title="Percentage points of success rate", axis=axis, scale=scale)
    zero = (
        alt.Chart(alt.InlineData(values=[{"at": 0}]))
        .mark_rule(color=GREY, strokeWidth=1.5, tooltip=None)
        .encode(x="at:Q")
    )
    return _intervals(frame, x, ".1f", [zero])


def _intervals(frame: pd.DataFrame, x: alt.X, number: str, under=()) -> alt.Chart:
    """A row a label, in the frame's order: name and text above, point and interval below them.

    frame: label, point, low, high, text. The names stand above so that a phone has the whole
    width for the interval.
    """
    # Freed is what a rate counts; what takes away from it has the other colour.
    outcome = np.where(frame["point"] >= 0, FREED, STUCK)
    frame = frame.assign(outcome=outcome)
    # Labels of an axis have the theme's ink; these lie inside the plot, left of the results.
    axis = alt.Axis(
        labelAlign="left",
        labelPadding=-3,
        labelOffset=-9,
        labelFontSize=13,
        labelLimit=alt.ExprRef("width - 80"),
        labelOverlap=False,
        labelFlush=False,
        grid=False,
    )
    y = alt.Y("label:N", sort=list(frame["label"]), title=None, axis=axis)
    tooltip = [
        alt.Tooltip("label:N", title=" "),
        alt.Tooltip("text:N", title="Result"),
        alt.Tooltip("low:Q", title="95 % interval from", format=number),
        alt.Tooltip("high:Q", title="to", format=number),
    ]
    base = alt.Chart(frame[["label", "point", "low", "high", "text", "outcome"]]).encode(y=y)
    interval = base.mark_rule(strokeWidth=3, opacity=0.6, yOffset=9).encode(
        x=alt.X("low:Q", title=x["title"], axis=x["axis"], scale=x["scale"]),
        x2="high:Q",
        color=_outcome(alt.Color),
        tooltip=tooltip,
    )
    point = base.mark_point(filled=True, size=110, opacity=1, yOffset=9).encode(
        x=x, color=_outcome(alt.Color), tooltip=tooltip
    )
    words = {"color": GREY, "fontSize": 13, "dy": -9, "tooltip": None}
    results = base.mark_text(align="right", fontWeight="bold", **words).encode(
        text="text:N", x=alt.value("width")
    )
    layers = alt.layer(*under, interval, point, results)
    return _fitted(layers, max(1, len(frame)) * 46)


def confusion(frame: pd.DataFrame) -> alt.Chart:
    """How many rows of each class were taken for which, with shares of the class.

    frame: actual, predicted, count.
    """
    shares = frame["count"] / frame.groupby("actual")["count"].transform("sum").clip(lower=1)
    outcome = np.where(frame["actual"] == frame["predicted"], "right", "wrong")
    # White text stands on strong cells alone, and grey text on faint ones: legible on any page.
    strong = shares >= 0.4
    depth = np.where(strong, 0.75 + 0.2 * shares, 0.04 + 0.35 * shares)
    frame = frame.assign(share=shares, outcome=outcome, strong=strong, depth=depth)
    base = alt.Chart(frame).encode(
        x=alt.X(
            "predicted:N",
            sort=list(frame["predicted"].unique()),
            title="Taken for",
            axis=alt.Axis(labelAngle=0, orient="top", domain=False),
        ),
        y=alt.Y(
            "actual:N",
            sort=list(frame["actual"].unique()),
            axis=alt.Axis(domain=False, **_above("Label")),
        ),
    )
    colours = alt.Scale(domain=["right", "wrong"], range=["#0072b2", "#c65600"])
    cells = base.mark_rect(cornerRadius=4, stroke=GREY, strokeOpacity=0.4).encode(
        color=alt.Color(
            "outcome:N", title=None, scale=colours, legend=alt.Legend(**LEGEND, symbolStrokeWidth=0)
        ),
        fillOpacity=alt.FillOpacity("depth:Q", scale=None),
        tooltip=[
            alt.Tooltip("actual:N", title="Label"),
            alt.Tooltip("predicted:N", title="Taken for"),
            alt.Tooltip("count:Q", title="Rows", format=","),
            alt.Tooltip("share:Q", title="Share of the label's rows", format=".1%"),
        ],
    )
    ink = alt.condition(alt.datum.strong, alt.value("white"), alt.value(GREY))
    counts = base.mark_text(fontSize=16, fontWeight="bold", dy=-8, tooltip=None).encode(
        text=alt.Text("count:Q", format=","), color=ink
    )
    parts = base.mark_text(fontSize=12, dy=11, tooltip=None).encode(
        text=alt.Text("share:Q", format=".0%"), color=ink
    )
    rows = frame["actual"].nunique()
    return _fitted(alt.layer(cells, counts, parts), max(1, rows) * 74)


# --- inside one network -------------------------------------------------------------------------


def _epoch_params(epochs: list[int]) -> list[alt.Parameter]:
    """The slider `epoch`, and `shown`: the column of the last kept epoch that is not after it."""
    first, last = epochs[0], epochs[-1]
    column = f"'epoch_{first}'"
    for number in epochs[1:]:
        column = f"epoch >= {number} ? 'epoch_{number}' : ({column})"
    shown = alt.param(name="shown", expr=column)
    if first == last:
        return [alt.param(name="epoch", value=last), shown]
    step = gcd(*(int(b - a) for a, b in pairwise(epochs)))
    slider = alt.binding_range(min=first, max=last, step=step, name="Epoch")
    return [alt.param(name="epoch", value=last, bind=slider), shown]


def _column_of_views(views: list[alt.Chart], epochs: list[int]) -> alt.VConcatChart:
    """Views below one another, as wide as the page, that one slider moves."""
    chart = alt.vconcat(*views, spacing=16).resolve_scale(**APART)
    return _fitted(chart).add_params(*_epoch_params(epochs))


def _after_epoch() -> alt.Chart:
    """Which epoch's weights are shown, above the upper right corner of a plot."""
    return (
        alt.Chart(alt.InlineData(values=[{}]))
        .transform_calculate(text="'after epoch ' + slice(shown, 6)")
        .mark_text(color=GREY, fontSize=12, align="right", baseline="bottom", tooltip=None)
        .encode(x=alt.value("width"), y=alt.value(-9), text="text:N")
    )


def _range_text(values: np.ndarray) -> str:
    """What a unit's values amount to, such as "0 to 41,200"."""
    values = values[np.isfinite(values)]
    if not len(values):
        return "not a number"
    low, high = float(values.min()), float(values.max())
    if low == high == 0:
        return "dead: always 0"
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return f"flat at {_short(low)}"
    return f"{_short(low)} to {_short(high)}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def threshold_view(frame: pd.DataFrame, key_epochs: list[int]) -> alt.VConcatChart:
    """P(y = 1 | x) over x, and below it every hidden unit's output, with a slider over the epochs.

    frame: `core.view.threshold_response`, columns epoch, x, unit, value; key_epochs: the epochs
    to offer, thinned to 20. At first the last one is shown.
    """
    epochs = [
        e for e in _spread(np.asarray(key_epochs), MOST_KEYS).tolist() if e in set(frame["epoch"])
    ] or sorted(frame["epoch"].unique().tolist())
    units = frame["unit"].unique()
    points = _spread(np.sort(frame["x"].unique()), max(2, MAX_ROWS // len(units)))
    frame = frame[frame["x"].isin(points) & frame["epoch"].isin(epochs)]
    frame = frame.assign(
        column=[f"epoch_{number}" for number in frame["epoch"]],
        value=frame["value"].astype(float).where(np.isfinite(frame["value"].astype(float))),
    )
    wide = frame.pivot(index=["unit", "x"], columns="column", values="value")
    views = [_probability_view(wide.loc[PROBABILITY].reset_index())]
    if len(units) > 1:
        views.append(_unit_rows(wide, [unit for unit in units if unit != PROBABILITY]))
    return _column_of_views(views, epochs)


def _raw_axis(high: float, **options) -> alt.X:
    axis = alt.Axis(format=",.0f" if high >= 10 else "~g", tickCount=5, grid=False)
    return alt.X("x:Q", axis=axis, scale=alt.Scale(domain=[0, high], nice=False), **options)


def _probability_view(wide: pd.DataFrame) -> alt.LayerChart:
    """The output over x: x and a column an epoch."""
    high = float(wide["x"].max())
    values = wide.drop(columns="x")
    title = PROBABILITY
    if values.min().min() < 0 or values.max().max() > 1:
        title += ", clipped to [0, 1]"
    clipped = pd.concat([wide["x"], values.clip(0, 1)], axis=1)
    line = (
        alt.Chart(clipped)
        .transform_calculate(value="datum[shown]", after="slice(shown, 6)")
        .mark_line(color=ACCENT, strokeWidth=3)
        .encode(
            x=_raw_axis(high, title="x"),
            y=alt.Y(
                "value:Q",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(values=[0, 0.5, 1], format=".1f", **_above(title)),
            ),
            tooltip=[
                alt.Tooltip("x:Q", format=",.0f"),
                alt.Tooltip("value:Q", title=PROBABILITY, format=".3f"),
                alt.Tooltip("after:N", title="After epoch"),
            ],
        )
    )
    rule = {"color": GREY, "strokeDash": [3, 3], "tooltip": None}
    threshold = [{"at": high / 2, "label": f"threshold {_short(high / 2)}", "level": 0.5}]
    marks = alt.Chart(alt.InlineData(values=threshold))
    # Where x is above the threshold, a network that has learned leaves the lower corner free.
    label = marks.mark_text(
        color=GREY, fontSize=11, align="left", baseline="bottom", dx=5, dy=-4, tooltip=None
    ).encode(x="at:Q", y=alt.value("height"), text="label:N")
    return alt.layer(
        marks.mark_rule(**rule).encode(x="at:Q"),
        marks.mark_rule(**rule).encode(y="level:Q"),
        line,
        label,
        _after_epoch(),
    ).properties(height=210)


def _unit_rows(wide: pd.DataFrame, units: list[str]) -> alt.LayerChart:
    """A row a hidden unit: its name, what its values amount to, and its output over x.

    wide: index unit and x, a column an epoch. Each row has a scale of its own, the same for all
    epochs, with 0 at the thin rule; all rows are one view, which keeps them in line.
    """
    high = float(wide.index.get_level_values("x").max())
    curves, words = [], []
    for row, unit in enumerate(units):
        values = wide.loc[unit]
        known = values.fillna(0).to_numpy()
        low, top = min(0.0, known.min()), max(0.0, known.max())
        low, top = (0.0, 1.0) if not top > low else (low, top)
        bottom = -row - 0.92
        curves.append((bottom + 0.5 * (values - low) / (top - low)).reset_index())
        texts = {column: _range_text(values[column].to_numpy()) for column in values}
        zero = bottom - 0.5 * low / (top - low)
        words.append({"unit": unit, "at": -row - 0.2, "zero": zero, **texts})
    scale = alt.Scale(domain=[-len(units), 0], nice=False)
    y = alt.Y("y:Q", axis=None, scale=scale)
    lines = (
        alt.Chart(pd.concat(curves).assign(row=np.repeat(range(len(units)), len(curves[0]))))
        .transform_calculate(y="datum[shown]")
        .mark_line(color=ACCENT, strokeWidth=2, tooltip=None)
        .encode(x=_raw_axis(high, title="x"), y=y, detail="row:N")
    )
    text = alt.Chart(pd.DataFrame(words)).transform_calculate(text="datum[shown]")
    style = {"color": GREY, "fontSize": 12, "tooltip": None}
    place = alt.Y("at:Q", axis=None, scale=scale)
    zeros = text.mark_rule(color=GREY, opacity=0.35, tooltip=None).encode(
        y=alt.Y("zero:Q", axis=None, scale=scale)
    )
    names = text.mark_text(align="left", **style).encode(y=place, x=alt.value(2), text="unit:N")
    ranges = text.mark_text(align="right", **style).encode(
        y=place, x=alt.value("width"), text="text:N"
    )
    return alt.layer(zeros, lines, names, ranges).properties(height=52 * len(units))


def surface_view(surface: Surface, columns: int = 3) -> alt.VConcatChart:
    """The decision surface with the samples on it, the hidden units' below, and an epoch slider.

    columns: hidden units side by side.
    """
    views = [_decision_surface(surface)]
    if len(surface.hidden):
        views.append(_unit_surfaces(surface, columns))
    return _column_of_views(views, surface.epochs)


def _decision_surface(surface: Surface) -> alt.LayerChart:
    cells = _overlapping(surface.output)
    x = alt.Scale(domain=[cells["x0"].min(), surface.output["x1"].max()], nice=False)
    y = alt.Scale(domain=[cells["y0"].min(), surface.output["y1"].max()], nice=False)
    axis = {"format": "~g", "tickCount": 5, "grid": False}
    heat = (
        alt.Chart(cells)
        .transform_calculate(value="datum[shown]", after="slice(shown, 6)")
        .mark_rect(clip=True)
        .encode(
            x=alt.X("x0:Q", title="Feature 1", scale=x, axis=alt.Axis(**axis)),
            x2="x1:Q",
            y=alt.Y("y0:Q", scale=y, axis=alt.Axis(**axis, **_above("Feature 2"))),
            y2="y1:Q",
            color=alt.Color(
                "value:Q",
                title=f"P(label {surface.label})",
                scale=alt.Scale(
                    domain=[0, 0.4999, 0.5001, 1], range=CLASSES, clamp=True, interpolate="rgb"
                ),
                legend=alt.Legend(
                    orient="bottom", gradientLength=150, format=".1f", values=[0, 0.5, 1]
                ),
            ),
            tooltip=[
                alt.Tooltip("value:Q", title=f"P(label {surface.label})", format=".3f"),
                alt.Tooltip("after:N", title="After epoch"),
            ],
        )
    )
    points = (
        alt.Chart(surface.samples)
        .mark_point(
            size=36, filled=True, fill="white", stroke="#1c2733", strokeWidth=1, opacity=0.9
        )
        .encode(
            x=alt.X("x:Q", scale=x),
            y=alt.Y("y:Q", scale=y),
            shape=alt.Shape(
                "label:N",
                title="Label",
                scale=alt.Scale(range=["circle", "triangle-up", "square", "diamond"]),
                legend=alt.Legend(
                    orient="bottom", direction="horizontal", symbolStrokeWidth=1, symbolSize=80
                ),
            ),
            tooltip=["label:N"],
        )
    )
    return alt.layer(heat, points, _after_epoch()).properties(height=320)


def _unit_surfaces(surface: Surface, columns: int) -> alt.LayerChart:
    """The hidden units' outputs, `columns` in a row; grey is 0, each unit's colours its own scale.

    One view: a panel is a square of side 1 in its coordinates, with room for two lines of text.
    """
    numbers = [f"epoch_{number}" for number in surface.epochs]
    cells, words = [], []
    columns = min(columns, surface.hidden["unit"].nunique())
    for place, (unit, rows) in enumerate(surface.hidden.groupby("unit", sort=False)):
        values = rows[numbers].astype(float)
        values = values.where(np.isfinite(values))
        most = float(values.abs().fillna(0).to_numpy().max()) or 1.0
        left, top = place % columns, -(place // columns)
        corners = {
            name: left + 0.02 + 0.96 * _unit_interval(rows[name], rows["x0"], rows["x1"])
            for name in ("x0", "x1")
        } | {
            name: top - 0.98 + 0.68 * _unit_interval(rows[name], rows["y0"], rows["y1"])
            for name in ("y0", "y1")
        }
        cells.append(_overlapping((values / most).assign(**corners)))
        texts = {name: _range_text(values[name].to_numpy()) for name in numbers}
        words.append({"unit": unit, "x": left + 0.02, "y": top - 0.28, **texts})
    count = -(-len(words) // columns)
    x = alt.Scale(domain=[0, columns], nice=False)
    y = alt.Scale(domain=[-count, 0], nice=False)
    heat = (
        alt.Chart(pd.concat(cells))
        .transform_calculate(value="datum[shown]")
        .mark_rect(tooltip=None)
        .encode(
            x=alt.X("x0:Q", axis=None, scale=x),
            x2="x1:Q",
            y=alt.Y("y0:Q", axis=None, scale=y),
            y2="y1:Q",
            color=alt.Color(
                "value:Q",
                scale=alt.Scale(domain=[-1, -0.5, 0, 0.5, 1], range=SIGNED, interpolate="rgb"),
                legend=None,
            ),
        )
    )
    text = (
        alt.Chart(pd.DataFrame(words))
        .transform_calculate(text="datum[shown]")
        .encode(x=alt.X("x:Q", axis=None, scale=x), y=alt.Y("y:Q", axis=None, scale=y))
    )
    style = {"align": "left", "baseline": "bottom", "color": GREY, "fontSize": 11, "tooltip": None}
    names = text.mark_text(dy=-16, **style).encode(text="unit:N")
    ranges = text.mark_text(dy=-2, **style).encode(text="text:N")
    return alt.layer(heat, names, ranges).properties(height=130 * count)


def _overlapping(cells: pd.DataFrame) -> pd.DataFrame:
    """Cells that reach a little into the next ones, which then leave no seams between them."""
    reach = {
        high: np.minimum(cells[high] + 0.2 * (cells[high] - cells[low]), cells[high].max())
        for low, high in (("x0", "x1"), ("y0", "y1"))
    }
    return cells.assign(**reach)


def _unit_interval(values: pd.Series, low: pd.Series, high: pd.Series) -> pd.Series:
    return (values - low.min()) / (high.max() - low.min())


def health(
    frame: pd.DataFrame, measure: str, *, epochs: int, log: bool = False, height: int = 220
) -> list[alt.Chart]:
    """A figure of the layers' health over the epochs: median and quartiles, stuck runs and freed.

    frame: run, epoch, layer, value, stuck (bool); see `core.view.layer_health`. One chart for the
    stuck runs and one for the freed, with the same axes; a group without runs has none.
    """
    log = log and not _is_share(measure)
    frame = _finite(frame, "value")
    layers = list(frame["layer"].unique())
    runs = frame.groupby("stuck")["run"].nunique()
    kept = _spread(np.sort(frame["epoch"].unique()), max(2, MAX_ROWS // (2 * max(1, len(layers)))))
    quartiles = (
        frame[frame["epoch"].isin(kept)]
        .groupby(["stuck", "layer", "epoch"], sort=False)["value"]
        .quantile([0.25, 0.5, 0.75])
        .unstack()
        .set_axis(["low", "median", "high"], axis=1)
        .reset_index()
    )
    y = _health_axis(quartiles, measure, log)
    panels = []
    for stuck in (True, False):
        if stuck in runs:
            panel = _health_panel(quartiles[quartiles["stuck"] == stuck], y, layers, epochs)
            count = f"{runs[stuck]:,} run{'' if runs[stuck] == 1 else 's'}"
            name = f"{STUCK if stuck else FREED}: {count}".capitalize()
            panels.append(_fitted(panel, height, title=alt.Title(name, fontSize=14)))
    return panels


def _health_axis(quartiles: pd.DataFrame, measure: str, log: bool) -> alt.Y:
    """One axis for all panels; on a logarithmic one the lowest place is labelled 0 and holds it.

    A gradient of exactly 0 is what a dead network is known by, so it must not be left out; the
    columns low, median and high of quartiles are raised to that place.
    """
    y = _value_axis(measure, log, "median")
    values = quartiles[["low", "median", "high"]]
    if _is_share(measure) or values.empty:
        return y
    positive = values.to_numpy()[values.to_numpy() > 0]
    if not log or not len(positive):
        y["scale"] = alt.Scale(domain=[min(0, values.min().min()), values.max().max() or 1])
        return y
    least, most = np.floor(np.log10(positive.min())), np.ceil(np.log10(positive.max()))
    least = max(least, most - 12)
    floor = 10.0 ** (least - 1)
    quartiles[values.columns] = values.clip(lower=floor)
    powers = np.unique(np.linspace(least, most, min(6, int(most - least) + 1)).round())
    y["scale"] = alt.Scale(type="log", domain=[floor, 10.0**most], nice=False)
    y["axis"] = alt.Axis(
        **_above(y["axis"]["title"]),
        values=[floor, *(10.0**power for power in powers)],
        labelExpr=f"datum.value < {2 * floor} ? '0' : format(datum.value, '~g')",
    )
    return y


def _health_panel(quartiles, y, layers, epochs) -> alt.LayerChart:
    """quartiles: layer, epoch, low, median, high."""
    colours = [LAYERS[k % len(LAYERS)] for k in range(len(layers))]
    dashes = [DASHES[k % len(DASHES)] for k in range(len(layers))]
    legend = alt.Legend(
        **LEGEND, symbolType="stroke", symbolStrokeWidth=3, symbolSize=240, symbolOpacity=1
    )
    color = alt.Color(
        "layer:N",
        title=None,
        scale=alt.Scale(domain=layers, range=colours),
        legend=legend,
    )
    base = alt.Chart(quartiles.drop(columns="stuck"))
    tooltip = [
        alt.Tooltip("layer:N", title="Layer"),
        alt.Tooltip("epoch:Q", title="Epoch"),
        *(
            alt.Tooltip(f"{name}:Q", title=title, format=".3~g")
            for name, title in (("median", "Median"), ("low", "Quartile"), ("high", "to"))
        ),
    ]
    band = base.mark_area(opacity=0.18, clip=True, tooltip=None).encode(
        x=_epoch_axis(epochs),
        y=alt.Y("low:Q", scale=y["scale"], axis=y["axis"]),
        y2="high:Q",
        color=color,
    )
    line = base.mark_line(strokeWidth=2.5, clip=True, point=epochs == 1).encode(
        x=_epoch_axis(epochs),
        y=y,
        color=color,
        strokeDash=alt.StrokeDash(
            "layer:N", title=None, scale=alt.Scale(domain=layers, range=dashes), legend=legend
        ),
        tooltip=tooltip,
    )
    return alt.layer(band, line)


# --- small pictures beside a finding ------------------------------------------------------------


def by_layer(frame: pd.DataFrame, measure: str, title: str, height: int = 150) -> alt.Chart:
    """A figure of every layer's health at one epoch: the median of the stuck and the freed runs.

    frame: layer, value, stuck (bool), as `core.view.layer_health` gives for the epoch. A gradient
    norm or ratio is on a logarithmic axis, on which exact zeros have a place of their own.
    """
    frame = _finite(frame, "value")
    layers = list(frame["layer"].unique())
    medians = frame.groupby(["layer", "stuck"], sort=False)["value"].median().reset_index()
    medians = medians.assign(low=medians["value"], median=medians["value"], high=medians["value"])
    medians["outcome"] = np.where(medians["stuck"], STUCK, FREED)
    y = _health_axis(medians, measure, log=not _is_share(measure))
    y["axis"] = {**y["axis"].to_dict(), "title": title}
    chart = (
        alt.Chart(medians[["layer", "outcome", "median", "value"]])
        .mark_point(filled=True, size=90, opacity=0.9)
        .encode(
            x=alt.X("layer:N", title=None, sort=layers, axis=alt.Axis(labelAngle=0)),
            y=y,
            color=_outcome(alt.Color, alt.Legend(**LEGEND)),
            shape=_outcome(alt.Shape, alt.Legend(**LEGEND), range=["circle", "triangle-up"]),
            tooltip=[
                alt.Tooltip("layer:N", title="Layer"),
                alt.Tooltip("value:Q", title=title, format=".3~g"),
                alt.Tooltip("outcome:N", title="Median of runs"),
            ],
        )
    )
    return _fitted(chart, height)


def outputs(values: np.ndarray, run: int, height: int = 150) -> alt.Chart:
    """How a run's outputs over its samples, (rows,), are spread; 30 bins."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    counts, edges = np.histogram(values, bins=30) if len(values) else (np.array([]), np.array([0]))
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "samples": counts, "base": 0})
    chart = (
        alt.Chart(frame)
        .mark_bar(color=ACCENT)
        .encode(
            x=alt.X("low:Q", title=f"Output of run {run}", axis=alt.Axis(tickCount=4, grid=False)),
            x2="high:Q",
            y=alt.Y("base:Q", axis=alt.Axis(tickCount=3, **_above("Samples"))),
            y2="samples:Q",
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".3~g"),
                alt.Tooltip("high:Q", title="To", format=".3~g"),
                alt.Tooltip("samples:Q", title="Samples", format=",d"),
            ],
        )
    )
    return _fitted(chart, height)
