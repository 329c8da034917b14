"""The class of charts, and their common colours, axes, legends and rules.

Altair takes a tenth of a second to build a chart and to validate it against Vega-Lite's schema,
which would be most of a server's work. A chart therefore consists of a form (the specification,
built once for each combination of a few options) and of the tables and values of one training that
are filled in. `benchmarks/charts.py` measures both ways.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd
import pyarrow
import streamlit as st

from core.history import OUTCOMES, SUCCEEDED
from core.rates import Rate
from core.tasks import TASKS, Task

GREY = "#707b86"
INK = alt.ExprRef("luminance(background) < 0.2 ? '#cdd5dd' : '#5d6873'")
"""Of texts. One grey alone would not be legible on both backgrounds, and Streamlit's, of axes on
white, has a contrast of 3.7."""
ACCENT = "#009e73"
FAILED = "failed"
"""Any outcome other than success, where these are not distinguished."""
DASHES = [[1, 0], [4, 2], [9, 2, 2, 2], [2, 2]]
SHAPES = ["circle", "triangle-down", "triangle-up", "diamond"]
"""Dashes and shapes of the outcomes, in their order."""
APART = {"color": "independent", "strokeDash": "independent", "shape": "independent"}
"""Scale resolution of views that share axes but have legends of their own."""
CLASSES = TASKS["binary"]
"""What a chart takes a score to be of, where it is not told."""
LEGEND = {"title": None, "orient": "bottom", "direction": "horizontal"}
_COLORS = dict.fromkeys(("labelColor", "titleColor"), INK.to_dict())
CONFIG = {
    "axis": {"titlePadding": 8, "labelPadding": 8, **_COLORS},
    "axisY": {"labelFlush": False},
    "text": {"fontSize": 11},
    "legend": {"padding": 2, "offset": 12, **_COLORS},
}
_LETTERS = {"labelFontSize": 15, "titleFontSize": 16}
_OF_SLIDE = CONFIG | {
    "axis": CONFIG["axis"] | _LETTERS,
    "legend": CONFIG["legend"] | _LETTERS,
    "text": {"fontSize": 13},
}
PADDING = {"bottom": 6, "right": 3}
"""Pixels around a chart. Streamlit's default below it, 20, leaves an empty band; at the right, 0,
it cuts the last label of an axis."""
TICKS = ",.9~g"
"""The format of an axis's numbers, which are round. For "~g" alone, Vega would take the digits from
the step between them, and write 20 as 2e+1; with as few as six, a million would be 1e+6."""
KEPT_FORMS = 64
"""Cached forms of each function; the limit matters only for made-up settings in links."""


class Chart:
    """A form with the tables and values that are filled in.

    Args:
        form: The Vega-Lite specification as JSON, shared by all charts of a kind.
        tables: By the names of the form's data sets; their indices are left out.
        values: By the names of the form's parameters: numbers, texts, lists of these, or
            properties of the parameter as a dictionary.
    """

    def __init__(
        self,
        form: str,
        tables: Mapping[str, pd.DataFrame],
        values: Mapping[str, object] | None = None,
    ):
        self.form, self.values = form, values or {}
        # Streamlit sends these as they are: of a chart that is kept, the message is made in a tenth
        # of the time that data frames take.
        self.tables = {
            name: pyarrow.Table.from_pandas(table, preserve_index=False)
            for name, table in tables.items()
        }

    def spec(self) -> dict:
        """The specification as Streamlit takes it, with Arrow tables as data sets."""
        plain = json.loads(self.form)
        parameters = {parameter["name"]: parameter for parameter in plain.get("params", ())}
        for name, value in self.values.items():
            parameters[name] |= value if isinstance(value, dict) else {"value": value}
        return plain | {"datasets": {**plain.get("datasets", {}), **self.tables}}

    def to_dict(self) -> dict:
        """The specification as plain data, for JSON; NaN is None."""
        plain = self.spec()
        plain["datasets"] |= {
            name: json.loads(table.to_pandas().to_json(orient="records", double_precision=15))
            for name, table in self.tables.items()
        }
        return plain


def form(build: Callable[..., alt.TopLevelMixin]) -> Callable[..., str]:
    """A decorator of functions that build a chart on named data; it caches the chart as JSON."""

    @lru_cache(KEPT_FORMS)
    @wraps(build)
    def built(*options, **more) -> str:
        plain = build(*options, **more).to_dict()
        # In place of Altair's default size of a view, which is the page's decision.
        plain |= {"config": CONFIG, "padding": PADDING}
        _leave_marks_to_the_alternative_text(plain)
        return json.dumps(plain)

    return built


def _leave_marks_to_the_alternative_text(plain: object) -> None:
    """Hide the marks from screen readers, to which some would be pictures without a text."""
    if isinstance(plain, dict):
        if isinstance(mark := plain.get("mark"), dict):
            mark["aria"] = False
        for part in plain.values():
            _leave_marks_to_the_alternative_text(part)
    elif isinstance(plain, list):
        for part in plain:
            _leave_marks_to_the_alternative_text(part)


PICK = "pick"
"""The selection of a run with a click, in a chart that has it."""


def show(
    chart: Chart,
    alt: str,
    key: str | None = None,
    on_select: Callable[[], None] | Literal["ignore"] = "ignore",
    selection: str | None = None,
    slide: bool = False,
) -> None:
    """Draw a chart on the page.

    Args:
        chart: What is drawn.
        alt: The alternative text.
        key: Of the element.
        on_select: Called when a person selects something in a chart that has a selection.
        selection: The name of the only selection that counts; None for all.
        slide: Whether it is as high as the room that it has, and in larger letters. A chart whose
            height says something, such as one with a row for each label, is not.
    """
    spec = chart.spec()
    if slide:
        spec["config"] = _OF_SLIDE
        spec["autosize"] = {"type": "fit", "contains": "padding"}
    # By default, Streamlit makes a column of layered views 400 pixels wide.
    st.vega_lite_chart(
        spec,
        alt=alt,
        key=key,
        width="stretch",
        height="stretch" if slide else "content",
        on_select=on_select,
        selection_mode=selection,
    )


def picked(key: str) -> int | None:
    """The run that is picked in the chart with this key, if any; a browser may send anything."""
    try:
        return int(st.session_state[key]["selection"][PICK][0]["run"])
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def table(name: str) -> alt.Chart:
    """An Altair chart on the table that is filled in under this name."""
    return alt.Chart(alt.NamedData(name=name))


def parameters(*names: str) -> list[alt.Parameter]:
    """The parameters for values that are filled in under these names; `value` refers to them."""
    return [alt.param(name=name) for name in names]


def value(expression: str) -> alt.ExprRef:
    """A reference to a value by its name, or an expression of such names."""
    return alt.ExprRef(expression)


def fitted(chart, height: int | None = None, **properties):
    """The chart fitted to the page's width; `height` excludes axes and legend."""
    # Streamlit's default, "fit", would include axes and legend in the height, and it would not fit
    # layered views in a column to the page's width.
    properties["autosize"] = alt.AutoSizeParams(type="fit-x", contains="padding")
    if height is not None:
        properties["height"] = height
    return chart.properties(**properties)


