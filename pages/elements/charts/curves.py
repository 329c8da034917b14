"""Charts of every run by epoch."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from core.rates import Rate
from core.tasks import Task
from pages.elements.charts.downsample import MAX_ROWS, finite, spread, thin
from pages.elements.charts.spec import (
    ACCENT,
    APART,
    CLASSES,
    COUNTS,
    DASHES,
    EPOCHS,
    GREY,
    LEGEND,
    PICK,
    SHAPES,
    Chart,
    above,
    counted,
    counts_legend,
    each,
    epoch_axis,
    epoch_ends,
    fitted,
    form,
    is_share,
    name_of,
    named,
    number_format,
    outcome,
    parameters,
    possible,
    rules,
    rules_table,
    score_scale,
    table,
    value,
    value_axis,
)

SERIES = ["#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
"""The colours of trainings that are laid over each other, in order."""
MEDIAN_DASH = [9, 5]
"""Of the median, through which the colour of runs that all lie on it is visible."""
MOST_MEDIANS = 400
LIVE_ROWS = 1_500
"""The most rows that a chart draws while the training runs."""
WIDE = 100
"""The ratio of the largest to the smallest value above which the axis is logarithmic."""
LEAST_SPAN = 0.05
"""The least span of an axis, as a fraction of its values."""


def curves(
    frame: pd.DataFrame,
    measure: str,
    outcomes: np.ndarray | None,
    *,
    epochs: int,
    target: float | None = None,
    baseline: float | None = None,
    log: bool = False,
    height: int = 340,
    whole: Rate | None = None,
    task: Task = CLASSES,
) -> Chart:
    """A measure of every run by epoch, and the median if there are several runs.

    Args:
        frame: `History.curves()`, possibly of a training that is running.
        measure: The column to draw.
        outcomes: bool (runs,), whether each run succeeded, or str (runs,), one of
            `core.history.OUTCOMES` each; None while the training is running.
        epochs: Total number of epochs of the training.
        target, baseline: Drawn as horizontal rules if the measure is a score.
        log: Whether the axis is logarithmic.
        height: Of the plot in pixels.
        whole: The successes of all runs, for the legend, if the frame has only some of them.
        task: Whose score it is.
    """
    every = _measured(frame, measure, log)
    # While the training runs, the chart is redrawn twice a second: more rows would keep the
    # browser busy.
    limit = LIVE_ROWS if outcomes is None else MAX_ROWS
    shown = thin(every, ranked=outcomes is not None, limit=limit).frame
    last = shown["epoch"] == shown.groupby("run")["epoch"].transform("max")
    shown = shown[["run", "epoch", "value"]].assign(
        outcome="running" if outcomes is None else named(outcomes)[shown["run"]], last=last
    )
    median = every.groupby("epoch", as_index=False)["value"].median()
    median = median[median["epoch"].isin(spread(median["epoch"], MOST_MEDIANS))]
    shown["strength"] = _strength(shown)
    values = epoch_ends(epochs)
    if outcomes is not None:
        values |= counted(outcomes, whole)
    several = every["run"].nunique() > 1
    tables = {"runs": shown, **_span(shown, measure, log)}
    if several:
        tables["median"] = median.assign(what="median")
    ruled = measure.endswith("score")
    if ruled:
        marks = {"target": target, task.baseline_name: baseline}
        tables["rules"] = rules_table(marks, height, task)
    domain = () if outcomes is None else possible(outcomes)
    built = _curves(measure, log, domain, task, several=several, ruled=ruled, height=height)
    return Chart(built, tables, values)


def _strength(shown: pd.DataFrame) -> pd.Series:
    """The opacity of each row's run: the fewer runs have its outcome, the easier it is to see."""
    same_outcome = shown.groupby("outcome")["run"].transform("nunique")
    return (2.5 / np.sqrt(same_outcome)).clip(0.16, 0.9).astype("float32")


STRENGTH = alt.Opacity("strength:Q", scale=None, legend=None)
FEW = "datum.strength > 0.8"
"""Of the runs that are drawn in a wider line."""


def _measured(frame: pd.DataFrame, measure: str, log: bool) -> pd.DataFrame:
    """The rows with a finite (for a log axis positive) measure, in a column value."""
    frame = finite(frame, measure)
    frame = frame[frame[measure] > 0] if log and not is_share(measure) else frame
    scores = ("score", "evaluated_score", "val_score")
    columns = [name for name in scores if name in frame]
    # 32 bits have the precision of the training and half the size.
    kept = frame[["run", "epoch", *columns]].astype({"run": "int32", "epoch": "int32"})
    return kept.assign(value=frame[measure].astype("float32")).reset_index(drop=True)


