"""What a chart is, and what charts share: colours, axes, legends, rules.

Altair takes a tenth of a second to put a chart together and to check it against Vega-Lite's
schema, which is what a server would spend most of its time on. So a chart is a form and what is
filled in: the form is made once for each kind of chart, from a few options; tables and values are
those of one training. `benchmarks/charts.py` measures both ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from itertools import pairwise

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core.history import OUTCOMES, SUCCEEDED
from core.rates import Rate

GREY = "#707b86"
ACCENT = "#009e73"
FAILED = "failed"
"""All outcomes but one, where no more is known."""
DASHES = [[1, 0], [4, 2], [9, 2, 2, 2], [1.5, 2.5]]
SHAPES = ["circle", "triangle-down", "triangle-up", "diamond"]
"""Of the outcomes, in their order."""
APART = {"color": "independent", "strokeDash": "independent", "shape": "independent"}
"""Views that share their axes, each with a legend of its own."""
LEGEND = {"title": None, "orient": "bottom", "direction": "horizontal"}
KEPT_FORMS = 64
"""Of each function: more than the pages use, were it not for a stranger's settings."""


@dataclass(frozen=True)
class Chart:
    """A form, and what is filled in.

    form: Vega-Lite as JSON, shared by all charts of a kind; tables: by the names of its data;
    values: by the names of its parameters, each a number, a text, a list of these, or the
    parameter itself as a dictionary.
    """

    form: str
    tables: Mapping[str, pd.DataFrame]
    values: Mapping[str, object] = field(default_factory=dict)

    def spec(self) -> dict:
        """The specification as Streamlit takes it: the data sets are the tables themselves."""
        plain = json.loads(self.form)
        parameters = {parameter["name"]: parameter for parameter in plain.get("params", ())}
        for name, value in self.values.items():
            parameters[name] |= value if isinstance(value, dict) else {"value": value}
        return plain | {"datasets": {**plain.get("datasets", {}), **self.tables}}

    def to_dict(self) -> dict:
        """The whole of it as plain data, for JSON; what is no number is None."""
        plain = self.spec()
        plain["datasets"] |= {
            name: json.loads(table.to_json(orient="records", double_precision=15))
            for name, table in self.tables.items()
        }
        return plain


def form(build: Callable[..., alt.TopLevelMixin]) -> Callable[..., str]:
    """For functions that build a chart on named data from their options: for each of them once."""

    @lru_cache(KEPT_FORMS)
    @wraps(build)
    def built(*options, **more) -> str:
        plain = build(*options, **more).to_dict()
        # Altair's own size of a view; the page decides on that.
        plain.pop("config", None)
        return json.dumps(plain)

    return built


def show(chart: Chart, alt: str, key: str | None = None) -> None:
    """Draw a chart on the page; alt: what it shows in words."""
    # Left to itself, Streamlit gives a column of layered views 400 pixels.
    st.vega_lite_chart(chart.spec(), alt=alt, key=key, width="stretch")


def table(name: str) -> alt.Chart:
    """A view's beginning: of the table that is filled in under this name."""
    return alt.Chart(alt.NamedData(name=name))


def parameters(*names: str) -> list[alt.Parameter]:
    """What is to be filled in, by name; `value` refers to it."""
    return [alt.param(name=name) for name in names]


def value(expression: str) -> alt.ExprRef:
    """What is filled in under a name, or an expression of such names."""
    return alt.ExprRef(expression)


def fitted(chart, height: int | None = None, **properties):
    """As wide as the page; `height` is the plot's alone, whatever axes and legend need."""
    # Streamlit's own choice, "fit", would take axes and legend out of the height, and it would not
    # fit layered views in a column to the page's width.
    properties["autosize"] = alt.AutoSizeParams(type="fit-x", contains="padding")
    if height is not None:
        properties["height"] = height
    return chart.properties(**properties)


# --- outcomes -----------------------------------------------------------------------------------


def possible(outcomes: np.ndarray) -> tuple[str, ...]:
    """What a run can be: outcomes are bool (runs,), succeeded or not, or one of OUTCOMES each."""
    return (SUCCEEDED, FAILED) if outcomes.dtype == bool else OUTCOMES


def named(outcomes: np.ndarray) -> np.ndarray:
    """The outcomes, bool or str (runs,), in words."""
    return np.where(outcomes, SUCCEEDED, FAILED) if outcomes.dtype == bool else outcomes