# --- outcomes -----------------------------------------------------------------------------------


def possible(outcomes: np.ndarray) -> tuple[str, ...]:
    """The possible outcomes.

    Args:
        outcomes: bool (runs,), whether each run succeeded, or str (runs,), one of OUTCOMES each.
    """
    return (SUCCEEDED, FAILED) if outcomes.dtype == bool else OUTCOMES


def named(outcomes: np.ndarray) -> np.ndarray:
    """The outcomes, bool or str (runs,), as str."""
    return np.where(outcomes, SUCCEEDED, FAILED) if outcomes.dtype == bool else outcomes


def each(encoding: type, domain: tuple[str, ...], values: list):
    """An encoding with a value for each of the outcomes, in their order, without a legend."""
    first, *rest = zip(domain, values, strict=False)
    return encoding(
        condition=[{"test": f"datum.outcome === '{name}'", "value": own} for name, own in rest],
        value=first[1],
    )


def outcome(
    encoding: type,
    domain: tuple[str, ...] = (SUCCEEDED, FAILED),
    legend: alt.Legend | None = None,
    **scale,
):
    """An encoding of the column outcome, one of several that share a legend.

    Args:
        encoding: The channel's class.
        domain: The outcomes.
        legend: Shown if not None.
        **scale: Options of the scale. A range may be longer than the domain; a colour without a
            range has the colours of the theme.
    """
    if "range" in scale:  # of all outcomes
        scale["range"] = scale["range"][: len(domain)]
    scale = alt.Scale(domain=list(domain), **scale)
    return encoding("outcome:N", title=None, scale=scale, legend=legend)