def wide(values: np.ndarray) -> bool:
    """Whether values are positive and differ by a factor of more than WIDE."""
    values = values[np.isfinite(values)]
    return bool(values.size and values.min() > 0 and values.max() > WIDE * values.min())


def _span(shown: pd.DataFrame, measure: str, log: bool) -> dict[str, pd.DataFrame]:
    """The table of `_least_span`: two values LEAST_SPAN apart, around those shown."""
    if is_share(measure) or log:
        return {}
    if shown.empty:
        return {"span": pd.DataFrame(columns=["value"])}
    low, high = shown["value"].min(), shown["value"].max()
    half = LEAST_SPAN / 2 * max(abs(low), abs(high))
    middle = (float(low) + float(high)) / 2
    return {"span": pd.DataFrame({"value": [middle - half, middle + half]})}


def _least_span(measure: str, log: bool) -> list[alt.Chart]:
    """An invisible layer that keeps the axis of a loss from magnifying a nearly constant one."""
    # Vega raises an error for a data set that no mark uses.
    if is_share(measure) or log:
        return []
    marks = table("span").mark_point(opacity=0, size=0, tooltip=None)
    return [marks.encode(y=value_axis(measure, log))]


@form
def _curves(
    measure: str,
    log: bool,
    domain: tuple[str, ...],
    task: Task,
    *,
    several: bool,
    ruled: bool,
    height: int,
) -> alt.LayerChart:
    layers = [*_least_span(measure, log), _run_lines(measure, log, domain, task)]
    layers += [_median_line(measure, log, task)] if several else []
    layers += rules() if ruled else []
    layers += [_hover_targets(measure, log, task)] if domain else []
    chart = fitted(alt.layer(*layers).resolve_scale(**APART), height)
    chart = chart.add_params(*parameters(*EPOCHS, *(COUNTS if domain else ())))
    # By default, Streamlit changes from SVG to canvas at 2,000 marks, and a growing chart flickers.
    return chart.properties(usermeta={"embedOptions": {"renderer": "canvas"}})


def _run_lines(measure: str, log: bool, domain: tuple[str, ...], task: Task) -> alt.LayerChart:
    """A thin line per run with a small mark at its end, in the colours of the outcomes."""
    y = value_axis(measure, log, task=task)
    base = table("runs").encode(x=epoch_axis(), y=y, detail="run:N")
    lines = base.mark_line(tooltip=None, size=1).encode(opacity=STRENGTH)
    # The marks also make a training of a single epoch visible.
    ends = (
        base.transform_filter("datum.last")
        .transform_calculate(strong="min(1, 2 * datum.strength)")
        .mark_point(filled=True, size=22, tooltip=None)
        .encode(opacity=alt.Opacity("strong:Q", scale=None, legend=None))
    )
    if not domain:
        return alt.layer(lines.encode(color=alt.value(GREY)), ends.encode(color=alt.value(GREY)))
    legend = counts_legend(symbolType="stroke", symbolStrokeWidth=2.5, symbolSize=240)
    color = outcome(alt.Color, domain, legend)
    dash = outcome(alt.StrokeDash, domain, legend, range=DASHES)
    shape = each(alt.ShapeValue, domain, SHAPES)
    hovered = " || ".join(
        f"({name}.run && {name}.run[0] === datum.run)" for name in ("hover", PICK)
    )
    lines = lines.encode(
        color=color,
        strokeDash=dash,
        # Vega-Lite takes the width of a line from its size alone.
        size=alt.when(hovered)
        .then(alt.value(3))
        .when(FEW)
        .then(alt.value(2))
        .otherwise(alt.value(1)),
        opacity=alt.when(hovered).then(alt.value(1)).otherwise(STRENGTH),
    )
    return alt.layer(lines, ends.encode(color=color, shape=shape))


def _median_line(measure: str, log: bool, task: Task) -> alt.Chart:
    # Among the colours of runs on a dark page, grey alone would be the faintest.
    grey = value(f"luminance(background) < 0.2 ? '#c9d1d9' : '{GREY}'")
    scale = alt.Scale(domain=["median"], range=[grey])
    legend = alt.Legend(
        **LEGEND, symbolType="stroke", symbolStrokeWidth=3.5, symbolSize=240, symbolDash=[6, 3]
    )
    return (
        table("median")
        .mark_line(strokeWidth=3.5, strokeDash=MEDIAN_DASH, tooltip=None)
        .encode(
            x=epoch_axis(),
            y=value_axis(measure, log, task=task),
            color=alt.Color("what:N", title=None, scale=scale, legend=legend),
        )
    )


