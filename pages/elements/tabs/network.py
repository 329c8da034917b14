"""The tab with the network of one run: its units, its outputs, and what it gets right."""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.history import History
from pages.elements import charts, figures, state
from pages.elements.rendering import once
from pages.elements.settings import VIEWS


def draw(problem: str, _: Experiment, history: History) -> None:
    """Draw the tab."""
    picks = figures.picks(history, state.target(problem), state.view(problem, "pick"))
    if state.view(problem, "pick") not in picks:
        state.held(problem)["pick"] = VIEWS["pick"].default
    kind = st.segmented_control(
        VIEWS["pick"].label,
        tuple(picks),
        required=True,
        format_func=lambda name: _words(name, picks[name]),
        help=VIEWS["pick"].help,
        **state.control(problem, "pick"),
    )
    _draw_network(history, picks[kind])


def _words(name: str, run: int) -> str:
    return f"Run {run}" if name.isdecimal() else f"{name.capitalize()} (run {run})"


@once
def _draw_network(history: History, run: int) -> None:
    with st.container(border=True):
        charts.show(*figures.diagram(history, run))
    pictures = figures.of_network(history, run)
    columns = st.columns([width for _, width in pictures])
    for column, (picture, _) in zip(columns, pictures, strict=True):
        with column, st.container(border=True):
            charts.show(*picture)