COUNTS = ("occurring", "run_counts", "unseen")
"""The values that `counts_legend` shows."""


def counts_legend(**symbol) -> alt.Legend:
    """A legend of the outcomes that occur, with the number of runs of each.

    It has at most two columns, and one on a phone, since Vega does not wrap legends.
    """
    place = "indexof(occurring, datum.label)"
    counts = f"format(run_counts[{place}], ',') + (unseen[{place}] ? ', none drawn' : '')"
    label = f"datum.label + ' (' + {counts} + ')'"
    return alt.Legend(
        **LEGEND,
        columns=value("width < 340 ? 1 : 2"),
        values=value("occurring"),
        labelExpr=label,
        symbolOpacity=1,
        **symbol,
    )


def counted(outcomes: np.ndarray, whole: Rate | None = None) -> dict[str, list]:
    """The values of `counts_legend`.

    Args:
        outcomes: bool or str (runs,).
        whole: The successes of all runs, if `outcomes` covers only some of them.
    """
    names = named(outcomes)
    drawn = [int((names == name).sum()) for name in possible(outcomes)]
    counts = drawn if whole is None else [whole.successes, whole.runs - whole.successes]
    every = zip(possible(outcomes), counts, drawn, strict=True)
    present = [(name, many, not seen) for name, many, seen in every if many]
    return dict(zip(COUNTS, map(list, zip(*present, strict=True)), strict=True))


# --- axes ---------------------------------------------------------------------------------------

NAMES = {
    "dead": "Share of dead units",
    "saturated": "Share of saturated units",
    "loss": "Loss during each epoch",
    "score": "{score} during each epoch",
    "evaluated_loss": "Loss after each epoch",
    "evaluated_score": "{score} after each epoch",
    "val_loss": "Held-out loss after each epoch",
    "val_score": "Held-out {score_name} after each epoch",
}


FLOOR = -0.2
"""The lowest R² that an axis shows; lower ones, which have no bound, are drawn there."""


def name_of(measure: str, task: Task = CLASSES) -> str:
    """A column of a history in words."""
    words = NAMES.get(measure, measure.replace("_", " ").capitalize())
    return words.format(score=task.score, score_name=task.score_name)


def score_scale(task: Task) -> alt.Scale:
    """The scale of a score from its lowest value, or FLOOR, to 1."""
    return alt.Scale(domain=[0 if task.share else FLOOR, 1], clamp=not task.share, nice=False)


def is_share(measure: str) -> bool:
    return measure.endswith(("score", "dead", "saturated"))


def above(title: str) -> dict:
    """Axis options that put a y axis's title horizontally above it, where it takes no width."""
    return {
        "title": title,
        "titleAngle": 0,
        "titleAnchor": "end",
        "titleAlign": "left",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -10,
    }


EPOCHS = ("first_epoch", "last_epoch")
"""The values that `epoch_axis` needs."""