def _hover_targets(measure: str, log: bool, task: Task) -> alt.Chart:
    """Invisible points that select the run nearest to the pointer, and with a click pick it."""
    nearest = alt.selection_point(
        name="hover", fields=["run"], nearest=True, on="pointerover", clear="pointerout"
    )
    pick = alt.selection_point(
        name=PICK, fields=["run"], nearest=True, on="click", toggle=False, clear="dblclick"
    )
    tooltip = [
        alt.Tooltip("run:Q", title="Run", format="d"),
        alt.Tooltip("epoch:Q", title="Epoch", format=",d"),
        alt.Tooltip("value:Q", title=name_of(measure, task), format=number_format(measure, task)),
        alt.Tooltip("outcome:N", title="Outcome"),
    ]
    return (
        table("runs")
        .mark_point(opacity=0, size=200)
        .encode(x=epoch_axis(), y=value_axis(measure, log, task=task), tooltip=tooltip)
        .properties(name="targets")
        .add_params(nearest, pick)
    )


SAME, SINGLE = "run 0 of the stack", "run 0 with model.fit"


def overlay(
    frame: pd.DataFrame,
    reference: pd.DataFrame,
    measure: str,
    *,
    epochs: int,
    log: bool = False,
    task: Task = CLASSES,
    single: str = SINGLE,
) -> Chart:
    """The runs of a stack, pale, with run 0 on top and another training, dashed.

    Args:
        frame: `History.curves()` of the stack.
        reference: The columns of `History.curves()`, of the other training.
        measure: The column to draw.
        epochs: Total number of epochs of the training.
        log: Whether the axis is logarithmic.
        task: Whose score it is.
        single: The other training, in words.
    """
    stack = f"{frame['run'].nunique()} stacked runs"
    columns = ["run", "epoch", "value", "series"]
    every = _measured(frame, measure, log)
    pale = thin(every).frame.assign(series=stack)[columns]
    same = every[every["run"] == 0].assign(series=SAME)[columns]
    thick = _measured(reference, measure, log).assign(series=single)[columns]
    built = _overlay(measure, log, stack, single, task, points=epochs == 1)
    span = _span(pd.concat([pale, thick]), measure, log)
    tables = {"stack": pale, "same": same, "single": thick, **span}
    return Chart(built, tables, epoch_ends(epochs))


PINK = "#cc79a7"


@form
def _overlay(
    measure: str, log: bool, stack: str, single: str, task: Task, *, points: bool
) -> alt.LayerChart:
    domain = [stack, SAME, single]
    scale = alt.Scale(domain=domain, range=[GREY, PINK, ACCENT])
    dash = alt.Scale(domain=domain, range=[[1, 0], [1, 0], [7, 4]])
    # Vega does not wrap legends: on a phone, each entry has a line.
    columns = value("width < 480 ? 1 : 3")
    legend = alt.Legend(
        **LEGEND, columns=columns, symbolStrokeWidth=3, symbolSize=240, symbolOpacity=1
    )
    point = {"filled": True, "size": 45} if points else False

    def lines(name: str, **mark) -> alt.Chart:
        return (
            table(name)
            .mark_line(point=point, **mark)
            .encode(
                x=epoch_axis(),
                y=value_axis(measure, log, task=task),
                detail="run:N",
                color=alt.Color("series:N", title=None, scale=scale, legend=legend),
                strokeDash=alt.StrokeDash("series:N", title=None, scale=dash, legend=legend),
                tooltip=[
                    "series:N",
                    alt.Tooltip("epoch:Q", title="Epoch"),
                    alt.Tooltip(
                        "value:Q", title=name_of(measure, task), format=number_format(measure, task)
                    ),
                ],
            )
        )

    layers = [
        *_least_span(measure, log),
        lines("stack", strokeWidth=1, opacity=0.35),
        lines("same", strokeWidth=3.5),
        lines("single", strokeWidth=3.5),
    ]
    return fitted(alt.layer(*layers), 300).add_params(*parameters(*EPOCHS))