def each(encoding: type, domain: tuple[str, ...], values: list):
    """An encoding with a value for each of the outcomes, in their order, and no legend."""
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

    A colour without a range has the theme's, from the first on, in their light or dark shade.
    """
    if "range" in scale:  # of all outcomes
        scale["range"] = scale["range"][: len(domain)]
    scale = alt.Scale(domain=list(domain), **scale)
    return encoding("outcome:N", title=None, scale=scale, legend=legend)


COUNTS = ("occurring", "run_counts")
"""The values that `counts_legend` shows."""


def counts_legend(**symbol) -> alt.Legend:
    """A legend of the outcomes that occur, with how many runs have each.

    Vega does not wrap one: four outcomes in a row are wider than half a page, and two, with the
    median beside them, than a phone.
    """
    counts = "format(run_counts[indexof(occurring, datum.label)], ',')"
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

    outcomes: bool or str (runs,); whole: successes of all runs, where these are some of them only.
    """
    if whole is None:
        names = named(outcomes)
        counts = [int((names == name).sum()) for name in possible(outcomes)]
    else:
        counts = [whole.successes, whole.runs - whole.successes]
    present = [(name, n) for name, n in zip(possible(outcomes), counts, strict=True) if n]
    return dict(zip(COUNTS, map(list, zip(*present, strict=True)), strict=True))


# --- axes ---------------------------------------------------------------------------------------

NAMES = {
    "dead": "Share of dead units",
    "saturated": "Share of saturated units",
    "loss": "Loss during each epoch",
    "accuracy": "Accuracy during each epoch",
    "evaluated_loss": "Loss after each epoch",
    "evaluated_accuracy": "Accuracy after each epoch",
    "val_loss": "Held-out loss after each epoch",
    "val_accuracy": "Held-out accuracy after each epoch",
}


def name_of(measure: str) -> str:
    """A column of a history in words."""
    return NAMES.get(measure, measure.replace("_", " ").capitalize())


def is_share(measure: str) -> bool:
    return measure.endswith(("accuracy", "dead", "saturated"))


def above(title: str) -> dict:
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


EPOCHS = ("first_epoch", "last_epoch")
"""The values that `epoch_axis` needs."""


def epoch_axis() -> alt.X:
    axis = alt.Axis(format=",d", tickMinStep=1, grid=False, tickCount=8)
    scale = alt.Scale(domain=[value(name) for name in EPOCHS], nice=False)
    return alt.X("epoch:Q", title="Epoch", axis=axis, scale=scale)


def epoch_ends(epochs: int) -> dict[str, float]:
    """The values of `epoch_axis`: to the end of training from its first epoch on."""
    return dict(zip(EPOCHS, (1, epochs) if epochs > 1 else (0.5, 1.5), strict=True))


def value_axis(measure: str, log: bool, column: str = "value") -> alt.Y:
    if is_share(measure):
        scale, axis = alt.Scale(domain=[0, 1]), {"format": ".1f", "tickCount": 5}
    else:
        scale = alt.Scale(type="log") if log else alt.Scale(zero=False, nice=True)
        axis = {"format": "~g", "tickCount": 5}
    title = name_of(measure) + (", logarithmic" if log and not is_share(measure) else "")
    return alt.Y(f"{column}:Q", scale=scale, axis=alt.Axis(**axis, **above(title)))


def number_format(measure: str) -> str:
    return ".3f" if is_share(measure) else ".4~g"


# --- rules --------------------------------------------------------------------------------------


def rules_table(marks: Mapping[str, float | None], end: float = 1) -> pd.DataFrame:
    """A row for each named value that is not None; end: where the labels of level rules end."""
    by_value = sorted((value, name) for name, value in marks.items() if value is not None)
    rows = [
        {"at": value, "label": f"{name} {value:.2f}", "end": float(end), "low": False}
        for value, name in by_value
    ]
    for row, following in pairwise(rows):
        # Two labels at nearly the same place: the lower one goes below its rule.
        row["low"] = following["at"] - row["at"] < 0.08
    return pd.DataFrame(rows, columns=["at", "label", "end", "low"])


def rules(along: str = "y") -> list[alt.Chart]:
    """A grey rule and a small label for each row of the table "rules"; along: the values' axis."""
    rule = table("rules").mark_rule(color=GREY, strokeDash=[3, 3], tooltip=None)
    position = {along: "at:Q"}
    layers = [rule.encode(**position)]
    position["x" if along == "y" else "y"] = alt.value(0) if along == "x" else "end:Q"
    for low in (False, True):
        offsets = {"align": "right", "baseline": "top" if low else "bottom"}
        offsets |= {"dy": 4 if low else -4, "dx": -2}
        if along == "x":
            offsets = {"align": "right", "baseline": "top", "dx": -4, "dy": 16 if low else 2}
        label = table("rules").mark_text(color=GREY, fontSize=11, tooltip=None, **offsets)
        label = label.transform_filter("datum.low" if low else "!datum.low")
        layers.append(label.encode(text="label:N", **position))
    return layers