def epoch_axis() -> alt.X:
    count = value("width < 260 ? 4 : 8")
    axis = alt.Axis(format=",d", tickMinStep=1, grid=False, tickCount=count)
    scale = alt.Scale(domain=[value(name) for name in EPOCHS], nice=False)
    return alt.X("epoch:Q", title="Epoch", axis=axis, scale=scale)


def epoch_ends(epochs: int) -> dict[str, float]:
    """The values of `epoch_axis`, from the first to the last epoch of the training."""
    return dict(zip(EPOCHS, (1, epochs) if epochs > 1 else (0.5, 1.5), strict=True))


def value_axis(measure: str, log: bool, column: str = "value", task: Task = CLASSES) -> alt.Y:
    if measure.endswith("score") and not task.share:
        scale, axis = score_scale(task), {"format": ".1f", "tickCount": 6}
    elif is_share(measure):
        scale, axis = alt.Scale(domain=[0, 1]), {"format": ".0%", "tickCount": 5}
    else:
        scale = alt.Scale(type="log") if log else alt.Scale(zero=False, nice=True)
        axis = {"format": TICKS, "tickCount": 5}
    title = name_of(measure, task) + (", logarithmic" if log and not is_share(measure) else "")
    return alt.Y(f"{column}:Q", scale=scale, axis=alt.Axis(**axis, **above(title)))


def number_format(measure: str, task: Task = CLASSES) -> str:
    if measure.endswith("score") and not task.share:
        return ".3f"
    return ".1%" if is_share(measure) else ".4~g"


# --- rules --------------------------------------------------------------------------------------


LINE = 13
"""Pixels of a line of a rule's label."""


def rules_table(
    marks: Mapping[str, float | None], height: int, task: Task = CLASSES
) -> pd.DataFrame:
    """The table of `rules`.

    Args:
        marks: Scores by label, at most two; None is left out.
        height: Of the plot in pixels.
        task: Whose scores they are.
    """
    scores = sorted((score, name) for name, score in marks.items() if score is not None)
    lines = [f"{name} {task.stated(score)}" for score, name in scores]
    labels = ["\n".join(textwrap.wrap(line, 11)) for line in lines]
    sizes = [LINE * (label.count("\n") + 1) for label in labels]
    shifts, aligned = [0.0, 0.0], ["center", "center"]
    if len(scores) == 2:
        apart = (scores[1][0] - scores[0][0]) / (1 if task.share else 1 - FLOOR)
        overlap = max(0, sum(sizes) / 2 - apart * height)
        shifts = [overlap / 2, -overlap / 2]
        aligned = ["right", "left"] if apart < 0.3 else aligned
    rows = [
        # The first line of a label is above its middle.
        {"at": score, "label": label, "dy": shift + (LINE - size) / 2, "line": line, "align": align}
        for (score, _), label, shift, size, line, align in zip(
            scores, labels, shifts, sizes, lines, aligned, strict=False
        )
    ]
    return pd.DataFrame(rows, columns=["at", "label", "dy", "line", "align"])


def rules(along: str = "y") -> list[alt.Chart]:
    """A grey rule for each row of the table "rules", and its label outside the plot.

    Args:
        along: The axis of the scores, "x" or "y".
    """
    rule = table("rules").mark_rule(color=GREY, strokeDash=[3, 3], tooltip=None)
    rule = rule.encode(**{along: "at:Q"})
    look = {"color": INK, "tooltip": None}
    if along == "x":
        labels = table("rules").mark_text(**look, align=value("datum.align"), dy=-10)
        return [rule, labels.encode(text="line:N", x="at:Q", y=alt.value(0))]
    look |= {"align": "left", "dx": 6, "lineBreak": "\n", "lineHeight": LINE}
    labels = table("rules").mark_text(**look, dy=value("datum.dy"))
    return [rule, labels.encode(text="label:N", y="at:Q", x=alt.value("width"))]
