"""The tab with the health of the layers by epoch, for failed and successful runs."""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.history import History
from pages.elements import charts, figures, state
from pages.elements.rendering import once
from pages.elements.settings import VIEWS

NEVER = {
    "dead": "No unit is dead after any epoch, in any of the {runs} runs: each outputs something "
    "other than 0 for some training sample.",
    "saturated": "No unit is saturated after any epoch, in any of the {runs} runs: none stays "
    "within 1% of a bound of its activation for every training sample.",
}
"""The texts in place of charts that would be empty."""


def draw(problem: str, _: Experiment, history: History) -> None:
    """Draw the tab."""
    offered = figures.measured_health(history)
    key = f"{problem}.health-figure"
    shown = figures.shown_health(history, state.view(problem, "health"))
    st.session_state[key] = shown
    st.segmented_control(
        VIEWS["health"].label,
        offered or (shown,),
        required=True,
        format_func=figures.MEASURES.get,
        key=key,
        on_change=_choose,
        args=(problem, key),
        help=VIEWS["health"].help,
    )
    _draw_health(history, st.session_state[key], state.target(problem))
    st.caption(
        "A line is the mean over the runs."
        if charts.is_share(shown)
        else "A line is the median over the runs, the band around it the middle half of them."
    )
    for measure, text in NEVER.items():
        if measure not in offered:
            st.caption(text.format(runs=history.runs))


def _choose(problem: str, key: str) -> None:
    """Callback: keep the choice; what is shown in place of an empty chart is none."""
    state.held(problem)["health"] = st.session_state[key]


@once
def _draw_health(history: History, measure: str, target: float) -> None:
    panels = figures.health(history, measure, target)
    if not panels:
        st.caption(figures.NO_HEALTH)
        return
    for column, panel in zip(st.columns(len(panels)), panels, strict=True):
        with column, st.container(border=True):
            charts.show(*panel)
