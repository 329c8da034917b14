"""Where a network learns: a map over two of its settings, or a curve over one."""

from __future__ import annotations

from functools import lru_cache

import pandas as pd
import streamlit as st

from core.costs import price
from core.experiment import Experiment
from core.history import History
from core.jobs.limits import duration
from core.jobs.requests import VarySettings
from core.sensitivity import AXES, Sensitivity, available, default_runs, plan
from pages.elements import charts, jobs, state
from pages.elements.charts.sensitivity import CELL, REGION, Scale, learning_curve, learning_map
from pages.elements.download import download
from pages.elements.layout import TEXT

ALONE = "none"
RUNS = (8, 16, 32, 64)
INTRODUCTION = (
    "One training says whether these settings work; this says how far you may move them. Each cell "
    "is the share of runs that succeed, from the same seeds."
)
MAP = 1100
"""The most pixels across the chart, whose cells are not to be mere stripes."""


def draw(problem: str, experiment: Experiment, _: History | None = None) -> None:
    """Draw the tab: the choice of settings, the training of their values, the map or the curve.

    Args:
        problem: Whose page.
        experiment: The current one, whose settings are varied.
    """
    st.markdown(INTRODUCTION, width=TEXT)
    slot = f"{problem}.where"
    axes, runs = _choices(slot, experiment)
    request = VarySettings(experiment, axes, runs, state.seed(problem), state.target(problem))
    cells, seconds = _size(request, jobs.workers())
    ready = jobs.affordable(request)
    st.button(
        f"Train {cells} settings, {runs} runs each (about {duration(seconds)})",
        key=f"{slot}-start",
        icon=":material/grid_on:" if len(axes) > 1 else ":material/show_chart:",
        disabled=not ready or jobs.busy(slot),
        on_click=jobs.start,
        args=(slot, f"{cells} settings of a network", request),
        help="Trains the network at each value, with the same seeds.",
    )
    with st.container():
        result = jobs.result(slot, "training", _running, slot)
    if result is not None:
        _result(problem, slot, experiment, result)


def _choices(slot: str, experiment: Experiment) -> tuple[tuple[str, ...], int]:
    """Draw the controls; the names of one or two settings, and the runs of each."""
    names = [axis.name for axis in available(experiment)]
    stacked = [name for name in names if AXES[name].stacked]
    first, second = f"{slot}.x", f"{slot}.y"
    if st.session_state.get(first) not in names:
        st.session_state[first] = names[0]
    with st.container(horizontal=True):
        x = st.selectbox(
            "Setting",
            names,
            format_func=_label,
            key=first,
            width=280,
            help="Which setting is varied, with everything else as it is.",
        )
        others = [ALONE, *(name for name in stacked if name != x)] if x in stacked else [ALONE]
        if st.session_state.get(second) not in others:
            st.session_state[second] = others[min(1, len(others) - 1)]
        y = st.selectbox(
            "Against",
            others,
            format_func=_label,
            key=second,
            width=280,
            disabled=len(others) == 1,
            help="A second setting makes a map. Only those that need no program of their own can "
            "be combined: learning rate, input scale, initial scale and data seed.",
        )
        axes = (x,) if y == ALONE else (x, y)
        count = f"{slot}.runs-of-{len(axes)}"
        if st.session_state.get(count) not in RUNS:
            st.session_state[count] = default_runs(axes)
        runs = st.segmented_control(
            "Runs per setting",
            RUNS,
            key=count,
            required=True,
            help="More runs, narrower intervals.",
        )
    return axes, runs


def _label(name: str) -> str:
    return "Nothing: a curve" if name == ALONE else AXES[name].label


@lru_cache(maxsize=64)
def _size(request: VarySettings, workers: int) -> tuple[int, float]:
    """How many settings a request trains, and the seconds that it is expected to take."""
    # Kept, since a page is drawn often and hundreds of experiments are priced.
    return len(plan(request.experiment, request.axes)), price(request, workers).seconds


def _running(handle: jobs.JobHandle, slot: str) -> None:
    events = handle.job.events
    if not events:
        jobs.progress(slot, 0.0, "Compiling the network")
        return
    last = events[-1]
    jobs.progress(slot, last.share, f"{last.finished} of {last.of} settings trained")


def _result(problem: str, slot: str, experiment: Experiment, result: Sensitivity) -> None:
    place = result.place(experiment)
    if place is None:
        st.caption(
            ":material/history: These results belong to earlier settings: train again to update."
        )
    _draw_chart(problem, slot, result, place)
    download(
        "Rates as CSV",
        lambda: result.frame().to_csv(index=False),
        name=f"plateau_{problem}_where_it_learns.csv",
        mime="text/csv",
        help="One line per setting, with its counts, rate and interval.",
    )


def _draw_chart(
    problem: str, slot: str, result: Sensitivity, place: tuple[int, ...] | None
) -> None:
    axes = [AXES[name] for name in result.axes]
    what = " and ".join(axis.label.lower() for axis in axes)
    alt = f"Runs that succeed by {what}, {result.runs} runs each."
    if not axes[0].numeric:
        with st.container(border=True):
            charts.show(_bars(result), alt)
        return
    chart = (learning_map if len(axes) > 1 else learning_curve)(*framed(result, place))
    key = f"{slot}-chart"
    with st.container(border=True, width=MAP):
        charts.show(chart, alt, key, on_select=lambda: _pick(problem, key, result))
        mark = "the white circle" if len(axes) > 1 else "the dashed line"
        here = f"Now: {mark}. " if place is not None else ""
        region = _region(result) if len(axes) > 1 else ""
        st.caption(f"{here}{region}Point at a setting for its count and interval; click to set it.")


def _region(result: Sensitivity) -> str:
    if (result.successes >= REGION * result.runs).any():
        return f"Outlined: at least {REGION:.0%} of the runs succeed. "
    return f"At no setting do {REGION:.0%} of the runs succeed. "


def framed(result: Sensitivity, place: tuple[int, ...] | None) -> tuple:
    """The arguments of `learning_map`, or of `learning_curve` for one setting."""
    scales = [
        Scale(axis.label, values, tuple(map(axis.text, values)), axis.log)
        for axis, values in zip((AXES[n] for n in result.axes), result.values, strict=True)
    ]
    frame = result.frame().drop(columns=list(result.axes))
    for column, indices in zip("xy", zip(*result.cells, strict=True), strict=False):
        frame[column] = indices
    if place is None:
        return frame, *scales, None
    own = tuple(scale.values[index] for scale, index in zip(scales, place, strict=True))
    return frame, *scales, own if len(own) > 1 else own[0]


def _bars(result: Sensitivity) -> charts.Chart:
    axis = AXES[result.axes[0]]
    frame: pd.DataFrame = result.frame()
    labels = [axis.text(each) for each in frame.pop(axis.name)]
    frame = frame.assign(label=labels).sort_values("rate", ascending=False, kind="stable")
    return charts.rate(frame)


def _pick(problem: str, key: str, result: Sensitivity) -> None:
    """Callback: set the controls to the setting that was clicked."""
    picked = st.session_state[key].selection.get(CELL)
    if not picked:
        return
    sent = [picked[0].get(column) for column in "xy"[: len(result.axes)]]
    index = tuple(
        values.index(each) if each in values else -1
        for values, each in zip(result.values, sent, strict=True)
    )
    if index in result.cells:
        state.adopt(problem, result.cells[index], state.chosen(problem))