def reached(shares: pd.DataFrame, height: int = 200) -> Chart:
    """The share of the runs that have reached the target after each epoch, a line a training.

    Args:
        shares: Columns label, epoch and share.
        height: Of the plot in pixels.
    """
    labels, epochs = tuple(shares["label"].unique()), int(shares["epoch"].max())
    built = _reached(labels, points=epochs == 1, height=height)
    return Chart(built, {"shares": shares}, epoch_ends(epochs))


@form
def _reached(labels: tuple[str, ...], *, points: bool, height: int) -> alt.Chart:
    axis = alt.Axis(format=".0%", tickCount=5, **above("Runs at the target"))
    symbol = {"symbolType": "stroke", "symbolStrokeWidth": 2.5, "symbolSize": 240}
    legend = alt.Legend(**LEGEND | symbol | {"direction": "vertical"}, labelLimit=600)
    # The theme's later colours: the first two are for outcomes.
    scale = alt.Scale(domain=list(labels), range=SERIES)
    color = alt.Color("label:N", title=None, sort=None, legend=legend, scale=scale)
    dashes = alt.Scale(domain=list(labels), range=DASHES)
    dash = alt.StrokeDash("label:N", title=None, sort=None, legend=legend, scale=dashes)
    lines = table("shares").mark_line(strokeWidth=2.5, point=points)
    lines = lines.encode(
        x=epoch_axis(),
        y=alt.Y("share:Q", scale=alt.Scale(domain=[0, 1]), axis=axis),
        color=color,
        strokeDash=dash,
        tooltip=[
            alt.Tooltip("label:N", title="Training"),
            alt.Tooltip("epoch:Q", title="Epoch"),
            alt.Tooltip("share:Q", title="Runs at the target", format=".0%"),
        ],
    )
    return fitted(lines, height).add_params(*parameters(*EPOCHS))


def combinations(
    frame: pd.DataFrame,
    *,
    target: float | None = None,
    height: int = 150,
    task: Task = CLASSES,
) -> list[Chart]:
    """The score of every run by epoch, in a panel per combination of fixes.

    Args:
        frame: The columns of `History.curves`, combination and success (bool).
        target: Drawn as a horizontal rule.
        height: Of the plot in pixels.
        task: Whose score it is.

    Returns:
        One chart per combination, in order of first appearance, with the number of successes as
        title; what all of them show is for the page to say once. The score is measured on the same
        rows as the final score.
    """
    groups = list(frame.groupby("combination", sort=False))
    limit = max(400, MAX_ROWS // max(1, len(groups)))
    charts = []
    for _, rows in groups:
        success = rows.groupby("run")["success"].first()
        epochs = int(rows["epoch"].max())
        held_out = rows["val_score"].notna().any()
        measure = "val_score" if held_out else "evaluated_score"
        shown = thin(_measured(rows, measure, log=False), limit=limit).frame
        shown = shown[["run", "epoch", "value"]].assign(
            outcome=named(success.to_numpy(bool))[shown["run"]]
        )
        tables = {
            "runs": shown.assign(strength=_strength(shown)),
            "rules": rules_table({"target": target}, height, task),
        }
        values = {"heading": f"{success.sum()} of {len(success)} succeeded", **epoch_ends(epochs)}
        built = _combination(task, points=epochs == 1, height=height)
        charts.append(Chart(built, tables, values))
    return charts


@form
def _combination(task: Task, *, points: bool, height: int) -> alt.LayerChart:
    scale = score_scale(task)
    axis = alt.Axis(values=[0, 0.5, 1], format=".0%" if task.share else ".1f")
    lines = (
        table("runs")
        .mark_line(size=1, point=points)
        .encode(
            x=epoch_axis(),
            y=alt.Y("value:Q", title=None, scale=scale, axis=axis),
            detail="run:N",
            opacity=STRENGTH,
            size=alt.when(FEW).then(alt.value(2)).otherwise(alt.value(1)),
            color=outcome(alt.Color),
            strokeDash=outcome(alt.StrokeDash, range=DASHES),
            tooltip=[
                alt.Tooltip("run:Q", title="Run"),
                alt.Tooltip("epoch:Q", title="Epoch"),
                alt.Tooltip("value:Q", title=task.score, format=number_format("score", task)),
                alt.Tooltip("outcome:N", title="Outcome"),
            ],
        )
    )
    # Streamlit's default limit is of the first width that it measures, which may be nearly 0.
    title = alt.Title(value("heading"), fontSize=13, fontWeight="normal", offset=12, limit=600)
    chart = fitted(alt.layer(lines, rules()[0]), height, title=title)
    return chart.add_params(*parameters(*EPOCHS, "heading"))
